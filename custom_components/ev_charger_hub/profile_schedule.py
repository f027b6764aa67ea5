"""Schedules as a person writes them, made into those that chargers understand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal

from .helpers import invalid
from .station.enums import RateUnit
from .station.profiles.model import Kind, Period, Recurrence, Schedule

type Start = int | time | timedelta
"""Seconds, a time on the clock of the house, or a span written as hh:mm:ss.

In a recurring schedule such a span is a time of day, because it began at midnight.
"""

DAY = timedelta(days=1)
EVERY_DAY = tuple(range(7))
LENGTHS = {Recurrence.DAILY: DAY, Recurrence.WEEKLY: 7 * DAY}
SECOND = timedelta(seconds=1)


@dataclass(kw_only=True, slots=True, frozen=True)
class WrittenPeriod:
    """A limit from `start` on; `weekdays` (Monday is 0) None means every day."""

    start: Start
    limit: Decimal
    phases: int | None = None
    weekdays: tuple[int, ...] | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class WrittenSchedule:
    """What a person wrote; `kind` None leaves it to us, `begin` None means now.

    `phases` is for periods that name none; None means three.
    """

    unit: RateUnit
    periods: tuple[WrittenPeriod, ...]
    duration: timedelta | None = None
    kind: Kind | None = None
    recurrence: Recurrence | None = None
    begin: datetime | None = None
    phases: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class Timed:
    """What is sent; `wall_start` is what a recurring start means in the house."""

    kind: Kind
    schedule: Schedule
    wall_start: datetime | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class _Circumstances:
    """When a schedule begins at the earliest, and where the house is."""

    begin: datetime
    zone: tzinfo


def timed(
    written: WrittenSchedule,
    *,
    now: datetime,
    zone: tzinfo,
    only_absolute: bool = False,
) -> Timed:
    """Return the schedule to send; `only_absolute` is for chargers like Easee's (S4).

    Raises ServiceValidationError for a schedule that says two things at once.
    """
    since = max(now, written.begin or now).astimezone(UTC).replace(microsecond=0)
    where = _Circumstances(begin=since, zone=zone)
    if not written.periods:
        raise invalid("profile_periods_missing")
    if written.recurrence is not Recurrence.WEEKLY and any(
        one.weekdays is not None for one in written.periods
    ):
        raise invalid("profile_weekday_not_weekly")
    if written.recurrence is not None:
        return _recurring(written, written.recurrence, where)
    clocks = {isinstance(one.start, time) for one in written.periods}
    if len(clocks) > 1:
        raise invalid("profile_starts_mixed")
    if clocks == {True}:
        return _by_clock(written, where)
    return _by_offset(written, where, only_absolute=only_absolute)


def next_occurrence(
    after: datetime, clock: time, weekday: int | None, zone: tzinfo
) -> datetime:
    """Return when the clock of the house next shows a time, in UTC.

    A time that the clock skips comes an hour later, one that it shows twice counts
    the first time.
    """
    today = after.astimezone(zone).date()
    days = (today + number * DAY for number in range(9))
    moments = (
        datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
        for day in days
        if weekday in {None, day.weekday()}
    )
    return next(moment for moment in moments if moment > after)


def recurring_start(
    wall_start: datetime, recurrence: Recurrence, now: datetime, zone: tzinfo
) -> datetime:
    """Return the start that is right for the next time that a schedule begins anew.

    It lies in the past, so that the schedule holds at once.
    """
    weekday = wall_start.weekday() if recurrence is Recurrence.WEEKLY else None
    following = next_occurrence(now, wall_start.time(), weekday, zone)
    return following - LENGTHS[recurrence]


def _recurring(
    written: WrittenSchedule, recurrence: Recurrence, where: _Circumstances
) -> Timed:
    length = LENGTHS[recurrence]
    found = list(_in_the_week(written, recurrence))
    first, _ = found[0]
    periods = sorted(
        (
            _period(written, one, (since_monday - first) % length)
            for since_monday, one in found
        ),
        key=lambda period: period.start,
    )
    # Any Monday will do.
    wall_start = datetime(2024, 1, 1) + first  # noqa: DTZ001
    start = recurring_start(wall_start, recurrence, where.begin, where.zone)
    return Timed(
        kind=written.kind or Kind.RECURRING,
        schedule=_schedule(written, periods, start),
        wall_start=wall_start,
    )


def _in_the_week(
    written: WrittenSchedule, recurrence: Recurrence
) -> Iterator[tuple[timedelta, WrittenPeriod]]:
    """Yield when periods begin, since Monday, and for daily ones since midnight."""
    weekly = recurrence is Recurrence.WEEKLY
    for one in written.periods:
        clock = _since_midnight(one.start)
        for weekday in (one.weekdays or EVERY_DAY) if weekly else (0,):
            yield weekday * DAY + clock, one


def _since_midnight(start: Start) -> timedelta:
    match start:
        case time():
            return timedelta(
                hours=start.hour, minutes=start.minute, seconds=start.second
            )
        case timedelta() if timedelta() <= start < DAY:
            return start
    # YAML reads 22:00 without quotes as 1320.
    raise invalid("profile_start_no_clock", start=str(start))


def _by_clock(written: WrittenSchedule, where: _Circumstances) -> Timed:
    if written.kind in {Kind.RELATIVE, Kind.DYNAMIC}:
        raise invalid("profile_clock_relative")
    moments: list[datetime] = []
    for one in written.periods:
        assert isinstance(one.start, time)
        after = moments[-1] if moments else where.begin - SECOND
        moments.append(next_occurrence(after, one.start, None, where.zone))
    periods = [
        _period(written, one, moment - moments[0])
        for one, moment in zip(written.periods, moments, strict=True)
    ]
    return Timed(
        kind=written.kind or Kind.ABSOLUTE,
        schedule=_schedule(written, periods, moments[0]),
    )


def _by_offset(
    written: WrittenSchedule, where: _Circumstances, *, only_absolute: bool
) -> Timed:
    offsets = [_offset(one.start) for one in written.periods]
    kind = written.kind or Kind.ABSOLUTE
    if kind is Kind.RELATIVE and only_absolute:
        kind = Kind.ABSOLUTE
    relative = kind in {Kind.RELATIVE, Kind.DYNAMIC}
    first = timedelta() if relative else offsets[0]
    start = where.begin + first
    endless = written.duration is None and written.begin is None
    # What always holds began yesterday: the charger's clock may be behind.
    if endless and offsets == [timedelta()]:
        start -= DAY
    periods = [
        _period(written, one, offset - first)
        for one, offset in zip(written.periods, offsets, strict=True)
    ]
    schedule = _schedule(written, periods, None if relative else start)
    return Timed(kind=kind, schedule=schedule)


def _offset(start: Start) -> timedelta:
    assert not isinstance(start, time)
    return start if isinstance(start, timedelta) else timedelta(seconds=start)


def _period(written: WrittenSchedule, one: WrittenPeriod, start: timedelta) -> Period:
    return Period(
        start=start // SECOND, limit=one.limit, phases=one.phases or written.phases
    )


def _schedule(
    written: WrittenSchedule, periods: list[Period], start: datetime | None
) -> Schedule:
    duration = written.duration
    return Schedule(
        unit=written.unit,
        periods=tuple(periods),
        start=start,
        duration=None if duration is None else duration // SECOND,
    )
