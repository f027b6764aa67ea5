"""What a charger of OCPP 2.x watches, and what becomes of what it tells."""

from dataclasses import replace
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID, STATE_UNKNOWN
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .charger import Charger, Payload, Refusal, now
from .charger_v2 import Charger2, name_of
from .conftest import IDENTITY, Charger2Factory, set_up
from .entities import act, device_id, exists, flush, full_state, state
from .monitors import (
    TEMPERATURE,
    cleared,
    customer,
    event,
    monitor,
    reported,
    results,
    tell,
)
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.ev_charger_hub.hub import OcppHub
from tests.underway import until

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

EVENT = "CP01_variable"
PROBLEM = "CP01_1_problem"
STATE_OF_CONNECTOR = "Connector#1/1.AvailabilityState"
WATCHED = {
    "AuthCtrlr.Enabled",
    "ChargingStation.Problem",
    STATE_OF_CONNECTOR,
    TEMPERATURE,
}
OFFERED = {
    "ChargingStation.Problem": ("false", True),
    STATE_OF_CONNECTOR: ("Available", True),
    TEMPERATURE: ("20", True),
    "EVSE#1.Power": ("0", True),
    "MonitoringCtrlr.Available": ("true", True),
    "MonitoringCtrlr.Enabled": ("true", False),
}


