"""Variables of OCPP 2.x: read, written and reported, in whatever order they come."""

import asyncio
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from .outbound import AT, TOO_MANY, Charger, set_up, written
from custom_components.ev_charger_hub.ocpp.errors import CallTimeout
from custom_components.ev_charger_hub.ocpp.v201.device_model import DeviceModel
from custom_components.ev_charger_hub.ocpp.v201.names import (
    VariableName,
    parse_name,
    read_name,
)
from custom_components.ev_charger_hub.station.link import ConfigurationKey
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus

NAMES = [
    ("AuthCtrlr.Enabled", VariableName(component="AuthCtrlr", variable="Enabled")),
    (
        "EVSE#1.Power",
        VariableName(component="EVSE", variable="Power", evse_id=1),
    ),
    (
        "Connector#1/2.ConnectorType",
        VariableName(
            component="Connector", variable="ConnectorType", evse_id=1, connector_id=2
        ),
    ),
    (
        "DeviceDataCtrlr.ItemsPerMessage[GetVariables]",
        VariableName(
            component="DeviceDataCtrlr",
            variable="ItemsPerMessage",
            variable_instance="GetVariables",
        ),
    ),
    (
        "Fan[left]#2.Speed[max.1]:MaxSet",
        VariableName(
            component="Fan",
            component_instance="left",
            evse_id=2,
            variable="Speed",
            variable_instance="max.1",
            attribute="MaxSet",
        ),
    ),
]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_a_name_is_one_word(text: str, name: VariableName) -> None:
    assert parse_name(text) == name
    assert str(name) == text
    attribute = {"attributeType": name.attribute}
    assert read_name({**name.payload, **attribute}) == name


@pytest.mark.parametrize(
    "text", ["", "Heartbeat", "A.", ".B", "A.B:Odd", "A[.B", "A#x.B", "A" * 300 + ".B"]
)
def test_what_is_no_name_is_none(text: str) -> None:
    assert parse_name(text) is None


def test_a_key_of_1_6_means_the_variable_that_took_its_place() -> None:
    name = parse_name("meterValueSampleInterval")
    assert str(name) == "SampledDataCtrlr.TxUpdatedInterval"


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"component": None, "variable": None},
        {"component": {"name": " "}, "variable": {"name": "B"}},
        {"component": {"name": "A"}, "variable": {}},
    ],
)
def test_what_names_no_variable_is_not_read(entry: dict[str, Any]) -> None:
    assert read_name(entry) is None


# Reading and writing


@pytest.mark.conformance("TC_B_06_CSMS", "TC_B_07_CSMS")
async def test_named_variables_are_read() -> None:
    charger = Charger()
    charger.variables["SecurityCtrlr.BasicAuthPassword"] = None
    outcome, found, unknown = await charger.link.get_configuration(
        [
            "OCPPCommCtrlr.HeartbeatInterval",
            "EVSE#1.Power",
            "SecurityCtrlr.BasicAuthPassword",
            "Nothing.There",
            "nonsense",
        ]
    )
    assert outcome.ok
    assert [(key.key, key.value) for key in found] == [
        ("OCPPCommCtrlr.HeartbeatInterval", "300"),
        ("EVSE#1.Power", "0"),
        ("SecurityCtrlr.BasicAuthPassword", None),
    ]
    assert unknown == ["Nothing.There", "nonsense"]
    assert charger.sent("GetVariables")[0]["getVariableData"][1] == {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Power"},
    }


async def test_a_key_of_1_6_is_answered_under_its_name() -> None:
    charger = Charger()
    _, found, _ = await charger.link.get_configuration(["HeartbeatInterval"])
    assert [(key.key, key.value) for key in found] == [("HeartbeatInterval", "300")]


async def test_a_name_is_sent_as_the_charger_spells_it() -> None:
    charger = Charger()
    await charger.learn()
    outcome = await charger.link.set_configuration("evse#1.power", "7")
    assert outcome.ok
    assert charger.variables["EVSE#1.Power"] == "7"


