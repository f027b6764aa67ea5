"""Test the switches: states in, frames out, and back."""

import pytest

from homeassistant.components.switch.const import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .charger import Charger, Silence
from .entities import act, entity_id, exists, flush, state
from custom_components.ev_charger_hub.helpers import own_id_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station import limits

CHARGE = "CP01_1_charge_control"


async def _switch(hass: HomeAssistant, unique_id: str, service: str) -> None:
    """Switch an entity."""
    await hass.services.async_call(
        SWITCH_DOMAIN,
        service,
        {ATTR_ENTITY_ID: entity_id(hass, "switch", unique_id)},
        blocking=True,
    )
    await hass.async_block_till_done()


async def test_switching_on_starts_with_the_token_of_the_server(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    assert state(hass, "switch", CHARGE) == STATE_OFF
    await _switch(hass, CHARGE, SERVICE_TURN_ON)
    token = own_id_token(hub)
    assert len(token) <= 16
    assert approved_charger.calls("RemoteStartTransaction") == [
        {"connectorId": 1, "idTag": token}
    ]
    assert state(hass, "switch", CHARGE) == STATE_OFF
    await approved_charger.start(id_tag=token)
    await hass.async_block_till_done()
    assert state(hass, "switch", CHARGE) == STATE_ON


async def test_switching_off_stops_the_session(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    transaction_id = await approved_charger.start()
    await _switch(hass, CHARGE, SERVICE_TURN_OFF)
    assert approved_charger.calls("RemoteStopTransaction") == [
        {"transactionId": transaction_id}
    ]
    await approved_charger.stop(transaction_id, 2000, reason="Remote")
    await hass.async_block_till_done()
    assert state(hass, "switch", CHARGE) == STATE_OFF


async def test_a_paused_session_is_off_and_switching_on_resumes_it(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await approved_charger.start()
    await limits.pause(hub.stations["CP01"].station, 1)
    await hass.async_block_till_done()
    assert state(hass, "switch", CHARGE) == STATE_OFF
    await _switch(hass, CHARGE, SERVICE_TURN_ON)
    assert approved_charger.calls("RemoteStartTransaction") == []
    assert state(hass, "switch", CHARGE) == STATE_ON


async def test_switching_to_what_is_so_sends_nothing(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await _switch(hass, CHARGE, SERVICE_TURN_OFF)
    await approved_charger.start()
    await hass.async_block_till_done()
    await _switch(hass, CHARGE, SERVICE_TURN_ON)
    assert approved_charger.calls("RemoteStopTransaction") == []
    assert approved_charger.calls("RemoteStartTransaction") == []


@pytest.mark.peer("B-19")
async def test_switching_off_a_session_that_nobody_knows_is_an_error(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(1, "Charging")
    with pytest.raises(ServiceValidationError) as caught:
        await _switch(hass, CHARGE, SERVICE_TURN_OFF)
    assert caught.value.translation_key == "no_session"


async def test_a_refused_start_is_an_error(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError, match=r"Garage refused.*Rejected"):
        await _switch(hass, CHARGE, SERVICE_TURN_ON)
    assert state(hass, "switch", CHARGE) == STATE_OFF


async def test_a_dropped_connection_is_an_error(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["RemoteStartTransaction"] = Silence()
    task = hass.async_create_task(_switch(hass, CHARGE, SERVICE_TURN_ON))
    await approved_charger.expect("RemoteStartTransaction")
    await approved_charger.close()
    with pytest.raises(HomeAssistantError) as caught:
        await task
    assert caught.value.translation_key == "no_answer"


@pytest.mark.parametrize(
    ("service", "kind"),
    [(SERVICE_TURN_OFF, "Inoperative"), (SERVICE_TURN_ON, "Operative")],
)
@pytest.mark.peer("B-36")
async def test_station_availability(
    hass: HomeAssistant, approved_charger: Charger, service: str, kind: str
) -> None:
    assert state(hass, "switch", "CP01_in_service") == STATE_ON
    await _switch(hass, "CP01_in_service", service)
    assert approved_charger.calls("ChangeAvailability") == [
        {"connectorId": 0, "type": kind}
    ]
    await approved_charger.status(0, "Unavailable")
    await hass.async_block_till_done()
    assert state(hass, "switch", "CP01_in_service") == STATE_OFF


async def test_connector_availability_with_several_connectors(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert not exists(hass, "switch", "CP01_1_availability")
    await approved_charger.status(2, "Unavailable")
    await hass.async_block_till_done()
    assert state(hass, "switch", "CP01_1_availability") == STATE_ON
    assert state(hass, "switch", "CP01_2_availability") == STATE_OFF
    await _switch(hass, "CP01_2_availability", SERVICE_TURN_ON)
    assert approved_charger.calls("ChangeAvailability") == [
        {"connectorId": 2, "type": "Operative"}
    ]


async def test_a_station_without_a_status_of_its_own_is_as_its_connectors(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    station = hub.stations["CP01"].station
    station.whole.status.value = None
    await approved_charger.status(1, "Unavailable")
    await flush(hass)
    assert state(hass, "switch", "CP01_in_service") == STATE_OFF
    await approved_charger.status(2, "Available")
    await flush(hass)
    await approved_charger.status(2, "Unavailable")
    await flush(hass)
    assert state(hass, "switch", "CP01_in_service") == STATE_OFF
    await approved_charger.status(2, "Charging")
    await flush(hass)
    assert state(hass, "switch", "CP01_in_service") == STATE_ON


SIGNED = "CP01_sign_readings"
SIGNED_KEY = "SampledDataSignReadings"


async def test_a_meter_that_cannot_sign_has_no_switch_for_it(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert not exists(hass, "switch", SIGNED)
    # It appears with a firmware that can.
    approved_charger.configuration[SIGNED_KEY] = "false"
    await act(hass, "get_configuration")
    await hass.async_block_till_done()
    assert state(hass, "switch", SIGNED) == STATE_OFF


async def test_a_meter_signs_what_it_samples_if_the_user_wants_it(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.configuration[SIGNED_KEY] = "false"
    await act(hass, "get_configuration")
    await hass.async_block_till_done()
    for service, value, shown in (
        (SERVICE_TURN_ON, "true", STATE_ON),
        (SERVICE_TURN_OFF, "false", STATE_OFF),
    ):
        approved_charger.received.clear()
        await _switch(hass, SIGNED, service)
        assert [(one.action, one.payload) for one in approved_charger.received] == [
            ("ChangeConfiguration", {"key": SIGNED_KEY, "value": value}),
            ("GetConfiguration", {"key": [SIGNED_KEY]}),
        ]
        assert state(hass, "switch", SIGNED) == shown


@pytest.mark.parametrize(
    ("answer", "error"), [("Rejected", "rejected"), ("Accepted", "not_kept")]
)
async def test_a_meter_that_goes_on_as_before_is_shown_as_it_is(
    hass: HomeAssistant, approved_charger: Charger, answer: str, error: str
) -> None:
    approved_charger.configuration[SIGNED_KEY] = "false"
    await act(hass, "get_configuration")
    await hass.async_block_till_done()
    approved_charger.answers["ChangeConfiguration"] = {"status": answer}
    with pytest.raises(HomeAssistantError) as caught:
        await _switch(hass, SIGNED, SERVICE_TURN_ON)
    assert caught.value.translation_key == error
    await hass.async_block_till_done()
    assert state(hass, "switch", SIGNED) == STATE_OFF


async def test_a_meter_signs_after_a_restart_if_it_says_so(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.configuration[SIGNED_KEY] = "false"
    await act(hass, "get_configuration")
    await hass.async_block_till_done()
    approved_charger.answers["ChangeConfiguration"] = {"status": "RebootRequired"}
    await _switch(hass, SIGNED, SERVICE_TURN_ON)
    assert state(hass, "switch", SIGNED) == STATE_OFF
