"""Test the binary sensors: frames in, states out."""

import pytest

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from .charger import Charger
from .entities import exists, full_state, state


@pytest.mark.parametrize(
    ("status", "vehicle", "charging", "problem"),
    [
        ("Available", STATE_OFF, STATE_OFF, STATE_OFF),
        ("Preparing", STATE_ON, STATE_OFF, STATE_OFF),
        ("Charging", STATE_ON, STATE_ON, STATE_OFF),
        ("SuspendedEVSE", STATE_ON, STATE_OFF, STATE_OFF),
        ("SuspendedEV", STATE_ON, STATE_OFF, STATE_OFF),
        ("Finishing", STATE_ON, STATE_OFF, STATE_OFF),
        ("Reserved", STATE_OFF, STATE_OFF, STATE_OFF),
        ("Unavailable", STATE_UNKNOWN, STATE_OFF, STATE_OFF),
        ("Faulted", STATE_UNKNOWN, STATE_OFF, STATE_ON),
    ],
)
async def test_what_a_status_means(
    hass: HomeAssistant,
    approved_charger: Charger,
    status: str,
    vehicle: str,
    charging: str,
    problem: str,
) -> None:
    await approved_charger.status(1, status)
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "CP01_1_vehicle_connected") == vehicle
    assert state(hass, "binary_sensor", "CP01_1_charging") == charging
    assert state(hass, "binary_sensor", "CP01_1_problem") == problem


async def test_device_classes(hass: HomeAssistant, approved_charger: Charger) -> None:
    for key, device_class in (
        ("connectivity", "connectivity"),
        ("1_vehicle_connected", "plug"),
        ("1_charging", "battery_charging"),
        ("1_problem", "problem"),
        ("0_problem", "problem"),
    ):
        found = full_state(hass, "binary_sensor", f"CP01_{key}")
        assert found.attributes["device_class"] == device_class


async def test_a_faulted_connector_with_a_session_has_a_vehicle(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.start()
    await approved_charger.status(1, "Faulted", "OverVoltage")
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "CP01_1_vehicle_connected") == STATE_ON


async def test_an_error_without_a_fault_is_a_problem(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(1, "Charging", "HighTemperature")
    await approved_charger.status(0, "Faulted", "InternalError")
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "CP01_1_problem") == STATE_ON
    assert state(hass, "binary_sensor", "CP01_1_charging") == STATE_ON
    assert state(hass, "binary_sensor", "CP01_0_problem") == STATE_ON


async def test_connectivity(hass: HomeAssistant, approved_charger: Charger) -> None:
    assert state(hass, "binary_sensor", "CP01_connectivity") == STATE_ON
    assert not exists(hass, "binary_sensor", "CP01_2_problem")
