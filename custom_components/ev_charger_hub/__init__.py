"""EV Charger Hub: chargers in Home Assistant, by OCPP and from the cloud."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from . import easee_setup, server_setup
from .certificate_actions import async_setup_certificate_actions
from .const import DOMAIN, PLATFORMS
from .entries import is_easee
from .log_views import async_setup_log_views
from .profile_clock import async_setup_profile_clock
from .second_listener import async_setup_second_listener
from .services import async_setup_services
from .storage import DATA, async_setup_storage
from .token_actions import async_setup_token_actions
from .token_entries import async_follow_tokens

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all entries share."""
    async_setup_storage(hass)
    shared = hass.data[DATA]
    await shared.desk.async_load()
    async_follow_tokens(hass, shared.tokens, shared.desk.forget)
    async_setup_services(hass)
    async_setup_certificate_actions(hass)
    async_setup_token_actions(hass)
    async_setup_second_listener(hass)
    async_setup_profile_clock(hass)
    async_setup_log_views(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Set up an OCPP server, or an Easee account, with its chargers."""
    if is_easee(entry):
        return await easee_setup.async_setup_account(hass, entry)
    return await server_setup.async_setup_server(hass, entry)


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Unload an entry; its connections end with what was registered."""
    entry.runtime_data.turns.close()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Forget the chargers of an entry that the user has deleted."""
    if is_easee(entry):
        await easee_setup.async_remove_account(hass, entry)
    else:
        await server_setup.async_remove_server(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: ConfigEntry[Any], device: dr.AnyDeviceEntry
) -> bool:
    """Allow to delete the device of something that does not exist any more."""
    if is_easee(entry):
        return not easee_setup.owns_device(entry, device)
    return not server_setup.owns_device(entry, device)
