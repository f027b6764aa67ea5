"""The part of a server's form that is about its encryption."""

from collections.abc import Mapping
from typing import Any, Final

import probatio as vol

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.util.network import is_ipv6_address

from .const import (
    CONF_ACCEPT_PLAIN,
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_NAMES,
    CONF_TLS,
)
from .ocpp.tls import TlsError, build_contexts
from .tls_settings import TlsMode, TlsSettings

SECTION_TLS: Final = "tls"

_FILES: Final = (CONF_CERTIFICATE, CONF_CERTIFICATE_KEY)
_MAX_NAME: Final = 253


def tls_section(errors: Mapping[str, str]) -> dict[vol.Marker, Any]:
    """Return the fields, folded up: what is there by default works for everybody.

    Whoever typed something wrong there sees it.
    """
    mode = SelectSelector(
        SelectSelectorConfig(
            mode=SelectSelectorMode.DROPDOWN,
            options=list(TlsMode),
            translation_key=CONF_TLS,
        )
    )
    names = TextSelector(TextSelectorConfig(multiple=True))
    fields = {
        vol.Required(CONF_TLS, default=TlsMode.OWN_AUTHORITY): mode,
        vol.Required(CONF_ACCEPT_PLAIN, default=True): BooleanSelector(),
        vol.Optional(CONF_NAMES, default=[]): names,
        vol.Optional(CONF_CERTIFICATE): TextSelector(),
        vol.Optional(CONF_CERTIFICATE_KEY): TextSelector(),
    }
    key = vol.Required(SECTION_TLS)
    wrong = any(error.startswith(SECTION_TLS) for error in errors.values())
    return {key: section(vol.Schema(fields), {"collapsed": not wrong})}


def tls_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes into the data of an entry: nothing for a plain server."""
    typed = user_input[SECTION_TLS]
    mode = TlsMode(typed[CONF_TLS])
    if mode is TlsMode.NONE:
        return {}
    data: dict[str, Any] = {
        CONF_TLS: mode.value,
        CONF_ACCEPT_PLAIN: typed[CONF_ACCEPT_PLAIN],
    }
    if mode is TlsMode.FILES:
        return data | {key: typed.get(key, "").strip() for key in _FILES}
    names = (name.strip().lower() for name in typed[CONF_NAMES])
    return data | {CONF_NAMES: [name for name in names if name]}


def tls_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows of an entry."""
    settings = TlsSettings.of(data)
    shown = {
        CONF_TLS: settings.mode,
        CONF_ACCEPT_PLAIN: settings.plain,
        CONF_NAMES: list(data.get(CONF_NAMES, ())),
    }
    return shown | {key: data[key] for key in _FILES if key in data}


async def async_check_tls(
    hass: HomeAssistant, user_input: Mapping[str, Any]
) -> dict[str, str]:
    """Return what is wrong with the choice, or with the certificate and its key."""
    typed = user_input[SECTION_TLS]
    files = [typed.get(key, "").strip() for key in _FILES]
    if typed[CONF_TLS] != TlsMode.FILES:
        if any(files):
            return {"base": "tls_files_unused"}
        return _check_names(typed)
    if not all(files):
        return {"base": "tls_incomplete"}
    try:
        await hass.async_add_executor_job(build_contexts, [tuple(files)])
    except TlsError as err:
        return {"base": f"tls_{err.kind}"}
    return {}


def _check_names(typed: Mapping[str, Any]) -> dict[str, str]:
    """Return whether a name is none that a certificate can have."""
    for name in typed[CONF_NAMES]:
        plain = name.strip()
        if len(plain) > _MAX_NAME or not plain.isascii() or set(plain) & set(" /@[]"):
            return {"base": "tls_bad_name"}
        if ":" in plain and not is_ipv6_address(plain):
            return {"base": "tls_bad_name"}
    return {}
