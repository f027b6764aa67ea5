"""OCPP 2.x chargers at a running integration: the same entities as for 1.6."""

import pytest

from homeassistant.core import HomeAssistant

from .charger_v2 import Charger2
from .conftest import Charger2Factory
from .entities import entity_id, flush, state
from .profiles import PACKAGE
from custom_components.ev_charger_hub.growth import JUST_CREATED
from custom_components.ev_charger_hub.station.clock import utc_now


async def test_a_session_of_2_x_is_shown(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    assert state(hass, "sensor", "CP01_1_status") == "available"
    await charger2.connector_status("Occupied")
    await charger2.begin()
    await charger2.event("Updated", number=1, energy=2500)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "charging"
    assert float(state(hass, "sensor", "CP01_1_session_energy")) == 1.5


async def test_entities_of_a_new_charger_are_named_by_their_connectors(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 1, 2: 1})
    await flush(hass)
    for evse_id in charger.places:
        found = entity_id(hass, "sensor", f"CP01_{evse_id}_status")
        assert found == f"sensor.garage_connector_{evse_id}_status"
        assert state(hass, "sensor", f"CP01_{evse_id}_status") == "available"


async def test_entities_that_were_used_keep_their_ids(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charger = await charger2_ws()
    await flush(hass)
    later = utc_now() + JUST_CREATED
    monkeypatch.setattr(f"{PACKAGE}.growth.utc_now", lambda: later)
    await charger.connector_status("Available", 2)
    await flush(hass)
    assert entity_id(hass, "sensor", "CP01_1_status") == "sensor.garage_status"
    found = entity_id(hass, "sensor", "CP01_2_status")
    assert found == "sensor.garage_connector_2_status"
