"""Reports of OCPP 2.x that are asked for: by criteria, in parts, within limits."""

import asyncio
from typing import Any

import pytest

from .outbound import Charger, ready, set_up
from custom_components.ev_charger_hub.ocpp.v201.names import parse_component
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.variables import Criterion, ReportBase

HEARTBEAT = "OCPPCommCtrlr.HeartbeatInterval"
MOST = "DeviceDataCtrlr.ItemsPerMessage[GetReport]"
ROOM = "DeviceDataCtrlr.BytesPerMessage[GetReport]"


def answering(charger: Charger) -> None:
    """Have a charger report the variables that it is asked for."""

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        wanted = payload.get("componentVariable")
        entries = [
            entry
            for entry in charger.reported()
            if wanted is None
            or {"component": entry["component"], "variable": entry["variable"]}
            in wanted
        ]
        if not entries:
            return {"status": "EmptyResultSet"}
        charger.report(payload["requestId"], entries)
        return {"status": "Accepted"}

    charger.handlers["GetReport"] = answer


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("EVSE#1", {"component": {"name": "EVSE", "evse": {"id": 1}}}),
        (
            "Connector#1/2",
            {"component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}}},
        ),
        ("Fan[left]", {"component": {"name": "Fan", "instance": "left"}}),
        (
            "AuthCtrlr.Enabled",
            {"component": {"name": "AuthCtrlr"}, "variable": {"name": "Enabled"}},
        ),
        ("", None),
        (".Enabled", None),
        ("A[", None),
        ("A#x", None),
    ],
)
def test_a_component_is_named_with_or_without_a_variable(
    text: str, payload: dict[str, Any] | None
) -> None:
    assert parse_component(text) == payload


async def test_a_report_asks_for_no_more_than_the_charger_takes() -> None:
    charger = Charger()
    charger.variables |= {MOST: "2"}
    await charger.learn()
    answering(charger)
    names = [HEARTBEAT, "EVSE#1.Power", "ChargingStation.Model"]
    outcome, report = await charger.link.reports.report([], names)
    assert outcome.ok
    sizes = [len(one["componentVariable"]) for one in charger.sent("GetReport")]
    assert sizes == [2, 1]
    assert sorted(one.name for one in report.variables) == sorted(names)
    assert report.complete


async def test_a_report_asks_in_messages_that_are_not_too_long() -> None:
    charger = Charger()
    charger.variables |= {MOST: "50", ROOM: "250"}
    await charger.learn()
    answering(charger)
    names = [HEARTBEAT, "EVSE#1.Power", "ChargingStation.Model"]
    await charger.link.reports.report([], names)
    assert len(charger.sent("GetReport")) > 1


async def test_a_part_of_a_report_without_content_is_no_failure() -> None:
    charger = Charger()
    charger.variables |= {MOST: "1"}
    await charger.learn()
    answering(charger)
    names = [HEARTBEAT, "Nothing.There"]
    outcome, report = await charger.link.reports.report([], names)
    assert outcome.ok
    assert [one.name for one in report.variables] == [HEARTBEAT]


async def test_criteria_alone_ask_for_all_components() -> None:
    charger = await ready()
    answering(charger)
    wanted = [Criterion.ACTIVE, Criterion.PROBLEM]
    outcome, report = await charger.link.reports.report(wanted, [])
    assert outcome.ok
    (sent,) = charger.sent("GetReport")
    assert sent["componentCriteria"] == ["Active", "Problem"]
    assert "componentVariable" not in sent
    assert len(report.variables) == len(charger.variables)


async def test_nothing_is_sent_for_what_names_no_component() -> None:
    charger = await ready()
    outcome, report = await charger.link.reports.report([], ["A["])
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert not report.variables
    assert charger.calls == []


async def test_a_report_whose_parts_get_lost_says_so() -> None:
    charger = await ready()
    charger.parts, charger.lost = 3, {1}
    asked = asyncio.ensure_future(charger.link.reports.base_report(ReportBase.FULL))
    await charger.time.advance(60)
    outcome, report = await asked
    assert outcome.ok
    assert not report.complete
    assert 0 < len(report.variables) < len(charger.variables)


async def test_a_report_that_never_comes_is_a_time_out() -> None:
    charger = await ready()
    charger.parts, charger.lost = 2, {0, 1}
    asked = asyncio.ensure_future(charger.link.reports.base_report(ReportBase.SUMMARY))
    await charger.time.advance(60)
    outcome, report = await asked
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert not report.variables


async def test_several_variables_go_out_once_each_however_they_are_spelled() -> None:
    """B05.FR.13: no variable twice in a message."""
    charger = await ready()
    done = await charger.link.reports.set_variables(
        {HEARTBEAT: "10", HEARTBEAT.lower(): "20", "nonsense": "1"}
    )
    (sent,) = charger.sent("SetVariables")
    assert len(sent["setVariableData"]) == 1
    assert charger.variables[HEARTBEAT] == "20"
    assert {name: one.ok for name, one in done.items()} == {
        HEARTBEAT: True,
        HEARTBEAT.lower(): True,
        "nonsense": False,
    }


async def test_another_firmware_is_compared_with_the_one_before() -> None:
    charger = Charger()
    charger.described["EVSE#1.Power"] = {"dataType": "decimal", "maxLimit": 11000}
    await set_up(charger)
    assert "variables_changed" not in charger.station.findings
    info = charger.station.info
    info.set(type(info.value)(firmware="2"))
    del charger.variables["ChargingStation.Model"]
    charger.variables["New.Thing"] = "1"
    charger.described["EVSE#1.Power"] = {"dataType": "decimal", "maxLimit": 22000}
    findings = await set_up(charger)
    assert findings["variables_changed"] == (
        "new: New.Thing; gone: ChargingStation.Model; changed: EVSE#1.Power"
    )


async def test_a_known_variable_is_named_as_the_charger_spells_it() -> None:
    charger = Charger()
    odd = "com.example.Ctrlr"
    named = {"component": {"name": odd}, "variable": {"name": "Speed"}}
    charger.link.device_model.report([named])
    answering(charger)
    assert charger.link.reports is not None
    await charger.link.reports.report([], [f"{odd.upper()}.speed"])
    (sent,) = charger.sent("GetReport")
    assert sent["componentVariable"] == [named]
