"""Diagnostics of a station: what all chargers have, by whichever way they are reached."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST

from .const import (
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_NAMES,
    CONF_PASSWORD_HASH,
)
from .issues import harmless
from .models import HubStation
from .station.channel import Channel
from .station.link import Limit
from .station.model import ChargingStation, Evse, Place
from .station.profiles.model import CompositePeriod
from .station.registry import normal
from .station.secrets import shortened
from .station.shared_register import dump
from .station.transaction import Transaction

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


def of_station(station: ChargingStation) -> dict[str, Any]:
    """Return what is known of a station, but for how it is connected."""
    return {
        "identity": shortened(station.identity),
        "settings": _settings(station),
        "info": async_redact_data(asdict(station.info.value), TO_REDACT),
        "findings": station.findings,
        "limits": _limits(station),
        "firmware_status": station.firmware_status.value,
        "ways": _ways(station),
        "places": {
            place.id: _place(place)
            for place in (station.whole, *station.evses.values())
        },
        "sessions": _sessions(station),
    }


def of_owner(hub_station: HubStation) -> dict[str, Any]:
    """Return which kind of entry shows a charger, and which account is a guest there."""
    account, charger = hub_station.account_hub, hub_station.easee
    by_server = hub_station.subentry_id is not None
    serial = None if charger is None else charger.serial.upper()
    return {
        "shown_by": "server" if by_server else "account",
        "guest": account.entry.entry_id if by_server and account is not None else None,
        "called_by_serial": serial and serial == hub_station.station.identity,
    }


def _settings(station: ChargingStation) -> dict[str, Any]:
    """Return the settings of a charger; without another name an id of it is one."""
    settings: dict[str, Any] = async_redact_data(asdict(station.settings), TO_REDACT)
    for one in (station.identity, station.info.value.serial):
        if one and normal(settings["name"]) in {normal(one), normal(harmless(one))}:
            settings["name"] = shortened(one)
    return settings


def _ways(station: ChargingStation) -> dict[str, Any]:
    """Return by which ways a station may be reached, and is."""
    return {
        "possible": sorted(station.ways),
        "used": station.way.value,
        "local": station.local.value,
        "cloud": station.remote.value,
    }


def _place(place: Place) -> dict[str, Any]:
    """Return what is known of a station as a whole, or of one EVSE."""
    fault, limit = place.fault.value, place.wanted_limit.value
    return {
        "status": place.status.value,
        "fault": None if fault is None else asdict(fault),
        "suspension": place.suspension.value,
        "wanted_limit": _limit(limit),
        "effective_limit": _limit(place.effective_limit.value),
        "limited_by": place.limited_by.value,
        "limit_ignored": place.limit_ignored.value,
        "measurements": {
            key.slug: {"value": channel.value, "at": channel.at}
            for key, channel in place.measurements.items()
        },
        "told_by_cloud": _filled(place),
        "register_zeros": dump(place),
    }


def _filled(place: Place) -> list[str] | None:
    """Return what the cloud tells of a place, because the charger does not.

    None if only one of them tells anything.
    """
    if len(place.station.ways) == 1:
        return None
    states: dict[str, Channel[Any]] = {"status": place.status, "fault": place.fault}
    if isinstance(place, Evse):
        states["cable_rating"] = place.cable_rating
    measured = {key.slug: channel for key, channel in place.measurements.items()}
    return [name for name, one in (states | measured).items() if one.filled]


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
