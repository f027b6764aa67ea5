"""What OCPP 2.1 changes without a new profile: dynamic schedules, priority (K21 to K28)."""

from dataclasses import replace
from typing import Any

import pytest

from homeassistant.components.button.const import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..ha.charger import Payload, Refusal
from ..ha.charger_v2 import Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, entity_id, flush, state
from custom_components.ev_charger_hub.hub import OcppHub

DYNAMIC = {
    "SmartChargingCtrlr.SupportsDynamicProfiles": ("true", True),
    "SmartChargingCtrlr.SupportsMaxOfflineDuration": ("true", True),
    "SmartChargingCtrlr.SupportedAdditionalPurposes": ("PriorityCharging", True),
}


@pytest.fixture
async def flexible(charger2_ws: Charger2Factory) -> Charger2:
    """Return a charger of 2.1 whose profiles can be dynamic."""
    charger = await charger2_ws(version="2.1", variables=DYNAMIC)
    charger.received.clear()
    return charger


@pytest.fixture
def unpaced2(hub: OcppHub, flexible: Charger2) -> None:
    """Let limits of the charger change as often as they like."""
    station = hub.stations[flexible.identity].station
    station.settings = replace(station.settings, limit_interval=0)


def profiles(charger: Charger2) -> list[Payload]:
    """Return every profile that the charger was sent."""
    return [one["chargingProfile"] for one in charger.calls("SetChargingProfile")]


def limit_of(profile: Payload) -> float:
    """Return the first limit of a profile."""
    limit: float = profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"]
    return limit


async def test_the_limit_of_a_session_changes_without_a_new_profile(
    hass: HomeAssistant, unpaced2: None, flexible: Charger2
) -> None:
    await flexible.begin("tx-1")
    for limit in (10, 12, 8.5):
        await act(hass, "set_charging_limit", limit=limit)
    (profile,) = profiles(flexible)
    assert profile["chargingProfileKind"] == "Dynamic"
    assert profile["chargingProfilePurpose"] == "TxProfile"
    (schedule,) = profile["chargingSchedule"]
    assert "startSchedule" not in schedule
    assert "duration" not in schedule
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10}]
    number = profile["id"]
    assert flexible.calls("UpdateDynamicSchedule") == [
        {"chargingProfileId": number, "scheduleUpdate": {"limit": 12}},
        {"chargingProfileId": number, "scheduleUpdate": {"limit": 8.5}},
    ]
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_effective_limit")) == 8.5


async def test_a_charger_that_has_forgotten_its_profile_gets_it_anew(
    hass: HomeAssistant, unpaced2: None, flexible: Charger2
) -> None:
    await flexible.begin("tx-1")
    await act(hass, "set_charging_limit", limit=10)
    flexible.answers["UpdateDynamicSchedule"] = {"status": "Rejected"}
    await act(hass, "set_charging_limit", limit=12)
    assert [limit_of(one) for one in profiles(flexible)] == [10, 12]


async def test_a_charger_that_refuses_dynamic_profiles_gets_others(
    hass: HomeAssistant, unpaced2: None, flexible: Charger2
) -> None:
    def answer(payload: Payload) -> Payload:
        kind = payload["chargingProfile"]["chargingProfileKind"]
        return {"status": "Rejected" if kind == "Dynamic" else "Accepted"}

    flexible.answers["SetChargingProfile"] = answer
    await flexible.begin("tx-1")
    for limit in (10, 12):
        await act(hass, "set_charging_limit", limit=limit)
    sent = [(one["chargingProfileKind"], limit_of(one)) for one in profiles(flexible)]
    assert [limit for kind, limit in sent if kind == "Absolute"] == [10, 12]
    assert sent[-1][0] == "Absolute"
    assert flexible.calls("UpdateDynamicSchedule") == []


@pytest.mark.conformance("TC_K_121_CSMS")
@pytest.mark.conformance("TC_Q_110_CSMS")
async def test_a_dynamic_profile_is_asked_for_by_the_charger(
    hass: HomeAssistant, unpaced2: None, flexible: Charger2
) -> None:
    unknown = await flexible.call(
        "PullDynamicScheduleUpdate", {"chargingProfileId": 4711}
    )
    assert unknown["status"] == "Rejected"
    await flexible.begin("tx-1")
    for limit in (10, 12):
        await act(hass, "set_charging_limit", limit=limit)
    (profile,) = profiles(flexible)
    answer = await flexible.call(
        "PullDynamicScheduleUpdate", {"chargingProfileId": profile["id"]}
    )
    assert answer == {"status": "Accepted", "scheduleUpdate": {"limit": 12}}


