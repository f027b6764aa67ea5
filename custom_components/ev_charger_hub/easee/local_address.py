"""Local address: whether a charger could dial it (easee_cloud.md 3.6, traps 7 and 8)."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from .local_details import Details
from .local_problems import Check, Problem

type Address = IPv4Address | IPv6Address

PASSWORD_LENGTH: Final = range(16, 21)
"""Characters (OCPP 1.6 security, A.1)."""

_SUPERVISOR: Final = (ip_network("172.30.32.0/23"), ip_network("172.30.232.0/23"))
"""Home Assistant's own network of containers, in which no charger ever is."""
_BRIDGE: Final = ip_network("172.17.0.0/16")
"""Docker's, unless a house happens to use it."""
_CONTAINERS: Final = frozenset(
    {"hassio", "homeassistant", "host.docker.internal", "supervisor"}
)
_IDENTITY = re.compile(r"[!-~]+")
_RESERVED: Final = frozenset("/:?#%")
_INGRESS: Final = "/api/hassio_ingress"


def problems_of(details: Details, own: Collection[Address] = ()) -> tuple[Problem, ...]:
    """Return what stands against a configuration, by itself.

    `own` are the addresses of this machine, as far as they are known.
    """
    return tuple(_problems(details, own))


def _problems(details: Details, own: Collection[Address]) -> Iterator[Problem]:
    if (url := _split(details.url)) is None or (host := url.hostname) is None:
        yield Problem(check=Check.ADDRESS_INVALID)
    else:
        if (problem := _problem_of_host(host, own)) is not None:
            yield problem
        if url.path.startswith(_INGRESS):
            yield Problem(check=Check.ADDRESS_INGRESS)
        if url.scheme == "wss":
            yield from _problems_of_certificate(details, host)
    if not _is_identity(details.identity):
        yield Problem(check=Check.IDENTITY_INVALID)
    if not _is_password(details.password or ""):
        yield Problem(check=Check.PASSWORD_INVALID)


def host_of(url: str) -> str:
    """Return the host of an address, which is all that is shown of somebody else's."""
    split = _split(url)
    return (split.hostname or "") if split is not None else ""


def _split(text: str) -> SplitResult | None:
    """Return the parts of an address, None if it is none for a websocket."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None
    if url.scheme not in {"ws", "wss"} or port == 0 or "@" in url.netloc:
        return None
    return None if url.query or url.fragment or re.search(r"\s", text) else url


def _problem_of_host(host: str, own: Collection[Address]) -> Problem | None:
    try:
        address = ip_address(host)
    except ValueError:
        return _problem_of_name(host.lower().removesuffix("."))
    if address.is_loopback or address.is_unspecified:
        return Problem(check=Check.ADDRESS_LOOPBACK, detail=host)
    if address.is_link_local or address.is_multicast or address.is_reserved:
        return Problem(check=Check.ADDRESS_UNREACHABLE, detail=host)
    if any(address in network for network in _SUPERVISOR):
        return Problem(check=Check.ADDRESS_CONTAINER, detail=host)
    if address in _BRIDGE:
        return Problem(check=Check.ADDRESS_CONTAINER, detail=host, overridable=True)
    if own and address not in own:
        return Problem(check=Check.ADDRESS_ELSEWHERE, detail=host, overridable=True)
    return None


def _problem_of_name(host: str) -> Problem | None:
    first, _, last = host.rpartition(".")
    if last == "localhost" or host == "localhost.localdomain":
        return Problem(check=Check.ADDRESS_LOOPBACK, detail=host)
    if host in _CONTAINERS or host.endswith(".local.hass.io"):
        return Problem(check=Check.ADDRESS_CONTAINER, detail=host)
    if not last or last[0].isdigit():
        return Problem(check=Check.ADDRESS_INVALID)
    if not first or last == "local":
        return Problem(check=Check.ADDRESS_NAME, detail=host, overridable=True)
    return None


def _problems_of_certificate(details: Details, host: str) -> Iterator[Problem]:
    if "-----BEGIN CERTIFICATE-----" not in (details.ca_certificate or ""):
        yield Problem(check=Check.CERTIFICATE_MISSING)
    if (details.ca_domain or "").lower() != host:
        yield Problem(check=Check.CERTIFICATE_DOMAIN, detail=host)


def _is_identity(identity: str) -> bool:
    return bool(_IDENTITY.fullmatch(identity)) and not _RESERVED & {*identity}


def _is_password(password: str) -> bool:
    return len(password) in PASSWORD_LENGTH and bool(_IDENTITY.fullmatch(password))
