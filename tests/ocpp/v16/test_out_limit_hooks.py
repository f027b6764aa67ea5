"""Limits over OCPP 1.6: cleared, surviving a transaction, asserted again."""

from decimal import Decimal
from typing import Any

import pytest

from .outbound import SIXTEEN, TEN, amounts, ladder, purposes, ready
from custom_components.ev_charger_hub.ocpp.errors import CallNotSent, CallTimeout
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.limiter.attendant import START_DELAY
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus


@pytest.mark.conformance("TC_067_CSMS")
async def test_clearing_removes_our_own_profiles_by_id_and_no_others() -> None:
    charger = await ready()
    foreign: dict[str, Any] = {"chargingProfilePurpose": "TxDefaultProfile"}
    await charger.limit(1, TEN)
    await charger.limit(0, SIXTEEN)
    charger.begin()
    await charger.limit(1, SIXTEEN)
    charger.profiles[55] = (1, foreign)
    outcome = await charger.limit(1, None)
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert charger.sent("ClearChargingProfile") == [{"id": 3001}, {"id": 2001}]
    assert set(charger.profiles) == {55, 1000}
    await charger.limit(0, None)
    assert set(charger.profiles) == {55}


async def test_a_profile_that_is_not_there_counts_as_cleared() -> None:
    charger = await ready()
    outcome = await charger.limit(1, None)
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert outcome.answer == "Unknown"


async def test_a_refused_clearing_is_told() -> None:
    charger = await ready()
    charger.answers["ClearChargingProfile"] = CallTimeout()
    outcome = await charger.limit(1, None)
    assert outcome.status is OutcomeStatus.TIMED_OUT


async def test_a_connection_lost_while_clearing_is_no_answer() -> None:
    charger = await ready()
    charger.begin()
    answers: list[Any] = [{"status": "Accepted"}, CallNotSent()]
    charger.answers["ClearChargingProfile"] = lambda _: answers.pop(0)
    outcome = await charger.limit(1, None)
    assert outcome.status is OutcomeStatus.NO_ANSWER


async def test_after_clearing_the_same_limit_is_written_again() -> None:
    charger = await ready()
    await charger.limit(1, TEN)
    await charger.limit(1, None)
    await charger.limit(1, TEN)
    assert amounts(charger) == [10, 10]


@pytest.mark.conformance("SC_07")
async def test_a_limit_of_a_transaction_survives_it_with_one_write() -> None:
    charger = await ready()
    transaction = charger.begin()
    for value in (10, 11, 12):
        await charger.limit(1, Limit(value=Decimal(value)))
    charger.end()
    charger.calls.clear()
    charger.end_answered(transaction)
    await charger.settle()
    assert purposes(charger) == ["TxDefaultProfile"]
    assert amounts(charger) == [12]
    charger.calls.clear()
    charger.start_answered(charger.begin("8"))
    await charger.time.advance(START_DELAY)
    charger.end()
    charger.end_answered(transaction)
    await charger.settle()
    assert charger.calls == []


@pytest.mark.conformance("SC_07")
@pytest.mark.parametrize("before", [None, TEN])
async def test_a_pause_ends_with_its_transaction(before: Limit | None) -> None:
    charger = await ready()
    if before is not None:
        await charger.limit(1, before)
        await charger.time.advance(61)
    transaction = charger.begin()
    await limits.pause(charger.station, 1)
    assert limits.paused(charger.station.evses[1])
    charger.end()
    charger.calls.clear()
    charger.end_answered(transaction)
    await charger.settle()
    assert charger.station.evses[1].wanted_limit.value == before
    assert amounts(charger) == []
    charger.start_answered(charger.begin("8"))
    await charger.time.advance(START_DELAY)
    assert amounts(charger) == []