@pytest.mark.conformance("TC_Q_109_CSMS")
async def test_a_dynamic_profile_of_the_user_is_updated_and_cleared(
    hass: HomeAssistant, flexible: Charger2
) -> None:
    await flexible.begin("tx-1")
    flexible.received.clear()
    told = await act(
        hass,
        "set_charging_profile",
        connector=1,
        purpose="TxProfile",
        kind="dynamic",
        update_interval=30,
        periods=[{"start": 0, "limit": 10}],
    )
    (profile,) = profiles(flexible)
    assert profile["chargingProfileKind"] == "Dynamic"
    assert profile["dynUpdateInterval"] == 30
    assert "startSchedule" not in profile["chargingSchedule"][0]
    number = told["profile_id"]
    for limit in (11, 12.5):
        await act(hass, "update_dynamic_schedule", id=number, limit=limit)
    assert flexible.calls("UpdateDynamicSchedule") == [
        {"chargingProfileId": number, "scheduleUpdate": {"limit": 11}},
        {"chargingProfileId": number, "scheduleUpdate": {"limit": 12.5}},
    ]
    answer = await flexible.call(
        "PullDynamicScheduleUpdate", {"chargingProfileId": number}
    )
    assert answer["scheduleUpdate"] == {"limit": 12.5}
    await act(hass, "clear_charging_profile", id=number)
    assert flexible.calls("ClearChargingProfile") == [{"chargingProfileId": number}]
    with pytest.raises(ServiceValidationError):
        await act(hass, "update_dynamic_schedule", id=number, limit=10)


@pytest.mark.conformance("TC_K_100_CSMS")
@pytest.mark.conformance("TC_K_102_CSMS")
@pytest.mark.conformance("TC_K_106_CSMS")
async def test_a_profile_says_all_that_2_1_knows(
    hass: HomeAssistant, flexible: Charger2
) -> None:
    await act(
        hass,
        "set_charging_profile",
        connector=1,
        purpose="TxDefaultProfile",
        recurrence="Daily",
        max_offline={"minutes": 10},
        invalid_after_offline=True,
        random_delay=60,
        limit_at_soc={"soc": 80, "limit": 6},
        use_local_time=True,
        periods=[{"start": "22:00", "limit": 16}],
    )
    (profile,) = profiles(flexible)
    assert profile["maxOfflineDuration"] == 600
    assert profile["invalidAfterOfflineDuration"] is True
    (schedule,) = profile["chargingSchedule"]
    assert schedule["randomizedDelay"] == 60
    assert schedule["useLocalTime"] is True
    assert schedule["limitAtSoC"] == {"soc": 80, "limit": 6}


@pytest.mark.parametrize(
    "field",
    [
        {"max_offline": 600},
        {"random_delay": 60},
        {"limit_at_soc": {"soc": 80, "limit": 6}},
    ],
)
async def test_what_2_0_1_does_not_know_is_not_sent(
    hass: HomeAssistant, charger2_ws: Charger2Factory, field: dict[str, Any]
) -> None:
    charger = await charger2_ws(version="2.0.1")
    charger.received.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await act(
            hass,
            "set_charging_profile",
            connector=1,
            periods=[{"start": 0, "limit": 10}],
            **field,
        )
    assert caught.value.translation_key == "profile_field_unknown"
    assert charger.received == []


@pytest.mark.conformance("TC_K_109_CSMS")
async def test_ids_that_are_kept_for_others_are_not_used(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    kept = {"SmartChargingCtrlr.MaxExternalConstraintsId": ("9000", True)}
    charger = await charger2_ws(version="2.1", variables=kept)
    charger.received.clear()
    periods = [{"start": 0, "limit": 10}]
    await act(hass, "set_charging_profile", connector=1, periods=periods)
    (profile,) = profiles(charger)
    assert profile["id"] > 9000
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "set_charging_profile", id=8000, connector=1, periods=periods)
    assert caught.value.translation_key == "profile_id_for_others"


