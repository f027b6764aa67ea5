"""Two ways at their edges: what is refused, overdue, or somebody else's."""

from decimal import Decimal

import pytest

from .house import HARDWARE, ampere, watt
from .two_way_house import NO_ANSWER, TwoWayHouse


@pytest.fixture
async def house() -> TwoWayHouse:
    """Return a house with both lines, set up."""
    house = TwoWayHouse()
    await house.limiter.reassert()
    return house


async def test_a_number_that_is_overdue_while_profiles_come_back_waits() -> None:
    house = TwoWayHouse(fallback_current=6)
    await house.limiter.reassert()
    await house.begin()
    await house.want(ampere(10))
    await house.local(up=False)
    await house.time.advance(290)
    # Tried over and over again, this would never end.
    await house.local(up=True, wait=12)
    assert house.number.asked == [(1, 10, 600)]
    await house.time.advance(60)
    assert house.both == (10, HARDWARE)


@pytest.mark.parametrize("silent", [False, True])
async def test_a_profile_that_is_not_renewed_is_tried_again_later(
    silent: bool,
) -> None:
    house = TwoWayHouse(fallback_current=6)
    await house.limiter.reassert()
    await house.begin()
    await house.want(ampere(10))
    house.charger.answer = NO_ANSWER if silent else None
    house.charger.refuses = lambda profile: True
    house.charger.sent.clear()
    await house.time.advance(299)
    assert 0 < len(house.sets()) < 30
    assert len(house.number.asked) <= 1
    house.charger.answer, house.charger.refuses = None, lambda profile: False
    await house.time.advance(600)
    assert house.both == (10, HARDWARE)


async def test_watts_of_a_station_are_no_more_with_one_phase(
    house: TwoWayHouse,
) -> None:
    await house.limiter.request_phases(1, 1)
    await house.want(ampere(13))
    await house.want(watt(5520), evse_id=0)
    await house.local(up=False)
    assert house.number.there == 8
    await house.want(None, evse_id=0)
    assert house.number.there == 13


async def test_what_profiles_refuse_raises_no_number_of_somebody_else(
    house: TwoWayHouse,
) -> None:
    house.charger.refuses = lambda profile: True
    await house.want(ampere(10))
    house.number.there, house.number.limit_written = Decimal(6), None
    await house.look()
    await house.begin()
    await house.time.advance(60)
    assert house.number.there == 6
    outcome = await house.want(ampere(12))
    assert outcome.ok
    assert house.number.there == 6
    house.number.there = HARDWARE
    await house.look()
    assert house.number.there == 12


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_profiles_refuse_is_done_once_the_cloud_is_back(
    house: TwoWayHouse, restarted: bool
) -> None:
    house.charger.refuses = lambda profile: True
    await house.want(ampere(10))
    await house.remote(up=False)
    if restarted:
        await house.restart()
    else:
        await house.local(up=False)
        await house.local(up=True)
    await house.time.advance(60)
    # Plugged in meanwhile, the charger has forgotten it.
    house.number.there = HARDWARE
    await house.remote(up=True)
    assert house.flows == 10
