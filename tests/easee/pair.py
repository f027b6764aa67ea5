"""A pair: one charger that the cloud tells of, and that tells us of itself by OCPP 1.6.

What it does is real only in the test; both sides tell of it when and as often as the
test wants. A life of Home Assistant ends by a stop or by a kill, which saves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
import sqlite3
from typing import Any, cast

from .yard import SERIAL, a_link
from custom_components.ev_charger_hub.easee.charger import EaseeCharger
from custom_components.ev_charger_hub.easee.products import ChargerInfo
from custom_components.ev_charger_hub.easee.readings import Observation, Readings, Value
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.timestamps import render
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.clock import Timer
from custom_components.ev_charger_hub.station.events import StationEvent
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.link import LinkKind
from custom_components.ev_charger_hub.station.model import ChargingStation, Evse
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import Transaction
from custom_components.ev_charger_hub.station.transactions import Transactions
from simulators.easee_cloud import SimulatedTime
from tests.ocpp.v16.conftest import Charger

SCHEMAS = Schemas.load(Dialect.V16)
EASEE = {"chargePointVendor": "Easee", "firmwareVersion": "344"}


class LifeTime:
    """The time of one life: what it has set goes off no more when that is over."""

    def __init__(self, time: SimulatedTime) -> None:
        """Follow `time`."""
        self._time = time
        self.over = False

    def __call__(self) -> datetime:
        """Return the present."""
        return self._time()

    def text(self, seconds: float = 0) -> str:
        """Return a moment relative to the present as OCPP writes it."""
        return render(self._time() + timedelta(seconds=seconds))

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` later, in this life."""

        def call() -> None:
            if not self.over:
                callback()

        return self._time.call_later(delay, call)


@dataclass
class Pair:
    """Home Assistant's end of both ways, and what happened there."""

    path: Path
    time: SimulatedTime
    events: list[StationEvent] = field(default_factory=list)
    clock: LifeTime = field(init=False)
    journal: Journal = field(init=False)
    ocpp: Charger = field(init=False)
    cloud: EaseeCharger = field(init=False)

    async def open(self) -> None:
        """Start, with what the journal knows."""
        self.clock = clock = LifeTime(self.time)
        self.journal = await Journal.open(
            self.path / "journal.db", call_later=clock.call_later
        )
        self.ocpp = Charger(
            clock=cast(Any, clock),
            journal=self.journal,
            schemas=SCHEMAS,
            settings=StationSettings(name="Pair"),
        )
        self.station.ways = {LinkKind.OCPP, LinkKind.EASEE}
        self.station.on_event(self.events.append)
        await self.transactions.load()
        self.cloud = EaseeCharger(
            ChargerInfo(serial=SERIAL, name="Pair", product_code=100),
            self.station,
            self.transactions,
            clock,
            link=a_link(),
            readings=Readings(),
        )

    async def close(self) -> None:
        """Stop, as Home Assistant does."""
        await self.settle()
        self.cloud.stop()
        await self.ocpp.close()
        await self.journal.close()
        self.clock.over = True

    async def kill(self) -> None:
        """Die: what has not reached the disk is lost."""
        await self.settle()
        self.clock.over = True
        self.cloud.stop()
        self.ocpp.disconnect()
        await self.journal.run(sqlite3.Connection.close)
        self.journal._executor.shutdown()

    async def restart(self, *, kill: bool = False) -> None:
        """Die or stop, and start again: everything but the journal is new."""
        await (self.kill() if kill else self.close())
        await self.open()

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        for _ in range(2):
            await self.cloud.settle()
            await self.ocpp.settle()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.settle()
        end = self.time() + timedelta(seconds=seconds)
        while self.time() < end:
            self.time.advance(min(60.0, (end - self.time()).total_seconds()))
            await self.settle()

    # The charger

    async def dial_in(self) -> None:
        """Connect to us."""
        self.ocpp.connect()
        await self.ocpp.boot(**EASEE)
        await self.settle()

    def hang_up(self) -> None:
        """Be connected to us no more."""
        self.ocpp.disconnect()

    @property
    def local(self) -> bool:
        """Return whether it is connected to us."""
        return self.station.local.value

    def tell(
        self,
        number: int,
        value: Value,
        *,
        at: datetime | None = None,
        replay: bool = False,
    ) -> None:
        """Let the cloud report something."""
        self.cloud.take(
            Observation(serial=SERIAL, id=number, value=value, at=at or self.time()),
            replay=replay,
        )

    async def told(self, number: int, value: Value, **more: Any) -> None:
        """Let the cloud report something, and what follows from it happen."""
        self.tell(number, value, **more)
        await self.settle()

    async def measures(self, register: int, number: int | None) -> None:
        """Send the register in Wh by OCPP."""
        sample = {"value": str(register), "unit": "Wh"}
        await self.ocpp.meter(
            sample | {"measurand": "Energy.Active.Import.Register"},
            transaction_id=number,
        )
        await self.settle()

    # What is seen

    @property
    def station(self) -> ChargingStation:
        """Return the station."""
        return self.ocpp.station

    @property
    def transactions(self) -> Transactions:
        """Return its sessions."""
        return self.ocpp.transactions

    @property
    def evse(self) -> Evse:
        """Return its EVSE."""
        return self.station.evse(1)

    @property
    def session(self) -> Transaction:
        """Return the session that is shown."""
        session = self.evse.session.value
        assert session is not None
        return session

    def events_of[T](self, kind: type[T]) -> list[T]:
        """Return the events of one kind, of all lives."""
        return [event for event in self.events if isinstance(event, kind)]

    async def journaled(self) -> list[Transaction]:
        """Return the sessions that the journal has, the oldest first."""
        return (await self.transactions.sessions(limit=1000))[::-1]
