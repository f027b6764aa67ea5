"""Test what is shown of limits: frames in, states and repair issues out."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.number.const import (
    ATTR_VALUE,
    DOMAIN as NUMBER_DOMAIN,
    SERVICE_SET_VALUE,
)
from homeassistant.components.select.const import DOMAIN as SELECT_DOMAIN
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_OPTION,
    SERVICE_SELECT_OPTION,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .charger import Charger, Payload, sampled
from .conftest import IDENTITY, ChargerFactory, set_up
from .entities import entity_id, exists, flush, full_state, state
from .passing import leap
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.issues import LIMITS, finding_issue_id
from custom_components.ev_charger_hub.snapshots import SNAPSHOT_DELAY
from custom_components.ev_charger_hub.station.model import ChargingStation

EFFECTIVE = "CP01_1_effective_limit"
LIMITED_BY = "CP01_1_limited_by"
NOT_FOLLOWED = "CP01_1_limit_not_followed"
SETTLING = 60

type Passing = Callable[[float], Awaitable[None]]


@pytest.fixture
def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Passing:
    """Return what lets time pass, and everything happen that is due then."""

    async def passed(seconds: float) -> None:
        await leap(hass, freezer, seconds)

    return passed


def in_force(limit: float) -> Payload:
    """Return the answer of a charger that says what is in force."""
    return {
        "status": "Accepted",
        "connectorId": 1,
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }


async def limit_to(hass: HomeAssistant, value: float, key: str = "1") -> None:
    """Move the slider."""
    number = entity_id(hass, "number", f"CP01_{key}_current_limit")
    await hass.services.async_call(
        NUMBER_DOMAIN,
        SERVICE_SET_VALUE,
        {ATTR_ENTITY_ID: number, ATTR_VALUE: value},
        blocking=True,
    )
    await hass.async_block_till_done()


def shown(hass: HomeAssistant, evse: int = 1) -> tuple[float, str]:
    """Return the effective limit and who sets it."""
    return (
        float(state(hass, "sensor", f"CP01_{evse}_effective_limit")),
        state(hass, "sensor", f"CP01_{evse}_limited_by"),
    )


async def measure(charger: Charger, transaction_id: int, **currents: float) -> None:
    """Send what flows, and what is offered, in A."""
    names = {"flows": "Current.Import", "offered": "Current.Offered"}
    await charger.meter(
        1,
        [sampled(value, names[key], "A") for key, value in currents.items()],
        transaction_id,
    )


@pytest.fixture
async def session(hass: HomeAssistant, approved_charger: Charger) -> int:
    """Return the session of a vehicle that charges."""
    transaction_id = await approved_charger.start()
    await approved_charger.status(1, "Charging")
    await hass.async_block_till_done()
    return transaction_id


async def test_without_a_limit_the_maximum_is_effective(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert shown(hass) == (32, "charger_maximum")
    attributes = full_state(hass, "sensor", EFFECTIVE).attributes
    assert attributes["device_class"] == "current"
    assert attributes["unit_of_measurement"] == "A"
    assert attributes["state_class"] == "measurement"
    assert full_state(hass, "sensor", LIMITED_BY).attributes["options"] == [
        "our_limit",
        "fallback",
        "other_profile",
        "charger_maximum",
        "cable",
        "vehicle",
        "external",
        "energy_management",
        "grid_operator",
        "charging_operator",
        "circuit",
        "derating",
        "equalizer",
        "load_balancing",
        "offline",
        "schedule",
    ]
    assert not exists(hass, "binary_sensor", NOT_FOLLOWED)
    assert not exists(hass, "sensor", "CP01_0_effective_limit")


async def test_the_number_and_what_is_effective_change_together(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["GetCompositeSchedule"] = in_force(10)
    await limit_to(hass, 10)
    assert float(state(hass, "number", "CP01_1_current_limit")) == 10
    assert shown(hass) == (10, "our_limit")


@pytest.mark.usefixtures("unpaced")
async def test_a_wish_that_a_newer_one_overtook_is_no_error(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await asyncio.gather(*(limit_to(hass, value) for value in (14, 12, 10)))
    sent = [
        one["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
        for one in approved_charger.calls("SetChargingProfile")
    ]
    assert sent[-1] == [{"startPeriod": 0, "limit": 10}]
    assert [{"startPeriod": 0, "limit": 12}] not in sent
    assert float(state(hass, "number", "CP01_1_current_limit")) == 10


async def test_what_wins_is_named(
    hass: HomeAssistant,
    pass_time: Passing,
    approved_charger: Charger,
    session: int,
) -> None:
    approved_charger.answers["GetCompositeSchedule"] = in_force(16)
    await limit_to(hass, 16)
    await pass_time(SETTLING)
    await pass_time(SETTLING)
    for currents, expected in (
        ({"offered": 16, "flows": 15.9}, (16, "our_limit")),
        ({"offered": 16, "flows": 8}, (16, "vehicle")),
        ({"offered": 9, "flows": 8.8}, (9, "external")),
    ):
        await measure(approved_charger, session, **currents)
        await pass_time(2)
        await flush(hass)
        assert shown(hass) == expected
    assert state(hass, "binary_sensor", NOT_FOLLOWED) == STATE_OFF

    await approved_charger.status(1, "SuspendedEV")
    await hass.async_block_till_done()
    assert shown(hass) == (16, "vehicle")
    await approved_charger.status(1, "SuspendedEVSE")
    await hass.async_block_till_done()
    assert shown(hass) == (0, "external")


async def test_a_lower_profile_of_somebody_else_is_shown_and_stays(
    hass: HomeAssistant, approved_charger: Charger, session: int
) -> None:
    approved_charger.answers["GetCompositeSchedule"] = in_force(8)
    await limit_to(hass, 16)
    assert shown(hass) == (8, "other_profile")
    for cleared in approved_charger.calls("ClearChargingProfile"):
        assert cleared["id"] in {1000, 2001, 3001}


async def test_a_limit_that_is_not_followed_is_told(
    hass: HomeAssistant,
    pass_time: Passing,
    approved_charger: Charger,
    session: int,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Test the sensor, every way that is tried, and the issue that names them."""
    approved_charger.answers["GetCompositeSchedule"] = {"status": "Rejected"}
    issue_id = finding_issue_id("limit_ignored", IDENTITY)
    await limit_to(hass, 10)
    for _ in range(12):
        await pass_time(30)
        await measure(approved_charger, session, flows=16)
        await pass_time(2)
    assert state(hass, "binary_sensor", NOT_FOLLOWED) == STATE_ON
    found = full_state(hass, "binary_sensor", NOT_FOLLOWED)
    assert found.attributes["device_class"] == "problem"
    tried = [
        one["csChargingProfiles"]["chargingProfilePurpose"]
        for one in approved_charger.calls("SetChargingProfile")
    ]
    assert set(tried) == {
        "TxProfile",
        "TxDefaultProfile",
        "ChargePointMaxProfile",
    }
    await pass_time(SNAPSHOT_DELAY.total_seconds())
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    placeholders = issue.translation_placeholders
    assert placeholders is not None
    assert "TxProfile ignored" in placeholders["tried"]
    assert "TxDefaultProfile ignored" in placeholders["tried"]

    # It is followed after all.
    await measure(approved_charger, session, flows=9.9)
    await pass_time(2)
    await pass_time(SNAPSHOT_DELAY.total_seconds())
    assert state(hass, "binary_sensor", NOT_FOLLOWED) == STATE_OFF
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None


