"""Entities of Easee chargers: what the user sees, and what becomes of what they change."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from .easee import EaseeHome
from .easee_acts import while_time_passes
from .entities import entity_id, exists, full_state, state
from custom_components.ev_charger_hub.easee.enums import (
    GridType,
    LedMode,
    NoCurrentReason,
    NodeType,
    Numbered,
    OpMode,
    OutputPhase,
    Pilot,
    Rat,
    RebootReason,
)
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Behaviour, Charger, EaseeCloud, Fault, Vehicle
from simulators.easee_cloud.seed import CHARGER, SECOND

CHARGE_MAX = 3

ROOT = Path(__file__).parents[2]

ENABLED = {
    ("binary_sensor", "1_charging"),
    ("binary_sensor", "1_vehicle_connected"),
    ("button", "override_schedule"),
    ("event", "1_session"),
    ("event", "token"),
    ("number", "1_current_limit"),
    ("sensor", "1_current_import"),
    ("sensor", "1_current_offered"),
    ("sensor", "1_effective_limit"),
    ("sensor", "1_energy_active_import_register"),
    ("sensor", "1_limited_by"),
    ("sensor", "1_power_active_import"),
    ("sensor", "1_session_duration"),
    ("sensor", "1_session_energy"),
    ("sensor", "1_session_start"),
    ("sensor", "1_status"),
    ("sensor", "1_stop_reason"),
    ("sensor", "1_voltage"),
    ("sensor", "detailed_status"),
    ("sensor", "no_current_reason"),
    ("sensor", "output_phase"),
    ("switch", "1_charge_control"),
    ("switch", "enabled"),
}
"""What a new user sees at once, beside settings and diagnostics."""

ENABLED_SETTINGS = {
    ("button", "reset"),
    ("light", "led_strip"),
    ("number", "maximum_current"),
    ("select", "phase_mode"),
    ("switch", "authorization_required"),
    ("switch", "cable_lock"),
    ("switch", "idle_current"),
    ("switch", "smart_charging"),
    ("switch", "touch_button"),
    ("update", "firmware"),
}

OF_OCPP = {
    ("button", "fetch_diagnostics"),
    ("button", "soft_reset"),
    ("button", "1_unlock"),
    ("event", "security"),
    ("select", "1_phases"),
    ("sensor", "latency"),
    ("sensor", "protocol_version"),
    ("sensor", "reconnects"),
    ("switch", "free_charging"),
    ("switch", "in_service"),
}
"""What makes no sense for a charger that does not dial in."""

NAMED: list[tuple[str, int, type[Numbered]]] = [
    ("circuit_role", 146, NodeType),
    ("connection", 141, Rat),
    ("detailed_status", 109, OpMode),
    ("grid_type", 21, GridType),
    ("led_mode", 46, LedMode),
    ("no_current_reason", 96, NoCurrentReason),
    ("output_phase", 110, OutputPhase),
]

SWITCHES = [
    ("authorization_required", 42),
    ("cable_lock", 30),
    ("enabled", 31),
    ("idle_current", 37),
    ("known_tokens_at_once", 15),
    ("local_authorization", 41),
    ("offline_known_tokens", 16),
    ("offline_unknown_tokens", 17),
    ("remote_start_required", 43),
    ("smart_charging", 102),
    ("touch_button", 44),
]

OF_THE_CLOUD = [
    ("binary_sensor", "cable_locked"),
    ("light", "led_strip"),
    ("number", "maximum_current"),
    ("select", "phase_mode"),
    ("sensor", "no_current_reason"),
    ("switch", "enabled"),
    ("update", "firmware"),
]
"""One of each kind."""

CIRCUIT = [("circuit_maximum", 22), ("circuit_dynamic", 111), ("circuit_offline", 50)]

EASEE_HASS = {
    ("basic_schedule", "charger", "switch"),
    ("cable_locked", "charger", "binary_sensor"),
    ("cable_locked_permanently", "charger", "switch"),
    ("circuit_current", "charger", "sensor"),
    ("cost_day", "charger", "sensor"),
    ("cost_month", "charger", "sensor"),
    ("cost_per_kwh", "charger", "sensor"),
    ("cost_year", "charger", "sensor"),
    ("current", "charger", "sensor"),
    ("dynamic_charger_limit", "charger", "sensor"),
    ("dynamic_circuit_limit", "charger", "sensor"),
    ("enable_idle_current", "charger", "switch"),
    ("enable_smart_button", "charger", "switch"),
    ("energy_last_hour", "charger", "sensor"),
    ("equalizer_limit", "charger", "sensor"),
    ("is_enabled", "charger", "switch"),
    ("led_strip", "charger", "light"),
    ("lifetime_energy", "charger", "sensor"),
    ("max_charger_limit", "charger", "sensor"),
    ("max_circuit_limit", "charger", "sensor"),
    ("offline_circuit_limit", "charger", "sensor"),
    ("online", "charger", "binary_sensor"),
    ("operator", "charger", "sensor"),
    ("output_limit", "charger", "sensor"),
    ("override_schedule", "charger", "button"),
    ("phase_mode", "charger", "sensor"),
    ("pilot_mode", "charger", "sensor"),
    ("power", "charger", "sensor"),
    ("reason_for_no_current", "charger", "sensor"),
    ("session_energy", "charger", "sensor"),
    ("smart_charging", "charger", "switch"),
    ("status", "charger", "sensor"),
    ("temp_max", "charger", "sensor"),
    ("update_available", "charger", "binary_sensor"),
    ("voltage", "charger", "sensor"),
    ("weekly_schedule", "charger", "switch"),
    ("current", "equalizer", "sensor"),
    ("export_energy", "equalizer", "sensor"),
    ("export_power", "equalizer", "sensor"),
    ("export_reactive_energy", "equalizer", "sensor"),
    ("export_reactive_power", "equalizer", "sensor"),
    ("import_energy", "equalizer", "sensor"),
    ("import_power", "equalizer", "sensor"),
    ("import_reactive_energy", "equalizer", "sensor"),
    ("import_reactive_power", "equalizer", "sensor"),
    ("online", "equalizer", "binary_sensor"),
    ("surplus_charging", "equalizer", "switch"),
    ("temp_max", "equalizer", "sensor"),
    ("voltage", "equalizer", "sensor"),
}
"""Key, device and platform of what easee_hass 0.9.74 has."""

all_entities = pytest.mark.usefixtures("entity_registry_enabled_by_default")
"""Also those that a user has to enable."""


@pytest.fixture
def charger(easee_hub: EaseeHub, easee_cloud: EaseeCloud) -> Charger:
    """Return the primary charger of the circuit; its entities are there."""
    return easee_cloud.chargers[CHARGER]


async def during(home: EaseeHome, work: Coroutine[Any, Any, Any]) -> None:
    """Let as much time pass as something takes."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await home.time.pass_time(0.25)
    await home.settle()
    await task


