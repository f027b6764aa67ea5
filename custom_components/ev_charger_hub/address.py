"""Where chargers reach us: the URL to type into them."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote

from yarl import URL

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .const import DOMAIN
from .tls_settings import TlsSettings

FALLBACK_HOST: Final = "homeassistant.local"
SECOND_PATH: Final = f"/api/{DOMAIN}/ocpp"
"""Where chargers dial in at Home Assistant's own HTTP port."""


@callback
def async_charger_url(
    hass: HomeAssistant, data: Mapping[str, Any], identity: str = ""
) -> str:
    """Return the URL of a server for one charger, or the part all URLs begin with."""
    url = URL.build(
        scheme=TlsSettings.of(data).scheme,
        host=reachable_host(hass, data[CONF_HOST]),
        port=data[CONF_PORT],
        path="/",
    )
    # A slash of the identity is none of the path.
    return f"{url}{quote(identity, safe='')}"


@callback
def async_second_url(hass: HomeAssistant) -> str:
    """Return the part all URLs at Home Assistant's own HTTP port begin with."""
    try:
        url = URL(get_url(hass, allow_cloud=False, prefer_external=True))
    except NoURLAvailableError:
        url = URL.build(scheme="http", host=FALLBACK_HOST, port=8123)
    scheme = "wss" if url.scheme == "https" else "ws"
    return f"{url.with_scheme(scheme).with_path(SECOND_PATH)}/"


@callback
def reachable_host(hass: HomeAssistant, host: str) -> str:
    """Return a host that others can dial, for one that may mean "all of mine"."""
    try:
        if not ip_address(host).is_unspecified:
            return host
    except ValueError:
        return host
    try:
        url = get_url(hass, allow_cloud=False, allow_external=False)
    except NoURLAvailableError:
        return FALLBACK_HOST
    return URL(url).host or FALLBACK_HOST
