"""Test free charging: a deliberate switch of each charger."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.switch.const import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from .cards import STRANGER, authorized, started, strangers
from .charger import Charger
from .conftest import ChargerFactory
from .entities import entity_id, state
from custom_components.ev_charger_hub.helpers import own_id_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station import free_charging
from custom_components.ev_charger_hub.station.tokens import UnknownTokens

SWITCH = "CP01_free_charging"


async def switch(hass: HomeAssistant, service: str) -> None:
    """Switch free charging."""
    await hass.services.async_call(
        SWITCH_DOMAIN,
        service,
        {ATTR_ENTITY_ID: entity_id(hass, "switch", SWITCH)},
        blocking=True,
    )
    await hass.async_block_till_done()


async def test_everybody_may_charge_while_it_is_on(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    assert state(hass, "switch", SWITCH) == STATE_OFF
    await switch(hass, SERVICE_TURN_ON)
    assert state(hass, "switch", SWITCH) == STATE_ON
    for id_tag in (STRANGER, "FreeCharging", ""):
        assert await authorized(approved_charger, id_tag) == {"status": "Accepted"}
    await switch(hass, SERVICE_TURN_OFF)
    assert state(hass, "switch", SWITCH) == STATE_OFF
    assert await authorized(approved_charger, STRANGER) == {"status": "Invalid"}
    answer = await started(approved_charger, "FreeCharging")
    assert answer["idTagInfo"] == {"status": "Invalid"}
    assert answer["transactionId"] > 0


async def test_what_is_plugged_in_is_started(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(free_charging, "DELAY", 0.0)
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    await switch(hass, SERVICE_TURN_ON)
    await approved_charger.status(1, "Preparing")
    start = await approved_charger.expect("RemoteStartTransaction")
    assert start == {"connectorId": 1, "idTag": own_id_token(hub)}
    answer = await started(approved_charger, start["idTag"])
    assert answer["idTagInfo"] == {"status": "Accepted"}


async def test_it_is_not_switched_while_a_session_is_open(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    number = await approved_charger.start()
    with pytest.raises(ServiceValidationError) as info:
        await switch(hass, SERVICE_TURN_ON)
    assert info.value.translation_key == "session_open"
    assert state(hass, "switch", SWITCH) == STATE_OFF
    await approved_charger.stop(number, 2000)
    await switch(hass, SERVICE_TURN_ON)
    await approved_charger.start()
    with pytest.raises(ServiceValidationError):
        await switch(hass, SERVICE_TURN_OFF)
    assert state(hass, "switch", SWITCH) == STATE_ON
    # It is what it should be.
    await switch(hass, SERVICE_TURN_ON)


async def test_the_last_word_counts(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    target = {ATTR_ENTITY_ID: entity_id(hass, "switch", SWITCH)}
    for service in (SERVICE_TURN_ON, SERVICE_TURN_OFF):
        await hass.services.async_call(SWITCH_DOMAIN, service, target, blocking=True)
    await hass.async_block_till_done()
    assert state(hass, "switch", SWITCH) == STATE_OFF


async def test_it_stays_on_after_a_restart_and_without_the_charger(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    await switch(hass, SERVICE_TURN_ON)
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "switch", SWITCH) == STATE_ON
    charger = await charger_ws()
    assert await authorized(charger, STRANGER) == {"status": "Accepted"}