async def use(
    home: EaseeHome, platform: str, service: str, key: str, **data: Any
) -> None:
    """Use an entity, while as much time passes as that takes."""
    entity = entity_id(home.hass, platform, f"{CHARGER}_{key}")
    await during(
        home,
        home.hass.services.async_call(
            platform, service, {ATTR_ENTITY_ID: entity, **data}, blocking=True
        ),
    )


async def switch(home: EaseeHome, key: str, *, on: bool) -> None:
    """Switch something on or off."""
    await use(home, "switch", "turn_on" if on else "turn_off", key)


async def set_number(home: EaseeHome, key: str, value: float) -> None:
    """Set a number."""
    await use(home, "number", "set_value", key, value=value)


async def select(home: EaseeHome, key: str, option: str) -> None:
    """Choose an option."""
    await use(home, "select", "select_option", key, option=option)


def shown(hass: HomeAssistant, platform: str, key: str) -> str:
    """Return the state of an entity of the charger."""
    return state(hass, platform, f"{CHARGER}_{key}")


def attributes(hass: HomeAssistant, platform: str, key: str) -> dict[str, Any]:
    """Return the attributes of an entity of the charger."""
    return dict(full_state(hass, platform, f"{CHARGER}_{key}").attributes)


# What there is


async def test_what_is_enabled(
    hass: HomeAssistant, charger: Charger, easee_entry: MockConfigEntry
) -> None:
    entries = er.async_entries_for_config_entry(
        er.async_get(hass), easee_entry.entry_id
    )
    by_category: dict[str | None, set[tuple[str, str]]] = {}
    for one in entries:
        if one.unique_id.startswith(f"{CHARGER}_") and one.disabled_by is None:
            key = one.unique_id.removeprefix(f"{CHARGER}_")
            by_category.setdefault(one.entity_category, set()).add((one.domain, key))
    assert by_category[None] == ENABLED
    assert by_category["config"] == ENABLED_SETTINGS
    assert len(by_category["diagnostic"]) < 15


