"""External limits: what others than we allow a station, such as the grid operator."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from .enums import LimitedBy, RateUnit
from .limits import in_ampere
from .link import Limit
from .profiles.model import Period, Schedule

MAX_SOURCES = 8
"""More sources than this nobody has; what comes above that is not kept."""

_MOST = Decimal(100_000)
"""More ampere than any station has: a station that says so means no limit."""

_FAR = 366 * 86400
"""Seconds after which it does not matter any more when a limit changes."""

_PHASES = frozenset({1, 2, 3})

_BY_SOURCE = {
    "ems": LimitedBy.ENERGY_MANAGEMENT,
    "so": LimitedBy.GRID_OPERATOR,
    "cso": LimitedBy.CHARGING_OPERATOR,
}


@dataclass(kw_only=True, frozen=True)
class ExternalLimit:
    """A limit that somebody else has set (OCPP 2.x K11 to K14).

    `schedules` is empty if the station does not tell what the limit is. One that is
    relative begins at `told_at`.
    """

    source: str
    told_at: datetime
    schedules: tuple[Schedule, ...] = ()
    adds: bool = False
    """Whether it is what is generated locally, which may be taken in addition (2.1)."""

    @property
    def limited_by(self) -> LimitedBy:
        """Return the source as a reason for a limit."""
        return _BY_SOURCE.get(self.source.strip().lower(), LimitedBy.EXTERNAL)

    def now(self, moment: datetime, phases: int) -> Decimal | None:
        """Return the limit that holds at a moment, in A; None if none does."""
        if self.adds:
            return None
        limits = [
            in_ampere(
                Limit(value=min(max(limit, Decimal(0)), _MOST), unit=one.schedule.unit),
                used if used in _PHASES else phases,
            )
            for one in self._courses
            for limit, used in one.at((moment - one.start).total_seconds())
        ]
        return min(limits, default=None)

    def next_change(self, moment: datetime) -> datetime | None:
        """Return when another limit may hold, None if never."""
        changes = [
            one.start + timedelta(seconds=edge)
            for one in self._courses
            for edge in one.after((moment - one.start).total_seconds())
        ]
        return min(changes, default=None)

    @cached_property
    def _courses(self) -> tuple[_Course, ...]:
        # Worked out once: it is looked at with every change at the station.
        return tuple(_Course(one, one.start or self.told_at) for one in self.schedules)


class _Course:
    """What a schedule says over time, to be found without looking at all of it."""

    def __init__(self, schedule: Schedule, start: datetime) -> None:
        """Begin at `start`."""
        self.schedule = schedule
        self.start = start
        self._periods = sorted(schedule.periods, key=lambda one: one.start)
        self._starts = [one.start for one in self._periods]
        self._edges = sorted(_edges(schedule))

    def at(self, elapsed: float) -> Iterator[tuple[Decimal, int | None]]:
        """Yield limit and phases after so many seconds, if there is any."""
        duration = self.schedule.duration
        if elapsed < 0 or (duration is not None and elapsed >= duration):
            return
        if index := bisect_right(self._starts, elapsed):
            period = self._periods[index - 1]
            yield period.limit, period.phases

    def after(self, elapsed: float) -> Iterator[int]:
        """Yield the next second at which something else may hold, if there is any."""
        yield from self._edges[(at := bisect_right(self._edges, elapsed)) : at + 1]


def lowest_of(
    limits: Iterable[ExternalLimit], moment: datetime, phases: int
) -> tuple[Decimal, LimitedBy] | None:
    """Return the lowest limit at a moment in A, and whose it is; None if there is none."""
    told = [(one.now(moment, phases), one.limited_by) for one in limits]
    known = [(limit, source) for limit, source in told if limit is not None]
    return min(known, key=lambda one: one[0], default=None)


def only_source(limits: Iterable[ExternalLimit]) -> LimitedBy:
    """Return who else limits, if only one does."""
    sources = {one.limited_by for one in limits if not one.adds}
    return sources.pop() if len(sources) == 1 else LimitedBy.EXTERNAL


def dump(limit: ExternalLimit) -> dict[str, Any]:
    """Return a limit as JSON can carry it."""
    return {
        "source": limit.source,
        "told_at": limit.told_at.isoformat(),
        "adds": limit.adds,
        "schedules": [dump_schedule(one) for one in limit.schedules],
    }


def dump_schedule(schedule: Schedule) -> dict[str, Any]:
    """Return what a schedule allows as JSON can carry it."""
    return {
        "unit": schedule.unit.value,
        "start": schedule.start and schedule.start.isoformat(),
        "duration": schedule.duration,
        "periods": [[it.start, str(it.limit), it.phases] for it in schedule.periods],
    }


def parse(kept: dict[str, Any]) -> ExternalLimit:
    """Return the limit that was dumped; KeyError, TypeError or ValueError if none."""
    return ExternalLimit(
        source=kept["source"],
        told_at=datetime.fromisoformat(kept["told_at"]),
        adds=kept["adds"],
        schedules=tuple(parse_schedule(one) for one in kept["schedules"]),
    )


def parse_schedule(kept: dict[str, Any]) -> Schedule:
    """Return the schedule that was dumped; raises as `parse` does."""
    return Schedule(
        unit=RateUnit(kept["unit"]),
        start=kept["start"] and datetime.fromisoformat(kept["start"]),
        duration=kept["duration"],
        periods=tuple(
            Period(start=start, limit=Decimal(limit), phases=phases)
            for start, limit, phases in kept["periods"]
        ),
    )


def _edges(schedule: Schedule) -> Iterator[int]:
    edges = [one.start for one in schedule.periods]
    if schedule.duration is not None:
        edges.append(schedule.duration)
    yield from (one for one in edges if 0 <= one < _FAR)
