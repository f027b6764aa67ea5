"""Actions about charging profiles: what is chosen, sent, listed and cleared."""

from datetime import timedelta
from pathlib import Path
import re
from typing import Any
from unittest.mock import AsyncMock

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .charger import Charger, Refusal, Silence
from .entities import act
from .profiles import DAY_AND_NIGHT, ONE, PACKAGE, Clock, sent
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.profile_actions import ACTIONS
from custom_components.ev_charger_hub.station.clock import utc_now
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus

type Fields = dict[str, Any]


def test_every_action_is_tested() -> None:
    performed = re.findall(r'\bact\(\s*hass,\s+"(\w+)"', Path(__file__).read_text())
    assert {*performed} - {"get_configuration"} == {
        *ACTIONS.commands,
        *ACTIONS.queries,
        "set_charging_limit",
    }


CHOICES: list[tuple[Fields, str, str]] = [
    # what is left out is chosen: fields; purpose and kind
    ({"periods": [{"start": 0, "limit": 8}]}, "TxDefaultProfile", "Absolute"),
    ({"periods": DAY_AND_NIGHT}, "TxDefaultProfile", "Absolute"),
    (
        {"periods": DAY_AND_NIGHT, "recurrence": "Weekly"},
        "TxDefaultProfile",
        "Recurring",
    ),
    (
        {"periods": [{"start": 0, "limit": 8}], "kind": "relative"},
        "TxDefaultProfile",
        "Relative",
    ),
    (
        {"periods": [{"start": 0, "limit": 8}], "connector": 0},
        "ChargePointMaxProfile",
        "Absolute",
    ),
    (
        {
            "periods": [{"start": 0, "limit": 8}],
            "connector": 0,
            "purpose": "TxDefaultProfile",
        },
        "TxDefaultProfile",
        "Absolute",
    ),
    (
        {"periods": [{"start": 0, "limit": 8}], "purpose": "chargepointmaxprofile"},
        "ChargePointMaxProfile",
        "Absolute",
    ),
]


