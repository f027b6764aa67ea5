"""The form of a token, and what it means."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import probatio as vol

from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateTimeSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .settings import async_chargers
from .station.tokens import IdToken, TokenKind, TokenStatus
from .token_entries import (
    CONF_CHARGERS,
    CONF_EXCLUSIVE,
    CONF_EXPIRES,
    CONF_GROUP,
    CONF_KIND,
    CONF_STATUS,
    default_name,
    expiry,
    group_problem,
)

_SHOWN_AS: Final = "%Y-%m-%d %H:%M:%S"


@callback
def async_charger_options(hass: HomeAssistant) -> list[SelectOptionDict]:
    """Return the chargers of all servers, to choose from."""
    return [
        SelectOptionDict(value=identity, label=subentry.title)
        for entry in hass.config_entries.async_entries(DOMAIN)
        for identity, subentry in async_chargers(entry).items()
    ]


@callback
def async_token_fields(
    hass: HomeAssistant, token: IdToken | None = None
) -> dict[vol.Marker, Any]:
    """Return the fields of a token but for the token itself."""
    options = async_charger_options(hass)
    # A charger that was deleted stays chosen, or the token would be good everywhere.
    known = {option["value"] for option in options}
    for identity in sorted(token.chargers if token is not None else ()):
        if identity not in known:
            options.append(SelectOptionDict(value=identity, label=identity))
    return {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_STATUS, default=TokenStatus.ACCEPTED): _choice(
            list(TokenStatus), "token_status"
        ),
        vol.Required(CONF_KIND, default=TokenKind.RFID): _choice(
            list(TokenKind), "token_kind"
        ),
        vol.Optional(CONF_EXPIRES): DateTimeSelector(),
        vol.Optional(CONF_GROUP): TextSelector(),
        vol.Required(CONF_CHARGERS, default=[]): SelectSelector(
            SelectSelectorConfig(
                mode=SelectSelectorMode.DROPDOWN, multiple=True, options=options
            )
        ),
        vol.Required(CONF_EXCLUSIVE, default=False): BooleanSelector(),
    }


def form_problem(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the fields of a token."""
    if problem := group_problem(user_input.get(CONF_GROUP, "").strip()):
        return {CONF_GROUP: problem}
    return {}


def token_of_form(id_token: str, user_input: Mapping[str, Any]) -> IdToken:
    """Return the token that a form describes; times are those of Home Assistant."""
    expires = user_input.get(CONF_EXPIRES)
    return IdToken(
        token=id_token,
        name=user_input[CONF_NAME].strip() or default_name(id_token),
        kind=TokenKind(user_input[CONF_KIND]),
        status=TokenStatus(user_input[CONF_STATUS]),
        expires=expiry(datetime.fromisoformat(expires)) if expires else None,
        group=user_input.get(CONF_GROUP, "").strip() or None,
        chargers=frozenset(user_input[CONF_CHARGERS]),
        exclusive=user_input[CONF_EXCLUSIVE],
    )


def form_of_token(token: IdToken) -> dict[str, Any]:
    """Return the form that describes a token."""
    form = {
        CONF_NAME: token.name,
        CONF_STATUS: token.status,
        CONF_KIND: token.kind,
        CONF_CHARGERS: sorted(token.chargers),
        CONF_EXCLUSIVE: token.exclusive,
    }
    if token.expires is not None:
        form[CONF_EXPIRES] = dt_util.as_local(token.expires).strftime(_SHOWN_AS)
    if token.group is not None:
        form[CONF_GROUP] = token.group
    return form


def _choice(options: list[str], key: str) -> SelectSelector:
    """Return a field for one of a few translated words."""
    return SelectSelector(
        SelectSelectorConfig(
            mode=SelectSelectorMode.LIST, options=options, translation_key=key
        )
    )
