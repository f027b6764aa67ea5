"""One charging profile in time: when it counts, and what it then says (OCPP 1.6 7.8)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from .vehicle import VOLTAGE

RECURRENCE = {"Daily": timedelta(days=1), "Weekly": timedelta(weeks=1)}


def parse(text: str) -> datetime:
    """Return a moment from OCPP's text, which is UTC where it names no zone."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def exact(limit: float) -> Fraction:
    """Return a limit as the frame said it, without what floats add."""
    return Fraction(str(limit))


@dataclass(kw_only=True, frozen=True, slots=True)
class Installed:
    """One profile as it came, where it was put, and when."""

    connector_id: int
    profile: dict[str, Any]
    set_at: datetime

    @property
    def id(self) -> int:
        """Return the number that the central system gave it."""
        number: int = self.profile["chargingProfileId"]
        return number

    @property
    def purpose(self) -> str:
        """Return the purpose in OCPP's words."""
        purpose: str = self.profile["chargingProfilePurpose"]
        return purpose

    @property
    def stack_level(self) -> int:
        """Return the stack level; the highest leads."""
        level: int = self.profile["stackLevel"]
        return level


@dataclass(kw_only=True, frozen=True, slots=True)
class Reading:
    """What one profile says at one moment, in its own unit (A or W)."""

    source: Installed
    limit: Fraction
    unit: str
    phases: int | None
    period: Mapping[str, Any]
    """The period of the schedule that says it."""

    def amps(self, phases: int) -> Fraction:
        """Return the limit in A per phase where so many phases carry it."""
        return (
            self.limit / (exact(VOLTAGE) * phases) if self.unit == "W" else self.limit
        )


def read(
    one: Installed, moment: datetime, started_at: datetime | None
) -> Reading | None:
    """Return what a profile says at a moment, None where it says nothing."""
    profile, schedule = one.profile, one.profile["chargingSchedule"]
    if "validFrom" in profile and moment < parse(profile["validFrom"]):
        return None
    if "validTo" in profile and moment >= parse(profile["validTo"]):
        return None
    if not (starts := list(_starts(one, moment, moment, started_at))):
        return None
    elapsed = (moment - starts[-1]).total_seconds()
    if elapsed < 0 or elapsed >= schedule.get("duration", elapsed + 1):
        return None
    period = [
        period
        for period in schedule["chargingSchedulePeriod"]
        if period["startPeriod"] <= elapsed
    ][-1]
    return Reading(
        source=one,
        limit=exact(period["limit"]),
        unit=schedule["chargingRateUnit"],
        phases=period.get("numberPhases"),
        period=period,
    )


def edges(
    one: Installed, first: datetime, last: datetime, started_at: datetime | None
) -> Iterator[datetime]:
    """Yield every moment at which a profile may change its mind, and some others."""
    schedule = one.profile["chargingSchedule"]
    for name in ("validFrom", "validTo"):
        if name in one.profile:
            yield parse(one.profile[name])
    for start in _starts(one, first, last, started_at):
        for period in schedule["chargingSchedulePeriod"]:
            yield start + timedelta(seconds=period["startPeriod"])
        if "duration" in schedule:
            yield start + timedelta(seconds=schedule["duration"])


def _starts(
    one: Installed, first: datetime, last: datetime, started_at: datetime | None
) -> Iterator[datetime]:
    """Yield the starts of a profile's schedule that matter between two moments.

    A relative one starts with its transaction, or with its installation where none
    runs; a recurring one never before the start that it names.
    """
    schedule = one.profile["chargingSchedule"]
    if one.profile["chargingProfileKind"] == "Relative":
        yield (started_at or one.set_at).replace(microsecond=0)
        return
    start = parse(schedule["startSchedule"])
    if one.profile["chargingProfileKind"] != "Recurring":
        yield start
        return
    every = RECURRENCE[one.profile["recurrencyKind"]]
    for number in range(max((first - start) // every, 0), (last - start) // every + 1):
        yield start + number * every
