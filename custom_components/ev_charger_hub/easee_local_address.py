"""Local address: by which addresses a charger in the house may reach a server here."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from yarl import URL

from homeassistant.components.network import async_get_adapters
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from .address import async_second_url, reachable_host
from .const import CONF_HOME_ASSISTANT_PORT, CONF_NAMES
from .easee.local_address import Address, host_of, problems_of
from .easee.local_details import Details, base_of
from .easee_local_findings import SuggestedUrl
from .models import EvChargerHubConfigEntry
from .ocpp.authority import AuthorityError
from .ocpp.tls import is_for
from .station.secrets import PASSWORD_LENGTH
from .storage import DATA
from .tls_settings import TlsMode, TlsSettings

ANY_PASSWORD: Final = "a" * PASSWORD_LENGTH
"""What stands for one that does not exist yet."""
_END: Final = "-----END CERTIFICATE-----"


async def async_suggested_urls(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry, identity: str
) -> tuple[SuggestedUrl, ...]:
    """Return the addresses that a charger may dial a server by, the best first."""
    own = await async_own_addresses(hass)
    hosts = await _hosts(hass, entry)
    found = []
    for url in dict.fromkeys(_urls(hass, entry, hosts)):
        details = await async_details(hass, entry, url, identity, ANY_PASSWORD)
        found.append(SuggestedUrl(url=url, problems=problems_of(details, own)))
    return tuple(sorted(found, key=lambda one: (not one.possible, len(one.problems))))


async def async_own_addresses(hass: HomeAssistant) -> tuple[Address, ...]:
    """Return the addresses of this machine, as far as it knows them."""
    adapters = await async_get_adapters(hass)
    return tuple(
        ip_address(one["address"])
        for adapter in adapters
        for one in (*adapter["ipv4"], *adapter["ipv6"])
    )


async def async_details(
    hass: HomeAssistant,
    entry: EvChargerHubConfigEntry,
    url: str,
    identity: str,
    password: str,
) -> Details:
    """Return how a charger is to dial a server, with whom it has to trust for that."""
    # The charger adds its identity, also to an address that ends with it.
    url, _ = base_of(url.strip(), identity, identity)
    certificate, domain = None, None
    if url.lower().startswith("wss:"):
        settings, host = TlsSettings.of(entry.data), host_of(url)
        certificate = await _async_root(hass, settings)
        if certificate and await _async_is_for(hass, settings, host):
            domain = host
    return Details(
        url=url,
        identity=identity,
        password=password,
        ca_certificate=certificate,
        ca_domain=domain,
    )


async def _hosts(hass: HomeAssistant, entry: EvChargerHubConfigEntry) -> list[str]:
    """Return the names and addresses of a server, those that are meant first."""
    hosts = [reachable_host(hass, entry.data[CONF_HOST])]
    if not _is_everywhere(entry.data[CONF_HOST]):
        return hosts
    adapters = await async_get_adapters(hass)
    for adapter in sorted(adapters, key=lambda one: not one["default"]):
        if adapter["enabled"]:
            hosts += [one["address"] for one in adapter["ipv4"]]
    return [*hosts, *entry.data.get(CONF_NAMES, ())]


def _is_everywhere(host: str) -> bool:
    """Return whether a server listens at all addresses of the machine."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


@callback
def _urls(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry, hosts: list[str]
) -> Iterator[str]:
    """Yield the addresses of a server, plain ones first: they need no certificate."""
    settings, port = TlsSettings.of(entry.data), entry.data[CONF_PORT]
    if entry.state is ConfigEntryState.LOADED:
        port = entry.runtime_data.port
    schemes = []
    if settings.mode is TlsMode.NONE or settings.plain:
        schemes.append("ws")
    if settings.mode is not TlsMode.NONE:
        schemes.append("wss")
    for scheme in schemes:
        for host in hosts:
            yield str(URL.build(scheme=scheme, host=host, port=port)).rstrip("/")
    second = async_second_url(hass).rstrip("/")
    if entry.options.get(CONF_HOME_ASSISTANT_PORT) and second.startswith("ws:"):
        yield second


async def _async_root(hass: HomeAssistant, settings: TlsSettings) -> str | None:
    """Return the certificate that makes a server trustworthy, None if there is none."""
    if settings.mode is TlsMode.OWN_AUTHORITY:
        try:
            return (await hass.data[DATA].authority.async_get()).root_pem
        except AuthorityError:
            return None
    if settings.mode is TlsMode.FILES:
        path = Path(settings.certificate)
        return await hass.async_add_executor_job(_last_certificate, path)
    return None


async def _async_is_for(hass: HomeAssistant, settings: TlsSettings, host: str) -> bool:
    """Return whether a server has a certificate for the host by which it is dialed."""
    files: tuple[Path, ...] = (Path(settings.certificate),)
    if settings.mode is TlsMode.OWN_AUTHORITY:
        files = (await hass.data[DATA].authority.async_get()).server_files
    for path in files:
        if not await hass.async_add_executor_job(is_for, path, host):
            return False
    return True


def _last_certificate(path: Path) -> str | None:
    """Return the certificate at the end of a chain, which signed the others; blocking."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError, ValueError:
        return None
    begin = text.rfind("-----BEGIN CERTIFICATE-----")
    end = text.rfind(_END)
    return text[begin : end + len(_END)] + "\n" if 0 <= begin < end else None
