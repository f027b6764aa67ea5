"""Limits: what a user may wish for, and how the newest wish becomes true."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from .enums import LimitedBy, RateUnit
from .errors import NotSupported, StationError
from .link import Limit
from .model import ChargingStation, Place
from .outcome import Outcome
from .profiles.model import VOLTAGE
from .settings import StationSettings

if TYPE_CHECKING:
    from .limiter.limiter import Limiter

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


def in_ampere(limit: Limit, phases: int) -> Decimal:
    """Return a limit in A per phase."""
    return converted(limit, RateUnit.AMPERE, phases).value


def bounds(
    settings: StationSettings, unit: RateUnit, phases: int | None = None
) -> tuple[Decimal, Decimal]:
    """Return the lowest limit that still charges, and the highest one allowed."""
    phases = phases or settings.phases
    low = Limit(value=Decimal(settings.minimum_current))
    high = Limit(value=Decimal(settings.maximum_current))
    return converted(low, unit, phases).value, converted(high, unit, phases).value


def check(settings: StationSettings, limit: Limit, phases: int | None = None) -> None:
    """Raise LimitError unless a limit is 0 or between minimum and maximum current."""
    low, high = bounds(settings, limit.unit, phases)
    if not limit.value.is_finite():
        raise LimitError(LimitErrorKind.NOT_A_NUMBER, limit=limit, bound=high)
    if limit.value < 0:
        raise LimitError(LimitErrorKind.NEGATIVE, limit=limit, bound=Decimal(0))
    if limit.value > high:
        raise LimitError(LimitErrorKind.ABOVE_MAXIMUM, limit=limit, bound=high)
    # IEC 61851-1 knows nothing between 0 and 6 A: a car may take what it wants there.
    if 0 < limit.value < low:
        raise LimitError(LimitErrorKind.BELOW_MINIMUM, limit=limit, bound=low)


def paused(place: Place) -> bool:
    """Return whether a limit of ours keeps a place from charging."""
    wanted = place.wanted_limit.value
    return wanted is not None and wanted.value == 0


def held(place: Place) -> bool:
    """Return whether a place is kept from charging where our limits are written.

    By whoever: one that takes a single number may have a 0 there from somebody else.
    """
    return paused(place) or place.known_limits.value.get(LimitedBy.OUR_LIMIT) == 0


def clamp(station: ChargingStation) -> None:
    """Lower what was wanted to a maximum current that is lower now."""
    if station.limiter is not None:
        station.limiter.clamp()


async def request(
    station: ChargingStation,
    evse_id: int,
    limit: Limit | None,
    *,
    duration: timedelta | None = None,
) -> Outcome:
    """Make a limit hold at an EVSE (0: the station), or with None remove ours.

    After `duration` what held before holds again. Raises LimitError for a wish that
    must not be sent, NotConnected or NotSupported if none can be. A wish that a newer
    one overtook was not sent: SUPERSEDED; one that has to wait is SCHEDULED.
    """
    return await _limiter(station).request(evse_id, limit, duration=duration)


async def request_phases(
    station: ChargingStation, evse_id: int, phases: int | None
) -> Outcome:
    """Charge with one or three phases; None leaves it to the station.

    Raises LimitError if the station cannot switch.
    """
    return await _limiter(station).request_phases(evse_id, phases)


async def pause(station: ChargingStation, evse_id: int) -> Outcome:
    """Stop the flow of energy of the open transaction without ending it: a limit of 0.

    Raises LimitError if no transaction is open. The pause ends with the transaction.
    """
    return await _limiter(station).pause(evse_id)


async def resume(station: ChargingStation, evse_id: int) -> Outcome:
    """Let energy flow again, up to the limit that held before the pause."""
    return await _limiter(station).resume(evse_id)


def _limiter(station: ChargingStation) -> Limiter:
    if station.limiter is None:
        raise NotSupported
    return station.limiter
