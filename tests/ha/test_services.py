"""Test the actions: calls in, frames out; answers in, responses and errors out."""

from pathlib import Path
import re
from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from homeassistant.const import ATTR_DEVICE_ID, CONF_HOST, CONF_PORT
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers import device_registry as dr

from .charger import Charger, Refusal, Silence
from .conftest import ChargerFactory
from .entities import act, device_id, state
from custom_components.ev_charger_hub.charger_actions import ACTIONS
from custom_components.ev_charger_hub.const import CONF_QUIET, DOMAIN
from custom_components.ev_charger_hub.helpers import own_id_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link

type Fields = dict[str, Any]


@pytest.fixture
async def quiet_charger(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> Charger:
    """Return a charger that is sent nothing but what the test asks for."""
    hub.approve("CP01", "Garage", None)
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, CONF_QUIET: True}
    )
    await hass.async_block_till_done()
    charger = await charger_ws("CP01")
    await charger.boot()
    await charger.status(1, "Available")
    await hass.async_block_till_done()
    return charger


MESSAGES: list[tuple[str, Fields, str, Fields]] = [
    # action, its fields; the message and its payload
    (
        "start_charging",
        {"id_token": "TAG1"},
        "RemoteStartTransaction",
        {"connectorId": 1, "idTag": "TAG1"},
    ),
    (
        "start_charging",
        {"id_token": "TAG1", "connector": 99},
        "RemoteStartTransaction",
        {"connectorId": 99, "idTag": "TAG1"},
    ),
    (
        "stop_charging",
        {"transaction_id": "17"},
        "RemoteStopTransaction",
        {"transactionId": 17},
    ),
    ("unlock_connector", {}, "UnlockConnector", {"connectorId": 1}),
    ("unlock_connector", {"connector": 99}, "UnlockConnector", {"connectorId": 99}),
    ("reset", {}, "Reset", {"type": "Soft"}),
    ("reset", {"type": "hard"}, "Reset", {"type": "Hard"}),
    (
        "change_availability",
        {"operative": False},
        "ChangeAvailability",
        {"connectorId": 0, "type": "Inoperative"},
    ),
    (
        "change_availability",
        {"operative": True, "connector": 1},
        "ChangeAvailability",
        {"connectorId": 1, "type": "Operative"},
    ),
    (
        "trigger_message",
        {"message": "Heartbeat"},
        "TriggerMessage",
        {"requestedMessage": "Heartbeat"},
    ),
    (
        "trigger_message",
        {"message": "StatusNotification", "connector": 1},
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "connectorId": 1},
    ),
    (
        "set_configuration",
        {"key": "HeartbeatInterval", "value": "60"},
        "ChangeConfiguration",
        {"key": "HeartbeatInterval", "value": "60"},
    ),
    (
        "set_configuration",
        {"key": "AuthorizeRemoteTxRequests", "value": True},
        "ChangeConfiguration",
        {"key": "AuthorizeRemoteTxRequests", "value": "true"},
    ),
    ("clear_cache", {}, "ClearCache", {}),
    ("data_transfer", {"vendor_id": "acme"}, "DataTransfer", {"vendorId": "acme"}),
    (
        "data_transfer",
        {"vendor_id": "acme", "message_id": "led", "data": "off"},
        "DataTransfer",
        {"vendorId": "acme", "messageId": "led", "data": "off"},
    ),
    ("call", {"action": "GetLocalListVersion"}, "GetLocalListVersion", {}),
    (
        "call",
        {"action": "Reset", "payload": {"type": "Soft"}},
        "Reset",
        {"type": "Soft"},
    ),
]


@pytest.mark.parametrize(("action", "fields", "message", "payload"), MESSAGES)
async def test_an_action_sends_exactly_one_message(
    hass: HomeAssistant,
    quiet_charger: Charger,
    action: str,
    fields: Fields,
    message: str,
    payload: Fields,
) -> None:
    response = await act(hass, action, **fields)
    assert [(one.action, one.payload) for one in quiet_charger.received] == [
        (message, payload)
    ]
    assert response["status"] == "accepted"
    assert set(response) == {"status", "answer", "detail", "response"}