@pytest.mark.parametrize(("fields", "purpose", "kind"), CHOICES)
async def test_purpose_and_kind_are_chosen(
    hass: HomeAssistant,
    berlin_charger: Charger,
    fields: Fields,
    purpose: str,
    kind: str,
) -> None:
    await act(hass, "set_charging_profile", **fields)
    profile = sent(berlin_charger)["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == purpose
    assert profile["chargingProfileKind"] == kind
    assert ("startSchedule" in profile["chargingSchedule"]) == (kind != "Relative")
    whole = purpose.startswith("ChargePoint") or fields.get("connector") == 0
    assert sent(berlin_charger)["connectorId"] == (0 if whole else 1)


async def test_an_open_session_gets_a_profile_of_its_own(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    number = await berlin_charger.start()
    berlin_charger.received.clear()
    await act(hass, "set_charging_profile", periods=[{"start": 0, "limit": 8}])
    profile = sent(berlin_charger)["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == number
    berlin_charger.received.clear()
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    profile = sent(berlin_charger)["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
    assert "transactionId" not in profile


async def test_a_session_is_found_by_its_purpose(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    berlin_charger.configuration["NumberOfConnectors"] = "2"
    await act(hass, "get_configuration")
    await berlin_charger.status(2, "Preparing")
    await berlin_charger.start(2)
    await hass.async_block_till_done()
    berlin_charger.received.clear()
    await act(
        hass,
        "set_charging_profile",
        periods=[{"start": 0, "limit": 8}],
        purpose="TxProfile",
    )
    assert sent(berlin_charger)["connectorId"] == 2


async def test_everything_may_be_said(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    await act(
        hass,
        "set_charging_profile",
        periods=[{"start": 0, "limit": 2300.5, "phases": 1}],
        unit="W",
        duration={"hours": 3},
        purpose="TxDefaultProfile",
        kind="absolute",
        stack_level=3,
        valid_from="2026-11-20T12:00:00+01:00",
        valid_to="2026-11-21 06:00:00",
        id=17,
        connector=1,
    )
    assert sent(berlin_charger) == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 17,
            "stackLevel": 3,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "validFrom": "2026-11-20T11:00:00Z",
            "validTo": "2026-11-21T05:00:00Z",
            "chargingSchedule": {
                "duration": 3 * 3600,
                "startSchedule": "2026-11-20T11:00:00Z",
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 2300.5, "numberPhases": 1}
                ],
            },
        },
    }


async def test_a_profile_takes_the_place_of_its_predecessor(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    ids = [
        (await act(hass, "set_charging_profile", **fields))["profile_id"]
        for fields in (
            {"periods": DAY_AND_NIGHT},
            {"periods": ONE},
            {"periods": ONE, "stack_level": 1},
            {"periods": ONE, "connector": 0},
            {"periods": ONE, "id": 5},
            {"periods": ONE},
        )
    ]
    assert ids == [5000, 5000, 5001, 5002, 5, 5]
    told = (await act(hass, "get_charging_profiles"))["profiles"]
    assert {one["id"] for one in told} == {5001, 5002, 5}


async def test_what_was_accepted_is_listed_even_after_a_restart(
    hass: HomeAssistant, berlin_charger: Charger, init_integration: MockConfigEntry
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await act(hass, "set_charging_profile", periods=ONE, connector=0)
    before = await act(hass, "get_charging_profiles")
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert await act(hass, "get_charging_profiles") == before
    assert before["source"] == "journal"
    nightly, most = before["profiles"]
    assert nightly == {
        "id": 5000,
        "connector": 1,
        "purpose": "TxDefaultProfile",
        "kind": "recurring",
        "recurrence": "daily",
        "stack_level": 6,
        "transaction_id": None,
        "valid_from": None,
        "valid_to": None,
        "unit": "A",
        "start": "2026-11-19T22:00:00+01:00",
        "duration": None,
        "periods": [
            {"start": 0, "limit": 16, "phases": None},
            {"start": 28800, "limit": 6, "phases": None},
        ],
        "source": None,
        "confirmed": True,
    }
    assert most["purpose"] == "ChargingStationMaxProfile"
    for fields, expected in (
        ({"connector": 1}, [5000]),
        ({"connector": 0}, [5001]),
        ({"purpose": "TxDefaultProfile"}, [5000]),
        ({"stack_level": 6}, [5000, 5001]),
        ({"id": 5001}, [5001]),
        ({"id": 5001, "connector": 1}, []),
    ):
        found = await act(hass, "get_charging_profiles", **fields)
        assert [one["id"] for one in found["profiles"]] == expected


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"status": "Rejected"}, "rejected"),
        ({"status": "NotSupported"}, "not_supported_by_charger"),
        (Refusal(code="InternalError"), "rejected"),
    ],
)
async def test_a_refused_profile_leaves_what_was_there(
    hass: HomeAssistant, berlin_charger: Charger, answer: Fields | Refusal, key: str
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    before = await act(hass, "get_charging_profiles")
    berlin_charger.answers["SetChargingProfile"] = answer
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "set_charging_profile", periods=ONE)
    assert caught.value.translation_key == key
    assert await act(hass, "get_charging_profiles") == before
    berlin_charger.answers["ClearChargingProfile"] = answer
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "clear_charging_profile")
    assert caught.value.translation_key == key
    assert await act(hass, "get_charging_profiles") == before


