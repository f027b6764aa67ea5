"""Profiles that break a rule are not sent, and the user is told which field is wrong."""

from typing import Any

import probatio
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .charger import Charger
from .entities import act
from .profiles import DAY_AND_NIGHT, ONE, sent

type Fields = dict[str, Any]


@pytest.mark.parametrize(
    ("fields", "key", "field"),
    [
        ({"periods": []}, "profile_periods_missing", "periods"),
        (
            {"periods": [{"start": 60, "limit": 8}, {"start": 0, "limit": 6}]},
            "profile_periods_order",
            "periods",
        ),
        (
            {"periods": [{"start": 60, "limit": 8}], "kind": "relative"},
            "profile_first_period",
            "periods",
        ),
        ({"periods": [*DAY_AND_NIGHT, *ONE]}, "profile_starts_mixed", "periods"),
        (
            {"periods": [{"start": 1320, "limit": 8}], "recurrence": "daily"},
            "profile_start_no_clock",
            "periods",
        ),
        (
            {"periods": [{"start": "25:00:00", "limit": 8}], "recurrence": "daily"},
            "profile_start_no_clock",
            "periods",
        ),
        (
            {"periods": [{"start": "08:00", "limit": 8, "weekday": "mon"}]},
            "profile_weekday_not_weekly",
            "recurrence",
        ),
        (
            {"periods": DAY_AND_NIGHT, "kind": "relative"},
            "profile_clock_relative",
            "kind",
        ),
        (
            {"periods": DAY_AND_NIGHT, "kind": "absolute", "recurrence": "daily"},
            "profile_recurrence_extraneous",
            "recurrence",
        ),
        (
            {"periods": DAY_AND_NIGHT, "kind": "recurring"},
            "profile_recurrence_missing",
            "recurrence",
        ),
        (
            {"periods": ONE, "connector": 0, "kind": "relative"},
            "profile_station_max_relative",
            "kind",
        ),
        (
            {"periods": ONE, "connector": 1, "purpose": "ChargingStationMaxProfile"},
            "profile_station_max_evse",
            "connector",
        ),
        (
            {"periods": ONE, "connector": 0, "purpose": "TxProfile"},
            "profile_tx_evse",
            "connector",
        ),
        (
            {"periods": ONE, "purpose": "TxProfile"},
            "profile_tx_without_transaction",
            "purpose",
        ),
        (
            {"periods": ONE, "connector": 1, "purpose": "TxProfile"},
            "profile_tx_without_transaction",
            "purpose",
        ),
        (
            {"periods": ONE, "purpose": "PriorityCharging"},
            "profile_purpose_unknown",
            "purpose",
        ),
        (
            {"periods": ONE, "purpose": "ChargingStationExternalConstraints"},
            "profile_purpose_external",
            "purpose",
        ),
        ({"periods": ONE, "kind": "dynamic"}, "profile_kind_unknown", "kind"),
        ({"periods": ONE, "stack_level": 9}, "profile_stack_level_too_high", "stack"),
        ({"periods": ONE, "connector": 9}, "profile_evse_unknown", "connector"),
        (
            {"periods": [{"start": 0, "limit": 8, "phases": 4}]},
            "profile_phases_unknown",
            "phases",
        ),
        (
            {"periods": [{"start": 0, "limit": 8.25}]},
            "profile_decimals",
            "limit",
        ),
        (
            {"periods": [{"start": hour * 60, "limit": 8} for hour in range(25)]},
            "profile_periods_too_many",
            "periods",
        ),
        (
            {
                "periods": ONE,
                "valid_from": "2026-12-24 18:00",
                "valid_to": "2026-12-24 18:00",
            },
            "profile_validity_empty",
            "valid_to",
        ),
        ({"periods": ONE, "id": 2001}, "profile_id_reserved", "id"),
    ],
)
async def test_a_broken_rule_is_named_and_nothing_is_sent(
    hass: HomeAssistant, berlin_charger: Charger, fields: Fields, key: str, field: str
) -> None:
    with pytest.raises(ServiceValidationError, match=field) as caught:
        await act(hass, "set_charging_profile", **fields)
    assert caught.value.translation_key == key
    assert berlin_charger.received == []
    assert (await act(hass, "get_charging_profiles"))["profiles"] == []


