"""Recurring schedules: over midnight, over weeks, and when the clocks change.

In Amsterdam the clocks went from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC, and
from 03:00 to 02:00 on 25 October 2026, at 01:00 UTC, too.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .make import HOUR, installed, period
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles.composite import composite
from custom_components.ev_charger_hub.station.profiles.model import (
    Circumstances,
    Installed,
    Kind,
    Period,
    Recurrence,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def moment(text: str, zone: tzinfo = UTC) -> datetime:
    """Return a moment from the time that clocks in a zone show, the first of two."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def recurring(
    *periods: Period | str,
    start: datetime,
    weekly: bool = False,
    local: bool = True,
    **changes: Any,
) -> Installed:
    """Return a profile that recurs."""
    return installed(
        *periods,
        kind=Kind.RECURRING,
        recurrence=Recurrence.WEEKLY if weekly else Recurrence.DAILY,
        start=start,
        use_local_time=local,
        **changes,
    )


def shown(*profiles: Installed, days: str, zone: tzinfo = AMSTERDAM) -> list[str]:
    """Return limits and from when on they hold, as clocks in the zone show it.

    `days` is an interval, too: `since/until`.
    """
    start, end = (moment(one, zone).astimezone(UTC) for one in days.split("/"))
    told = composite(
        profiles,
        evse_id=1,
        start=start,
        duration=(end - start) // timedelta(seconds=1),
        unit=RateUnit.AMPERE,
        circumstances=Circumstances(zone=zone),
    )
    at = [start + timedelta(seconds=one.start) for one in told.periods]
    return [
        f"{when.astimezone(zone):%d %H:%M} {'-' if one.limit is None else one.limit}"
        for when, one in zip(at, told.periods, strict=True)
    ]


NIGHT = 8 * HOUR


def test_a_daily_schedule_recurs_over_midnight() -> None:
    night = recurring(
        "32", start=moment("2026-01-01T22:00"), local=False, duration=NIGHT
    )
    default = installed("6", id=2, stack_level=-1, start=moment("2026-01-01"))
    days = "2026-05-10T00:00/2026-05-11T23:00"
    assert shown(night, default, days=days, zone=UTC) == [
        "10 00:00 32",
        "10 06:00 6",
        "10 22:00 32",
        "11 06:00 6",
        "11 22:00 32",
    ]


def test_periods_recur_without_a_hole_if_there_is_no_duration() -> None:
    day = recurring(
        "6", period("16", 20 * HOUR), start=moment("2026-01-01T08:00"), local=False
    )
    days = "2026-05-10T03:00/2026-05-11T09:00"
    assert shown(day, days=days, zone=UTC) == [
        "10 03:00 6",
        "10 04:00 16",
        "10 08:00 6",
        "11 04:00 16",
        "11 08:00 6",
    ]


def test_a_duration_of_more_than_a_day_is_cut_by_the_next_one() -> None:
    day = recurring(
        "6",
        period("16", 20 * HOUR),
        start=moment("2026-01-01T08:00"),
        duration=30 * HOUR,
        local=False,
    )
    days = "2026-05-10T08:00/2026-05-11T09:00"
    assert shown(day, days=days, zone=UTC) == [
        "10 08:00 6",
        "11 04:00 16",
        "11 08:00 6",
    ]


def test_a_weekly_schedule_recurs_on_its_day() -> None:
    sunday = recurring(
        "32",
        start=moment("2026-01-04T00:00"),
        duration=24 * HOUR,
        weekly=True,
        local=False,
    )
    days = "2026-05-08T00:00/2026-05-18T00:00"
    assert shown(sunday, days=days, zone=UTC) == [
        "08 00:00 -",
        "10 00:00 32",
        "11 00:00 -",
        "17 00:00 32",
    ]


def test_nothing_recurs_before_its_start() -> None:
    night = recurring(
        "32", start=moment("2026-05-11T22:00"), local=False, duration=NIGHT
    )
    days = "2026-05-10T00:00/2026-05-12T12:00"
    assert shown(night, days=days, zone=UTC) == [
        "10 00:00 -",
        "11 22:00 32",
        "12 06:00 -",
    ]
    days = "2026-05-10T00:00/2026-05-11T22:00"
    assert shown(night, days=days, zone=UTC) == ["10 00:00 -"]


def test_a_start_at_the_end_of_time_is_not_reached() -> None:
    never = datetime.max.replace(tzinfo=UTC)
    days = "2026-05-10T00:00/2026-05-11T00:00"
    assert shown(recurring("6", start=never), days=days) == ["10 00:00 -"]


def test_validity_cuts_what_recurs() -> None:
    night = recurring(
        "32",
        start=moment("2026-01-01T22:00"),
        valid_from=moment("2026-05-10T23:00"),
        valid_to=moment("2026-05-11T23:30"),
        local=False,
        duration=NIGHT,
    )
    days = "2026-05-10T00:00/2026-05-13T00:00"
    assert shown(night, days=days, zone=UTC) == [
        "10 00:00 -",
        "10 23:00 32",
        "11 06:00 -",
        "11 22:00 32",
        "11 23:30 -",
    ]


def test_without_local_time_a_day_has_24_hours_and_clocks_differ() -> None:
    start = moment("2026-03-01T22:00", AMSTERDAM)
    night = recurring("32", start=start, local=False, duration=NIGHT)
    days = "2026-03-28T12:00/2026-03-30T12:00"
    assert shown(night, days=days) == [
        "28 12:00 -",
        "28 22:00 32",
        "29 07:00 -",
        "29 23:00 32",
        "30 07:00 -",
    ]


