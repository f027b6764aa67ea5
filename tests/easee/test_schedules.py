"""Schedules of a charger: what users mean by the clock on the wall, whatever it does."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.commands import Commands
from custom_components.ev_charger_hub.easee.errors import Unavailable
from custom_components.ev_charger_hub.easee.responses import CommandResponse
from custom_components.ev_charger_hub.easee.schedule_choice import ScheduleKind
from custom_components.ev_charger_hub.easee.schedule_keeper import ScheduleKeeper
from custom_components.ev_charger_hub.easee.schedules import (
    DAYS,
    Schedule,
    ScheduleError,
    ScheduleProblem,
    Window,
    daily,
    delayed,
    schedule_of,
    weekly,
)
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.schedules import Schedules
from simulators.easee_cloud.seed import CHARGER

OSLO = "Europe/Oslo"
SCHEDULES = f"/api/chargers/{CHARGER}/schedules"

CHANGES = {
    OSLO: (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    # Half an hour, and the other half of the year.
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    # At midnight.
    "America/Santiago": (date(2026, 4, 5), date(2026, 9, 6)),
}

NIGHT = Window(start=time(22), stop=time(6), amps=16)


def evaluated(schedule: Schedule) -> Schedules:
    """Return a schedule as the virtual cloud follows it."""
    theirs = Schedules(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    theirs.write(schedule.kind, schedule.body())
    return theirs


def meant(windows: list[Window], zone: ZoneInfo, at: datetime) -> int:
    """Return how many A a user means at a moment, by what the clock shows then."""
    shown = at.astimezone(zone).replace(tzinfo=None)
    for window in windows:
        for back in (0, 1):
            day = shown.date() - timedelta(days=back)
            if day.weekday() not in window.days:
                continue
            start = datetime.combine(day, window.start)
            stop = datetime.combine(day, window.stop)
            if stop <= start:
                stop += timedelta(days=1)
            if start <= shown < stop:
                return window.amps
    return 0


walls = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
windows = st.builds(
    Window,
    start=walls,
    stop=walls,
    amps=st.integers(6, 32),
    days=st.frozensets(st.integers(0, 6), min_size=1),
)
changes = st.sampled_from(
    [(zone, day) for zone, days in CHANGES.items() for day in days]
)
offsets = st.lists(
    st.integers(-5 * 24 * 60, 5 * 24 * 60), min_size=30, max_size=30, unique=True
)


@settings(max_examples=300, deadline=None)
@given(wish=windows, change=changes, minutes=offsets)
def test_a_weekly_schedule_means_what_the_clock_shows(
    wish: Window, change: tuple[str, date], minutes: list[int]
) -> None:
    name, day = change
    theirs, zone = evaluated(weekly(name, [wish])), ZoneInfo(name)
    noon = datetime.combine(day, time(12), zone).astimezone(UTC)
    for minute in [*minutes, *range(-12 * 60, -6 * 60, 15)]:
        at = noon + timedelta(minutes=minute)
        assert theirs.limit(at) == meant([wish], zone, at), at


@settings(max_examples=300, deadline=None)
@given(start=walls, stop=walls, change=changes, minutes=offsets)
def test_a_daily_schedule_means_what_the_clock_shows(
    start: time, stop: time, change: tuple[str, date], minutes: list[int]
) -> None:
    name, day = change
    wish = Window(start=start, stop=stop, amps=10)
    theirs, zone = evaluated(daily(name, [wish])), ZoneInfo(name)
    noon = datetime.combine(day, time(12), zone).astimezone(UTC)
    for minute in [*minutes, *range(-12 * 60, -6 * 60, 15)]:
        at = noon + timedelta(minutes=minute)
        assert theirs.limit(at) == meant([wish], zone, at), at


@pytest.mark.parametrize(
    ("day", "begin", "end", "hours"),
    [
        (date(2026, 3, 27), "2026-03-27T21:00Z", "2026-03-28T05:00Z", 8),
        (date(2026, 3, 28), "2026-03-28T21:00Z", "2026-03-29T04:00Z", 7),
        (date(2026, 3, 29), "2026-03-29T20:00Z", "2026-03-30T04:00Z", 8),
        (date(2026, 10, 24), "2026-10-24T20:00Z", "2026-10-25T05:00Z", 9),
        (date(2026, 10, 25), "2026-10-25T21:00Z", "2026-10-26T05:00Z", 8),
    ],
)
@pytest.mark.parametrize("kind", ["daily", "weekly"])
def test_a_night_begins_and_ends_by_the_clock_whatever_its_length(
    kind: str, day: date, begin: str, end: str, hours: int
) -> None:
    schedule = daily(OSLO, [NIGHT]) if kind == "daily" else weekly(OSLO, [NIGHT])
    theirs = evaluated(schedule)
    start, stop = datetime.fromisoformat(begin), datetime.fromisoformat(end)
    assert stop - start == timedelta(hours=hours)
    assert start.astimezone(ZoneInfo(OSLO)).date() == day
    second = timedelta(seconds=1)
    assert [theirs.limit(one) for one in (start - second, start)] == [0, 16]
    assert [theirs.limit(one) for one in (stop - second, stop)] == [16, 0]


@pytest.mark.parametrize(
    ("window", "stops"),
    [
        (Window(start=time(8), stop=time(12), amps=6), [0, 1, 2, 3, 4, 5, 6]),
        (NIGHT, [1, 2, 3, 4, 5, 6, 0]),
        (Window(start=time(20), stop=time(0), amps=6), [1, 2, 3, 4, 5, 6, 0]),
        (Window(start=time(7), stop=time(7), amps=6), [1, 2, 3, 4, 5, 6, 0]),
        (Window(start=time(0), stop=time(0), amps=6), [1, 2, 3, 4, 5, 6, 0]),
    ],
)
def test_a_period_ends_on_the_day_when_it_ends(
    window: Window, stops: list[int]
) -> None:
    periods = weekly(OSLO, [window]).body()["periods"]
    assert [one["startDay"] for one in periods] == list(DAYS)
    assert [one["stopDay"] for one in periods] == [DAYS[day] for day in stops]


def test_a_whole_day_leaves_nothing_to_guess() -> None:
    whole = Window(start=time(7), stop=time(7), amps=10)
    assert daily(OSLO, [whole]).body()["periods"] == [
        {"startTime": "07:00:00", "stopTime": "19:00:00", "maximumAmps": 10},
        {"startTime": "19:00:00", "stopTime": "07:00:00", "maximumAmps": 10},
    ]


def test_bodies_are_what_the_cloud_takes() -> None:
    weekend = Window(start=time(22), stop=time(6), amps=16, days=frozenset({6}))
    assert weekly(OSLO, [weekend]).body() == {
        "enabled": True,
        "timezone": OSLO,
        "periods": [
            {
                "startDay": "sunday",
                "startTime": "22:00",
                "stopDay": "monday",
                "stopTime": "06:00",
                "maximumAmps": 16,
            }
        ],
    }
    now = datetime(2026, 10, 1, 20, tzinfo=UTC)
    assert delayed(OSLO, ZoneInfo(OSLO), time(6, 30), 16, now).body() == {
        "enabled": True,
        "timezone": OSLO,
        "startTime": "06:30:00",
        "maximumAmps": 16,
    }


def problem(call: Any, *args: Any) -> ScheduleProblem:
    """Return why a schedule is not made."""
    with pytest.raises(ScheduleError) as raised:
        call(*args)
    return raised.value.problem


def test_periods_that_overlap_are_refused() -> None:
    late = Window(start=time(5, 30), stop=time(7), amps=6)
    assert problem(daily, OSLO, [NIGHT, late]) is ScheduleProblem.OVERLAP
    assert problem(weekly, OSLO, [NIGHT, late]) is ScheduleProblem.OVERLAP
    # Sunday's night goes on in Monday's morning.
    sunday = Window(start=time(22), stop=time(6), amps=6, days=frozenset({6}))
    monday = Window(start=time(5), stop=time(7), amps=6, days=frozenset({0}))
    assert problem(weekly, OSLO, [sunday, monday]) is ScheduleProblem.OVERLAP
    tuesday = Window(start=time(5), stop=time(7), amps=6, days=frozenset({1}))
    assert len(weekly(OSLO, [sunday, tuesday]).periods) == 2
    after = Window(start=time(6), stop=time(7), amps=6)
    assert len(daily(OSLO, [NIGHT, after]).periods) == 2


def test_too_many_periods_and_none_are_refused() -> None:
    hours = [Window(start=time(one), stop=time(one, 30), amps=6) for one in range(19)]
    assert problem(daily, OSLO, hours) is ScheduleProblem.TOO_MANY
    assert len(daily(OSLO, hours[:18]).periods) == 18
    assert problem(weekly, OSLO, hours[:3]) is ScheduleProblem.TOO_MANY
    assert problem(daily, OSLO, []) is ScheduleProblem.EMPTY


@pytest.mark.parametrize(
    ("now", "start", "begins"),
    [
        ("2026-10-01T20:00Z", time(6), "2026-10-02T04:00Z"),
        ("2026-10-01T20:00Z", time(22, 15), "2026-10-01T20:15Z"),
        # Over a night that is an hour shorter, or longer.
        ("2026-03-28T20:00Z", time(6), "2026-03-29T04:00Z"),
        ("2026-10-24T20:00Z", time(6), "2026-10-25T05:00Z"),
        # The hour that comes twice is over, or far away.
        ("2026-10-25T02:00Z", time(2, 30), "2026-10-26T01:30Z"),
        ("2026-10-23T20:00Z", time(2, 30), "2026-10-24T00:30Z"),
        ("2026-03-29T02:00Z", time(2, 30), "2026-03-30T00:30Z"),
    ],
)
def test_a_delayed_start_is_the_next_time_that_the_clock_shows(
    now: str, start: time, begins: str
) -> None:
    zone, present = ZoneInfo(OSLO), datetime.fromisoformat(now)
    schedule = delayed(OSLO, zone, start, 16, present)
    theirs = Schedules(lambda: present)
    theirs.write(schedule.kind, schedule.body())
    moment = datetime.fromisoformat(begins)
    assert theirs.limit(moment - timedelta(seconds=1)) == 0
    assert theirs.limit(moment) == 16
    # Who names the moment itself means the same.
    assert delayed(OSLO, zone, moment, 16, present) == schedule


@pytest.mark.parametrize(
    ("now", "start", "why"),
    [
        ("2026-10-01T20:00Z", time(22, 14), ScheduleProblem.TOO_SOON),
        ("2026-10-01T20:00Z", "2026-10-01T20:14Z", ScheduleProblem.TOO_SOON),
        ("2026-10-01T20:00Z", "2026-10-01T19:00Z", ScheduleProblem.TOO_SOON),
        ("2026-10-01T20:00Z", "2026-10-03T04:00Z", ScheduleProblem.TOO_FAR),
        # The clock skips it, or shows it twice.
        ("2026-03-28T20:00Z", time(2, 30), ScheduleProblem.AMBIGUOUS),
        ("2026-10-24T20:00Z", time(2, 30), ScheduleProblem.AMBIGUOUS),
        ("2026-10-25T00:45Z", time(2, 30), ScheduleProblem.AMBIGUOUS),
    ],
)
def test_a_delayed_start_that_would_be_misunderstood_is_refused(
    now: str, start: time | str, why: ScheduleProblem
) -> None:
    moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    present = datetime.fromisoformat(now)
    assert problem(delayed, OSLO, ZoneInfo(OSLO), moment, 16, present) is why


def test_schedules_are_compared_by_what_they_mean() -> None:
    two = Window(start=time(12), stop=time(13), amps=6)
    ours = daily(OSLO, [NIGHT, two])
    theirs = {
        "timezone": OSLO,
        "enabled": False,
        "periods": [
            {"startTime": "12:00", "stopTime": "13:00:00.0000000", "maximumAmps": 6.0},
            {"startTime": "22:00:00", "stopTime": "06:00", "maximumAmps": "16"},
        ],
    }
    assert schedule_of(ScheduleKind.DAILY, theirs) == ours
    assert schedule_of(ScheduleKind.DAILY, {**theirs, "timezone": "UTC"}) != ours


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"timezone": OSLO, "periods": [{"startTime": "22:00"}]},
        {"timezone": OSLO, "periods": [{"startTime": "25:00", "stopTime": "06:00"}]},
        {"periods": []},
    ],
)
def test_what_is_not_understood_is_no_schedule(body: dict[str, Any]) -> None:
    kinds = [ScheduleKind.WEEKLY, ScheduleKind.DELAYED]
    assert [schedule_of(kind, body) for kind in kinds] == [None, None]


# What is written


@pytest.fixture
def commands(api: EaseeApi, time: SimulatedTime) -> Commands:
    """Return the commands of an account without a stream."""
    return Commands(api, time, stream_up=lambda: False)


@pytest.fixture
def keeper(api: EaseeApi, commands: Commands, time: SimulatedTime) -> ScheduleKeeper:
    """Return the schedules of the first charger."""
    return ScheduleKeeper(api, commands, time, CHARGER)


def writes(cloud: EaseeCloud) -> list[str]:
    """Return what was written of schedules, in the order of it."""
    return [
        f"{one.method} {one.path.removeprefix(SCHEDULES)}"
        for one in cloud.journal
        if one.path.startswith(SCHEDULES) and one.method != "GET"
    ]


async def test_a_schedule_is_stored_followed_and_read_back(
    cloud: EaseeCloud, keeper: ScheduleKeeper
) -> None:
    wanted = daily(OSLO, [NIGHT])
    outcome = await keeper.store(wanted)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert cloud.chargers[CHARGER].schedules.enabled == "daily"
    found = await keeper.read()
    assert (found.active, found.schedules) == ("daily", {ScheduleKind.DAILY: wanted})
    assert writes(cloud) == ["POST /daily"]


async def test_what_is_there_is_not_written_again(
    cloud: EaseeCloud, keeper: ScheduleKeeper
) -> None:
    await keeper.store(daily(OSLO, [NIGHT]))
    outcome = await keeper.store(daily(OSLO, [NIGHT]))
    assert outcome.answer == "no change"
    assert writes(cloud) == ["POST /daily"]


async def test_one_that_is_stored_is_only_enabled_and_the_other_disabled(
    cloud: EaseeCloud, keeper: ScheduleKeeper
) -> None:
    await keeper.store(daily(OSLO, [NIGHT]))
    await keeper.store(weekly(OSLO, [NIGHT]))
    await keeper.store(daily(OSLO, [NIGHT]))
    assert writes(cloud) == [
        "POST /daily",
        "POST /weekly",
        "POST /daily/disable",
        "POST /daily/enable",
        "POST /weekly/disable",
    ]
    assert cloud.chargers[CHARGER].schedules.enabled == "daily"


async def test_what_a_disable_takes_along_is_enabled_again(
    cloud: EaseeCloud, keeper: ScheduleKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules = cloud.chargers[CHARGER].schedules
    await keeper.store(daily(OSLO, [NIGHT]))

    def disable_all(kind: str) -> None:
        schedules.enabled = "none"

    monkeypatch.setattr(schedules, "disable", disable_all)
    assert (await keeper.store(weekly(OSLO, [NIGHT]))).ok
    assert schedules.enabled == "weekly"


@pytest.mark.parametrize(
    ("active", "why"),
    [
        ("ocpp.direct", ScheduleProblem.OCPP),
        ("tariff", ScheduleProblem.FOREIGN),
    ],
)
async def test_schedules_of_others_are_left_alone(
    cloud: EaseeCloud,
    keeper: ScheduleKeeper,
    active: str,
    why: ScheduleProblem,
) -> None:
    cloud.chargers[CHARGER].schedules.enabled = active
    for act in (
        keeper.store(daily(OSLO, [NIGHT])),
        keeper.follow(ScheduleKind.NONE),
        keeper.remove(),
    ):
        with pytest.raises(ScheduleError) as raised:
            await act
        assert raised.value.problem is why
    assert not writes(cloud)


async def test_something_else_read_back_is_no_success(
    cloud: EaseeCloud,
    keeper: ScheduleKeeper,
    time: SimulatedTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedules = cloud.chargers[CHARGER].schedules
    write = schedules.write

    def other(kind: str, body: dict[str, Any]) -> None:
        write(kind, {**body, "timezone": "UTC"})

    monkeypatch.setattr(schedules, "write", other)
    outcome, _ = await asyncio.gather(
        keeper.store(daily(OSLO, [NIGHT])), time.pass_time(10)
    )
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.answer == "another schedule"


async def test_a_lost_answer_is_found_out_about(
    cloud: EaseeCloud, keeper: ScheduleKeeper
) -> None:
    cloud.faults.add(Fault(pattern="/daily$", method="POST", cut=True, after=True))
    outcome = await keeper.store(daily(OSLO, [NIGHT]))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.CONFIRMED, "read back")
    cloud.faults.add(Fault(pattern="/weekly$", method="POST", cut=True))
    with pytest.raises(Unavailable):
        await keeper.store(weekly(OSLO, [NIGHT]))


async def test_following_another_one_and_none(
    cloud: EaseeCloud, keeper: ScheduleKeeper
) -> None:
    with pytest.raises(ScheduleError) as raised:
        await keeper.follow(ScheduleKind.DAILY)
    assert raised.value.problem is ScheduleProblem.NOT_STORED
    await keeper.store(daily(OSLO, [NIGHT]))
    assert (await keeper.follow(ScheduleKind.NONE)).ok
    schedules = cloud.chargers[CHARGER].schedules
    assert (schedules.enabled, list(schedules.stored)) == ("none", ["daily"])
    assert (await keeper.follow(ScheduleKind.DAILY)).ok
    assert schedules.enabled == "daily"


async def test_removing_one_and_all(cloud: EaseeCloud, keeper: ScheduleKeeper) -> None:
    assert (await keeper.remove()).answer == "no change"
    await keeper.store(daily(OSLO, [NIGHT]))
    await keeper.store(weekly(OSLO, [NIGHT]))
    assert (await keeper.remove(ScheduleKind.DAILY)).ok
    schedules = cloud.chargers[CHARGER].schedules
    assert (schedules.enabled, list(schedules.stored)) == ("weekly", ["weekly"])
    assert (await keeper.remove()).ok
    assert (schedules.enabled, schedules.stored) == ("none", {})


async def test_a_delayed_start_is_another_one_each_time(
    cloud: EaseeCloud, keeper: ScheduleKeeper, time: SimulatedTime
) -> None:
    # It is stored and has been: to leave it at that would let the next car start now.
    for _ in range(2):
        wanted = delayed(OSLO, ZoneInfo(OSLO), NIGHT.start, 16, time())
        assert (await keeper.store(wanted)).ok
        await time.pass_time(3600)
    assert writes(cloud) == ["POST /delayed"] * 2


async def test_the_delayed_start_of_yesterday_is_no_proof_of_another(
    cloud: EaseeCloud, keeper: ScheduleKeeper, time: SimulatedTime
) -> None:
    wanted = delayed(OSLO, ZoneInfo(OSLO), NIGHT.start, 16, time())
    assert (await keeper.store(wanted)).ok
    await time.pass_time(24 * 3600)
    cloud.faults.add(Fault(pattern="/delayed$", method="POST", status=503))
    again = delayed(OSLO, ZoneInfo(OSLO), NIGHT.start, 16, time())
    with pytest.raises(Unavailable):
        await keeper.store(again)


async def test_one_that_is_not_understood_can_be_followed_and_removed(
    cloud: EaseeCloud, keeper: ScheduleKeeper
) -> None:
    schedules = cloud.chargers[CHARGER].schedules
    schedules.stored["daily"] = {
        "timezone": OSLO,
        "periods": [{"startTime": "22:00", "stopTime": "06:00"}],
    }
    found = await keeper.read()
    assert not found.schedules
    assert list(found.kinds) == [ScheduleKind.DAILY]
    assert (await keeper.follow(ScheduleKind.DAILY)).ok
    assert schedules.enabled == "daily"
    assert (await keeper.remove()).answer != "no change"
    assert (schedules.enabled, schedules.stored) == ("none", {})


async def test_responses_to_our_schedules_are_ours(
    api: EaseeApi, commands: Commands, keeper: ScheduleKeeper, time: SimulatedTime
) -> None:
    foreign: list[CommandResponse] = []
    commands.on_foreign(foreign.append)
    await keeper.store(daily(OSLO, [NIGHT]))
    for number in (60, 61):
        commands.responded(
            CommandResponse(
                serial=CHARGER,
                id=number,
                ticks=None,
                accepted=True,
                result=3,
                comment="",
                at=time(),
            )
        )
    await time.pass_time(30)
    assert not foreign
