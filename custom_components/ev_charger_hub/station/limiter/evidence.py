"""Evidence: what the model and the limiter know of the limits at one place."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from ..enums import ConnectorStatus, Location, Measurand, Phase, RateUnit
from ..external import ExternalLimit, lowest_of, only_source
from ..limits import in_ampere
from ..link import Limit
from ..model import Evse, MeasurementKey, Place
from ..profiles.model import VOLTAGE, CompositePeriod, CompositeSchedule
from .effective import Evidence, Scheduled
from .limiter import Applied, Limiter

SETTLING = timedelta(seconds=60)
"""How long what is offered may follow a limit that is gone."""

BEGINNING = timedelta(seconds=10)
"""How long it takes until a vehicle draws what it may, and others give way to it."""

TOGETHER = timedelta(seconds=5)
"""How far apart the samples of different EVSEs may be, to be of one moment."""

FRESH = timedelta(minutes=10)
"""For how long a sample tells what flows."""

KEEP = timedelta(minutes=30)
"""For how long it is remembered what the limits were."""

_OUTLETS = (None, Location.INLET)
"""Where the current of a vehicle is measured; Easee calls its outlet an inlet."""

_IMPORT = tuple(
    MeasurementKey(measurand=Measurand.CURRENT_IMPORT, location=one) for one in _OUTLETS
)
_LINES = tuple(
    MeasurementKey(measurand=Measurand.CURRENT_IMPORT, phase=phase, location=one)
    for one in _OUTLETS
    for phase in (Phase.L1, Phase.L2, Phase.L3)
)
_POWER = tuple(
    MeasurementKey(measurand=Measurand.POWER_ACTIVE_IMPORT, location=one)
    for one in _OUTLETS
)
_OFFERED = MeasurementKey(measurand=Measurand.CURRENT_OFFERED)
_POWER_OFFERED = MeasurementKey(measurand=Measurand.POWER_OFFERED)

TELLING = frozenset({*_IMPORT, *_LINES, *_POWER, _OFFERED, _POWER_OFFERED})
"""The measurements that tell of limits."""

_MAY_CHARGE = frozenset({None, ConnectorStatus.OCCUPIED, ConnectorStatus.PREPARING})
"""Statuses in which some stations leave a connector that charges (Easee, row N3)."""

type Sample = tuple[Decimal, datetime]


class Record:
    """What was seen at one place: limits of ours, and what became of them."""

    __slots__ = (
        "_held",
        "_spans",
        "composite",
        "doubted",
        "most_offered",
        "read_at",
        "reported",
        "settled_at",
        "suspected_at",
    )

    def __init__(self) -> None:
        """Start without having seen anything."""
        self._spans: list[tuple[datetime, Decimal | None]] = []
        self._held: Applied | None = None
        self.settled_at: datetime | None = None
        """When the limit of ours should be followed; None if there is none."""
        self.doubted = False
        """Whether currents showed that the limit of ours is not followed."""
        self.reported = False
        """Whether the limiter was told that it is not followed."""
        self.suspected_at: datetime | None = None
        """When samples of different moments first came to more than ours."""
        self.most_offered: Decimal | None = None
        self.composite: CompositeSchedule | None = None
        self.read_at: datetime | None = None
        """When the composite schedule came; None if it is out of date."""

    def hold(self, held: Applied | None) -> None:
        """Note what the station accepted from us; a renewal is nothing new."""
        if held != self._held and not self._renewed(held):
            self.settled_at = None if held is None else held.settled_at
            # What the station said before the change says nothing about it.
            self.read_at = None
            self.reported = False
            if held is None:
                self.doubted = False
            elif self._held is not None and self._held.profile_id != held.profile_id:
                # Another way to the same limit needs its time, too.
                self._spans.clear()
        self._held = held

    def _renewed(self, held: Applied | None) -> bool:
        before = self._held
        return (
            held is not None
            and before is not None
            and before.expires_at is not None
            and before.expires_at >= held.at
            and (before.limit, before.profile_id) == (held.limit, held.profile_id)
        )

    def note(self, limit: Decimal | None, at: datetime, now: datetime) -> None:
        """Note which limit of ours holds, in A, and since when."""
        if self._spans:
            since, last = self._spans[-1]
            if last == limit:
                return
            # What holds again, does so from now on.
            at = now if last is None else max(at, since)
            while len(self._spans) > 1 and self._spans[1][0] < now - KEEP:
                del self._spans[0]
        self._spans.append((at, limit))

    def take(self, composite: CompositeSchedule | None, now: datetime) -> None:
        """Note what the station says, and that it says it now if it is news."""
        if composite is not self.composite:
            self.composite = composite
            self.read_at = now

    def certain(self, moments: tuple[datetime, datetime] | None) -> bool:
        """Return whether samples from so long ago until then may tell what is too much.

        EVSEs share what there is anew all the time: samples of different moments count
        once all of them are later than those that were too much before.
        """
        if moments is None or moments[1] - moments[0] <= TOGETHER:
            return True
        if self.suspected_at is None:
            self.suspected_at = moments[1]
        return moments[0] > self.suspected_at

    def bounds(self, since: datetime) -> tuple[Decimal | None, Decimal | None]:
        """Return the lowest and the highest limit of ours from a moment until now.

        The highest is None if there was none of ours at some time.
        """
        limits = list(self._since(since))
        known = [limit for limit in limits if limit is not None]
        lowest = min(known, default=None)
        return lowest, max(known) if known and len(known) == len(limits) else None

    def before(self, since: datetime) -> tuple[Decimal, ...]:
        """Return the limits of ours from a moment until the present one."""
        return tuple(one for one in [*self._since(since)][:-1] if one is not None)

    def _since(self, since: datetime) -> Iterator[Decimal | None]:
        """Yield the limits from a moment until now; None for what was not seen."""
        if not self._spans or self._spans[0][0] > since:
            yield None
        ends = [began for began, _ in self._spans[1:]]
        for index, (_, limit) in enumerate(self._spans):
            if index == len(ends) or ends[index] > since:
                yield limit


def gather(
    place: Place, limiter: Limiter, records: dict[int, Record], now: datetime
) -> Evidence:
    """Return what is known of the limits at a place now, and keep it in its record."""
    settings, record = place.station.settings, records[place.id]
    # What a session may have that goes before others is not up to its limit (2.1 K21).
    hurried = isinstance(place, Evse) and place.priority.value is True
    held = None if hurried else _held_at(limiter, place.id, now)
    record.hold(held)
    record.take(limiter.composites.get(place.id), now)
    session_profile = held is not None and held.of_session
    ours = _noted(place, held, record, now)
    offered, measured, in_part, newest = _samples(place, now)
    if offered is not None:
        record.most_offered = max(record.most_offered or offered[0], offered[0])
    moments = [one[1] for one in (offered, measured) if one is not None]
    settling = SETTLING if held is None else held.settled_at - held.at
    since = min(moments, default=now) - settling
    lowest, highest = record.bounds(since)
    cap = None
    # The limiter lays a fall-back under every EVSE, under the station only with a wish.
    laid = bool(place.id) or place.wanted_limit.value is not None
    if place.id:
        held = _held_at(limiter, 0, now)
        cap = _noted(place.station.whole, held, records[0], now)
        lowest = _least(lowest, records[0].bounds(since)[0])
    others = place_limits(place)
    return Evidence(
        external=lowest_of(others, now, place.phases),
        others=only_source(others),
        cable=_decimal(place.cable_rating.value) if isinstance(place, Evse) else None,
        cap=cap,
        composite=_scheduled(place, record, now),
        doubted=record.doubted,
        fallback=_decimal(settings.fallback_current) if laid else None,
        highest=highest,
        lowest=lowest,
        maximum=Decimal(settings.maximum_current),
        measured=None if measured is None else measured[0],
        in_part=in_part,
        moments=None if measured is None or newest is None else (measured[1], newest),
        most_offered=record.most_offered,
        offered=None if offered is None else offered[0],
        before=record.before(since),
        ours=ours,
        session_profile=session_profile,
        status=_status(place),
        wanted=None if hurried else _ampere(place, place.wanted_limit.value),
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


# What flows


def _status(place: Place) -> ConnectorStatus | None:
    """Return what a place does; the whole station charges where any EVSE does."""
    if not isinstance(place, Evse):
        charging = any(_since(evse) for evse in place.station.evses.values())
        return ConnectorStatus.CHARGING if charging else None
    return ConnectorStatus.CHARGING if _since(place) else place.status.value


def _since(place: Place) -> datetime | None:
    """Return since when a place charges; None if it does not."""
    if not isinstance(place, Evse):
        begun = [_since(evse) for evse in place.station.evses.values()]
        return min((one for one in begun if one is not None), default=None)
    if place.status.value is ConnectorStatus.CHARGING:
        # Stations of OCPP 2.x tell the same status again with every sample.
        return place.status.since
    if place.transaction is not None and place.status.value in _MAY_CHARGE:
        return place.transaction.started_at
    return None


def _samples(
    place: Place, now: datetime
) -> tuple[Sample | None, Sample | None, bool, datetime | None]:
    """Return what is offered and what flows, in A, as far as it is known and fresh.

    Then whether only a part of what flows is known, and when the newest sample of a
    sum was taken.
    """
    if (began := _since(place)) is None:
        return None, None, False, None
    since = max(began, now - FRESH)
    if not isinstance(place, Evse):
        return None, *_sum(place, since)
    factor = 1 / (VOLTAGE * _phases_in_use(place, since))
    offered = _read(place, _OFFERED, since) or _read(
        place, _POWER_OFFERED, since, factor
    )
    return offered, _flow(place, max(since, began + BEGINNING), factor), False, None


def _flow(place: Place, since: datetime, factor: Decimal) -> Sample | None:
    """Return the current that flows, measured or by the power."""
    for key in _IMPORT:
        if (sample := _read(place, key, since)) is not None:
            return sample
    for key in _POWER:
        if (sample := _read(place, key, since, factor)) is not None:
            return sample
    return None


def _sum(whole: Place, since: datetime) -> tuple[Sample | None, bool, datetime | None]:
    """Return the current of a whole station: its own, or by the power of its EVSEs.

    Currents of different EVSEs may flow in different phases and do not add up, nor do
    those from before somebody else began to charge. Whether one is missing comes
    second, and when the newest was taken third.
    """
    factor = 1 / (VOLTAGE * whole.phases)
    begun = {
        evse: at
        for evse in whole.station.evses.values()
        if (at := _since(evse)) is not None
    }
    since = max(since, max(begun.values(), default=since) + BEGINNING)
    if (own := _flow(whole, since, factor)) is not None:
        return own, False, None
    flows = [
        next((one for key in _POWER if (one := _read(evse, key, since, factor))), None)
        for evse in begun
    ]
    known = [one for one in flows if one is not None]
    if not known:
        return None, False, None
    total = sum((one[0] for one in known), Decimal(0))
    moments = [one[1] for one in known]
    return (total, min(moments)), len(known) < len(flows), max(moments)


def _phases_in_use(place: Place, since: datetime) -> int:
    """Return through how many phases current flows, or else may flow."""
    flows = [_read(place, key, since) for key in _LINES]
    return sum(1 for one in flows if one and one[0] >= 1) or place.phases


def _read(
    place: Place, key: MeasurementKey, since: datetime, factor: Decimal = Decimal(1)
) -> Sample | None:
    """Return a measurement that is not older than `since`."""
    channel = place.measurements.get(key)
    if channel is None or channel.value is None or channel.at is None:
        return None
    if channel.at < since:
        return None
    return Decimal(str(channel.value)) * factor, channel.at
