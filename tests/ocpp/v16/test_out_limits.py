"""Limits over OCPP 1.6: which profiles are written, when, and what is found in force."""

from decimal import Decimal
from typing import Any

import pytest

from .outbound import SIXTEEN, TEN, Charger, amounts, composite, ladder, purposes, ready
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    CallInterrupted,
    CallNotSent,
    CallTimeout,
    ErrorCode,
)
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.model import StationInfo
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus


@pytest.mark.conformance("TC_056_CSMS")
async def test_without_a_transaction_a_tx_default_profile_is_set_and_verified() -> None:
    charger = await ready()
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert outcome.answer == "Accepted"
    assert outcome.detail == "in force: 10 A"
    assert charger.calls == [
        (
            "SetChargingProfile",
            {
                "connectorId": 1,
                "csChargingProfiles": {
                    "chargingProfileId": 2001,
                    "stackLevel": 5,
                    "chargingProfilePurpose": "TxDefaultProfile",
                    "chargingProfileKind": "Absolute",
                    "chargingSchedule": {
                        "startSchedule": "2026-11-19T10:01:01Z",
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
                    },
                },
            },
        ),
        (
            "GetCompositeSchedule",
            {"connectorId": 1, "duration": 60, "chargingRateUnit": "A"},
        ),
    ]


@pytest.mark.conformance("TC_057_CSMS")
@pytest.mark.conformance("SC_03")
async def test_during_a_transaction_only_a_tx_profile_is_set() -> None:
    charger = await ready()
    charger.begin("7")
    for value in (10, 11, 12):
        outcome = await charger.limit(1, Limit(value=Decimal(value)))
        assert outcome.status is OutcomeStatus.CONFIRMED
    assert purposes(charger) == ["TxProfile"] * 3
    assert {one["transactionId"] for one in charger.profiles_sent()} == {7}
    assert {one["chargingProfileId"] for one in charger.profiles_sent()} == {3001}
    assert all("recurrencyKind" not in one for one in charger.profiles_sent())
    assert charger.journal.writes["limit_writes"] == 0


