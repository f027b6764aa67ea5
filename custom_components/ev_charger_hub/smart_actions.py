"""Actions about vehicles and flexible charging: needs, priority, targets, signals."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import probatio as vol

from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .fields import ATTR_CONNECTOR, ActionGroup, Actions, Data
from .helpers import invalid
from .profile_words import told_periods
from .station.model import Evse
from .station.needs import ChargingNeeds, VehiclePlan
from .targets import Target

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


_QUERIES: Final[Actions] = {"get_charging_needs": (_get_charging_needs, _CONNECTOR)}

ACTIONS: Final = ActionGroup(queries=_QUERIES)