@pytest.mark.parametrize(
    ("answer", "key", "word"),
    [
        ({"status": "Rejected"}, "rejected", "Rejected"),
        ({"status": "NotSupported"}, "not_supported_by_charger", "NotSupported"),
        (Refusal(code="InternalError"), "rejected", "InternalError"),
        (Refusal(code="NotImplemented"), "not_supported_by_charger", "NotImplemented"),
    ],
)
@pytest.mark.parametrize(
    ("action", "fields", "message"),
    # The answer to this one has no status that could refuse.
    [row[:3] for row in MESSAGES if row[2] != "GetLocalListVersion"],
)
async def test_a_refusal_is_an_error_that_names_the_answer(
    hass: HomeAssistant,
    quiet_charger: Charger,
    action: str,
    fields: Fields,
    message: str,
    answer: Fields | Refusal,
    key: str,
    word: str,
) -> None:
    quiet_charger.answers[message] = answer
    with pytest.raises(HomeAssistantError, match=word) as caught:
        await act(hass, action, **fields)
    assert caught.value.translation_key == key
    assert caught.value.translation_placeholders is not None
    assert caught.value.translation_placeholders["charger"] == "Garage"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        *((action, fields) for action, fields, *_ in MESSAGES),
        ("get_configuration", {}),
        ("pause_charging", {"connector": 1}),
        ("resume_charging", {"connector": 1}),
        ("set_charging_limit", {"limit": 10}),
        ("clear_charging_limit", {}),
    ],
)
async def test_not_connected_means_that_nothing_was_sent(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    action: str,
    fields: Fields,
) -> None:
    await approved_charger.start()
    await hub.central_system.sessions["CP01"].disconnect()
    await approved_charger.closed()
    await hass.async_block_till_done()
    approved_charger.received.clear()
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, action, **fields)
    assert caught.value.translation_key == "not_connected"
    assert not isinstance(caught.value, ServiceValidationError)
    assert "nothing was sent" in str(caught.value)
    assert approved_charger.received == []


@pytest.mark.peer("B-40")
def test_every_action_is_tested() -> None:
    performed = set(re.findall(r'\bact\(\s*hass, "(\w+)"', Path(__file__).read_text()))
    sent = {action for action, *_ in MESSAGES}
    assert performed | sent == {
        *ACTIONS.commands,
        *ACTIONS.queries,
        *ACTIONS.admin_commands,
    }


@pytest.mark.parametrize(
    ("action", "message"), [("reset", "Reset"), ("clear_cache", "ClearCache")]
)
async def test_only_a_restart_may_drop_the_connection(
    hass: HomeAssistant, quiet_charger: Charger, action: str, message: str
) -> None:
    quiet_charger.answers[message] = Silence()
    task = hass.async_create_task(act(hass, action))
    await quiet_charger.expect(message)
    await quiet_charger.close()
    if action == "reset":
        assert (await task)["status"] == "no_answer"
        return
    with pytest.raises(HomeAssistantError) as caught:
        await task
    assert caught.value.translation_key == "no_answer"


async def test_no_answer_in_time_is_an_error(
    hass: HomeAssistant, quiet_charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(V16Link.send, "__defaults__", (0.0,))
    quiet_charger.answers["ClearCache"] = Silence()
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "clear_cache")
    assert caught.value.translation_key == "timed_out"


