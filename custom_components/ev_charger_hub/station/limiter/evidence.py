"""Evidence: what the model and the limiter know of the limits at one place."""

from datetime import datetime, timedelta
from decimal import Decimal

from ..enums import LimitedBy, RateUnit
from ..external import ExternalLimit, lowest_of, only_source
from ..limits import in_ampere
from ..link import Limit
from ..model import Evse, Place
from ..profiles.model import VOLTAGE, CompositePeriod, CompositeSchedule
from .effective import Evidence, Scheduled
from .flows import samples, status_of
from .limiter import Applied, Limiter
from .plain import has_two_ways
from .seen import SETTLING, Record


def gather(
    place: Place, limiter: Limiter, records: dict[int, Record], now: datetime
) -> Evidence:
    """Return what is known of the limits at a place now, and keep it in its record."""
    settings, record = place.station.settings, records[place.id]
    # What a session may have that goes before others is not up to its limit (2.1 K21).
    hurried = isinstance(place, Evse) and place.priority.value is True
    profile = None if hurried else _held_at(limiter, place.id, now)
    number = limiter.number if place.id and not hurried else None
    held = _lower(place, profile, number)
    record.hold(held)
    record.take(limiter.composites.get(place.id), now)
    session_profile = held is not None and held.of_session
    ours = _noted(place, held, record, now)
    offered, measured, in_part, newest = samples(place, now)
    if offered is not None:
        record.most_offered = max(record.most_offered or offered[0], offered[0])
    moments = [one[1] for one in (offered, measured) if one is not None]
    settling = SETTLING if held is None else held.settled_at - held.at
    since = min(moments, default=now) - settling
    lowest, highest = record.bounds(since)
    cap = None
    # The limiter lays a fall-back under every EVSE, under the station only with a wish.
    laid = bool(place.id) or place.wanted_limit.value is not None
    two_ways = has_two_ways(place.station)
    own_number = limiter.own_number if place.id else None
    if place.id:
        held = _held_at(limiter, 0, now)
        cap = _noted(place.station.whole, held, records[0], now)
        lowest = _least(lowest, records[0].bounds(since)[0])
    others = place_limits(place)
    there = place.known_limits.value.get(LimitedBy.OUR_LIMIT)
    wanted = None if hurried else _ampere(place, place.wanted_limit.value)
    ours_or_wanted = ours if ours is not None else wanted
    return Evidence(
        external=lowest_of(others, now, place.phases),
        others=_others(place, others),
        cable=_decimal(place.cable_rating.value) if isinstance(place, Evse) else None,
        cap=cap,
        composite=_scheduled(place, record, now),
        doubted=record.doubted,
        fallback=_decimal(settings.fallback_current) if laid else None,
        highest=highest,
        lowest=lowest,
        maximum=Decimal(settings.maximum_current),
        known=place.known_limits.value,
        late=record.late(there, own_number if two_ways else ours_or_wanted, now),
        number=own_number,
        profile=None if profile is None else _ampere(place, profile.limit),
        two_ways=two_ways,
        measured=None if measured is None else measured[0],
        in_part=in_part,
        moments=None if measured is None or newest is None else (measured[1], newest),
        most_offered=record.most_offered,
        offered=None if offered is None else offered[0],
        before=record.before(since),
        ours=ours,
        session_profile=session_profile,
        status=status_of(place),
        wanted=wanted,
    )


def place_limits(place: Place) -> list[ExternalLimit]:
    """Return what others allow at a place: what they allow the whole station, too."""
    whole = place.station.whole
    places = [place] if place is whole else [place, whole]
    return [limit for one in places for limit in one.external_limits.value.values()]


def _held_at(limiter: Limiter, evse_id: int, now: datetime) -> Applied | None:
    """Return what the station accepted from us and has not ended by itself."""
    applied = limiter.applied(evse_id)
    if applied is None or (applied.expires_at is not None and applied.expires_at < now):
        return None
    return applied


def _others(place: Place, limits: list[ExternalLimit]) -> LimitedBy:
    """Return who else limits: chargers of one circuit share it (Easee, row S10)."""
    if not limits and place.station.shared_circuit.value:
        return LimitedBy.LOAD_BALANCING
    return only_source(limits)


def _lower(place: Place, *held: Applied | None) -> Applied | None:
    """Return the lowest of what was accepted on different ways: it counts."""
    there = [one for one in held if one is not None]
    return min(there, key=lambda one: in_ampere(one.limit, place.phases), default=None)


def _noted(
    place: Place, held: Applied | None, record: Record, now: datetime
) -> Decimal | None:
    """Return a limit that holds in A, and note it."""
    limit = None if held is None else _ampere(place, held.limit)
    record.note(limit, now if held is None else held.at, now)
    return limit


def _least(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _ampere(place: Place, limit: Limit | None) -> Decimal | None:
    """Return a limit in A."""
    if limit is None:
        return None
    return in_ampere(limit, place.phases)


# What the station says


def _scheduled(place: Place, record: Record, now: datetime) -> Scheduled | None:
    """Return what holds now by the schedule that the station sent last.

    An empty one is not believed: it may be all that the station can say.
    """
    composite, read_at = record.composite, record.read_at
    if composite is None or read_at is None:
        return None
    # Timers of the event loop may run ahead of the clock a little.
    known_at = read_at + timedelta(seconds=1)
    settled = record.settled_at is None or known_at >= record.settled_at
    period = _present(composite, (now - read_at).total_seconds())
    if period is None or period.limit is None:
        return None
    limit = Decimal(period.limit.numerator) / period.limit.denominator
    if composite.unit is RateUnit.WATT:
        limit /= VOLTAGE * (period.phases or place.phases)
    return Scheduled(limit=limit, purpose=period.purpose, settled=settled)


def _present(composite: CompositeSchedule, elapsed: float) -> CompositePeriod | None:
    """Return the period so many s after its beginning; the last one goes on."""
    begun = [one for one in composite.periods if one.start <= max(elapsed, 0)]
    return begun[-1] if begun else None
