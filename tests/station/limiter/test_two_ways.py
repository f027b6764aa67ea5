"""Two ways: one writer at a time, and never more than the lower of two wishes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from .house import HARDWARE, ampere
from .two_way_house import NO_ANSWER, REJECTED, TwoWayHouse
from custom_components.ev_charger_hub.station.enums import LimitedBy
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.limiter.watch import Watch
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus


@pytest.fixture
async def house() -> TwoWayHouse:
    """Return a house with both lines, set up."""
    house = TwoWayHouse()
    await house.limiter.reassert()
    return house


async def test_while_profiles_can_be_sent_the_number_is_left_alone(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(10))
    await house.begin()
    await house.want(ampere(12))
    await house.pause()
    await house.resume()
    await house.end()
    await house.want(None)
    await house.time.advance(600)
    assert house.number.asked == []
    assert house.charger.sent


async def test_a_lost_line_has_the_limit_written_by_the_other(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(10))
    await house.local(up=False)
    assert house.number.asked == [(1, 10, None)]
    assert house.wanted == ampere(10)


async def test_a_line_that_is_back_at_once_was_never_lost(house: TwoWayHouse) -> None:
    await house.want(ampere(10))
    await house.local(up=False, wait=1)
    await house.local(up=True)
    await house.time.advance(600)
    assert house.number.asked == []


async def test_nothing_is_written_if_nothing_is_wanted(house: TwoWayHouse) -> None:
    await house.local(up=False)
    await house.local(up=True)
    await house.time.advance(600)
    assert house.number.asked == []


async def test_the_lowest_of_station_and_connector_is_written(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(16))
    await house.want(ampere(12), evse_id=0)
    await house.local(up=False)
    assert house.number.asked == [(1, 12, None)]
    await house.want(None, evse_id=0)
    assert house.number.there == 16
    await house.want(ampere(8))
    assert house.number.there == 8
    assert house.station.whole.wanted_limit.value is None


async def test_a_pause_goes_over_to_the_other_way(house: TwoWayHouse) -> None:
    await house.begin()
    await house.pause()
    await house.local(up=False)
    assert house.number.there == 0
    await house.local(up=True)
    assert house.number.there == HARDWARE
    assert house.flows == 0


async def test_a_line_that_is_back_has_profiles_first_and_then_the_number_lifted(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(16))
    await house.local(up=False)
    await house.want(ampere(8))
    assert house.flows == 8
    await house.local(up=True, wait=14)
    assert house.charger.offered() == 16
    assert house.number.there == 8
    await house.time.advance(1)
    assert house.both == (8, HARDWARE)
    assert house.number.asked[-1] == (1, None, None)


async def test_a_number_stays_until_a_slow_charger_follows_its_profile(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(16))
    await house.local(up=False)
    await house.want(ampere(8))
    house.charger.lag = 45
    await house.local(up=True, wait=50)
    assert house.flows == 8
    await house.time.advance(30)
    assert house.both == (8, HARDWARE)


async def test_a_number_stays_where_profiles_are_refused(house: TwoWayHouse) -> None:
    await house.want(ampere(16))
    await house.local(up=False)
    await house.want(ampere(8))
    house.charger.refuses = lambda profile: True
    await house.local(up=True, wait=600)
    assert house.number.there == 8
    outcome = await house.want(ampere(7))
    assert outcome.ok
    assert house.number.there == 7
    house.charger.refuses = lambda profile: False
    await house.want(ampere(9))
    assert house.both == (9, HARDWARE)


async def test_what_profiles_refuse_is_done_by_the_number(house: TwoWayHouse) -> None:
    house.charger.refuses = lambda profile: True
    outcome = await house.want(ampere(8))
    assert outcome.ok
    assert house.number.there == 8
    await house.want(None)
    assert house.number.there == HARDWARE


async def test_what_a_profile_keeps_lower_is_not_raised_by_a_number(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(8))
    house.charger.refuses = lambda profile: True
    outcome = await house.want(ampere(16))
    assert not outcome.ok
    assert house.wanted == ampere(8)
    assert house.number.asked == []


async def test_a_lower_limit_without_an_answer_goes_by_the_other_way(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(16))
    house.charger.answer = NO_ANSWER
    outcome = await house.want(ampere(8))
    assert outcome.ok
    assert house.flows == 8


async def test_a_higher_limit_without_an_answer_is_told_as_such(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(8))
    house.charger.answer = NO_ANSWER
    outcome = await house.want(ampere(16))
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert house.wanted == ampere(8)
    assert house.number.asked == []


async def test_a_raise_by_the_number_says_that_a_profile_is_lower(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(8))
    await house.local(up=False)
    outcome = await house.want(ampere(16))
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert outcome.detail == "no more than 8 A until profiles can be sent again"
    assert house.flows == 8
    await house.local(up=True)
    assert house.flows == 16
    assert house.number.there == HARDWARE


async def test_what_is_wanted_no_longer_goes_on_both_ways(house: TwoWayHouse) -> None:
    await house.want(ampere(8))
    await house.local(up=False)
    await house.want(None)
    assert house.number.there == HARDWARE
    await house.local(up=True)
    assert house.flows == HARDWARE


async def test_a_lower_number_of_somebody_else_is_not_raised(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(10))
    house.number.there = Decimal(6)
    await house.local(up=False)
    await house.look()
    await house.time.advance(600)
    assert house.number.asked == []
    house.number.there = HARDWARE
    await house.look()
    assert house.number.there == 10


async def test_a_number_of_somebody_else_is_not_lifted(house: TwoWayHouse) -> None:
    await house.want(ampere(10))
    await house.local(up=False)
    house.number.there = Decimal(9)
    await house.local(up=True)
    assert house.number.asked == [(1, 10, None)]
    # Whatever they set later is theirs as well.
    house.number.limit_written = None
    house.number.there = Decimal(10)
    await house.look()
    await house.time.advance(600)
    assert house.number.there == 10


async def test_a_number_that_cannot_be_lifted_now_is_lifted_later(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(10))
    await house.local(up=False)
    await house.remote(up=False)
    await house.local(up=True)
    assert house.number.there == 10
    await house.restart()
    await house.time.advance(60)
    await house.remote(up=True)
    assert house.both == (10, HARDWARE)


async def test_after_a_restart_the_local_line_has_a_moment_to_come_back(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(10))
    house.charger.connected = False
    await house.restart()
    await house.look()
    await house.time.advance(10)
    await house.local(up=True)
    await house.limiter.reassert()
    await house.time.advance(600)
    assert house.number.asked == []


async def test_after_a_restart_without_the_local_line_the_number_limits(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(10))
    house.charger.connected = False
    await house.restart()
    await house.time.advance(20)
    assert house.number.there == 10
    assert house.wanted == ampere(10)


async def test_a_station_limit_survives_a_restart_without_the_local_line(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(10), evse_id=0)
    house.charger.connected = False
    await house.restart()
    await house.time.advance(20)
    assert house.number.there == 10
    await house.want(ampere(7), evse_id=0)
    assert house.number.there == 7
    await house.local(up=True, wait=1)
    await house.limiter.reassert()
    await house.time.advance(20)
    assert house.flows == 7
    assert house.number.there == HARDWARE


async def test_without_any_line_nothing_can_be_wanted(house: TwoWayHouse) -> None:
    await house.want(ampere(10))
    await house.local(up=False)
    await house.remote(up=False)
    with pytest.raises(NotConnected):
        await house.want(ampere(8))
    assert house.wanted == ampere(10)


async def test_a_number_that_is_refused_is_not_wanted(house: TwoWayHouse) -> None:
    await house.want(ampere(10))
    await house.local(up=False)
    house.number.answer, house.number.does = REJECTED, False
    outcome = await house.want(ampere(8))
    assert not outcome.ok
    assert house.wanted == ampere(10)


async def test_a_number_that_got_lost_is_written_again(house: TwoWayHouse) -> None:
    await house.want(ampere(10))
    house.number.answer, house.number.does = NO_ANSWER, False
    await house.local(up=False)
    house.number.answer, house.number.does = None, True
    await house.time.advance(60)
    assert house.number.there == 10


async def test_with_a_fall_back_the_number_ends_by_itself_and_is_renewed() -> None:
    house = TwoWayHouse(fallback_current=6)
    await house.limiter.reassert()
    await house.begin()
    await house.want(ampere(10))
    await house.local(up=False)
    assert house.number.asked == [(1, 10, 600)]
    await house.time.advance(900)
    assert house.number.asked == [(1, 10, 600)] * 4
    assert house.flows == 6, "the profile has ended, and what is below it holds"
    await house.local(up=True)
    await house.time.advance(60)
    assert house.both == (10, HARDWARE)
    renewed = len(house.number.asked)
    await house.time.advance(3600)
    assert len(house.number.asked) == renewed


async def test_what_holds_is_the_lower_of_the_two(house: TwoWayHouse) -> None:
    watch = Watch(
        house.station,
        house.limiter,
        house.time,
        call_later=house.time.call_later,
    )
    evse = house.station.evse(1)

    async def told(seconds: float = 90) -> tuple[object, object, object]:
        evse.known_limits.set(
            {LimitedBy.OUR_LIMIT: house.number.there, LimitedBy.CIRCUIT: Decimal(32)}
        )
        await house.time.advance(seconds)
        limit = evse.effective_limit.value
        shown = None if limit is None else limit.value
        return shown, evse.limited_by.value, evse.limit_ignored.value

    await house.want(ampere(16))
    assert await told() == (16, LimitedBy.OUR_LIMIT, False)
    await house.local(up=False)
    assert await told() == (16, LimitedBy.OUR_LIMIT, False)
    await house.want(ampere(8))
    assert await told() == (8, LimitedBy.OUR_LIMIT, False)
    await house.want(ampere(20))
    assert await told() == (16, LimitedBy.OUR_LIMIT, False)
    await house.local(up=True)
    assert await told() == (20, LimitedBy.OUR_LIMIT, False)
    house.number.there = Decimal(9)
    assert await told() == (9, LimitedBy.EXTERNAL, False)
    await house.want(None)
    assert await told() == (9, LimitedBy.EXTERNAL, False)
    watch.close()


async def test_a_number_that_does_not_hold_is_seen_and_no_profile_is_blamed(
    house: TwoWayHouse,
) -> None:
    watch = Watch(
        house.station, house.limiter, house.time, call_later=house.time.call_later
    )
    await house.want(ampere(16))
    await house.local(up=False)
    learnt = house.limiter.learnt
    evse = house.station.evse(1)
    house.number.there = Decimal(32)
    evse.known_limits.set({LimitedBy.OUR_LIMIT: Decimal(32)})
    await house.time.advance(90)
    assert evse.limit_ignored.value is True
    assert house.limiter.learnt == learnt
    watch.close()


async def test_phases_that_profiles_cannot_switch_are_switched_by_the_cloud(
    house: TwoWayHouse,
) -> None:
    outcome = await house.limiter.request_phases(1, 1)
    assert outcome.ok
    assert house.number.asked == [("phases", 1)]
    await house.want(ampere(10))
    assert house.sets()[-1].schedule.periods[0].limit == 10
    assert house.number.asked == [("phases", 1)]


@pytest.mark.parametrize("killed", [False, True])
async def test_phases_that_profiles_switch_are_locked_in_the_cloud_for_the_time_only(
    house: TwoWayHouse, killed: bool
) -> None:
    house.charger.profile_support = replace(
        house.charger.profile_support, phase_switching=True
    )
    await house.local(up=False)
    await house.limiter.request_phases(1, 1)
    assert house.number.asked == [("phases", 1)]
    if killed:
        await house.time.advance(60)
        await house.restart()
        house.number.asked = [("phases", 1)]
    await house.local(up=True)
    if killed:
        # As the last step of its set-up.
        await house.limiter.reassert()
    await house.time.advance(60)
    assert house.number.asked == [("phases", 1), ("phases", None)]
    assert house.sets()[-1].schedule.periods[0].phases == 1
    assert house.station.evse(1).wanted_phases.value == 1
    # Once is enough.
    await house.local(up=False)
    await house.local(up=True)
    await house.time.advance(60)
    assert house.number.asked.count(("phases", None)) == 1


async def test_a_vehicle_that_charges_is_not_interrupted_to_unlock_phases(
    house: TwoWayHouse,
) -> None:
    house.charger.profile_support = replace(
        house.charger.profile_support, phase_switching=True
    )
    await house.begin()
    await house.local(up=False)
    await house.limiter.request_phases(1, 1)
    await house.local(up=True)
    await house.time.advance(600)
    assert ("phases", None) not in house.number.asked
    await house.end()
    await house.time.advance(60)
    assert house.number.asked[-1] == ("phases", None)


async def test_a_limit_that_ends_while_the_line_is_away_ends(
    house: TwoWayHouse,
) -> None:
    await house.want(ampere(16))
    await house.local(up=False)
    await house.want(ampere(8), duration=timedelta(minutes=5))
    assert house.number.there == 8
    await house.time.advance(301)
    assert house.number.there == 16
