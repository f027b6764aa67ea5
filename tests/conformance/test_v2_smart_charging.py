"""Charging profiles as a charger of OCPP 2.0.1 or 2.1 receives them (block K)."""

from datetime import datetime
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..ha.charger import Payload, Refusal
from ..ha.charger_v2 import Charger2
from ..ha.entities import act, flush, state

LIMITS = [{"start": 0, "limit": 6}]
EXTERNAL = "ChargingStationExternalConstraints"


def sent(charger: Charger2) -> tuple[int, Payload, Payload]:
    """Return EVSE, profile and schedule of the only profile that was sent."""
    (payload,) = charger.calls("SetChargingProfile")
    profile = payload["chargingProfile"]
    (schedule,) = profile["chargingSchedule"]
    return payload["evseId"], profile, schedule


def starts_at_a_moment(schedule: Payload) -> bool:
    """Return whether a schedule begins at a moment of a time zone."""
    return datetime.fromisoformat(schedule["startSchedule"]).tzinfo is not None


@pytest.fixture(autouse=True)
def heard(charger2: Charger2) -> None:
    """Forget what set-up sent."""
    charger2.received.clear()


@pytest.mark.conformance("TC_K_01_CSMS")
@pytest.mark.conformance("TC_K_10_CSMS")
@pytest.mark.parametrize("unit", ["A", "W"])
@pytest.mark.parametrize("evse_id", [0, 1])
async def test_a_default_profile_of_one_evse_and_of_all(
    hass: HomeAssistant, charger2: Charger2, evse_id: int, unit: str
) -> None:
    limit = {"A": 6, "W": 6000}[unit]
    await act(
        hass,
        "set_charging_profile",
        purpose="TxDefaultProfile",
        connector=evse_id,
        unit=unit,
        periods=[{"start": 0, "limit": limit}],
    )
    where, profile, schedule = sent(charger2)
    assert where == evse_id
    assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
    assert profile["chargingProfileKind"] == "Absolute"
    assert "transactionId" not in profile
    assert starts_at_a_moment(schedule)
    assert schedule["chargingRateUnit"] == unit
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": limit}]


