"""System health: which servers listen, and how many chargers are there."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .models import EvChargerHubConfigEntry
from .tls_settings import TlsMode, TlsSettings


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what the system information page shows."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the state of all servers."""
    entries: list[EvChargerHubConfigEntry] = hass.config_entries.async_loaded_entries(
        DOMAIN
    )
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
    }
