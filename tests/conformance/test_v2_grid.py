"""OCPP 2.1, blocks R and S: controls for the grid, and batteries that are swapped."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..ha.charger import now
from ..ha.charger_v2 import Charger2
from ..ha.conftest import IDENTITY, Charger2Factory
from ..ha.entities import act, exists, flush, full_state, state
from ..ha.tokens import add_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.stepwise import Step
from simulators.charging_station.v2 import EVERYTHING, Battery, ChargingStation

DROOP = {
    "over_freq": 50.2,
    "under_freq": 49.8,
    "over_droop": 5,
    "under_droop": 5,
    "response_time": 2,
}
SERVICE = {"high_voltage": 253, "low_voltage": 195, "high_freq": 50.2, "low_freq": 47.5}
TAG = {"idToken": "TAG12345", "type": "ISO14443"}
BATTERY = {"evseId": 1, "serialNumber": "B-1", "soC": 20.5, "soH": 98.0}


@pytest.fixture
async def charger(charger2_ws: Charger2Factory) -> Charger2:
    """Return a charger of OCPP 2.1."""
    return await charger2_ws(version="2.1")


def reports(charger: Charger2, *parts: dict[str, Any]) -> None:
    """Have the charger report its controls in parts."""

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        for number, part in enumerate(parts, 1):
            told = {"requestId": payload["requestId"], "tbc": number < len(parts)}
            charger._spawn("ReportDERControl", part | told)
        return {"status": "Accepted"}

    charger.answers["GetDERControl"] = answer


@pytest.mark.conformance("TC_R_107_CSMS")
@pytest.mark.conformance("UC_R01")
@pytest.mark.conformance("UC_R02")
@pytest.mark.conformance("UC_R03")
@pytest.mark.conformance("UC_R04")
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_controls_are_cleared_set_and_read(
    hass: HomeAssistant, charger: Charger2
) -> None:
    await act(hass, "clear_grid_controls", default=True)
    assert charger.calls("ClearDERControl") == [{"isDefault": True}]
    answer = await act(
        hass, "set_grid_control", control_type="enter_service", parameters=SERVICE
    )
    (asked,) = charger.calls("SetDERControl")
    assert asked == {
        "isDefault": True,
        "controlId": answer["control_id"],
        "controlType": "EnterService",
        "enterService": {
            "highVoltage": 253,
            "lowVoltage": 195,
            "highFreq": 50.2,
            "lowFreq": 47.5,
            "priority": 0,
        },
    }
    charger.answers["SetDERControl"] = {"status": "Accepted", "supersededIds": ["old"]}
    answer = await act(
        hass,
        "set_grid_control",
        control_type="freq_droop",
        parameters=DROOP,
        default=False,
        start="2030-01-01T10:00:00+00:00",
        duration="01:00:00",
        priority=3,
        control_id="droop",
    )
    assert (answer["control_id"], answer["superseded"]) == ("droop", ["old"])
    asked = charger.calls("SetDERControl")[-1]
    assert (asked["isDefault"], asked["controlType"]) == (False, "FreqDroop")
    assert asked["freqDroop"] | {"startTime": ""} == {
        "overFreq": 50.2,
        "underFreq": 49.8,
        "overDroop": 5,
        "underDroop": 5,
        "responseTime": 2,
        "priority": 3,
        "startTime": "",
        "duration": 3600,
    }
    assert asked["freqDroop"]["startTime"].startswith("2030-01-01T10:00:00")
    curve = {"curveData": [{"x": 1, "y": 2}], "yUnit": "PctMaxW", "priority": 0}
    facts = {"isDefault": True, "isSuperseded": False}
    reports(
        charger,
        {"freqDroop": [{"id": "droop", "freqDroop": asked["freqDroop"], **facts}]},
        {"curve": [{"id": "c", "curveType": "VoltWatt", "curve": curve, **facts}]},
    )
    answer = await act(hass, "get_grid_controls")
    assert answer["complete"]
    told = {one["control_id"]: one for one in answer["controls"]}
    assert told["droop"]["control_type"] == "freq_droop"
    assert told["c"]["parameters"]["y_unit"] == "pct_max_w"
    assert told["c"]["parameters"]["curve_data"] == [{"x": 1, "y": 2}]
    started = {"controlId": "droop", "started": True, "timestamp": now()}
    answered = await charger.call(
        "NotifyDERStartStop", {**started, "supersededIds": ["old"]}
    )
    assert answered == {}
    await flush(hass)
    event = full_state(hass, "event", "CP01_grid").attributes
    assert (event["event_type"], event["superseded"]) == ("control_started", ["old"])


@pytest.mark.conformance("TC_R_108_CSMS")
@pytest.mark.conformance("UC_R05")
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_an_alarm_of_the_grid_begins_and_ends(
    hass: HomeAssistant, charger: Charger2
) -> None:
    told = {
        "controlType": "HVMustTrip",
        "gridEventFault": "OverVoltage",
        "timestamp": now(),
        "extraInfo": "<b>257 V</b>",
    }
    assert await charger.call("NotifyDERAlarm", told) == {}
    await flush(hass)
    alarm = full_state(hass, "binary_sensor", "CP01_grid_alarm")
    assert alarm.state == "on"
    (problem,) = alarm.attributes["problems"]
    assert (problem["control_type"], problem["fault"]) == (
        "hv_must_trip",
        "over_voltage",
    )
    event = full_state(hass, "event", "CP01_grid").attributes
    assert (event["event_type"], event["fault"]) == ("alarm", "over_voltage")
    assert await charger.call("NotifyDERAlarm", told | {"alarmEnded": True}) == {}
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_grid_alarm") == "off"
    event = full_state(hass, "event", "CP01_grid").attributes
    assert event["event_type"] == "alarm_ended"


async def test_a_kind_of_control_that_nobody_knows_is_an_alarm_all_the_same(
    hass: HomeAssistant, charger: Charger2
) -> None:
    told = {"controlType": "Invented", "timestamp": "yesterday"}
    assert await charger.call("NotifyDERAlarm", told) == {}
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_grid_alarm") == "on"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"control_type": "freq_droop", "parameters": {}}, "grid_control_parameters"),
        (
            {
                "control_type": "volt_watt",
                "parameters": {
                    "curve_data": [{"x": 1, "y": 1}],
                    "y_unit": "pct_max_var",
                },
            },
            "grid_control_parameters",
        ),
        (
            {
                "control_type": "freq_droop",
                "parameters": DROOP,
                "start": "2030-01-01T10:00:00",
            },
            "grid_control_default_timed",
        ),
        (
            {"control_type": "freq_droop", "parameters": DROOP, "default": False},
            "grid_control_not_timed",
        ),
        (
            {
                "control_type": "enter_service",
                "parameters": SERVICE,
                "default": False,
                "start": "2030-01-01T10:00:00",
            },
            "grid_control_not_timed",
        ),
    ],
)
async def test_a_control_that_makes_no_sense_is_not_sent(
    hass: HomeAssistant, charger: Charger2, fields: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, "set_grid_control", **fields)
    assert err.value.translation_key == key
    assert charger.calls("SetDERControl") == []


async def test_what_the_charger_says_to_a_control_is_told(
    hass: HomeAssistant, charger: Charger2
) -> None:
    charger.answers["SetDERControl"] = {"status": "NotSupported"}
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "set_grid_control", control_type="freq_droop", parameters=DROOP)
    assert err.value.translation_key == "not_supported_by_charger"
    charger.answers["ClearDERControl"] = {"status": "NotFound"}
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "clear_grid_controls")
    assert err.value.translation_key == "rejected"
    charger.answers["GetDERControl"] = {"status": "NotFound"}
    answer = await act(hass, "get_grid_controls", control_type="volt_var")
    assert (answer["controls"], answer["complete"]) == ([], True)
    assert charger.calls("GetDERControl")[-1]["controlType"] == "VoltVar"


# Batteries


@pytest.mark.conformance("TC_S_102_CSMS")
async def test_a_station_without_batteries_says_so(
    hass: HomeAssistant, charger: Charger2
) -> None:
    charger.answers["RequestBatterySwap"] = {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "NoBatteryAvailable"},
    }
    with pytest.raises(HomeAssistantError, match="NoBatteryAvailable") as err:
        await act(hass, "request_battery_swap")
    assert err.value.translation_key == "rejected"


@pytest.mark.conformance("TC_S_103_CSMS")
@pytest.mark.conformance("UC_S02")
@pytest.mark.conformance("UC_S03")
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_batteries_go_in_and_out_under_the_number_of_the_swap(
    hass: HomeAssistant, charger: Charger2
) -> None:
    answer = await act(hass, "request_battery_swap")
    (asked,) = charger.calls("RequestBatterySwap")
    assert asked["requestId"] == answer["request_id"]
    told = {
        "batteryData": [BATTERY],
        "idToken": asked["idToken"],
        "requestId": asked["requestId"],
    }
    for kind, requested in (
        ("BatteryIn", True),
        ("BatteryOut", True),
        ("BatteryOutTimeout", False),
    ):
        assert await charger.call("BatterySwap", {"eventType": kind, **told}) == {}
        await flush(hass)
        event = full_state(hass, "event", "CP01_battery_swap").attributes
        assert event["requested"] is requested
        assert event["batteries"] == [
            {"connector": 1, "serial": "B-1", "charge": 20.5, "health": 98.0}
        ]
    assert event["event_type"] == "battery_out_timeout"
    again = await act(hass, "request_battery_swap")
    assert again["request_id"] != answer["request_id"]


@pytest.mark.conformance("UC_S02")
async def test_nobody_gets_a_battery_who_may_not_charge(
    hass: HomeAssistant, charger: Charger2
) -> None:
    await add_token(hass, "STRANGER1", status="blocked")
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, "request_battery_swap", id_token="STRANGER1")
    assert err.value.translation_key == "swap_not_allowed"
    assert charger.calls("RequestBatterySwap") == []


@pytest.mark.parametrize("version", ["2.0.1"])
async def test_older_versions_have_no_words_for_it(
    hass: HomeAssistant, charger2_ws: Charger2Factory, version: str
) -> None:
    await charger2_ws(version=version)
    for action in ("request_battery_swap", "get_grid_controls", "clear_grid_controls"):
        with pytest.raises(HomeAssistantError) as err:
            await act(hass, action)
        assert err.value.translation_key == "not_supported"
    assert not exists(hass, "event", "CP01_grid")
    assert not exists(hass, "event", "CP01_battery_swap")


@pytest.mark.conformance("UC_S01")
async def test_who_may_charge_may_swap_and_is_told_of_the_group(
    hass: HomeAssistant, charger: Charger2
) -> None:
    await add_token(hass, TAG["idToken"], group="FAMILY")
    answer = await charger.call("Authorize", {"idToken": TAG})
    info = answer["idTokenInfo"]
    assert info["status"] == "Accepted"
    assert info["groupIdToken"]["idToken"] == "FAMILY"


@pytest.fixture
async def station(hass: HomeAssistant, hub: OcppHub) -> AsyncGenerator[ChargingStation]:
    """Return a virtual station that can do all of OCPP 2.1, with two EVSEs."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    virtual = ChargingStation(
        f"ws://127.0.0.1:{hub.port}/ocpp",
        IDENTITY,
        evses=(1, 1),
        device_model=EVERYTHING,
    )
    await virtual.connect()
    findings = hub.stations[IDENTITY].station.findings
    async with asyncio.timeout(60):
        while Step.LIMITS not in findings or virtual.queue.busy:
            await asyncio.sleep(0.01)
    yield virtual
    await virtual.close()


