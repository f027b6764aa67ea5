"""Limits in other units."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, strategies as st

from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles.convert import converted

amounts = st.fractions(min_value=0, max_value=10**6)


def test_ampere_are_per_phase_and_watts_of_all_phases() -> None:
    assert converted(Decimal(16), RateUnit.AMPERE, RateUnit.WATT, phases=3) == 11040
    assert converted(Decimal(3680), RateUnit.WATT, RateUnit.AMPERE, phases=1) == 16


def test_the_voltage_is_that_of_the_area() -> None:
    mexico = converted(
        Decimal(16),
        RateUnit.AMPERE,
        RateUnit.WATT,
        phases=1,
        voltage=Decimal("127.5"),
    )
    assert mexico == 2040


@given(amounts, st.sampled_from(RateUnit), st.sampled_from(RateUnit), st.integers(1, 3))
def test_there_and_back_is_the_same(
    amount: Fraction, unit: RateUnit, to: RateUnit, phases: int
) -> None:
    there = converted(amount, unit, to, phases=phases)
    assert converted(there, to, unit, phases=phases) == amount