async def test_start_without_a_token_uses_that_of_the_server(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await act(hass, "start_charging")
    assert approved_charger.calls("RemoteStartTransaction") == [
        {"connectorId": 1, "idTag": own_id_token(hub)}
    ]


async def test_start_with_a_limit_carries_a_profile(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await act(hass, "start_charging", id_token="TAG1", limit=9.5)
    (sent,) = approved_charger.calls("RemoteStartTransaction")
    profile = sent["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    (period,) = profile["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["limit"] == 9.5


async def test_start_at_a_charger_with_several_connectors_lets_it_decide(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Preparing")
    await hass.async_block_till_done()
    await act(hass, "start_charging", id_token="TAG1")
    await act(hass, "start_charging", "CP01_2", id_token="TAG1")
    await act(hass, "start_charging", "CP01_2", id_token="TAG1", connector=1)
    assert approved_charger.calls("RemoteStartTransaction") == [
        {"idTag": "TAG1"},
        {"connectorId": 2, "idTag": "TAG1"},
        {"connectorId": 1, "idTag": "TAG1"},
    ]


@pytest.mark.peer("B-33")
async def test_stop_ends_the_open_session(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    first = await approved_charger.start(1)
    await act(hass, "stop_charging")
    second = await approved_charger.start(2)
    await hass.async_block_till_done()
    await act(hass, "stop_charging", connector=2)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "stop_charging")
    assert caught.value.translation_key == "connector_required"
    assert approved_charger.calls("RemoteStopTransaction") == [
        {"transactionId": first},
        {"transactionId": second},
    ]


@pytest.mark.parametrize("fields", [{}, {"connector": 1}, {"connector": 7}])
async def test_stop_without_a_session_is_an_error(
    hass: HomeAssistant, approved_charger: Charger, fields: Fields
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "stop_charging", **fields)
    assert caught.value.translation_key == "no_session"
    assert approved_charger.calls("RemoteStopTransaction") == []


@pytest.mark.parametrize("transaction_id", ["abc", "9" * 36])
async def test_stop_of_an_impossible_session_is_not_sent(
    hass: HomeAssistant, quiet_charger: Charger, transaction_id: str
) -> None:
    with pytest.raises(ServiceValidationError, match="whole number") as caught:
        await act(hass, "stop_charging", transaction_id=transaction_id)
    assert caught.value.translation_key == "invalid_transaction_id"
    assert quiet_charger.received == []


async def test_unlock_at_a_charger_with_several_connectors_needs_one(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "unlock_connector")
    assert caught.value.translation_key == "connector_required"
    await act(hass, "unlock_connector", "CP01_2")
    assert approved_charger.calls("UnlockConnector") == [{"connectorId": 2}]


async def test_pause_and_resume(hass: HomeAssistant, approved_charger: Charger) -> None:
    await approved_charger.start()
    await act(hass, "set_charging_limit", limit=10)
    assert (await act(hass, "pause_charging"))["status"] in {"accepted", "confirmed"}
    await hass.async_block_till_done()
    assert _limits(approved_charger)[-1] == 0
    assert state(hass, "switch", "CP01_1_charge_control") == "off"
    await act(hass, "resume_charging")
    await hass.async_block_till_done()
    assert _limits(approved_charger)[-1] == 10
    assert state(hass, "switch", "CP01_1_charge_control") == "on"


async def test_pause_at_several_connectors_means_the_one_that_charges(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Preparing")
    await approved_charger.start(2)
    await act(hass, "pause_charging")
    assert approved_charger.calls("SetChargingProfile")[-1]["connectorId"] == 2
    await act(hass, "resume_charging")


@pytest.mark.parametrize("fields", [{}, {"connector": 1}, {"connector": 7}])
async def test_pause_without_a_session_says_what_to_do_instead(
    hass: HomeAssistant, approved_charger: Charger, fields: Fields
) -> None:
    with pytest.raises(ServiceValidationError, match="set a charging limit"):
        await act(hass, "pause_charging", **fields)
    assert _limits(approved_charger) == []


async def test_resume_without_a_session_or_a_connector_says_what_to_do_instead(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError, match="set a charging limit"):
        await act(hass, "resume_charging")
    assert _limits(approved_charger) == []


async def test_a_start_with_an_impossible_limit_is_not_sent(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "start_charging", limit=3)
    assert caught.value.translation_key == "limit_below_minimum"
    assert approved_charger.calls("RemoteStartTransaction") == []


@pytest.mark.parametrize(
    ("fields", "shown"),
    [({"limit": 16}, 16), ({"limit": 6900, "unit": "W"}, 10), ({"limit": 8.5}, 8.5)],
)
@pytest.mark.usefixtures("unpaced")
async def test_a_limit_holds_and_is_cleared(
    hass: HomeAssistant, approved_charger: Charger, fields: Fields, shown: float
) -> None:
    response = await act(hass, "set_charging_limit", **fields)
    assert response["status"] in {"accepted", "confirmed"}
    await hass.async_block_till_done()
    assert float(state(hass, "number", "CP01_1_current_limit")) == shown
    assert approved_charger.calls("SetChargingProfile")[-1]["connectorId"] == 1
    await act(hass, "clear_charging_limit")
    await hass.async_block_till_done()
    assert approved_charger.calls("ClearChargingProfile")
    assert float(state(hass, "number", "CP01_1_current_limit")) == 32


@pytest.mark.peer("B-15")
async def test_a_limit_goes_to_the_connector_that_was_named(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    for identifier, fields, connector in (
        ("CP01", {}, 0),
        ("CP01", {"connector": 2}, 2),
        ("CP01_1", {}, 1),
    ):
        await act(hass, "set_charging_limit", identifier, limit=16, **fields)
        sent = approved_charger.calls("SetChargingProfile")[-1]
        assert sent["connectorId"] == connector


@pytest.mark.parametrize(
    ("fields", "key", "says"),
    [
        ({"limit": 3}, "limit_below_minimum", "6 A"),
        ({"limit": 63}, "limit_above_maximum", "32 A"),
        ({"limit": 100, "unit": "W"}, "limit_below_minimum", "4140 W"),
        ({"limit": 99999, "unit": "W"}, "limit_above_maximum", "22080 W"),
        ({"limit": 10, "connector": 9}, "limit_unknown_evse", "no such connector"),
    ],
)
async def test_a_limit_that_cannot_be_is_not_sent(
    hass: HomeAssistant,
    approved_charger: Charger,
    fields: Fields,
    key: str,
    says: str,
) -> None:
    with pytest.raises(ServiceValidationError, match=says) as caught:
        await act(hass, "set_charging_limit", **fields)
    assert caught.value.translation_key == key
    assert approved_charger.calls("SetChargingProfile") == []


async def test_a_refused_limit_is_an_error(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["SetChargingProfile"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError, match="Rejected"):
        await act(hass, "set_charging_limit", limit=10)


async def test_a_charger_that_knows_no_limits_does_not_support_them(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["SetChargingProfile"] = Refusal(code="NotSupported")
    with pytest.raises(HomeAssistantError, match="does not support") as caught:
        await act(hass, "set_charging_limit", limit=10)
    assert caught.value.translation_key == "not_supported_by_charger"


@pytest.mark.usefixtures("unpaced")
async def test_clearing_tells_of_the_profile_that_was_there(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.start()
    await act(hass, "set_charging_limit", limit=10)
    approved_charger.answers["ClearChargingProfile"] = lambda payload: {
        "status": "Accepted" if payload["id"] == 3001 else "Unknown"
    }
    response = await act(hass, "clear_charging_limit")
    assert response is not None
    assert response["answer"] == "Accepted"


async def test_a_unit_that_does_not_exist_is_told_in_words(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    with pytest.raises(probatio.Invalid, match=r"\['A', 'W'\]"):
        await act(hass, "set_charging_limit", limit=10, unit="kW")


async def test_a_charger_that_cannot_be_limited_is_sent_nothing(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    quiet_charger.configuration = {"SupportedFeatureProfiles": "Core"}
    await act(hass, "get_configuration")
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "set_charging_limit", limit=10)
    assert caught.value.translation_key == "not_supported"
    assert quiet_charger.calls("SetChargingProfile") == []


@pytest.mark.peer("B-07")
async def test_an_action_reaches_the_charger_of_the_other_server(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    other = MockConfigEntry(
        domain=DOMAIN, title="Other", data={CONF_HOST: "127.0.0.1", CONF_PORT: 0}
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    other_hub: OcppHub = other.runtime_data
    other_hub.approve("CP02", "Yard", None)
    await hass.async_block_till_done()
    charger = Charger(identity="CP02", url=f"ws://127.0.0.1:{other_hub.port}")
    await charger.connect()
    await charger.boot()
    await hass.async_block_till_done()
    device = other_hub.stations["CP02"].device_id
    await hass.services.async_call(
        DOMAIN, "clear_cache", {ATTR_DEVICE_ID: device}, blocking=True
    )
    assert len(charger.calls("ClearCache")) == 1
    assert quiet_charger.calls("ClearCache") == []
    await charger.close()
    assert await hass.config_entries.async_unload(other.entry_id)
    await act(hass, "clear_cache")
    assert len(quiet_charger.calls("ClearCache")) == 1


async def test_get_configuration(hass: HomeAssistant, quiet_charger: Charger) -> None:
    response = await act(
        hass, "get_configuration", keys=["HeartbeatInterval", "Nonsense"]
    )
    assert quiet_charger.calls("GetConfiguration") == [
        {"key": ["HeartbeatInterval", "Nonsense"]}
    ]
    assert response["configuration"] == [
        {"key": "HeartbeatInterval", "value": "300", "readonly": False}
    ]
    assert response["unknown_keys"] == ["Nonsense"]

    response = await act(hass, "get_configuration")
    assert quiet_charger.calls("GetConfiguration")[-1] == {}
    assert {one["key"] for one in response["configuration"]} == set(
        quiet_charger.configuration
    )


@pytest.mark.parametrize("strange", [{}, {"readonly": "perhaps"}])
async def test_get_configuration_masks_what_is_secret(
    hass: HomeAssistant, quiet_charger: Charger, strange: Fields
) -> None:
    keys: list[Fields] = [
        {"key": "AuthorizationKey", "readonly": False, "value": "hunter2", **strange},
        {"key": "WifiPassword", "readonly": False, "value": "hunter2"},
        {"key": "SimPin", "readonly": False, "value": ""},
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
    ]
    quiet_charger.answers["GetConfiguration"] = {"configurationKey": keys}
    response = await act(hass, "get_configuration")
    shown = {one["key"]: one["value"] for one in response["configuration"]}
    assert shown == {
        "AuthorizationKey": "***",
        "HeartbeatInterval": "300",
        "SimPin": "",
        "WifiPassword": "***",
    }
    raw = response["response"]["configurationKey"]
    assert [one["value"] for one in raw] == ["***", "***", "", "300"]
    assert "hunter2" not in str(response)


async def test_get_configuration_that_is_refused(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["GetConfiguration"] = Refusal(code="NotSupported")
    with pytest.raises(HomeAssistantError, match="NotSupported"):
        await act(hass, "get_configuration")


@pytest.mark.peer("B-06")
async def test_another_device_is_never_taken_for_a_charger(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    device_registry: dr.DeviceRegistry,
) -> None:
    server = device_registry.async_get_device_by_identifier(
        (DOMAIN, hub.entry.entry_id), hub.entry.entry_id
    )
    assert server is not None
    for device, key in (
        (server.id, "not_a_charger"),
        ("nonsense", "service_device_not_found"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await hass.services.async_call(
                DOMAIN, "clear_cache", {ATTR_DEVICE_ID: device}, blocking=True
            )
        assert caught.value.translation_key == key
    assert approved_charger.calls("ClearCache") == []


async def test_a_target_of_one_device_will_do_and_of_two_not(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    charger = device_id(hass, "CP01")
    await hass.services.async_call(
        DOMAIN, "clear_cache", target={ATTR_DEVICE_ID: charger}, blocking=True
    )
    assert len(approved_charger.calls("ClearCache")) == 1
    with pytest.raises(probatio.Invalid):
        await hass.services.async_call(
            DOMAIN, "clear_cache", {ATTR_DEVICE_ID: [charger, charger]}, blocking=True
        )


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("start_charging", {"id_token": ""}),
        ("start_charging", {"connector": 0}),
        ("start_charging", {"limit": -1}),
        ("set_charging_limit", {}),
        ("set_charging_limit", {"limit": "much"}),
        ("set_charging_limit", {"limit": float("nan")}),
        ("set_charging_limit", {"limit": 10, "unit": "kW"}),
        ("reset", {"type": "gentle"}),
        ("change_availability", {}),
        ("trigger_message", {}),
        ("set_configuration", {"key": "A"}),
        ("set_configuration", {"key": "A", "value": "x" * 2501}),
        ("data_transfer", {}),
        ("call", {"action": "Reset", "payload": "text"}),
        ("call", {"action": "Reset", "payload": {"a": 10**30}}),
        ("call", {"action": "Reset", "payload": {"a": float("nan")}}),
        ("clear_cache", {"unknown": 1}),
    ],
)
async def test_bad_fields_are_refused(
    hass: HomeAssistant, quiet_charger: Charger, action: str, fields: Fields
) -> None:
    with pytest.raises((probatio.Invalid, ServiceValidationError)):
        await act(hass, action, **fields)
    assert quiet_charger.received == []


async def test_raw_messages_are_for_administrators(
    hass: HomeAssistant, approved_charger: Charger, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "call",
            {ATTR_DEVICE_ID: device_id(hass, "CP01"), "action": "ClearCache"},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert approved_charger.calls("ClearCache") == []


def _limits(charger: Charger) -> list[float]:
    """Return the limits that a charger was given."""
    return [
        sent["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0][
            "limit"
        ]
        for sent in charger.calls("SetChargingProfile")
    ]