def test_with_local_time_clocks_show_the_same_when_summer_comes() -> None:
    """The night in which the clocks change still lasts eight hours."""
    night = recurring("32", start=moment("2026-03-01T22:00", AMSTERDAM), duration=NIGHT)
    days = "2026-03-28T12:00/2026-03-30T12:00"
    assert shown(night, days=days) == [
        "28 12:00 -",
        "28 22:00 32",
        "29 07:00 -",
        "29 22:00 32",
        "30 06:00 -",
    ]


def test_with_local_time_clocks_show_the_same_when_winter_comes() -> None:
    night = recurring("32", start=moment("2026-07-01T22:00", AMSTERDAM), duration=NIGHT)
    days = "2026-10-24T12:00/2026-10-26T12:00"
    assert shown(night, days=days) == [
        "24 12:00 -",
        "24 22:00 32",
        "25 05:00 -",
        "25 22:00 32",
        "26 06:00 -",
    ]


def test_the_start_in_utc_does_not_matter_but_what_clocks_showed_then() -> None:
    start = moment("2026-07-01T20:00", UTC)
    night = recurring("32", start=start, duration=NIGHT)
    days = "2026-12-10T12:00/2026-12-11T12:00"
    assert shown(night, days=days) == ["10 12:00 -", "10 22:00 32", "11 06:00 -"]


def test_a_day_of_23_hours_cuts_the_schedule() -> None:
    day = recurring(
        "6", period("16", int(23.5 * HOUR)), start=moment("2026-03-01T00:00", AMSTERDAM)
    )
    days = "2026-03-28T00:00/2026-03-31T00:00"
    assert shown(day, days=days) == [
        "28 00:00 6",
        "28 23:30 16",
        "29 00:00 6",
        "30 23:30 16",
    ]


def test_on_a_day_of_25_hours_the_last_period_lasts_longer() -> None:
    day = recurring(
        "6", period("16", 23 * HOUR), start=moment("2026-10-01T00:00", AMSTERDAM)
    )
    days = "2026-10-25T00:00/2026-10-27T00:00"
    assert shown(day, days=days) == [
        "25 00:00 6",
        "25 22:00 16",
        "26 00:00 6",
        "26 23:00 16",
    ]


def test_on_a_day_of_25_hours_a_duration_of_24_leaves_a_hole() -> None:
    start = moment("2026-10-01T00:00", AMSTERDAM)
    day = recurring("6", start=start, duration=24 * HOUR)
    days = "2026-10-24T00:00/2026-10-27T00:00"
    assert shown(day, days=days) == ["24 00:00 6", "25 23:00 -", "26 00:00 6"]


def test_a_time_that_clocks_skip_is_counted_from_before() -> None:
    start = moment("2026-03-01T02:30", AMSTERDAM)
    early = recurring("6", start=start, duration=HOUR)
    days = "2026-03-28T00:00/2026-03-31T00:00"
    assert shown(early, days=days) == [
        "28 00:00 -",
        "28 02:30 6",
        "28 03:30 -",
        "29 03:30 6",
        "29 04:30 -",
        "30 02:30 6",
        "30 03:30 -",
    ]


def test_of_a_time_that_clocks_show_twice_the_first_is_meant() -> None:
    start = moment("2026-10-01T02:30", AMSTERDAM)
    early = recurring("6", start=start, duration=HOUR // 2)
    days = "2026-10-25T00:00/2026-10-26T00:00"
    told = shown(early, days=days)
    # From 02:30 summer time to 02:00 winter time.
    assert told == ["25 00:00 -", "25 02:30 6", "25 02:00 -"]


def test_a_schedule_that_begins_at_the_second_time_does_so() -> None:
    start = moment("2026-10-25T01:30", UTC)
    early = recurring("6", start=start, duration=HOUR)
    days = "2026-10-25T00:00/2026-10-27T00:00"
    assert start.astimezone(AMSTERDAM).fold == 1
    assert shown(early, days=days) == [
        "25 00:00 -",
        "25 02:30 6",
        "25 03:30 -",
        "26 02:30 6",
        "26 03:30 -",
    ]


def test_a_week_with_a_change_keeps_day_and_time() -> None:
    monday = recurring(
        "10", start=moment("2026-03-02T08:00", AMSTERDAM), duration=HOUR, weekly=True
    )
    days = "2026-03-29T00:00/2026-04-01T00:00"
    assert shown(monday, days=days) == ["29 00:00 -", "30 08:00 10", "30 09:00 -"]


def test_a_day_that_the_calendar_skips_is_no_trouble() -> None:
    """Samoa had no 30 December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    noon = recurring("10", start=moment("2011-12-01T12:00", apia), duration=HOUR)
    days = "2011-12-29T00:00/2012-01-01T00:00"
    assert shown(noon, days=days, zone=apia) == [
        "29 00:00 -",
        "29 12:00 10",
        "29 13:00 -",
        "31 12:00 10",
        "31 13:00 -",
    ]


@pytest.mark.parametrize("kind", [Kind.ABSOLUTE, Kind.RECURRING])
def test_what_says_not_how_often_does_not_recur(kind: Kind) -> None:
    once = installed("6", kind=kind, start=moment("2026-05-10T22:00"), duration=HOUR)
    days = "2026-05-10T00:00/2026-05-12T23:00"
    assert shown(once, days=days, zone=UTC) == [
        "10 00:00 -",
        "10 22:00 6",
        "10 23:00 -",
    ]
