"""A station, its journal, and a clock and timers that stand still."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custom_components.ev_charger_hub.station.events import StationEvent
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transactions import Transactions

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(kw_only=True)
class Alarm:
    """A timer that fires when the test says so."""

    delay: float
    callback: Callable[[], None]
    timers: Timers

    def cancel(self) -> None:
        """Do not fire."""
        if self in self.timers.pending:
            self.timers.pending.remove(self)


@dataclass
class Timers:
    """Stands in for the event loop's call_later."""

    pending: list[Alarm] = field(default_factory=list)

    def __call__(self, delay: float, callback: Callable[[], None]) -> Alarm:
        """Remember a timer."""
        alarm = Alarm(delay=delay, callback=callback, timers=self)
        self.pending.append(alarm)
        return alarm

    def fire(self) -> None:
        """Let everything that is due some time happen now."""
        pending, self.pending[:] = self.pending[:], []
        for alarm in pending:
            alarm.callback()


class Hall:
    """A journal with stations around it, and the means to restart it all."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self.path = path
        self.now = NOON
        self.timers = Timers()
        self.events: list[StationEvent] = []
        self.journal: Journal
        self.transactions: dict[str, Transactions] = {}
        self.stations: dict[str, ChargingStation] = {}

    async def open(self) -> None:
        """Open the journal."""
        self.journal = await Journal.open(self.path, call_later=self.timers)

    async def close(self) -> None:
        """Close everything, as a stop of Home Assistant does."""
        for transactions in self.transactions.values():
            await transactions.close()
        await self.journal.close()

    async def station(self, identity: str = "CP1") -> Transactions:
        """Return the loaded transactions of a new station object."""
        station = ChargingStation(identity, StationSettings(name=identity))
        station.on_event(self.events.append)
        self.stations[identity] = station
        transactions = Transactions(
            station, self.journal, lambda: self.now, call_later=self.timers
        )
        await transactions.load()
        self.transactions[identity] = transactions
        return transactions

    async def restart(self, identity: str = "CP1") -> Transactions:
        """Close everything, open it again and return one station's transactions."""
        await self.close()
        await self.open()
        self.transactions.clear()
        return await self.station(identity)

    def pass_time(self, **units: float) -> datetime:
        """Let the clock advance."""
        self.now += timedelta(**units)
        return self.now


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """Return an open hall."""
    hall = Hall(tmp_path / "hub" / "journal.db")
    await hall.open()
    yield hall
    await hall.close()


@pytest.fixture
async def transactions(hall: Hall) -> Transactions:
    """Return the transactions of station CP1."""
    return await hall.station()


@pytest.fixture
def station(hall: Hall, transactions: Transactions) -> ChargingStation:
    """Return station CP1."""
    return hall.stations["CP1"]
