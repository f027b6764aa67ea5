"""Actions about tokens: who may charge. They are for no single charger."""

from dataclasses import replace
from typing import Any, Final

import probatio as vol

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util.json import JsonObjectType, JsonValueType

from .approval import async_start_where_presented
from .const import DOMAIN
from .entries import async_servers
from .helpers import invalid
from .models import EvChargerHubConfigEntry
from .station.authorization import key_of
from .station.outcome import Outcome
from .station.secrets import shortened
from .station.tokens import GROUP_LENGTH, TOKEN_LENGTH, IdToken, TokenKind, TokenStatus
from .storage import DATA
from .targets import async_resolve
from .token_entries import (
    CONF_CHARGERS,
    CONF_EXCLUSIVE,
    CONF_EXPIRES,
    CONF_GROUP,
    CONF_KIND,
    CONF_STATUS,
    async_find_token,
    async_put_token,
    async_tokens,
    default_name,
    expiry,
    group_problem,
    read_token,
    token_problem,
)

ATTR_CONFIG_ENTRY: Final = "config_entry_id"
ATTR_ID_TOKEN: Final = "id_token"  # noqa: S105
ATTR_START: Final = "start"


def _token(value: object) -> str:
    """Return a text that can be a token."""
    text = cv.string(value).strip()
    if token_problem(text) is not None:
        raise vol.Invalid(f"expected 1 to {TOKEN_LENGTH} ASCII characters")
    return text


def _group(value: object) -> str | None:
    """Return a text that can be a group; an empty one is none."""
    text = "" if value is None else cv.string(value).strip()
    if group_problem(text) is not None:
        raise vol.Invalid(f"expected at most {GROUP_LENGTH} ASCII characters")
    return text or None


_NAME: Final = vol.All(cv.string, vol.Strip, vol.Length(min=1, max=100))
_SCHEMA_SET: Final = vol.Schema(
    {
        vol.Required(ATTR_ID_TOKEN): _token,
        vol.Optional(CONF_NAME): _NAME,
        vol.Optional(CONF_STATUS): vol.Coerce(TokenStatus),
        vol.Optional(CONF_KIND): vol.Coerce(TokenKind),
        vol.Optional(CONF_EXPIRES): vol.Any(None, cv.datetime),
        vol.Optional(CONF_GROUP): _group,
        vol.Optional(CONF_CHARGERS): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(CONF_EXCLUSIVE): cv.boolean,
        vol.Optional(ATTR_CONFIG_ENTRY): cv.string,
    }
)
_SCHEMA_REMOVE: Final = vol.Schema({vol.Required(ATTR_ID_TOKEN): _token})
_SCHEMA_GET: Final = vol.Schema({vol.Optional(ATTR_ID_TOKEN): _token})
_SCHEMA_APPROVE: Final = vol.Schema(
    {
        vol.Required(ATTR_ID_TOKEN): _token,
        vol.Optional(CONF_NAME): _NAME,
        vol.Optional(ATTR_START, default=True): cv.boolean,
        vol.Optional(ATTR_CONFIG_ENTRY): cv.string,
    }
)


@callback
def async_setup_token_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, handler, schema in (
        ("set_id_token", _async_set, _SCHEMA_SET),
        ("remove_id_token", _async_remove, _SCHEMA_REMOVE),
        ("approve_id_token", _async_approve, _SCHEMA_APPROVE),
    ):
        async_register_admin_service(
            hass, DOMAIN, name, handler, schema, SupportsResponse.OPTIONAL
        )
    hass.services.async_register(
        DOMAIN, "get_id_tokens", _async_get, _SCHEMA_GET, SupportsResponse.ONLY
    )


async def _async_set(call: ServiceCall) -> JsonObjectType:
    """Add a token, or change what is given of one that is known."""
    hass, data = call.hass, call.data
    token = _known(hass, data[ATTR_ID_TOKEN])
    new = token is None
    if token is None:
        token = _stranger(data[ATTR_ID_TOKEN])
    token = replace(token, **_changes(hass, data))
    async_put_token(hass, _server(hass, data), token)
    return {"name": token.name, "new": new, "status": token.status}


async def _async_remove(call: ServiceCall) -> JsonObjectType:
    """Forget a token."""
    hass, id_token = call.hass, call.data[ATTR_ID_TOKEN]
    if (found := async_find_token(hass, id_token)) is None:
        raise invalid("unknown_token", token=shortened(id_token))
    entry, subentry = found
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    return {"name": subentry.title}


