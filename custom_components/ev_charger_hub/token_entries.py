"""Tokens of the user: the config subentries that hold them, and the store they fill."""

from collections.abc import Callable
from datetime import datetime
import logging
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from .const import CONF_UNKNOWN_TOKENS, DOMAIN, SUBENTRY_TOKEN
from .station.authorization import key_of
from .station.secrets import shortened
from .station.tokens import (
    GROUP_LENGTH,
    TOKEN_LENGTH,
    IdToken,
    TokenKind,
    TokenStatus,
    TokenStore,
    UnknownTokens,
    can_be_token,
)

_LOGGER = logging.getLogger(__name__)

CONF_CHARGERS: Final = "chargers"
CONF_EXCLUSIVE: Final = "exclusive"
CONF_EXPIRES: Final = "expires"
CONF_GROUP: Final = "group"
CONF_KIND: Final = "kind"
CONF_STATUS: Final = "status"
CONF_TOKEN: Final = "token"  # noqa: S105

_FIRST: Final = datetime(1970, 1, 3)  # noqa: DTZ001
_LAST: Final = datetime(9999, 12, 29)  # noqa: DTZ001


def token_id(id_token: str) -> str:
    """Return the unique id of a token's subentry.

    Subentries of all types share their ids; no identity of a charger has a slash.
    """
    return f"token/{key_of(id_token)}"


def read_token(subentry: ConfigSubentry) -> IdToken:
    """Return the token that a subentry holds; raises ValueError and its like."""
    data = subentry.data
    expires = data.get(CONF_EXPIRES)
    return IdToken(
        token=data[CONF_TOKEN],
        name=subentry.title,
        kind=TokenKind(data.get(CONF_KIND, TokenKind.RFID)),
        status=TokenStatus(data.get(CONF_STATUS, TokenStatus.ACCEPTED)),
        expires=None if expires is None else expiry(datetime.fromisoformat(expires)),
        group=data.get(CONF_GROUP),
        chargers=frozenset(data.get(CONF_CHARGERS, ())),
        exclusive=data.get(CONF_EXCLUSIVE, False),
    )


@callback
def async_rename_charger(hass: HomeAssistant, identity: str, new: str) -> None:
    """Have tokens that count at a charger count there under its new name."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        for subentry in tuple(entry.subentries.values()):
            chargers = set(subentry.data.get(CONF_CHARGERS, ()))
            if subentry.subentry_type == SUBENTRY_TOKEN and identity in chargers:
                named = sorted(chargers - {identity} | {new})
                hass.config_entries.async_update_subentry(
                    entry, subentry, data={**subentry.data, CONF_CHARGERS: named}
                )


def expiry(expires: datetime) -> datetime:
    """Return in UTC when a token expires, which every time zone can show."""
    plain = min(max(expires.replace(tzinfo=None), _FIRST), _LAST)
    return dt_util.as_utc(plain.replace(tzinfo=expires.tzinfo))


def token_data(token: IdToken) -> dict[str, Any]:
    """Return the data of a subentry that holds a token; its title is the name."""
    expires = token.expires
    return {
        CONF_TOKEN: token.token,
        CONF_KIND: token.kind,
        CONF_STATUS: token.status,
        CONF_EXPIRES: None if expires is None else dt_util.as_utc(expires).isoformat(),
        CONF_GROUP: token.group,
        CONF_CHARGERS: sorted(token.chargers),
        CONF_EXCLUSIVE: token.exclusive,
    }


def token_problem(id_token: str) -> str | None:
    """Return the error key for what no token can be, or None."""
    if not id_token:
        return "token_empty"
    if len(id_token) > TOKEN_LENGTH:
        return "token_too_long"
    return None if can_be_token(id_token) else "token_invalid"


def group_problem(group: str) -> str | None:
    """Return the error key for what no group can be, or None."""
    if len(group) > GROUP_LENGTH or not (group.isascii() and group.isprintable()):
        return "group_invalid"
    return None


@callback
def async_find_token(
    hass: HomeAssistant, id_token: str
) -> tuple[ConfigEntry, ConfigSubentry] | None:
    """Return the entry and subentry of a token, whichever server in use has it."""
    wanted = token_id(id_token)
    for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False):
        for subentry in entry.subentries.values():
            if subentry.unique_id == wanted:
                return entry, subentry
    return None


@callback
def async_put_token(hass: HomeAssistant, entry: ConfigEntry, token: IdToken) -> None:
    """Keep a token, at the server that has it already or else at that of `entry`."""
    data = token_data(token)
    if (found := async_find_token(hass, token.token)) is not None:
        known_entry, subentry = found
        hass.config_entries.async_update_subentry(
            known_entry, subentry, data=data, title=token.name
        )
        return
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(data),
            subentry_type=SUBENTRY_TOKEN,
            title=token.name,
            unique_id=token_id(token.token),
        ),
    )


def default_name(id_token: str) -> str:
    """Return the name of a token that the user did not name."""
    return shortened(id_token)


@callback
def async_follow_tokens(
    hass: HomeAssistant, store: TokenStore, forget: Callable[[str], None]
) -> None:
    """Fill a store with the tokens of all servers, and keep it in line with them.

    `forget` is told of each server that asks about unknown tokens no more.
    """

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN:
            return
        gone = change is ConfigEntryChange.REMOVED or entry.disabled_by is not None
        store.replace(entry.entry_id, () if gone else async_tokens(entry))
        if gone or unknown_tokens(entry) is not UnknownTokens.ASK:
            forget(entry.entry_id)

    for entry in hass.config_entries.async_entries(DOMAIN):
        changed(ConfigEntryChange.ADDED, entry)
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


def unknown_tokens(entry: ConfigEntry) -> UnknownTokens:
    """Return what becomes of tokens at a server that nobody has added."""
    return UnknownTokens(entry.options.get(CONF_UNKNOWN_TOKENS, UnknownTokens.ACCEPT))


@callback
def async_tokens(entry: ConfigEntry) -> list[IdToken]:
    """Return the tokens of a server that can be read."""
    tokens = []
    for subentry in entry.subentries.values():
        if subentry.subentry_type == SUBENTRY_TOKEN:
            try:
                tokens.append(read_token(subentry))
            except KeyError, TypeError, ValueError:
                # It was written by a newer version, or by hand.
                _LOGGER.warning("The token %s cannot be read", subentry.title)
    return tokens
