"""OCPP 2.x chargers at a running integration: the same entities as for 1.6."""

from homeassistant.core import HomeAssistant

from .charger_v2 import Charger2
from .entities import flush, state


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
