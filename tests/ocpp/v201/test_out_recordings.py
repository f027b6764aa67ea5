"""What real 2.x charge points reported and answered, as the link understands it."""

import json
from pathlib import Path
from typing import Any

import pytest

from .outbound import Charger, set_up
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.errors import CallError, ErrorCode, parse
from custom_components.ev_charger_hub.ocpp.rpc import Reply
from custom_components.ev_charger_hub.ocpp.v201.reports import Reports
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.profiles.model import ProfileCriteria

TRACES = Path(__file__).parents[2] / "traces"
NAMES = [
    "libocpp-2.0.1",
    "microocpp-2.0.1",
    "ocpp-cp-simulator-2.1",
    "sap-simulator-2.0.1",
    "virtual-charge-point-2.0.1",
]


def _frames(name: str) -> list[tuple[str, list[Any]]]:
    lines = (TRACES / f"{name}.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [(one["from"], one["frame"]) for one in records if "frame" in one]


def _hear(reports: Reports, name: str, frame: list[Any]) -> None:
    dialect = Dialect.V21 if name.endswith("2.1") else Dialect.V201
    hear = {
        "NotifyReport": reports.notify_report,
        "ReportChargingProfiles": reports.report_charging_profiles,
    }.get(frame[2])
    if hear is not None:
        reply = hear(Schemas.load(dialect).request(frame[2], frame[3]))
        assert reply == Reply({})


@pytest.mark.parametrize(
    ("name", "variables", "controllers"),
    [
        ("libocpp-2.0.1", 284, 10),
        ("microocpp-2.0.1", 18, 0),
        ("ocpp-cp-simulator-2.1", 12, 0),
        ("sap-simulator-2.0.1", 85, 4),
        ("virtual-charge-point-2.0.1", 4, 0),
    ],
)
async def test_recorded_reports_are_read(
    name: str, variables: int, controllers: int
) -> None:
    charger = Charger()
    for origin, frame in _frames(name):
        if origin == "station" and frame[0] == 2:
            _hear(charger.reports, name, frame)
    model = charger.link.device_model
    assert len(model) == variables
    assert len(set(model.controllers)) == controllers


async def test_what_libocpp_says_of_itself() -> None:
    charger = Charger()
    for origin, frame in _frames("libocpp-2.0.1"):
        if origin == "station" and frame[0] == 2:
            _hear(charger.reports, "libocpp-2.0.1", frame)
    link = charger.link
    assert link.device_model.places == {1: [1]}
    support = link.profile_support
    assert (support.max_stack_level, support.max_periods) == (42, 42)
    assert not support.phase_switching
    assert link.file_transfers == frozenset({"FTP"})
    listed = link.local_list_support
    assert (listed.enabled, listed.max_per_message) == (True, 16)
    # It can sign, and has no value for whether it does.
    await link.set_configuration("EVSE#1.Power", "0")
    assert charger.station.signs_readings.value is None


def _as_recorded(charger: Charger, name: str) -> None:
    """Have a charger answer as the recorded one did, first answers first."""
    actions: dict[str, str] = {}
    answers: dict[str, list[Any]] = {}
    for origin, frame in _frames(name):
        if origin == "server" and frame[0] == 2:
            actions[frame[1]] = frame[2]
        elif origin == "station" and frame[0] in {3, 4} and frame[1] in actions:
            answers.setdefault(actions[frame[1]], []).append(frame)

    def answer(action: str) -> Any:
        frame = answers[action][0] if action in answers else [4, "", "NotImplemented"]
        if frame[0] == 3:
            return frame[2]
        return CallError(parse(frame[2]), str(frame[2]), "")

    charger.answers = {
        action: answer(action)
        for action in (
            "ClearCache",
            "ClearChargingProfile",
            "GetChargingProfiles",
            "GetCompositeSchedule",
            "GetLocalListVersion",
            "GetLog",
            "GetVariables",
            "RequestStartTransaction",
            "SetChargingProfile",
            "SetVariables",
            "TriggerMessage",
            "UnlockConnector",
        )
    }
    charger.answers["GetBaseReport"] = CallError(ErrorCode.NOT_SUPPORTED, "", "")


@pytest.mark.parametrize("name", NAMES)
async def test_no_recorded_answer_stops_set_up_or_a_command(name: str) -> None:
    charger = Charger("2.1" if name.endswith("2.1") else "2.0.1")
    _as_recorded(charger, name)
    if charger.answers["GetChargingProfiles"] == {"status": "Accepted"}:
        charger.answers["GetChargingProfiles"] = {"status": "NoProfiles"}
    findings = await set_up(charger)
    assert len(findings) == 10
    assert not [one for one in findings.values() if one.startswith("failed")]
    link = charger.link
    outcomes = [
        await link.start_charging(1, "TAG1"),
        await link.clear_cache(),
        await link.unlock(1, 1),
        (await link.local_list_version())[0],
        (await link.get_profiles(ProfileCriteria()))[0],
        (await link.composite_schedule(1, 600))[0],
        await link.clear_profiles(ProfileCriteria(id=2)),
    ]
    assert {one.status for one in outcomes} <= {
        "accepted",
        "not_supported",
        "rejected",
    }
