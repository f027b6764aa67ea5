"""A yard with one charger that tells what a test wants, and a journal for it."""

from datetime import datetime, timedelta
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from custom_components.ev_charger_hub.easee.charger import EaseeCharger
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.products import ChargerInfo
from custom_components.ev_charger_hub.easee.readings import Observation, Readings, Value
from custom_components.ev_charger_hub.station import snapshot
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    Measurand,
    Phase,
)
from custom_components.ev_charger_hub.station.events import StationEvent
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.link import Link, LinkKind
from custom_components.ev_charger_hub.station.model import (
    ChargingStation,
    Evse,
    Fault,
    MeasurementKey,
    Number,
)
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import Transaction
from custom_components.ev_charger_hub.station.transactions import Transactions
from simulators.easee_cloud import SimulatedTime

SERIAL = "EH123456"
REGISTER = MeasurementKey(measurand=Measurand.ENERGY_ACTIVE_IMPORT_REGISTER)


def a_link(kind: LinkKind = LinkKind.EASEE, *, connected: bool = True) -> Link:
    """Return something that is said to be a way to a charger."""
    return cast("Link", SimpleNamespace(kind=kind, connected=connected, costs=None))


class Yard:
    """A charger, its station, its journal, and what happened."""

    def __init__(self, path: Path, time: SimulatedTime) -> None:
        """Open nothing yet."""
        self.path = path
        self.time = time
        self.events: list[StationEvent] = []
        self.journal: Journal
        self.station: ChargingStation
        self.transactions: Transactions
        self.charger: EaseeCharger

    async def open(self) -> None:
        """Start, as Home Assistant does, with what the journal knows."""
        self.journal = await Journal.open(
            self.path / "journal.db", call_later=self.time.call_later
        )
        self.station = ChargingStation(SERIAL, StationSettings(name="Yard"))
        self.station.ways = {LinkKind.EASEE}
        self.station.on_event(self.events.append)
        if (kept := await self.journal.load(SERIAL, "snapshot")) is not None:
            snapshot.restore(self.station, kept)
        self.transactions = Transactions(
            self.station, self.journal, self.time, call_later=self.time.call_later
        )
        await self.transactions.load()
        self.charger = EaseeCharger(
            ChargerInfo(serial=SERIAL, name="Yard", product_code=100),
            self.station,
            self.transactions,
            self.time,
            link=a_link(),
            readings=Readings(),
        )

    async def close(self) -> None:
        """Stop, as Home Assistant does."""
        await self.charger.settle()
        self.charger.stop()
        await self.transactions.close()
        await self.journal.store(SERIAL, "snapshot", snapshot.dump(self.station))
        await self.journal.close()

    async def restart(self) -> None:
        """Stop and start again: everything but the journal is new."""
        await self.close()
        await self.open()

    @property
    def evse(self) -> Evse:
        """Return the EVSE of the charger."""
        return self.station.evse(1)

    @property
    def session(self) -> Transaction:
        """Return the session that is shown."""
        session = self.evse.session.value
        assert session is not None
        return session

    def online(self) -> bool:
        """Return whether the station is online."""
        return self.station.online.value

    def status(self) -> ConnectorStatus | None:
        """Return the status of the EVSE."""
        return self.evse.status.value

    def fault(self) -> Fault | None:
        """Return what is wrong with the EVSE."""
        return self.evse.fault.value

    def register(self) -> Number | None:
        """Return the energy register in Wh."""
        return self.evse.measurement(REGISTER).value

    def measured(
        self, measurand: Measurand, phase: Phase | None = None
    ) -> Number | None:
        """Return what is measured at the EVSE."""
        key = MeasurementKey(measurand=measurand, phase=phase)
        return self.evse.measurement(key).value

    def tell(
        self,
        number: int,
        value: Value,
        *,
        at: datetime | None = None,
        replay: bool = False,
    ) -> None:
        """Let the charger report something."""
        observation = Observation(
            serial=SERIAL, id=number, value=value, at=at or self.time()
        )
        self.charger.take(observation, replay=replay)

    async def told(self, number: int, value: Value, **more: Any) -> None:
        """Let the charger report something, and what follows from it happen."""
        self.tell(number, value, **more)
        await self.charger.settle()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.charger.settle()
        end = self.time() + timedelta(seconds=seconds)
        while self.time() < end:
            step = min(60.0, (end - self.time()).total_seconds())
            self.time.advance(step)
            await self.charger.settle()
        # What the transactions do by themselves.
        await self.transactions.sessions(limit=1)

    async def appear(self) -> None:
        """Let the charger be there, without a car."""
        await self.told(Id.CONNECTED_TO_CLOUD, value=True)
        await self.told(Id.CHARGER_OP_MODE, 1)

    async def journaled(self) -> list[Transaction]:
        """Return the sessions that the journal has, the oldest first."""
        return (await self.transactions.sessions(limit=1000))[::-1]


def started(
    number: int, at: datetime, meter: float | None = 1000.0, **more: Any
) -> str:
    """Return the text of observation 223."""
    facts = {"Id": number, "MeterValue": meter, "Start": at.isoformat()}
    return json.dumps(facts | {"Auth": "", "AuthReason": 0} | more)


def ended(
    number: int,
    start: datetime,
    stop: datetime,
    energy: float | None,
    meter: float | None = 1000.0,
    **more: Any,
) -> str:
    """Return the text of observation 129; energies in kWh."""
    facts = {
        "Id": number,
        "Start": start.isoformat(),
        "Stop": stop.isoformat(),
        "EnergyKwh": energy,
        "MeterValueStart": meter,
        "MeterValueStop": None if meter is None else meter + (energy or 0),
    }
    return json.dumps(facts | {"Auth": "", "AuthReason": 0} | more)