async def test_without_an_answer_nobody_knows(
    hass: HomeAssistant, berlin_charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(V16Link.send, "__defaults__", (0.0,))
    berlin_charger.answers["SetChargingProfile"] = Silence()
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "set_charging_profile", periods=ONE)
    assert caught.value.translation_key == "timed_out"
    (doubtful,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert doubtful["confirmed"] is False


async def test_clearing_by_what_the_profiles_have_in_common(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    await act(hass, "set_charging_profile", periods=ONE, connector=0)
    await act(hass, "set_charging_profile", periods=ONE, stack_level=1)
    cleared = await act(
        hass, "clear_charging_profile", purpose="TxDefaultProfile", stack_level=1
    )
    assert berlin_charger.calls("ClearChargingProfile") == [
        {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}
    ]
    assert cleared["status"] == "accepted"
    assert cleared["cleared"] == [5002]
    assert [one["limit"] for one in cleared["schedule"]["periods"]] == [8]
    assert (await act(hass, "clear_charging_profile", id=5001))["cleared"] == [5001]
    assert berlin_charger.calls("ClearChargingProfile")[-1] == {"id": 5001}
    assert (await act(hass, "clear_charging_profile"))["cleared"] == [5000]
    assert berlin_charger.calls("ClearChargingProfile")[-1] == {}
    last = await act(hass, "clear_charging_profile", connector=1)
    assert berlin_charger.calls("ClearChargingProfile")[-1] == {"connectorId": 1}
    assert last["cleared"] == []
    assert [one["limit"] for one in last["schedule"]["periods"]] == [None]


async def test_nothing_to_clear_is_no_error(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    berlin_charger.answers["ClearChargingProfile"] = {"status": "Unknown"}
    response = await act(hass, "clear_charging_profile", id=5000)
    assert response["status"] == "accepted"
    assert response["answer"] == "Unknown"
    assert (await act(hass, "get_charging_profiles"))["profiles"] == []


async def test_a_profile_of_a_session_ends_with_it(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    number = await berlin_charger.start()
    await act(hass, "set_charging_profile", periods=ONE)
    (only,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert only["transaction_id"] == str(number)
    await berlin_charger.stop(number, 2000)
    await hass.async_block_till_done()
    assert (await act(hass, "get_charging_profiles"))["profiles"] == []


async def test_without_a_connection_only_the_list_is_told(
    hass: HomeAssistant, hub: OcppHub, berlin_charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    await hub.central_system.sessions["CP01"].disconnect()
    await berlin_charger.closed()
    await hass.async_block_till_done()
    berlin_charger.received.clear()
    for action, fields in (
        ("set_charging_profile", {"periods": ONE}),
        ("clear_charging_profile", {}),
        ("get_composite_schedule", {}),
    ):
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, action, **fields)
        assert caught.value.translation_key == "not_connected"
    assert len((await act(hass, "get_charging_profiles"))["profiles"]) == 1
    assert berlin_charger.received == []


async def test_the_composite_schedule_is_told_and_what_we_expect(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    berlin_charger.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-11-20T10:00:00Z",
        "chargingSchedule": {
            "duration": 7200,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 6.5, "numberPhases": 3},
                {"startPeriod": 3600, "limit": 10},
            ],
        },
    }
    response = await act(hass, "get_composite_schedule", duration="02:00:00", unit="A")
    assert berlin_charger.calls("GetCompositeSchedule") == [
        {"connectorId": 1, "duration": 7200, "chargingRateUnit": "A"}
    ]
    assert response["schedule"] == {
        "connector": 1,
        "unit": "A",
        "start": "2026-11-20T11:00:00+01:00",
        "duration": 7200,
        "periods": [
            {
                "start": "2026-11-20T11:00:00+01:00",
                "limit": 6.5,
                "phases": 3,
                "purpose": None,
                "profile_id": None,
            },
            {
                "start": "2026-11-20T12:00:00+01:00",
                "limit": 10,
                "phases": None,
                "purpose": None,
                "profile_id": None,
            },
        ],
    }
    (expected,) = response["expected"]["periods"]
    assert (expected["limit"], expected["profile_id"]) == (6, 5000)


async def test_the_composite_schedule_of_a_day_is_asked_for_if_nothing_is_said(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    response = await act(hass, "get_composite_schedule", connector=0)
    assert berlin_charger.calls("GetCompositeSchedule") == [
        {"connectorId": 0, "duration": 86400}
    ]
    assert response["schedule"]["periods"] == []
    berlin_charger.answers["GetCompositeSchedule"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError, match="Rejected"):
        await act(hass, "get_composite_schedule")


async def test_our_own_limits_are_in_the_list_and_above(
    hass: HomeAssistant, berlin_charger: Charger, schedule_clock: Clock
) -> None:
    schedule_clock.now = utc_now()
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await act(hass, "set_charging_limit", limit=13)
    told = (await act(hass, "get_charging_profiles"))["profiles"]
    assert [one["id"] for one in told] == [5000, 2001]
    expected = (await act(hass, "get_composite_schedule"))["expected"]
    assert [(one["limit"], one["profile_id"]) for one in expected["periods"]] == [
        (13, 2001)
    ]


async def test_a_limit_may_be_for_a_time(
    hass: HomeAssistant, berlin_charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = AsyncMock(return_value=Outcome(status=OutcomeStatus.ACCEPTED))
    monkeypatch.setattr(f"{PACKAGE}.charger_actions.limits.request", request)
    await act(hass, "set_charging_limit", limit=8, duration="00:30:00")
    await act(hass, "set_charging_limit", limit=8)
    spans = [one.kwargs["duration"] for one in request.await_args_list]
    assert spans == [timedelta(minutes=30), None]