@all_entities
async def test_what_only_makes_sense_over_ocpp_is_not_there(
    hass: HomeAssistant, charger: Charger, easee_entry: MockConfigEntry
) -> None:
    for platform, key in OF_OCPP:
        assert not exists(hass, platform, f"{CHARGER}_{key}"), key
    connectivity = [
        one.entity_id
        for one in er.async_entries_for_config_entry(
            er.async_get(hass), easee_entry.entry_id
        )
        if one.unique_id.startswith(f"{CHARGER}_")
        and one.original_device_class == "connectivity"
    ]
    assert len(connectivity) == 1


@all_entities
async def test_circuits_belong_to_their_primary_charger(
    hass: HomeAssistant, charger: Charger
) -> None:
    for key, _ in CIRCUIT:
        for phase in (1, 2, 3):
            assert exists(hass, "number", f"{CHARGER}_{key}_l{phase}")
            assert not exists(hass, "number", f"{SECOND}_{key}_l{phase}")
    assert exists(hass, "sensor", f"{CHARGER}_circuit_current_l1")
    assert not exists(hass, "sensor", f"{SECOND}_circuit_current_l1")


# What a charger reports


@all_entities
@pytest.mark.parametrize(("key", "number", "names"), NAMED)
async def test_a_number_that_has_a_name_is_shown_by_it(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    charger: Charger,
    key: str,
    number: int,
    names: type[Numbered],
) -> None:
    for name in names:
        if name in {OpMode.OFFLINE, OpMode.LINK_LOST}:
            continue
        for reported in name.numbers:
            charger.observe(number, reported)
            await easee_home.settle()
            assert shown(hass, "sensor", key) == name
            assert attributes(hass, "sensor", key)["raw"] == reported
    assert attributes(hass, "sensor", key)["options"] == list(names)


@all_entities
@pytest.mark.parametrize(("key", "number", "names"), NAMED)
async def test_a_number_without_a_name_is_unknown_and_kept(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    charger: Charger,
    key: str,
    number: int,
    names: type[Numbered],
) -> None:
    charger.observe(number, 9999)
    await easee_home.settle()
    assert shown(hass, "sensor", key) == STATE_UNKNOWN
    assert attributes(hass, "sensor", key)["raw"] == 9999