@pytest.mark.conformance("SC_02")
@pytest.mark.peer("B-16")
async def test_the_whole_station_gets_an_absolute_max_profile_on_connector_0() -> None:
    charger = await ready()
    outcome = await charger.limit(0, SIXTEEN)
    assert outcome.status is OutcomeStatus.CONFIRMED
    [payload] = charger.sent("SetChargingProfile")
    assert payload["connectorId"] == 0
    profile = payload["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "ChargePointMaxProfile"
    assert profile["chargingProfileKind"] == "Absolute"
    assert "startSchedule" in profile["chargingSchedule"]


@pytest.mark.peer("B-15")
async def test_a_limit_of_one_connector_leaves_the_other_alone() -> None:
    charger = await ready()
    charger.station.evse(2)
    await charger.limit(2, TEN)
    [payload] = charger.sent("SetChargingProfile")
    assert payload["connectorId"] == 2
    assert payload["csChargingProfiles"]["chargingProfileId"] == 2002


@pytest.mark.peer("B-18")
async def test_a_limit_equal_to_the_maximum_is_still_a_limit() -> None:
    charger = await ready(maximum_current=32)
    outcome = await charger.limit(1, Limit(value=Decimal(32)))
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert amounts(charger) == [32]
    assert charger.sent("ClearChargingProfile") == []


@pytest.mark.peer("B-30")
async def test_a_limit_change_asks_for_no_configuration() -> None:
    charger = await ready()
    for value in (10, 11):
        await charger.limit(1, Limit(value=Decimal(value)))
    assert charger.sent("GetConfiguration") == []


@pytest.mark.conformance("SC_05")
@pytest.mark.parametrize(
    ("units", "limit", "phases", "unit", "amount"),
    [
        ("Power", TEN, 3, "W", 6900),
        ("Power", TEN, 1, "W", 2300),
        ("Current", Limit(value=Decimal(7000), unit=RateUnit.WATT), 3, "A", 10.1),
        ("Current,Power", Limit(value=Decimal(7000), unit=RateUnit.WATT), 3, "W", 7000),
        ("Current,Power", Limit(value=Decimal("13.87")), 3, "A", 13.8),
        ("A", TEN, 3, "A", 10),
        ("W", TEN, 3, "W", 6900),
        ("nonsense", TEN, 3, "A", 10),
    ],
)
async def test_the_unit_is_one_that_the_charger_knows(
    units: str, limit: Limit, phases: int, unit: str, amount: float
) -> None:
    charger = Charger(phases=phases)
    charger.keys["ChargingScheduleAllowedChargingRateUnit"] = (units, True)
    await charger.learn()
    outcome = await charger.limit(1, limit)
    assert outcome.status is OutcomeStatus.CONFIRMED
    [profile] = charger.profiles_sent()
    assert profile["chargingSchedule"]["chargingRateUnit"] == unit
    assert amounts(charger) == [amount]


async def test_a_charger_of_unknown_unit_is_tried_in_both_and_remembered() -> None:
    # MicroOcpp takes watt only; in quiet mode nobody asked it.
    charger = Charger()

    def watt_only(payload: dict[str, Any]) -> dict[str, Any]:
        schedule = payload["csChargingProfiles"]["chargingSchedule"]
        accepted = schedule["chargingRateUnit"] == "W"
        return {"status": "Accepted" if accepted else "Rejected"}

    charger.answers["SetChargingProfile"] = watt_only
    charger.answers["GetCompositeSchedule"] = composite(6900, "W")
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.CONFIRMED
    await charger.limit(1, SIXTEEN)
    units = [p["chargingSchedule"]["chargingRateUnit"] for p in charger.profiles_sent()]
    assert units == ["A", "W", "W"]


async def test_one_phase_is_told() -> None:
    charger = await ready(phases=1)
    await charger.limit(1, TEN)
    [profile] = charger.profiles_sent()
    [period] = profile["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["numberPhases"] == 1


@pytest.mark.conformance("SC_06")
@pytest.mark.parametrize(
    ("told", "vendor", "level"),
    [("8", "V", 8), (None, "V", 0), ("x", "V", 0), ("3", "ABB", 0), ("-1", "V", 0)],
)
async def test_the_stack_level_is_the_highest_that_works(
    told: str | None, vendor: str, level: int
) -> None:
    charger = Charger()
    charger.keys["ChargeProfileMaxStackLevel"] = (told, True)
    charger.station.info.set(StationInfo(vendor=vendor))
    await charger.learn()
    await charger.limit(1, TEN)
    assert charger.profiles_sent()[0]["stackLevel"] == level


async def test_a_pause_is_a_limit_of_zero() -> None:
    charger = await ready()
    charger.begin()
    outcome = await limits.pause(charger.station, 1)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert amounts(charger) == [0]


@pytest.mark.conformance("SC_03")
async def test_an_identical_persisted_profile_is_never_written_again() -> None:
    charger = await ready()
    for _ in range(3):
        outcome = await charger.limit(1, TEN)
        assert outcome.status is OutcomeStatus.CONFIRMED
    await charger.restart_hub()
    await charger.learn()
    assert (await charger.limit(1, TEN)).status is OutcomeStatus.CONFIRMED
    assert charger.sent("SetChargingProfile") == []


async def test_a_persisted_profile_that_the_charger_lost_is_written_once_a_boot() -> (
    None
):
    charger = await ready()
    await charger.limit(1, TEN)
    charger.profiles.clear()
    assert (await charger.limit(1, TEN)).status is OutcomeStatus.CONFIRMED
    assert len(charger.profiles_sent()) == 2
    charger.answers["GetCompositeSchedule"] = composite(None)
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert outcome.detail == "in force: no limit"
    assert len(charger.profiles_sent()) == 2
    charger.reboot()
    charger.answers["SetChargingProfile"] = {"status": "Rejected"}
    assert not (await charger.limit(1, TEN)).ok


async def test_a_lost_answer_leaves_the_profile_unknown_and_writes_it_again() -> None:
    charger = await ready()
    charger.answers["SetChargingProfile"] = CallTimeout()
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert "TxDefaultProfile" in outcome.detail
    charger.answers.clear()
    await charger.restart_hub()
    assert (await charger.limit(1, TEN)).status is OutcomeStatus.CONFIRMED
    assert len(charger.profiles_sent()) == 2


async def test_the_ladder_goes_on_after_a_refusal() -> None:
    charger = await ready()
    charger.begin()
    charger.refused_purposes = {"TxProfile"}
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert ladder(charger) == ["TxProfile", "TxDefaultProfile"]
    charger.calls.clear()
    await charger.limit(1, SIXTEEN)
    assert purposes(charger) == ["TxDefaultProfile"]


async def test_a_max_profile_is_the_last_rung_of_a_charger_with_one_connector() -> None:
    charger = await ready()
    charger.begin()
    charger.refused_purposes = {"TxProfile", "TxDefaultProfile"}
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert charger.sent("SetChargingProfile")[-1]["connectorId"] == 0
    await charger.limit(1, None)
    assert charger.profiles == {}


async def test_a_max_profile_never_stands_for_one_of_two_connectors() -> None:
    charger = await ready()
    charger.keys["NumberOfConnectors"] = ("2", True)
    await charger.learn()
    charger.refused_purposes = {"TxDefaultProfile"}
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.REJECTED
    assert ladder(charger) == ["TxDefaultProfile"]


async def test_a_refused_ladder_names_every_answer() -> None:
    charger = await ready()
    charger.begin()

    def refuse(payload: dict[str, Any]) -> dict[str, Any]:
        match payload["csChargingProfiles"]["chargingProfilePurpose"]:
            case "TxProfile":
                return {"status": "Rejected"}
            case "TxDefaultProfile":
                return {"status": "NotSupported"}
        raise CallError(ErrorCode.INTERNAL, "InternalError", "boom")

    charger.answers["SetChargingProfile"] = refuse
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.detail == (
        "TxProfile in A, level 5: Rejected; TxProfile in A, level 0: Rejected;"
        " TxProfile in A, relative, level 5: Rejected;"
        " TxDefaultProfile in A, level 5: NotSupported;"
        " ChargingStationMaxProfile in A, level 5: InternalError: boom;"
        " ChargingStationMaxProfile in A, level 0: InternalError: boom"
    )
    assert charger.sent("GetCompositeSchedule") == []


async def test_a_refused_replacement_leaves_the_old_profile_known() -> None:
    charger = await ready()
    await charger.limit(0, SIXTEEN)
    charger.refused_purposes = {"ChargePointMaxProfile"}
    assert not (await charger.limit(0, TEN)).ok
    charger.refused_purposes.clear()
    await charger.limit(0, SIXTEEN)
    assert amounts(charger) == [16, 10]


async def test_a_dropped_connection_ends_the_ladder() -> None:
    charger = await ready()
    charger.begin()
    charger.answers["SetChargingProfile"] = CallInterrupted()
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.NO_ANSWER
    assert len(charger.calls) == 1


async def test_not_connected_is_raised_if_nothing_was_sent() -> None:
    charger = await ready()
    charger.online = False
    with pytest.raises(NotConnected):
        await charger.limit(1, TEN)
    charger.online = True
    await charger.limit(1, TEN)
    charger.online = False
    with pytest.raises(NotConnected):
        await charger.limit(1, TEN)
    with pytest.raises(NotConnected):
        await charger.limit(1, None)


async def test_a_connection_lost_within_the_ladder_is_no_answer() -> None:
    charger = await ready()
    charger.begin()
    answers: list[Any] = [{"status": "Rejected"}, CallNotSent()]
    charger.answers["SetChargingProfile"] = lambda _: answers.pop(0)
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.NO_ANSWER
    assert "TxProfile in A, level 5: Rejected" in outcome.detail


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (composite(16), "in force: 16 A"),
        (composite(6), "in force: 6 A"),
        (composite(-1), "in force: no limit"),
        (composite(None), "in force: no limit"),
        ({"status": "Accepted"}, "in force: no limit"),
        ({"status": "Rejected"}, "not verified: Rejected"),
        (CallInterrupted("gone"), "not verified: gone"),
        (CallNotSent(), "not verified: disconnected"),
        (composite("10"), "in force: no limit"),  # type: ignore[arg-type]
    ],
)
async def test_an_accepted_limit_that_is_not_in_force_is_told(
    answer: dict[str, Any] | Exception, detail: str
) -> None:
    charger = await ready()
    charger.answers["GetCompositeSchedule"] = answer
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert outcome.detail == detail


