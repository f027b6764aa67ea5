"""Energy in both directions, in the words of OCPP 2.1 (Q)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ...station.profiles.two_way import OperationMode, TwoWay
from ..charging_profiles import amount, present

type Json = dict[str, Any]

MAX_POINTS = 20
_WORDS = {
    OperationMode.IDLE: "Idle",
    OperationMode.CHARGING_ONLY: "ChargingOnly",
    OperationMode.CENTRAL_SETPOINT: "CentralSetpoint",
    OperationMode.EXTERNAL_SETPOINT: "ExternalSetpoint",
    OperationMode.EXTERNAL_LIMITS: "ExternalLimits",
    OperationMode.CENTRAL_FREQUENCY: "CentralFrequency",
    OperationMode.LOCAL_FREQUENCY: "LocalFrequency",
    OperationMode.LOCAL_LOAD_BALANCING: "LocalLoadBalancing",
}
_MODES = {word: mode for mode, word in _WORDS.items()}


def period_fields(told: TwoWay) -> Json:
    """Return what a ChargingSchedulePeriod says of energy in both directions (2.1 2.16)."""
    frequencies = [
        {"frequency": float(x), "power": float(y)} for x, y in told.frequency_curve
    ]
    signals = [{"signal": x, "power": float(y)} for x, y in told.signal_curve]
    return {
        "operationMode": _WORDS[told.mode],
        **update_fields(told),
        **present(
            {
                "v2xBaseline": _float(told.baseline),
                "v2xFreqWattCurve": frequencies or None,
                "v2xSignalWattCurve": signals or None,
            }
        ),
    }


def update_fields(told: TwoWay) -> Json:
    """Return what a ChargingScheduleUpdate can say of it (2.1 K28)."""
    return present(
        {
            "limit": _float(told.limit),
            "dischargeLimit": _float(told.discharge_limit),
            "setpoint": _float(told.setpoint),
        }
    )


def read_period(told: Json) -> TwoWay | None:
    """Return what a period says of energy in both directions; None if nothing."""
    mode = _MODES.get(str(told.get("operationMode")))
    if mode is None:
        return None
    return TwoWay(
        mode=mode,
        limit=amount(told.get("limit")),
        discharge_limit=amount(told.get("dischargeLimit")),
        setpoint=amount(told.get("setpoint")),
        baseline=amount(told.get("v2xBaseline")),
        frequency_curve=tuple(_points(told.get("v2xFreqWattCurve"), "frequency")),
        signal_curve=tuple(
            (int(x), y) for x, y in _points(told.get("v2xSignalWattCurve"), "signal")
        ),
    )


def _points(told: object, x_name: str) -> Iterator[tuple[Decimal, Decimal]]:
    for one in told[:MAX_POINTS] if isinstance(told, list) else ():
        if isinstance(one, dict):
            x, y = amount(one.get(x_name)), amount(one.get("power"))
            if x is not None and y is not None:
                yield x, y


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