def alerts(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the repairs that alerts have raised."""
    return [
        issue
        for (_, issue_id), issue in ir.async_get(hass).issues.items()
        if issue_id.startswith("charger_alert")
    ]


def finding(hub: OcppHub) -> str:
    """Return what became of monitoring in set-up."""
    return hub.stations[IDENTITY].station.findings["monitors"]


async def settled(hass: HomeAssistant, hub: OcppHub, charger: Charger2) -> None:
    """Wait until set-up has come to its very end."""
    await set_up(hub, charger)
    findings = hub.stations[IDENTITY].station.findings
    await until(lambda: "monitors" in findings)
    await hass.async_block_till_done()


async def watching(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    *,
    boots: bool = True,
    offered: dict[str, tuple[str, bool]] | None = None,
) -> Charger2:
    """Return a charger that offers monitoring and was asked for it."""
    charger = await charger2_ws(
        variables=OFFERED | (offered or {}),
        boots=False,
    )
    charger.characteristics |= {
        name: {"dataType": "string", "supportsMonitoring": True}
        for name in WATCHED | {"EVSE#1.Power"}
    }
    charger.answers["GetMonitoringReport"] = {"status": "EmptyResultSet"}
    charger.answers["SetVariableMonitoring"] = results("Accepted")
    if boots:
        await charger.boot()
        await charger.connector_status("Available")
        await settled(hass, hub, charger)
    return charger


def asked(charger: Charger2) -> dict[str, Payload]:
    """Return the monitors that a charger was asked for, by variable."""
    return {
        name_of(one): one
        for sent in charger.calls("SetVariableMonitoring")
        for one in sent["setMonitoringData"]
    }


# What is watched by itself


async def test_what_matters_is_watched_where_that_is_offered(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws)
    wanted = asked(charger)
    assert wanted.keys() == WATCHED
    assert {one["type"] for one in wanted.values()} == {"Delta"}
    # None of them is grave: they are there to spare us polling.
    assert min(one["severity"] for one in wanted.values()) > 3
    assert finding(hub) == "ok: 4 of 4 watched"
    # No message has more than a charger is known to take.
    assert all(
        len(one["setMonitoringData"]) <= 4
        for one in charger.calls("SetVariableMonitoring")
    )


async def test_nothing_is_watched_where_nothing_is_offered(
    hass: HomeAssistant, hub: OcppHub, charger2: Charger2
) -> None:
    await settled(hass, hub, charger2)
    assert finding(hub) == "ok: not offered"
    assert not charger2.calls("GetMonitoringReport")
    assert not charger2.calls("SetVariableMonitoring")


async def test_a_quiet_charger_is_not_asked_to_watch(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws, boots=False)
    station = hub.stations[IDENTITY].station
    station.settings = replace(station.settings, quiet=True)
    await charger.boot()
    stream = {"id": 9, "pending": 0, "basetime": now(), "data": [{"t": 0, "v": "1"}]}
    await charger.send_raw(json.dumps([6, "s", "NotifyPeriodicEventStream", stream]))
    await charger.call("Heartbeat")
    await hass.async_block_till_done()
    assert charger.received == []


async def test_monitoring_is_switched_on(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    switch = {"MonitoringCtrlr.Enabled": ("false", False)}
    charger = await watching(hass, hub, charger2_ws, offered=switch)
    assert charger.variables["MonitoringCtrlr.Enabled"] == ("true", False)
    assert asked(charger).keys() == WATCHED


async def test_monitoring_that_is_off_for_good_is_left_alone(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    switch = {"MonitoringCtrlr.Enabled": ("false", True)}
    charger = await watching(hass, hub, charger2_ws, offered=switch)
    assert not charger.calls("SetVariableMonitoring")
    assert finding(hub).startswith("read_only")


async def test_after_a_restart_only_what_is_missing_is_asked_for(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws)
    kept = WATCHED - {TEMPERATURE}
    charger.answers["GetMonitoringReport"] = reported(
        charger, [monitor(n, name, "Delta") for n, name in enumerate(kept, 1)]
    )
    charger.received.clear()
    hub.stations[IDENTITY].station.findings.clear()
    await act(hass, "reset")
    await charger.boot()
    await settled(hass, hub, charger)
    assert asked(charger).keys() == {TEMPERATURE}


async def test_a_report_that_ends_after_ten_is_looked_into(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws, boots=False)
    ten = [monitor(n, f"Other.V{n}") for n in range(100, 110)]
    there = {name: monitor(n, name, "Delta") for n, name in enumerate(WATCHED, 1)}

    def answer(payload: Payload) -> Payload:
        names = [name_of(one) for one in payload.get("componentVariable", ())]
        listed = [there[name] for name in names] if names else ten
        return reported(charger, listed)(payload)

    charger.answers["GetMonitoringReport"] = answer
    await charger.boot()
    await settled(hass, hub, charger)
    assert len(charger.calls("GetMonitoringReport")) == 2
    assert asked(charger) == {}
    assert finding(hub) == "ok: 4 of 4 watched"


async def test_what_a_charger_will_not_watch_is_a_finding(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws, boots=False)
    charger.answers["SetVariableMonitoring"] = results(
        "Accepted", "Duplicate", "Rejected", "UnsupportedMonitorType"
    )
    await charger.boot()
    await settled(hass, hub, charger)
    assert finding(hub) == "partial: 2 of 4 watched"


async def test_nothing_is_asked_for_blindly(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws, boots=False)
    charger.answers["GetMonitoringReport"] = Refusal(code="NotImplemented")
    await charger.boot()
    await settled(hass, hub, charger)
    assert finding(hub) == "not_supported"
    assert asked(charger) == {}


async def test_what_the_user_clears_does_not_come_back(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws)
    charger.answers["ClearVariableMonitoring"] = cleared()
    known = (await async_get_config_entry_diagnostics(hass, hub.entry))["chargers"][0]
    numbers = {one["variable"]: one["id"] for one in known["monitoring"]["monitors"]}
    await act(hass, "clear_variable_monitoring", monitor_ids=[numbers[TEMPERATURE]])

    async def restarted() -> set[str]:
        charger.received.clear()
        hub.stations[IDENTITY].station.findings.clear()
        await act(hass, "reset")
        await charger.boot()
        await settled(hass, hub, charger)
        return set(asked(charger))

    assert await restarted() == WATCHED - {TEMPERATURE}
    await act(hass, "set_monitoring_base", base="hard_wired_only")
    assert await restarted() == set()
    await act(hass, "set_monitoring_base", base="all")
    assert await restarted() == WATCHED


async def test_what_is_watched_changes_states_and_is_no_event(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws)
    known = (await async_get_config_entry_diagnostics(hass, hub.entry))["chargers"][0]
    numbers = {one["variable"]: one["id"] for one in known["monitoring"]["monitors"]}

    def changed(variable: str, value: str) -> Payload:
        return event(
            variable,
            value,
            trigger="Delta",
            variableMonitoringId=numbers[variable],
        )

    await tell(
        charger,
        changed(STATE_OF_CONNECTOR, "Unavailable"),
        changed(TEMPERATURE, "44.5"),
        changed("AuthCtrlr.Enabled", "false"),
    )
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "unavailable"
    assert state(hass, "sensor", "CP01_1_temperature") == "44.5"
    assert full_state(hass, "event", EVENT).state == STATE_UNKNOWN
    assert state(hass, "switch", "CP01_authorization") == "off"


async def test_what_the_user_changes_of_ours_is_the_users(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await watching(hass, hub, charger2_ws)
    known = (await async_get_config_entry_diagnostics(hass, hub.entry))["chargers"][0]
    numbers = {one["variable"]: one["id"] for one in known["monitoring"]["monitors"]}
    number = numbers[TEMPERATURE]
    wish = {"variable": TEMPERATURE, "type": "delta", "value": 10}
    monitors = [wish | {"monitor_id": number}]
    await act(hass, "set_variable_monitoring", monitors=monitors)
    told = event(TEMPERATURE, "44.5", trigger="Delta", variableMonitoringId=number)
    await tell(charger, told)
    await flush(hass)
    shown = full_state(hass, "event", EVENT)
    assert shown.attributes["event_type"] == "changed"


@pytest.mark.parametrize("renumbered", [False, True])
async def test_another_firmware_changes_nothing_about_whose_monitors_are(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    init_integration: MockConfigEntry,
    renumbered: bool,
) -> None:
    """A number alone does not make a monitor ours; what was cleared stays away."""
    charger = await watching(hass, hub, charger2_ws)
    charger.answers["ClearVariableMonitoring"] = cleared()
    known = (await async_get_config_entry_diagnostics(hass, hub.entry))["chargers"][0]
    numbers = {one["variable"]: one["id"] for one in known["monitoring"]["monitors"]}
    unwanted = numbers.pop(TEMPERATURE)
    await act(hass, "clear_variable_monitoring", monitor_ids=[unwanted])
    await charger.close()
    await hass.config_entries.async_reload(init_integration.entry_id)
    again: OcppHub = init_integration.runtime_data
    charger.url = f"ws://127.0.0.1:{again.port}/ocpp"
    if renumbered:
        numbers = dict(zip(numbers, reversed(numbers.values()), strict=True))
    there = [monitor(one, name, "Delta", 1, 8) for name, one in numbers.items()]
    charger.answers["GetMonitoringReport"] = reported(charger, there)
    charger.received.clear()
    again.stations[IDENTITY].station.findings.clear()
    await charger.connect()
    await charger.boot(firmwareVersion="9.9")
    await settled(hass, again, charger)
    assert asked(charger) == {}
    number = numbers["AuthCtrlr.Enabled"]
    told = event(
        "AuthCtrlr.Enabled", "false", trigger="Delta", variableMonitoringId=number
    )
    await tell(charger, told)
    await flush(hass)
    shown = full_state(hass, "event", EVENT)
    assert shown.attributes.get("event_type") == ("changed" if renumbered else None)


async def test_what_is_known_of_monitors_outlives_a_restart_of_ours(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    init_integration: MockConfigEntry,
) -> None:
    charger = await charger2_ws()
    charger.answers["SetVariableMonitoring"] = results("Accepted")
    grave = {"variable": TEMPERATURE, "type": "upper_threshold", "value": 60}
    await act(hass, "set_variable_monitoring", monitors=[grave | {"severity": 1}])
    await charger.close()
    await hass.config_entries.async_reload(init_integration.entry_id)
    assert init_integration.state is ConfigEntryState.LOADED
    again: OcppHub = init_integration.runtime_data
    charger.url = f"ws://127.0.0.1:{again.port}/ocpp"
    await charger.connect()
    await tell(charger, event(TEMPERATURE, "80", variableMonitoringId=1))
    await hass.async_block_till_done()
    (issue,) = alerts(hass)
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["severity"] == "1"


# Problems and alerts


async def test_all_problems_are_listed_until_each_is_over(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    first = event(
        "EVSE#1.Problem", "true", techCode="MREC-1", techInfo="`*[x](http://x)`"
    )
    await tell(charger2, first, event("Connector#1/1.Problem", "true", eventId=2))
    await flush(hass)
    shown = full_state(hass, "binary_sensor", PROBLEM)
    assert shown.state == "on"
    told = shown.attributes["problems"]
    assert [one["variable"] for one in told] == [
        "EVSE#1.Problem",
        "Connector#1/1.Problem",
    ]
    assert (told[0]["code"], told[0]["info"]) == ("MREC-1", "`*[x](http://x)`")
    await tell(charger2, event("EVSE#1.Problem", "false", eventId=3))
    await flush(hass)
    shown = full_state(hass, "binary_sensor", PROBLEM)
    assert [one["variable"] for one in shown.attributes["problems"]] == [
        "Connector#1/1.Problem"
    ]
    await act(hass, "reset")
    await charger2.boot()
    await flush(hass)
    shown = full_state(hass, "binary_sensor", PROBLEM)
    assert shown.state == "off"
    assert "problems" not in shown.attributes
    # Nobody said how grave it was.
    assert alerts(hass) == []


async def test_a_problem_is_over_also_after_a_restart_of_ours(
    hass: HomeAssistant, charger2: Charger2, init_integration: MockConfigEntry
) -> None:
    hot = event(TEMPERATURE, "90", severity=2, variableMonitoringId=7)
    await tell(charger2, hot, event("EVSE#1.Problem", "true", eventId=2))
    await charger2.close()
    await hass.config_entries.async_reload(init_integration.entry_id)
    charger2.url = f"ws://127.0.0.1:{init_integration.runtime_data.port}/ocpp"
    await charger2.connect()
    await charger2.call("Heartbeat")
    await flush(hass)
    assert len(alerts(hass)) == 1
    shown = full_state(hass, "binary_sensor", PROBLEM)
    assert len(shown.attributes["problems"]) == 2
    await tell(charger2, event("EVSE#1.Problem", "false", eventId=3))
    await tell(charger2, hot | {"actualValue": "20", "cleared": True})
    await flush(hass)
    assert alerts(hass) == []
    assert state(hass, "binary_sensor", PROBLEM) == "off"


@pytest.mark.parametrize(
    ("severity", "shown"),
    [
        (0, ir.IssueSeverity.CRITICAL),
        (1, ir.IssueSeverity.ERROR),
        (3, ir.IssueSeverity.ERROR),
        (4, None),
        (9, None),
    ],
)
async def test_only_a_grave_alert_is_a_repair(
    hass: HomeAssistant,
    charger2: Charger2,
    severity: int,
    shown: ir.IssueSeverity | None,
) -> None:
    # libocpp says so in 2.0.1 as well, which has no such field.
    await tell(charger2, event(TEMPERATURE, "90", severity=severity))
    await flush(hass)
    found = alerts(hass)
    assert [one.severity for one in found] == ([] if shown is None else [shown])
    problem = "off" if shown is None else "on"
    assert state(hass, "binary_sensor", PROBLEM) == problem
    assert full_state(hass, "event", EVENT).attributes["severity"] == severity
    await tell(charger2, event(TEMPERATURE, "20", severity=severity, cleared=True))
    await flush(hass)
    assert alerts(hass) == []
    assert state(hass, "binary_sensor", PROBLEM) == "off"


async def test_the_severity_of_a_2_0_1_event_is_that_of_its_monitor(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.0.1")
    charger.answers["GetMonitoringReport"] = reported(
        charger, [monitor(5, severity=2), monitor(6, severity=7)]
    )
    await act(hass, "get_monitoring_report")
    await tell(charger, event(TEMPERATURE, "90", variableMonitoringId=6))
    await hass.async_block_till_done()
    assert alerts(hass) == []
    await tell(charger, event(TEMPERATURE, "95", variableMonitoringId=5))
    await hass.async_block_till_done()
    (issue,) = alerts(hass)
    assert issue.severity is ir.IssueSeverity.ERROR


async def test_names_may_be_spelled_in_any_case(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await tell(charger2, event("RCD#1.PROBLEM", "TRUE", eventId=1))
    state_of = event(
        "CONNECTOR#1/1.availabilitystate", "Unavailable", trigger="Delta", eventId=2
    )
    await tell(charger2, state_of)
    await flush(hass)
    assert state(hass, "binary_sensor", PROBLEM) == "on"
    assert state(hass, "sensor", "CP01_1_error_code") == "GroundFailure"
    assert state(hass, "sensor", "CP01_1_status") == "unavailable"
    await tell(charger2, event("Rcd#1.problem", "false", eventId=3))
    await flush(hass)
    assert state(hass, "binary_sensor", PROBLEM) == "off"


async def test_a_problem_is_over_whichever_monitor_says_so(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    problem = "EVSE#1.Problem"
    monitors = [monitor(7, problem, "Delta", 1, 2)]
    charger2.answers["GetMonitoringReport"] = reported(charger2, monitors)
    await act(hass, "get_monitoring_report")
    await tell(charger2, event(problem, "true", severity=1, eventId=1))
    await tell(charger2, event(problem, "true", variableMonitoringId=7, eventId=2))
    await hass.async_block_till_done()
    assert len(alerts(hass)) == 1
    over = event(problem, "false", variableMonitoringId=7, eventId=3, trigger="Delta")
    await tell(charger2, over)
    await flush(hass)
    assert alerts(hass) == []
    assert state(hass, "binary_sensor", PROBLEM) == "off"


async def test_what_a_charger_writes_is_no_markdown(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    evil = "`x\n\n# Big\n[click](http://evil)`" + "y" * 1000
    await tell(
        charger2,
        event(TEMPERATURE, evil, severity=1, techInfo=evil, techCode=evil),
    )
    await flush(hass)
    (issue,) = alerts(hass)
    told = issue.translation_placeholders
    assert told is not None
    for name in ("info", "code", "value"):
        assert "`" not in told[name]
        assert "\n" not in told[name]
        assert len(told[name]) <= 200
    assert (
        max(len(str(v)) for v in full_state(hass, "event", EVENT).attributes.values())
        <= 255
    )


async def test_an_alert_can_be_hidden(
    hass: HomeAssistant, charger2: Charger2, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await tell(charger2, event(TEMPERATURE, "90", severity=1))
    await hass.async_block_till_done()
    (issue,) = alerts(hass)
    client = await hass_client()
    url = "/api/repairs/issues/fix"
    asked_for = {"handler": DOMAIN, "issue_id": issue.issue_id}
    flow = await (await client.post(url, json=asked_for)).json()
    assert flow["step_id"] == "confirm"
    assert flow["description_placeholders"]["variable"] == TEMPERATURE
    await client.post(f"{url}/{flow['flow_id']}", json={})
    await hass.async_block_till_done()
    assert alerts(hass) == []


async def test_alerts_are_bounded_and_leave_with_the_charger(
    hass: HomeAssistant, hub: OcppHub, charger2: Charger2
) -> None:
    await tell(
        charger2,
        *(
            event(f"Made{n}.Up", "9", eventId=n, severity=0, variableMonitoringId=n)
            for n in range(300)
        ),
    )
    await hass.async_block_till_done()
    assert len(alerts(hass)) == 8
    place = hub.stations[IDENTITY].station.whole
    assert len(place.problems.value) == 32
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_remove_subentry(hub.entry, subentry.subentry_id)
    await hass.async_block_till_done()
    assert alerts(hass) == []


async def test_danger_is_shown_however_many_other_alerts_there_are(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    def alert(number: int, severity: int) -> Payload:
        name = f"Made{number}.Up"
        return event(name, "9", eventId=number, severity=severity)

    def severities() -> list[str]:
        return sorted(
            (one.translation_placeholders or {})["severity"] for one in alerts(hass)
        )

    await tell(charger2, *(alert(n, 2 if n == 3 else 3) for n in range(8)))
    await tell(charger2, alert(8, 3), alert(9, 0), alert(10, 2))
    await hass.async_block_till_done()
    assert severities() == ["0", "2", "2", "3", "3", "3", "3", "3"]
    await tell(charger2, alert(11, -1), alert(12, 10))
    await flush(hass)
    assert severities() == ["0", "2", "2", "3", "3", "3", "3", "3"]
    assert full_state(hass, "event", EVENT).attributes["severity"] is None


# Events


async def test_an_event_that_is_repeated_counts_once(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    told = event(TEMPERATURE, "50", trigger="Delta")
    await tell(charger2, told)
    await flush(hass)
    first = full_state(hass, "event", EVENT).state
    await tell(charger2, told)
    await flush(hass)
    assert full_state(hass, "event", EVENT).state == first
    # The numbers of monitors and of the station's own events collide.
    await tell(charger2, told | {"variableMonitoringId": 3})
    await flush(hass)
    assert full_state(hass, "event", EVENT).attributes["monitor_id"] == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"component": {"name": "EVSE", "evse": {"id": 4711}}},
        {"component": {"name": ""}},
        {"variable": None},
        {"trigger": "Whim", "eventNotificationType": "Rumour"},
        {"eventId": "x", "timestamp": "yesterday", "severity": "high"},
        {"cleared": "perhaps", "techInfo": 5},
    ],
)
async def test_no_event_is_answered_with_an_error(
    hass: HomeAssistant, hub: OcppHub, charger2: Charger2, odd: Payload
) -> None:
    await tell(charger2, event(TEMPERATURE, "50") | odd)
    await charger2.call("NotifyEvent", {"eventData": []})
    await charger2.call("NotifyEvent", {})
    await hass.async_block_till_done()
    assert set(hub.stations[IDENTITY].station.evses) == {1}


async def test_a_secret_is_no_value_of_an_event(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    told = event("SecurityCtrlr.BasicAuthPassword", "s3cret-s3cret", trigger="Delta")
    await tell(charger2, told)
    await flush(hass)
    assert full_state(hass, "event", EVENT).attributes["value"] == ""


async def test_a_charger_of_1_6_has_no_such_event(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert not exists(hass, "event", EVENT)
    for action, fields in (
        ("set_monitoring_level", {"severity": 4}),
        ("get_customer_information", {"id_token": "04A2B3C4"}),
    ):
        with pytest.raises(HomeAssistantError) as refused:
            await act(hass, action, **fields)
        assert refused.value.translation_key == "not_supported"


# Actions


async def test_what_only_2_1_knows_is_not_sent_to_2_0_1(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.0.1")
    charger.received.clear()
    stream = {"variable": TEMPERATURE, "type": "periodic", "value": 1}
    for action, fields in (
        ("get_event_streams", {}),
        ("adjust_event_stream", {"stream": 1, "interval": 5}),
        ("set_variable_monitoring", {"monitors": [stream | {"stream_values": 2}]}),
        (
            "set_variable_monitoring",
            {"monitors": [stream | {"type": "target_delta"}]},
        ),
    ):
        with pytest.raises(HomeAssistantError) as refused:
            await act(hass, action, **fields)
        assert refused.value.translation_key == "not_supported_by_charger"
    assert charger.received == []


@pytest.mark.parametrize(
    ("action", "sent", "fields"),
    [
        ("set_monitoring_base", "SetMonitoringBase", {"base": "all"}),
        ("get_monitoring_report", "GetMonitoringReport", {}),
        ("clear_variable_monitoring", "ClearVariableMonitoring", {"monitor_ids": [1]}),
        (
            "set_variable_monitoring",
            "SetVariableMonitoring",
            {"monitors": [{"variable": TEMPERATURE, "type": "delta", "value": 1}]},
        ),
    ],
)
async def test_a_charger_without_monitoring_is_told_of(
    hass: HomeAssistant,
    charger2: Charger2,
    action: str,
    sent: str,
    fields: dict[str, Any],
) -> None:
    charger2.answers[sent] = Refusal(code="NotImplemented")
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, action, **fields)
    assert refused.value.translation_key == "not_supported_by_charger"


async def test_monitors_that_nobody_takes_are_an_error(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["SetVariableMonitoring"] = results("UnknownVariable")
    wanted = {"variable": TEMPERATURE, "type": "delta", "value": 1}
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "set_variable_monitoring", monitors=[wanted])
    assert refused.value.translation_placeholders is not None
    assert refused.value.translation_placeholders["answer"] == "UnknownVariable"
    nonsense = wanted | {"variable": "no variable"}
    with pytest.raises(HomeAssistantError):
        await act(hass, "set_variable_monitoring", monitors=[nonsense])
    assert len(charger2.calls("SetVariableMonitoring")) == 1


async def test_a_message_that_is_too_long_is_sent_in_halves(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["SetVariableMonitoring"] = Refusal(
        code="OccurenceConstraintViolation"
    )
    wanted = [{"variable": f"A.B{n}", "type": "delta", "value": 1} for n in range(4)]
    with pytest.raises(HomeAssistantError):
        await act(hass, "set_variable_monitoring", monitors=wanted)
    sizes = [
        len(one["setMonitoringData"]) for one in charger2.calls("SetVariableMonitoring")
    ]
    assert sizes[:3] == [4, 2, 1]
    charger2.answers["SetVariableMonitoring"] = results("Accepted")
    result = await act(hass, "set_variable_monitoring", monitors=wanted)
    assert all(one["accepted"] for one in result["monitors"])


async def test_exactly_one_customer_is_asked_about(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    for who in ({}, {"id_token": "04A2B3C4", "customer": "Guest"}):
        for action in ("get_customer_information", "clear_customer_information"):
            with pytest.raises(ServiceValidationError) as refused:
                await act(hass, action, **who)
            assert refused.value.translation_key == "customer_not_clear"
    assert not charger2.calls("CustomerInformation")


async def test_only_administrators_ask_about_customers(
    hass: HomeAssistant, charger2: Charger2, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "get_customer_information",
            {ATTR_DEVICE_ID: device_id(hass, "CP01"), "customer": "Guest"},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


async def test_what_is_told_of_a_customer_has_an_end(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["CustomerInformation"] = customer(charger2, *["x" * 512] * 150)
    answer = await act(hass, "get_customer_information", customer="Guest")
    assert len(answer["data"]) == 65_536
    assert not answer["complete"]
    # What nobody asked for, or any more, is answered all the same.
    late = {"requestId": 1, "generatedAt": now(), "seqNo": 0, "data": "late"}
    assert await charger2.call("NotifyCustomerInformation", late) == {}
    nobody = {"requestId": 4711, "generatedAt": now(), "seqNo": 0}
    assert await charger2.call("NotifyMonitoringReport", nobody) == {}


# Streams, and the frames that only 2.1 has


async def test_streams_are_learnt_again_after_a_restart_of_ours(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    told = {"id": 4, "params": {"values": 2}, "variableMonitoringId": 8}
    charger.answers["GetPeriodicEventStream"] = {"constantStreamData": [told]}
    charger.answers["GetMonitoringReport"] = reported(
        charger, [monitor(8, kind="Periodic")]
    )

    async def stream(number: int, value: str) -> None:
        data = {"id": number, "pending": 0, "basetime": now()}
        data["data"] = [{"t": 0, "v": value}]
        await charger.send_raw(json.dumps([6, "s", "NotifyPeriodicEventStream", data]))
        await charger.call("Heartbeat")

    await stream(4, "30")
    await charger.expect("GetMonitoringReport")
    await hass.async_block_till_done()
    await stream(4, "31")
    await stream(99, "1")
    await stream(99, "2")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_temperature") == "31.0"
    assert len(charger.calls("GetMonitoringReport")) == 1
    # Each stream that nobody knows is asked about once.
    assert len(charger.calls("GetPeriodicEventStream")) == 2
    assert charger.strays == []


async def test_a_stream_that_comes_as_a_call_is_answered(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    for endless in ("1", "-1e300", "x" * 5000):
        value = {"t": 1e300, "v": endless}
        data = {"id": 1, "pending": 0, "basetime": now(), "data": [value]}
        assert await charger.call("NotifyPeriodicEventStream", data) == {}


async def test_a_charger_has_32_streams_at_most(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    answers = []
    for number in range(33):
        stream = {"id": number, "params": {}, "variableMonitoringId": number}
        answer = await charger.call(
            "OpenPeriodicEventStream", {"constantStreamData": stream}
        )
        answers.append(answer["status"])
    assert answers == ["Accepted"] * 32 + ["Rejected"]


async def test_an_answer_that_is_none_gets_a_callresulterror_in_2_1(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    charger.answers["SetMonitoringLevel"] = {"status": []}
    with pytest.raises(HomeAssistantError):
        await act(hass, "set_monitoring_level", severity=4)
    await charger.call("Heartbeat")
    ((kind, _, code),) = charger.strays
    assert (kind, code) == (5, "TypeConstraintViolation")
    # And one from the charger, about an answer of ours, is no reason to hang up.
    frame = [5, "nobody", "FormatViolation", "what?", {}]
    await charger.send_raw(json.dumps(frame))
    assert await charger.call("Heartbeat")


async def test_no_message_is_longer_than_a_charger_says(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(
        variables={
            "MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]": ("500", True),
            "MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]": ("50", True),
        }
    )
    charger.answers["SetVariableMonitoring"] = results("Accepted")
    wanted = [{"variable": f"A.B{n}", "type": "delta", "value": 1} for n in range(20)]
    answer = await act(hass, "set_variable_monitoring", monitors=wanted)
    assert [one["monitor_id"] for one in answer["monitors"]] == list(range(1, 21))
    sent = charger.calls("SetVariableMonitoring")
    assert 1 < len(sent) < 20
    assert max(len(json.dumps(one)) for one in sent) <= 500