async def test_nothing_is_sent_for_what_is_no_name() -> None:
    charger = Charger()
    outcome = await charger.link.set_configuration("nonsense", "1")
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert charger.calls == []


@pytest.mark.conformance("TC_B_09_CSMS")
@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Accepted", OutcomeStatus.ACCEPTED),
        ("RebootRequired", OutcomeStatus.REBOOT_REQUIRED),
        ("Rejected", OutcomeStatus.REJECTED),
        ("UnknownComponent", OutcomeStatus.NOT_SUPPORTED),
        ("UnknownVariable", OutcomeStatus.NOT_SUPPORTED),
        ("NotSupportedAttributeType", OutcomeStatus.NOT_SUPPORTED),
    ],
)
async def test_the_status_of_the_variable_decides(
    word: str, status: OutcomeStatus
) -> None:
    charger = Charger()
    charger.answers["SetVariables"] = {
        "setVariableResult": [
            {
                "attributeStatus": word,
                "attributeStatusInfo": {"reasonCode": "OutOfRange"},
                "component": {"name": "AuthCtrlr"},
                "variable": {"name": "Enabled"},
            }
        ]
    }
    outcome = await charger.link.set_configuration("AuthCtrlr.Enabled", "true")
    assert (outcome.status, outcome.answer) == (status, word)
    assert outcome.detail == "OutOfRange"
    known = charger.link.device_model.text("AuthCtrlr.Enabled")
    assert known == ("true" if outcome.ok else None)


async def test_an_answer_that_says_nothing_of_a_variable_is_no_success() -> None:
    charger = Charger()
    charger.answers["SetVariables"] = {"setVariableResult": []}
    outcome = await charger.link.set_configuration("AuthCtrlr.Enabled", "true")
    assert outcome.status is OutcomeStatus.REJECTED


@pytest.mark.conformance("TC_B_10_CSMS")
@pytest.mark.peer("B-24")
async def test_results_are_matched_by_their_variable() -> None:
    charger = Charger()
    charger.variables |= {"B.One": "", "A.Two": ""}
    charger.readonly.add("A.Two")
    values = {parse_name("B.One"): "1", parse_name("A.Two"): "2"}
    outcomes = await charger.link.set_variables(
        {name: value for name, value in values.items() if name is not None}
    )
    assert [(str(name), one.status) for name, one in outcomes.items()] == [
        ("B.One", OutcomeStatus.ACCEPTED),
        ("A.Two", OutcomeStatus.REJECTED),
    ]


async def test_a_password_is_written_and_never_kept_or_shown() -> None:
    charger = Charger()
    charger.variables["SecurityCtrlr.BasicAuthPassword"] = ""
    outcome = await charger.link.set_configuration("AuthorizationKey", "abcdef")
    assert outcome.ok
    assert charger.variables["SecurityCtrlr.BasicAuthPassword"] == "abcdef"
    _, found, _ = await charger.link.get_configuration(["AuthorizationKey"])
    assert [key.value for key in found] == ["***"]
    await charger.learn()
    assert "abcdef" not in str(charger.link.device_model.dump())


# How much goes into a message


@pytest.mark.conformance("TC_B_08_CSMS")
async def test_no_message_holds_more_than_the_charger_takes() -> None:
    charger = Charger()
    names = [f"C.V{number}" for number in range(11)]
    charger.variables |= dict.fromkeys(names, "x")
    charger.limits["GetVariables"] = 4
    _, found, _ = await charger.link.get_configuration(names)
    assert len(found) == 11
    assert [len(one["getVariableData"]) for one in charger.sent("GetVariables")] == [
        4,
        4,
        3,
    ]
    charger.calls.clear()
    charger.limits["GetVariables"] = 6
    charger.variables["DeviceDataCtrlr.ItemsPerMessage[GetVariables]"] = "6"
    await charger.learn()
    await charger.link.get_configuration(names)
    assert [len(one["getVariableData"]) for one in charger.sent("GetVariables")] == [
        6,
        5,
    ]