async def press(hass: HomeAssistant, unique_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        BUTTON_DOMAIN,
        SERVICE_PRESS,
        {ATTR_ENTITY_ID: entity_id(hass, "button", unique_id)},
        blocking=True,
    )


@pytest.mark.conformance("TC_K_104_CSMS")
@pytest.mark.conformance("TC_K_118_CSMS")
async def test_a_session_gets_priority_by_a_button(
    hass: HomeAssistant, flexible: Charger2
) -> None:
    await flexible.begin("tx-118")
    flexible.received.clear()
    answers = iter([{"status": "NoProfile"}, {"status": "Accepted"}])
    flexible.answers["UsePriorityCharging"] = lambda _: next(answers)
    await press(hass, "CP01_1_priority_charging")
    use = {"transactionId": "tx-118", "activate": True}
    assert flexible.calls("UsePriorityCharging") == [use, use]
    # A charger without a profile for that gets one: as fast as it can.
    (profile,) = profiles(flexible)
    assert profile["chargingProfilePurpose"] == "PriorityCharging"
    assert limit_of(profile) == 32
    assert "duration" not in profile["chargingSchedule"][0]
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_1_priority_charging") == "on"
    told = {"transactionId": "tx-118", "activated": False}
    assert await flexible.call("NotifyPriorityCharging", told) == {}
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_1_priority_charging") == "off"


async def test_priority_is_given_up_by_an_action(
    hass: HomeAssistant, flexible: Charger2
) -> None:
    await flexible.begin("tx-118")
    told = {"transactionId": "tx-118", "activated": True}
    assert await flexible.call("NotifyPriorityCharging", told) == {}
    await act(hass, "use_priority_charging", activate=False)
    assert flexible.calls("UsePriorityCharging") == [
        {"transactionId": "tx-118", "activate": False}
    ]
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_1_priority_charging") == "off"


async def test_priority_needs_a_session_and_2_1(
    hass: HomeAssistant, flexible: Charger2, charger2_ws: Charger2Factory
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "use_priority_charging")
    assert caught.value.translation_key == "no_session"
    older = await charger2_ws("CP02", version="2.0.1", name="Yard")
    await older.begin("tx-2")
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "use_priority_charging", "CP02")
    assert refused.value.translation_key == "not_supported"
    flexible.answers["UsePriorityCharging"] = Refusal(code="NotImplemented")
    await flexible.begin("tx-1")
    with pytest.raises(HomeAssistantError) as unknown:
        await act(hass, "use_priority_charging")
    assert unknown.value.translation_key == "not_supported_by_charger"


@pytest.mark.conformance("TC_Q_102_CSMS")
@pytest.mark.conformance("TC_Q_107_CSMS")
@pytest.mark.conformance("TC_K_114_CSMS")
async def test_the_user_lets_energy_flow_back(
    hass: HomeAssistant, flexible: Charger2
) -> None:
    await flexible.begin("tx-v2x")
    await act(hass, "set_charging_limit", limit=10)
    needs = {
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_BPT",
            "v2xChargingParameters": {"maxChargePower": 11000.0},
        },
    }
    refused = await flexible.call("NotifyEVChargingNeeds", needs)
    assert refused == {"status": "Rejected"}
    await act(hass, "allow_energy_transfer", transfers=["ac_three_phase", "ac_bpt"])
    assert flexible.calls("NotifyAllowedEnergyTransfer") == [
        {
            "transactionId": "tx-v2x",
            "allowedEnergyTransfer": ["AC_three_phase", "AC_BPT"],
        }
    ]
    flexible.received.clear()
    accepted = await flexible.call("NotifyEVChargingNeeds", needs)
    assert accepted == {"status": "Accepted"}
    payload = await flexible.expect("SetChargingProfile")
    assert payload["chargingProfile"]["transactionId"] == "tx-v2x"


@pytest.mark.conformance("TC_Q_120_CSMS")
async def test_a_signal_of_the_grid_is_passed_on(
    hass: HomeAssistant, flexible: Charger2
) -> None:
    told = await act(hass, "send_frequency_signal", signal=-20)
    assert told["status"] == "accepted"
    (sent,) = flexible.calls("AFRRSignal")
    assert sent["signal"] == -20
    assert sent["timestamp"].endswith("Z")
