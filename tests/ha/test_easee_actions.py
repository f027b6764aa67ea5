"""Actions of every charger on Easee chargers: the same meaning, or why not."""

from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import yaml

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .easee import EaseeHome
from .easee_acts import OSLO, perform, plug_in, refused, written
from .entities import state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Charger, EaseeCloud, Vehicle
from simulators.easee_cloud.seed import CHARGER

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def charger(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_cloud: EaseeCloud
) -> Charger:
    """Return the primary charger of the circuit, in a house in Norway."""
    await hass.config.async_set_time_zone(OSLO)
    return easee_cloud.chargers[CHARGER]


# What every charger has


async def test_stop_start_pause_and_resume(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await plug_in(easee_home, charger)
    assert state(hass, "sensor", f"{CHARGER}_1_status") == "charging"
    paused = await perform(easee_home, "pause_charging")
    assert paused["status"] == "confirmed"
    assert (charger[48], charger[109]) == (0, 2)
    resumed = await perform(easee_home, "resume_charging")
    assert resumed["status"] == "confirmed"
    await easee_home.passes(5)
    assert charger[109] == 3
    stopped = await perform(easee_home, "stop_charging")
    # Nobody has to be authorized, so that there is nothing to be taken back.
    assert (stopped["status"], stopped["answer"]) == ("confirmed", "paused")
    assert charger[48] == 0
    started = await perform(easee_home, "start_charging")
    assert (started["status"], started["answer"]) == ("confirmed", "resumed")
    await easee_home.passes(5)
    assert charger[109] == 3


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("start_charging", {}),
        ("start_charging", {"limit": 10}),
        ("stop_charging", {}),
        ("pause_charging", {}),
        ("resume_charging", {}),
        ("set_charging_limit", {"limit": 10}),
        ("clear_charging_limit", {}),
        ("change_availability", {"operative": False}),
        ("reset", {}),
        ("limit_session", {"energy": 5}),
    ],
)
async def test_a_connector_that_is_not_there_is_an_error_that_says_so(
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
    action: str,
    fields: dict[str, Any],
) -> None:
    await plug_in(easee_home, charger)
    answer = await refused(easee_home, action, connector=2, **fields)
    assert answer == "limit_unknown_evse"
    assert not written(easee_cloud)
    assert charger[109] == 3


async def test_start_and_stop_where_authorization_is_required(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger
) -> None:
    easee_cloud.chargers[CHARGER].observe(42, True)
    await plug_in(easee_home, charger)
    assert charger[109] == 7
    assert (await perform(easee_home, "start_charging"))["status"] == "confirmed"
    await easee_home.passes(5)
    assert charger[109] == 3
    stopped = await perform(easee_home, "stop_charging")
    assert (stopped["status"], stopped["answer"]) == ("confirmed", "stopped")
    assert charger[109] in {7, 8}


@pytest.mark.parametrize(
    ("mode", "key"),
    [
        (5, "easee_faulty"),
        (8, "easee_session_ending"),
        (157, "easee_erratic_vehicle"),
        (158, "easee_too_hot"),
    ],
)
async def test_why_nothing_is_started_is_told_with_what_to_do(
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
    mode: int,
    key: str,
) -> None:
    await plug_in(easee_home, charger)
    charger.pretend(109, mode)
    await easee_home.passes(1)
    before = written(easee_cloud)
    assert await refused(easee_home, "start_charging") == key
    assert written(easee_cloud) == before


async def test_nothing_to_start_or_stop(
    easee_home: EaseeHome, charger: Charger
) -> None:
    assert await refused(easee_home, "start_charging") == "easee_no_vehicle"
    assert await refused(easee_home, "stop_charging") == "no_session"
    assert await refused(easee_home, "pause_charging") == "no_session_to_pause"


