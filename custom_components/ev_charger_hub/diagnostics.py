"""Diagnostics: what a server and its chargers know, without secrets."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .const import (
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_NAMES,
    CONF_PASSWORD_HASH,
    CONF_REFUSED,
)
from .hub import OcppHub
from .issues import harmless
from .models import EvChargerHubConfigEntry, HubStation
from .ocpp.session import Session
from .station.link import Limit
from .station.model import ChargingStation, Place
from .station.profiles.model import CompositePeriod
from .station.secrets import shortened
from .station.transaction import Transaction
from .storage import DATA
from .token_entries import unknown_tokens

TO_REDACT: Final = {
    "iccid",
    "id_token",
    "identity",
    "imsi",
    "meter_serial",
    "serial",
    "stop_id_token",
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_HOST,
    CONF_NAMES,
    CONF_PASSWORD_HASH,
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> dict[str, Any]:
    """Return what is known of a server and all its chargers."""
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


def _charger(hub: OcppHub, hub_station: HubStation) -> dict[str, Any]:
    """Return what is known of a charger."""
    station = hub_station.station
    session = hub.central_system.sessions.get(station.identity)
    return {
        "identity": shortened(station.identity),
        "settings": _settings(station),
        "info": async_redact_data(asdict(station.info.value), TO_REDACT),
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
        "findings": station.findings,
        "variables": _variables(station),
        "monitoring": _monitoring(station),
        "limits": _limits(station),
        "frames": [] if session is None else session.recorder.shown(),
        "firmware_status": station.firmware_status.value,
        "files": _files(hub_station),
        "places": {
            place.id: _place(place)
            for place in (station.whole, *station.evses.values())
        },
        "sessions": _sessions(station),
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


def _files(hub_station: HubStation) -> dict[str, Any]:
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


def _security(hub_station: HubStation) -> dict[str, Any]:
    """Return how a charger is secured, without what secures it."""
    security = hub_station.security
    upgrade, certificate = security.upgrade.value, security.certificate.value
    return {
        "profile": security.profile.value,
        "unconfirmed_passwords": len(security.hashes),
        "upgrade": upgrade and {**asdict(upgrade), "url": upgrade.url is not None},
        "certificate_ends": None if certificate is None else certificate.expires,
    }


def _settings(station: ChargingStation) -> dict[str, Any]:
    """Return the settings of a charger; without another name its identity is one."""
    settings: dict[str, Any] = async_redact_data(asdict(station.settings), TO_REDACT)
    if settings["name"] in {station.identity, harmless(station.identity)}:
        settings["name"] = shortened(station.identity)
    return settings


def _place(place: Place) -> dict[str, Any]:
    """Return what is known of a station as a whole, or of one EVSE."""
    fault, limit = place.fault.value, place.wanted_limit.value
    return {
        "status": place.status.value,
        "fault": None if fault is None else asdict(fault),
        "wanted_limit": _limit(limit),
        "effective_limit": _limit(place.effective_limit.value),
        "limited_by": place.limited_by.value,
        "limit_ignored": place.limit_ignored.value,
        "measurements": {
            key.slug: {"value": channel.value, "at": channel.at}
            for key, channel in place.measurements.items()
        },
    }


def _variables(station: ChargingStation) -> dict[str, Any]:
    """Return which variables are followed, without what they are set to."""
    pending = station.pending_restart
    return {
        "followed": [variable.name for variable in station.variables],
        "waiting_for_restart": [] if pending is None else [*pending.names.value],
    }


def _limit(limit: Limit | None) -> str | None:
    """Return a limit as people write it."""
    return None if limit is None else f"{limit.value.normalize():f} {limit.unit}"


def _limits(station: ChargingStation) -> dict[str, Any] | None:
    """Return what was learnt of limits, what was accepted, and what is in force."""
    if (limiter := station.limiter) is None:
        return None
    return {
        "learnt": limiter.learnt.dump(),
        "applied": {
            evse_id: asdict(applied) | {"limit": _limit(applied.limit)}
            for evse_id in (0, *station.evses)
            if (applied := limiter.applied(evse_id)) is not None
        },
        "in_force": {
            evse_id: asdict(composite)
            | {"periods": [_period(period) for period in composite.periods]}
            for evse_id, composite in limiter.composites.items()
        },
    }


def _period(period: CompositePeriod) -> dict[str, Any]:
    """Return a period of what a charger says that its profiles come to."""
    limit = None if period.limit is None else float(period.limit)
    return asdict(period) | {"limit": limit}


def _sessions(station: ChargingStation) -> list[dict[str, Any]]:
    """Return the open or last session of each EVSE."""
    return [
        _session(evse.session.value)
        for evse in station.evses.values()
        if evse.session.value is not None
    ]


def _session(transaction: Transaction) -> dict[str, Any]:
    """Return a session without the token it was charged with."""
    redacted: dict[str, Any] = async_redact_data(asdict(transaction), TO_REDACT)
    return redacted
