"""Devices of an Easee account: the account, its sites, and its chargers."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.typing import UNDEFINED

from .const import DOMAIN
from .devices import async_refresh_charger
from .easee.equalizer import Equalizer
from .easee.products import ChargerInfo, SiteInfo
from .station.model import ChargingStation

MANUFACTURER = "Easee"


def site_identifier(site_id: int) -> str:
    """Return what a site is known by among our devices."""
    return f"easee_site_{site_id}"


@callback
def async_register_account(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Register the account as a service device and return its device id."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        entry_type=dr.DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer=MANUFACTURER,
        model="Account",
        name=entry.title,
    )
    return device.id


@callback
def async_register_site(
    hass: HomeAssistant, entry: ConfigEntry, site: SiteInfo, account_id: str
) -> str:
    """Register a site below its account and return its device id."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        entry_type=dr.DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, site_identifier(site.id))},
        manufacturer=MANUFACTURER,
        model="Site",
        name=site.name,
        via_device_id=account_id,
    )
    return device.id


@callback
def async_register_equalizer(
    hass: HomeAssistant, entry: ConfigEntry, equalizer: Equalizer, via_id: str
) -> str:
    """Register an equalizer below its site and return its device id."""
    firmware = equalizer.firmware
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, equalizer.serial)},
        manufacturer=MANUFACTURER,
        model="Equalizer",
        name=equalizer.info.name,
        serial_number=equalizer.serial,
        sw_version=UNDEFINED if firmware is None else str(firmware),
        via_device_id=via_id,
    )
    return device.id


@callback
def async_register_easee_charger(
    hass: HomeAssistant,
    entry: ConfigEntry,
    station: ChargingStation,
    info: ChargerInfo,
    via_id: str,
) -> str:
    """Register a charger below its site, or the account, and return its device id."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, station.identity)},
        manufacturer=MANUFACTURER,
        model=info.model,
        name=station.settings.name,
        serial_number=info.serial.upper(),
        via_device_id=via_id,
    )
    async_refresh_charger(hass, device.id, station)
    return device.id