async def test_a_limit_and_none(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await plug_in(easee_home, charger)
    limited = await perform(easee_home, "set_charging_limit", limit=10)
    assert limited["status"] == "confirmed"
    assert charger[48] == 10
    assert state(hass, "number", f"{CHARGER}_1_current_limit") == "10.0"
    in_watt = await perform(easee_home, "set_charging_limit", limit=8280, unit="W")
    assert (in_watt["status"], charger[48]) == ("confirmed", 12)
    cleared = await perform(easee_home, "clear_charging_limit")
    assert (cleared["status"], charger[48]) == ("confirmed", 32)
    assert await refused(easee_home, "set_charging_limit", limit=3) == (
        "limit_below_minimum"
    )
    assert await refused(easee_home, "set_charging_limit", limit=99) == (
        "limit_above_maximum"
    )


async def test_a_limit_for_a_while(easee_home: EaseeHome, charger: Charger) -> None:
    await plug_in(easee_home, charger)
    await perform(easee_home, "set_charging_limit", limit=16)
    await perform(easee_home, "set_charging_limit", limit=10, duration={"minutes": 30})
    assert charger[48] == 10
    # It counts from when it was asked for: a limit so soon after another waits a while.
    await easee_home.passes(1740)
    assert charger[48] == 10
    await easee_home.passes(90)
    assert charger[48] == 16


async def test_a_reboot_and_out_of_service(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    out = await perform(easee_home, "change_availability", operative=False)
    assert out["status"] == "confirmed"
    assert charger[31] is False
    assert state(hass, "switch", f"{CHARGER}_enabled") == "off"
    back = await perform(easee_home, "change_availability", operative=True)
    assert (back["status"], charger[31]) == ("confirmed", True)
    assert (await perform(easee_home, "reset"))["status"] == "confirmed"
    assert not charger.online
    assert await refused(easee_home, "reset") == "not_connected"


async def test_sessions_are_in_the_journal(
    easee_home: EaseeHome, charger: Charger
) -> None:
    await plug_in(easee_home, charger)
    await easee_home.passes(1800)
    (session,) = (await perform(easee_home, "get_sessions", open_only=True))["sessions"]
    assert session["connector"] == 1
    charger.unplug()
    await easee_home.passes(60)
    sessions = (await perform(easee_home, "get_sessions"))["sessions"]
    ended = next(
        one for one in sessions if one["transaction_id"] == session["transaction_id"]
    )
    assert ended["state"] == "closed"
    assert ended["energy"] > 1000
    exported = await perform(easee_home, "export_sessions")
    assert str(session["transaction_id"]) in exported["content"]


NOT_CARRIED: list[tuple[str, dict[str, Any]]] = [
    ("unlock_connector", {}),
    ("get_configuration", {}),
    ("set_configuration", {"key": "HeartbeatInterval", "value": "60"}),
    ("trigger_message", {"message": "Heartbeat"}),
    ("clear_cache", {}),
    ("data_transfer", {"vendor_id": "com.example"}),
    ("call", {"action": "ClearCache"}),
    ("get_log", {}),
    ("reserve_now", {"id_token": "CARD", "until": "2026-10-01 18:00:00"}),
    ("send_local_list", {}),
    ("get_base_report", {}),
    ("rotate_password", {}),
]


@pytest.mark.parametrize(
    ("action", "fields"), [pytest.param(*one, id=one[0]) for one in NOT_CARRIED]
)
async def test_what_the_cloud_has_no_word_for_is_refused(
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
    action: str,
    fields: dict[str, Any],
) -> None:
    assert await refused(easee_home, action, **fields) == "easee_not_carried"
    assert not written(easee_cloud)


async def test_profiles_are_refused_with_what_to_do_instead(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger
) -> None:
    periods = [{"start": "22:00", "limit": 16}, {"start": "06:00", "limit": 6}]
    with pytest.raises(HomeAssistantError, match="easee_set_schedule") as raised:
        await perform(
            easee_home, "set_charging_profile", recurrence="daily", periods=periods
        )
    assert raised.value.translation_key == "easee_no_profiles"
    for action in (
        "clear_charging_profile",
        "get_charging_profiles",
        "get_composite_schedule",
    ):
        assert await refused(easee_home, action) == "easee_no_profiles"
    assert not written(easee_cloud)


def examples() -> dict[str, dict[str, Any]]:
    """Return the fields of an example for each action on a charger, without templates."""
    found: dict[str, dict[str, Any]] = {}
    text = (ROOT / "docs" / "actions.md").read_text(encoding="utf-8")
    for example in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        for step in steps(yaml.safe_load(example)):
            domain, _, name = step["action"].partition(".")
            data = dict(step.get("data", {}))
            of_device = data.pop("device_id", None) is not None
            if domain == DOMAIN and of_device and "{{" not in str(data):
                found[name] = data
    return found


def steps(node: Any) -> list[dict[str, Any]]:
    """Return every action step found anywhere in a parsed example."""
    if isinstance(node, list):
        return [found for one in node for found in steps(one)]
    if not isinstance(node, dict):
        return []
    below = [found for one in node.values() for found in steps(one)]
    return [node, *below] if "action" in node else below


async def test_every_action_works_or_says_why_not(
    easee_home: EaseeHome, charger: Charger
) -> None:
    await plug_in(easee_home, charger)
    # Afterwards there is nobody to be told anything for a while.
    ours = sorted(examples().items(), key=lambda one: one[0] == "reset")
    assert len(ours) > 60
    unexplained = []
    for action, fields in ours:
        try:
            await perform(easee_home, action, **fields)
        except HomeAssistantError as err:
            if err.translation_domain != DOMAIN or not err.translation_key:
                unexplained.append(action)
    assert not unexplained


# The limit of a session


@pytest.mark.parametrize("away", ["restart", "outage", "nobody"])
async def test_a_session_that_is_told_late_is_limited_all_the_same(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    charger: Charger,
    away: str,
) -> None:
    assert await perform(easee_home, "limit_session", energy=2)
    if away == "restart":
        await hass.config_entries.async_unload(easee_entry.entry_id)
    elif away == "outage":
        easee_home.cloud.outage()
    charger.plug_in(Vehicle())
    await easee_home.time.pass_time(400)
    if away == "restart":
        assert await easee_home.set_up_slowly(easee_entry, 5)
    easee_home.cloud.recover()
    await easee_home.passes(1200)
    assert charger[109] != 3
    assert charger[121] == pytest.approx(2.1, abs=0.1)


async def test_a_limit_ends_with_its_session_though_that_is_told_late(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    charger: Charger,
) -> None:
    await plug_in(easee_home, charger)
    await perform(easee_home, "limit_session", energy=20)
    limit = f"{CHARGER}_1_session_energy_limit"
    assert state(hass, "sensor", limit) == "20.0"
    await hass.config_entries.async_unload(easee_entry.entry_id)
    charger.unplug()
    await easee_home.time.pass_time(400)
    assert await easee_home.set_up_slowly(easee_entry, 5)
    await easee_home.passes(60)
    assert state(hass, "sensor", limit) == "unknown"
