"""Actions about the security of a charger: passwords, profiles, certificates."""

from dataclasses import asdict
from typing import Any, Final

import probatio as vol
from yarl import URL

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .certificate_store import async_server_names
from .fields import ActionGroup, Data, response
from .helpers import async_send, checked, invalid, translated_errors
from .issues import plain
from .ocpp.roots import read_root
from .ocpp.signer import certificate_hashes
from .security_ports import at_home_assistant
from .station.commands import (
    INSTALLABLE,
    CertificateHash,
    CertificateUse,
    InstalledCertificate,
)
from .station.errors import NotConnected, NotSupported
from .station.link import Capability
from .station.model import ChargingStation
from .station.outcome import Outcome, OutcomeStatus
from .station.security.profile import ENCRYPTED, HIGHEST, same_root
from .targets import Target
from .tls_settings import TlsMode

ATTR_ALGORITHM: Final = "algorithm"
ATTR_CERTIFICATE: Final = "certificate"
ATTR_ISSUER_KEY_HASH: Final = "issuer_key_hash"
ATTR_ISSUER_NAME_HASH: Final = "issuer_name_hash"
ATTR_PROFILE: Final = "profile"
ATTR_SERIAL: Final = "serial"
ATTR_USE: Final = "use"


def _hex(length: int) -> Any:
    """Return a validator of a number in hex."""
    return vol.All(cv.string, vol.Match(rf"^[0-9A-Fa-f]{{1,{length}}}$"))


async def _rotate_password(target: Target, data: Data) -> JsonObjectType:
    security, station = target.dialed.security, target.station
    with translated_errors(station):
        outcome = await security.rotate_password()
    return response(checked(station, outcome))


async def _renew_certificate(target: Target, data: Data) -> JsonObjectType:
    security, station = target.dialed.security, target.station
    if target.server.authority is None:
        raise invalid("no_authority")
    with translated_errors(station):
        station.link(Capability.CERTIFICATES)
    if (security.profile.value or 0) < ENCRYPTED:
        # Its request would be refused.
        raise invalid("certificate_needs_encryption", charger=station.settings.name)
    with translated_errors(station):
        outcome = await security.renew_certificate()
    return response(checked(station, outcome))


async def _set_security_profile(target: Target, data: Data) -> JsonObjectType:
    security, station = target.dialed.security, target.station
    wanted: int = data[ATTR_PROFILE]
    with translated_errors(station):
        station.link(Capability.CONFIGURATION)
        present = security.profile.value or 0
        if wanted < present:
            raise invalid("security_profile_lower", charger=station.settings.name)
        if wanted > present:
            await _check_server(target, wanted)
        await security.raise_profile(wanted)
    upgrade = security.upgrade.value
    return {
        "profile": present,
        "target": wanted,
        "step": None if upgrade is None else upgrade.step,
    }


async def _check_server(target: Target, wanted: int) -> None:
    """Raise if the server itself cannot be spoken to like this."""
    hub, station = target.server, target.station
    if at_home_assistant(hub, station.identity):
        raise invalid("profile_at_home_assistant", charger=station.settings.name)
    if wanted >= ENCRYPTED and hub.central_system.contexts is None:
        raise invalid("tls_not_offered", server=target.hub.entry.title)
    if wanted == HIGHEST and hub.authority is None:
        raise invalid("no_authority")
    if (
        (target.dialed.security.profile.value or 0) < ENCRYPTED <= wanted
        and hub.certificates.settings.mode is TlsMode.OWN_AUTHORITY
        and (host := URL(hub.central_system.origin(station.identity) or "").host)
        and host not in {one.lower() for one in await async_server_names(hub.hass)}
    ):
        # It would take the server for another, and stay away.
        raise invalid(
            "name_not_certified", charger=station.settings.name, host=plain(host)
        )


