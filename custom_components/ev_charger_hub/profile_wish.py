"""A charging profile that is asked for, with all that suits its charger best."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeassistant.util import dt as dt_util

from .fields import ATTR_DURATION, ATTR_LIMIT, ATTR_UNIT, Data
from .helpers import invalid, translated_errors
from .profile_newer import newer
from .profile_schedule import Timed, WrittenPeriod, WrittenSchedule, timed
from .station import limits
from .station.clock import utc_now
from .station.link import Limit
from .station.profiles.ledger import dialect_of
from .station.profiles.model import (
    DEFAULT_PHASES,
    ChargingProfile,
    Installed,
    ProfileSupport,
    Purpose,
)
from .station.profiles.rules import violations
from .targets import Target

ATTR_ID: Final = "id"
ATTR_KIND: Final = "kind"
ATTR_PERIODS: Final = "periods"
ATTR_PHASES: Final = "phases"
ATTR_PURPOSE: Final = "purpose"
ATTR_RECURRENCE: Final = "recurrence"
ATTR_STACK_LEVEL: Final = "stack_level"
ATTR_START: Final = "start"
ATTR_VALID_FROM: Final = "valid_from"
ATTR_VALID_TO: Final = "valid_to"
ATTR_WEEKDAY: Final = "weekday"

RESERVED_IDS = range(1000, 5000)
"""The ids of the limits that the integration itself keeps."""

FIRST_ID = RESERVED_IDS.stop
BELOW_OURS = 2
"""How many stack levels a profile is below the limits, and the fall-back, of ours."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Wish:
    """A profile that is asked for, of one charger at one moment."""

    target: Target
    data: Data
    support: ProfileSupport
    now: datetime
    purpose: Purpose
    evse_id: int

    @property
    def transaction_id(self) -> str | None:
        """Return the transaction that runs where the profile is for."""
        evse = self.target.station.evses.get(self.evse_id)
        transaction = evse.transaction if evse else None
        return transaction.transaction_id if transaction else None


def wish_of(target: Target, data: Data, support: ProfileSupport) -> Wish:
    """Return what is asked for, with the purpose and place that suit best."""
    # A charger with one connector is not the connector: 0 is a place of its own.
    evse_id = 0 if target.named == 0 else target.evse_id or 0
    evse = target.station.evses.get(evse_id)
    asked: Purpose | None = data.get(ATTR_PURPOSE)
    if asked is Purpose.STATION_MAX and target.named is None:
        evse_id = 0
    if asked is Purpose.TX and target.named is None:
        evse_id = target.session_evse("profile_tx_without_transaction").id
    if asked is None and not evse_id:
        asked = Purpose.STATION_MAX
    if asked is None:
        session = evse is not None and evse.transaction is not None
        once = ATTR_RECURRENCE not in data
        asked = Purpose.TX if session and once else Purpose.TX_DEFAULT
    return Wish(
        target=target,
        data=data,
        support=support,
        now=utc_now(),
        purpose=asked,
        evse_id=evse_id,
    )


async def drafted(wish: Wish) -> tuple[ChargingProfile, Timed]:
    """Return the profile to send, which keeps all rules, and how it was timed."""
    told = _timed(wish)
    return _checked(wish, await _profile(wish, told)), told


def _timed(wish: Wish) -> Timed:
    """Return the schedule to send."""
    data, phases = wish.data, wish.target.station.settings.phases
    written = WrittenSchedule(
        unit=data[ATTR_UNIT],
        periods=tuple(
            WrittenPeriod(
                start=one[ATTR_START],
                limit=one[ATTR_LIMIT],
                phases=one.get(ATTR_PHASES),
                weekdays=one.get(ATTR_WEEKDAY),
            )
            for one in data[ATTR_PERIODS]
        ),
        duration=data.get(ATTR_DURATION),
        kind=data.get(ATTR_KIND),
        recurrence=data.get(ATTR_RECURRENCE),
        begin=data.get(ATTR_VALID_FROM),
        phases=None if phases == DEFAULT_PHASES else phases,
    )
    return timed(
        written,
        now=wish.now,
        zone=dt_util.get_default_time_zone(),
        only_absolute=wish.support.only_absolute,
    )


async def _profile(wish: Wish, told: Timed) -> ChargingProfile:
    """Return the profile to send, with the level and the id that suit best."""
    data = wish.data
    level: int | None = data.get(ATTR_STACK_LEVEL)
    if level is None:
        level = max((wish.support.max_stack_level or 0) - BELOW_OURS, 0)
    draft = ChargingProfile(
        id=data.get(ATTR_ID, -1),
        purpose=wish.purpose,
        kind=told.kind,
        stack_level=level,
        schedule=told.schedule,
        recurrence=data.get(ATTR_RECURRENCE),
        valid_from=data.get(ATTR_VALID_FROM),
        valid_to=data.get(ATTR_VALID_TO),
        transaction_id=wish.transaction_id if wish.purpose is Purpose.TX else None,
    )
    if draft.id in RESERVED_IDS:
        raise invalid("profile_id_reserved", id=str(draft.id))
    draft = newer(draft, data)
    return draft if draft.id >= 0 else replace(draft, id=await free_id(wish, draft))


async def free_id(wish: Wish, draft: ChargingProfile) -> int:
    """Return the id of our profile that the new one takes the place of, or a new id."""
    hub_station = wish.target.hub_station
    place = Installed(evse_id=wish.evse_id, profile=draft, set_at=wish.now)
    for old in hub_station.ledger.replaced(place):
        if old.installed.profile.id not in RESERVED_IDS:
            return old.installed.profile.id
    identity = hub_station.station.identity
    with translated_errors(hub_station.station):
        given = await wish.target.hub.journal.next_number(f"profile {identity}")
    return max(FIRST_ID - 1, wish.support.max_external_id or 0) + given


def _checked(wish: Wish, profile: ChargingProfile) -> ChargingProfile:
    """Return a profile that keeps all rules, and the bounds of its charger."""
    station = wish.target.station
    for broken in violations(
        profile,
        evse_id=wish.evse_id,
        support=wish.support,
        transaction_id=wish.transaction_id,
        others=wish.target.hub_station.ledger.installed,
        dialect=dialect_of(station),
    ):
        raise invalid(broken.key, **broken.placeholders)
    unit = profile.schedule.unit
    with translated_errors(station):
        for one in profile.schedule.periods:
            limit = Limit(value=one.limit, unit=unit)
            limits.check(station.settings, limit, one.phases)
    return profile
