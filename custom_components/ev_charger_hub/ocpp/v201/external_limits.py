"""External limits: what others than we allow a station (OCPP 2.x K11 to K14)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...station.external import MAX_SOURCES, ExternalLimit
from ...station.model import Place
from ...station.profiles.model import Schedule
from ..adapter import StationContext
from ..blocks import Answer
from ..oddities import Oddities
from ..rpc import Reply
from .charging_profiles import parse_schedule

MAX_SCHEDULES = 3
"""What a ChargingProfile has room for (OCPP 2.x 2.11)."""

MAX_PERIODS = 100
"""More periods of such a limit are not kept."""

MAX_KEPT = 2000
"""Periods of all limits of one station: without them a limit is known by its source."""

_MAX_SOURCE = 20


class ExternalLimits:
    """What a station tells of limits that are not ours."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Feed the station of `context`."""
        self._context = context
        self._oddities = oddities

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {
            "ClearedChargingLimit": self.cleared,
            "NotifyChargingLimit": self.notified,
        }

    def restarted(self) -> None:
        """Forget what was told before a restart: what still counts is told again."""
        station = self._context.station
        for place in (station.whole, *station.evses.values()):
            place.external_limits.set({})

    def notified(self, payload: dict[str, Any]) -> Reply:
        """Take note of a limit, which takes the place of the same source's (K12)."""
        told = payload["chargingLimit"]
        source = _source(told["chargingLimitSource"])
        if (place := self._place(payload)) is None:
            return Reply({})
        limits = {
            one: limit
            for one, limit in place.external_limits.value.items()
            if one != source
        }
        if len(limits) >= MAX_SOURCES:
            self._oddities.note("limits of too many sources")
            return Reply({})
        limits[source] = ExternalLimit(
            source=source,
            told_at=self._context.clock(),
            schedules=self._kept(place, source, payload.get("chargingSchedule")),
            adds=told.get("isLocalGeneration") is True,
        )
        place.external_limits.set(limits)
        return Reply({})

    def _kept(self, place: Place, source: str, told: object) -> tuple[Schedule, ...]:
        """Return the schedules of a limit, none if there is no room for them."""
        station, schedules = self._context.station, tuple(_schedules(told))
        others = [
            limit
            for one in (station.whole, *station.evses.values())
            for name, limit in one.external_limits.value.items()
            if (one, name) != (place, source)
        ]
        if sum(map(_size, others)) + sum(map(_length, schedules)) <= MAX_KEPT:
            return schedules
        self._oddities.note(f"limits of more than {MAX_KEPT} periods")
        return ()

    def cleared(self, payload: dict[str, Any]) -> Reply:
        """Take note that a limit is gone, of one EVSE or of all of the station (K13)."""
        source = _source(payload["chargingLimitSource"])
        station = self._context.station
        places: list[Place | None] = [station.whole, *station.evses.values()]
        if payload.get("evseId"):
            places = [self._place(payload)]
        for place in places:
            if place is not None and source in place.external_limits.value:
                left = dict(place.external_limits.value)
                del left[source]
                place.external_limits.set(left)
        return Reply({})

    def _place(self, payload: dict[str, Any]) -> Place | None:
        """Return where a limit holds; None for what does not exist."""
        evse_id, station = payload.get("evseId") or 0, self._context.station
        if not evse_id:
            return station.whole
        guessed = not station.evses and station.believes(evse_id)
        if evse_id in station.evses or guessed:
            return station.evse(evse_id)
        self._oddities.note(f"limit of EVSE {evse_id} ignored")
        return None


def _size(limit: ExternalLimit) -> int:
    return sum(map(_length, limit.schedules))


def _length(schedule: Schedule) -> int:
    return len(schedule.periods)


def _source(word: str) -> str:
    return word.strip()[:_MAX_SOURCE]


def _schedules(told: object) -> list[Schedule]:
    schedules = []
    for one in told[:MAX_SCHEDULES] if isinstance(told, list) else ():
        try:
            schedule = parse_schedule(one)
        except AttributeError, KeyError, TypeError, ValueError:
            continue
        schedules.append(replace(schedule, periods=schedule.periods[:MAX_PERIODS]))
    return schedules
