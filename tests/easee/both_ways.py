"""A charger that is connected to us and to the cloud, and tells both what a test wants."""

from datetime import datetime, timedelta
from typing import Any

from ..ocpp.v16.conftest import Charger, FakeClock
from .yard import a_link
from custom_components.ev_charger_hub.easee.charger import EaseeCharger
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.products import ChargerInfo
from custom_components.ev_charger_hub.easee.readings import Observation, Readings, Value
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    Measurand,
    Phase,
)
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.link import LinkKind
from custom_components.ev_charger_hub.station.model import Evse, Number
from custom_components.ev_charger_hub.station.settings import StationSettings

SERIAL = "EH123456"


class BothWays(Charger):
    """A charger at our server, of which the cloud tells as well."""

    easee: EaseeCharger
    behind = timedelta()
    """How far the clock of the cloud is behind."""

    def __init__(
        self, clock: FakeClock, journal: Journal, schemas: Any, **settings: Any
    ) -> None:
        """Have a server that knows the charger; the cloud does not yet."""
        super().__init__(
            clock=clock,
            journal=journal,
            schemas=schemas,
            settings=StationSettings(name="Charger", quiet=True, **settings),
        )

    def join(self) -> None:
        """Let an account have the charger."""
        self.easee = EaseeCharger(
            ChargerInfo(serial=SERIAL, name="Charger", product_code=100),
            self.station,
            self.transactions,
            self.clock,
            link=a_link(),
            readings=Readings(),
        )
        self.station.ways = {LinkKind.OCPP, LinkKind.EASEE}

    def leave(self) -> None:
        """Let the account go."""
        self.easee.stop()
        self.station.ways = {LinkKind.OCPP}
        self.station.remote.set(False)

    async def come(self) -> None:
        """Connect and boot."""
        self.connect()
        await self.boot(
            chargePointVendor="Easee",
            chargePointSerialNumber=SERIAL,
            firmwareVersion="344",
        )

    async def told(
        self, number: int, value: Value, *, at: datetime | None = None, **more: Any
    ) -> None:
        """Let the cloud tell of something that is so now, or since some moment."""
        observation = Observation(
            serial=SERIAL,
            id=number,
            value=value,
            at=(at or self.clock()) - self.behind,
        )
        self.easee.take(observation, replay=more.get("replay", False))
        await self.easee.settle()

    async def appear(self) -> None:
        """Let the charger reach the cloud, without a car."""
        await self.told(Id.CONNECTED_TO_CLOUD, value=True)
        await self.told(Id.CHARGER_OP_MODE, 1)

    async def wait(self, seconds: float) -> None:
        """Let time pass; the cloud hears from the charger all the time."""
        while seconds > 0:
            step = min(seconds, 60.0)
            seconds -= step
            self.clock.tick(step)
            if self.easee.reachable:
                await self.told(Id.TEMP_MAX, 28.0)

    async def samples(self, *samples: tuple[str, str, str], **more: Any) -> None:
        """Measure: a measurand, perhaps with its phase behind a colon, value, unit."""
        await self.meter(
            *(
                {
                    "measurand": name.partition(":")[0],
                    "value": value,
                    "unit": unit,
                    **({"phase": phase} if (phase := name.partition(":")[2]) else {}),
                }
                for name, value, unit in samples
            ),
            **more,
        )

    @property
    def evse(self) -> Evse:
        """Return the EVSE of the charger."""
        return self.station.evse(1)

    def shown(self) -> ConnectorStatus | None:
        """Return the status that is shown."""
        return self.evse.status.value

    def whole(self) -> ConnectorStatus | None:
        """Return the status of the station as a whole."""
        return self.station.whole.status.value

    def reason(self) -> str | None:
        """Return the code of why nothing is given."""
        return self.evse.suspension.value

    def fault(self) -> str | None:
        """Return the error code that is shown."""
        fault = self.evse.fault.value
        return None if fault is None else fault.error_code

    def measured(
        self, measurand: Measurand, phase: Phase | None = None
    ) -> Number | None:
        """Return what is shown as measured, None also if there is no such thing yet."""
        try:
            return self.value(measurand, phase)
        except KeyError:
            return None
