"""Actions about vehicles and flexible charging: needs, priority, targets, signals."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .fields import (
    ATTR_CONNECTOR,
    ATTR_LIMIT,
    ActionGroup,
    Actions,
    Data,
    number,
    response,
)
from .helpers import async_send, checked, invalid, translated_errors
from .priority import async_use_priority, flexible_of
from .profile_wish import ATTR_ID, RESERVED_IDS
from .profile_words import moment, one_of, told_periods
from .station import limits
from .station.clock import utc_now
from .station.link import Capability, Limit
from .station.model import Evse
from .station.needs import ChargingNeeds, EnergyTransfer, VehiclePlan
from .station.profiles.model import Kind
from .targets import Target

ATTR_ACTIVATE: Final = "activate"
ATTR_SIGNAL: Final = "signal"
ATTR_TIMESTAMP: Final = "timestamp"
ATTR_TRANSFERS: Final = "transfers"

_CONNECTOR: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1))
}


def _evse(target: Target) -> Evse:
    """Return the EVSE that is meant; raise if it is not clear, or not there."""
    evse = target.station.evses.get(target.required_evse_id())
    if evse is None:
        raise invalid("limit_unknown_evse", charger=target.station.settings.name)
    return evse


async def _get_charging_needs(target: Target, data: Data) -> JsonObjectType:
    evse = _evse(target)
    needs, plan = evse.needs.value, evse.plan.value
    return {
        "connector": evse.id,
        "needs": None if needs is None else _told_needs(needs),
        "plan": None if plan is None else _told_plan(plan),
    }


def _told_needs(needs: ChargingNeeds) -> JsonObjectType:
    told: JsonObjectType = dict(asdict(needs))
    told["told_at"] = _local(needs.told_at)
    told["departure"] = _local(needs.departure)
    return told


def _told_plan(plan: VehiclePlan) -> JsonObjectType:
    schedule = plan.schedule
    return {
        "accepted": plan.accepted,
        "told_at": _local(plan.told_at),
        "start": _local(schedule.start),
        "duration": schedule.duration,
        "unit": schedule.unit,
        "periods": told_periods(schedule),
    }


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else dt_util.as_local(moment).isoformat()


async def _use_priority_charging(target: Target, data: Data) -> JsonObjectType:
    evse, activate = target.session_evse(), data[ATTR_ACTIVATE]
    return response(
        await async_use_priority(target.hub_station, evse, activate=activate)
    )


async def _allow_energy_transfer(target: Target, data: Data) -> JsonObjectType:
    evse, station = target.session_evse(), target.station
    transfers: list[EnergyTransfer] = data[ATTR_TRANSFERS]
    session = evse.transaction
    assert session is not None
    outcome = await async_send(
        station,
        Capability.FLEXIBLE,
        lambda link: flexible_of(link).allow_transfers(
            session.transaction_id, transfers
        ),
    )
    evse.allowed_transfers = frozenset(transfers)
    return response(outcome)


async def _send_frequency_signal(target: Target, data: Data) -> JsonObjectType:
    at = data.get(ATTR_TIMESTAMP) or utc_now()
    outcome = await async_send(
        target.station,
        Capability.FLEXIBLE,
        lambda link: flexible_of(link).frequency_signal(data[ATTR_SIGNAL], at),
    )
    return response(outcome)


async def _update_dynamic_schedule(target: Target, data: Data) -> JsonObjectType:
    station, ledger = target.station, target.hub_station.ledger
    found = (
        one
        for one in ledger.entries
        if one.installed.profile.id == data[ATTR_ID]
        and one.installed.profile.kind is Kind.DYNAMIC
        and data[ATTR_ID] not in RESERVED_IDS
    )
    if (entry := next(found, None)) is None:
        raise invalid("profile_not_dynamic_there", id=str(data[ATTR_ID]))
    profile = entry.installed.profile
    (period,) = profile.schedule.periods
    limit = Limit(value=data[ATTR_LIMIT], unit=profile.schedule.unit)
    schedule = replace(profile.schedule, periods=(replace(period, limit=limit.value),))
    changed = replace(profile, schedule=schedule)
    installed = replace(entry.installed, profile=changed, set_at=utc_now())
    with translated_errors(station):
        limits.check(station.settings, limit, period.phases)
        link = flexible_of(station.link(Capability.FLEXIBLE))
        outcome = await ledger.update(link, replace(entry, installed=installed))
    return response(checked(station, outcome))


_COMMANDS: Final[Actions] = {
    "allow_energy_transfer": (
        _allow_energy_transfer,
        {
            **_CONNECTOR,
            vol.Required(ATTR_TRANSFERS): vol.All(
                cv.ensure_list, [one_of(EnergyTransfer)], vol.Length(min=1)
            ),
        },
    ),
    "send_frequency_signal": (
        _send_frequency_signal,
        {
            vol.Required(ATTR_SIGNAL): vol.All(
                vol.Coerce(int), vol.Range(min=-(2**31), max=2**31 - 1)
            ),
            vol.Optional(ATTR_TIMESTAMP): moment,
        },
    ),
    "update_dynamic_schedule": (
        _update_dynamic_schedule,
        {
            vol.Required(ATTR_ID): vol.All(vol.Coerce(int), vol.Range(min=0)),
            vol.Required(ATTR_LIMIT): number,
        },
    ),
    "use_priority_charging": (
        _use_priority_charging,
        {**_CONNECTOR, vol.Optional(ATTR_ACTIVATE, default=True): cv.boolean},
    ),
}

_QUERIES: Final[Actions] = {"get_charging_needs": (_get_charging_needs, _CONNECTOR)}

ACTIONS: Final = ActionGroup(commands=_COMMANDS, queries=_QUERIES)