async def test_no_message_is_longer_than_the_charger_takes() -> None:
    charger = Charger()
    names = [f"Component.Variable{number}" for number in range(10)]
    charger.variables |= dict.fromkeys(names, "x")
    charger.variables |= {
        "DeviceDataCtrlr.ItemsPerMessage[GetVariables]": "50",
        "DeviceDataCtrlr.BytesPerMessage[GetVariables]": "400",
    }
    await charger.learn()
    _, found, _ = await charger.link.get_configuration(names)
    assert len(found) == 10
    assert len(charger.sent("GetVariables")) > 1
    assert all(len(str(one)) < 400 for one in charger.sent("GetVariables"))


async def test_a_message_that_is_too_long_is_sent_in_halves() -> None:
    charger = Charger()
    names = [f"C.V{number}" for number in range(4)]
    charger.variables |= dict.fromkeys(names, "x")
    charger.limits["GetVariables"] = 1
    outcome, found, _ = await charger.link.get_configuration(names)
    assert outcome.ok
    assert [key.key for key in found] == names


async def test_what_is_too_long_alone_is_refused() -> None:
    charger = Charger()
    charger.answers["GetVariables"] = TOO_MANY
    outcome, found, unknown = await charger.link.get_configuration(["A.B", "A.C"])
    assert outcome.status is OutcomeStatus.REJECTED
    assert (found, unknown) == ([], [])


# Inventories


@pytest.mark.conformance("TC_B_13_CSMS")
async def test_all_variables_are_reported_in_parts() -> None:
    charger = Charger()
    charger.parts = 3
    charger.readonly.add("EVSE#1.Power")
    outcome, found, unknown = await charger.link.get_configuration([])
    assert outcome.ok
    assert not outcome.detail
    assert unknown == []
    assert len(found) == len(charger.variables)
    assert ConfigurationKey(key="EVSE#1.Power", value="0", readonly=True) in found
    assert charger.calls == [
        ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    ]


@pytest.mark.conformance("TC_B_12_CSMS")
async def test_the_next_smaller_inventory_does_if_there_is_no_full_one() -> None:
    charger = Charger()
    answer = charger.handlers["GetBaseReport"]

    def small(payload: dict[str, Any]) -> dict[str, Any]:
        if payload["reportBase"] == "FullInventory":
            return {"status": "NotSupported"}
        return answer(payload)

    charger.answers["GetBaseReport"] = small
    outcome, found, _ = await charger.link.get_configuration([])
    assert outcome.ok
    assert len(found) == len(charger.variables)
    assert [one["reportBase"] for one in charger.sent("GetBaseReport")] == [
        "FullInventory",
        "ConfigurationInventory",
    ]


async def _waited(charger: Charger) -> tuple[Any, list[Any], list[str]]:
    task = asyncio.ensure_future(charger.link.get_configuration([]))
    await charger.time.advance(31)
    return await task


async def test_what_came_of_an_unfinished_report_counts() -> None:
    charger = Charger()
    charger.parts, charger.lost = 3, {1}
    outcome, found, _ = await _waited(charger)
    assert outcome.ok
    assert outcome.detail == "not all reports came"
    assert 0 < len(found) < len(charger.variables)


async def test_a_report_that_never_comes_is_a_time_out() -> None:
    charger = Charger()
    charger.lost = {0, 1}
    outcome, found, _ = await _waited(charger)
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert found == []