@all_entities
async def test_the_pilot_is_a_letter(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    for letter, name in zip("ABCDEF", Pilot, strict=True):
        charger.observe(100, letter)
        await easee_home.settle()
        assert shown(hass, "sensor", "pilot") == name
    charger.observe(100, "G")
    await easee_home.settle()
    assert shown(hass, "sensor", "pilot") == STATE_UNKNOWN
    assert attributes(hass, "sensor", "pilot")["raw"] == "G"


@all_entities
async def test_the_most_telling_reason_of_a_reboot_is_shown(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.observe(89, 1 << 4 | 1 << 20)
    await easee_home.settle()
    assert shown(hass, "sensor", "reboot_reason") == RebootReason.COMMANDED
    assert attributes(hass, "sensor", "reboot_reason")["reasons"] == [
        "commanded",
        "software",
    ]
    charger.observe(89, 1 << 30)
    await easee_home.settle()
    assert shown(hass, "sensor", "reboot_reason") == STATE_UNKNOWN


@all_entities
@pytest.mark.parametrize(
    ("key", "number", "reported", "expected", "unit"),
    [
        ("cable_rating", 104, 20.0, "20.0", "A"),
        ("cable_rating", 104, 0.0, STATE_UNKNOWN, "A"),
        ("cellular_signal", 130, -91, "-91", "dBm"),
        ("circuit_allocated_l2", 71, 12.5, "12.5", "A"),
        ("circuit_current_l3", 75, 9.0, "9.0", "A"),
        ("current_t2", 182, 0.5, "0.5", "A"),
        ("derated_current", 115, 16.0, "16.0", "A"),
        ("energy_last_hour", 122, 3.5, "3.5", "kWh"),
        ("equalizer_available_l1", 230, 11.0, "11.0", "A"),
        ("hours_in_operation", 126, 4322, "4322", "h"),
        ("offline_reason", 11, 3, "3", None),
        ("radio_signal", 136, -70, "-70", "dBm"),
        ("relay_switches", 125, 322, "322", None),
        ("temperature_ambient", 170, 31.0, "31.0", "°C"),
        ("temperature_maximum", 150, 48.0, "48.0", "°C"),
        ("voltage_t2_t3", 194, 229.0, "229.0", "V"),
        ("wifi_network", 36, "Cellar", "Cellar", None),
        ("wifi_signal", 132, -50, "-50", "dBm"),
    ],
)
async def test_a_value_is_shown_with_its_unit(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    charger: Charger,
    key: str,
    number: int,
    reported: Any,
    expected: str,
    unit: str | None,
) -> None:
    charger.pretend(number, reported)
    await easee_home.settle()
    assert shown(hass, "sensor", key) == expected
    assert attributes(hass, "sensor", key).get("unit_of_measurement") == unit


@all_entities
async def test_yes_and_no(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    # A lock that is on is open.
    assert shown(hass, "binary_sensor", "cable_locked") == STATE_ON
    charger.observe_all({68: True, 103: True, 116: True})
    await easee_home.settle()
    assert shown(hass, "binary_sensor", "cable_locked") == STATE_OFF
    assert shown(hass, "binary_sensor", "derating") == STATE_ON
    assert shown(hass, "binary_sensor", "wifi_access_point") == STATE_ON


async def test_without_its_charger_an_entity_is_unavailable(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.go_offline()
    await easee_home.settle()
    for platform, key in OF_THE_CLOUD:
        assert shown(hass, platform, key) == STATE_UNAVAILABLE
    charger.go_online()
    await easee_home.settle()
    assert shown(hass, "switch", "enabled") == STATE_ON


@pytest.mark.conformance("EASEE_A1")
async def test_what_was_known_before_a_restart_is_not_shown_as_present(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
    easee_entry: MockConfigEntry,
) -> None:
    easee_cloud.outage()
    await during(easee_home, hass.config_entries.async_reload(easee_entry.entry_id))
    for platform, key in OF_THE_CLOUD:
        assert shown(hass, platform, key) == STATE_UNAVAILABLE, key
    easee_cloud.recover()
    await easee_home.passes(400)
    for platform, key in OF_THE_CLOUD:
        assert shown(hass, platform, key) not in {STATE_UNAVAILABLE, STATE_UNKNOWN}


# Switches


@all_entities
@pytest.mark.parametrize(("key", "number"), SWITCHES)
async def test_a_switch_is_what_the_charger_says(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, key: str, number: int
) -> None:
    for on in (not charger[number], charger[number]):
        await switch(easee_home, key, on=bool(on))
        assert charger[number] is on
        assert shown(hass, "switch", key) == (STATE_ON if on else STATE_OFF)
    charger.observe(number, not on)
    await easee_home.settle()
    assert shown(hass, "switch", key) == (STATE_OFF if on else STATE_ON)


@pytest.mark.conformance("EASEE_A4")
async def test_a_switch_that_is_refused_stays(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    easee_cloud.commands.next(Behaviour(reject=4, comment="not while charging"))
    with pytest.raises(HomeAssistantError, match="not while charging") as raised:
        await switch(easee_home, "smart_charging", on=True)
    assert raised.value.translation_key == "rejected"
    assert shown(hass, "switch", "smart_charging") == STATE_OFF
    assert charger[102] is False


async def test_a_switch_moves_only_when_the_charger_has_done_it(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    easee_cloud.commands.next(Behaviour(delay=10))
    call = hass.async_create_task(switch(easee_home, "cable_lock", on=True))
    await easee_home.time.pass_time(5)
    assert not call.done()
    assert shown(hass, "switch", "cable_lock") == STATE_OFF
    await call
    assert shown(hass, "switch", "cable_lock") == STATE_ON


async def test_if_nobody_tells_what_became_of_it_the_charger_is_asked(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    easee_cloud.commands.next(Behaviour(never=True))
    with pytest.raises(HomeAssistantError) as raised:
        await switch(easee_home, "touch_button", on=False)
    assert raised.value.translation_key == "timed_out"
    assert shown(hass, "switch", "touch_button") == STATE_ON
    # It was done after all, and neither the outcome nor the new value came.
    easee_cloud.commands.next(Behaviour(never=True))
    charger.listeners.clear()
    charger.observe(44, False)
    await switch(easee_home, "touch_button", on=False)
    assert shown(hass, "switch", "touch_button") == STATE_OFF


async def test_loading_the_entry_again_meanwhile_is_an_error_that_users_read(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    easee_hub: EaseeHub,
    charger: Charger,
) -> None:
    easee_cloud.commands.next(Behaviour(never=True))
    call = asyncio.ensure_future(switch(easee_home, "cable_lock", on=True))
    await easee_home.time.pass_time(2)
    reload = hass.config_entries.async_reload(easee_hub.entry.entry_id)
    assert await while_time_passes(easee_home, reload)
    with pytest.raises(HomeAssistantError) as raised:
        await call
    assert raised.value.translation_key == "timed_out"


async def test_a_change_that_nobody_tells_is_read(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.listeners.clear()
    await switch(easee_home, "cable_lock", on=True)
    assert shown(hass, "switch", "cable_lock") == STATE_ON


async def test_a_switch_works_while_there_is_no_stream(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    easee_cloud.faults.add(Fault(pattern="/negotiate", status=503, times=None))
    easee_cloud.hub.drop()
    await easee_home.settle()
    await switch(easee_home, "smart_charging", on=True)
    assert charger[102] is True
    assert shown(hass, "switch", "smart_charging") == STATE_ON


async def test_an_outage_is_an_error_that_users_read(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    easee_cloud.faults.add(Fault(pattern="/settings", status=429, body={}))
    with pytest.raises(HomeAssistantError) as raised:
        await switch(easee_home, "smart_charging", on=True)
    assert raised.value.translation_key == "easee_rate_limited"
    assert shown(hass, "switch", "smart_charging") == STATE_OFF


# Numbers


async def test_the_maximum_current_is_set_and_read_back(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await set_number(easee_home, "maximum_current", 16)
    assert charger[47] == 16
    assert shown(hass, "number", "maximum_current") == "16.0"
    told = attributes(hass, "number", "maximum_current")
    assert (told["min"], told["max"], told["step"]) == (6, 32, 1)


@pytest.mark.conformance("EASEE_A4")
async def test_a_number_that_is_refused_goes_back(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    easee_cloud.commands.next(Behaviour(reject=7, comment="too high"))
    with pytest.raises(HomeAssistantError, match=r"too high \(result code 7\)"):
        await set_number(easee_home, "maximum_current", 20)
    assert shown(hass, "number", "maximum_current") == "32.0"


async def test_memory_that_wears_is_not_written_again_at_once(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await set_number(easee_home, "maximum_current", 16)
    with pytest.raises(HomeAssistantError) as raised:
        await set_number(easee_home, "maximum_current", 20)
    assert raised.value.translation_key == "easee_writes_spent"
    assert raised.value.translation_placeholders is not None
    assert raised.value.translation_placeholders["until"]
    assert shown(hass, "number", "maximum_current") == "16.0"
    await easee_home.passes(61)
    await set_number(easee_home, "maximum_current", 20)
    assert charger[47] == 20


@all_entities
async def test_the_dynamic_limit_is_what_the_charger_says(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.plug_in(Vehicle())
    await easee_home.passes(10)
    await set_number(easee_home, "dynamic_current", 10)
    await easee_home.passes(10)
    assert charger[48] == 10
    assert shown(hass, "number", "dynamic_current") == "10.0"
    # It is the same wish, by whichever entity it is told.
    assert shown(hass, "number", "1_current_limit") == "10.0"


@all_entities
async def test_the_dynamic_limit_ends_at_the_maximum_of_the_charger(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.observe(47, 16.0)
    charger.observe(48, 10.0)
    await easee_home.settle()
    told = attributes(hass, "number", "dynamic_current")
    assert (told["min"], told["max"]) == (0, 16)


@all_entities
@pytest.mark.parametrize(("key", "number"), CIRCUIT)
async def test_limits_of_a_circuit_are_set_by_phase(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, key: str, number: int
) -> None:
    before = [charger[number + phase] for phase in range(3)]
    await set_number(easee_home, f"{key}_l2", 13)
    assert [charger[number + phase] for phase in range(3)] == [
        before[0],
        13,
        before[2],
    ]
    assert shown(hass, "number", f"{key}_l2") == "13.0"
    told = attributes(hass, "number", f"{key}_l2")
    assert (told["min"], told["max"]) == (0, 32)


@all_entities
async def test_more_than_the_fuse_is_shown_and_cannot_be_set(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    # After a reboot the dynamic limit of a circuit is 80 A.
    assert shown(hass, "number", "circuit_dynamic_l1") == "80.0"
    assert attributes(hass, "number", "circuit_dynamic_l1")["max"] == 80
    with pytest.raises(ServiceValidationError) as caught:
        await set_number(easee_home, "circuit_dynamic_l1", 60)
    assert caught.value.translation_key == "easee_out_of_bounds"
    await set_number(easee_home, "circuit_dynamic_l1", 25)
    assert attributes(hass, "number", "circuit_dynamic_l1")["max"] == 32
    with pytest.raises(ServiceValidationError):
        await set_number(easee_home, "circuit_dynamic_l1", 33)


@all_entities
async def test_what_the_cloud_makes_of_a_limit_is_shown(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.circuit.rated = 20.0
    await set_number(easee_home, "circuit_maximum_l1", 25)
    assert shown(hass, "number", "circuit_maximum_l1") == "20.0"


@all_entities
async def test_a_circuit_that_the_account_may_not_see_has_no_limits(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    charger = easee_hub.account.chargers[CHARGER]
    charger.info = replace(charger.info, site_id=None, circuit_id=None)
    with pytest.raises(HomeAssistantError) as raised:
        await set_number(easee_home, "circuit_maximum_l1", 25)
    assert raised.value.translation_key == "not_supported_by_charger"
    assert shown(hass, "number", "circuit_maximum_l1") == "32.0"


# Selects


async def test_the_phase_mode_is_chosen(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    assert shown(hass, "select", "phase_mode") == "automatic"
    await select(easee_home, "phase_mode", "single_phase")
    assert charger[38] == 1
    assert shown(hass, "select", "phase_mode") == "single_phase"
    charger.observe(38, 0)
    await easee_home.settle()
    assert shown(hass, "select", "phase_mode") == STATE_UNKNOWN
    assert attributes(hass, "select", "phase_mode")["raw"] == 0


@all_entities
async def test_who_may_charge_while_offline(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    assert shown(hass, "select", "offline_mode") == "always"
    await select(easee_home, "offline_mode", "never")
    assert charger[45] == 2
    assert shown(hass, "select", "offline_mode") == "never"


@all_entities
async def test_who_may_charge_is_assumed_to_be_what_was_set(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    assert shown(hass, "select", "access") == STATE_UNKNOWN
    assert attributes(hass, "select", "access")["assumed_state"] is True
    await select(easee_home, "access", "whitelist")
    assert charger.access == 3
    assert shown(hass, "select", "access") == "whitelist"


@all_entities
async def test_a_stored_schedule_is_followed(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    period = {"startTime": "22:00", "stopTime": "06:00", "maximumAmps": 16}
    daily = {"enabled": False, "timezone": "Europe/Oslo", "periods": [period]}
    week = {**period, "startDay": "monday", "stopDay": "tuesday"}
    charger.schedules.write("daily", daily)
    charger.schedules.write("weekly", {**daily, "periods": [week]})
    assert shown(hass, "select", "schedule") == "none"
    await select(easee_home, "schedule", "daily")
    assert charger.schedules.enabled == "daily"
    assert shown(hass, "select", "schedule") == "daily"
    await select(easee_home, "schedule", "weekly")
    assert charger.schedules.enabled == "weekly"
    assert shown(hass, "select", "schedule") == "weekly"
    await select(easee_home, "schedule", "none")
    assert charger.schedules.enabled == "none"
    assert shown(hass, "select", "schedule") == "none"
    await select(easee_home, "schedule", "none")
    assert shown(hass, "select", "schedule") == "none"


@all_entities
async def test_a_schedule_of_others_is_noticed(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    period = {"startTime": "22:00", "stopTime": "06:00", "maximumAmps": 16}
    charger.schedules.write("daily", {"enabled": True, "periods": [period]})
    charger.circuit.changed()
    await easee_home.settle()
    assert shown(hass, "select", "schedule") == "daily"


@all_entities
async def test_what_is_not_stored_cannot_be_followed(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await select(easee_home, "schedule", "weekly")
    assert raised.value.translation_key == "no_stored_schedule"
    charger.schedules.enabled = "ocpp.direct"
    with pytest.raises(HomeAssistantError) as refused:
        await select(easee_home, "schedule", "none")
    assert refused.value.translation_key == "rejected"
    assert shown(hass, "select", "schedule") == STATE_UNKNOWN
    assert attributes(hass, "select", "schedule")["raw"] == "ocpp.direct"


# The light strip


async def test_the_light_strip_is_dimmed_and_off(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    assert attributes(hass, "light", "led_strip")["brightness"] == 128
    await use(easee_home, "light", "turn_off", "led_strip")
    assert charger[40] == 0
    assert shown(hass, "light", "led_strip") == STATE_OFF
    await use(easee_home, "light", "turn_on", "led_strip")
    assert charger[40] == 50
    assert shown(hass, "light", "led_strip") == STATE_ON
    await use(easee_home, "light", "turn_on", "led_strip", brightness=255)
    assert charger[40] == 100
    await use(easee_home, "light", "turn_on", "led_strip", brightness=1)
    assert charger[40] == 1
    assert attributes(hass, "light", "led_strip")["brightness"] == 3


# Buttons


@all_entities
async def test_buttons_are_orders(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    await use(easee_home, "button", "press", "override_schedule")
    assert charger.schedules.overridden
    await use(easee_home, "button", "press", "pair_token")
    assert charger.pairing
    for key, path in [
        ("poll_energy", "poll_lifetimeenergy"),
        ("poll_status", "poll_chargeropmode"),
    ]:
        await use(easee_home, "button", "press", key)
        with pytest.raises(ServiceValidationError) as raised:
            await use(easee_home, "button", "press", key)
        assert raised.value.translation_key == "too_soon"
        await easee_home.passes(181)
        await use(easee_home, "button", "press", key)
        asked = easee_cloud.journal.find("POST", f"/commands/{path}$")
        assert len(asked) == 2


# Events


async def test_a_refused_command_is_an_event(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    assert shown(hass, "event", "command") == STATE_UNKNOWN
    easee_cloud.commands.next(Behaviour(reject=4, comment="no"))
    with pytest.raises(HomeAssistantError):
        await switch(easee_home, "smart_charging", on=True)
    told = attributes(hass, "event", "command")
    assert told["event_type"] == "refused"
    assert told["command"] == "smartCharging"
    assert (told["answer"], told["detail"]) == ("rejected", "no")
    assert state(hass, "event", f"{SECOND}_command") == STATE_UNKNOWN


@pytest.mark.conformance("EASEE_A9")
async def test_a_command_of_another_system_is_an_event(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    easee_cloud.rogue(CHARGER, dynamicChargerCurrent=8.0)
    await easee_home.passes(1)
    told = attributes(hass, "event", "command")
    assert told["event_type"] == "foreign"
    assert told["command"] == "set_dynamic_charger_current"
    first = shown(hass, "event", "command")
    # Who only wants to know something controls nothing.
    easee_cloud.rogue_response(CHARGER, command=2)
    await easee_home.passes(1)
    assert shown(hass, "event", "command") == first
    easee_cloud.rogue_response(CHARGER, command=4711)
    await easee_home.passes(1)
    assert attributes(hass, "event", "command")["command"] == "4711"


@all_entities
async def test_a_token_that_is_paired_is_an_event(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await use(easee_home, "button", "press", "pair_token")
    charger.swipe("04A1B2C3")
    await easee_home.settle()
    told = attributes(hass, "event", "token_pairing")
    assert (told["event_type"], told["id_token"]) == ("paired", "04A1B2C3")


async def test_a_token_that_is_shown_is_an_event(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.swipe("04A1B2C3")
    await easee_home.settle()
    told = attributes(hass, "event", "token")
    assert (told["event_type"], told["id_token"]) == ("presented", "04A1B2C3")


async def test_a_session_is_an_event_with_its_token(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    charger.observe(42, True)
    charger.plug_in(Vehicle())
    await easee_home.passes(5)
    charger.swipe("04A1B2C3")
    await easee_home.passes(60)
    told = attributes(hass, "event", "1_session")
    assert (told["event_type"], told["id_token"]) == ("started", "04A1B2C3")
    charger.unplug()
    await easee_home.passes(5)
    told = attributes(hass, "event", "1_session")
    assert (told["event_type"], told["id_token"]) == ("ended", "04A1B2C3")
    assert told["energy"] > 0


async def test_a_session_that_was_signed_is_an_event(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    charger = easee_home.cloud.chargers[CHARGER]
    charger.product_code = CHARGE_MAX
    await easee_home.set_up(easee_entry)
    assert shown(hass, "event", "signed_session") == STATE_UNKNOWN
    charger.plug_in(Vehicle())
    await easee_home.passes(60)
    charger.unplug()
    await easee_home.passes(5)
    told = attributes(hass, "event", "signed_session")
    assert told["event_type"] == "signed"
    assert told["data"] == charger[60]
    first = shown(hass, "event", "signed_session")
    # What is told again after the stream was gone happened once.
    easee_home.cloud.hub.drop()
    await easee_home.passes(120)
    assert shown(hass, "event", "signed_session") == first


async def test_others_sign_nothing(hass: HomeAssistant, charger: Charger) -> None:
    assert not exists(hass, "event", f"{CHARGER}_signed_session")


# What has to be asked for


async def test_new_firmware_is_an_update(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    assert shown(hass, "update", "firmware") == STATE_OFF
    charger.latest_firmware = 345
    await easee_home.passes(6 * 3600 + 1)
    assert shown(hass, "update", "firmware") == STATE_ON
    told = attributes(hass, "update", "firmware")
    assert (told["installed_version"], told["latest_version"]) == ("344", "345")
    await use(easee_home, "update", "install", "firmware")
    await easee_home.passes(300)
    assert shown(hass, "update", "firmware") == STATE_OFF
    assert attributes(hass, "update", "firmware")["installed_version"] == "345"


async def test_the_operator_is_known(hass: HomeAssistant, charger: Charger) -> None:
    assert shown(hass, "sensor", "operator") == "Easee"


async def test_who_may_not_know_sees_nothing(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    for pattern in ("/latest$", "/partners$"):
        easee_home.cloud.faults.add(
            Fault(pattern=pattern, status=403, body={}, times=None)
        )
    await easee_home.set_up(easee_entry)
    assert shown(hass, "sensor", "operator") == STATE_UNKNOWN
    assert shown(hass, "update", "firmware") == STATE_OFF
    assert attributes(hass, "update", "firmware")["latest_version"] == "344"


@all_entities
async def test_answers_that_mean_nothing_are_nothing(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    for pattern in ("/latest$", "/partners$", "/schedules$"):
        easee_home.cloud.faults.add(
            Fault(pattern=pattern, status=200, body=["?"], times=None)
        )
    await easee_home.set_up(easee_entry)
    assert shown(hass, "sensor", "operator") == STATE_UNKNOWN
    assert shown(hass, "select", "schedule") == STATE_UNKNOWN
    assert attributes(hass, "update", "firmware")["latest_version"] == "344"


async def test_an_answer_that_does_not_come_is_asked_for_again(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    easee_home.cloud.faults.add(Fault(pattern="/partners$", status=502, times=6))
    await easee_home.set_up(easee_entry)
    await easee_home.passes(60)
    assert shown(hass, "sensor", "operator") == STATE_UNKNOWN
    await easee_home.passes(15 * 60 + 10)
    assert shown(hass, "sensor", "operator") == "Easee"


# The comparison


def compared() -> list[list[str]]:
    """Return the rows of the table of entities in docs/easee.md."""
    text = (ROOT / "docs" / "easee.md").read_text(encoding="utf-8")
    table = text.partition("## Entities compared")[2].partition("###")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in table.splitlines()
        if line.startswith("| `")
    ]


def test_every_entity_of_easee_hass_is_compared() -> None:
    told = {(row[0].strip("`"), row[1], row[2]) for row in compared()}
    assert told == EASEE_HASS


@all_entities
async def test_every_entity_of_easee_hass_has_a_counterpart(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    easee_home.cloud.chargers[CHARGER].plug_in(Vehicle())
    await easee_home.passes(600)
    known = [
        (one.domain, one.unique_id) for one in er.async_get(hass).entities.values()
    ]
    missing = [
        ours
        for row in compared()
        for ours in re.findall(r"`([a-z_]+\.[a-z0-9_]+)`", row[3])
        if not any(is_of(ours, *one) for one in known)
    ]
    assert not missing


def is_of(ours: str, platform: str, unique_id: str) -> bool:
    """Return whether an entity is the one that the table tells of."""
    wanted, _, key = ours.partition(".")
    return platform == wanted and bool(
        re.fullmatch(rf"[A-Za-z0-9]+(_site)?(_[0-9]+)?_{key}", unique_id)
    )
