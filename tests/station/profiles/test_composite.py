"""Composite schedules by example; the properties are tested beside this."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from .make import DAY, HOUR, NOON, after, installed, period
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles.composite import composite
from custom_components.ev_charger_hub.station.profiles.model import (
    Circumstances,
    CompositePeriod,
    CompositeSchedule,
    Installed,
    Kind,
    Period,
    Purpose,
)

CHARGING = Circumstances(transaction_id="7", transaction_started_at=NOON)
IDLE = Circumstances()
TX: dict[str, Any] = {"purpose": Purpose.TX, "transaction_id": "7", "id": 7}
WHOLE: dict[str, Any] = {"evse_id": 0}
MAX: dict[str, Any] = {"purpose": Purpose.STATION_MAX, "id": 9, **WHOLE}
EXTERNAL: dict[str, Any] = {"purpose": Purpose.EXTERNAL, "id": 8}

type Limits = list[tuple[int, Fraction | int | None]]


def schedule(
    *profiles: Installed,
    evse_id: int = 1,
    start: datetime = NOON,
    duration: int = HOUR,
    unit: RateUnit = RateUnit.AMPERE,
    circumstances: Mapping[int, Circumstances] | Circumstances = CHARGING,
) -> CompositeSchedule:
    """Return the composite schedule of the hour after noon, unless said otherwise."""
    return composite(
        profiles,
        evse_id=evse_id,
        start=start,
        duration=duration,
        unit=unit,
        circumstances=circumstances,
    )


def limits(*profiles: Installed, **how: Any) -> Limits:
    """Return from when on which limit holds."""
    return [(one.start, one.limit) for one in schedule(*profiles, **how).periods]


def only(*profiles: Installed, **how: Any) -> CompositePeriod:
    """Return the only period of a schedule."""
    (period,) = schedule(*profiles, **how).periods
    return period


def sources(*profiles: Installed, **how: Any) -> list[tuple[int, int | None]]:
    """Return from when on which profile sets the limit."""
    return [(one.start, one.profile_id) for one in schedule(*profiles, **how).periods]


def single_phase(limit: str, phase: int | None = None) -> Period:
    """Return a period of one phase, perhaps of a certain one."""
    return Period(start=0, limit=Decimal(limit), phases=1, phase_to_use=phase)


def test_without_profiles_nothing_limits() -> None:
    assert schedule() == CompositeSchedule(
        evse_id=1,
        start=NOON,
        duration=HOUR,
        unit=RateUnit.AMPERE,
        periods=(CompositePeriod(start=0, limit=None),),
    )


def test_a_period_tells_who_sets_its_limit() -> None:
    assert only(installed("10", **TX)) == CompositePeriod(
        start=0, limit=Fraction(10), purpose=Purpose.TX, profile_id=7
    )


def test_a_limit_of_nothing_is_not_the_lack_of_a_limit() -> None:
    assert limits(installed("0", duration=60)) == [(0, 0), (60, None)]


def test_periods_follow_each_other() -> None:
    one = installed("6", period("8.5", 60), period("10", 120))
    assert limits(one) == [(0, 6), (60, Fraction("8.5")), (120, 10)]


def test_the_schedule_starts_in_the_middle_of_a_period() -> None:
    one = installed("6", period("8", 60), period("10", 120))
    assert limits(one, start=after(90), duration=40) == [(0, 8), (30, 10)]


def test_what_starts_when_the_schedule_ends_is_left_out() -> None:
    assert limits(installed("6", period("8", 60)), duration=60) == [(0, 6)]
    assert limits(installed("6", period("8", 60)), duration=61) == [(0, 6), (60, 8)]


def test_before_its_start_and_after_its_duration_a_profile_is_silent() -> None:
    one = installed("6", start=after(60), duration=120)
    assert limits(one) == [(0, None), (60, 6), (180, None)]


def test_a_duration_cuts_the_last_periods() -> None:
    one = installed("6", period("8", 60), period("10", 120), duration=90)
    assert limits(one) == [(0, 6), (60, 8), (90, None)]


def test_validity_is_a_window() -> None:
    one = installed("6", valid_from=after(60), valid_to=after(120))
    assert limits(one) == [(0, None), (60, 6), (120, None)]


def test_validity_does_not_move_the_schedule() -> None:
    one = installed("6", period("8", 60), period("10", 120), valid_from=after(90))
    assert limits(one) == [(0, None), (90, 8), (120, 10)]


def test_fractions_of_seconds_are_cut() -> None:
    one = installed("6", start=after(60.9), valid_to=after(120.9))
    told = schedule(one, start=after(0.5))
    assert told.start == NOON
    assert [each.start for each in told.periods] == [0, 60, 120]


def test_other_zones_are_the_same_moments() -> None:
    elsewhere = datetime.fromisoformat("2026-11-20T17:45:00+05:45")
    assert limits(installed("6"), start=elsewhere) == [(0, 6)]
    assert limits(installed("6", start=elsewhere)) == [(0, 6)]


def test_equal_neighbours_are_one() -> None:
    one = installed("6", period("6", 60), period("8", 120), period("8", 180))
    assert limits(one) == [(0, 6), (120, 8)]


def test_neighbours_of_other_profiles_are_two() -> None:
    above, below = installed("6", stack_level=1, duration=60), installed("6", id=2)
    assert sources(above, below) == [(0, 1), (60, 2)]


def test_a_schedule_lasts_a_second_at_least() -> None:
    with pytest.raises(ValueError, match="0"):
        schedule(duration=0)


# Stacks


def test_the_highest_stack_level_leads_whatever_its_limit() -> None:
    low, high = installed("6"), installed("32", id=2, stack_level=1)
    assert limits(low, high) == [(0, 32)]
    assert limits(high, low) == [(0, 32)]


def test_a_lower_stack_level_shows_through_holes() -> None:
    high = installed("16", id=2, stack_level=5, start=after(60), duration=60)
    highest = installed("10", id=3, stack_level=9, start=after(90), duration=10)
    assert limits(installed("6"), high, highest) == [
        (0, 6),
        (60, 16),
        (90, 10),
        (100, 16),
        (120, 6),
    ]


def test_a_newer_profile_replaces_one_in_its_place() -> None:
    old, new = installed("6"), installed("10", id=2, set_at=after(-60))
    assert limits(old, new) == [(0, 6)]
    assert limits(new, old) == [(0, 6)]


def test_a_newer_profile_replaces_one_of_its_id() -> None:
    old = installed("6", stack_level=3, set_at=after(-60))
    assert limits(installed("10", duration=60), old) == [(0, 10), (60, None)]


def test_of_two_that_were_set_together_the_later_one_counts() -> None:
    assert limits(installed("6"), installed("10")) == [(0, 10)]


def test_a_profile_that_is_not_valid_yet_replaces_at_once() -> None:
    """Trap of OCPP 1.6 3.13.2: until it is valid, nothing is left."""
    old = installed("6", set_at=after(-60))
    assert limits(installed("10", id=2, valid_from=after(60)), old) == [
        (0, None),
        (60, 10),
    ]


def test_profiles_in_one_place_stay_if_never_valid_together() -> None:
    morning = installed("6", valid_to=after(60))
    evening = installed("10", id=2, valid_from=after(60))
    assert limits(morning, evening) == [(0, 6), (60, 10)]


def test_external_constraints_of_our_id_stay() -> None:
    assert limits(installed("10"), installed("6", **EXTERNAL | {"id": 1})) == [(0, 6)]


# Purposes


def test_a_tx_profile_goes_before_the_default_while_it_lasts() -> None:
    default, of_tx = installed("6", stack_level=9), installed("32", **TX, duration=60)
    assert limits(default, of_tx) == [(0, 32), (60, 6)]


@pytest.mark.parametrize(
    ("transaction_id", "running", "limit"),
    [("7", "7", 32), (None, "7", 32), ("6", "7", 6), ("7", None, 6), (None, None, 6)],
)
def test_a_tx_profile_is_for_its_transaction(
    transaction_id: str | None, running: str | None, limit: int
) -> None:
    of_tx = installed("32", **TX | {"transaction_id": transaction_id})
    circumstances = Circumstances(transaction_id=running)
    assert limits(installed("6"), of_tx, circumstances=circumstances) == [(0, limit)]


def test_a_tx_profile_is_for_its_evse() -> None:
    assert limits(installed("10", **TX), evse_id=2) == [(0, None)]
    assert limits(installed("10", **TX, **WHOLE)) == [(0, None)]


def test_the_default_of_an_evse_goes_before_that_of_the_station() -> None:
    own = installed("10", duration=60)
    whole = installed("6", id=2, stack_level=9, **WHOLE)
    assert limits(own, whole) == [(0, 10), (60, 6)]
    assert limits(own, whole, evse_id=2) == [(0, 6)]


def test_the_default_holds_without_a_transaction() -> None:
    assert limits(installed("10"), circumstances=IDLE) == [(0, 10)]


def test_the_lowest_purpose_limits() -> None:
    profiles = (
        installed("20", period("8", 60), period("20", 120), **TX),
        installed("16", **MAX),
        installed("18", period("10", 180), **EXTERNAL),
        installed("12", period("18", 240), **EXTERNAL | {"id": 3}, **WHOLE),
    )
    assert limits(*profiles) == [(0, 12), (60, 8), (120, 12), (180, 10)]
    assert sources(*profiles) == [(0, 3), (60, 7), (120, 3), (180, 8)]
    told = schedule(*profiles).periods
    assert [one.purpose for one in told] == [
        Purpose.EXTERNAL,
        Purpose.TX,
        Purpose.EXTERNAL,
        Purpose.EXTERNAL,
    ]


def test_of_equal_limits_that_of_charging_is_named_first() -> None:
    default, most, external = (
        installed("10"),
        installed("10", **MAX),
        installed("10", **EXTERNAL),
    )
    assert only(external, most, default).purpose is Purpose.TX_DEFAULT
    assert only(external, most).purpose is Purpose.STATION_MAX
    whole = installed("10", **EXTERNAL | {"id": 3}, **WHOLE)
    assert only(whole, external).profile_id == 8


def test_a_station_maximum_at_an_evse_means_nothing() -> None:
    assert limits(installed("10", purpose=Purpose.STATION_MAX)) == [(0, None)]


def test_priority_charging_goes_first_once_it_is_activated() -> None:
    profiles = (
        installed("32", id=2, purpose=Purpose.PRIORITY),
        installed("10", **TX),
        installed("20", **MAX),
    )
    boost = Circumstances(transaction_id="7", priority=True)
    assert limits(*profiles) == [(0, 10)]
    assert limits(*profiles, circumstances=boost) == [(0, 20)]


def test_priority_charging_of_the_station_is_for_every_evse() -> None:
    whole = installed("32", id=2, purpose=Purpose.PRIORITY, **WHOLE)
    own = installed("20", id=3, purpose=Purpose.PRIORITY, duration=60)
    boost = Circumstances(transaction_id="7", priority=True)
    assert limits(whole, own, circumstances=boost) == [(0, 20), (60, 32)]


def test_local_generation_is_added_to_what_charging_may_use() -> None:
    sun = installed(
        period("4.5"), period("9", 60), id=2, purpose=Purpose.LOCAL_GENERATION
    )
    default, most = installed("8"), installed("16", **MAX)
    assert limits(sun, default, most) == [(0, Fraction("12.5")), (60, 16)]
    assert sources(sun, default, most) == [(0, 1), (60, 9)]


def test_local_generation_alone_limits_nothing() -> None:
    sun = installed("4", id=2, purpose=Purpose.LOCAL_GENERATION, **WHOLE)
    assert limits(sun) == [(0, None)]
    assert limits(sun, installed("16", **MAX)) == [(0, 16)]


def test_local_generation_of_an_evse_goes_before_that_of_the_station() -> None:
    whole = installed("1", id=2, purpose=Purpose.LOCAL_GENERATION, **WHOLE)
    own = installed("2", id=3, purpose=Purpose.LOCAL_GENERATION, duration=60)
    assert limits(installed("8"), own, whole) == [(0, 10), (60, 9)]


# Kinds; recurring ones have tests of their own


def test_a_relative_profile_starts_with_its_transaction() -> None:
    one = installed("6", period("8", 60), kind=Kind.RELATIVE, **TX)
    late = Circumstances(transaction_id="7", transaction_started_at=after(-30))
    assert limits(one, circumstances=late) == [(0, 6), (30, 8)]


def test_a_relative_profile_starts_when_it_is_set_if_nothing_runs() -> None:
    one = installed("6", period("8", 60), kind=Kind.RELATIVE, set_at=after(-40))
    assert limits(one, circumstances=IDLE) == [(0, 6), (20, 8)]


def test_a_dynamic_profile_starts_when_it_is_set() -> None:
    one = installed("6", kind=Kind.DYNAMIC, start=None, set_at=after(10), duration=60)
    assert limits(one) == [(0, None), (10, 6), (70, None)]


def test_the_periods_of_a_stranger_may_be_out_of_order() -> None:
    one = installed(period("8", 60), period("6", 30))
    assert limits(one) == [(0, None), (30, 6), (60, 8)]


# Units and phases


@pytest.mark.parametrize(
    ("unit", "phases", "asked", "limit"),
    [
        (RateUnit.AMPERE, None, RateUnit.WATT, 10 * 230 * 3),
        (RateUnit.AMPERE, 1, RateUnit.WATT, 10 * 230),
        (RateUnit.WATT, None, RateUnit.AMPERE, Fraction(10, 690)),
        (RateUnit.WATT, 2, RateUnit.AMPERE, Fraction(10, 460)),
        (RateUnit.WATT, 1, RateUnit.WATT, 10),
    ],
)
def test_units_are_converted_exactly(
    unit: RateUnit, phases: int | None, asked: RateUnit, limit: Fraction
) -> None:
    one = installed(period("10", phases=phases), unit=unit)
    assert limits(one, unit=asked) == [(0, limit)]


def test_a_limit_in_watt_comes_back_as_it_was() -> None:
    one = installed("7400.1", unit=RateUnit.WATT)
    single = Circumstances(phases=1, voltage=Decimal("239.7"))
    assert limits(one, unit=RateUnit.WATT, circumstances=single) == [
        (0, Fraction("7400.1"))
    ]
    assert limits(one, circumstances=single) == [(0, Fraction(74001, 2397))]


def test_different_units_are_compared() -> None:
    most = installed("11000", unit=RateUnit.WATT, **MAX)
    assert limits(installed("16"), most) == [(0, Fraction(11000, 690))]
    assert limits(installed("15.9"), most) == [(0, Fraction("15.9"))]
    assert limits(installed("16"), most, unit=RateUnit.WATT) == [(0, 11000)]


def test_watts_count_for_the_phases_of_their_own_period() -> None:
    """Not for the fewer ones that another profile leaves (K01.FR.50)."""
    most = installed(period("11040", phases=3), unit=RateUnit.WATT, **MAX)
    one = only(installed(single_phase("32")), most)
    assert one.limit == 16
    assert one.phases == 1
    assert one.purpose is Purpose.STATION_MAX
    assert limits(installed(single_phase("32")), most, unit=RateUnit.WATT) == [
        (0, 16 * 230)
    ]


def test_the_fewest_phases_of_those_that_limit_are_left() -> None:
    most = installed(period("32", phases=2), **MAX)
    assert only(installed(period("16", phases=3)), most).phases == 2
    assert only(installed("16"), most).phases == 2
    assert only(installed("16")).phases is None


def test_profiles_that_do_not_lead_have_no_say_in_phases() -> None:
    below = installed(single_phase("6", 2))
    assert only(below, installed("16", id=2, stack_level=1)).phases is None


def test_a_place_without_so_many_phases_takes_what_it_has() -> None:
    one = installed(period("16", phases=3))
    single = Circumstances(phases=1)
    assert limits(one, unit=RateUnit.WATT, circumstances=single) == [(0, 16 * 230)]


def test_the_phase_to_use_is_kept() -> None:
    most = installed("32", **MAX)
    assert only(installed(single_phase("16", 2)), most).phase_to_use == 2
    assert only(installed("16"), installed(single_phase("9", 3), **MAX)) == (
        CompositePeriod(
            start=0,
            limit=Fraction(9),
            phases=1,
            phase_to_use=3,
            purpose=Purpose.STATION_MAX,
            profile_id=9,
        )
    )


def test_conflicting_phases_leave_nothing() -> None:
    one = only(
        installed(single_phase("16", 1)), installed(single_phase("32", 2), **MAX)
    )
    assert one.limit == 0
    assert one.phases == 1
    assert one.phase_to_use is None


def test_a_phase_to_use_of_several_phases_is_no_choice() -> None:
    odd = Period(start=0, limit=Decimal(16), phases=3, phase_to_use=1)
    one = only(installed(odd), installed(single_phase("32", 2), **MAX))
    assert one.limit == 16
    assert one.phase_to_use == 2


# The station

BOTH = {1: CHARGING, 2: CHARGING}


def test_the_station_may_use_what_its_evses_may_use_together() -> None:
    profiles = (
        installed("10", period("6", 60)),
        installed("8", period("16", 90), id=2, evse_id=2),
    )
    whole: dict[str, Any] = {"evse_id": 0, "circumstances": BOTH}
    assert limits(*profiles, **whole) == [(0, 18), (60, 14), (90, 22)]
    assert sources(*profiles, **whole) == [(0, None), (60, None), (90, None)]


def test_the_station_is_bounded_by_its_maximum_and_external_constraints() -> None:
    profiles = (
        installed("10", period("6", 60), **WHOLE),
        installed("16", **MAX),
        installed("32", period("3", 120), **EXTERNAL, **WHOLE),
    )
    whole: dict[str, Any] = {"evse_id": 0, "circumstances": BOTH}
    assert limits(*profiles, **whole) == [(0, 16), (60, 12), (120, 3)]
    assert sources(*profiles, **whole) == [(0, 9), (60, None), (120, 8)]


def test_a_maximum_that_the_evses_just_reach_is_named() -> None:
    profiles = installed("8", **WHOLE), installed("16", **MAX)
    assert sources(*profiles, evse_id=0, circumstances=BOTH) == [(0, 9)]


def test_an_unlimited_evse_leaves_the_bounds_of_the_station() -> None:
    one = installed("10", duration=60, evse_id=2)
    whole = installed("16", id=2, duration=30)
    assert limits(one, whole, evse_id=0, circumstances=BOTH) == [(0, 26), (30, None)]
    told = limits(one, whole, installed("20", **MAX), evse_id=0, circumstances=BOTH)
    assert told == [(0, 20)]


def test_if_no_evse_is_known_only_the_bounds_of_the_station_are() -> None:
    profiles = installed("10"), installed("16", **MAX)
    assert limits(*profiles, evse_id=0) == [(0, 16)]
    assert limits(*profiles, evse_id=0, circumstances={}) == [(0, 16)]
    assert limits(*profiles, evse_id=0, circumstances={0: IDLE}) == [(0, 16)]


def test_a_station_with_one_evse_is_limited_like_that() -> None:
    profiles = (
        installed("10", **TX),
        installed(single_phase("16", 2), period("4", 60), **MAX),
    )
    for unit in RateUnit:
        own = schedule(*profiles, circumstances={1: CHARGING}, unit=unit).periods
        whole = schedule(*profiles, circumstances={1: CHARGING}, unit=unit, evse_id=0)
        assert whole.periods == own
    assert [one.purpose for one in own] == [Purpose.TX, Purpose.STATION_MAX]


def test_the_whole_station_is_not_limited_by_constraints_of_one_evse() -> None:
    one = installed("6", **EXTERNAL)
    assert limits(one, evse_id=0, circumstances=BOTH) == [(0, None)]


def test_each_evse_counts_with_its_own_phases() -> None:
    mixed = {1: Circumstances(phases=1), 2: Circumstances(phases=3)}
    one = installed("10", **WHOLE)
    told = limits(one, evse_id=0, circumstances=mixed, unit=RateUnit.WATT)
    assert told == [(0, 10 * 230 * 4)]
    most = installed("6900", unit=RateUnit.WATT, **MAX)
    assert limits(one, most, evse_id=0, circumstances=mixed) == [(0, 10)]


def test_a_station_with_one_evse_has_its_transaction() -> None:
    one = installed("6", period("8", 60), kind=Kind.RELATIVE, **EXTERNAL, **WHOLE)
    late = Circumstances(transaction_id="7", transaction_started_at=after(-30))
    assert limits(one, evse_id=0, circumstances={1: late}) == [(0, 6), (30, 8)]


def test_an_evse_that_is_not_known_is_like_the_others_but_idle() -> None:
    single = {1: Circumstances(phases=1, transaction_id="7")}
    of_tx = installed("10", **TX, evse_id=3)
    default = installed("2300", id=2, unit=RateUnit.WATT, **WHOLE)
    how: dict[str, Any] = {"evse_id": 3, "circumstances": single}
    assert limits(of_tx, default, **how) == [(0, 10)]
    assert sources(of_tx, default, **how) == [(0, 2)]


def test_a_long_schedule_ends_with_its_last_change() -> None:
    one = installed("10", duration=30 * DAY)
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    assert limits(one, duration=365 * DAY, start=midnight) == [
        (0, None),
        (12 * HOUR, 10),
        (12 * HOUR + 30 * DAY, None),
    ]