@pytest.mark.parametrize(
    "answer",
    [composite(10.1), composite(9.9), composite(6900, "W"), composite(6930, "W")],
)
async def test_a_limit_in_force_may_differ_by_a_tenth(answer: dict[str, Any]) -> None:
    charger = await ready()
    charger.answers["GetCompositeSchedule"] = answer
    outcome = await charger.limit(1, TEN)
    assert outcome.status is OutcomeStatus.CONFIRMED


async def test_an_answer_without_a_schedule_or_status_verifies_nothing() -> None:
    charger = await ready()
    charger.answers["GetCompositeSchedule"] = {}
    outcome = await charger.limit(1, TEN)
    assert outcome.detail == "not verified: no schedule"


@pytest.mark.parametrize(
    "answer",
    [
        CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", ""),
        CallError(ErrorCode.NOT_SUPPORTED, "NotSupported", ""),
    ],
)
async def test_a_charger_that_cannot_be_verified_is_asked_once_a_boot(
    answer: Exception,
) -> None:
    charger = await ready()
    charger.answers["GetCompositeSchedule"] = answer
    first = await charger.limit(1, TEN)
    assert first.status is OutcomeStatus.ACCEPTED
    assert first.detail.startswith("not verified")
    second = await charger.limit(1, SIXTEEN)
    assert second.status is OutcomeStatus.ACCEPTED
    assert len(charger.sent("GetCompositeSchedule")) == 1
    charger.reboot()
    await charger.limit(1, TEN)
    assert len(charger.sent("GetCompositeSchedule")) == 2


