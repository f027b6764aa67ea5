"""Configuration keys, and messages that a charger is asked for."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import ACCEPTED, Charger, sampled
from ..ha.entities import act, flush, state

INTERVAL = "MeterValueSampleInterval"


@pytest.mark.conformance("TC_019_1_CSMS")
async def test_all_keys_are_read_and_shown(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    response = await act(hass, "get_configuration")
    assert [one.payload for one in quiet_charger.received] == [{}]
    shown = {one["key"]: one for one in response["configuration"]}
    assert {key: one["value"] for key, one in shown.items()} == (
        quiet_charger.configuration
    )
    assert shown["NumberOfConnectors"]["readonly"] is True
    assert shown[INTERVAL]["readonly"] is False
    assert response["unknown_keys"] == []


@pytest.mark.conformance("TC_019_2_CSMS")
async def test_one_key_is_asked_for_alone(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    wanted = ["SupportedFeatureProfiles"]
    response = await act(hass, "get_configuration", keys=wanted)
    assert quiet_charger.calls("GetConfiguration") == [{"key": wanted}]
    assert [one["value"] for one in response["configuration"]] == [
        "Core,RemoteTrigger,SmartCharging"
    ]


@pytest.mark.conformance("TC_021_CSMS")
async def test_a_key_is_set_by_one_message(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.received.clear()
    response = await act(hass, "set_configuration", key=INTERVAL, value="60")
    assert response["answer"] == "Accepted"
    await hass.async_block_till_done(wait_background_tasks=True)
    await approved_charger.call("Heartbeat")
    ((name, payload),) = [
        (one.action, one.payload) for one in approved_charger.received
    ]
    assert (name, payload) == ("ChangeConfiguration", {"key": INTERVAL, "value": "60"})


@pytest.mark.parametrize(
    ("key", "value", "answer", "error"),
    [
        pytest.param(
            "NoSuchKey",
            "1",
            "NotSupported",
            "not_supported_by_charger",
            marks=pytest.mark.conformance("TC_040_1_CSMS"),
        ),
        pytest.param(
            INTERVAL,
            "-1",
            "Rejected",
            "rejected",
            marks=pytest.mark.conformance("TC_040_2_CSMS"),
        ),
    ],
)
async def test_a_key_that_is_refused_is_told(
    hass: HomeAssistant,
    quiet_charger: Charger,
    key: str,
    value: str,
    answer: str,
    error: str,
) -> None:
    quiet_charger.answers["ChangeConfiguration"] = {"status": answer}
    with pytest.raises(HomeAssistantError, match=answer) as caught:
        await act(hass, "set_configuration", key=key, value=value)
    assert caught.value.translation_key == error
    assert quiet_charger.calls("ChangeConfiguration") == [{"key": key, "value": value}]


TRIGGERED: list[tuple[str, dict[str, int], dict[str, Any], str]] = [
    # what is asked for, of which connector; what comes, and a field of the answer
    (
        "MeterValues",
        {"connector": 1},
        {
            "connectorId": 1,
            "meterValue": [
                {
                    "timestamp": "2026-11-20T10:00:00Z",
                    "sampledValue": [
                        {
                            **sampled(4711, "Energy.Active.Import.Register", "Wh"),
                            "context": "Trigger",
                        }
                    ],
                }
            ],
        },
        "",
    ),
    ("Heartbeat", {}, {}, "currentTime"),
    (
        "StatusNotification",
        {"connector": 1},
        {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"},
        "",
    ),
    ("DiagnosticsStatusNotification", {}, {"status": "Idle"}, ""),
    ("FirmwareStatusNotification", {}, {"status": "Idle"}, ""),
    (
        "BootNotification",
        {},
        {"chargePointVendor": "Acme", "chargePointModel": "Wall One"},
        "interval",
    ),
]


@pytest.mark.conformance("TC_054_CSMS")
async def test_each_message_can_be_asked_for_and_is_answered(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    quiet_charger.answers["TriggerMessage"] = lambda _payload: ACCEPTED
    for message, fields, payload, field in TRIGGERED:
        quiet_charger.received.clear()
        await act(hass, "trigger_message", message=message, **fields)
        asked: dict[str, Any] = {"requestedMessage": message}
        if fields:
            asked |= {"connectorId": 1}
        assert quiet_charger.calls("TriggerMessage") == [asked]
        answer = await quiet_charger.call(message, payload)
        assert field in answer if field else answer == {}
        assert answer.get("status", "Accepted") == "Accepted"
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "preparing"
    assert float(state(hass, "sensor", "CP01_1_energy_active_import_register")) == 4.711


@pytest.mark.conformance("TC_055_CSMS")
async def test_a_message_that_is_refused_is_told(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    quiet_charger.answers["TriggerMessage"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError, match="Rejected") as caught:
        await act(hass, "trigger_message", message="MeterValues", connector=1)
    assert caught.value.translation_key == "rejected"
