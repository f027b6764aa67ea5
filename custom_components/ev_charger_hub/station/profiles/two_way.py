"""Energy in both directions: what a period of a charging profile says of it (2.1 Q)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

UNBOUNDED: Final = Decimal(1_000_000)
"""What a period without a limit comes to, in A or W."""


class OperationMode(StrEnum):
    """Who decides how much flows which way (OCPP 2.1 OperationModeEnumType)."""

    IDLE = "idle"
    CHARGING_ONLY = "charging_only"
    CENTRAL_SETPOINT = "central_setpoint"
    EXTERNAL_SETPOINT = "external_setpoint"
    EXTERNAL_LIMITS = "external_limits"
    CENTRAL_FREQUENCY = "central_frequency"
    LOCAL_FREQUENCY = "local_frequency"
    LOCAL_LOAD_BALANCING = "local_load_balancing"


_BOUNDS: Final = frozenset({"limit", "discharge_limit"})
_CURVES: Final = frozenset({"baseline", "frequency_curve", "signal_curve"})


@dataclass(kw_only=True, slots=True, frozen=True)
class Fields:
    """What a period has to say in an operation mode, and what else it may say."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def wrong(self, said: frozenset[str]) -> list[str]:
        """Return what is missing, or is there and may not be."""
        return sorted((self.required - said) | (said - self.required - self.optional))


FIELDS: Final[Mapping[OperationMode, Fields]] = {
    OperationMode.IDLE: Fields(),
    OperationMode.CHARGING_ONLY: Fields(required=frozenset({"limit"})),
    OperationMode.CENTRAL_SETPOINT: Fields(
        required=frozenset({"setpoint"}), optional=_BOUNDS
    ),
    OperationMode.EXTERNAL_SETPOINT: Fields(optional=_BOUNDS),
    OperationMode.EXTERNAL_LIMITS: Fields(),
    OperationMode.CENTRAL_FREQUENCY: Fields(
        required=frozenset({"setpoint"}), optional=_BOUNDS
    ),
    OperationMode.LOCAL_FREQUENCY: Fields(
        required=frozenset({"baseline"}), optional=_CURVES
    ),
    OperationMode.LOCAL_LOAD_BALANCING: Fields(),
}
"""Limits and setpoints of each operation mode (2.1 Q02.FR.02, Q03.FR.01, Q08)."""


@dataclass(kw_only=True, slots=True, frozen=True)
class TwoWay:
    """What a period says: in A per phase or W, below 0 is out of the vehicle.

    `frequency_curve` is power by frequency in Hz, `signal_curve` power by the number
    that the operator of the grid signals.
    """

    mode: OperationMode
    limit: Decimal | None = None
    discharge_limit: Decimal | None = None
    setpoint: Decimal | None = None
    baseline: Decimal | None = None
    frequency_curve: tuple[tuple[Decimal, Decimal], ...] = ()
    signal_curve: tuple[tuple[int, Decimal], ...] = ()

    @property
    def said(self) -> frozenset[str]:
        """Return the names of what it says."""
        named = {
            "limit": self.limit,
            "discharge_limit": self.discharge_limit,
            "setpoint": self.setpoint,
            "baseline": self.baseline,
            "frequency_curve": self.frequency_curve or None,
            "signal_curve": self.signal_curve or None,
        }
        return frozenset(name for name, value in named.items() if value is not None)

    @property
    def wrong(self) -> list[str]:
        """Return what the mode misses, and what it may not say."""
        return FIELDS[self.mode].wrong(self.said)

    @property
    def most(self) -> Decimal:
        """Return how much it lets flow into the vehicle at most."""
        if self.mode is OperationMode.IDLE:
            return Decimal(0)
        bounds = [UNBOUNDED if self.limit is None else self.limit]
        if self.setpoint is not None:
            bounds.append(max(self.setpoint, Decimal(0)))
        return min(bounds)


def dump(told: TwoWay | None) -> dict[str, Any] | None:
    """Return it as JSON can carry it."""
    if told is None:
        return None
    return {
        "mode": told.mode.value,
        **{
            name: None if value is None else str(value)
            for name, value in (
                ("limit", told.limit),
                ("discharge_limit", told.discharge_limit),
                ("setpoint", told.setpoint),
                ("baseline", told.baseline),
            )
        },
        "frequency_curve": [[str(x), str(y)] for x, y in told.frequency_curve],
        "signal_curve": [[x, str(y)] for x, y in told.signal_curve],
    }


def parse(kept: Mapping[str, Any] | None) -> TwoWay | None:
    """Return what was dumped; ValueError, KeyError or TypeError if it is none."""
    if kept is None:
        return None
    return TwoWay(
        mode=OperationMode(kept["mode"]),
        limit=_number(kept["limit"]),
        discharge_limit=_number(kept["discharge_limit"]),
        setpoint=_number(kept["setpoint"]),
        baseline=_number(kept["baseline"]),
        frequency_curve=tuple(
            (Decimal(x), Decimal(y)) for x, y in kept["frequency_curve"]
        ),
        signal_curve=tuple((int(x), Decimal(y)) for x, y in kept["signal_curve"]),
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
