"""System health: which servers listen, which accounts work, how many chargers are there."""

from datetime import timedelta
from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .easee.auth import HEALTH
from .easee_errors import local_time
from .easee_hub import EaseeHub, easee_addresses
from .easee_local import LocalStatus
from .entries import async_loaded_servers, is_easee
from .tls_settings import TlsMode, TlsSettings


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what the system information page shows."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the state of all servers and accounts."""
    entries = async_loaded_servers(hass)
    hubs = [entry.runtime_data for entry in entries]
    stations = [one.station for hub in hubs for one in hub.stations.values()]
    modes = [TlsSettings.of(entry.data).mode for entry in entries]
    encrypted = sum(1 for mode in modes if mode is not TlsMode.NONE)
    return {
        "servers": len(hubs),
        "ports": ", ".join(str(hub.port) for hub in hubs),
        "tls": f"{encrypted}/{len(hubs)}",
        "chargers": f"{sum(one.online.value for one in stations)}/{len(stations)}",
        "waiting": sum(len(hub.waiting) for hub in hubs),
        **_accounts(hass),
    }


def _accounts(hass: HomeAssistant) -> dict[str, Any]:
    """Return the state of the Easee accounts, nothing if there is none."""
    entries = hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    every = [entry for entry in entries if is_easee(entry)]
    if not every:
        return {}
    loaded = hass.config_entries.async_loaded_entries(DOMAIN)
    hubs: list[EaseeHub] = [one.runtime_data for one in loaded if is_easee(one)]
    stations = [one.station for hub in hubs for one in hub.stations.values()]
    up = sum(hub.account.stream.connected.value for hub in hubs)
    return {
        "easee_accounts": f"{len(hubs)}/{len(every)}",
        "easee_chargers": f"{sum(one.online.value for one in stations)}/{len(stations)}",
        "easee_local": _local(hubs),
        "easee_api": _reachable(hass, hubs),
        "easee_stream": f"{up}/{len(hubs)}",
        "easee_requests_left": _of_each(hub.account.budget.left for hub in hubs),
        "easee_token_age": _of_each(_age(hub) for hub in hubs),
    }


def _reachable(hass: HomeAssistant, hubs: list[EaseeHub]) -> Any:
    """Return what finds out whether the cloud can be reached, if it may be asked."""
    blocks = [hub.account.budget.blocked_until for hub in hubs]
    if until := max((one for one in blocks if one is not None), default=None):
        return f"blocked until {local_time(until)}"
    return system_health.async_check_can_reach_url(hass, easee_addresses().api + HEALTH)


def _local(hubs: list[EaseeHub]) -> str:
    """Return how many chargers came by local OCPP, of those that were told to."""
    states = [
        one.local.state(serial).value for one in hubs for serial in one.local.chargers
    ]
    there = sum(one.status is LocalStatus.CONNECTED for one in states)
    told = sum(one.status not in {LocalStatus.OFF, None} for one in states)
    return f"{there}/{told}"


def _age(hub: EaseeHub) -> str:
    """Return how old the tokens of an account are."""
    if (taken_at := hub.account.authenticator.age()) is None:
        return "-"
    minutes = (hub.account.time() - taken_at) // timedelta(minutes=1)
    return f"{minutes} min"


def _of_each(values: Any) -> str:
    """Return a value of each account."""
    return ", ".join(str(one) for one in values)
