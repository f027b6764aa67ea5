"""Security ports: what the security of a charger needs of Home Assistant."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from yarl import URL

from homeassistant.core import callback

from .ocpp.credentials import hash_password
from .ocpp.signer import ChargerSigner
from .settings import async_chargers
from .station.model import ChargingStation
from .station.secrets import generate_password
from .station.security.ports import NewPassword, Ports, Signer
from .station.security.profile import ENCRYPTED, HIGHEST
from .tls_settings import TlsMode

if TYPE_CHECKING:
    from .hub import OcppHub


def security_ports(hub: OcppHub, station: ChargingStation) -> Ports:
    """Return the means by which the security of a charger is changed."""
    return Ports(
        new_password=partial(_async_new_password, hub),
        signer=partial(_signer, hub, station),
        amend=partial(_amend, hub, station.identity),
        offers=partial(offers, hub, station.identity),
        address=partial(address, hub, station.identity),
    )


async def _async_new_password(hub: OcppHub) -> NewPassword:
    """Return a new password, which nobody but the charger is told."""
    password = generate_password()
    hashed = await hub.hass.async_add_executor_job(hash_password, password)
    return NewPassword(plain=password, hashed=hashed)


@callback
def _signer(hub: OcppHub, station: ChargingStation) -> Signer | None:
    """Return the authority that signs for a charger, if the server has one."""
    if (authority := hub.authority) is None:
        return None
    return ChargerSigner(
        authority,
        station.identity,
        partial(_names, station),
        signs_server=hub.certificates.settings.mode is TlsMode.OWN_AUTHORITY,
    )


@callback
def _names(station: ChargingStation) -> set[str]:
    """Return what a charger may call itself: the certificate is bound to its identity."""
    serial = station.info.value.serial
    return {station.identity, serial} if serial else {station.identity}


@callback
def offers(hub: OcppHub, identity: str, profile: int) -> bool:
    """Return whether a charger gets in with a profile where it dials now."""
    if at_home_assistant(hub, identity):
        return False
    if profile >= ENCRYPTED and hub.central_system.contexts is None:
        return False
    return profile < HIGHEST or hub.authority is not None


@callback
def address(hub: OcppHub, identity: str, profile: int) -> str | None:
    """Return where a charger that is connected reaches us with a profile."""
    if (origin := hub.central_system.origin(identity)) is None:
        return None
    # Not by parts: the port stays, also if it is the usual one of the other scheme.
    _, _, place = origin.partition("://")
    return f"{'wss' if profile >= ENCRYPTED else 'ws'}://{place.rstrip('/')}"


@callback
def at_home_assistant(hub: OcppHub, identity: str) -> bool:
    """Return whether a charger is connected at Home Assistant's own port.

    There encryption is none of ours, and no certificate of a charger is looked at.
    """
    origin = hub.central_system.origin(identity)
    return origin is not None and URL(origin).path not in {"", "/"}


@callback
def _amend(hub: OcppHub, identity: str, changes: Mapping[str, Any]) -> None:
    """Change the settings of a charger as the user would; the fields are the keys."""
    if (subentry := async_chargers(hub.entry).get(identity)) is None:
        return
    hub.hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, **changes}
    )