async def test_two_reports_at_once_are_told_apart() -> None:
    charger = Charger()
    one = {"component": {"name": "A"}, "variable": {"name": "X"}}
    two = {"component": {"name": "B"}, "variable": {"name": "Y"}}
    entries = [{**name, "variableAttribute": [{"value": "1"}]} for name in (one, two)]
    charger.answers["GetBaseReport"] = {"status": "Accepted"}
    tasks = [
        asyncio.ensure_future(charger.link.get_configuration([])) for _ in range(2)
    ]
    await charger.time.advance(1)
    for request_id, entry in ((2, entries[1]), (1, entries[0])):
        charger.reports.notify_report(
            {
                "requestId": request_id,
                "generatedAt": AT,
                "seqNo": 0,
                "reportData": [entry],
            }
        )
    told = await asyncio.gather(*tasks)
    assert [[key.key for key in found] for _, found, _ in told] == [["A.X"], ["B.Y"]]


async def test_a_report_that_nobody_waits_for_is_true_all_the_same() -> None:
    charger = Charger()
    charger.variables = {"A.B": "1"}
    charger.parts = 1
    charger.report(77, charger.reported())
    await asyncio.sleep(0)
    assert charger.link.device_model.text("A.B") == "1"


@given(st.permutations(range(5)), st.booleans())
def test_the_order_of_parts_does_not_matter(order: list[int], from_one: bool) -> None:
    async def gathered() -> bool:
        charger = Charger()
        with charger.reports.inventory(9) as parts:
            for number in order:
                charger.reports.notify_report(
                    {
                        "requestId": 9,
                        "generatedAt": AT,
                        "seqNo": number + from_one,
                        "tbc": number != 4,
                    }
                )
            # Whether one counts from 0 shows by nothing being late.
            complete = asyncio.ensure_future(parts.complete())
            await charger.time.advance(3 if from_one else 0)
            assert complete.done()
            return await complete

    assert asyncio.run(asyncio.wait_for(gathered(), 60))


@pytest.mark.parametrize(
    "entries",
    [
        None,
        "text",
        [None, 3, {}],
        [
            {
                "component": {"name": "A"},
                "variable": {"name": "B"},
                "variableAttribute": 3,
            }
        ],
    ],
)
def test_garbage_in_a_report_costs_only_itself(entries: Any) -> None:
    model = DeviceModel()
    model.report(entries)
    assert all(one.actual.value is None for one in model)


def test_a_model_survives_a_restart() -> None:
    charger_model = DeviceModel()
    charger_model.report(
        [
            {
                "component": {"name": "C", "evse": {"id": 1, "connectorId": 2}},
                "variable": {"name": "V", "instance": "i"},
                "variableAttribute": [
                    {"type": "Actual", "value": "1", "mutability": "ReadOnly"},
                    {"type": "Target", "value": "2"},
                ],
                "variableCharacteristics": {
                    "dataType": "OptionList",
                    "unit": "A",
                    "minLimit": 0,
                    "maxLimit": 10.5,
                    "valuesList": "1, 2,3",
                    "supportsMonitoring": True,
                },
            }
        ]
    )
    restored = DeviceModel()
    restored.restore(charger_model.dump())
    assert list(restored) == list(charger_model)
    assert restored.options("C#1/2.V[i]") == ("1", "2", "3")
    assert restored.most("C#1/2.V[i]") == 10
    assert restored.readonly("C#1/2.V[i]")
    assert restored.places == {1: [2]}


def meant(component: str, variable: str, instance: str = "") -> dict[str, Any]:
    """Return what names a variable in a message."""
    named = {"instance": instance} if instance else {}
    return {
        "component": {"name": component, **named},
        "variable": {"name": variable, **named},
    }


ODD = [
    meant("com.example.Ctrlr", "Speed"),
    meant("Fan[#1]", "Sp]eed:fast"),
    meant("X" * 50, "Y" * 50, "Z" * 50),
]
"""Components and variables whose names are no words of ours."""

VALUE = {"variableAttribute": [{"value": "1", "mutability": "ReadWrite"}]}


