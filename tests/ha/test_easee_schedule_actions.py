"""Actions about schedules of Easee chargers."""

from typing import Any

import probatio
import pytest

from homeassistant.core import HomeAssistant

from .easee import EaseeHome
from .easee_acts import OSLO, perform, plug_in, refused, written
from .entities import state
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Charger, EaseeCloud
from simulators.easee_cloud.seed import CHARGER

NIGHT = {"start": "22:00", "stop": "06:00", "current": 16}


@pytest.fixture
async def charger(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_cloud: EaseeCloud
) -> Charger:
    """Return the primary charger of the circuit, in a house in Norway."""
    await hass.config.async_set_time_zone(OSLO)
    return easee_cloud.chargers[CHARGER]


# Schedules


async def test_a_daily_schedule(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
) -> None:
    answer = await perform(
        easee_home, "easee_set_schedule", kind="daily", periods=[NIGHT]
    )
    assert answer["status"] == "confirmed"
    assert answer["schedule"] == {
        "kind": "daily",
        "timezone": OSLO,
        "periods": [{"start": "22:00", "stop": "06:00", "current": 16}],
    }
    assert charger.schedules.stored["daily"] == {
        "enabled": True,
        "timezone": OSLO,
        "periods": [
            {"startTime": "22:00:00", "stopTime": "06:00:00", "maximumAmps": 16}
        ],
    }
    again = await perform(
        easee_home, "easee_set_schedule", kind="daily", periods=[NIGHT]
    )
    assert again["answer"] == "no change"
    assert written(easee_cloud) == [f"POST /api/chargers/{CHARGER}/schedules/daily"]
    # The charger follows it.
    await plug_in(easee_home, charger)
    reason = f"{CHARGER}_no_current_reason"
    assert state(hass, "sensor", reason) == "pending_schedule"
    await easee_home.passes(14 * 3600)
    assert state(hass, "sensor", f"{CHARGER}_1_status") == "charging"
    assert charger[114] == 16


async def test_a_weekly_schedule_replaces_a_daily_one(
    easee_home: EaseeHome, charger: Charger
) -> None:
    await perform(easee_home, "easee_set_schedule", kind="daily", periods=[NIGHT])
    await perform(
        easee_home,
        "easee_set_schedule",
        kind="weekly",
        current=10,
        periods=[
            {"start": "22:00", "stop": "06:00", "weekday": ["sun"]},
            {"start": "12:00:00", "stop": "00:00", "current": 6, "weekday": "sat"},
        ],
    )
    found = await perform(easee_home, "easee_get_schedule")
    assert found["active"] == "weekly"
    daily, weekly = found["schedules"]
    assert daily["kind"] == "daily"
    assert weekly == {
        "kind": "weekly",
        "timezone": OSLO,
        "periods": [
            {
                "start": "12:00",
                "stop": "00:00",
                "start_day": "saturday",
                "stop_day": "sunday",
                "current": 6,
            },
            {
                "start": "22:00",
                "stop": "06:00",
                "start_day": "sunday",
                "stop_day": "monday",
                "current": 10,
            },
        ],
    }


async def test_a_delayed_start(easee_home: EaseeHome, charger: Charger) -> None:
    # It is eight in the morning.
    await plug_in(easee_home, charger)
    await perform(easee_home, "easee_set_schedule", kind="delayed", start="08:30")
    assert charger.schedules.stored["delayed"] == {
        "enabled": True,
        "timezone": OSLO,
        "startTime": "08:30:00",
        "maximumAmps": 32,
    }
    await easee_home.passes(60)
    assert charger[109] == 2
    await easee_home.passes(1800)
    assert charger[109] == 3
    await perform(
        easee_home,
        "easee_set_schedule",
        kind="delayed",
        start="2026-10-02 06:00:00",
        current=10,
    )
    assert charger.schedules.stored["delayed"]["startTime"] == "06:00:00"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"kind": "delayed", "start": "08:10"}, "easee_schedule_too_soon"),
        ({"kind": "delayed", "start": "2026-10-03 06:00"}, "easee_schedule_too_far"),
        ({"kind": "daily", "start": "08:30"}, "easee_schedule_fields"),
        ({"kind": "delayed", "periods": [NIGHT]}, "easee_schedule_fields"),
        ({"kind": "daily", "current": 10}, "easee_schedule_fields"),
        (
            {"kind": "daily", "periods": [{**NIGHT, "weekday": ["mon"]}]},
            "easee_schedule_fields",
        ),
        ({"kind": "daily", "periods": []}, "easee_schedule_empty"),
        ({"kind": "daily", "periods": [NIGHT, NIGHT]}, "easee_schedule_overlap"),
        ({"kind": "weekly"}, "no_stored_schedule"),
    ],
)
async def test_schedules_that_are_not_meant_like_that(
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
    fields: dict[str, Any],
    key: str,
) -> None:
    assert await refused(easee_home, "easee_set_schedule", **fields) == key
    assert not written(easee_cloud)


