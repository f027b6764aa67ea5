"""Helpers of token tests: tokens of a server, and what a charger is told of them."""

from datetime import UTC, datetime
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .charger import Charger
from custom_components.ev_charger_hub.const import CONF_UNKNOWN_TOKENS
from custom_components.ev_charger_hub.station.tokens import IdToken, UnknownTokens
from custom_components.ev_charger_hub.token_entries import async_put_token

CARD = "04A2B3C4D5E6F7"
STRANGER = "04DEADBEEF0815"


def strangers(
    hass: HomeAssistant, entry: MockConfigEntry, policy: UnknownTokens
) -> None:
    """Choose what becomes of unknown tokens."""
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_UNKNOWN_TOKENS: policy}
    )


def keep(
    hass: HomeAssistant, entry: MockConfigEntry, id_token: str = CARD, **fields: Any
) -> None:
    """Add a token to a server, or change it."""
    token = IdToken(**{"token": id_token, "name": "Anna", **fields})
    async_put_token(hass, entry, token)


async def authorized(charger: Charger, id_tag: str = CARD) -> dict[str, Any]:
    """Present a token and return what the charger is told of it."""
    answer = await charger.call("Authorize", {"idTag": id_tag})
    info: dict[str, Any] = answer["idTagInfo"]
    return info


async def started(
    charger: Charger, id_tag: str = CARD, connector: int = 1, **more: Any
) -> dict[str, Any]:
    """Start a session now and return the whole answer."""
    return await charger.call(
        "StartTransaction",
        {
            "connectorId": connector,
            "idTag": id_tag,
            "meterStart": 1000,
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            **more,
        },
    )