@pytest.mark.parametrize("odd", ODD)
def test_a_name_survives_a_restart_however_odd(odd: dict[str, Any]) -> None:
    model = DeviceModel()
    model.report([odd | VALUE])
    restored = DeviceModel()
    restored.restore(json.loads(json.dumps(model.dump())))
    (one,) = restored
    assert one.name.payload == odd
    assert restored.get(str(one.name)) is one


@pytest.mark.parametrize("odd", ODD)
async def test_what_has_an_odd_name_is_written(odd: dict[str, Any]) -> None:
    charger = Charger()
    charger.link.device_model.report([odd | VALUE])
    (one,) = charger.link.device_model
    result = {"attributeStatus": "Accepted", **odd}
    charger.answers["SetVariables"] = {"setVariableResult": [result]}
    assert (await charger.link.set_configuration(str(one.name), "2")).ok
    sent = {"setVariableData": [{**odd, "attributeValue": "2"}]}
    assert charger.sent("SetVariables") == [sent]
    assert [known.actual.value for known in charger.link.device_model] == ["2"]


@pytest.mark.parametrize("kept", [None, "x", [1], [["A.B", 1, [], []]]])
def test_a_journal_that_cannot_be_read_is_no_model(kept: Any) -> None:
    model = DeviceModel()
    model.restore(kept)
    assert len(model) == 0


# Set-up


async def test_a_whole_set_up() -> None:
    charger = Charger()
    charger.variables["Connector#2/1.ConnectorType"] = "sType2"
    findings = await set_up(charger)
    assert list(charger.station.evses) == [1, 2]
    assert written(charger)["SampledDataCtrlr.TxUpdatedInterval"] == ["30"]
    assert written(charger)["AlignedDataCtrlr.Interval"] == ["900"]
    measurands = charger.variables["SampledDataCtrlr.TxUpdatedMeasurands"] or ""
    assert "Current.Offered" in measurands
    assert "RPM" not in measurands
    assert charger.sent("TriggerMessage") == [
        {"requestedMessage": message, "evse": place}
        for message, places in (
            (
                "StatusNotification",
                [{"id": 1, "connectorId": 1}, {"id": 2, "connectorId": 1}],
            ),
            ("MeterValues", [{"id": 1}, {"id": 2}]),
        )
        for place in places
    ]
    total = len(measurands.split(","))
    assert findings == {
        "configuration": f"ok: {len(charger.variables)} variables",
        "connectors": "ok: 2",
        "features": "ok: LocalAuthListCtrlr, SmartChargingCtrlr",
        "measurands": f"ok: {total} of {total}",
        "aligned_data": "ok: left alone",
        "intervals": "ok",
        "triggers": "ok",
        "limits": "ok",
        "local_list": "ok: left alone",
        "monitors": "ok: not offered",
    }


async def test_a_second_boot_asks_only_for_what_may_have_changed() -> None:
    charger = Charger()
    await set_up(charger)
    await charger.restart_hub()
    findings = await set_up(charger)
    assert findings["configuration"] == f"ok: {len(charger.variables)} variables"
    assert charger.sent("GetBaseReport") == []
    assert charger.sent("SetVariables") == []
    assert len(charger.link.device_model) == len(charger.variables)
    charger.variables["SampledDataCtrlr.TxUpdatedInterval"] = "60"
    await set_up(charger)
    assert charger.variables["SampledDataCtrlr.TxUpdatedInterval"] == "30"


async def test_what_cannot_be_read_any_more_is_asked_for() -> None:
    charger = Charger()
    await set_up(charger)
    fact = await charger.journal.load(charger.station.identity, "device_model")
    assert fact is not None
    fact["variables"][0][0] = "ChargingStation.Model"
    await charger.journal.store(charger.station.identity, "device_model", fact)
    await charger.restart_hub()
    await set_up(charger)
    assert charger.sent("GetBaseReport")
    assert len(charger.link.device_model) == len(charger.variables)


