"""What happens meanwhile: callers that give up, failures, and clocks that step back."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from .house import House, ampere
from custom_components.ev_charger_hub.station.errors import JournalError, NotConnected
from custom_components.ev_charger_hub.station.limiter.budget import (
    WINDOW,
    WRITES,
    Budget,
)
from custom_components.ev_charger_hub.station.limiter.pacing import Change, delay
from custom_components.ev_charger_hub.station.limiter.slot import Alarm, Slot
from custom_components.ev_charger_hub.station.link import Capability, Limit
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from tests.virtual_time import START, rest


async def test_a_limit_holds_although_its_caller_gave_up_while_it_waited() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await rest()
    wish.cancel()
    await house.time.advance(5)
    assert wish.cancelled()
    assert house.wanted == ampere(8)
    assert house.charger.offered() == 8


async def test_a_limit_is_shown_although_its_caller_gave_up_while_it_was_sent() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    await house.time.advance(61)
    house.charger.gate.clear()
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await rest()
    wish.cancel()
    await rest()
    house.charger.gate.set()
    await rest()
    assert house.wanted == ampere(8)
    assert house.charger.offered() == 8


async def test_whoever_waits_when_all_ends_is_told_so() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await rest()
    await house.kill()
    with pytest.raises(NotConnected):
        await wish
    assert house.charger.offered() == 16


@pytest.mark.parametrize("session", [False, True])
async def test_after_an_unanswered_limit_the_earlier_one_is_sent_again(
    session: bool,
) -> None:
    house = House()
    if session:
        await house.begin()
    await house.want(ampere(8))
    house.charger.answer = Outcome(status=OutcomeStatus.TIMED_OUT)
    await house.want(ampere(16))
    # The charger took it, and only its answer was lost.
    taken = house.sets()[-1]
    there = house.charger.profiles[taken.id]
    house.charger.profiles[taken.id] = replace(there, profile=taken)
    assert house.charger.offered() == 16
    house.charger.answer = None
    await house.time.advance(5)
    assert house.wanted == ampere(8)
    assert house.charger.offered() == 8


async def test_a_limit_that_was_cleared_for_one_that_was_refused_comes_back() -> None:
    house = House()
    house.charger.profile_support = replace(
        house.charger.profile_support, replaces_by_clearing=True
    )
    await house.begin()
    await house.want(ampere(8))
    house.charger.answer = Outcome(status=OutcomeStatus.REJECTED)
    await house.want(ampere(16))
    assert house.charger.offered() == 32
    house.charger.answer = None
    await house.time.advance(5)
    assert house.charger.offered() == 8


async def test_a_newer_limit_goes_before_the_earlier_one_that_comes_back() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(8))
    house.charger.answer = Outcome(status=OutcomeStatus.TIMED_OUT)
    await house.want(ampere(16))
    house.charger.answer = None
    house.charger.sent.clear()
    assert (await house.limiter.request(1, ampere(10))).ok
    await house.time.advance(60)
    assert house.amounts() == [10]


async def test_without_profiles_an_unanswered_limit_gives_way_to_the_earlier() -> None:
    house = House()
    charger = cast(Any, house.charger)
    charger.capabilities = frozenset({Capability.LIMIT})
    sent: list[Limit] = []
    answer = Outcome(status=OutcomeStatus.ACCEPTED)

    async def set_limit(evse_id: int, limit: Limit) -> Outcome:
        sent.append(limit)
        return answer

    charger.set_limit = set_limit
    await house.want(ampere(8))
    answer = Outcome(status=OutcomeStatus.TIMED_OUT)
    await house.want(ampere(16))
    assert house.limiter.applied(1) is None
    answer = Outcome(status=OutcomeStatus.ACCEPTED)
    await house.time.advance(5)
    assert sent == [ampere(8), ampere(16), ampere(8)]


async def test_after_a_plain_refusal_nothing_is_sent() -> None:
    house = House()
    await house.want(ampere(8))
    house.charger.answer = Outcome(status=OutcomeStatus.REJECTED)
    await house.want(ampere(16))
    house.charger.answer = None
    house.charger.sent.clear()
    await house.time.advance(60)
    assert house.sets() == []


async def test_a_limit_scheduled_while_a_newer_one_comes_is_not_sent_after_it() -> None:
    house = House()
    await house.want(ampere(10))
    journal = cast(Any, house.journal)
    store, stored = journal.store, asyncio.Event()

    async def slow(*what: Any) -> None:
        await store(*what)
        await stored.wait()

    journal.store = slow
    late = asyncio.create_task(house.limiter.request(1, ampere(16)))
    await rest()
    journal.store = store
    newer = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await house.time.advance(6)
    stored.set()
    assert (await newer).ok
    assert (await late).status is OutcomeStatus.SUPERSEDED
    house.charger.sent.clear()
    await house.time.advance(120)
    assert house.wanted == ampere(8)
    assert house.sets() == []


async def test_a_limit_that_cannot_be_written_down_is_not_scheduled() -> None:
    house = House()
    await house.want(ampere(10))
    journal = cast(Any, house.journal)
    store = journal.store

    async def broken(*what: Any) -> None:
        raise JournalError

    journal.store = broken
    with pytest.raises(JournalError):
        await house.limiter.request(1, ampere(16))
    journal.store = store
    await house.time.advance(120)
    assert house.wanted == ampere(10)
    assert house.charger.offered() == 10


async def test_a_failure_does_not_take_back_a_newer_limit_that_is_scheduled() -> None:
    house = House()
    await house.want(ampere(10))
    house.charger.gate.clear()
    house.charger.answer = Outcome(status=OutcomeStatus.REJECTED)
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await house.time.advance(6)
    newer = await house.limiter.request(1, ampere(16))
    assert newer.status is OutcomeStatus.SCHEDULED
    house.charger.gate.set()
    assert not (await wish).ok
    house.charger.answer = None
    assert house.wanted == ampere(16)
    await house.time.advance(61)
    assert house.charger.offered() == 16


async def test_a_limit_that_is_due_while_the_charger_is_away_stays_wanted() -> None:
    house = House()
    await house.limiter.reassert()
    await house.want(ampere(10))
    outcome = await house.limiter.request(1, ampere(16))
    assert outcome.status is OutcomeStatus.SCHEDULED
    house.charger.connected = False
    house.station.local.set(False)
    await house.time.advance(120)
    assert house.wanted == ampere(16)
    house.charger.connected = True
    house.station.local.set(True)
    await house.time.advance(16)
    assert house.charger.offered() == 16


def test_a_clock_that_stepped_back_lets_nothing_wait_longer() -> None:
    last = Change(amount=Decimal(16), at=START + timedelta(hours=1))
    assert delay(last, Change(amount=Decimal(8), at=START), 5) == 5


async def test_a_lower_limit_is_sent_in_time_although_the_clock_stepped_back() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    house.time.now -= timedelta(hours=1)
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    due = house.settings.limit_interval
    # The timers of a loop do not follow the clock; those of the tests do.
    await house.time.advance(due)
    assert house.charger.offered() == 8
    assert (await wish).ok


async def test_writes_dated_in_the_future_do_not_count_for_ever() -> None:
    house = House()
    budget = Budget("CP1", cast(Any, house.journal))
    for _ in range(WRITES):
        await budget.spend(START + timedelta(days=365))
    assert budget.again_at(START) == START + WINDOW
    assert budget.again_at(START + timedelta(hours=1)) == START + WINDOW
    assert budget.again_at(START + WINDOW) is None


async def test_nothing_is_due_at_a_place_that_is_closed() -> None:
    house = House()
    slot = Slot(house.station.evse(1), house.time.call_later)
    slot.close()
    rung: list[bool] = []
    slot.arm(Alarm.EXPIRED, 1, lambda: rung.append(True))
    await house.time.advance(5)
    assert not rung
    assert not slot.due(Alarm.EXPIRED)
