"""Fields of charging profiles that only OCPP 2.1 knows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv

from .fields import ATTR_LIMIT, DURATION, Data, number
from .station.profiles.model import ChargingProfile

ATTR_INVALID_AFTER_OFFLINE: Final = "invalid_after_offline"
ATTR_LIMIT_AT_SOC: Final = "limit_at_soc"
ATTR_MAX_OFFLINE: Final = "max_offline"
ATTR_RANDOM_DELAY: Final = "random_delay"
ATTR_SOC: Final = "soc"
ATTR_UPDATE_INTERVAL: Final = "update_interval"
ATTR_USE_LOCAL_TIME: Final = "use_local_time"

_PERCENT = vol.All(vol.Coerce(int), vol.Range(min=0, max=100))

FIELDS: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_MAX_OFFLINE): DURATION,
    vol.Optional(ATTR_INVALID_AFTER_OFFLINE, default=False): cv.boolean,
    vol.Optional(ATTR_UPDATE_INTERVAL): DURATION,
    vol.Optional(ATTR_RANDOM_DELAY): DURATION,
    vol.Optional(ATTR_LIMIT_AT_SOC): vol.Schema(
        {vol.Required(ATTR_SOC): _PERCENT, vol.Required(ATTR_LIMIT): number}
    ),
    vol.Optional(ATTR_USE_LOCAL_TIME, default=False): cv.boolean,
}


def newer(profile: ChargingProfile, data: Data) -> ChargingProfile:
    """Return a profile with what is asked for of OCPP 2.1."""
    at_soc = data.get(ATTR_LIMIT_AT_SOC)
    schedule = replace(
        profile.schedule,
        random_delay=_seconds(data.get(ATTR_RANDOM_DELAY)),
        limit_at_soc=_pair(at_soc) if at_soc else None,
        use_local_time=data[ATTR_USE_LOCAL_TIME],
    )
    return replace(
        profile,
        schedule=schedule,
        max_offline=_seconds(data.get(ATTR_MAX_OFFLINE)),
        invalid_after_offline=data[ATTR_INVALID_AFTER_OFFLINE],
        update_interval=_seconds(data.get(ATTR_UPDATE_INTERVAL)),
    )


def _pair(told: Data) -> tuple[int, Decimal]:
    return told[ATTR_SOC], told[ATTR_LIMIT]


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(seconds=1)