@pytest.mark.conformance("UC_S04")
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_batteries_are_charged_in_their_slots_without_a_driver(
    hass: HomeAssistant, station: ChargingStation
) -> None:
    await station.swap.fill(2, Battery(serial="B-2", soc=95))
    asked = await act(hass, "request_battery_swap")
    await station.swap.put_in(1, Battery(serial="B-1", soc=10))
    await station.settle()
    await flush(hass)
    event = full_state(hass, "event", "CP01_battery_swap").attributes
    assert (event["event_type"], event["request_id"]) == (
        "battery_in",
        asked["request_id"],
    )
    assert {*station.transactions.running} == {1, 2}
    assert state(hass, "binary_sensor", "CP01_1_charging") == "on"
    taken = await station.swap.take_out()
    await station.settle()
    await flush(hass)
    assert taken is not None
    event = full_state(hass, "event", "CP01_battery_swap").attributes
    assert (event["event_type"], event["requested"]) == ("battery_out", True)
    assert state(hass, "binary_sensor", "CP01_2_charging") == "off"


async def test_a_station_that_knows_controls_keeps_and_reports_them(
    hass: HomeAssistant, station: ChargingStation
) -> None:
    for number, priority in (("a", 5), ("b", 1)):
        answer = await act(
            hass,
            "set_grid_control",
            control_type="freq_droop",
            parameters=DROOP,
            priority=priority,
            control_id=number,
        )
    assert answer["superseded"] == ["a"]
    for one in range(5):
        await act(
            hass,
            "set_grid_control",
            control_type="volt_watt",
            parameters={
                "curve_data": [{"x": 100 + one, "y": 50}],
                "y_unit": "pct_max_w",
            },
            priority=one,
        )
    answer = await act(hass, "get_grid_controls")
    assert answer["complete"]
    assert len(answer["controls"]) == 7
    superseded = {one["control_id"]: one["superseded"] for one in answer["controls"]}
    assert (superseded["a"], superseded["b"]) == (True, False)
    await act(hass, "clear_grid_controls", default=True)
    assert (await act(hass, "get_grid_controls"))["controls"] == []
