"""Verification: how the limit that a station says is in force stands to ours."""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from ..enums import RateUnit
from ..link import Limit
from ..profiles.model import VOLTAGE, CompositePeriod, CompositeSchedule

TOLERANCE = Fraction(1, 10)
"""How far apart two limits in A may be that were rounded on different ways."""


class Standing(StrEnum):
    """How the limit in force stands to the one we want."""

    UNKNOWN = "unknown"
    EQUAL = "equal"
    LOWER = "lower"
    HIGHER = "higher"


def compare(
    ours: Limit, composite: CompositeSchedule | None, phases: int
) -> tuple[Standing, str]:
    """Return how a composite schedule stands now to a limit, and what it says."""
    if composite is None:
        return Standing.UNKNOWN, "not verified: no schedule"
    period = next((one for one in composite.periods if one.start == 0), None)
    if period is None or period.limit is None:
        return Standing.HIGHER, "in force: no limit"
    told = f"in force: {_digits(period.limit)} {composite.unit}"
    there = _ampere(period.limit, composite.unit, _phases(period, phases))
    here = _ampere(Fraction(ours.value), ours.unit, phases)
    if abs(there - here) <= TOLERANCE:
        return Standing.EQUAL, told
    return (Standing.LOWER if there < here else Standing.HIGHER), told


def _phases(period: CompositePeriod, phases: int) -> int:
    return period.phases if period.phases in {1, 2, 3} else phases


def _ampere(value: Fraction, unit: RateUnit, phases: int) -> Fraction:
    return value if unit is RateUnit.AMPERE else value / Fraction(VOLTAGE * phases)


def _digits(value: Fraction) -> str:
    amount = Decimal(value.numerator) / value.denominator
    return f"{amount.normalize():f}"
