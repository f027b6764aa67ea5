"""The energy register of a charger: it grows by what was delivered, and never falls."""

from datetime import timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.easee.feed_energy import Register
from custom_components.ev_charger_hub.station.model import ChargingStation, Place
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.shared_register import (
    KEY,
    MOST_POWER,
    SLACK,
)
from simulators.easee_cloud.clock import START

HOUR = timedelta(hours=1)
BEFORE = 1_234_567


def a_place(register: int | None = BEFORE) -> Place:
    """Return a place whose register is known since the start."""
    place = ChargingStation("EH", StationSettings(name="EH")).evse(1)
    if register is not None:
        place.measurement(KEY).set(register, START)
    return place


def shown(place: Place) -> object:
    """Return what the register shows."""
    channel = place.measurements.get(KEY)
    return None if channel is None else channel.value


def test_there_is_no_register_before_it_is_told() -> None:
    place = a_place(None)
    register = Register(place)
    register.lifetime(0, START)
    register.meter(0, START)
    assert shown(place) is None
    register.lifetime(BEFORE, START)
    assert shown(place) == BEFORE


@pytest.mark.parametrize("lower", [0, 1, BEFORE - 1])
def test_a_register_never_falls(lower: int) -> None:
    place = a_place()
    register = Register(place)
    for hour in range(1, 5):
        register.lifetime(lower, START + hour * HOUR)
        register.meter(lower, START + hour * HOUR)
    assert shown(place) == BEFORE


def test_what_no_charger_can_deliver_is_not_believed() -> None:
    place = a_place()
    register = Register(place)
    register.meter(BEFORE * 1000, START + HOUR)
    register.meter(BEFORE + SLACK + MOST_POWER + 1, START + HOUR)
    register.lifetime(BEFORE * 1000, START + HOUR)
    assert shown(place) == BEFORE
    register.meter(BEFORE + SLACK + MOST_POWER, START + HOUR)
    assert shown(place) == BEFORE + SLACK + MOST_POWER


def test_a_lifetime_that_is_told_twice_is_believed() -> None:
    place = a_place(5)
    register = Register(place)
    register.lifetime(BEFORE, START + HOUR)
    assert shown(place) == 5
    register.lifetime(BEFORE, START + HOUR)
    assert shown(place) == 5
    register.lifetime(BEFORE + 7_000, START + 2 * HOUR)
    assert shown(place) == BEFORE + 7_000


def test_a_glitch_is_forgotten() -> None:
    place = a_place()
    register = Register(place)
    register.lifetime(BEFORE * 2, START + HOUR)
    register.lifetime(BEFORE + 7_000, START + 2 * HOUR)
    register.lifetime(BEFORE * 2, START + 3 * HOUR)
    assert shown(place) == BEFORE + 7_000


def test_a_register_of_unknown_age_may_have_grown() -> None:
    place = a_place(None)
    place.measurement(KEY).set(5)
    Register(place).lifetime(BEFORE, START)
    assert shown(place) == BEFORE


@given(st.lists(st.integers(0, 22_000), min_size=1, max_size=20), st.data())
def test_any_order_of_what_is_true_is_never_ahead_of_it(
    steps: list[int], data: st.DataObject
) -> None:
    place = a_place()
    register = Register(place)
    total, told = BEFORE, []
    for hour, step in enumerate(steps, 1):
        total += step
        told.append((total, START + hour * HOUR))
    seen = BEFORE
    for energy, at in data.draw(st.permutations(told * 2)):
        take = data.draw(st.sampled_from([register.lifetime, register.meter]))
        take(energy, at)
        now = shown(place)
        assert isinstance(now, int)
        assert seen <= now <= total
        seen = now
    assert seen == total