@pytest.mark.conformance("TC_K_02_CSMS")
async def test_a_profile_for_a_session_that_is_not_there_is_refused(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "set_charging_profile", purpose="TxProfile", periods=LIMITS)
    assert caught.value.translation_key == "profile_tx_without_transaction"
    assert charger2.calls("SetChargingProfile") == []
    info = {"reasonCode": "TxNotFound"}
    charger2.answers["SetChargingProfile"] = {"status": "Rejected", "statusInfo": info}
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
    }
    profile = {
        "id": 9000,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    with pytest.raises(HomeAssistantError, match="TxNotFound"):
        await act(
            hass,
            "call",
            action="SetChargingProfile",
            payload={"evseId": 1, "chargingProfile": profile},
        )
    assert charger2.calls("SetChargingProfile") == [
        {"evseId": 1, "chargingProfile": profile}
    ]


@pytest.mark.conformance("TC_K_03_CSMS")
@pytest.mark.parametrize("unit", ["A", "W"])
async def test_the_maximum_of_the_station_is_at_evse_0_and_absolute(
    hass: HomeAssistant, charger2: Charger2, unit: str
) -> None:
    limit = {"A": 8, "W": 8000}[unit]
    periods = [{"start": 0, "limit": limit}]
    most = {"purpose": "ChargingStationMaxProfile", "unit": unit, "periods": periods}
    await act(hass, "set_charging_profile", **most)
    where, profile, schedule = sent(charger2)
    assert where == 0
    assert profile["chargingProfilePurpose"] == "ChargingStationMaxProfile"
    assert profile["chargingProfileKind"] == "Absolute"
    assert starts_at_a_moment(schedule)
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": limit}]
    with pytest.raises(ServiceValidationError):
        await act(hass, "set_charging_profile", kind="relative", **most)


@pytest.mark.conformance("TC_K_04_CSMS")
async def test_a_profile_replaces_that_of_its_id(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    for limit in (8, 6):
        await act(
            hass,
            "set_charging_profile",
            id=7000,
            connector=1,
            purpose="TxDefaultProfile",
            periods=[{"start": 0, "limit": limit}],
        )
    profiles = [one["chargingProfile"] for one in charger2.calls("SetChargingProfile")]
    assert [one["id"] for one in profiles] == [7000, 7000]
    assert [
        one["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"]
        for one in profiles
    ] == [8, 6]


@pytest.mark.conformance("TC_K_05_CSMS")
async def test_a_profile_is_cleared_by_its_id_alone(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await act(hass, "clear_charging_profile", id=7000, connector=1)
    assert charger2.calls("ClearChargingProfile") == [{"chargingProfileId": 7000}]


@pytest.mark.conformance("TC_K_06_CSMS")
@pytest.mark.conformance("TC_K_08_CSMS")
@pytest.mark.parametrize("answer", ["Accepted", "Unknown"])
async def test_profiles_are_cleared_by_what_they_have_in_common(
    hass: HomeAssistant, charger2: Charger2, answer: str
) -> None:
    charger2.answers["ClearChargingProfile"] = {"status": answer}
    told = await act(
        hass,
        "clear_charging_profile",
        connector=1,
        purpose="TxDefaultProfile",
        stack_level=2,
    )
    assert (told["status"], told["answer"]) == ("accepted", answer)
    criteria = {
        "evseId": 1,
        "chargingProfilePurpose": "TxDefaultProfile",
        "stackLevel": 2,
    }
    assert charger2.calls("ClearChargingProfile") == [
        {"chargingProfileCriteria": criteria}
    ]


@pytest.mark.conformance("TC_K_15_CSMS")
async def test_that_a_charger_has_no_smart_charging_is_told(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["SetChargingProfile"] = Refusal(code="NotSupported")
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "set_charging_profile", connector=1, periods=LIMITS)
    assert caught.value.translation_key == "not_supported_by_charger"
    assert (await act(hass, "get_charging_profiles"))["profiles"] == []
    assert await charger2.call("Heartbeat")


@pytest.mark.conformance("TC_K_19_CSMS")
@pytest.mark.parametrize("recurrence", ["Daily", "Weekly"])
async def test_a_profile_that_recurs(
    hass: HomeAssistant, charger2: Charger2, recurrence: str
) -> None:
    await act(
        hass,
        "set_charging_profile",
        connector=1,
        recurrence=recurrence,
        periods=[{"start": "00:00", "limit": 6}, {"start": "06:00", "limit": 8}],
    )
    _, profile, schedule = sent(charger2)
    assert profile["chargingProfileKind"] == "Recurring"
    assert profile["recurrencyKind"] == recurrence
    assert starts_at_a_moment(schedule)
    assert schedule["chargingSchedulePeriod"][0] == {"startPeriod": 0, "limit": 6}


ASKED: dict[str, tuple[dict[str, Any], Payload]] = {
    "TC_K_29_CSMS": (
        {"connector": 0, "purpose": "TxDefaultProfile"},
        {
            "evseId": 0,
            "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"},
        },
    ),
    "TC_K_30_CSMS": (
        {"connector": 1, "purpose": "TxDefaultProfile"},
        {
            "evseId": 1,
            "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"},
        },
    ),
    "TC_K_31_CSMS": (
        {"purpose": "TxDefaultProfile"},
        {"chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}},
    ),
    "TC_K_32_CSMS": (
        {"id": 7000},
        {"chargingProfile": {"chargingProfileId": [7000]}},
    ),
    "TC_K_33_CSMS": (
        {"connector": 1, "stack_level": 2},
        {"evseId": 1, "chargingProfile": {"stackLevel": 2}},
    ),
    "TC_K_34_CSMS": (
        {"connector": 1, "source": "ems"},
        {"evseId": 1, "chargingProfile": {"chargingLimitSource": ["EMS"]}},
    ),
    "TC_K_35_CSMS": (
        {"connector": 1, "purpose": "TxProfile"},
        {"evseId": 1, "chargingProfile": {"chargingProfilePurpose": "TxProfile"}},
    ),
    "TC_K_36_CSMS": (
        {"connector": 1, "purpose": "TxDefaultProfile", "stack_level": 2},
        {
            "evseId": 1,
            "chargingProfile": {
                "chargingProfilePurpose": "TxDefaultProfile",
                "stackLevel": 2,
            },
        },
    ),
}


def reporting(charger: Charger2, *reports: Payload) -> None:
    """Let a charger answer the question for its profiles with these reports."""

    def answer(asked: Payload) -> Payload:
        for number, report in enumerate(reports, 1):
            told = {"requestId": asked["requestId"], "tbc": number < len(reports)}
            charger.later("ReportChargingProfiles", {**report, **told})
        return {"status": "Accepted"}

    charger.answers["GetChargingProfiles"] = answer


def report(profile_id: int, evse_id: int, source: str, **fields: Any) -> Payload:
    """Return the report of one profile."""
    schedule = {
        "id": 1,
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
    }
    profile = {
        "id": profile_id,
        "stackLevel": 2,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }
    return {
        "chargingLimitSource": source,
        "evseId": evse_id,
        "chargingProfile": [profile | fields],
    }


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("TC_K_29_CSMS", marks=pytest.mark.conformance("TC_K_29_CSMS")),
        pytest.param("TC_K_30_CSMS", marks=pytest.mark.conformance("TC_K_30_CSMS")),
        pytest.param("TC_K_31_CSMS", marks=pytest.mark.conformance("TC_K_31_CSMS")),
        pytest.param("TC_K_32_CSMS", marks=pytest.mark.conformance("TC_K_32_CSMS")),
        pytest.param("TC_K_33_CSMS", marks=pytest.mark.conformance("TC_K_33_CSMS")),
        pytest.param("TC_K_34_CSMS", marks=pytest.mark.conformance("TC_K_34_CSMS")),
        pytest.param("TC_K_35_CSMS", marks=pytest.mark.conformance("TC_K_35_CSMS")),
        pytest.param("TC_K_36_CSMS", marks=pytest.mark.conformance("TC_K_36_CSMS")),
    ],
)
async def test_profiles_are_asked_for_and_the_reports_put_together(
    hass: HomeAssistant, charger2: Charger2, row: str
) -> None:
    fields, expected = ASKED[row]
    reporting(charger2, report(7000, 1, "CSO"), report(7001, 1, "EMS"))
    told = await act(hass, "get_charging_profiles", **fields)
    (asked,) = charger2.calls("GetChargingProfiles")
    assert asked.pop("requestId") > 0
    assert asked == expected
    assert told["source"] == "charger"
    assert [(one["id"], one["source"]) for one in told["profiles"]] == [
        (7000, None),
        (7001, "EMS"),
    ]