@pytest.mark.parametrize(
    "period",
    [
        {"start": 1320, "stop": "06:00"},
        {"start": "22:00:30", "stop": "06:00"},
        {"start": "22:00"},
        {**NIGHT, "current": 5},
        {**NIGHT, "current": 6.5},
        {**NIGHT, "weekday": "someday"},
    ],
)
async def test_periods_that_cannot_be_read(
    easee_home: EaseeHome, charger: Charger, period: dict[str, Any]
) -> None:
    with pytest.raises(probatio.Invalid):
        await perform(easee_home, "easee_set_schedule", kind="weekly", periods=[period])


@pytest.mark.parametrize(
    ("active", "key"),
    [("ocpp.direct", "easee_schedule_ocpp"), ("tariff", "easee_schedule_foreign")],
)
async def test_schedules_of_others_stay(
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
    active: str,
    key: str,
) -> None:
    charger.schedules.enabled = active
    fields = {"kind": "daily", "periods": [NIGHT]}
    assert await refused(easee_home, "easee_set_schedule", **fields) == key
    assert await refused(easee_home, "easee_clear_schedule") == key
    assert (await perform(easee_home, "easee_get_schedule"))["active"] == active
    assert not written(easee_cloud)


async def test_a_schedule_with_more_to_it_is_told_of(
    easee_home: EaseeHome, charger: Charger
) -> None:
    periods = [{"startTime": "22:00", "stopTime": "06:00", "priceLimit": 1}]
    charger.schedules.stored["daily"] = {"timezone": OSLO, "periods": periods}
    assert (await perform(easee_home, "easee_get_schedule"))["schedules"] == [
        {"kind": "daily", "timezone": None, "periods": None}
    ]


async def test_schedules_are_disabled_enabled_and_deleted(
    easee_home: EaseeHome, charger: Charger
) -> None:
    await perform(easee_home, "easee_set_schedule", kind="daily", periods=[NIGHT])
    other = await perform(
        easee_home, "easee_clear_schedule", kind="weekly", delete=False
    )
    assert (other["answer"], charger.schedules.enabled) == ("no change", "daily")
    await perform(easee_home, "easee_clear_schedule", delete=False)
    assert (charger.schedules.enabled, [*charger.schedules.stored]) == (
        "none",
        ["daily"],
    )
    await perform(easee_home, "easee_set_schedule", kind="daily")
    assert charger.schedules.enabled == "daily"
    await perform(easee_home, "easee_clear_schedule")
    assert (charger.schedules.enabled, charger.schedules.stored) == ("none", {})


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_the_choice_of_schedules_follows(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    select = f"{CHARGER}_schedule"
    await easee_home.passes(5)
    assert state(hass, "select", select) == "none"
    await perform(easee_home, "easee_set_schedule", kind="delayed", start="12:00")
    assert state(hass, "select", select) == "delayed"


async def test_a_schedule_is_overridden(
    easee_home: EaseeHome, charger: Charger
) -> None:
    await perform(easee_home, "easee_set_schedule", kind="daily", periods=[NIGHT])
    await plug_in(easee_home, charger)
    assert charger[109] == 2
    assert (await perform(easee_home, "easee_override_schedule"))["status"] == (
        "confirmed"
    )
    await easee_home.passes(60)
    assert charger[109] == 3
