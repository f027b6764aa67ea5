"""Entries: which kind each is, and those of one kind."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_KIND, DOMAIN, KIND_EASEE
from .models import EvChargerHubConfigEntry


def is_easee(entry: ConfigEntry[Any]) -> bool:
    """Return whether an entry is an Easee account; else it is an OCPP server."""
    return entry.data.get(CONF_KIND) == KIND_EASEE


@callback
def async_servers(
    hass: HomeAssistant, *, disabled: bool = True
) -> list[EvChargerHubConfigEntry]:
    """Return the OCPP servers, with those that the user has disabled or without."""
    entries = hass.config_entries.async_entries(DOMAIN, include_disabled=disabled)
    return [entry for entry in entries if not is_easee(entry)]


@callback
def async_loaded_servers(hass: HomeAssistant) -> list[EvChargerHubConfigEntry]:
    """Return the OCPP servers that run."""
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    return [entry for entry in entries if not is_easee(entry)]
