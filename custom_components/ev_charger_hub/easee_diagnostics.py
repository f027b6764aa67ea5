"""Diagnostics of an Easee account: what it knows, without secrets."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD
from homeassistant.helpers import device_registry as dr

from .devices import async_identities
from .easee.account import EaseeAccount
from .easee.charger import EaseeCharger
from .easee.equalizer import Equalizer
from .easee.ids import ChargerId, EqualizerId
from .easee.products import ChargerInfo, EqualizerInfo
from .easee.readings import Readings
from .easee_hub import EaseeHub
from .easee_settings import LeftOut
from .models import HubStation
from .station.secrets import shortened
from .station_diagnostics import of_owner, of_station

HARMLESS: Final[Mapping[type[IntEnum], frozenset[int]]] = {
    ChargerId: frozenset(
        {
            ChargerId.CHARGING_SCHEDULE,
            ChargerId.CLOUD_DISCONNECT_REASON,
            ChargerId.ERROR_STRING,
            ChargerId.PILOT_MODE,
            ChargerId.SELF_TEST_RESULT,
        }
    ),
    EqualizerId: frozenset(
        {
            EqualizerId.CLOUD_DISCONNECT_REASON,
            EqualizerId.METER_TYPE,
            EqualizerId.SITE_STRUCTURE,
            EqualizerId.SURPLUS_CHARGING,
        }
    ),
}
"""The texts that say nothing of whose product it is, or where; no other is shown."""

PRIVATE: Final[Mapping[type[IntEnum], frozenset[int]]] = {
    ChargerId: frozenset({ChargerId.ICCID, ChargerId.SITE_ID_NUMERIC}),
    EqualizerId: frozenset({EqualizerId.METER_ID, EqualizerId.SITE_ID_NUMERIC}),
}
"""The numbers that do."""


def of_account(entry: ConfigEntry[Any]) -> dict[str, Any]:
    """Return what is known of an account and all its products."""
    hub: EaseeHub = entry.runtime_data
    left_out = LeftOut.of(entry.options)
    return {
        "entry": {
            "left_out_products": len(left_out.products),
            "left_out_sites": len(left_out.sites),
            "password_stored": CONF_PASSWORD in entry.data,
        },
        "account": _account(hub.account),
        "sites": [
            {
                "circuits": [len(one.chargers) for one in site.circuits],
                "currency": site.currency,
                "rated_current": site.rated_current,
            }
            for site in hub.account.sites.values()
        ],
        "chargers": [_charger(hub, one) for one in hub.chargers],
        "equalizers": [
            _equalizer(hub.account, one) for one in hub.account.equalizers.values()
        ],
    }


def of_device(entry: ConfigEntry[Any], device: dr.AnyDeviceEntry) -> dict[str, Any]:
    """Return what is known of one product; nothing for accounts and sites."""
    hub: EaseeHub = entry.runtime_data
    identities = async_identities(device)
    return {
        "chargers": [
            _charger(hub, one)
            for one in hub.chargers
            if one.station.identity in identities
        ],
        "equalizers": [
            _equalizer(hub.account, one)
            for identity, one in hub.account.equalizers.items()
            if identity in identities
        ],
    }


def _account(account: EaseeAccount) -> dict[str, Any]:
    """Return how an account is connected."""
    budget, stream = account.budget, account.stream
    trouble = account.trouble.value
    return {
        "listed_at": account.listed_at,
        "tokens_since": account.authenticator.age(),
        "trouble": None if trouble is None else type(trouble).__name__,
        "requests": {
            "answers": {str(one): n for one, n in account.requests.answers.items()},
            "blocked_until": budget.blocked_until,
            "held_until": budget.held_until,
            "left": budget.left,
            "made": {one.value: n for one, n in account.requests.requests_made.items()},
        },
        "stream": {
            "connected": stream.connected.value,
            "connections": stream.connections,
            "failures": stream.failures,
            "oddities": stream.oddities.seen,
            "since": stream.since,
            "trouble": stream.trouble.value,
        },
    }


def _charger(hub: EaseeHub, hub_station: HubStation) -> dict[str, Any]:
    """Return what is known of a charger."""
    charger = hub_station.easee
    assert charger is not None
    station = hub_station.station
    return {
        **of_station(station),
        "owner": of_owner(hub_station),
        "connection": {
            "heartbeat": station.heartbeat.value,
            "online": station.online.value,
            **_product(hub.account, charger),
        },
        "local_ocpp": _local(hub, charger),
        "product": _info(charger.info),
        "readings": _readings(charger.readings, ChargerId),
    }


def _local(hub: EaseeHub, charger: EaseeCharger) -> dict[str, Any] | None:
    """Return how far local OCPP is, without passwords, addresses and names."""
    known = hub.local.chargers.get(charger.serial.upper())
    if known is None or (progress := known.progress.value) is None:
        return None
    place = known.lodging.place.value
    return {
        "applied": _moment(progress.applied),
        "attempts": progress.attempts,
        "charge_when_away": progress.charge_when_away,
        "connected": known.arrivals.here.value,
        "encrypted": progress.details.url.lower().startswith("wss:"),
        "goal": progress.goal,
        "late": progress.late,
        "made_for_this": place is not None and place.made,
        "next_attempt": _moment(known.next_attempt),
        "settings_changed": sorted(int(one) for one in progress.settings),
        "stage": progress.stage,
        "stranded": known.stranded.value,
        "trouble": progress.trouble,
    }


def _equalizer(account: EaseeAccount, equalizer: Equalizer) -> dict[str, Any]:
    """Return what is known of an equalizer."""
    return {
        "identity": shortened(equalizer.info.serial),
        "connection": {
            "online": equalizer.online.value,
            **_product(account, equalizer),
        },
        "product": _info(equalizer.info),
        "readings": _readings(equalizer.readings, EqualizerId),
    }


def _product(
    account: EaseeAccount, product: EaseeCharger | Equalizer
) -> dict[str, Any]:
    """Return what becomes of what a product tells, and who commands it."""
    serial = product.info.serial
    rogue = account.rogues.get(serial.upper())
    return {
        "controlled_by_others": rogue is not None and rogue.repeated.value,
        "heard": account.stream.hears(serial),
    }


def _info(info: ChargerInfo | EqualizerInfo) -> dict[str, Any]:
    """Return what the account says of a product, without whose and where it is."""
    if isinstance(info, EqualizerInfo):
        return {"on_a_site": info.site_id is not None}
    return {
        "access": info.access,
        "on_a_site": info.site_id is not None,
        "primary": info.primary,
        "product_code": info.product_code,
        "role": info.role,
    }


def _readings(readings: Readings, names: type[IntEnum]) -> dict[str, Any]:
    """Return what a product reported, by name: all numbers, and harmless texts."""
    return {
        _name(number, names): {
            "value": _shown(number, channel.value, names),
            "at": _moment(channel.at),
        }
        for number, channel in readings
    }


def _shown(number: int, value: Any, names: type[IntEnum]) -> Any:
    """Return a value, or that there is one."""
    private = number in PRIVATE[names] or number not in set(names)
    if private or (isinstance(value, str) and number not in HARMLESS[names]):
        return "**REDACTED**"
    return value


def _name(number: int, names: type[IntEnum]) -> str:
    """Return the name of an observation, or its number if it has none."""
    try:
        return f"{number}_{names(number).name.lower()}"
    except ValueError:
        return str(number)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