async def _install_certificate(target: Target, data: Data) -> JsonObjectType:
    use: CertificateUse = data[ATTR_USE]
    root = data.get(ATTR_CERTIFICATE)
    if root is None:
        if use is not CertificateUse.CENTRAL_SYSTEM_ROOT or not target.server.authority:
            raise invalid("certificate_missing")
        root = target.server.authority.root_pem
    try:
        root = read_root(root)
    except ValueError as err:
        raise invalid("certificate_unreadable") from err
    station = target.station
    outcome = await async_send(
        station,
        Capability.CERTIFICATES,
        lambda link: link.install_certificate(use, root),
    )
    return response(await _read_back(station, use, root, outcome))


async def _read_back(
    station: ChargingStation, use: CertificateUse, root: str, outcome: Outcome
) -> Outcome:
    """Return that a root is installed if the charger lists it, else what it said."""
    try:
        link = station.link(Capability.CERTIFICATES)
        _, installed = await link.installed_certificates((use,))
    except NotConnected, NotSupported:
        return outcome
    listed = [one.certificate for one in installed]
    if not any(same_root(certificate_hashes, root, one) for one in listed):
        return outcome
    return Outcome(
        status=OutcomeStatus.CONFIRMED,
        answer=outcome.answer,
        response=outcome.response,
    )


async def _get_installed_certificates(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        link = station.link(Capability.CERTIFICATES)
        outcome, installed = await link.installed_certificates(data[ATTR_USE])
    checked(station, outcome)
    return {"certificates": [_shown(target, one) for one in installed]}


def _shown(target: Target, installed: InstalledCertificate) -> JsonObjectType:
    """Return how a certificate that a charger lists is shown."""
    return {
        "use": installed.use,
        **asdict(installed.certificate),
        "ours": _ours(target, installed.certificate),
        "children": [asdict(one) for one in installed.children],
    }


def _ours(target: Target, listed: CertificateHash) -> bool:
    """Return whether a charger means the root of our authority."""
    authority = target.server.authority
    return authority is not None and same_root(
        certificate_hashes, authority.root_pem, listed
    )


async def _delete_certificate(target: Target, data: Data) -> JsonObjectType:
    certificate = CertificateHash(
        algorithm=data[ATTR_ALGORITHM],
        issuer_name_hash=data[ATTR_ISSUER_NAME_HASH],
        issuer_key_hash=data[ATTR_ISSUER_KEY_HASH],
        serial=data[ATTR_SERIAL],
    )
    security = target.dialed.security
    upgrade = security.upgrade.value
    needed = (security.profile.value or 0) >= ENCRYPTED or (
        upgrade is not None and upgrade.is_told
    )
    if needed and _ours(target, certificate):
        # Without it the charger would not know this server any more.
        raise invalid("certificate_in_use", charger=target.station.settings.name)
    outcome = await async_send(
        target.station,
        Capability.CERTIFICATES,
        lambda link: link.delete_certificate(certificate),
    )
    return response(outcome)


_USE = vol.All(cv.string, vol.Coerce(CertificateUse))
_ROOT = vol.All(_USE, vol.In(INSTALLABLE))

ACTIONS: Final = ActionGroup(
    admin_commands={
        "delete_certificate": (
            _delete_certificate,
            {
                vol.Required(ATTR_ALGORITHM): vol.In(("SHA256", "SHA384", "SHA512")),
                vol.Required(ATTR_ISSUER_NAME_HASH): _hex(128),
                vol.Required(ATTR_ISSUER_KEY_HASH): _hex(128),
                vol.Required(ATTR_SERIAL): _hex(40),
            },
        ),
        "install_certificate": (
            _install_certificate,
            {
                vol.Optional(
                    ATTR_USE, default=CertificateUse.CENTRAL_SYSTEM_ROOT
                ): _ROOT,
                vol.Optional(ATTR_CERTIFICATE): cv.string,
            },
        ),
        "renew_certificate": (_renew_certificate, {}),
        "rotate_password": (_rotate_password, {}),
        "set_security_profile": (
            _set_security_profile,
            {
                vol.Required(ATTR_PROFILE): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=HIGHEST)
                )
            },
        ),
    },
    admin_queries={
        "get_installed_certificates": (
            _get_installed_certificates,
            {vol.Optional(ATTR_USE, default=list): vol.All(cv.ensure_list, [_USE])},
        ),
    },
)
