"""Helpers of entity tests: entities by unique id, actions, time for the flusher."""

from datetime import timedelta
from typing import Any

from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from custom_components.ev_charger_hub.const import DOMAIN


async def flush(hass: HomeAssistant) -> None:
    """Let an interval pass, so that every change is in the states."""
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2))
    await hass.async_block_till_done()


async def act(
    hass: HomeAssistant, action: str, identifier: str = "CP01", /, **fields: Any
) -> dict[str, Any]:
    """Perform an action on a charger, or a connector, and return its response."""
    response = await hass.services.async_call(
        DOMAIN,
        action,
        {ATTR_DEVICE_ID: device_id(hass, identifier), **fields},
        blocking=True,
        return_response=True,
    )
    assert isinstance(response, dict)
    return response


def entity_id(hass: HomeAssistant, platform: str, unique_id: str) -> str:
    """Return the entity of a unique id."""
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    assert found is not None, f"no {platform} {unique_id}"
    return found


def exists(hass: HomeAssistant, platform: str, unique_id: str) -> bool:
    """Return whether an entity is registered."""
    return (
        er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id) is not None
    )


def full_state(hass: HomeAssistant, platform: str, unique_id: str) -> State:
    """Return the state of the entity of a unique id, with its attributes."""
    state = hass.states.get(entity_id(hass, platform, unique_id))
    assert state is not None, f"{platform} {unique_id} has no state"
    return state


def state(hass: HomeAssistant, platform: str, unique_id: str) -> str:
    """Return the state of the entity of a unique id."""
    return full_state(hass, platform, unique_id).state


def device_id(hass: HomeAssistant, identifier: str) -> str:
    """Return the device, or child device, of an identifier."""
    devices = dr.async_get(hass)
    entry = hass.config_entries.async_entries(DOMAIN)[0]
    device: dr.AnyDeviceEntry | None = devices.async_get_device_by_identifier(
        (DOMAIN, identifier), entry.entry_id
    ) or devices.async_get_child_device_by_identifier(
        (DOMAIN, identifier), entry.entry_id
    )
    assert device is not None, f"no device {identifier}"
    return device.id