async def test_another_firmware_is_asked_for_everything_and_compared() -> None:
    charger = Charger()
    await set_up(charger)
    await charger.restart_hub()
    charger.reboot_with("2.0")
    del charger.variables["ChargingStation.Model"]
    charger.variables |= {"New.One": "1", "New.Two": "2"}
    findings = await set_up(charger)
    assert findings["configuration"].endswith("2 new, 1 gone")
    assert charger.link.device_model.get("ChargingStation.Model") is None


async def test_what_was_learnt_in_another_version_is_learnt_anew() -> None:
    charger = Charger()
    charger.answers["TriggerMessage"] = {"status": "NotImplemented"}
    findings = await set_up(charger)
    assert findings["triggers"].startswith("partial: ")
    charger.station.version.set("2.1")
    del charger.answers["TriggerMessage"]
    await charger.restart_hub()
    findings = await set_up(charger)
    assert findings["triggers"] == "ok"
    assert charger.sent("GetBaseReport")


async def test_a_charger_without_reports_is_asked_for_what_is_needed() -> None:
    charger = Charger()
    charger.answers["GetBaseReport"] = {"status": "NotSupported"}
    findings = await set_up(charger)
    assert findings["configuration"].startswith("partial: ")
    assert charger.link.profile_support.max_stack_level == 9
    assert written(charger)["SampledDataCtrlr.TxUpdatedInterval"] == ["30"]
    charger.calls.clear()
    await set_up(charger)
    assert charger.sent("GetBaseReport")


async def test_a_charger_that_answers_nothing_stops_no_other_step() -> None:
    charger = Charger()
    for action in ("GetBaseReport", "GetVariables"):
        charger.answers[action] = CallTimeout()
    findings = await set_up(charger)
    assert findings["configuration"] == "unanswered"
    assert findings["connectors"] == "unknown"
    assert findings["triggers"] == "ok"
    # Each of them may cost ten seconds.
    assert len(charger.sent("GetVariables")) <= 2


async def test_only_measurands_that_the_charger_lists_are_chosen() -> None:
    charger = Charger()
    key = "SampledDataCtrlr.TxUpdatedMeasurands"
    listed = "Energy.Active.Import.Register,Voltage,SoC,Display.MaximumSoC"
    charger.described[key] = {"valuesList": listed}
    findings = await set_up(charger)
    assert charger.variables[key] == "Energy.Active.Import.Register,Voltage,SoC"
    assert findings["measurands"] == "ok: 3 of 3"


async def test_what_the_user_wants_and_the_charger_has_not_is_told() -> None:
    charger = Charger(measurands=("voltage", "soc"))
    key = "SampledDataCtrlr.TxUpdatedMeasurands"
    charger.described[key] = {"valuesList": "Voltage,Frequency"}
    findings = await set_up(charger)
    assert charger.variables[key] == "Voltage"
    assert findings["measurands"] == "partial: SoC"


async def test_the_counter_is_part_of_how_a_session_begins_and_ends() -> None:
    charger = Charger()
    charger.variables |= {
        "SampledDataCtrlr.TxStartedMeasurands": "",
        "SampledDataCtrlr.TxEndedMeasurands": "Current.Import",
    }
    await set_up(charger)
    register = "Energy.Active.Import.Register"
    assert charger.variables["SampledDataCtrlr.TxStartedMeasurands"] == register
    assert charger.variables["SampledDataCtrlr.TxEndedMeasurands"] == (
        f"{register},Current.Import"
    )


async def test_whether_the_meter_signs_is_shown() -> None:
    charger = Charger()
    await charger.learn()
    shown = [charger.station.signs_readings.value]
    charger.variables["SampledDataCtrlr.SignReadings"] = "false"
    await charger.learn()
    shown.append(charger.station.signs_readings.value)
    await charger.link.set_configuration("SampledDataSignReadings", "true")
    shown.append(charger.station.signs_readings.value)
    assert shown == [None, False, True]
