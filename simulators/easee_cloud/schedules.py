"""Charging schedules: daily, weekly, delayed; at most one of them is enabled."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
import json
from typing import Any
from zoneinfo import ZoneInfo

from .answers import Invalid, NotFound, refusal

KINDS = ("daily", "delayed", "weekly")
DIRECT = "ocpp.direct"
NONE = "none"
DAYS = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
MOST_PERIODS = 18


class Schedules:
    """The schedules of one charger."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Start without any."""
        self._clock = clock
        self._begins: datetime | None = None
        """When the delayed schedule does."""
        self.enabled = NONE
        self.stored: dict[str, dict[str, Any]] = {}
        self.legacy: dict[str, dict[str, Any]] = {}
        """Plans of the older endpoints, which are kept and not followed."""
        self.overridden = False

    def overview(self) -> dict[str, Any]:
        """Return what `GET schedules` says."""
        return {"enabled": self.enabled} | {
            kind: self.stored[kind] for kind in KINDS if kind in self.stored
        }

    def read(self, kind: str) -> dict[str, Any]:
        """Return a stored schedule."""
        if kind not in self.stored:
            raise NotFound
        return self.stored[kind] | {"enabled": self.enabled == kind}

    def write(self, kind: str, body: dict[str, Any]) -> None:
        """Store a schedule, and enable it if it says so."""
        self._refuse_if_direct()
        _check(kind, body)
        if kind == "delayed":
            self._begins = _next(_clock(body["startTime"]), _zone(body), self._clock())
        self.stored[kind] = body
        if body.get("enabled", True):
            self.enabled = kind
        elif self.enabled == kind:
            self.enabled = NONE

    def enable(self, kind: str) -> None:
        """Follow a stored schedule; the others stay stored."""
        self._refuse_if_direct()
        if kind not in self.stored:
            raise NotFound
        self.enabled = kind

    def disable(self, kind: str) -> None:
        """Do not follow a schedule."""
        if kind not in self.stored:
            raise NotFound
        if self.enabled == kind:
            self.enabled = NONE

    def delete(self, kind: str) -> None:
        """Forget a schedule."""
        self.disable(kind)
        del self.stored[kind]

    def _refuse_if_direct(self) -> None:
        if self.enabled == DIRECT:
            raise refusal(400, "ScheduleConflict", "Charger is controlled by OCPP")

    def limit(self, now: datetime) -> float | None:
        """Return how many ampere a schedule allows now; None if none says anything."""
        if self.overridden or self.enabled not in KINDS:
            return None
        plan = self.stored[self.enabled]
        if self.enabled == "delayed":
            begun = self._begins is None or now >= self._begins
            return _amps(plan) if begun else 0.0
        local = now.astimezone(_zone(plan))
        return max(
            (_amps(part) for part in plan["periods"] if _covers(part, local)),
            default=0.0,
        )

    def text(self) -> str:
        """Return the text of observation 62; empty if there is no schedule."""
        if self.enabled not in KINDS or self.enabled == "delayed":
            return ""
        weekly = self.enabled == "weekly"
        edges: list[list[int]] = []
        for part in self.stored[self.enabled]["periods"]:
            start, stop = _span(part)
            edges += [[_seconds(start), int(_amps(part))], [_seconds(stop), 0]]
        return json.dumps(
            {
                "StartSchedule": 0,
                "ProfileKind": "Recurring",
                "RecurrencyKind": "Weekly" if weekly else "Daily",
                "Periods": sorted(edges),
            }
        )


def _amps(part: dict[str, Any]) -> float:
    return float(part.get("maximumAmps") or 32)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _zone(plan: dict[str, Any]) -> ZoneInfo:
    return ZoneInfo(plan.get("timezone") or "UTC")


def _clock(text: str) -> time:
    """Return a time of day; a date has no place here."""
    return time.fromisoformat(text)


def _next(clock: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when the clock on the wall next shows a time."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(3))
    moments = (datetime.combine(day, clock, zone).astimezone(UTC) for day in days)
    return next(moment for moment in moments if moment > now)


def _offset(part: dict[str, Any], which: str) -> timedelta:
    clock = time.fromisoformat(part[f"{which}Time"])
    day = part.get(f"{which}Day")
    days = 0 if day is None else DAYS.index(day.lower())
    return timedelta(days=days, hours=clock.hour, minutes=clock.minute)


def _span(part: dict[str, Any]) -> tuple[timedelta, timedelta]:
    return _offset(part, "start"), _offset(part, "stop")


def _covers(part: dict[str, Any], local: datetime) -> bool:
    """Return whether a period, by the clock on the wall, holds a moment."""
    start, stop = _span(part)
    now = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    if "startDay" in part:
        now += timedelta(days=local.weekday())
    return start <= now < stop if start <= stop else now >= start or now < stop


def _check(kind: str, body: dict[str, Any]) -> None:
    """Refuse what is no schedule."""
    try:
        _zone(body)
    except (KeyError, ValueError) as err:
        raise Invalid(timezone="The time zone is unknown.") from err
    try:
        if kind == "delayed":
            _clock(body["startTime"])
            return
        if len(body["periods"]) > MOST_PERIODS:
            raise Invalid(periods="There are too many periods.")
        for part in body["periods"]:
            _span(part)
            if kind == "weekly" and not {"startDay", "stopDay"} <= {*part}:
                raise Invalid(periods="The days are missing.")
    except (KeyError, TypeError, ValueError) as err:
        raise Invalid(periods="The periods could not be read.") from err
