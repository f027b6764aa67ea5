"""Monitoring of OCPP 2.x: monitors, events, customers and streams (block N)."""

import json
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from ..ha.charger import ACCEPTED, Payload, now
from ..ha.charger_v2 import Charger2, name_of
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, flush, full_state, state
from ..ha.monitors import (
    TEMPERATURE,
    cleared,
    customer,
    event,
    monitor,
    reported,
    results,
    tell,
)
from ..ha.tokens import add_token

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

EVENT = "CP01_variable"
DELTA = {"variable": "EVSE#1.AvailabilityState", "type": "delta", "value": 1}


async def watched(hass: HomeAssistant, charger: Charger2, *wanted: Payload) -> Payload:
    """Have a charger watch something it agrees to; return the response."""
    charger.answers["SetVariableMonitoring"] = results("Accepted")
    return await act(hass, "set_variable_monitoring", monitors=list(wanted))


def alerts(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the repairs that alerts have raised."""
    return [
        issue
        for (_, issue_id), issue in ir.async_get(hass).issues.items()
        if issue_id.startswith("charger_alert")
    ]


# N02: what is watched


@pytest.mark.conformance("TC_N_01_CSMS")
async def test_monitors_are_listed_by_criteria(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["GetMonitoringReport"] = reported(
        charger2, [monitor(1, kind="Delta", value=1.0, severity=8)]
    )
    answer = await act(hass, "get_monitoring_report", criteria=["delta"])
    sent = await charger2.expect("GetMonitoringReport")
    assert sent["monitoringCriteria"] == ["DeltaMonitoring"]
    assert set(sent) == {"requestId", "monitoringCriteria"}
    assert [one["monitor_id"] for one in answer["monitors"]] == [1]
    charger2.answers["GetMonitoringReport"] = {"status": "EmptyResultSet"}
    answer = await act(hass, "get_monitoring_report", criteria=["threshold"])
    sent = await charger2.expect("GetMonitoringReport", 2)
    assert sent["monitoringCriteria"] == ["ThresholdMonitoring"]
    assert answer["monitors"] == []
    assert (answer["status"], answer["answer"]) == ("accepted", "EmptyResultSet")


@pytest.mark.conformance("TC_N_02_CSMS")
async def test_monitors_are_listed_by_variable(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["GetMonitoringReport"] = reported(
        charger2, [monitor(7)], [monitor(8, kind="Delta")], order=(1, 0)
    )
    answer = await act(hass, "get_monitoring_report", variables=[TEMPERATURE])
    sent = await charger2.expect("GetMonitoringReport")
    assert [name_of(one) for one in sent["componentVariable"]] == [TEMPERATURE]
    assert set(sent) == {"requestId", "componentVariable"}
    assert {one["monitor_id"]: one["type"] for one in answer["monitors"]} == {
        7: "upper_threshold",
        8: "delta",
    }
    assert answer["monitors"][0]["variable"] == TEMPERATURE
    charger2.answers["GetMonitoringReport"] = {"status": "EmptyResultSet"}
    answer = await act(hass, "get_monitoring_report", variables=[TEMPERATURE])
    assert answer["monitors"] == []


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param(
            ["EVSE#1.AvailabilityState"], marks=pytest.mark.conformance("TC_N_03_CSMS")
        ),
        pytest.param(
            ["EVSE#1.AvailabilityState", "ChargingStation.Problem"],
            marks=pytest.mark.conformance("TC_N_60_CSMS"),
        ),
    ],
)
async def test_monitors_are_listed_by_criteria_and_variables(
    hass: HomeAssistant, charger2: Charger2, variables: list[str]
) -> None:
    listed = [monitor(n, name) for n, name in enumerate(variables, 1)]
    charger2.answers["GetMonitoringReport"] = reported(charger2, listed)
    answer = await act(
        hass, "get_monitoring_report", criteria=["threshold"], variables=variables
    )
    sent = await charger2.expect("GetMonitoringReport")
    assert sent["monitoringCriteria"] == ["ThresholdMonitoring"]
    assert [name_of(one) for one in sent["componentVariable"]] == variables
    assert [one["variable"] for one in answer["monitors"]] == variables


@pytest.mark.conformance("TC_N_47_CSMS")
@pytest.mark.conformance("UC_N02")
async def test_all_monitors_are_listed(hass: HomeAssistant, charger2: Charger2) -> None:
    charger2.answers["GetMonitoringReport"] = reported(
        charger2, [monitor(n) for n in (1, 2)], [monitor(3)]
    )
    answer = await act(hass, "get_monitoring_report")
    assert set(await charger2.expect("GetMonitoringReport")) == {"requestId"}
    assert [one["monitor_id"] for one in answer["monitors"]] == [1, 2, 3]


# N03, N05: base and level


@pytest.mark.conformance("TC_N_05_CSMS")
@pytest.mark.conformance("UC_N03")
async def test_the_monitoring_base_is_set(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    for base in ("all", "factory_default", "hard_wired_only"):
        answer = await act(hass, "set_monitoring_base", base=base)
        assert answer["status"] == "accepted"
    assert [one["monitoringBase"] for one in charger2.calls("SetMonitoringBase")] == [
        "All",
        "FactoryDefault",
        "HardWiredOnly",
    ]


@pytest.mark.conformance("TC_N_16_CSMS")
@pytest.mark.conformance("UC_N05")
async def test_the_monitoring_level_is_set(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    answer = await act(hass, "set_monitoring_level", severity=4)
    assert await charger2.expect("SetMonitoringLevel") == {"severity": 4}
    assert answer["status"] == "accepted"


@pytest.mark.conformance("TC_N_17_CSMS")
async def test_a_monitoring_level_may_be_refused(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["SetMonitoringLevel"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "set_monitoring_level", severity=9)
    assert refused.value.translation_key == "rejected"
    assert await charger2.call("Heartbeat")


# N04: set monitors


@pytest.mark.conformance("TC_N_08_CSMS")
@pytest.mark.conformance("UC_N04")
async def test_a_variable_is_watched(hass: HomeAssistant, charger2: Charger2) -> None:
    answer = await watched(hass, charger2, DELTA)
    (sent,) = (await charger2.expect("SetVariableMonitoring"))["setMonitoringData"]
    assert name_of(sent) == "EVSE#1.AvailabilityState"
    assert (sent["type"], sent["severity"], sent["value"]) == ("Delta", 8, 1)
    assert not {"id", "periodicEventStream"} & set(sent)
    (result,) = answer["monitors"]
    assert (result["accepted"], result["monitor_id"]) == (True, 1)


@pytest.mark.conformance("TC_N_09_CSMS")
async def test_several_variables_are_watched_in_one_message(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["SetVariableMonitoring"] = results("Accepted", "UnknownVariable")
    other = {"variable": "ChargingStation.Nonsense", "type": "delta", "value": 1}
    answer = await act(hass, "set_variable_monitoring", monitors=[DELTA, other])
    (sent,) = charger2.calls("SetVariableMonitoring")
    assert [name_of(one) for one in sent["setMonitoringData"]] == [
        "EVSE#1.AvailabilityState",
        "ChargingStation.Nonsense",
    ]
    assert [(one["variable"], one["answer"]) for one in answer["monitors"]] == [
        ("EVSE#1.AvailabilityState", "Accepted"),
        ("ChargingStation.Nonsense", "UnknownVariable"),
    ]


# N06: clear monitors


@pytest.mark.conformance("TC_N_18_CSMS")
async def test_many_monitors_are_cleared_in_several_messages(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    name = "MonitoringCtrlr.ItemsPerMessage[ClearVariableMonitoring]"
    charger = await charger2_ws(variables={name: ("3", True)})
    charger.answers["ClearVariableMonitoring"] = cleared({5: "NotFound"})
    answer = await act(hass, "clear_variable_monitoring", monitor_ids=list(range(1, 8)))
    sent = charger.calls("ClearVariableMonitoring")
    assert [one["id"] for one in sent] == [[1, 2, 3], [4, 5, 6], [7]]
    assert {one["monitor_id"]: one["answer"] for one in answer["monitors"]} == {
        **dict.fromkeys((1, 2, 3, 4, 6, 7), "Accepted"),
        5: "NotFound",
    }


@pytest.mark.conformance("TC_N_44_CSMS")
@pytest.mark.conformance("UC_N06")
async def test_a_monitor_that_is_kept_is_told(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["ClearVariableMonitoring"] = cleared({1: "Rejected"})
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "clear_variable_monitoring", monitor_ids=[1])
    assert refused.value.translation_key == "rejected"
    answer = await act(hass, "clear_variable_monitoring", monitor_ids=[1, 2])
    assert [one["answer"] for one in answer["monitors"]] == ["Rejected", "Accepted"]


# N07, N08: events


@pytest.mark.conformance("TC_N_21_CSMS")
@pytest.mark.conformance("UC_N07")
async def test_a_hard_wired_monitor_raises_an_alert(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await tell(
        charger2,
        event(
            "EVSE#1.Temperature",
            "91",
            eventNotificationType="HardWiredMonitor",
            variableMonitoringId=12,
            techCode="E17",
            techInfo="too hot",
        ),
    )
    await flush(hass)
    shown = full_state(hass, "event", EVENT).attributes
    assert shown["event_type"] == "alert"
    assert shown["kind"] == "hard_wired_monitor"
    assert (shown["variable"], shown["value"]) == ("EVSE#1.Temperature", "91")
    assert (shown["code"], shown["info"]) == ("E17", "too hot")
    assert shown["connector"] == 1


@pytest.mark.conformance("TC_N_24_CSMS")
@pytest.mark.conformance("UC_N08")
async def test_a_periodic_event_is_taken(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await watched(
        hass, charger2, {"variable": TEMPERATURE, "type": "periodic", "value": 30}
    )
    await tell(
        charger2,
        event(TEMPERATURE, "31.5", trigger="Periodic", variableMonitoringId=1),
    )
    await flush(hass)
    assert full_state(hass, "event", EVENT).attributes["event_type"] == "periodic"
    assert float(state(hass, "sensor", "CP01_1_temperature")) == 31.5


@pytest.mark.conformance("TC_N_48_CSMS")
@pytest.mark.parametrize("value", ["", None])
async def test_an_event_of_a_write_only_variable_tells_no_value(
    hass: HomeAssistant, charger2: Charger2, value: str | None
) -> None:
    told = event("SecurityCtrlr.BasicAuthPassword", "", trigger="Delta")
    if value is None:
        del told["actualValue"]
    await tell(charger2, told)
    await flush(hass)
    shown = full_state(hass, "event", EVENT).attributes
    assert (shown["event_type"], shown["value"]) == ("changed", "")


@pytest.mark.conformance("TC_N_49_CSMS")
async def test_an_alert_is_over_after_a_restart(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    for kind in ("upper_threshold", "lower_threshold"):
        wanted = {"variable": TEMPERATURE, "type": kind, "value": 60, "severity": 2}
        await watched(hass, charger2, wanted)
        await tell(charger2, event(TEMPERATURE, "99", variableMonitoringId=1))
        await flush(hass)
        assert state(hass, "binary_sensor", "CP01_1_problem") == "on"
        assert len(alerts(hass)) == 1
        await charger2.boot()
        over = event(TEMPERATURE, "40", variableMonitoringId=1, cleared=True)
        await tell(charger2, over)
        await flush(hass)
        assert full_state(hass, "event", EVENT).attributes["event_type"] == "cleared"
        assert state(hass, "binary_sensor", "CP01_1_problem") == "off"
        assert alerts(hass) == []


@pytest.mark.conformance("TC_N_50_CSMS")
async def test_periodic_events_go_on_after_a_restart(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    wanted = {"variable": TEMPERATURE, "type": "periodic", "value": 60}
    await watched(hass, charger2, wanted)
    for value in ("30.0", "31.0"):
        told = event(TEMPERATURE, value, trigger="Periodic", variableMonitoringId=1)
        await tell(charger2, told)
        await flush(hass)
        assert state(hass, "sensor", "CP01_1_temperature") == value
        await charger2.boot()


# N09, N10: customers


@pytest.mark.conformance("TC_N_27_CSMS")
@pytest.mark.conformance("UC_N09")
async def test_what_is_known_of_a_customer_is_put_together(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["CustomerInformation"] = customer(
        charger2, "first ", "second ", "third", order=(0, 2, 1)
    )
    answer = await act(hass, "get_customer_information", id_token="04A2B3C4")
    sent = await charger2.expect("CustomerInformation")
    assert (sent["report"], sent["clear"]) == (True, False)
    assert sent["idToken"] == {"idToken": "04A2B3C4", "type": "ISO14443"}
    assert not {"customerIdentifier", "customerCertificate"} & set(sent)
    assert (answer["data"], answer["complete"]) == ("first second third", True)


@pytest.mark.conformance("TC_N_28_CSMS")
async def test_nothing_may_be_known_of_a_customer(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["CustomerInformation"] = customer(charger2, "")
    answer = await act(hass, "get_customer_information", id_token="04A2B3C4")
    assert (answer["data"], answer["complete"]) == ("", True)


@pytest.mark.conformance("TC_N_29_CSMS")
async def test_a_question_about_a_customer_may_be_refused(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["CustomerInformation"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "get_customer_information", id_token="04A2B3C4")
    assert refused.value.translation_key == "rejected"


async def forgotten(
    hass: HomeAssistant, charger: Charger2, *pieces: str, **who: Any
) -> tuple[Payload, Payload]:
    """Have somebody forgotten; return what was sent, and the response."""
    charger.answers["CustomerInformation"] = customer(charger, *pieces)
    answer = await act(hass, "clear_customer_information", **who)
    sent = await charger.expect("CustomerInformation")
    assert sent["clear"] is True
    return sent, answer


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("all of it", marks=pytest.mark.conformance("TC_N_30_CSMS")),
        pytest.param("", marks=pytest.mark.conformance("TC_N_31_CSMS")),
    ],
)
async def test_a_customer_is_told_and_forgotten(
    hass: HomeAssistant, charger2: Charger2, data: str
) -> None:
    sent, answer = await forgotten(hass, charger2, data, id_token="04A2B3C4")
    assert sent["report"] is True
    assert (answer["data"], answer["complete"]) == (data, True)
    assert charger2.calls("SendLocalList") == []


@pytest.mark.conformance("TC_N_32_CSMS")
@pytest.mark.conformance("UC_N10")
async def test_a_customer_is_forgotten_without_a_word(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    sent, answer = await forgotten(hass, charger2, id_token="04A2B3C4", report=False)
    assert sent["report"] is False
    assert (answer["data"], answer["complete"]) == (None, None)


@pytest.mark.conformance("TC_N_62_CSMS")
async def test_a_customer_is_forgotten_by_name(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    sent, answer = await forgotten(
        hass, charger2, "gone", customer="OpenChargeAlliance"
    )
    assert sent["customerIdentifier"] == "OpenChargeAlliance"
    assert not {"idToken", "customerCertificate"} & set(sent)
    assert answer["data"] == "gone"


@pytest.mark.conformance("TC_N_63_CSMS")
async def test_a_customer_is_forgotten_by_certificate(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    certificate = {
        "algorithm": "SHA256",
        "issuer_name_hash": "9f86d081",
        "issuer_key_hash": "60303ae2",
        "serial": "5f3a",
    }
    sent, _ = await forgotten(hass, charger2, "gone", certificate=certificate)
    assert sent["customerCertificate"] == {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "9f86d081",
        "issuerKeyHash": "60303ae2",
        "serialNumber": "5f3a",
    }
    assert not {"idToken", "customerIdentifier"} & set(sent)


@pytest.mark.conformance("TC_N_46_CSMS")
async def test_who_is_forgotten_leaves_the_local_list(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    listing = {
        "LocalAuthListCtrlr.Available": ("true", True),
        "LocalAuthListCtrlr.Enabled": ("true", False),
        "LocalAuthListCtrlr.Entries": ("0", True),
        "LocalAuthListCtrlr.ItemsPerMessage": ("10", True),
    }
    charger = await charger2_ws(variables=listing)
    versions = {"GetLocalListVersion": 0}
    charger.answers["GetLocalListVersion"] = lambda _: {
        "versionNumber": versions["GetLocalListVersion"]
    }

    def listed(payload: Payload) -> Payload:
        versions["GetLocalListVersion"] = payload["versionNumber"]
        return dict(ACCEPTED)

    charger.answers["SendLocalList"] = listed
    for token in ("04A2B3C4", "04FFFFFF"):
        await add_token(hass, token)
    await act(hass, "send_local_list")
    before = len(charger.calls("SendLocalList"))
    _, answer = await forgotten(hass, charger, "", id_token="04a2b3c4")
    assert answer["local_list"] == "sent"
    (sent,) = charger.calls("SendLocalList")[before:]
    assert sent["updateType"] == "Differential"
    (line,) = sent["localAuthorizationList"]
    assert line["idToken"]["idToken"] == "04A2B3C4"
    assert "idTokenInfo" not in line
    version = await act(hass, "get_local_list_version")
    assert (version["in_sync"], version["tokens"]) == (True, 1)
    await act(hass, "send_local_list", full=True)
    sent = charger.calls("SendLocalList")[-1]
    assert len(sent["localAuthorizationList"]) == 2


# 2.1: targets and streams


@pytest.mark.conformance("TC_N_104_CSMS")
async def test_a_monitor_of_a_target_is_listed(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    wanted = {"variable": TEMPERATURE, "type": "target_delta", "value": 5}
    await watched(hass, charger, wanted)
    (sent,) = (await charger.expect("SetVariableMonitoring"))["setMonitoringData"]
    assert sent["type"] == "TargetDelta"
    charger.answers["GetMonitoringReport"] = reported(
        charger, [monitor(1, kind="TargetDelta", value=5.0)]
    )
    answer = await act(hass, "get_monitoring_report", criteria=["delta"])
    (found,) = answer["monitors"]
    assert (found["type"], found["value"]) == ("target_delta", 5)


async def streaming(hass: HomeAssistant, charger: Charger2, number: int = 4) -> Payload:
    """Have a charger watch something by a stream, which it opens."""
    wanted = {"variable": TEMPERATURE, "type": "periodic", "value": 1}
    await watched(hass, charger, wanted | {"stream_interval": 10})
    (sent,) = (await charger.expect("SetVariableMonitoring"))["setMonitoringData"]
    assert sent["periodicEventStream"] == {"interval": 10}
    stream = {"id": number, "params": {"interval": 10}, "variableMonitoringId": 1}
    return await charger.call("OpenPeriodicEventStream", {"constantStreamData": stream})


async def stream(charger: Charger2, number: int, *values: str) -> None:
    """Send the values of a stream, one a second, as a SEND."""
    data = [{"t": second, "v": value} for second, value in enumerate(values)]
    payload = {"id": number, "pending": 2, "basetime": now(), "data": data}
    frame = [6, "send-1", "NotifyPeriodicEventStream", payload]
    await charger.send_raw(json.dumps(frame))


@pytest.mark.conformance("TC_N_105_CSMS")
@pytest.mark.conformance("UC_N11")
@pytest.mark.conformance("UC_N13")
@pytest.mark.conformance("UC_N14")
@pytest.mark.conformance("UC_N15")
async def test_a_stream_of_values_is_used_and_never_answered(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    assert await streaming(hass, charger) == {"status": "Accepted"}
    await stream(charger, 4, "20.5", "21.5")
    # Whatever answers the stream would have come before this.
    await charger.call("Heartbeat")
    assert charger.strays == []
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_temperature") == "21.5"
    assert full_state(hass, "event", EVENT).state == "unknown"

    answer = await act(hass, "adjust_event_stream", stream=4, interval=60, values=5)
    assert await charger.expect("AdjustPeriodicEventStream") == {
        "id": 4,
        "params": {"interval": 60, "values": 5},
    }
    assert answer["status"] == "accepted"
    assert await charger.call("ClosePeriodicEventStream", {"id": 4}) == {}
    await stream(charger, 4, "99")
    await charger.call("Heartbeat")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_temperature") == "21.5"


@pytest.mark.conformance("TC_N_107_CSMS")
@pytest.mark.conformance("UC_N12")
async def test_the_open_streams_are_listed(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    await streaming(hass, charger)
    await stream(charger, 4, "20")
    await charger.call("Heartbeat")
    told = {"id": 4, "params": {"interval": 10}, "variableMonitoringId": 1}
    charger.answers["GetPeriodicEventStream"] = {"constantStreamData": [told]}
    answer = await act(hass, "get_event_streams")
    assert answer["streams"] == [
        {"stream": 4, "monitor_id": 1, "interval": 10, "values": None, "pending": 2}
    ]
    charger.answers["GetPeriodicEventStream"] = {}
    assert (await act(hass, "get_event_streams"))["streams"] == []
