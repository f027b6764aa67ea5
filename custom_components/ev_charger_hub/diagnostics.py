"""Diagnostics: what a server and its chargers know, without secrets."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from . import easee_diagnostics
from .const import CONF_REFUSED
from .entries import is_easee
from .hub import OcppHub
from .models import EvChargerHubConfigEntry, OcppStation
from .ocpp.quirks import quirks_of
from .ocpp.session import Session
from .station.model import ChargingStation
from .station_diagnostics import TO_REDACT, of_owner, of_station
from .storage import DATA
from .token_entries import unknown_tokens


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> dict[str, Any]:
    """Return what is known of a server, or an account, and all its chargers."""
    if is_easee(entry):
        return easee_diagnostics.of_account(entry)
    hub = entry.runtime_data
    return {
        "entry": {
            "data": async_redact_data(entry.data, TO_REDACT),
            "policy": hub.admission.policy,
            "refused": len(entry.options.get(CONF_REFUSED, ())),
            "tls": _tls(hub),
        },
        "tokens": {
            "known": len(hass.data[DATA].tokens),
            "unknown_tokens": unknown_tokens(entry),
        },
        "waiting": [
            async_redact_data(asdict(candidate), TO_REDACT | {"remote"})
            for candidate in hub.waiting
        ],
        "chargers": [_charger(hub, one) for one in hub.stations.values()],
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry, device: dr.AnyDeviceEntry
) -> dict[str, Any]:
    """Return what is known of one charger; nothing for the server itself."""
    if is_easee(entry):
        return easee_diagnostics.of_device(entry, device)
    hub = entry.runtime_data
    charger_id = device.id
    if isinstance(device, dr.ChildDeviceEntry):
        charger_id = device.parent_device_id
    return {
        "chargers": [
            _charger(hub, one)
            for one in hub.stations.values()
            if one.device_id == charger_id
        ]
    }


def _tls(hub: OcppHub) -> dict[str, Any]:
    """Return how a server is encrypted."""
    certificates = hub.certificates
    authority = certificates.authority
    return {
        "mode": certificates.settings.mode,
        "accept_plain": certificates.settings.plain,
        "expires": certificates.expires,
        "chargers_have_certificates": authority is not None and authority.has_clients,
    }


def _charger(hub: OcppHub, hub_station: OcppStation) -> dict[str, Any]:
    """Return what is known of a charger."""
    station = hub_station.station
    session = hub.central_system.sessions.get(station.identity)
    return {
        **of_station(station),
        "owner": of_owner(hub_station),
        "personality": quirks_of(station.info.value).personality,
        "connection": {
            "connected_since": station.connected_since.value,
            "heartbeat": station.heartbeat.value,
            "latency": station.latency.value,
            "online": station.online.value,
            "reconnects": station.reconnects.value,
            "replaced": [] if session is None else _replaced(session),
            "state": None if session is None else session.state,
            "version": station.version.value,
        },
        "security": _security(hub_station),
        "variables": _variables(station),
        "monitoring": _monitoring(station),
        "frames": [] if session is None else session.recorder.shown(),
        "files": _files(hub_station),
    }


def _monitoring(station: ChargingStation) -> dict[str, Any] | None:
    """Return what a charger of OCPP 2.x watches, as far as is known."""
    for link in station.links:
        if (monitoring := link.monitoring) is not None:
            return {
                "monitors": [asdict(one) for one in monitoring.known_monitors],
                "streams": [asdict(one) for one in monitoring.known_streams],
            }
    return None


def _replaced(session: Session) -> list[dict[str, Any]]:
    """Return when an open socket was replaced by another, without addresses."""
    return [
        {"at": one.at, "same_address": one.old_remote == one.new_remote}
        for one in session.takeovers
    ]


def _files(hub_station: OcppStation) -> dict[str, Any]:
    """Return how updates and logs went, without where the files are."""
    update, logs = hub_station.firmware.update.value, hub_station.log_files.logs
    return {
        "update": update and asdict(update),
        "logs": [
            {"log": one.kind, "status": one.status, "transfer": one.transfer}
            for one in logs.tasks.values()
        ],
        "upload_works_by": logs.works,
    }


def _security(hub_station: OcppStation) -> dict[str, Any]:
    """Return how a charger is secured, without what secures it."""
    security = hub_station.security
    upgrade, certificate = security.upgrade.value, security.certificate.value
    return {
        "profile": security.profile.value,
        "unconfirmed_passwords": len(security.hashes),
        "upgrade": upgrade and {**asdict(upgrade), "url": upgrade.url is not None},
        "certificate_ends": None if certificate is None else certificate.expires,
    }


def _variables(station: ChargingStation) -> dict[str, Any]:
    """Return which variables are followed, without what they are set to."""
    pending = station.pending_restart
    return {
        "followed": [variable.name for variable in station.variables],
        "waiting_for_restart": [] if pending is None else [*pending.names.value],
    }
