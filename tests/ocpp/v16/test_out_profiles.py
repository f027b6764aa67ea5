"""Charging profiles over OCPP 1.6: one message each, in the words of 1.6."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from .outbound import Charger, composite, ready
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    CallTimeout,
    ErrorCode,
)
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.model import StationInfo
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    CompositePeriod,
    Kind,
    Period,
    ProfileCriteria,
    ProfileSupport,
    Purpose,
    Recurrence,
    Schedule,
)

START = datetime(2026, 11, 20, 9, 30, 0, 999999, tzinfo=UTC)
PROFILE = ChargingProfile(
    id=5000,
    purpose=Purpose.TX_DEFAULT,
    kind=Kind.ABSOLUTE,
    stack_level=2,
    schedule=Schedule(
        unit=RateUnit.AMPERE,
        start=START,
        periods=(
            Period(start=0, limit=Decimal("16.0")),
            Period(start=3600, limit=Decimal("9.5"), phases=1),
        ),
    ),
)
PLAIN = {
    "chargingProfileId": 5000,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": "2026-11-20T09:30:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16},
            {"startPeriod": 3600, "limit": 9.5, "numberPhases": 1},
        ],
    },
}


@pytest.mark.conformance("TC_056_CSMS")
async def test_a_default_profile_is_one_message() -> None:
    charger = await ready()
    outcome = await charger.link.set_profile(1, PROFILE)
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert outcome.answer == "Accepted"
    assert charger.calls == [
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PLAIN})
    ]


@pytest.mark.conformance("TC_057_CSMS")
async def test_a_profile_of_a_transaction_names_it() -> None:
    charger = await ready()
    profile = replace(PROFILE, purpose=Purpose.TX, transaction_id="42")
    await charger.link.set_profile(1, profile)
    [sent] = charger.profiles_sent()
    assert sent["chargingProfilePurpose"] == "TxProfile"
    assert sent["transactionId"] == 42


@pytest.mark.parametrize(
    ("profile", "evse_id", "expected"),
    [
        (
            replace(PROFILE, purpose=Purpose.STATION_MAX),
            0,
            {"chargingProfilePurpose": "ChargePointMaxProfile"},
        ),
        (
            replace(PROFILE, kind=Kind.RECURRING, recurrence=Recurrence.WEEKLY),
            1,
            {"chargingProfileKind": "Recurring", "recurrencyKind": "Weekly"},
        ),
        (
            replace(PROFILE, valid_from=START, valid_to=START),
            1,
            {
                "validFrom": "2026-11-20T09:30:00Z",
                "validTo": "2026-11-20T09:30:00Z",
            },
        ),
        (
            replace(
                PROFILE,
                kind=Kind.RELATIVE,
                schedule=Schedule(
                    unit=RateUnit.WATT,
                    duration=60,
                    minimum_rate=Decimal("4140.0"),
                    periods=(Period(start=0, limit=Decimal(7360)),),
                ),
            ),
            1,
            {
                "chargingProfileKind": "Relative",
                "chargingSchedule": {
                    "duration": 60,
                    "minChargingRate": 4140,
                    "chargingRateUnit": "W",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7360}],
                },
            },
        ),
    ],
)
async def test_what_is_not_given_is_not_sent(
    profile: ChargingProfile, evse_id: int, expected: dict[str, Any]
) -> None:
    charger = await ready()
    await charger.link.set_profile(evse_id, profile)
    [sent] = charger.sent("SetChargingProfile")
    assert sent == {"connectorId": evse_id, "csChargingProfiles": PLAIN | expected}


@pytest.mark.parametrize(
    "profile",
    [
        replace(PROFILE, purpose=Purpose.PRIORITY),
        replace(PROFILE, purpose=Purpose.EXTERNAL),
        replace(PROFILE, kind=Kind.DYNAMIC),
        replace(PROFILE, purpose=Purpose.TX, transaction_id="a-uuid"),
    ],
)
async def test_what_1_6_has_no_words_for_is_not_sent(profile: ChargingProfile) -> None:
    charger = await ready()
    outcome = await charger.link.set_profile(1, profile)
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert "nothing was sent" in outcome.detail
    assert charger.calls == []


@pytest.mark.parametrize(
    ("criteria", "payload"),
    [
        (ProfileCriteria(), {}),
        (ProfileCriteria(id=5000), {"id": 5000}),
        (ProfileCriteria(evse_id=0), {"connectorId": 0}),
        (
            ProfileCriteria(evse_id=1, purpose=Purpose.STATION_MAX, stack_level=0),
            {
                "connectorId": 1,
                "chargingProfilePurpose": "ChargePointMaxProfile",
                "stackLevel": 0,
            },
        ),
    ],
)
@pytest.mark.conformance("TC_067_CSMS")
async def test_profiles_are_cleared_by_what_is_known_of_them(
    criteria: ProfileCriteria, payload: dict[str, Any]
) -> None:
    charger = await ready()
    charger.answers["ClearChargingProfile"] = {"status": "Accepted"}
    assert (await charger.link.clear_profiles(criteria)).ok
    assert charger.calls == [("ClearChargingProfile", payload)]


async def test_an_unknown_profile_is_told_and_an_unknown_purpose_not_sent() -> None:
    charger = await ready()
    charger.answers["ClearChargingProfile"] = {"status": "Unknown"}
    outcome = await charger.link.clear_profiles(ProfileCriteria(id=1))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "Unknown")
    criteria = ProfileCriteria(purpose=Purpose.LOCAL_GENERATION)
    outcome = await charger.link.clear_profiles(criteria)
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert len(charger.calls) == 1


async def test_1_6_cannot_list_its_profiles() -> None:
    charger = await ready()
    outcome, found = await charger.link.get_profiles(ProfileCriteria())
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert found == []
    assert charger.calls == []


def _period(start: int, limit: str | None, phases: int | None = None) -> Any:
    amount = None if limit is None else Fraction(limit)
    return CompositePeriod(start=start, limit=amount, phases=phases)


@pytest.mark.conformance("TC_066_CSMS")
async def test_the_composite_schedule_is_read() -> None:
    charger = await ready()
    charger.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-11-20T09:00:00Z",
        "chargingSchedule": {
            "duration": 600,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 3680.1, "numberPhases": 1},
                {"startPeriod": 300, "limit": -1.0},
            ],
        },
    }
    outcome, schedule = await charger.link.composite_schedule(1, 900, RateUnit.WATT)
    assert charger.calls == [
        (
            "GetCompositeSchedule",
            {"connectorId": 1, "duration": 900, "chargingRateUnit": "W"},
        )
    ]
    assert outcome.ok
    assert schedule is not None
    assert schedule.unit is RateUnit.WATT
    assert schedule.start == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert schedule.duration == 600
    assert schedule.periods == (_period(0, "3680.1", 1), _period(300, None))


@pytest.mark.parametrize(
    ("answer", "periods"),
    [
        ({"status": "Accepted"}, ()),
        (composite(None), ()),
        (composite(10), (_period(0, "10"),)),
        ({"status": "Accepted", "chargingSchedule": "none"}, ()),
    ],
)
async def test_a_schedule_without_periods_limits_nothing(
    answer: dict[str, Any], periods: tuple[CompositePeriod, ...]
) -> None:
    charger = await ready()
    charger.answers["GetCompositeSchedule"] = answer
    _, schedule = await charger.link.composite_schedule(1, 900)
    assert charger.calls == [
        ("GetCompositeSchedule", {"connectorId": 1, "duration": 900})
    ]
    assert schedule is not None
    assert schedule.unit is RateUnit.AMPERE
    assert schedule.start == charger.time.now
    assert schedule.duration == 900
    assert schedule.periods == periods


@pytest.mark.parametrize(
    "period",
    [
        "none",
        {"limit": 10},
        {"startPeriod": -1, "limit": 10},
        {"startPeriod": True, "limit": 10},
        {"startPeriod": 0, "limit": "10"},
        {"startPeriod": 0, "limit": float("nan")},
        {"startPeriod": 0},
    ],
)
async def test_what_makes_no_sense_in_a_schedule_is_left_out(period: Any) -> None:
    charger = await ready()
    good = {"startPeriod": 60, "limit": 8}
    charger.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [period, good],
        },
    }
    _, schedule = await charger.link.composite_schedule(1, 900)
    assert schedule is not None
    assert schedule.periods == (_period(60, "8"),)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": "Rejected"}, OutcomeStatus.REJECTED),
        (
            CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", ""),
            OutcomeStatus.NOT_SUPPORTED,
        ),
        (CallTimeout("30 s"), OutcomeStatus.TIMED_OUT),
    ],
)
async def test_a_refusal_is_an_outcome(
    answer: dict[str, Any] | Exception, status: OutcomeStatus
) -> None:
    charger = await ready()
    for action in (
        "SetChargingProfile",
        "ClearChargingProfile",
        "GetCompositeSchedule",
    ):
        charger.answers[action] = answer
    assert (await charger.link.set_profile(1, PROFILE)).status is status
    cleared = await charger.link.clear_profiles(ProfileCriteria(id=1))
    assert cleared.status is status
    outcome, schedule = await charger.link.composite_schedule(1, 900)
    assert (outcome.status, schedule) == (status, None)


async def test_without_a_connection_nothing_is_sent() -> None:
    charger = await ready()
    charger.online = False
    with pytest.raises(NotConnected):
        await charger.link.set_profile(1, PROFILE)
    with pytest.raises(NotConnected):
        await charger.link.clear_profiles(ProfileCriteria())
    with pytest.raises(NotConnected):
        await charger.link.composite_schedule(1, 900)


async def test_what_is_supported_is_what_the_keys_and_the_vendor_say() -> None:
    charger = Charger()
    assert charger.link.profile_support == ProfileSupport()
    charger.keys |= {
        "ChargingScheduleMaxPeriods": ("24", True),
        "MaxChargingProfilesInstalled": ("8", True),
        "ConnectorSwitch3to1PhaseSupported": ("true", True),
        "ChargingScheduleAllowedChargingRateUnit": ("Current", True),
    }
    await charger.learn()
    assert charger.link.profile_support == ProfileSupport(
        units=(RateUnit.AMPERE,),
        max_stack_level=5,
        max_periods=24,
        max_profiles=8,
        evses=1,
        phase_switching=True,
    )
    for firmware, settling in (("344", 60), ("344/1.8.0.0", 180)):
        charger.station.info.set(StationInfo(vendor="Easee", firmware=firmware))
        support = charger.link.profile_support
        assert support.max_stack_level == 0
        assert support.replaces_by_clearing
        assert support.only_absolute
        assert support.default_caps
        assert support.settling == settling