async def test_a_charger_that_answers_late_twice_is_asked_no_more() -> None:
    charger = await ready()
    charger.answers["GetCompositeSchedule"] = CallTimeout("late")
    for amount in (TEN, SIXTEEN, TEN):
        outcome = await charger.limit(1, amount)
        assert outcome.status is OutcomeStatus.ACCEPTED
        assert outcome.detail.startswith("not verified")
    assert len(charger.sent("GetCompositeSchedule")) == 2
    charger.reboot()
    await charger.limit(1, SIXTEEN)
    assert len(charger.sent("GetCompositeSchedule")) == 3


async def test_an_own_lower_default_does_not_keep_a_tx_profile_down() -> None:
    # Easee: the lowest limit wins, of TxProfile and TxDefaultProfile as well.
    charger = await ready()
    await charger.limit(1, TEN)
    charger.begin()

    def lowest(payload: dict[str, Any]) -> dict[str, Any]:
        found = [one["chargingSchedule"] for _, one in charger.profiles.values()]
        periods = [one["chargingSchedulePeriod"][0]["limit"] for one in found]
        return composite(min(periods))

    charger.answers["GetCompositeSchedule"] = lowest
    outcome = await charger.limit(1, SIXTEEN)
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert outcome.detail == "in force: 10 A"
    charger.calls.clear()
    # It may take its time: only then is it known that our own profile is in the way.
    await charger.time.advance(59)
    assert charger.calls == []
    await charger.time.advance(1)
    assert [action for action, _ in charger.calls] == [
        "GetCompositeSchedule",
        "ClearChargingProfile",
        "SetChargingProfile",
        "GetCompositeSchedule",
    ]
    assert charger.sent("ClearChargingProfile") == [{"id": 2001}]
    assert amounts(charger) == [16]
    assert charger.limiter.learnt.tx_default_caps
