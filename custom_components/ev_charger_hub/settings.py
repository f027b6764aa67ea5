"""Subentries of chargers and the settings they hold."""

from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import (
    CONF_CLOCK_INTERVAL,
    CONF_FALLBACK_CURRENT,
    CONF_FREE_CHARGING,
    CONF_LIMIT_INTERVAL,
    CONF_LOCAL_LIST,
    CONF_MAXIMUM_CURRENT,
    CONF_MEASURANDS,
    CONF_METER_INTERVAL,
    CONF_MINIMUM_CURRENT,
    CONF_MISSING_SUBPROTOCOL,
    CONF_PASSWORD_HASH,
    CONF_PHASES,
    CONF_PING,
    CONF_PRICE_ENTITY,
    CONF_PROTOCOL,
    CONF_QUIET,
    CONF_SECURITY_PROFILE,
    IDENTITY_LENGTH,
    SUBENTRY_CHARGER,
)
from .entries import async_servers
from .models import EvChargerHubConfigEntry
from .station.settings import LocalListMode, StationSettings

DEFAULTS = StationSettings(name="")


@callback
def async_chargers(entry: EvChargerHubConfigEntry) -> dict[str, ConfigSubentry]:
    """Return the charger subentries of an entry by identity."""
    return {
        subentry.unique_id: subentry
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_CHARGER and subentry.unique_id
    }


@callback
def async_identity_taken(hass: HomeAssistant, identity: str) -> bool:
    """Return whether a server has such a charger; that of an account may be the same.

    Entities are identified by the charger's identity, so it exists once.
    """
    return any(identity in async_chargers(entry) for entry in async_servers(hass))


def identity_problem(identity: str) -> str | None:
    """Return the error key for an identity that no charger can have, or None."""
    if not identity:
        return "identity_empty"
    if len(identity) > IDENTITY_LENGTH:
        return "identity_too_long"
    # A slash ends the last path segment of the URL, a colon the user name of HTTP
    # Basic authentication (RFC 7617).
    if any(char in "/:" or not char.isprintable() for char in identity):
        return "identity_invalid"
    return None


def station_settings(subentry: ConfigSubentry) -> StationSettings:
    """Return the settings that a subentry holds."""
    data = subentry.data
    measurands = data.get(CONF_MEASURANDS)
    return StationSettings(
        name=subentry.title,
        password_hash=data.get(CONF_PASSWORD_HASH),
        security_profile=data.get(CONF_SECURITY_PROFILE, DEFAULTS.security_profile),
        protocol=data.get(CONF_PROTOCOL),
        missing_subprotocol=data.get(
            CONF_MISSING_SUBPROTOCOL, DEFAULTS.missing_subprotocol
        ),
        maximum_current=data.get(CONF_MAXIMUM_CURRENT, DEFAULTS.maximum_current),
        minimum_current=data.get(CONF_MINIMUM_CURRENT, DEFAULTS.minimum_current),
        fallback_current=data.get(CONF_FALLBACK_CURRENT),
        limit_interval=data.get(CONF_LIMIT_INTERVAL, DEFAULTS.limit_interval),
        phases=data.get(CONF_PHASES, DEFAULTS.phases),
        measurands=tuple(measurands) if measurands else None,
        meter_interval=data.get(CONF_METER_INTERVAL, DEFAULTS.meter_interval),
        clock_interval=data.get(CONF_CLOCK_INTERVAL, DEFAULTS.clock_interval),
        local_list=LocalListMode(data.get(CONF_LOCAL_LIST, DEFAULTS.local_list)),
        price_entity=data.get(CONF_PRICE_ENTITY),
        quiet=data.get(CONF_QUIET, DEFAULTS.quiet),
        ping=data.get(CONF_PING, DEFAULTS.ping),
        free_charging=data.get(CONF_FREE_CHARGING, DEFAULTS.free_charging),
    )


def new_charger_data(password_hash: str | None) -> dict[str, Any]:
    """Return the data of a new charger subentry: the rest are defaults."""
    return {CONF_PASSWORD_HASH: password_hash} if password_hash else {}
