"""Actions about charging profiles: set, clear and list them, and what they come to."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
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
from .helpers import checked, failed, invalid, translated_errors
from .profile_newer import FIELDS as NEWER_FIELDS
from .profile_wish import (
    ATTR_ID,
    ATTR_KIND,
    ATTR_PERIODS,
    ATTR_PHASES,
    ATTR_PURPOSE,
    ATTR_RECURRENCE,
    ATTR_STACK_LEVEL,
    ATTR_START,
    ATTR_VALID_FROM,
    ATTR_VALID_TO,
    ATTR_WEEKDAY,
    RESERVED_IDS,
    Wish,
    drafted,
    wish_of,
)
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
from .station.clock import utc_now
from .station.enums import RateUnit
from .station.errors import NotConnected
from .station.link import Capability, Link, LinkKind
from .station.outcome import OutcomeStatus
from .station.profiles import clearing
from .station.profiles.composite import composite
from .station.profiles.ledger import Entry
from .station.profiles.model import (
    Circumstances,
    CompositeSchedule,
    Installed,
    Kind,
    ProfileCriteria,
    Purpose,
    Recurrence,
)
from .targets import Target

ATTR_SOURCE: Final = "source"

SOURCES: Final = {"cso": "CSO", "ems": "EMS", "other": "Other", "so": "SO"}
"""Who sets profiles, as OCPP 2.x calls them (ChargingLimitSourceEnumType)."""

OUTLOOK = timedelta(days=1)
"""How far a response looks ahead."""


async def _set_charging_profile(target: Target, data: Data) -> JsonObjectType:
    station, ledger = target.station, target.hub_station.ledger
    link = _link(target)
    wish = wish_of(target, data, link.profile_support)
    profile, told = await drafted(wish)
    installed = Installed(evse_id=wish.evse_id, profile=profile, set_at=wish.now)
    replaced = ledger.replaced(installed) if wish.support.replaces_by_clearing else ()
    for old in replaced:
        await _make_room(wish, link, old.installed.profile.id)
    # Who keeps local time itself needs nobody who does it for them.
    local = profile.schedule.use_local_time
    entry = Entry(installed=installed, wall_start=None if local else told.wall_start)
    with translated_errors(station):
        outcome = await ledger.install(link, entry)
        if outcome.status is OutcomeStatus.REJECTED:
            # What held before is better than nothing.
            for old in replaced:
                await ledger.install(link, old)
    return {
        **response(checked(station, outcome)),
        "profile_id": profile.id,
        "profile": told_profile(entry),
        "schedule": _outlook(target, wish.evse_id, profile.schedule.unit),
    }


async def _make_room(wish: Wish, link: Link, profile_id: int) -> None:
    """Clear a profile that has to go before another one can take its place."""
    station, ledger = wish.target.station, wish.target.hub_station.ledger
    if profile_id in RESERVED_IDS:
        # A limit of the user, which is not to be lost by the way.
        raise invalid(
            "profile_clear_first", charger=station.settings.name, id=str(profile_id)
        )
    with translated_errors(station):
        checked(station, await ledger.clear(link, ProfileCriteria(id=profile_id)))


async def _clear_charging_profile(target: Target, data: Data) -> JsonObjectType:
    station, ledger = target.station, target.hub_station.ledger
    criteria = _criteria(target, data)
    if criteria.purpose is Purpose.EXTERNAL:
        # K10.FR.06: what others have set is not ours to clear.
        raise invalid("profile_purpose_external")
    cleared = [one for one in ledger.installed if criteria.fits(one)]
    link = _link(target)
    with translated_errors(station):
        outcome, gone = await clearing.clear(
            link, ledger, criteria, partial(_expected, target)
        )
    return {
        **response(checked(station, outcome)),
        **({} if gone is None else {"verified": gone}),
        "cleared": [one.profile.id for one in cleared],
        "schedule": _outlook(target, _asked_place(target), RateUnit.AMPERE),
    }


async def _get_charging_profiles(target: Target, data: Data) -> JsonObjectType:
    station, criteria = target.station, _criteria(target, data)
    _check_carried(target)
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


def _check_carried(target: Target) -> None:
    """Raise if the only way to a charger is one that knows no profiles."""
    if target.station.ways == {LinkKind.EASEE}:
        raise failed("easee_no_profiles", charger=target.station.settings.name)


def _link(target: Target) -> Link:
    """Return the link that carries profiles."""
    _check_carried(target)
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
    """Tell what the profiles that we sent come to from now on."""
    return told_schedule(_expected(target, evse_id, unit, duration))


def _expected(
    target: Target,
    evse_id: int,
    unit: RateUnit = RateUnit.AMPERE,
    duration: timedelta = OUTLOOK,
) -> CompositeSchedule:
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
    return composite(
        target.hub_station.ledger.installed,
        evse_id=evse_id,
        start=utc_now().replace(microsecond=0),
        duration=duration // timedelta(seconds=1),
        unit=unit,
        circumstances=by_evse,
    )


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
