"""Actions about charging profiles: set, clear and list them, and what they come to."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import (
    ATTR_DURATION,
    ATTR_LIMIT,
    ATTR_UNIT,
    CONNECTOR_OR_ALL,
    DURATION,
    ActionGroup,
    Actions,
    Data,
    number,
    response,
)
from .helpers import checked, invalid, translated_errors
from .profile_newer import FIELDS as NEWER_FIELDS, newer
from .profile_schedule import Timed, WrittenPeriod, WrittenSchedule, timed
from .profile_words import (
    moment,
    one_of,
    purpose,
    start,
    told_installed,
    told_profile,
    told_schedule,
    weekdays,
)
from .station import limits
from .station.clock import utc_now
from .station.enums import RateUnit
from .station.errors import NotConnected
from .station.link import Capability, Limit, Link
from .station.outcome import OutcomeStatus
from .station.profiles.composite import composite
from .station.profiles.ledger import Entry, dialect_of
from .station.profiles.model import (
    DEFAULT_PHASES,
    ChargingProfile,
    Circumstances,
    CompositeSchedule,
    Installed,
    Kind,
    ProfileCriteria,
    ProfileSupport,
    Purpose,
    Recurrence,
)
from .station.profiles.rules import violations
from .targets import Target

ATTR_ID: Final = "id"
ATTR_KIND: Final = "kind"
ATTR_PERIODS: Final = "periods"
ATTR_PHASES: Final = "phases"
ATTR_PURPOSE: Final = "purpose"
ATTR_RECURRENCE: Final = "recurrence"
ATTR_SOURCE: Final = "source"
ATTR_STACK_LEVEL: Final = "stack_level"
ATTR_START: Final = "start"
ATTR_VALID_FROM: Final = "valid_from"
ATTR_VALID_TO: Final = "valid_to"
ATTR_WEEKDAY: Final = "weekday"

SOURCES: Final = {"cso": "CSO", "ems": "EMS", "other": "Other", "so": "SO"}
"""Who sets profiles, as OCPP 2.x calls them (ChargingLimitSourceEnumType)."""

RESERVED_IDS = range(1000, 5000)
"""The ids of the limits that the integration itself keeps."""

FIRST_ID = RESERVED_IDS.stop
OUTLOOK = timedelta(days=1)
"""How far a response looks ahead."""

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


async def _set_charging_profile(target: Target, data: Data) -> JsonObjectType:
    station, ledger = target.station, target.hub_station.ledger
    link = _link(target)
    wish = _wish(target, data, link.profile_support)
    told = _timed(wish)
    profile = _checked(wish, await _profile(wish, told))
    installed = Installed(evse_id=wish.evse_id, profile=profile, set_at=wish.now)
    if wish.support.replaces_by_clearing:
        for old in ledger.replaced(installed):
            raise invalid(
                "profile_clear_first",
                charger=station.settings.name,
                id=str(old.installed.profile.id),
            )
    # Who keeps local time itself needs nobody who does it for them.
    local = profile.schedule.use_local_time
    entry = Entry(installed=installed, wall_start=None if local else told.wall_start)
    with translated_errors(station):
        outcome = await ledger.install(link, entry)
    return {
        **response(checked(station, outcome)),
        "profile_id": profile.id,
        "profile": told_profile(entry),
        "schedule": _outlook(target, wish.evse_id, profile.schedule.unit),
    }


def _wish(target: Target, data: Data, support: ProfileSupport) -> Wish:
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


async def _clear_charging_profile(target: Target, data: Data) -> JsonObjectType:
    station, ledger = target.station, target.hub_station.ledger
    criteria = _criteria(target, data)
    if criteria.purpose is Purpose.EXTERNAL:
        # K10.FR.06: what others have set is not ours to clear.
        raise invalid("profile_purpose_external")
    cleared = [one for one in ledger.installed if criteria.fits(one)]
    link = _link(target)
    with translated_errors(station):
        outcome = await ledger.clear(link, criteria)
    return {
        **response(checked(station, outcome)),
        "cleared": [one.profile.id for one in cleared],
        "schedule": _outlook(target, _asked_place(target), RateUnit.AMPERE),
    }


async def _get_charging_profiles(target: Target, data: Data) -> JsonObjectType:
    station, criteria = target.station, _criteria(target, data)
    with translated_errors(station), suppress(NotConnected):
        link = station.link(Capability.PROFILES)
        outcome, told = await link.get_profiles(criteria)
        if outcome.status is not OutcomeStatus.NOT_SUPPORTED:
            checked(station, outcome)
            profiles: list[JsonValueType] = [told_installed(one) for one in told]
            return {"source": "charger", "profiles": profiles}
    entries = target.hub_station.ledger.entries
    kept: list[JsonValueType] = [
        told_profile(one) for one in entries if criteria.fits(one.installed)
    ]
    return {"source": "journal", "profiles": kept}


async def _get_composite_schedule(target: Target, data: Data) -> JsonObjectType:
    station, evse_id = target.station, _asked_place(target)
    duration, unit = data[ATTR_DURATION], data.get(ATTR_UNIT)
    link = _link(target)
    with translated_errors(station):
        outcome, told = await link.composite_schedule(
            evse_id, duration // timedelta(seconds=1), unit
        )
    unit = told.unit if told else unit or RateUnit.AMPERE
    return {
        **response(checked(station, outcome)),
        "schedule": told_schedule(told) if told else None,
        "expected": _outlook(target, evse_id, unit, duration),
    }


def _link(target: Target) -> Link:
    """Return the link that carries profiles."""
    with translated_errors(target.station):
        return target.station.link(Capability.PROFILES)


def _asked_place(target: Target) -> int:
    """Return the EVSE that is asked about: the named one, the only one, or all."""
    return 0 if target.named == 0 else target.evse_id or 0


def _criteria(target: Target, data: Data) -> ProfileCriteria:
    """Return which profiles are meant; of all connectors if none is named."""
    return ProfileCriteria(
        id=data.get(ATTR_ID),
        evse_id=target.named,
        purpose=data.get(ATTR_PURPOSE),
        stack_level=data.get(ATTR_STACK_LEVEL),
        source=SOURCES.get(data.get(ATTR_SOURCE, "")),
    )


def _outlook(
    target: Target, evse_id: int, unit: RateUnit, duration: timedelta = OUTLOOK
) -> JsonObjectType:
    """Return what the profiles that we sent come to from now on."""
    station = target.station
    by_evse: dict[int, Circumstances] = {}
    for evse in station.evses.values():
        session = evse.transaction
        by_evse[evse.id] = Circumstances(
            phases=station.settings.phases,
            transaction_id=session.transaction_id if session else None,
            transaction_started_at=session.started_at if session else None,
        )
    schedule: CompositeSchedule = composite(
        target.hub_station.ledger.installed,
        evse_id=evse_id,
        start=utc_now().replace(microsecond=0),
        duration=duration // timedelta(seconds=1),
        unit=unit,
        circumstances=by_evse,
    )
    return told_schedule(schedule)


_UNIT = one_of(RateUnit)
_NATURAL = vol.All(vol.Coerce(int), vol.Range(min=0))
_PERIOD = vol.Schema(
    {
        vol.Required(ATTR_START): start,
        vol.Required(ATTR_LIMIT): number,
        vol.Optional(ATTR_PHASES): vol.Coerce(int),
        vol.Optional(ATTR_WEEKDAY): weekdays,
    }
)
_CRITERIA: dict[Any, Any] = {
    **CONNECTOR_OR_ALL,
    vol.Optional(ATTR_ID): _NATURAL,
    vol.Optional(ATTR_PURPOSE): purpose,
    vol.Optional(ATTR_STACK_LEVEL): _NATURAL,
}

_COMMANDS: Final[Actions] = {
    "set_charging_profile": (
        _set_charging_profile,
        {
            **_CRITERIA,
            vol.Required(ATTR_PERIODS): vol.All(cv.ensure_list, [_PERIOD]),
            vol.Optional(ATTR_UNIT, default="A"): _UNIT,
            vol.Optional(ATTR_DURATION): DURATION,
            vol.Optional(ATTR_KIND): one_of(Kind),
            vol.Optional(ATTR_RECURRENCE): one_of(Recurrence),
            vol.Optional(ATTR_VALID_FROM): moment,
            vol.Optional(ATTR_VALID_TO): moment,
            **NEWER_FIELDS,
        },
    ),
    "clear_charging_profile": (_clear_charging_profile, _CRITERIA),
}

_QUERIES: Final[Actions] = {
    "get_charging_profiles": (
        _get_charging_profiles,
        {**_CRITERIA, vol.Optional(ATTR_SOURCE): vol.In([*SOURCES])},
    ),
    "get_composite_schedule": (
        _get_composite_schedule,
        {
            **CONNECTOR_OR_ALL,
            vol.Optional(ATTR_DURATION, default=OUTLOOK): vol.All(
                DURATION, vol.Range(max=7 * OUTLOOK)
            ),
            vol.Optional(ATTR_UNIT): _UNIT,
        },
    ),
}

ACTIONS: Final = ActionGroup(commands=_COMMANDS, queries=_QUERIES)
