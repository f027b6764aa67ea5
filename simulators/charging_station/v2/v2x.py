"""Vehicles that give energy back: operation modes, and what the grid signals (block Q)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .uplink import CallError
from .values import Json, TriggerReason

if TYPE_CHECKING:
    from .station import ChargingStation

DEFAULT_MODE = "ChargingOnly"
"""What is done where no profile says anything else."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Permitted:
    """What a period may say in one operation mode."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


LIMITS = frozenset({"limit", "dischargeLimit"})
MODES = {
    "CentralFrequency": Permitted(required=frozenset({"setpoint"}), optional=LIMITS),
    "CentralSetpoint": Permitted(
        required=frozenset({"setpoint"}), optional=LIMITS | {"setpointReactive"}
    ),
    "ChargingOnly": Permitted(required=frozenset({"limit"})),
    "ExternalLimits": Permitted(),
    "ExternalSetpoint": Permitted(optional=LIMITS),
    "Idle": Permitted(),
    "LocalFrequency": Permitted(),
    "LocalLoadBalancing": Permitted(),
}
"""OCPP 2.1 Q, limits and setpoints of each operation mode."""
SAID = LIMITS | {"setpoint", "setpointReactive"}
PURPOSES = {
    "ChargingStationMaxProfile": {"ChargingOnly"},
    "LocalGeneration": {"ChargingOnly", "ExternalLimits"},
    "PriorityCharging": {"ChargingOnly"},
}
"""Operation modes of the purposes that do not know all of them."""


def fits(mode: str, period: Json) -> bool:
    """Return whether a period says what its operation mode lets it say."""
    permitted = MODES[mode]
    said = SAID & {*period}
    return permitted.required <= said <= permitted.required | permitted.optional


class Bidirectional:
    """The part of a station that lets energy flow both ways."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station whose vehicles only charge."""
        self._station = station
        self.allowed: dict[str, list[str]] = {}
        """What the central system allows the vehicle of a transaction."""
        self.signal: int | None = None
        """The last signal of the grid's operator."""
        self._modes: dict[str, str] = {}
        """The operation mode that was told last, of each transaction."""
        self.handlers = {
            "AFRRSignal": self._afrr,
            "NotifyAllowedEnergyTransfer": self._allow,
        }

    def available(self, evse_id: int) -> bool:
        """Return whether energy may flow both ways at an EVSE."""
        return self._station.model.flag("V2XChargingCtrlr.Enabled", evse_id)

    def _check(self) -> None:
        if not any(
            self._station.model.flag("V2XChargingCtrlr.Available", evse)
            for evse in range(1, len(self._station.evses) + 1)
        ):
            raise CallError("NotImplemented")

    # What the central system asks for

    async def _allow(self, payload: Json) -> Json:
        """OCPP 2.1 Q01, Q02."""
        self._check()
        if self._station.transactions.find(payload["transactionId"]) is None:
            return {"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound"}}
        self.allowed[payload["transactionId"]] = payload["allowedEnergyTransfer"]
        return {"status": "Accepted"}

    async def _afrr(self, payload: Json) -> Json:
        """OCPP 2.1 Q08: of use only where a profile says what a signal means."""
        self._check()
        station, now = self._station, self._station.clock()
        periods = [
            station.charging.period(evse_id, now)
            for evse_id in station.transactions.running
        ]
        if not any(one and "v2xSignalWattCurve" in one for one in periods):
            return {"status": "Rejected", "statusInfo": {"reasonCode": "NoProfile"}}
        self.signal = payload["signal"]
        station.afterwards(station.box.apply_limits)
        return {"status": "Accepted"}

    # What follows

    def setpoint(self, evse_id: int) -> float | None:
        """Return the power in W that a vehicle is to draw, or to give back if negative."""
        station = self._station
        period = station.charging.period(evse_id, station.clock())
        if period is None or not self.available(evse_id):
            return None
        unit = period["chargingRateUnit"]
        if (told := period.get("setpoint")) is not None:
            voltage = station.model.number("SmartChargingCtrlr.SupplyVoltage", 230)
            return float(told) if unit == "W" else float(told) * voltage * 3
        if self.signal is not None and "v2xSignalWattCurve" in period:
            points = period["v2xSignalWattCurve"]
            nearest = min(points, key=lambda one: abs(one["signal"] - self.signal))
            return float(nearest["power"])
        if "v2xBaseline" in period:
            return float(period["v2xBaseline"])
        return None

    def tell_mode(self, evse_id: int) -> None:
        """Tell which way energy flows in a transaction, where that changed (Q03)."""
        station = self._station
        transaction = station.transactions.running.get(evse_id)
        if transaction is None or not self.available(evse_id):
            return
        period = station.charging.period(evse_id, station.clock()) or {}
        mode = period.get("operationMode", DEFAULT_MODE)
        if self._modes.get(transaction.id, DEFAULT_MODE) == mode:
            return
        self._modes[transaction.id] = mode
        station.transactions.update(
            transaction,
            TriggerReason.OPERATION_MODE_CHANGED,
            info={"operationMode": mode},
        )

    def transaction_ended(self, transaction_id: str) -> None:
        """Forget a transaction."""
        self.allowed.pop(transaction_id, None)
        self._modes.pop(transaction_id, None)
