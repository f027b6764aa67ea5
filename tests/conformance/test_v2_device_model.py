"""OCPP 2.x, block B: variables read and written, base reports and custom reports."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger_v2 import Charger2, named
from ..ha.entities import act

THRESHOLD = "OCPPCommCtrlr.OfflineThreshold"
HEARTBEAT = "OCPPCommCtrlr.HeartbeatInterval"
REMOTE = "AuthCtrlr.AuthorizeRemoteStart"
FIVE = [
    THRESHOLD,
    HEARTBEAT,
    REMOTE,
    "AuthCtrlr.Enabled",
    "AlignedDataCtrlr.Interval",
]

type Names = list[str]


@pytest.fixture
def charger(charger2: Charger2) -> Charger2:
    """Return a charger that hears only what the test sends."""
    charger2.variables[THRESHOLD] = ("60", False)
    charger2.received.clear()
    return charger2


def asked(charger: Charger2) -> list[tuple[str, dict[str, Any]]]:
    """Return every message that the charger got."""
    return [(one.action, one.payload) for one in charger.received]


# Variables


@pytest.mark.conformance("TC_B_06_CSMS")
@pytest.mark.conformance("UC_B06")
async def test_one_variable_is_read_by_one_message(
    hass: HomeAssistant, charger: Charger2
) -> None:
    response = await act(hass, "get_configuration", keys=[THRESHOLD])
    assert asked(charger) == [("GetVariables", {"getVariableData": [named(THRESHOLD)]})]
    assert response["configuration"] == [
        {"key": THRESHOLD, "value": "60", "readonly": False}
    ]


@pytest.mark.conformance("TC_B_07_CSMS")
async def test_several_variables_are_read_by_one_message(
    hass: HomeAssistant, charger: Charger2
) -> None:
    wanted = [THRESHOLD, REMOTE]
    response = await act(hass, "get_configuration", keys=wanted)
    ((action, payload),) = asked(charger)
    assert action == "GetVariables"
    assert payload == {"getVariableData": [named(one) for one in wanted]}
    told = {one["key"]: one["value"] for one in response["configuration"]}
    assert told == {THRESHOLD: "60", REMOTE: "false"}


@pytest.mark.conformance("TC_B_08_CSMS")
async def test_no_message_asks_for_more_variables_than_the_charger_takes(
    hass: HomeAssistant, charger: Charger2
) -> None:
    most = "DeviceDataCtrlr.ItemsPerMessage[GetVariables]"
    charger.variables[most] = ("4", True)
    await act(hass, "get_configuration", keys=[most])
    charger.received.clear()
    response = await act(hass, "get_configuration", keys=FIVE)
    sizes = [len(one["getVariableData"]) for one in charger.calls("GetVariables")]
    assert sizes == [4, 1]
    assert [one["key"] for one in response["configuration"]] == FIVE


@pytest.mark.conformance("TC_B_09_CSMS")
async def test_a_variable_is_written_by_one_message(
    hass: HomeAssistant, charger: Charger2
) -> None:
    response = await act(hass, "set_configuration", key=THRESHOLD, value=123)
    entry = {**named(THRESHOLD), "attributeValue": "123"}
    assert asked(charger) == [("SetVariables", {"setVariableData": [entry]})]
    assert (response["status"], response["answer"]) == ("accepted", "Accepted")
    assert charger.variables[THRESHOLD] == ("123", False)


@pytest.mark.conformance("TC_B_09_CSMS")
@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("Rejected", "rejected"),
        ("UnknownComponent", "not_supported_by_charger"),
        ("UnknownVariable", "not_supported_by_charger"),
        ("NotSupportedAttributeType", "not_supported_by_charger"),
    ],
)
async def test_a_variable_that_is_not_written_is_told(
    hass: HomeAssistant, charger: Charger2, word: str, error: str
) -> None:
    result = {"attributeStatus": word, **named(THRESHOLD)}
    charger.answers["SetVariables"] = {"setVariableResult": [result]}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "set_configuration", key=THRESHOLD, value="123")
    assert raised.value.translation_key == error
    placeholders = raised.value.translation_placeholders or {}
    assert word in placeholders["answer"]


@pytest.mark.conformance("TC_B_10_CSMS")
@pytest.mark.conformance("UC_B05")
async def test_several_variables_are_written_by_one_message(
    hass: HomeAssistant, charger: Charger2
) -> None:
    values = {THRESHOLD: "123", REMOTE: True, "Nobody.There": "1"}
    response = await act(hass, "set_variables", values=values)
    ((action, payload),) = asked(charger)
    assert action == "SetVariables"
    assert payload == {
        "setVariableData": [
            {**named(THRESHOLD), "attributeValue": "123"},
            {**named(REMOTE), "attributeValue": "true"},
            {**named("Nobody.There"), "attributeValue": "1"},
        ]
    }
    told = {name: one["status"] for name, one in response["variables"].items()}
    assert told == {
        THRESHOLD: "accepted",
        REMOTE: "accepted",
        "Nobody.There": "not_supported",
    }
    assert response["refused"] == ["Nobody.There"]
    assert response["restart_required"] is False


# Reports


@pytest.mark.parametrize(
    ("report", "base"),
    [
        pytest.param(
            "configuration",
            "ConfigurationInventory",
            marks=pytest.mark.conformance("TC_B_12_CSMS"),
        ),
        pytest.param(
            "full", "FullInventory", marks=pytest.mark.conformance("TC_B_13_CSMS")
        ),
        pytest.param(
            "summary",
            "SummaryInventory",
            marks=pytest.mark.conformance("TC_B_14_CSMS"),
        ),
    ],
)
async def test_a_base_report_is_put_together_and_shown(
    hass: HomeAssistant, charger: Charger2, report: str, base: str
) -> None:
    parts = [charger.entries(one) for one in FIVE]
    charger.answers["GetBaseReport"] = charger.reports(*parts)
    response = await act(hass, "get_base_report", report=report)
    ((action, payload),) = asked(charger)
    assert action == "GetBaseReport"
    assert payload == {"requestId": payload["requestId"], "reportBase": base}
    assert type(payload["requestId"]) is int
    assert response["complete"] is True
    assert {one["name"] for one in response["variables"]} == {*FIVE}
    shown = {one["name"]: one for one in response["variables"]}
    assert shown[THRESHOLD]["value"] == "60"
    assert shown[THRESHOLD]["readonly"] is False


@pytest.mark.conformance("TC_B_14_CSMS")
@pytest.mark.conformance("UC_B07")
async def test_a_base_report_that_a_charger_does_not_have_is_told(
    hass: HomeAssistant, charger: Charger2
) -> None:
    charger.answers["GetBaseReport"] = {"status": "NotSupported"}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "get_base_report", report="summary")
    assert raised.value.translation_key == "not_supported_by_charger"


@pytest.mark.conformance("TC_B_18_CSMS")
@pytest.mark.conformance("UC_B08")
async def test_a_custom_report_has_criteria_and_variables(
    hass: HomeAssistant, charger: Charger2
) -> None:
    charger.answers["GetReport"] = {"status": "EmptyResultSet"}
    wanted = {"criteria": ["problem"], "variables": ["EVSE#1", "EVSE#1.Available"]}
    response = await act(hass, "get_report", **wanted)
    assert response["answer"] == "EmptyResultSet"
    assert response["variables"] == []
    ((_, payload),) = asked(charger)
    assert payload == {
        "requestId": payload["requestId"],
        "componentCriteria": ["Problem"],
        "componentVariable": [
            {"component": {"name": "EVSE", "evse": {"id": 1}}},
            named("EVSE#1.Available"),
        ],
    }
    there = charger.entries("EVSE#1.AvailabilityState")
    charger.answers["GetReport"] = charger.reports(there)
    response = await act(hass, "get_report", **wanted | {"criteria": ["available"]})
    assert charger.calls("GetReport")[1]["componentCriteria"] == ["Available"]
    assert [(one["name"], one["value"]) for one in response["variables"]] == [
        ("EVSE#1.AvailabilityState", "Available")
    ]
    assert response["complete"] is True
