"""Test the current limits: states in, frames out, and back."""

import asyncio
from decimal import Decimal

import pytest

from homeassistant.components.number.const import (
    ATTR_VALUE,
    DOMAIN as NUMBER_DOMAIN,
    SERVICE_SET_VALUE,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .charger import Charger
from .entities import entity_id, full_state, state
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.link import Limit

LIMIT = "CP01_1_current_limit"


async def _set(hass: HomeAssistant, unique_id: str, value: float) -> None:
    """Move the slider."""
    await hass.services.async_call(
        NUMBER_DOMAIN,
        SERVICE_SET_VALUE,
        {ATTR_ENTITY_ID: entity_id(hass, "number", unique_id), ATTR_VALUE: value},
        blocking=True,
    )
    await hass.async_block_till_done()


async def test_without_a_limit_of_ours_the_maximum_is_shown(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    found = full_state(hass, "number", LIMIT)
    assert float(found.state) == 32
    assert found.attributes["min"] == 6
    assert found.attributes["max"] == 32
    assert found.attributes["step"] == 1
    assert found.attributes["device_class"] == "current"
    assert found.attributes["unit_of_measurement"] == "A"


async def test_a_limit_is_sent_and_shown(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await _set(hass, LIMIT, 10)
    sent = approved_charger.calls("SetChargingProfile")[-1]
    schedule = sent["csChargingProfiles"]["chargingSchedule"]
    assert sent["connectorId"] == 1
    assert schedule["chargingRateUnit"] == "A"
    assert [one["limit"] for one in schedule["chargingSchedulePeriod"]] == [10]
    assert float(state(hass, "number", LIMIT)) == 10


async def test_a_refused_limit_is_an_error_and_changes_nothing(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["SetChargingProfile"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError, match=r"Garage refused.*Rejected") as caught:
        await _set(hass, LIMIT, 10)
    assert caught.value.translation_key == "rejected"
    assert float(state(hass, "number", LIMIT)) == 32


async def test_a_limit_in_watt_is_shown_in_ampere(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    wanted = hub.stations["CP01"].station.evse(1).wanted_limit
    wanted.set(Limit(value=Decimal(6900), unit=RateUnit.WATT))
    await hass.async_block_till_done()
    assert float(state(hass, "number", LIMIT)) == 10


async def test_the_limit_of_the_whole_charger_goes_to_the_whole_charger(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    await _set(hass, "CP01_0_current_limit", 20)
    assert approved_charger.calls("SetChargingProfile")[-1]["connectorId"] == 0
    assert float(state(hass, "number", "CP01_0_current_limit")) == 20
    assert float(state(hass, "number", LIMIT)) == 32


@pytest.mark.usefixtures("unpaced")
async def test_of_fast_changes_the_newest_is_sent_and_nobody_complains(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.start()
    values = (10, 11, 12, 13)
    await asyncio.gather(*(_set(hass, LIMIT, value) for value in values))
    sent = approved_charger.calls("SetChargingProfile")
    assert [one["csChargingProfiles"]["chargingProfilePurpose"] for one in sent] == [
        "TxProfile"
    ] * len(sent)
    assert len(sent) < len(values)
    assert float(state(hass, "number", LIMIT)) == 13