async def test_the_fall_back_holds_until_a_session_begins(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    station = hub.stations[IDENTITY].station
    station.settings = replace(station.settings, fallback_current=8)
    await limit_to(hass, 16)
    sent = approved_charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    assert sent["chargingProfilePurpose"] == "TxDefaultProfile"
    assert sent["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 8
    assert float(state(hass, "number", "CP01_1_current_limit")) == 16
    assert shown(hass) == (8, "fallback")

    approved_charger.answers["GetCompositeSchedule"] = in_force(16)
    await approved_charger.start()
    await approved_charger.expect("GetCompositeSchedule")
    await hass.async_block_till_done(wait_background_tasks=True)
    sent = approved_charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    assert sent["chargingProfilePurpose"] == "TxProfile"
    assert "duration" in sent["chargingSchedule"]
    assert shown(hass) == (16, "our_limit")


async def test_a_charger_that_is_away_shows_no_limits(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    hub.restoring = False
    await approved_charger.close()
    await hass.async_block_till_done()
    assert state(hass, "sensor", EFFECTIVE) == STATE_UNAVAILABLE
    assert state(hass, "sensor", LIMITED_BY) == STATE_UNAVAILABLE


async def test_the_whole_of_several_connectors_has_limits_of_its_own(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    assert shown(hass, 0) == (32, "charger_maximum")
    approved_charger.answers["GetCompositeSchedule"] = in_force(20)
    await limit_to(hass, 20, "0")
    for evse in (0, 1, 2):
        assert shown(hass, evse) == (20, "our_limit")


@pytest.fixture
async def switching_charger(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> Charger:
    """Return a charger that can switch between one and three phases."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    charger.configuration["ConnectorSwitch3to1PhaseSupported"] = "true"
    await charger.boot()
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    return charger


async def test_phases_are_chosen_where_the_charger_can_switch(
    hass: HomeAssistant, switching_charger: Charger
) -> None:
    select = entity_id(hass, "select", "CP01_1_phases")
    found = full_state(hass, "select", "CP01_1_phases")
    assert found.state == "3"
    assert found.attributes["options"] == ["1", "3"]
    await hass.services.async_call(
        SELECT_DOMAIN,
        SERVICE_SELECT_OPTION,
        {ATTR_ENTITY_ID: select, ATTR_OPTION: "1"},
        blocking=True,
    )
    await hass.async_block_till_done()
    assert state(hass, "select", "CP01_1_phases") == "1"
    sent = switching_charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    (period,) = sent["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["numberPhases"] == 1


async def test_phases_are_absent_where_the_charger_cannot_switch(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert not exists(hass, "select", "CP01_1_phases")


@pytest.mark.parametrize(
    ("findings", "key", "placeholders"),
    [
        (
            {"fallback": "impossible: EVSE 1 is limited by TxDefaultProfile"},
            "fallback_impossible",
            {},
        ),
        (
            {"conflict": "EVSE 1: 16 A wanted, in force: 8 A"},
            "profile_conflict",
            {"detail": "EVSE 1: 16 A wanted, in force: 8 A"},
        ),
        (
            {"writes": "exceeded: 25 writes in 24 hours; again at 2999-01-01T00:00Z"},
            "writes_exceeded",
            {},
        ),
        ({"writes": "exceeded"}, "writes_exceeded", {}),
    ],
)
async def test_what_is_wrong_with_limits_is_a_repair_issue(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    issue_registry: ir.IssueRegistry,
    findings: dict[str, str],
    key: str,
    placeholders: dict[str, str],
) -> None:
    station = hub.stations[IDENTITY].station
    station.findings |= findings
    await _look_again(hass, station)
    assert _issues(issue_registry) == {key: {"name": "Garage", **placeholders}}
    for finding in findings:
        del station.findings[finding]
    await _look_again(hass, station)
    assert _issues(issue_registry) == {}


@pytest.mark.parametrize(
    "findings",
    [
        {"writes": "exceeded: 25 writes in 24 hours; again at 2020-01-01T00:00Z"},
        {"fallback": "ok"},
        # The limit is followed by now.
        {"ignored": "TxProfile ignored"},
    ],
)
async def test_what_is_over_is_no_issue(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    issue_registry: ir.IssueRegistry,
    findings: dict[str, str],
) -> None:
    station = hub.stations[IDENTITY].station
    station.findings |= findings
    await _look_again(hass, station)
    assert _issues(issue_registry) == {}


async def _look_again(hass: HomeAssistant, station: ChargingStation) -> None:
    """Let the findings be looked at."""
    station.heartbeat.notify()
    await flush(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + SNAPSHOT_DELAY)
    await hass.async_block_till_done()


def _issues(registry: ir.IssueRegistry) -> dict[str, Any]:
    """Return the issues that are about limits, and what their texts name."""
    found = {
        key: registry.async_get_issue(DOMAIN, finding_issue_id(key, IDENTITY))
        for key in LIMITS
    }
    return {
        key: issue.translation_placeholders
        for key, issue in found.items()
        if issue is not None
    }


async def test_diagnostics_tell_what_was_learnt_and_what_is_in_force(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    session: int,
    hass_client: ClientSessionGenerator,
) -> None:
    approved_charger.answers["GetCompositeSchedule"] = in_force(10)
    await limit_to(hass, 10)
    found: Any = await get_diagnostics_for_config_entry(
        hass, hass_client, init_integration
    )
    (charger,) = found["chargers"]
    limits = charger["limits"]
    assert limits["learnt"]["purposes"] == {"TxProfile": "accepted"}
    applied = limits["applied"]["1"]
    assert applied["limit"] == "10 A"
    assert applied["purpose"] == "TxProfile"
    assert applied["profile_id"] == 3001
    assert [one["limit"] for one in limits["in_force"]["1"]["periods"]] == [10]
    place = charger["places"]["1"]
    assert place["effective_limit"] == "10 A"
    assert place["limited_by"] == "our_limit"