async def test_a_pause_that_nobody_ended_does_not_hold_the_next_transaction() -> None:
    charger = await ready()
    charger.begin()
    await limits.pause(charger.station, 1)
    charger.end()
    charger.start_answered(charger.begin("8"))
    assert charger.station.evses[1].wanted_limit.value is None


async def test_a_pause_by_a_persisted_profile_is_cleared_with_its_transaction() -> None:
    charger = await ready()
    charger.answers["SetChargingProfile"] = lambda payload: {
        "status": "Rejected"
        if payload["csChargingProfiles"]["chargingProfilePurpose"] == "TxProfile"
        else "Accepted"
    }
    transaction = charger.begin()
    await limits.pause(charger.station, 1)
    assert ladder(charger) == ["TxProfile", "TxDefaultProfile"]
    charger.end()
    charger.end_answered(transaction)
    await charger.settle()
    assert charger.sent("ClearChargingProfile") == [{"id": 2001}]


async def test_a_limit_of_zero_holds_for_the_next_transaction_too() -> None:
    charger = await ready()
    transaction = charger.begin()
    await charger.limit(1, limits.PAUSE)
    charger.end()
    charger.calls.clear()
    charger.end_answered(transaction)
    await charger.settle()
    assert charger.calls == []
    charger.start_answered(charger.begin("8"))
    await charger.time.advance(START_DELAY)
    assert purposes(charger) == ["TxProfile"]
    assert amounts(charger) == [0]


async def test_a_transaction_without_a_wanted_limit_is_left_alone() -> None:
    charger = await ready()
    transaction = charger.begin()
    charger.start_answered(transaction)
    charger.end()
    charger.end_answered(transaction)
    charger.end_answered(charger.begin("9", evse_id=1))
    await charger.settle()
    assert charger.calls == []


@pytest.mark.parametrize("evse_id", [1, None])
async def test_a_transaction_started_with_its_own_limit_keeps_it(
    evse_id: int | None,
) -> None:
    charger = await ready()
    first = charger.begin()
    await charger.limit(1, SIXTEEN)
    charger.end()
    await charger.link.start_charging(evse_id, "TAG", TEN)
    charger.calls.clear()
    charger.start_answered(charger.begin("8"))
    await charger.time.advance(START_DELAY)
    assert charger.calls == []
    charger.start_answered(first)
    await charger.time.advance(START_DELAY)
    assert purposes(charger) == ["TxProfile"]


async def test_hooks_survive_a_charger_that_is_gone() -> None:
    charger = await ready()
    transaction = charger.begin()
    await charger.limit(1, SIXTEEN)
    charger.online = False
    charger.end_answered(transaction)
    [task] = charger.tasks
    await charger.settle()
    assert task.exception() is None


async def test_a_wish_withdrawn_meanwhile_is_not_asserted() -> None:
    charger = await ready()
    transaction = charger.begin()
    await charger.limit(1, SIXTEEN)
    charger.calls.clear()
    charger.end_answered(transaction)
    charger.station.evse(1).wanted_limit.set(None)
    await charger.settle()
    assert charger.calls == []


async def test_in_quiet_mode_a_reboot_still_brings_the_limit_back() -> None:
    charger = await ready(quiet=True)
    await charger.limit(0, SIXTEEN)
    charger.begin()
    await charger.limit(1, TEN)
    charger.profiles.pop(3001)
    charger.calls.clear()
    charger.reboot()
    await charger.settle()
    assert purposes(charger) == ["TxProfile"]


async def test_an_id_that_is_no_number_cannot_carry_a_tx_profile() -> None:
    charger = await ready()
    charger.begin("a-uuid")
    await charger.limit(1, TEN)
    assert purposes(charger) == ["TxDefaultProfile"]


async def test_nonsense_in_the_journal_is_no_knowledge() -> None:
    charger = await ready()
    await charger.journal.store("CP1", "limits", {"x": 1, "2001": 5, "2002": {}})
    await charger.limit(1, TEN)
    assert amounts(charger) == [10]
