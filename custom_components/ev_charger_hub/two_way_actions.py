"""Actions about energy in both directions: what a vehicle takes or gives (OCPP 2.1)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import (
    ATTR_CONNECTOR,
    ATTR_DURATION,
    ATTR_LIMIT,
    ATTR_UNIT,
    DURATION,
    ActionGroup,
    Data,
    response,
)
from .helpers import checked, invalid, translated_errors
from .profile_wish import BELOW_OURS, Wish, free_id
from .profile_words import one_of
from .station.clock import utc_now
from .station.enums import RateUnit
from .station.errors import NotSupported
from .station.link import Capability, Link
from .station.model import ChargingStation, Evse
from .station.profiles.ledger import Entry, dialect_of
from .station.profiles.model import (
    ChargingProfile,
    Installed,
    Kind,
    Period,
    Purpose,
    Schedule,
)
from .station.profiles.rules import violations
from .station.profiles.two_way import OperationMode, TwoWay
from .targets import Target

ATTR_BASELINE: Final = "baseline"
ATTR_DISCHARGE_LIMIT: Final = "discharge_limit"
ATTR_DYNAMIC: Final = "dynamic"
ATTR_FREQUENCY: Final = "frequency"
ATTR_FREQUENCY_CURVE: Final = "frequency_curve"
ATTR_INVALID_AFTER_OFFLINE: Final = "invalid_after_offline"
ATTR_MAX_OFFLINE: Final = "max_offline"
ATTR_MODE: Final = "operation_mode"
ATTR_POWER: Final = "power"
ATTR_PROFILE_ID: Final = "profile_id"
ATTR_SETPOINT: Final = "setpoint"
ATTR_SIGNAL: Final = "signal"
ATTR_SIGNAL_CURVE: Final = "signal_curve"
ATTR_UPDATE_INTERVAL: Final = "update_interval"

MAX_POINTS: Final = 20


def _signed(value: object) -> Decimal:
    """Return a number exactly as it was written."""
    read: float = vol.All(vol.Coerce(float), vol.Range(min=-1e6, max=1e6))(value)
    return Decimal(str(read))


def _positive(value: object) -> Decimal:
    read: float = vol.All(vol.Coerce(float), vol.Range(min=0, max=1e6))(value)
    return Decimal(str(read))


async def _set_bidirectional_profile(target: Target, data: Data) -> JsonObjectType:
    evse, station = (
        target.session_evse("profile_tx_without_transaction"),
        target.station,
    )
    told = _two_way(data)
    link = _link(station)
    profile = await _profile(target, evse, told, data, link)
    installed = Installed(evse_id=evse.id, profile=profile, set_at=utc_now())
    with translated_errors(station):
        outcome = await target.hub_station.ledger.install(
            link, Entry(installed=installed)
        )
    return {**response(checked(station, outcome)), ATTR_PROFILE_ID: profile.id}


async def _update_bidirectional_profile(target: Target, data: Data) -> JsonObjectType:
    evse, station = (
        target.session_evse("profile_tx_without_transaction"),
        target.station,
    )
    entry, told = _running(target, evse)
    newer = replace(told, **_amounts(data))
    if wrong := newer.wrong:
        raise _misfit(newer, wrong)
    with translated_errors(station):
        if (commands := _link(station).two_way) is None:
            raise NotSupported
        outcome = await commands.update(entry.installed.profile.id, newer)
    checked(station, outcome)
    with translated_errors(station):
        await target.hub_station.ledger.note(_changed(entry, newer))
    return {**response(outcome), ATTR_PROFILE_ID: entry.installed.profile.id}


def _running(target: Target, evse: Evse) -> tuple[Entry, TwoWay]:
    """Return the dynamic profile of a session, and what it says; raise if none is."""
    for entry in target.hub_station.ledger.entries:
        profile = entry.installed.profile
        told = profile.schedule.periods[0].two_way
        if (
            entry.installed.evse_id == evse.id
            and profile.kind is Kind.DYNAMIC
            and told is not None
        ):
            return entry, told
    raise invalid("two_way_not_dynamic")


def _entry(target: Target, evse: Evse) -> Installed | None:
    """Return the profile of a session that a new one takes the place of."""
    found = (
        one
        for one in target.hub_station.ledger.installed
        if one.evse_id == evse.id
        and one.profile.purpose is Purpose.TX
        and one.profile.schedule.periods[0].two_way is not None
    )
    return next(found, None)


def _changed(entry: Entry, told: TwoWay) -> Entry:
    """Return the entry of a profile that says something else now."""
    profile = entry.installed.profile
    (period,) = profile.schedule.periods
    period = replace(period, limit=told.most, two_way=told)
    schedule = replace(profile.schedule, periods=(period,))
    installed = replace(
        entry.installed,
        profile=replace(profile, schedule=schedule),
        set_at=utc_now(),
    )
    return replace(entry, installed=installed)


def _two_way(data: Data) -> TwoWay:
    """Return what is wanted; raise if its mode does not go with it."""
    told = TwoWay(
        mode=data[ATTR_MODE],
        baseline=data.get(ATTR_BASELINE),
        frequency_curve=tuple(
            (one[ATTR_FREQUENCY], one[ATTR_POWER])
            for one in data.get(ATTR_FREQUENCY_CURVE, ())
        ),
        signal_curve=tuple(
            (one[ATTR_SIGNAL], one[ATTR_POWER])
            for one in data.get(ATTR_SIGNAL_CURVE, ())
        ),
    )
    told = replace(told, **_amounts(data))
    if wrong := told.wrong:
        raise _misfit(told, wrong)
    return told


def _amounts(data: Data) -> dict[str, Any]:
    """Return the numbers that are given; what flows back is below 0."""
    amounts: dict[str, Any] = {
        name: data[name] for name in (ATTR_LIMIT, ATTR_SETPOINT) if name in data
    }
    if ATTR_DISCHARGE_LIMIT in data:
        amounts[ATTR_DISCHARGE_LIMIT] = -data[ATTR_DISCHARGE_LIMIT]
    return amounts


def _misfit(told: TwoWay, wrong: list[str]) -> Exception:
    return invalid("two_way_fields", mode=told.mode, fields=", ".join(wrong))


async def _profile(
    target: Target, evse: Evse, told: TwoWay, data: Data, link: Link
) -> ChargingProfile:
    """Return the profile to send, of the session that runs."""
    support, session, now = link.profile_support, evse.transaction, utc_now()
    duration = data.get(ATTR_DURATION)
    kind = Kind.DYNAMIC if data[ATTR_DYNAMIC] else Kind.RELATIVE
    if duration is not None and kind is Kind.RELATIVE:
        kind = Kind.ABSOLUTE
    draft = ChargingProfile(
        id=-1,
        purpose=Purpose.TX,
        kind=kind,
        stack_level=max((support.max_stack_level or 0) - BELOW_OURS, 0),
        schedule=Schedule(
            unit=data[ATTR_UNIT],
            periods=(Period(start=0, limit=told.most, two_way=told),),
            start=now.replace(microsecond=0) if kind is Kind.ABSOLUTE else None,
            duration=duration and int(duration.total_seconds()),
        ),
        transaction_id=session.transaction_id if session else None,
        max_offline=_seconds(data, ATTR_MAX_OFFLINE),
        invalid_after_offline=data[ATTR_INVALID_AFTER_OFFLINE],
        update_interval=_seconds(data, ATTR_UPDATE_INTERVAL),
    )
    wish = Wish(
        target=target,
        data=data,
        support=support,
        now=now,
        purpose=Purpose.TX,
        evse_id=evse.id,
    )
    before = _entry(target, evse)
    number = await free_id(wish, draft) if before is None else before.profile.id
    profile = replace(draft, id=number)
    for broken in violations(
        profile,
        evse_id=evse.id,
        support=support,
        transaction_id=profile.transaction_id,
        others=target.hub_station.ledger.installed,
        dialect=dialect_of(target.station),
    ):
        raise invalid(broken.key, **broken.placeholders)
    return profile


def _seconds(data: Data, name: str) -> int | None:
    return int(data[name].total_seconds()) if name in data else None


def _link(station: ChargingStation) -> Link:
    """Return the link that carries it, which OCPP 2.1 alone does."""
    with translated_errors(station):
        return station.link(Capability.TWO_WAY)


_CURVE_LENGTH: Final = vol.Length(min=1, max=MAX_POINTS)
_FREQUENCIES: Final = vol.All(
    [
        vol.Schema(
            {vol.Required(ATTR_FREQUENCY): _positive, vol.Required(ATTR_POWER): _signed}
        )
    ],
    _CURVE_LENGTH,
)
_SIGNALS: Final = vol.All(
    [
        vol.Schema(
            {
                vol.Required(ATTR_SIGNAL): vol.Coerce(int),
                vol.Required(ATTR_POWER): _signed,
            }
        )
    ],
    _CURVE_LENGTH,
)
_WHERE: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1)),
}
_AMOUNTS: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_SETPOINT): _signed,
    vol.Optional(ATTR_LIMIT): _positive,
    vol.Optional(ATTR_DISCHARGE_LIMIT): _positive,
}

ACTIONS: Final = ActionGroup(
    commands={
        "set_bidirectional_profile": (
            _set_bidirectional_profile,
            {
                **_WHERE,
                **_AMOUNTS,
                vol.Required(ATTR_MODE): vol.All(
                    vol.In([str(one) for one in OperationMode]),
                    vol.Coerce(OperationMode),
                ),
                vol.Optional(ATTR_UNIT, default="W"): one_of(RateUnit),
                vol.Optional(ATTR_BASELINE): _signed,
                vol.Optional(ATTR_FREQUENCY_CURVE): _FREQUENCIES,
                vol.Optional(ATTR_SIGNAL_CURVE): _SIGNALS,
                vol.Optional(ATTR_DYNAMIC, default=False): cv.boolean,
                vol.Optional(ATTR_UPDATE_INTERVAL): DURATION,
                vol.Optional(ATTR_DURATION): DURATION,
                vol.Optional(ATTR_MAX_OFFLINE): DURATION,
                vol.Optional(ATTR_INVALID_AFTER_OFFLINE, default=False): cv.boolean,
            },
        ),
        "update_bidirectional_profile": (
            _update_bidirectional_profile,
            {**_WHERE, **_AMOUNTS},
        ),
    }
)
