"""Flows: what the meters tell of the current that a place takes, or is offered."""

from datetime import datetime, timedelta
from decimal import Decimal

from ..enums import ConnectorStatus, Location, Measurand, Phase
from ..model import Evse, MeasurementKey, Place
from ..profiles.model import VOLTAGE

BEGINNING = timedelta(seconds=10)
"""How long it takes until a vehicle draws what it may, and others give way to it."""

FRESH = timedelta(minutes=10)
"""For how long a sample tells what flows."""

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


def status_of(place: Place) -> ConnectorStatus | None:
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


def samples(
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