@pytest.mark.parametrize(
    ("limit", "more", "key"),
    [
        (3, {}, "limit_below_minimum"),
        (63, {}, "limit_above_maximum"),
        (1380, {"unit": "W"}, "limit_below_minimum"),
    ],
)
async def test_what_no_limit_may_be_no_period_may_be(
    hass: HomeAssistant, berlin_charger: Charger, limit: float, more: Fields, key: str
) -> None:
    written = [{"start": 0, "limit": 16}, {"start": 60, "limit": limit}]
    with pytest.raises(ServiceValidationError) as caught:
        await act(
            hass,
            "set_charging_profile",
            periods=written if not more else [{"start": 0, "limit": limit}],
            **more,
        )
    assert caught.value.translation_key == key
    assert berlin_charger.received == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"periods": [{"start": 0}]},
        {"periods": [{"limit": 8}]},
        {"periods": [{"start": 0, "limit": -1}]},
        {"periods": [{"start": "24:00", "limit": 8}]},
        {"periods": [{"start": "noon", "limit": 8}]},
        {"periods": [{"start": True, "limit": 8}]},
        {"periods": [{"start": 0, "limit": 8, "weekday": "someday"}]},
        {"periods": [{"start": 0, "limit": 8, "colour": "red"}]},
        {"periods": ONE, "unit": "kW"},
        {"periods": ONE, "recurrence": "monthly"},
        {"periods": ONE, "duration": 0},
        {"periods": ONE, "purpose": "fun"},
        {"periods": ONE, "valid_from": "soon"},
    ],
)
async def test_bad_fields_are_refused(
    hass: HomeAssistant, berlin_charger: Charger, fields: Fields
) -> None:
    with pytest.raises(probatio.Invalid):
        await act(hass, "set_charging_profile", **fields)
    with pytest.raises(probatio.Invalid):
        await act(hass, "get_composite_schedule", duration={"days": 8})
    assert berlin_charger.received == []


@pytest.mark.parametrize("kind", ["relative", "absolute"])
async def test_easee_gets_absolute_profiles(
    hass: HomeAssistant, easee_charger: Charger, kind: str
) -> None:
    written = [{"start": 0, "limit": 16}]
    await act(
        hass, "set_charging_profile", periods=written, kind=kind, duration="01:00:00"
    )
    profile = sent(easee_charger)["csChargingProfiles"]
    assert profile["chargingProfileKind"] == "Absolute"
    assert profile["stackLevel"] == 0
    assert profile["chargingSchedule"]["startSchedule"] == "2026-11-20T10:00:00Z"
    assert profile["chargingSchedule"]["duration"] == 3600


async def test_easee_repeats_nothing(
    hass: HomeAssistant, easee_charger: Charger
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(
            hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily"
        )
    assert caught.value.translation_key == "profile_only_absolute"
    assert easee_charger.received == []


async def test_easee_clears_before_it_replaces(
    hass: HomeAssistant, easee_charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    assert [one.action for one in easee_charger.received] == [
        "SetChargingProfile",
        "ClearChargingProfile",
        "SetChargingProfile",
    ]
    assert easee_charger.calls("ClearChargingProfile") == [{"id": 5000}]


async def test_easee_keeps_the_old_profile_if_the_new_one_is_refused(
    hass: HomeAssistant, easee_charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    old = sent(easee_charger)
    answers = iter(["Rejected", "Accepted"])
    easee_charger.answers["SetChargingProfile"] = lambda _: {"status": next(answers)}
    with pytest.raises(HomeAssistantError):
        await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    assert easee_charger.calls("SetChargingProfile")[2] == old
    listed = await act(hass, "get_charging_profiles")
    assert [one["id"] for one in listed["profiles"]] == [5000]


async def test_easee_loses_no_limit_of_the_user_to_a_profile(
    hass: HomeAssistant, easee_charger: Charger
) -> None:
    await act(hass, "set_charging_limit", limit=10)
    easee_charger.received.clear()
    with pytest.raises(ServiceValidationError, match="2001") as caught:
        await act(hass, "set_charging_profile", periods=ONE)
    assert caught.value.translation_key == "profile_clear_first"
    assert easee_charger.received == []
