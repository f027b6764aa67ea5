"""Charging profiles and limits as a charger receives them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from ..ha.charger import Charger, Payload
from ..ha.conftest import IDENTITY, ChargerFactory, set_up
from ..ha.entities import act, state
from ..ha.passing import leap
from custom_components.ev_charger_hub.const import CONF_FALLBACK_CURRENT
from custom_components.ev_charger_hub.hub import OcppHub

PERIODS = [{"start": 0, "limit": 16}, {"start": 3600, "limit": 8.5}]
SENT_PERIODS = [{"startPeriod": 0, "limit": 16}, {"startPeriod": 3600, "limit": 8.5}]

type Passing = Callable[[float], Awaitable[None]]


@pytest.fixture
def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Passing:
    """Return what lets time pass, and everything happen that is due then."""

    async def passed(seconds: float) -> None:
        await leap(hass, freezer, seconds)

    return passed


def profiles(charger: Charger) -> list[Payload]:
    """Return every profile that the charger was sent."""
    return [one["csChargingProfiles"] for one in charger.calls("SetChargingProfile")]


def amounts(charger: Charger) -> list[tuple[str, float]]:
    """Return purpose and first limit of every profile that the charger was sent."""
    return [
        (
            one["chargingProfilePurpose"],
            one["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"],
        )
        for one in profiles(charger)
    ]


@pytest.mark.conformance("TC_056_CSMS")
async def test_a_default_profile_has_all_that_it_needs(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await act(
        hass,
        "set_charging_profile",
        purpose="TxDefaultProfile",
        kind="absolute",
        connector=1,
        stack_level=2,
        unit="A",
        duration={"hours": 3},
        periods=PERIODS,
    )
    (sent,) = approved_charger.calls("SetChargingProfile")
    assert sent["connectorId"] == 1
    profile = sent["csChargingProfiles"]
    assert profile["chargingProfileId"] > 0
    assert profile["stackLevel"] == 2
    assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
    assert profile["chargingProfileKind"] == "Absolute"
    assert "transactionId" not in profile
    assert "recurrencyKind" not in profile
    schedule = profile["chargingSchedule"]
    assert datetime.fromisoformat(schedule.pop("startSchedule")).tzinfo is not None
    assert schedule == {
        "duration": 10800,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": SENT_PERIODS,
    }


@pytest.mark.conformance("TC_057_CSMS")
async def test_a_profile_of_a_session_names_it(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    transaction_id = await approved_charger.start()
    approved_charger.received.clear()
    await act(hass, "set_charging_profile", purpose="TxProfile", periods=PERIODS)
    (sent,) = approved_charger.calls("SetChargingProfile")
    assert sent["connectorId"] == 1
    profile = sent["csChargingProfiles"]
    assert profile["transactionId"] == transaction_id
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert "recurrencyKind" not in profile
    assert profile["chargingSchedule"]["chargingSchedulePeriod"] == SENT_PERIODS


@pytest.mark.conformance("TC_059_CSMS")
async def test_a_remote_start_may_carry_a_profile_for_the_session_to_come(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await act(hass, "start_charging", id_token="TAG12345", limit=10)
    (sent,) = approved_charger.calls("RemoteStartTransaction")
    assert (sent["connectorId"], sent["idTag"]) == (1, "TAG12345")
    profile = sent["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in profile
    (period,) = profile["chargingSchedule"]["chargingSchedulePeriod"]
    assert (period["startPeriod"], period["limit"]) == (0, 10)


@pytest.mark.conformance("TC_066_CSMS")
async def test_the_schedule_is_asked_for_and_read(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await act(hass, "set_charging_profile", connector=1, periods=PERIODS)
    approved_charger.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-11-20T10:00:00Z",
        "chargingSchedule": {
            "duration": 300,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
        },
    }
    approved_charger.received.clear()
    told = await act(
        hass, "get_composite_schedule", connector=1, duration="00:05:00", unit="A"
    )
    assert approved_charger.calls("GetCompositeSchedule") == [
        {"connectorId": 1, "duration": 300, "chargingRateUnit": "A"}
    ]
    assert [one["limit"] for one in told["schedule"]["periods"]] == [16]
    assert [one["limit"] for one in told["expected"]["periods"]] == [16]


@pytest.mark.conformance("TC_067_CSMS")
async def test_profiles_are_cleared_by_id_and_by_what_they_have_in_common(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    one = [{"start": 0, "limit": 16}]
    ids = [
        (await act(hass, "set_charging_profile", periods=one, **fields))["profile_id"]
        for fields in (
            {"connector": 0, "purpose": "ChargePointMaxProfile"},
            {"connector": 1, "purpose": "TxDefaultProfile", "stack_level": 1},
            {"connector": 1, "purpose": "TxDefaultProfile", "stack_level": 2},
        )
    ]
    assert len(set(ids)) == 3
    assert [
        (
            one["connectorId"],
            one["csChargingProfiles"]["chargingProfileId"],
            one["csChargingProfiles"]["chargingProfilePurpose"],
            one["csChargingProfiles"]["stackLevel"],
        )
        for one in approved_charger.calls("SetChargingProfile")
    ] == [
        (0, ids[0], "ChargePointMaxProfile", 6),
        (1, ids[1], "TxDefaultProfile", 1),
        (1, ids[2], "TxDefaultProfile", 2),
    ]
    await act(hass, "clear_charging_profile", id=ids[0])
    await act(
        hass,
        "clear_charging_profile",
        connector=1,
        purpose="TxDefaultProfile",
        stack_level=2,
    )
    assert approved_charger.calls("ClearChargingProfile") == [
        {"id": ids[0]},
        {
            "connectorId": 1,
            "chargingProfilePurpose": "TxDefaultProfile",
            "stackLevel": 2,
        },
    ]
    left = (await act(hass, "get_charging_profiles"))["profiles"]
    assert [profile["id"] for profile in left] == [ids[1]]


@pytest.mark.conformance("SC_02")
async def test_the_maximum_of_the_charger_is_for_connector_0_and_for_all_together(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.configuration["NumberOfConnectors"] = "2"
    await act(hass, "get_configuration")
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    most: dict[str, Any] = {"purpose": "ChargePointMaxProfile"}
    with pytest.raises(ServiceValidationError) as caught:
        await act(
            hass,
            "set_charging_profile",
            periods=[{"start": 0, "limit": 20}],
            connector=1,
            **most,
        )
    assert caught.value.translation_key == "profile_station_max_evse"
    await act(
        hass,
        "set_charging_profile",
        periods=[{"start": 0, "limit": 20}],
        connector=0,
        **most,
    )
    (sent,) = approved_charger.calls("SetChargingProfile")
    assert sent["connectorId"] == 0
    for connector in (1, 2):
        await act(
            hass,
            "set_charging_profile",
            periods=[{"start": 0, "limit": 16}],
            connector=connector,
            purpose="TxDefaultProfile",
        )
    expected = {
        connector: (await act(hass, "get_composite_schedule", connector=connector))[
            "expected"
        ]["periods"][0]["limit"]
        for connector in (0, 1, 2)
    }
    assert expected == {0: 20, 1: 16, 2: 16}


@pytest.mark.conformance("SC_03")
async def test_fast_changes_go_to_the_session_paced_and_never_twice(
    hass: HomeAssistant, pass_time: Passing, approved_charger: Charger
) -> None:
    approved_charger.answers["GetCompositeSchedule"] = {"status": "Rejected"}
    await approved_charger.start()
    await approved_charger.status(1, "Charging")
    await pass_time(60)
    approved_charger.received.clear()
    await act(hass, "set_charging_limit", limit=10)
    await act(hass, "set_charging_limit", limit=10)
    assert amounts(approved_charger) == [("TxProfile", 10)]
    wish = asyncio.create_task(act(hass, "set_charging_limit", limit=12))
    await pass_time(1)
    assert amounts(approved_charger) == [("TxProfile", 10)]
    await pass_time(10)
    await wish
    assert amounts(approved_charger) == [("TxProfile", 10), ("TxProfile", 12)]
    # A little more is not worth a write, unless it stays.
    wish = asyncio.create_task(act(hass, "set_charging_limit", limit=12.2))
    await pass_time(30)
    assert amounts(approved_charger) == [("TxProfile", 10), ("TxProfile", 12)]
    await pass_time(31)
    await wish
    assert amounts(approved_charger)[2:] == [("TxProfile", 12.2)]


@pytest.mark.conformance("SC_04")
@pytest.mark.parametrize("limit", [0.5, 1, 5.9])
async def test_nothing_between_0_and_6_ampere_is_ever_sent(
    hass: HomeAssistant, approved_charger: Charger, limit: float
) -> None:
    await approved_charger.start()
    approved_charger.received.clear()
    for action, fields in (
        ("set_charging_limit", {"limit": limit}),
        ("start_charging", {"limit": limit}),
        ("set_charging_profile", {"periods": [{"start": 0, "limit": limit}]}),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, action, **fields)
        assert caught.value.translation_key == "limit_below_minimum"
    assert approved_charger.received == []
    await act(hass, "pause_charging")
    assert amounts(approved_charger) == [("TxProfile", 0)]


@pytest.mark.conformance("SC_05")
async def test_a_charger_that_counts_in_watt_is_told_watt(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws()
    charger.configuration["ChargingScheduleAllowedChargingRateUnit"] = "Power"
    await charger.boot()
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await charger.start()
    charger.received.clear()
    await act(hass, "set_charging_limit", limit=10)
    schedule = profiles(charger)[-1]["chargingSchedule"]
    assert schedule["chargingRateUnit"] == "W"
    (period,) = schedule["chargingSchedulePeriod"]
    assert period["limit"] == 10 * 3 * 230
    assert float(state(hass, "number", "CP01_1_current_limit")) == 10


@pytest.mark.conformance("SC_06")
@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"stack_level": 3}, "profile_stack_level_too_high"),
        (
            {"periods": [{"start": at * 60, "limit": 8} for at in range(4)]},
            "profile_periods_too_many",
        ),
        ({"periods": [*reversed(PERIODS)]}, "profile_periods_order"),
        (
            {"periods": [{"start": 60, "limit": 8}], "kind": "relative"},
            "profile_first_period",
        ),
        ({"connector": 0}, "profile_too_many"),
    ],
)
async def test_what_a_charger_has_no_room_for_is_not_sent(
    hass: HomeAssistant, approved_charger: Charger, fields: dict[str, Any], key: str
) -> None:
    approved_charger.configuration |= {
        "ChargeProfileMaxStackLevel": "2",
        "ChargingScheduleMaxPeriods": "3",
        "MaxChargingProfilesInstalled": "1",
    }
    await act(hass, "get_configuration")
    most = {"purpose": "TxDefaultProfile", "connector": 1}
    await act(hass, "set_charging_profile", periods=PERIODS, stack_level=2, **most)
    assert [one["stackLevel"] for one in profiles(approved_charger)] == [2]
    approved_charger.received.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await act(
            hass,
            "set_charging_profile",
            **{"periods": PERIODS, "stack_level": 2} | most | fields,
        )
    assert caught.value.translation_key == key
    assert approved_charger.received == []


@pytest.mark.conformance("SC_07")
async def test_a_charger_without_us_falls_back_to_a_safe_current(
    hass: HomeAssistant,
    hub: OcppHub,
    pass_time: Passing,
    approved_charger: Charger,
) -> None:
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, CONF_FALLBACK_CURRENT: 8}
    )
    await hass.async_block_till_done()
    await approved_charger.expect("SetChargingProfile")
    assert amounts(approved_charger) == [("TxDefaultProfile", 8)]
    # What is above it holds for a time only, so that it ends without us.
    approved_charger.answers["GetCompositeSchedule"] = {"status": "Rejected"}
    await approved_charger.start()
    await approved_charger.status(1, "Charging")
    await pass_time(60)
    assert amounts(approved_charger)[-1] == ("TxProfile", 32)
    schedule = profiles(approved_charger)[-1]["chargingSchedule"]
    assert schedule["duration"] > 0
