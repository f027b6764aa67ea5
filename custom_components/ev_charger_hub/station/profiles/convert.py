"""Limits in other units, exactly: ampere per phase, or watt of all phases."""

from decimal import Decimal
from fractions import Fraction

from ..enums import RateUnit
from .model import VOLTAGE


def converted(
    value: Decimal | Fraction,
    unit: RateUnit,
    to: RateUnit,
    *,
    phases: int,
    voltage: Decimal = VOLTAGE,
) -> Fraction:
    """Return a limit in another unit: P = U * I * phases (OCPP 2.1 K01.FR.50)."""
    exact = value if isinstance(value, Fraction) else Fraction(value)
    if unit is to:
        return exact
    factor = Fraction(voltage) * phases
    return exact * factor if to is RateUnit.WATT else exact / factor
