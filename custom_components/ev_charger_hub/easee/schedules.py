"""Schedules: when a charger may charge, as the cloud keeps it (easee_cloud.md 1.5, 3.4).

Times are what the clock on the wall shows, in a named time zone, and not moments: so they
mean the same before and after that clock is changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, Self

from .errors import EaseeError
from .json_values import Json, number, objects, text
from .schedule_choice import ScheduleKind

DAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
AHEAD: Final = timedelta(minutes=15)
"""How far ahead a delayed start has to be, so that the charger knows of it in time."""
MOST_PERIODS: Final = 18
"""How many periods the cloud takes."""

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_NOON: Final = 12 * 60
_LOOK_AHEAD: Final = 3
"""Days within which the clock shows every time, even if it skips it once."""

type Span = tuple[int, int]
"""From which minute to which, of a day or a week that begins on Monday."""


class ScheduleProblem(StrEnum):
    """Why a schedule is not set; values are translation keys."""

    AMBIGUOUS = "easee_schedule_ambiguous"
    EMPTY = "easee_schedule_empty"
    FOREIGN = "easee_schedule_foreign"
    NOT_STORED = "no_stored_schedule"
    OCPP = "easee_schedule_ocpp"
    OVERLAP = "easee_schedule_overlap"
    TOO_FAR = "easee_schedule_too_far"
    TOO_MANY = "easee_schedule_too_many"
    TOO_SOON = "easee_schedule_too_soon"


class ScheduleError(EaseeError):
    """A schedule that is not set, because it cannot be or would not mean what was meant.

    `what` is the value that is wrong, for the text.
    """

    def __init__(self, problem: ScheduleProblem, what: str = "") -> None:
        """Say what is wrong."""
        super().__init__(what)
        self.problem = problem
        self.what = what


@dataclass(kw_only=True, slots=True, frozen=True)
class Period:
    """A time in which a charger may charge with so many A; without `stop` it stays so.

    Days are numbered from 0, which is Monday; a daily period has none.
    """

    start: time
    stop: time | None = None
    amps: float
    start_day: int | None = None
    stop_day: int | None = None

    @property
    def order(self) -> tuple[int, time, int, time, float]:
        """Return its place among others."""
        stop = self.stop or time.min
        return self.start_day or 0, self.start, self.stop_day or 0, stop, self.amps


@dataclass(kw_only=True, slots=True, frozen=True)
class Window:
    """A wish: from `start` to `stop`, which is the next day if it is not later.

    If both are the same it is 24 hours. `days` says on which days it begins.
    """

    start: time
    stop: time
    amps: int
    days: frozenset[int] = frozenset(range(7))

    @property
    def _minutes(self) -> Span:
        start, stop = _minute(self.start), _minute(self.stop)
        return start, stop if stop > start else stop + _DAY

    def of_day(self) -> Iterator[Period]:
        """Yield the periods of every day: none that begins and ends at the same time.

        What that would mean is nobody's guess: a whole day is sent as two halves.
        """
        start, stop = self._minutes
        edges = [start, stop] if stop - start < _DAY else [start, start + _NOON, stop]
        for begin, end in pairwise(edges):
            yield Period(start=_time(begin), stop=_time(end), amps=self.amps)

    def of_week(self) -> Iterator[Period]:
        """Yield a period for each of its days, which ends on the day when it ends."""
        start, stop = self._minutes
        for day in sorted(self.days):
            yield Period(
                start=_time(start),
                stop=_time(stop),
                amps=self.amps,
                start_day=day,
                stop_day=(day + stop // _DAY) % 7,
            )


@dataclass(kw_only=True, slots=True, frozen=True)
class Schedule:
    """A schedule of one kind; two that mean the same are equal."""

    kind: ScheduleKind
    timezone: str
    periods: tuple[Period, ...]

    @classmethod
    def of(cls, kind: ScheduleKind, timezone: str, periods: Iterable[Period]) -> Self:
        """Return a schedule, whatever the order of its periods."""
        ordered = sorted(periods, key=lambda one: one.order)
        return cls(kind=kind, timezone=timezone, periods=tuple(ordered))

    def body(self) -> dict[str, Any]:
        """Return it as the cloud takes it, to be followed from now on."""
        common = {"enabled": True, "timezone": self.timezone}
        if self.kind is ScheduleKind.DELAYED:
            (period,) = self.periods
            return {
                **common,
                "startTime": f"{period.start:%H:%M:%S}",
                "maximumAmps": period.amps,
            }
        return {**common, "periods": [self._told(one) for one in self.periods]}

    def _told(self, period: Period) -> dict[str, Any]:
        assert period.stop is not None
        if period.start_day is None or period.stop_day is None:
            return {
                "startTime": f"{period.start:%H:%M:%S}",
                "stopTime": f"{period.stop:%H:%M:%S}",
                "maximumAmps": period.amps,
            }
        return {
            "startDay": DAYS[period.start_day],
            "startTime": f"{period.start:%H:%M}",
            "stopDay": DAYS[period.stop_day],
            "stopTime": f"{period.stop:%H:%M}",
            "maximumAmps": period.amps,
        }


# What users mean


def daily(timezone: str, windows: Iterable[Window]) -> Schedule:
    """Return the schedule of every day; raises ScheduleError."""
    periods = [period for one in windows for period in one.of_day()]
    return _checked(Schedule.of(ScheduleKind.DAILY, timezone, periods), _DAY)


def weekly(timezone: str, windows: Iterable[Window]) -> Schedule:
    """Return the schedule of every week; raises ScheduleError."""
    periods = [period for one in windows for period in one.of_week()]
    return _checked(Schedule.of(ScheduleKind.WEEKLY, timezone, periods), _WEEK)


def delayed(
    timezone: str, zone: tzinfo, start: time | datetime, amps: int, now: datetime
) -> Schedule:
    """Return the schedule that begins at a moment, or when the clock shows a time next.

    The cloud takes no date, so that it has to be the next time that the clock shows it.
    Raises ScheduleError.
    """
    wall = start.astimezone(zone).time() if isinstance(start, datetime) else start
    begins = _next(wall, zone, now)
    meant = start if isinstance(start, datetime) else begins
    if meant < now + AHEAD:
        raise ScheduleError(ScheduleProblem.TOO_SOON, f"{wall:%H:%M}")
    if meant != begins:
        raise ScheduleError(ScheduleProblem.TOO_FAR, f"{wall:%H:%M}")
    period = Period(start=wall, amps=amps)
    return Schedule.of(ScheduleKind.DELAYED, timezone, [period])


def _next(wall: time, zone: tzinfo, now: datetime) -> datetime:
    """Return when the clock next shows a time; raises ScheduleError if that is not clear."""
    shown = now.astimezone(zone).replace(tzinfo=None)
    for ahead in range(_LOOK_AHEAD):
        day = shown.date() + timedelta(days=ahead)
        moments = _moments(day, wall, zone)
        to_come = [one for one in moments if one > now]
        skipped = not moments and datetime.combine(day, wall) > shown
        if skipped or (to_come and len(moments) > 1):
            # Charger and user may think of different moments.
            raise ScheduleError(ScheduleProblem.AMBIGUOUS, f"{wall:%H:%M}")
        if to_come:
            return to_come[0]
    raise ScheduleError(ScheduleProblem.AMBIGUOUS, f"{wall:%H:%M}")


def _moments(day: date, wall: time, zone: tzinfo) -> list[datetime]:
    """Return when the clock shows a time on a day: once, or never, or twice."""
    local = datetime.combine(day, wall)
    found = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(
        one for one in found if one.astimezone(zone).replace(tzinfo=None) == local
    )


def _checked(schedule: Schedule, cycle: int) -> Schedule:
    """Return a schedule that the charger can follow; raises ScheduleError."""
    if not schedule.periods:
        raise ScheduleError(ScheduleProblem.EMPTY)
    if len(schedule.periods) > MOST_PERIODS:
        raise ScheduleError(ScheduleProblem.TOO_MANY, str(MOST_PERIODS))
    spans = sorted(part for one in schedule.periods for part in _parts(one, cycle))
    for (_, stop), (start, _) in pairwise(spans):
        if start < stop:
            what = f"{_time(start):%H:%M}"
            raise ScheduleError(ScheduleProblem.OVERLAP, what)
    return schedule


def _parts(period: Period, cycle: int) -> Iterator[Span]:
    """Yield when a period is within a day or week; one that goes on in the next is two."""
    assert period.stop is not None
    start = _minute(period.start) + (period.start_day or 0) * _DAY
    stop = _minute(period.stop) + (period.stop_day or 0) * _DAY
    if stop > start:
        yield start, stop
        return
    yield start, cycle
    if stop:
        yield 0, stop


def _minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _time(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)


# What the cloud tells


def schedule_of(kind: ScheduleKind, body: Json) -> Schedule | None:
    """Return a schedule that the cloud tells, None if it is not to be understood."""
    zone = text(body.get("timezone"))
    if kind is ScheduleKind.DELAYED:
        told = [_period(body, weekly=False, ends=False)]
    else:
        told = [
            _period(one, weekly=kind is ScheduleKind.WEEKLY, ends=True)
            for one in objects(body.get("periods"))
        ]
    periods = [one for one in told if one is not None]
    if zone is None or len(periods) < len(told):
        return None
    return Schedule.of(kind, zone, periods)


def schedules_of(body: Mapping[str, Any]) -> dict[ScheduleKind, Schedule]:
    """Return the schedules among what the cloud tells of all kinds."""
    kinds = [kind for kind in ScheduleKind if isinstance(body.get(kind), dict)]
    found = {kind: schedule_of(kind, body[kind]) for kind in kinds}
    return {kind: one for kind, one in found.items() if one is not None}


def _period(body: Json, *, weekly: bool, ends: bool) -> Period | None:
    start, stop = _clock(body.get("startTime")), _clock(body.get("stopTime"))
    amps = number(body.get("maximumAmps"))
    days = [_weekday(body.get(f"{edge}Day")) if weekly else None for edge in _EDGES]
    if start is None or amps is None or (ends and stop is None):
        return None
    if weekly and None in days:
        return None
    return Period(
        start=start,
        stop=stop if ends else None,
        amps=amps,
        start_day=days[0],
        stop_day=days[1],
    )


_EDGES: Final = ("start", "stop")


def _clock(value: object) -> time | None:
    """Return a time of day; some come with fractions of seconds."""
    try:
        return time.fromisoformat(str(value)).replace(microsecond=0, tzinfo=None)
    except ValueError:
        return None


def _weekday(value: object) -> int | None:
    day = str(value).lower()
    return DAYS.index(day) if day in DAYS else None
