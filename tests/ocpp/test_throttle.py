"""Throttles: the tempo of a socket, and what counts as one address."""

import pytest

from custom_components.ev_charger_hub.ocpp.throttle import Pace, neighborhood


def test_burst_passes_and_then_the_rate_counts() -> None:
    pace = Pace(rate=50, burst=200)
    assert not any(pace.take(0.0) for _ in range(200))
    assert pace.take(0.0) == pytest.approx(0.02)
    assert pace.take(0.0) == pytest.approx(0.04)
    # Rested for as long as it was told.
    assert pace.take(0.06) == pytest.approx(0.0)
    assert not any(pace.take(100.0) for _ in range(200))
    assert pace.take(100.0) > 0


def test_haste_and_debt_show() -> None:
    pace = Pace(rate=50, burst=200)
    states = []
    for cost in (5, 1, 200):
        pace.take(0.0, cost=cost)
        states.append((pace.hurried, pace.overdrawn))
    assert states == [(False, False), (True, False), (True, True)]


def test_what_costs_more_has_to_be_earned_longer() -> None:
    pace = Pace(rate=50, burst=200)
    assert pace.take(0.0, cost=300) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_neighborhood_of_an_address(address: str, counted: str) -> None:
    assert neighborhood(address) == counted
