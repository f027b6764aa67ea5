"""Limits of Easee chargers as users set and see them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .easee import EaseeHome, easee_config_entry
from .entities import entity_id, state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.snapshots import SNAPSHOT_DELAY
from simulators.easee_cloud import Behaviour, Charger, Fault, Vehicle
from simulators.easee_cloud.seed import CHARGER

SETTLED = 80
LIMIT = f"{CHARGER}_1_current_limit"


@pytest.fixture
async def charger(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_home: EaseeHome
) -> Charger:
    """Return a charger that charges a car."""
    charger = easee_home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle(maximum_current=32))
    await easee_home.passes(SETTLED)
    assert state(hass, "sensor", f"{CHARGER}_1_status") == "charging"
    return charger


async def during(home: EaseeHome, work: Coroutine[Any, Any, Any]) -> None:
    """Let as much time pass as something takes."""
    task = asyncio.ensure_future(work)
    for _ in range(400):
        if task.done():
            break
        await home.time.pass_time(0.5)
    await home.settle()
    await task


async def use(home: EaseeHome, domain: str, service: str, **data: Any) -> None:
    """Call an action, and let it have its time."""
    await during(
        home, home.hass.services.async_call(domain, service, data, blocking=True)
    )


async def set_limit(home: EaseeHome, amps: float) -> None:
    """Move the slider."""
    target = entity_id(home.hass, "number", LIMIT)
    await use(home, "number", "set_value", **{ATTR_ENTITY_ID: target, "value": amps})


def shown(hass: HomeAssistant) -> tuple[float, float, str]:
    """Return limit, effective limit and who sets it."""
    return (
        float(state(hass, "number", LIMIT)),
        float(state(hass, "sensor", f"{CHARGER}_1_effective_limit")),
        state(hass, "sensor", f"{CHARGER}_1_limited_by"),
    )


async def test_a_limit_is_set_and_seen(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await set_limit(easee_home, 10)
    await easee_home.passes(2)
    assert charger[48] == 10
    assert shown(hass) == (10, 10, "our_limit")


async def test_a_limit_of_the_device_is_that_of_its_only_connector(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_home: EaseeHome, charger: Charger
) -> None:
    device_id = easee_hub.stations[CHARGER].device_id
    data = {ATTR_DEVICE_ID: device_id, "limit": 12}
    await use(easee_home, DOMAIN, "set_charging_limit", **data)
    await easee_home.passes(2)
    assert shown(hass) == (12, 12, "our_limit")
    del data["limit"]
    await easee_home.passes(10)
    await use(easee_home, DOMAIN, "clear_charging_limit", **data)
    assert charger[48] == 32
    assert shown(hass)[0] == 32


async def test_a_refused_limit_goes_back(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    easee_home.cloud.commands.next(Behaviour(reject=4, comment="no"))
    with pytest.raises(HomeAssistantError):
        await set_limit(easee_home, 10)
    assert shown(hass)[0] == 32


async def test_a_cloud_that_wants_to_be_left_alone_is_an_error_that_says_so(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    fault = Fault(pattern="/commands/", status=429, headers={"Retry-After": "120"})
    easee_home.cloud.faults.add(fault)
    with pytest.raises(HomeAssistantError) as caught:
        await set_limit(easee_home, 10)
    assert caught.value.translation_key == "easee_rate_limited"
    assert shown(hass)[0] == 32


@pytest.mark.parametrize("status", [None, 503])
async def test_a_cloud_that_is_down_is_an_error_that_says_so(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, status: int | None
) -> None:
    easee_home.cloud.faults.outage(status)
    with pytest.raises(HomeAssistantError) as caught:
        await set_limit(easee_home, 10)
    assert caught.value.translation_key == "easee_cannot_connect"
    assert shown(hass)[0] == 32


async def test_a_charger_that_does_not_answer_is_an_error_that_says_so(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    easee_home.cloud.commands.next(Behaviour(never=True))
    with pytest.raises(HomeAssistantError) as caught:
        await set_limit(easee_home, 10)
    assert caught.value.translation_key == "timed_out"
    assert shown(hass)[0] == 32


async def test_switching_off_pauses_and_on_goes_on(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await set_limit(easee_home, 10)
    await easee_home.passes(10)
    switch = {ATTR_ENTITY_ID: entity_id(hass, "switch", f"{CHARGER}_1_charge_control")}
    await use(easee_home, "switch", "turn_off", **switch)
    await easee_home.passes(10)
    assert (charger[48], charger.power) == (0, 0)
    assert state(hass, "switch", f"{CHARGER}_1_charge_control") == "off"
    await use(easee_home, "switch", "turn_on", **switch)
    await easee_home.passes(10)
    assert charger[48] == 10
    assert charger.power > 0
    assert state(hass, "switch", f"{CHARGER}_1_charge_control") == "on"


async def test_the_limit_of_a_circuit_is_what_holds(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await set_limit(easee_home, 16)
    charger.circuit.set_dynamic([13.0] * 3)
    await easee_home.passes(5)
    assert shown(hass) == (16, 13, "circuit")


async def test_a_limit_survives_a_restart_of_home_assistant_and_the_next_car(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    charger: Charger,
) -> None:
    await set_limit(easee_home, 10)
    await easee_home.unload()
    charger.unplug()
    charger.plug_in(Vehicle())
    await easee_home.passes(60)
    assert charger[48] == 32
    await hass.config_entries.async_setup(easee_entry.entry_id)
    await easee_home.settle()
    await easee_home.passes(30)
    assert charger[48] == 10
    assert shown(hass)[0] == 10


async def test_phases_that_are_chosen_while_a_car_charges_count_at_once(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    select = entity_id(hass, "select", f"{CHARGER}_phase_mode")
    data = {ATTR_ENTITY_ID: select, "option": "single_phase"}
    assert charger.phases() == 3
    await use(easee_home, "select", "select_option", **data)
    await easee_home.passes(5)
    assert (charger.phases(), charger[48]) == (1, 32)
    assert charger.power > 0
    data["option"] = "automatic"
    await easee_home.passes(10)
    await use(easee_home, "select", "select_option", **data)
    await easee_home.passes(5)
    assert charger.phases() == 3


@pytest.mark.parametrize("limit", [None, 10])
async def test_a_pause_of_the_app_is_seen_and_can_be_ended(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, limit: int | None
) -> None:
    if limit is not None:
        await set_limit(easee_home, limit)
    await easee_home.passes(70)
    easee_home.cloud.rogue(CHARGER, dynamicChargerCurrent=0.0)
    await easee_home.passes(100)
    assert charger[48] == 0
    switch = entity_id(hass, "switch", f"{CHARGER}_1_charge_control")
    assert state(hass, "switch", f"{CHARGER}_1_charge_control") == "off"
    await use(easee_home, "switch", "turn_on", **{ATTR_ENTITY_ID: switch})
    await easee_home.passes(10)
    assert charger[48] == (limit or 32)
    assert state(hass, "switch", f"{CHARGER}_1_charge_control") == "on"


async def test_another_system_that_raises_the_limit_is_seen(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await set_limit(easee_home, 10)
    for _ in range(5):
        easee_home.cloud.rogue(CHARGER, dynamicChargerCurrent=25.0)
        await easee_home.passes(20)
    await easee_home.passes(70)
    assert shown(hass)[1:] == (25, "external")
    found = [
        one
        for one in hass.states.async_all("binary_sensor")
        if one.entity_id.endswith("limit_not_followed")
    ]
    assert [one.state for one in found] == ["on"]


async def test_without_home_assistant_a_fall_back_takes_over(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    options = {"chargers": {CHARGER: {"fallback_current": 8}}}
    assert await easee_home.set_up(easee_config_entry(options=options)) is not None
    charger = easee_home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle(maximum_current=32))
    await easee_home.passes(SETTLED)
    await set_limit(easee_home, 20)
    await easee_home.passes(900)
    assert charger[48] == 20
    await easee_home.unload()
    await easee_home.time.pass_time(660)
    assert charger[48] == 6


async def test_without_a_fall_back_no_limit_ends_by_itself_any_more(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    entry = easee_config_entry(options={"chargers": {CHARGER: {"fallback_current": 8}}})
    assert await easee_home.set_up(entry) is not None
    charger = easee_home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle(maximum_current=32))
    await easee_home.passes(900)
    hass.config_entries.async_update_entry(entry, options={"chargers": {CHARGER: {}}})
    assert await easee_home.restart(entry) is not None
    await easee_home.passes(1800)
    assert charger[48] == 32


async def test_a_fall_back_that_the_cloud_exceeds_is_a_repair(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    options = {"chargers": {CHARGER: {"fallback_current": 8}}}
    hub = await easee_home.set_up(easee_config_entry(options=options))
    assert hub is not None
    charger = easee_home.cloud.chargers[CHARGER]
    charger.circuit.offline = [16.0] * 3
    charger.plug_in(Vehicle(maximum_current=32))
    await easee_home.passes(SETTLED)
    await set_limit(easee_home, 20)
    async_fire_time_changed(hass, dt_util.utcnow() + 2 * SNAPSHOT_DELAY)
    await easee_home.settle()
    found = [
        one
        for one in ir.async_get(hass).issues.values()
        if one.translation_key == "fallback_exceeded"
    ]
    (issue,) = found
    placeholders = issue.translation_placeholders or {}
    assert (placeholders["wanted"], placeholders["follows"]) == ("8", "16")
