"""Tokens for tests: added and taken away as a user does."""

from typing import Any

from homeassistant.core import HomeAssistant

from .charger import Charger
from .entities import act
from custom_components.ev_charger_hub.const import DOMAIN

LIST_KEYS = {
    "LocalAuthListEnabled": "true",
    "LocalAuthListMaxLength": "10",
    "SendLocalListMaxLength": "5",
}
"""What a charger says that uses a local list."""


async def add_token(hass: HomeAssistant, id_token: str, **fields: Any) -> None:
    """Add or change a token."""
    await hass.services.async_call(
        DOMAIN, "set_id_token", {"id_token": id_token, **fields}, blocking=True
    )


async def remove_token(hass: HomeAssistant, id_token: str) -> None:
    """Take a token away."""
    await hass.services.async_call(
        DOMAIN, "remove_id_token", {"id_token": id_token}, blocking=True
    )


async def with_list(hass: HomeAssistant, charger: Charger) -> None:
    """Let Home Assistant know that a charger uses its local list."""
    charger.configuration |= LIST_KEYS
    await act(hass, "get_configuration")
    charger.received.clear()