@pytest.mark.conformance("TC_K_37_CSMS")
async def test_a_remote_start_may_carry_the_limit_of_its_session(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await act(hass, "start_charging", id_token="TAG12345", limit=6)
    (asked,) = charger2.calls("RequestStartTransaction")
    assert asked["evseId"] == 1
    profile = asked["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in profile
    (schedule,) = profile["chargingSchedule"]
    (period,) = schedule["chargingSchedulePeriod"]
    assert (period["startPeriod"], period["limit"]) == (0, 6)


@pytest.mark.conformance("TC_K_43_CSMS")
@pytest.mark.conformance("TC_K_44_CSMS")
@pytest.mark.parametrize("evse_id", [0, 1])
async def test_what_holds_at_an_evse_or_at_the_station_is_asked_for_and_read(
    hass: HomeAssistant, charger2: Charger2, evse_id: int
) -> None:
    schedule = {
        "evseId": evse_id,
        "duration": 300,
        "scheduleStart": "2026-11-20T10:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
    }
    answer = {"status": "Accepted", "schedule": schedule}
    charger2.answers["GetCompositeSchedule"] = answer
    told = await act(
        hass, "get_composite_schedule", connector=evse_id, duration="00:05:00", unit="A"
    )
    assert charger2.calls("GetCompositeSchedule") == [
        {"evseId": evse_id, "duration": 300, "chargingRateUnit": "A"}
    ]
    assert [one["limit"] for one in told["schedule"]["periods"]] == [6]


def external(limit: float | None, source: str, **more: Any) -> Payload:
    """Return what a charger tells of a limit that is not ours."""
    told: Payload = {"chargingLimit": {"chargingLimitSource": source}, **more}
    if limit is not None:
        period = {"startPeriod": 0, "limit": limit}
        schedule = {
            "id": 1,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [period],
        }
        told["chargingSchedule"] = [schedule]
    return told


@pytest.mark.conformance("TC_K_48_CSMS")
@pytest.mark.conformance("TC_K_50_CSMS")
@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("EMS", "energy_management"),
        ("SO", "grid_operator"),
        ("CSO", "charging_operator"),
        ("Other", "external"),
    ],
)
@pytest.mark.parametrize("where", [{}, {"evseId": 0}, {"evseId": 1}])
async def test_a_limit_of_others_is_shown_until_it_is_released(
    hass: HomeAssistant, charger2: Charger2, source: str, word: str, where: Payload
) -> None:
    told = external(10.0, source, **where)
    assert await charger2.call("NotifyChargingLimit", told) == {}
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_effective_limit")) == 10
    assert state(hass, "sensor", "CP01_1_limited_by") == word
    gone = {"chargingLimitSource": source, **where}
    assert await charger2.call("ClearedChargingLimit", gone) == {}
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_effective_limit")) == 32
    assert state(hass, "sensor", "CP01_1_limited_by") == "charger_maximum"


