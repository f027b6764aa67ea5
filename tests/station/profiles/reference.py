"""A second opinion on composite schedules: slow, and obvious at each moment.

It looks at one second, from scratch and without any arithmetic on spans: which profiles
cover it, who leads, what is the lowest. It shares nothing but the values with what it
checks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import cache

from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Circumstances,
    Installed,
    Kind,
    Period,
    Purpose,
    Recurrence,
)

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Answer:
    """What holds at a moment, and who says so."""

    limit: Fraction | None
    phases: int | None = None
    phase_to_use: int | None = None
    purpose: Purpose | None = None
    profile_id: int | None = None


@dataclass(frozen=True)
class Bound:
    """The period of a profile that covers a moment, and its ampere per phase."""

    profile: ChargingProfile
    period: Period
    amperes: Fraction


def first_showing(wall: datetime, zone: tzinfo) -> datetime | None:
    """Return the first moment at which clocks in a zone show a time, if they ever do."""
    for quarter in range(-4 * 26, 4 * 26):
        candidate = wall.replace(tzinfo=UTC) + quarter * timedelta(minutes=15)
        if candidate.astimezone(zone).replace(tzinfo=None) == wall:
            return candidate
    return None


@cache
def occurrence(start: datetime, number: int, step: timedelta, zone: tzinfo) -> datetime:
    """Return when a schedule starts for the n-th time again."""
    if number == 0:
        return start
    wall = start.astimezone(zone).replace(tzinfo=None) + number * step
    skipped = timedelta(0)
    # A time that clocks skip is so much after one before, which they do show.
    while (moment := first_showing(wall - skipped, zone)) is None:
        skipped += timedelta(minutes=30)
    return moment + skipped


def begin(one: Installed, moment: datetime, place: Circumstances) -> datetime | None:
    """Return when the schedule that covers a moment started, None if none did yet."""
    schedule = one.profile.schedule
    if one.profile.kind is Kind.RELATIVE:
        start = place.transaction_started_at or one.set_at
    else:
        start = schedule.start or one.set_at
    if start > moment:
        return None
    if one.profile.kind is not Kind.RECURRING:
        return start
    weekly = one.profile.recurrence is Recurrence.WEEKLY
    step = timedelta(days=7 if weekly else 1)
    zone = place.zone if schedule.use_local_time else UTC
    number = 0
    while occurrence(start, number + 1, step, zone) <= moment:
        number += 1
    return occurrence(start, number, step, zone)


def covering(one: Installed, moment: datetime, place: Circumstances) -> Bound | None:
    """Return what a profile says at a moment, None if it says nothing."""
    profile, schedule = one.profile, one.profile.schedule
    if profile.valid_from is not None and moment < profile.valid_from:
        return None
    if profile.valid_to is not None and moment >= profile.valid_to:
        return None
    if (start := begin(one, moment, place)) is None:
        return None
    elapsed = (moment - start) // SECOND
    if schedule.duration is not None and elapsed >= schedule.duration:
        return None
    begun = [period for period in schedule.periods if period.start <= elapsed]
    if not begun:
        return None
    period = begun[-1]
    amperes = Fraction(period.limit)
    if schedule.unit is RateUnit.WATT:
        amperes /= Fraction(place.voltage) * (period.phases or place.phases)
    return Bound(profile, period, amperes)


def alive(installed: Iterable[Installed]) -> list[Installed]:
    """Return the profiles that none of those set later, and still there, replaced."""
    oldest_first = [one for _, one in sorted(enumerate(installed), key=_when)]
    return _alive(oldest_first)


def _alive(oldest_first: list[Installed]) -> list[Installed]:
    if not oldest_first:
        return []
    oldest, *rest = oldest_first
    later = _alive(rest)
    return later if any(_replaces(one, oldest) for one in later) else [oldest, *later]


def _when(numbered: tuple[int, Installed]) -> tuple[datetime, int]:
    number, one = numbered
    return one.set_at, number


def _replaces(new: Installed, old: Installed) -> bool:
    one, other = new.profile, old.profile
    if one.id == other.id:
        return (one.purpose is Purpose.EXTERNAL) == (other.purpose is Purpose.EXTERNAL)
    alike = (new.evse_id, one.purpose, one.stack_level) == (
        old.evse_id,
        other.purpose,
        other.stack_level,
    )
    if one.purpose is Purpose.TX and None not in (
        one.transaction_id,
        other.transaction_id,
    ):
        alike = alike and one.transaction_id == other.transaction_id
    early, late = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    apart = (one.valid_to or late) <= (other.valid_from or early) or (
        other.valid_to or late
    ) <= (one.valid_from or early)
    return alike and not apart


def lead(
    installed: list[Installed],
    moment: datetime,
    place: Circumstances,
    wanted: Callable[[Installed], bool],
) -> Bound | None:
    """Return the profile of those wanted that leads at a moment."""
    best: tuple[int, datetime, int] | None = None
    leading = None
    for number, one in enumerate(installed):
        if wanted(one) and (bound := covering(one, moment, place)) is not None:
            rank = (one.profile.stack_level, one.set_at, number)
            if best is None or rank > best:
                best, leading = rank, bound
    return leading


def at_evse(
    installed: list[Installed],
    evse_id: int,
    moment: datetime,
    place: Circumstances,
    unit: RateUnit,
) -> Answer:
    """Return what holds at an EVSE, or with 0 what bounds the station, at a moment."""

    def of(purpose: Purpose, evse: int) -> Bound | None:
        def wanted(one: Installed) -> bool:
            named = one.profile.transaction_id
            other = purpose is Purpose.TX and named not in (None, place.transaction_id)
            return (one.profile.purpose, one.evse_id) == (purpose, evse) and not other

        return lead(installed, moment, place, wanted)

    charging = generation = None
    if evse_id:
        if place.priority:
            charging = of(Purpose.PRIORITY, evse_id) or of(Purpose.PRIORITY, 0)
        if charging is None and place.transaction_id is not None:
            charging = of(Purpose.TX, evse_id)
        if charging is None:
            charging = of(Purpose.TX_DEFAULT, evse_id) or of(Purpose.TX_DEFAULT, 0)
        generation = of(Purpose.LOCAL_GENERATION, evse_id) or of(
            Purpose.LOCAL_GENERATION, 0
        )
    bounds = [charging, of(Purpose.STATION_MAX, 0)]
    bounds += [of(Purpose.EXTERNAL, evse_id)] if evse_id else []
    bounds += [of(Purpose.EXTERNAL, 0)]
    extra = generation.amperes if generation is not None else Fraction(0)
    return lowest(
        [
            (bound.amperes + (extra if bound is charging else 0), bound)
            for bound in bounds
            if bound is not None
        ],
        place,
        unit,
    )


def lowest(
    bounds: list[tuple[Fraction, Bound]], place: Circumstances, unit: RateUnit
) -> Answer:
    """Return what the lowest of some bounds leaves."""
    if not bounds:
        return Answer(None)
    amperes, least = bounds[0]
    for one, bound in bounds:
        if one < amperes:
            amperes, least = one, bound
    phases = [bound.period.phases for _, bound in bounds if bound.period.phases]
    chosen = {
        bound.period.phase_to_use
        for _, bound in bounds
        if bound.period.phases == 1 and bound.period.phase_to_use is not None
    }
    if len(chosen) > 1:
        amperes = Fraction(0)
    if unit is RateUnit.WATT:
        amperes *= Fraction(place.voltage) * min([place.phases, *phases])
    return Answer(
        amperes,
        phases=min(phases) if phases else None,
        phase_to_use=chosen.pop() if len(chosen) == 1 else None,
        purpose=least.profile.purpose,
        profile_id=least.profile.id,
    )


def at_station(
    installed: list[Installed],
    moment: datetime,
    places: dict[int, Circumstances],
    unit: RateUnit,
) -> Fraction | None:
    """Return what holds for a whole station of several EVSEs at a moment."""
    bound = at_evse(installed, 0, moment, places[0], unit).limit
    total = Fraction(0)
    for evse_id, place in places.items():
        if evse_id:
            own = at_evse(installed, evse_id, moment, place, unit).limit
            if own is None:
                return bound
            total += own
    return total if bound is None else min(total, bound)
