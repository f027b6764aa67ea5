"""Devices of the registry: the server, and its chargers."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN
from .models import EvChargerHubConfigEntry
from .station.model import ChargingStation, StationInfo


@callback
def async_register_server(hass: HomeAssistant, entry: EvChargerHubConfigEntry) -> str:
    """Register the server as a service device and return its device id."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        entry_type=dr.DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        model="OCPP server",
        name=entry.title,
    )
    return device.id


@callback
def async_register_charger(
    hass: HomeAssistant,
    entry: EvChargerHubConfigEntry,
    subentry_id: str,
    station: ChargingStation,
    server_id: str,
) -> str:
    """Register a charger below its server and return its device id."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        config_subentry_id=subentry_id,
        identifiers={(DOMAIN, station.identity)},
        name=station.settings.name,
        via_device_id=server_id,
    )
    async_refresh_charger(hass, device.id, station)
    return device.id


@callback
def async_refresh_charger(
    hass: HomeAssistant, device_id: str, station: ChargingStation
) -> None:
    """Bring the device of a charger up to date with what the charger says."""
    info = station.info.value
    if info == StationInfo():
        # Not heard of it since it was added; what the registry knows is better.
        dr.async_get(hass).async_update_device(device_id, name=station.settings.name)
        return
    dr.async_get(hass).async_update_device(
        device_id,
        manufacturer=info.vendor,
        model=info.model,
        name=station.settings.name,
        serial_number=info.serial,
        sw_version=info.firmware,
    )


@callback
def async_identities(device: dr.AnyDeviceEntry) -> set[str]:
    """Return our identifiers of a device: entry id, identity or identity_evse."""
    return {value for domain, value in device.identifiers if domain == DOMAIN}