@pytest.mark.conformance("TC_K_51_CSMS")
async def test_a_limit_of_others_is_released_during_a_session(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.call("NotifyChargingLimit", external(10.0, "EMS", evseId=1))
    await charger2.begin()
    gone = {"chargingLimitSource": "EMS", "evseId": 1}
    assert await charger2.call("ClearedChargingLimit", gone) == {}
    answer = await charger2.event(
        "Updated", number=1, trigger="ChargingRateChanged", state="Charging"
    )
    assert answer == {}
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_effective_limit")) == 32
    assert state(hass, "sensor", "CP01_1_status") == "charging"


@pytest.mark.conformance("TC_K_52_CSMS")
@pytest.mark.parametrize("source", ["EMS", "Other"])
async def test_the_constraints_of_others_can_be_asked_for(
    hass: HomeAssistant, charger2: Charger2, source: str
) -> None:
    reporting(
        charger2, report(1, 1, source, chargingProfilePurpose=EXTERNAL, stackLevel=0)
    )
    told = await act(hass, "get_charging_profiles", connector=1, purpose=EXTERNAL)
    (asked,) = charger2.calls("GetChargingProfiles")
    assert asked["chargingProfile"] == {"chargingProfilePurpose": EXTERNAL}
    (profile,) = told["profiles"]
    assert (profile["purpose"], profile["source"]) == (EXTERNAL, source)
    # They are not ours to clear.
    charger2.received.clear()
    for action in ("set_charging_profile", "clear_charging_profile"):
        periods = {"periods": LIMITS} if action == "set_charging_profile" else {}
        with pytest.raises((HomeAssistantError, ServiceValidationError)):
            await act(hass, action, connector=1, purpose=EXTERNAL, **periods)
    assert charger2.received == []


@pytest.mark.conformance("TC_K_60_CSMS")
async def test_a_profile_of_a_session_names_it(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-60")
    charger2.received.clear()
    await act(
        hass, "set_charging_profile", connector=1, purpose="TxProfile", periods=LIMITS
    )
    where, profile, schedule = sent(charger2)
    assert (where, profile["transactionId"]) == (1, "tx-60")
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6}]


@pytest.mark.conformance("TC_K_70_CSMS")
@pytest.mark.parametrize("second", ["TxDefaultProfile", "ChargingStationMaxProfile"])
async def test_profiles_live_side_by_side(
    hass: HomeAssistant, charger2: Charger2, second: str
) -> None:
    for level, purpose in ((1, "TxDefaultProfile"), (2, second)):
        connector = 0 if purpose == "ChargingStationMaxProfile" else 1
        await act(
            hass,
            "set_charging_profile",
            connector=connector,
            purpose=purpose,
            stack_level=level,
            periods=LIMITS,
        )
    profiles = [one["chargingProfile"] for one in charger2.calls("SetChargingProfile")]
    assert len({one["id"] for one in profiles}) == 2
    assert [one["stackLevel"] for one in profiles] == [1, 2]
    assert [one["chargingProfilePurpose"] for one in profiles] == [
        "TxDefaultProfile",
        second,
    ]
