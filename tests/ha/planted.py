"""Secrets that chargers of a test have: none may show where strangers read."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
import json
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from custom_components.ev_charger_hub.const import CONF_PASSWORD_HASH, DOMAIN
from custom_components.ev_charger_hub.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.models import EvChargerHubConfigEntry

LOGGER = logging.getLogger(f"custom_components.{DOMAIN}")

SHORTEST = 8
"""Shorter texts show up by chance, and their ends would be all of them."""

_FIELDS = frozenset(
    {
        "additionalIdToken",
        "apnPassword",
        "basicAuthPassword",
        "chargeBoxSerialNumber",
        "chargePointSerialNumber",
        "customerIdentifier",
        "iccid",
        "idTag",
        "idToken",
        "imsi",
        "meterSerialNumber",
        "parentIdTag",
        "receiptId",
        "vatNumber",
    }
)

_planted: set[str] = set()


def plant(*secrets: str | None) -> None:
    """Keep watch for a password, an id token, a serial number or an identity."""
    _planted.update(one for one in secrets if one and len(one) >= SHORTEST)


def plant_fields(payload: Any) -> None:
    """Keep watch for what is secret in a message."""
    if isinstance(payload, list):
        for one in payload:
            plant_fields(one)
    if not isinstance(payload, dict):
        return
    for name, value in payload.items():
        if name in _FIELDS and isinstance(value, str):
            plant(value)
        plant_fields(value)
    if payload.get("key") == "AuthorizationKey":
        plant(payload.get("value"))
    variable = payload.get("variable")
    if isinstance(variable, dict) and variable.get("name") == "BasicAuthPassword":
        plant(payload.get("attributeValue"))
    # That of a certificate is none; a message of 2.x calls all of them alike.
    if payload.keys() & {"vendorName", "soC"}:
        plant(payload.get("serialNumber"))
    if payload.keys() >= {"data", "generatedAt"}:
        plant(payload["data"])


class _Lines(logging.Handler):
    """What was logged, with tracebacks."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@asynccontextmanager
async def watched(hass: HomeAssistant) -> AsyncGenerator[None]:
    """Log everything of ours, and fail where a secret is readable at the end."""
    _planted.clear()
    handler = _Lines()
    level = LOGGER.level
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
    secrets = {*_planted, *_stored(hass)}
    _planted.clear()
    shown = {
        "the log": "\n".join(handler.lines),
        "the ids of issues": json.dumps(_issue_ids(hass)),
        "the diagnostics": json.dumps(await _diagnostics(hass), default=str),
        "a repr": "\n".join(_reprs(hass)),
    }
    leaks = [
        (secret, place)
        for place, text in shown.items()
        for secret in secrets
        if secret in text
    ]
    # Not rewritten by pytest: the message has to be given.
    assert not leaks, leaks


def _stored(hass: HomeAssistant) -> Iterator[str]:
    """Yield the hashes of passwords and the tokens that the entries hold."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        for subentry in entry.subentries.values():
            for name in (CONF_PASSWORD_HASH, "token"):
                if len(secret := str(subentry.data.get(name) or "")) >= SHORTEST:
                    yield secret


def _issue_ids(hass: HomeAssistant) -> list[str]:
    return [key for domain, key in ir.async_get(hass).issues if domain == DOMAIN]


def _running(hass: HomeAssistant) -> Iterator[EvChargerHubConfigEntry]:
    """Yield the entries that are set up, and not by a mock."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        loaded = entry.state is ConfigEntryState.LOADED
        if loaded and isinstance(getattr(entry, "runtime_data", None), OcppHub):
            yield entry


async def _diagnostics(hass: HomeAssistant) -> list[dict[str, Any]]:
    return [
        await async_get_config_entry_diagnostics(hass, entry)
        for entry in _running(hass)
    ]


def _reprs(hass: HomeAssistant) -> Iterator[str]:
    for entry in _running(hass):
        yield repr(entry.runtime_data)
        for one in entry.runtime_data.stations.values():
            yield from map(repr, (one, one.station, one.station.settings))
