"""One connector of the virtual station: what it knows, and how it is measured."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .schedules import Installed
from .vehicle import VOLTAGE, Meter, Vehicle

SUSPENDING = 0.5
"""A current in A below which nothing is called charging."""


@dataclass(kw_only=True, slots=True)
class LocalTransaction:
    """A transaction as the station sees it; `id` None until the answer came."""

    connector_id: int
    id_tag: str
    started_at: datetime
    meter_start: int
    id: int | None = None
    stopped: bool = False


@dataclass(kw_only=True, slots=True)
class Connector:
    """One connector, its vehicle and its transaction."""

    id: int
    meter: Meter
    status: str = "Available"
    error_code: str = "NoError"
    vendor_error: str | None = None
    """What the vendor adds to a status."""
    location: str | None = None
    """Where it says that it measures, where no other place is meant."""
    vehicle: Vehicle | None = None
    transaction: LocalTransaction | None = None
    authorized: str | None = None
    prepared: dict[str, Any] | None = None
    """The profile that came with a remote start, for the transaction to come."""
    operative: bool = True
    after_transaction: bool | None = None
    """The availability that was scheduled for the end of the transaction."""
    offered: float = 0.0
    """What the vehicle may draw now, in A per phase; 0 without a transaction."""
    limited_by: Installed | None = None
    """The profile that decides; None where the hardware does."""
    balanced: float | None = None
    """What a load balancer beside OCPP leaves, in A per phase."""
    since_sample: float = 0.0
    since_clock: float = 0.0
    samples: int = 0
    reserved: bool = False
    """Whether it shows that it is kept free for somebody."""
    blocked: bool = False
    """Whether something beside the central system keeps it from charging."""
    reported: str | None = field(default=None)

    @property
    def started_at(self) -> datetime | None:
        """Return when the transaction began that runs, if one does."""
        return self.transaction.started_at if self.transaction else None

    @property
    def idle(self) -> str:
        """Return its status without a vehicle."""
        if not self.operative or self.blocked:
            return "Unavailable"
        return "Reserved" if self.reserved else "Available"

    @property
    def resting(self) -> str:
        """Return its status without a transaction."""
        usable = self.operative and not self.blocked
        return "Preparing" if usable and self.vehicle is not None else self.idle

    @property
    def flow(self) -> str:
        """Return its status with a transaction."""
        if self.vehicle is None:
            return "SuspendedEV"
        if self.offered < self.vehicle.minimum_current:
            return "SuspendedEVSE"
        if self.vehicle.wanted(self.offered) < SUSPENDING:
            return "SuspendedEV"
        return "Charging"

    @property
    def _where(self) -> dict[str, str]:
        return {} if self.location is None else {"location": self.location}

    def offer(self, amps: float, phases: int) -> None:
        """Offer what the profiles allow, as far as balancer and cable allow it too."""
        cable = self.vehicle.cable_rating if self.vehicle else None
        bounds = [one for one in (self.balanced, cable) if one is not None]
        self.offered = min(amps, *bounds) if bounds else amps
        if phases != self.meter.phases:
            self.meter.current = 0  # Phases are switched without load.
            self.meter.phases = phases

    def sampled_values(
        self, measurands: list[str], context: str
    ) -> list[dict[str, Any]]:
        """Return the sampled values of the named measurands, total and per phase."""
        values: list[dict[str, Any]] = []

        def add(measurand: str, value: str, unit: str, **more: str) -> None:
            values.append(
                {
                    "value": value,
                    "context": context,
                    "measurand": measurand,
                    "unit": unit,
                    **self._where,
                    **more,
                }
            )

        live = self.meter.phases
        phases = [f"L{number + 1}" for number in range(max(live, self.meter.wired))]
        for measurand in measurands:
            match measurand:
                case "Energy.Active.Import.Register":
                    add(measurand, str(round(self.meter.register)), "Wh")
                case "Power.Active.Import":
                    add(measurand, f"{self.meter.power:.1f}", "W")
                case "Current.Import":
                    for number, phase in enumerate(phases):
                        amps = self.meter.current if number < live else 0
                        add(measurand, f"{amps:.2f}", "A", phase=phase)
                case "Current.Offered":
                    add(measurand, f"{self.offered:.1f}", "A")
                case "Voltage":
                    for phase in phases:
                        add(measurand, f"{VOLTAGE:.1f}", "V", phase=f"{phase}-N")
                case "SoC" if self.vehicle is not None:
                    add(measurand, f"{self.vehicle.soc:.0f}", "Percent", location="EV")
                case "Temperature":
                    heat = 22 + self.meter.current / 2
                    add(measurand, f"{heat:.1f}", "Celsius", location="Body")
                case "Frequency":
                    add(measurand, "50.00", "Hertz")
        for value in values:
            if value["unit"] == "Hertz":
                del value["unit"]  # OCPP 1.6 has no unit for frequency
        return values
