"""Charging profiles of OCPP 2.x: sent, listed, cleared and made to hold."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from .outbound import Charger, ready
from custom_components.ev_charger_hub.ocpp.errors import CallTimeout
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.model import StationInfo
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Kind,
    Period,
    ProfileCriteria,
    Purpose,
    Recurrence,
    Schedule,
)

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
TEN = Limit(value=Decimal(10))
PROFILE = ChargingProfile(
    id=7,
    purpose=Purpose.TX_DEFAULT,
    kind=Kind.ABSOLUTE,
    stack_level=2,
    schedule=Schedule(
        unit=RateUnit.AMPERE,
        periods=(Period(start=0, limit=Decimal("10.5"), phases=3),),
        start=START,
        duration=3600,
    ),
)
RECURRING = replace(
    PROFILE,
    id=8,
    kind=Kind.RECURRING,
    recurrence=Recurrence.DAILY,
    valid_from=START,
    valid_to=datetime(2026, 12, 24, tzinfo=UTC),
    schedule=replace(
        PROFILE.schedule,
        unit=RateUnit.WATT,
        minimum_rate=Decimal("0.1"),
        periods=(
            Period(start=0, limit=Decimal(11000)),
            Period(start=600, limit=Decimal(0), phases=1, phase_to_use=2),
        ),
    ),
)
SESSION = replace(
    PROFILE,
    id=9,
    purpose=Purpose.TX,
    kind=Kind.RELATIVE,
    transaction_id="29188857-ed1d-4b3d-a49f-0702fe10c1d1",
    schedule=replace(PROFILE.schedule, start=None, duration=None),
)
STATION_MAX = replace(PROFILE, id=10, purpose=Purpose.STATION_MAX)
WORDS = {
    "id": 8,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Daily",
    "validFrom": "2026-11-20T08:00:00Z",
    "validTo": "2026-12-24T00:00:00Z",
    "chargingSchedule": [
        {
            "id": 8,
            "startSchedule": "2026-11-20T08:00:00Z",
            "duration": 3600,
            "minChargingRate": 0.1,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 11000},
                {"startPeriod": 600, "limit": 0, "numberPhases": 1, "phaseToUse": 2},
            ],
        }
    ],
}


@pytest.mark.conformance("TC_K_01_CSMS", "TC_K_19_CSMS")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_profile_is_written_out_in_full(version: str) -> None:
    charger = Charger(version)
    assert (await charger.link.set_profile(1, RECURRING)).ok
    assert charger.calls == [
        ("SetChargingProfile", {"evseId": 1, "chargingProfile": WORDS})
    ]


async def test_a_profile_of_a_session_names_its_transaction_and_no_start() -> None:
    charger = Charger()
    await charger.link.set_profile(1, SESSION)
    [payload] = charger.sent("SetChargingProfile")
    profile = payload["chargingProfile"]
    assert profile["transactionId"] == SESSION.transaction_id
    assert "startSchedule" not in profile["chargingSchedule"][0]


@pytest.mark.parametrize(
    "profile",
    [
        replace(PROFILE, purpose=Purpose.PRIORITY),
        replace(PROFILE, purpose=Purpose.LOCAL_GENERATION),
        replace(PROFILE, kind=Kind.DYNAMIC),
        replace(PROFILE, schedule=replace(PROFILE.schedule, use_local_time=True)),
    ],
)
async def test_what_only_2_1_knows_is_sent_in_2_1_only(
    profile: ChargingProfile,
) -> None:
    old, new = Charger("2.0.1"), Charger("2.1")
    outcome = await old.link.set_profile(1, profile)
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert "nothing was sent" in outcome.detail
    assert old.calls == []
    assert (await new.link.set_profile(1, profile)).ok
    told = new.sent("SetChargingProfile")[0]["chargingProfile"]
    local = profile.schedule.use_local_time
    assert told["chargingSchedule"][0].get("useLocalTime", False) is local


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_session_that_only_a_cloud_knows_has_no_profile(version: str) -> None:
    charger = Charger(version)
    profile = replace(SESSION, transaction_id="easee-17")
    outcome = await charger.link.set_profile(1, profile)
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert charger.calls == []


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_external_constraints_are_nothing_that_we_set(version: str) -> None:
    charger = Charger(version)
    profile = replace(PROFILE, purpose=Purpose.EXTERNAL)
    outcome = await charger.link.set_profile(0, profile)
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert charger.calls == []


async def test_a_refusal_tells_its_reason() -> None:
    charger = Charger()
    charger.answers["SetChargingProfile"] = {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "DuplicateProfile"},
    }
    outcome = await charger.link.set_profile(1, PROFILE)
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.detail == "DuplicateProfile"


# Clearing


@pytest.mark.conformance("TC_K_05_CSMS", "TC_K_06_CSMS")
@pytest.mark.parametrize(
    ("criteria", "payload"),
    [
        # With an id nothing else is heeded (K10.FR.03).
        (ProfileCriteria(id=7, evse_id=1), {"chargingProfileId": 7}),
        (ProfileCriteria(evse_id=0), {"chargingProfileCriteria": {"evseId": 0}}),
        (
            ProfileCriteria(purpose=Purpose.TX_DEFAULT, stack_level=0, evse_id=1),
            {
                "chargingProfileCriteria": {
                    "evseId": 1,
                    "chargingProfilePurpose": "TxDefaultProfile",
                    "stackLevel": 0,
                }
            },
        ),
    ],
)
async def test_what_is_cleared_is_said_as_2_x_says_it(
    criteria: ProfileCriteria, payload: dict[str, Any]
) -> None:
    charger = Charger()
    await charger.link.clear_profiles(criteria)
    assert charger.calls == [("ClearChargingProfile", payload)]


@pytest.mark.conformance("TC_K_08_CSMS")
@pytest.mark.parametrize(("version", "purposes"), [("2.0.1", 3), ("2.1", 5)])
async def test_everything_is_cleared_purpose_by_purpose(
    version: str, purposes: int
) -> None:
    charger = Charger(version)
    for profile in (PROFILE, STATION_MAX):
        await charger.link.set_profile(0, profile)
    outcome = await charger.link.clear_profiles(ProfileCriteria())
    assert outcome.ok
    assert charger.profiles == {}
    asked = charger.sent("ClearChargingProfile")
    assert len(asked) == purposes
    assert all(one["chargingProfileCriteria"] for one in asked)
    again = await charger.link.clear_profiles(ProfileCriteria())
    assert again.answer == "Unknown"


async def test_clearing_everything_stops_when_nobody_answers() -> None:
    charger = Charger()
    charger.answers["ClearChargingProfile"] = CallTimeout()
    outcome = await charger.link.clear_profiles(ProfileCriteria())
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert len(charger.calls) == 1


async def test_a_purpose_that_2_0_1_has_not_is_not_cleared() -> None:
    charger = Charger()
    criteria = ProfileCriteria(purpose=Purpose.PRIORITY)
    outcome = await charger.link.clear_profiles(criteria)
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert charger.calls == []


# Listing


@pytest.mark.conformance("TC_K_31_CSMS")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_what_a_charger_holds_is_listed_as_it_was_set(version: str) -> None:
    charger = Charger(version)
    for evse_id, profile in ((1, RECURRING), (1, SESSION), (0, STATION_MAX)):
        await charger.link.set_profile(evse_id, profile)
    outcome, found = await charger.link.get_profiles(ProfileCriteria())
    assert outcome.ok
    assert [(one.evse_id, one.profile, one.source) for one in found] == [
        (1, RECURRING, None),
        (1, SESSION, None),
        (0, STATION_MAX, None),
    ]


@pytest.mark.conformance("TC_K_32_CSMS")
@pytest.mark.parametrize(
    ("criteria", "payload"),
    [
        (ProfileCriteria(), {"chargingProfile": {}}),
        (ProfileCriteria(evse_id=0), {"evseId": 0, "chargingProfile": {}}),
        (
            ProfileCriteria(id=7, purpose=Purpose.EXTERNAL, stack_level=1),
            {
                "chargingProfile": {
                    "chargingProfileId": [7],
                    "chargingProfilePurpose": "ChargingStationExternalConstraints",
                    "stackLevel": 1,
                }
            },
        ),
    ],
)
async def test_what_is_listed_is_said_as_2_x_says_it(
    criteria: ProfileCriteria, payload: dict[str, Any]
) -> None:
    charger = Charger()
    outcome, found = await charger.link.get_profiles(criteria)
    assert (outcome.ok, found) == (True, [])
    assert charger.calls == [("GetChargingProfiles", {"requestId": 1, **payload})]


async def test_no_profiles_is_an_answer() -> None:
    charger = Charger()
    outcome, found = await charger.link.get_profiles(ProfileCriteria())
    assert (outcome.ok, outcome.answer, found) == (True, "NoProfiles", [])


async def test_profiles_that_are_announced_and_never_come_are_a_time_out() -> None:
    charger = Charger()
    await charger.link.set_profile(1, PROFILE)
    charger.lost = {0}
    task = asyncio.ensure_future(charger.link.get_profiles(ProfileCriteria()))
    await charger.time.advance(31)
    outcome, found = await task
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert found == []


async def test_who_else_limits_is_told() -> None:
    charger = Charger()
    charger.answers["GetChargingProfiles"] = {"status": "Accepted"}
    task = asyncio.ensure_future(charger.link.get_profiles(ProfileCriteria()))
    await charger.time.advance(1)
    good = {**WORDS, "validTo": "2262-04-11T23:46:49.854Z"}
    charger.reports.report_charging_profiles(
        {
            "requestId": 1,
            "chargingLimitSource": "EMS",
            "evseId": 0,
            "chargingProfile": [
                {**good, "chargingProfilePurpose": "Invented"},
                {**good, "chargingSchedule": []},
                {"id": 3},
                good,
            ],
        }
    )
    _, found = await task
    # libocpp says 2262 where nothing ends.
    assert [(one.source, one.profile) for one in found] == [
        ("EMS", replace(RECURRING, valid_to=None))
    ]


# The composite schedule


@pytest.mark.conformance("TC_K_43_CSMS")
async def test_a_composite_schedule_is_read() -> None:
    charger = Charger()
    charger.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "schedule": {
            "evseId": 1,
            "duration": 3600,
            "scheduleStart": "2026-11-20T23:51:37.000Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 8.0, "numberPhases": 3}
            ],
        },
    }
    outcome, told = await charger.link.composite_schedule(1, 600, RateUnit.AMPERE)
    assert charger.calls == [
        (
            "GetCompositeSchedule",
            {"evseId": 1, "duration": 600, "chargingRateUnit": "A"},
        )
    ]
    assert outcome.ok
    assert told is not None
    assert told.start == datetime(2026, 11, 20, 23, 51, 37, tzinfo=UTC)
    assert [(one.start, one.limit, one.phases) for one in told.periods] == [
        (0, Fraction(8), 3)
    ]


async def test_what_libocpp_says_without_a_profile_is_no_limit() -> None:
    charger = Charger()
    charger.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "schedule": {
            "evseId": 1,
            "duration": 600,
            "scheduleStart": "2026-11-20T10:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 48.0},
                {"startPeriod": 60, "limit": 10},
            ],
        },
    }
    name = "SmartChargingCtrlr.CompositeScheduleDefaultLimitAmps"
    charger.variables[name] = "48"
    await charger.learn()
    _, told = await charger.link.composite_schedule(1, 600)
    assert told is not None
    assert [one.limit for one in told.periods] == [None, Fraction(10)]


@pytest.mark.parametrize(
    "answer",
    [{"status": "Rejected"}, CallTimeout("no")],
)
async def test_a_refused_composite_schedule_tells_nothing(answer: Any) -> None:
    charger = Charger()
    charger.answers["GetCompositeSchedule"] = answer
    outcome, told = await charger.link.composite_schedule(1, 600)
    assert not outcome.ok
    assert told is None


# What the charger says it takes


async def test_support_is_read_from_the_variables() -> None:
    charger = await ready()
    support = charger.link.profile_support
    assert support.units == (RateUnit.AMPERE, RateUnit.WATT)
    assert (support.max_stack_level, support.max_periods) == (9, 24)
    assert support.evses == 1
    assert not support.phase_switching
    charger.variables |= {
        "SmartChargingCtrlr.RateUnit": "W",
        "SmartChargingCtrlr.ACPhaseSwitchingSupported": "true",
        "SmartChargingCtrlr.Entries[ChargingProfiles]": "0",
    }
    charger.described["SmartChargingCtrlr.Entries[ChargingProfiles]"] = {"maxLimit": 9}
    await charger.learn()
    support = charger.link.profile_support
    assert support.units == (RateUnit.WATT,)
    assert support.phase_switching
    assert support.phase_to_use
    assert support.max_profiles == 9


async def test_a_quirk_counts_for_more_than_what_the_charger_says() -> None:
    charger = await ready()
    charger.station.info.set(StationInfo(vendor="ABB", model="Terra", firmware="2.0"))
    assert charger.link.profile_support.max_stack_level == 0


# The ladder


@pytest.mark.conformance("TC_K_60_CSMS")
async def test_a_limit_is_a_profile_of_the_session_while_one_runs() -> None:
    charger = await ready()
    charger.begin("abc")
    outcome = await charger.limit(1, TEN)
    assert outcome.ok
    told = charger.sent("SetChargingProfile")[-1]
    assert told["evseId"] == 1
    profile = told["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == "abc"
    [schedule] = profile["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"][0]["limit"] == 10


@pytest.mark.conformance("TC_K_04_CSMS")
async def test_a_limit_keeps_its_id_however_often_it_changes() -> None:
    charger = await ready()
    for value in (10, 12, 14):
        await charger.limit(1, Limit(value=Decimal(value)))
    sent = [one["chargingProfile"]["id"] for one in charger.sent("SetChargingProfile")]
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert len(charger.profiles) == 1


@pytest.mark.conformance("TC_K_03_CSMS")
async def test_the_limit_of_the_station_is_absolute_and_at_evse_0() -> None:
    charger = await ready()
    charger.station.evse(2)
    assert (await charger.limit(0, TEN)).ok
    told = charger.sent("SetChargingProfile")[-1]
    assert told["evseId"] == 0
    profile = told["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "ChargingStationMaxProfile"
    assert profile["chargingProfileKind"] == "Absolute"
    assert "startSchedule" in profile["chargingSchedule"][0]


async def test_a_limit_that_is_taken_back_is_cleared() -> None:
    charger = await ready()
    await charger.limit(1, TEN)
    assert (await charger.limit(1, None)).ok
    assert charger.profiles == {}
