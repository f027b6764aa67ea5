"""What goes wrong elsewhere between chargers and entities does not go wrong here."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from .charger import Charger
from .conftest import ChargerFactory, device_of, set_up
from .entities import device_id, exists, flush, state
from custom_components.ev_charger_hub.hub import OcppHub


@pytest.mark.peer("B-04")
async def test_connectors_that_set_up_finds_appear_without_a_reload(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger_ws: ChargerFactory,
) -> None:
    """NumberOfConnectors alone makes the devices and entities of both connectors."""
    hub.approve("CP01", "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws("CP01")
    charger.configuration["NumberOfConnectors"] = "2"
    await charger.boot()
    await set_up(hub, charger)
    await flush(hass)
    assert device_id(hass, "CP01_1") != device_id(hass, "CP01_2")
    assert exists(hass, "switch", "CP01_2_charge_control")
    assert device_of(hass, init_integration) is not None


@pytest.mark.peer("B-32")
async def test_a_restart_shows_the_session_the_same_everywhere(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Status, charging and charge control agree before the charger is back."""
    await approved_charger.status(1, "Charging")
    await approved_charger.start()
    await flush(hass)
    await approved_charger.close()
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_status") == "charging"
    assert state(hass, "binary_sensor", "CP01_1_charging") == STATE_ON
    assert state(hass, "switch", "CP01_1_charge_control") == STATE_ON
    assert state(hass, "binary_sensor", "CP01_connectivity") == STATE_OFF


@pytest.mark.peer("B-32")
async def test_what_is_over_is_shown_as_over(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    """A new session does not keep the last one's stop reason."""
    transaction_id = await approved_charger.start()
    await approved_charger.stop(transaction_id, 2000, reason="Local")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_stop_reason") == "local"
    await approved_charger.start(meter=2000)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_stop_reason") == STATE_UNKNOWN
