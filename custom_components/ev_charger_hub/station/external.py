"""External limits: what others than we allow a station, such as the grid operator."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
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


@dataclass(kw_only=True, slots=True, frozen=True)
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
                Limit(value=min(max(limit, Decimal(0)), _MOST), unit=one.unit),
                used if used in _PHASES else phases,
            )
            for one in self.schedules
            for limit, used in _at(one, self._elapsed(one, moment))
        ]
        return min(limits, default=None)

    def next_change(self, moment: datetime) -> datetime | None:
        """Return when another limit may hold, None if never."""
        changes = [
            self._start(one) + timedelta(seconds=edge)
            for one in self.schedules
            for edge in _edges(one)
        ]
        return min((one for one in changes if one > moment), default=None)

    def _start(self, schedule: Schedule) -> datetime:
        return schedule.start or self.told_at

    def _elapsed(self, schedule: Schedule, moment: datetime) -> float:
        return (moment - self._start(schedule)).total_seconds()


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
        "schedules": [
            {
                "unit": one.unit.value,
                "start": one.start and one.start.isoformat(),
                "duration": one.duration,
                "periods": [[it.start, str(it.limit), it.phases] for it in one.periods],
            }
            for one in limit.schedules
        ],
    }


def parse(kept: dict[str, Any]) -> ExternalLimit:
    """Return the limit that was dumped; KeyError, TypeError or ValueError if none."""
    return ExternalLimit(
        source=kept["source"],
        told_at=datetime.fromisoformat(kept["told_at"]),
        adds=kept["adds"],
        schedules=tuple(
            Schedule(
                unit=RateUnit(one["unit"]),
                start=one["start"] and datetime.fromisoformat(one["start"]),
                duration=one["duration"],
                periods=tuple(
                    Period(start=start, limit=Decimal(limit), phases=phases)
                    for start, limit, phases in one["periods"]
                ),
            )
            for one in kept["schedules"]
        ),
    )


def _at(schedule: Schedule, elapsed: float) -> Iterator[tuple[Decimal, int | None]]:
    if elapsed < 0 or (schedule.duration is not None and elapsed >= schedule.duration):
        return
    begun = [one for one in schedule.periods if one.start <= elapsed]
    if begun:
        yield begun[-1].limit, begun[-1].phases


def _edges(schedule: Schedule) -> Iterator[int]:
    edges = [one.start for one in schedule.periods]
    if schedule.duration is not None:
        edges.append(schedule.duration)
    yield from (one for one in edges if 0 <= one < _FAR)
