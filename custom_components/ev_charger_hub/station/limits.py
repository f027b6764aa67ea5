"""Limits: what a user may wish for, and how the newest wish becomes true."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from weakref import WeakKeyDictionary

from .enums import RateUnit
from .errors import StationError
from .link import Capability, Limit
from .model import ChargingStation, Evse, Pause, Place
from .outcome import Outcome, OutcomeStatus
from .settings import StationSettings

VOLTAGE = Decimal(230)
"""Nominal voltage between phase and neutral, for conversion of A and W."""

PAUSE = Limit(value=Decimal(0))


class LimitErrorKind(StrEnum):
    """Why a wish cannot be; values are translation keys."""

    ABOVE_MAXIMUM = "limit_above_maximum"
    BELOW_MINIMUM = "limit_below_minimum"
    NEGATIVE = "limit_negative"
    NOT_A_NUMBER = "limit_not_a_number"
    NO_SESSION = "no_session_to_pause"
    PHASES_NOT_SUPPORTED = "phases_not_supported"
    UNKNOWN_EVSE = "limit_unknown_evse"
    WRITE_BUDGET = "limit_write_budget"
    ZERO_ENDS_SESSION = "limit_zero_ends_session"


class LimitError(StationError, ValueError):
    """A limit that is not sent, because it could not hold or would do harm.

    `bound` is the nearest value that would do, in the unit of the wish; `again_at` when
    it would do.
    """

    def __init__(
        self,
        kind: LimitErrorKind,
        *,
        limit: Limit | None = None,
        bound: Decimal | None = None,
        again_at: datetime | None = None,
    ) -> None:
        """Say what is wrong with which limit."""
        super().__init__(kind.value)
        self.kind = kind
        self.limit = limit
        self.bound = bound
        self.again_at = again_at


def converted(limit: Limit, unit: RateUnit, phases: int) -> Limit:
    """Return the same limit in another unit: ampere per phase, or watt of all phases."""
    if limit.unit is unit:
        return limit
    factor = VOLTAGE * phases
    if unit is RateUnit.WATT:
        return Limit(value=limit.value * factor, unit=unit)
    return Limit(value=limit.value / factor, unit=unit)


def bounds(settings: StationSettings, unit: RateUnit) -> tuple[Decimal, Decimal]:
    """Return the lowest limit that still charges, and the highest one allowed."""
    low = Limit(value=Decimal(settings.minimum_current))
    high = Limit(value=Decimal(settings.maximum_current))
    return (
        converted(low, unit, settings.phases).value,
        converted(high, unit, settings.phases).value,
    )


def check(settings: StationSettings, limit: Limit) -> None:
    """Raise LimitError unless a limit is 0 or between minimum and maximum current."""
    low, high = bounds(settings, limit.unit)
    if not limit.value.is_finite():
        raise LimitError(LimitErrorKind.NOT_A_NUMBER, limit=limit, bound=high)
    if limit.value < 0:
        raise LimitError(LimitErrorKind.NEGATIVE, limit=limit, bound=Decimal(0))
    if limit.value > high:
        raise LimitError(LimitErrorKind.ABOVE_MAXIMUM, limit=limit, bound=high)
    # IEC 61851-1 knows nothing between 0 and 6 A: a car may take what it wants there.
    if 0 < limit.value < low:
        raise LimitError(LimitErrorKind.BELOW_MINIMUM, limit=limit, bound=low)


def clamp(station: ChargingStation) -> None:
    """Lower what was wanted to a maximum current that is lower now."""
    for place in (station.whole, *station.evses.values()):
        if (wanted := place.wanted_limit.value) is not None:
            _, high = bounds(station.settings, wanted.unit)
            if wanted.value > high:
                place.wanted_limit.set(replace(wanted, value=high))


class _Turns:
    """Whose turn it is at one place: one wish at a time, of those waiting the newest."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.newest = 0


_TURNS: WeakKeyDictionary[Place, _Turns] = WeakKeyDictionary()


async def request(
    station: ChargingStation,
    evse_id: int,
    limit: Limit | None,
    *,
    duration: timedelta | None = None,
) -> Outcome:
    """Make a limit hold at an EVSE (0: the station), or with None remove ours.

    After `duration` what held before holds again.
    Raises LimitError for a wish that must not be sent, NotConnected or NotSupported
    if none can be. A wish that a newer one overtook was not sent: SUPERSEDED.
    """
    place = _place(station, evse_id)
    if limit is not None:
        check(station.settings, limit)
    turns = _TURNS.setdefault(place, _Turns())
    turns.newest += 1
    ticket = turns.newest
    async with turns.lock:
        if ticket != turns.newest:
            return Outcome(status=OutcomeStatus.SUPERSEDED)
        return await _apply(station, place, limit)


async def request_phases(
    station: ChargingStation, evse_id: int, phases: int | None
) -> Outcome:
    """Charge with one or three phases; None leaves it to the station.

    Raises LimitError if the station cannot switch.
    """
    _place(station, evse_id)
    raise LimitError(LimitErrorKind.PHASES_NOT_SUPPORTED)


def _place(station: ChargingStation, evse_id: int) -> Place:
    # A wish for an EVSE that does not exist must not create it.
    if evse_id and evse_id not in station.evses:
        raise LimitError(LimitErrorKind.UNKNOWN_EVSE)
    return station.place(evse_id)


async def _apply(
    station: ChargingStation, place: Place, limit: Limit | None
) -> Outcome:
    link = station.link(Capability.LIMIT)
    if limit is None:
        outcome = await link.clear_limit(place.id)
    else:
        outcome = await link.set_limit(place.id, limit)
    if outcome.ok:
        place.wanted_limit.set(limit)
        place.pause = None
    return outcome


def paused(place: Place) -> bool:
    """Return whether a limit of ours keeps a place from charging."""
    wanted = place.wanted_limit.value
    return wanted is not None and wanted.value == 0


async def pause(station: ChargingStation, evse_id: int) -> Outcome:
    """Stop the flow of energy of the open transaction without ending it: a limit of 0.

    Raises LimitError if no transaction is open. The pause ends with the transaction.
    """
    if (evse := station.evses.get(evse_id)) is None:
        raise LimitError(LimitErrorKind.UNKNOWN_EVSE)
    if (transaction := evse.transaction) is None:
        raise LimitError(LimitErrorKind.NO_SESSION)
    began = evse.pause
    if began is None or not paused(evse):
        began = Pause(transaction=transaction.key, before=evse.wanted_limit.value)
    outcome = await request(station, evse_id, PAUSE)
    if outcome.ok:
        evse.pause = began
    return outcome


async def resume(station: ChargingStation, evse_id: int) -> Outcome:
    """Let energy flow again, up to the limit that held before the pause."""
    place = _place(station, evse_id)
    limit = place.wanted_limit.value
    if paused(place):
        limit = place.pause.before if place.pause else None
    return await request(station, evse_id, limit)


def end_pause(evse: Evse) -> bool:
    """Return whether a pause ended because its transaction did; its limit is over."""
    pause, transaction = evse.pause, evse.transaction
    if pause is None or (transaction and transaction.key == pause.transaction):
        return False
    evse.pause = None
    evse.wanted_limit.set(pause.before)
    return True
