"""Actions that limit sessions: by energy, time, state of charge or cost."""

from datetime import timedelta
from typing import Any, Final

import probatio as vol

from homeassistant.util.json import JsonObjectType

from .fields import ATTR_CONNECTOR, ATTR_DURATION, DURATION, ActionGroup, Data, number
from .helpers import invalid, translated_errors
from .station.session_limit import SessionLimit
from .targets import Target

ATTR_COST: Final = "cost"
ATTR_ENERGY: Final = "energy"
ATTR_SOC: Final = "soc"

_WATT_HOURS: Final = 1000
_CONNECTOR: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1))
}


async def _limit_session(target: Target, data: Data) -> JsonObjectType:
    duration: timedelta | None = data.get(ATTR_DURATION)
    energy = data.get(ATTR_ENERGY)
    limit = SessionLimit(
        energy=None if energy is None else int(energy * _WATT_HOURS),
        duration=None if duration is None else duration // timedelta(seconds=1),
        soc=data.get(ATTR_SOC),
        cost=data.get(ATTR_COST),
    )
    if not limit:
        raise invalid("session_limit_missing")
    return await _want(target, limit)


async def _clear_session_limit(target: Target, data: Data) -> JsonObjectType:
    return await _want(target, SessionLimit())


async def _want(target: Target, limit: SessionLimit) -> JsonObjectType:
    """Limit the open session, or else the next one."""
    station, evse_id = target.station, target.evse_id
    if evse_id is None:
        evse_id = target.session_evse().id
    if (evse := station.evses.get(evse_id)) is None or station.session_limits is None:
        raise invalid("limit_unknown_evse", charger=station.settings.name)
    with translated_errors(station):
        await station.session_limits.want(evse_id, limit)
    session = evse.transaction
    return {
        "connector": evse_id,
        "transaction_id": None if session is None else session.transaction_id,
        "limited": [one.value for one in sorted(limit.kinds)],
    }


ACTIONS: Final = ActionGroup(
    commands={
        "clear_session_limit": (_clear_session_limit, _CONNECTOR),
        "limit_session": (
            _limit_session,
            {
                **_CONNECTOR,
                vol.Optional(ATTR_ENERGY): vol.All(number, vol.Range(min=0.001)),
                vol.Optional(ATTR_DURATION): DURATION,
                vol.Optional(ATTR_SOC): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=100)
                ),
                vol.Optional(ATTR_COST): vol.All(number, vol.Range(min=0.01)),
            },
        ),
    }
)