async def _async_get(call: ServiceCall) -> JsonObjectType:
    """Return the known tokens; only an administrator sees more than their ends."""
    hass, wanted = call.hass, call.data.get(ATTR_ID_TOKEN)
    full = await _is_admin(hass, call)
    return {
        "id_tokens": [
            _shown(hass, entry, token, full=full)
            for entry in _servers(hass)
            for token in async_tokens(entry)
            if wanted is None or token.key == key_of(wanted)
        ]
    }


async def _async_approve(call: ServiceCall) -> JsonObjectType:
    """Let a token in, and its vehicle charge if somebody still stands there."""
    hass, data = call.hass, call.data
    id_token = data[ATTR_ID_TOKEN]
    changes: dict[str, Any] = {"status": TokenStatus.ACCEPTED}
    if CONF_NAME in data:
        changes["name"] = data[CONF_NAME]
    token = replace(_known(hass, id_token) or _stranger(id_token), **changes)
    async_put_token(hass, _server(hass, data), token)
    started: Outcome | None = None
    if data[ATTR_START]:
        started = await async_start_where_presented(hass, id_token)
    return {
        "name": token.name,
        "started": started is not None,
        "answer": started.answer if started is not None else None,
    }


def _stranger(id_token: str) -> IdToken:
    """Return a token that is not known yet."""
    return IdToken(token=id_token, name=default_name(id_token))


@callback
def _known(hass: HomeAssistant, id_token: str) -> IdToken | None:
    """Return a token that is known, as its subentry has it."""
    found = async_find_token(hass, id_token)
    return None if found is None else read_token(found[1])


@callback
def _changes(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Return what an action changes of a token."""
    changes: dict[str, Any] = {
        key: data[key]
        for key in (CONF_NAME, CONF_STATUS, CONF_KIND, CONF_GROUP, CONF_EXCLUSIVE)
        if key in data
    }
    if CONF_EXPIRES in data:
        expires = data[CONF_EXPIRES]
        changes[CONF_EXPIRES] = None if expires is None else expiry(expires)
    if CONF_CHARGERS in data:
        changes[CONF_CHARGERS] = frozenset(
            async_resolve(hass, device_id, None).station.identity
            for device_id in data[CONF_CHARGERS]
        )
    return changes


@callback
def _servers(hass: HomeAssistant) -> list[EvChargerHubConfigEntry]:
    """Return the servers whose tokens count."""
    return async_servers(hass, disabled=False)


@callback
def _server(hass: HomeAssistant, data: dict[str, Any]) -> ConfigEntry:
    """Return the server that is to keep a token: the one named, meant, or the only."""
    entries = {one.entry_id: one for one in _servers(hass)}
    if (found := async_find_token(hass, data[ATTR_ID_TOKEN])) is not None:
        return found[0]
    if (wanted := data.get(ATTR_CONFIG_ENTRY)) is not None:
        if (named := entries.get(wanted)) is None:
            raise invalid("unknown_server")
        return named
    recent = hass.data[DATA].desk.recent(data[ATTR_ID_TOKEN])
    if recent is not None and recent.entry_id in entries:
        return entries[recent.entry_id]
    if not entries:
        raise invalid("no_server")
    if len(entries) != 1:
        raise invalid("server_required")
    return next(iter(entries.values()))


async def _is_admin(hass: HomeAssistant, call: ServiceCall) -> bool:
    """Return whether an administrator, or Home Assistant itself, asks."""
    if call.context.user_id is None:
        return True
    user = await hass.auth.async_get_user(call.context.user_id)
    return user is not None and user.is_admin


@callback
def _devices(hass: HomeAssistant, token: IdToken) -> list[JsonValueType]:
    """Return the devices of the chargers that a token is for; none means all."""
    devices = dr.async_get(hass)
    return [
        device.id
        for entry in hass.config_entries.async_entries(DOMAIN)
        for identity in sorted(token.chargers)
        if (
            device := devices.async_get_device_by_identifier(
                (DOMAIN, identity), entry.entry_id
            )
        )
    ]


@callback
def _shown(
    hass: HomeAssistant, entry: ConfigEntry, token: IdToken, *, full: bool
) -> JsonObjectType:
    """Return a token for a response."""
    group = token.group
    return {
        "id_token": token.token if full else shortened(token.token),
        "name": token.name,
        "status": token.status,
        "kind": token.kind,
        "expires": token.expires.isoformat() if token.expires is not None else None,
        "group": group if full or group is None else shortened(group),
        "chargers": _devices(hass, token),
        "exclusive": token.exclusive,
        "config_entry_id": entry.entry_id,
    }
