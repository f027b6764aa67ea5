"""Recorded sessions: those that somebody else keeps account of (the Easee cloud)."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from .conftest import NOON, Hall
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.costs import Costs
from custom_components.ev_charger_hub.station.enums import StopReason
from custom_components.ev_charger_hub.station.events import SessionEnded
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.sessions import RECENT
from custom_components.ev_charger_hub.station.signed_values import SignedValue
from custom_components.ev_charger_hub.station.transaction import TransactionState
from custom_components.ev_charger_hub.station.transaction_events import (
    Bound,
    EventKind,
    Reading,
    TransactionEvent,
)
from custom_components.ev_charger_hub.station.transactions import Transactions

STOP = NOON - timedelta(days=90)
START = STOP - timedelta(hours=2)
BEGIN = (Reading(at=START, register=1_000, bound=Bound.BEGIN),)

STARTED = TransactionEvent(
    kind=EventKind.STARTED,
    transaction_id="easee-1",
    claimed_at=START,
    recorded=True,
    evse_id=1,
    id_token="CARD",
    readings=BEGIN,
)
ENDED = TransactionEvent(
    kind=EventKind.ENDED,
    transaction_id="easee-1",
    claimed_at=STOP,
    recorded=True,
    evse_id=1,
    id_token="CARD",
    reason=StopReason.EV_DISCONNECTED,
    started_at=START,
    energy=7_500,
)


def _no_link(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Refuse to tell of a cost: there is nobody to tell."""
    raise NotImplementedError


async def test_a_session_of_long_ago_keeps_its_times_and_is_no_news(
    hall: Hall, transactions: Transactions
) -> None:
    session = await transactions.event(ENDED)

    assert session.state is TransactionState.CLOSED
    assert (session.started_at, session.stopped_at) == (START, STOP)
    assert session.energy == 7_500
    assert session.id_token == "CARD"
    assert session.stop_id_token is None
    assert session.charging_time is None
    assert session.events_missing == 0
    assert hall.events == []


@pytest.mark.parametrize("readings", [(), BEGIN])
@pytest.mark.parametrize("order", permutations([STARTED, ENDED, STARTED]))
async def test_order_does_not_matter(
    transactions: Transactions,
    order: list[TransactionEvent],
    readings: tuple[Reading, ...],
) -> None:
    for event in order:
        told = replace(event, readings=readings) if event is ENDED else event
        await transactions.event(told)

    (session,) = await transactions.sessions()
    assert session.state is TransactionState.CLOSED
    assert (session.started_at, session.stopped_at) == (START, STOP)
    assert (session.meter_start, session.energy) == (1_000, 7_500)


async def test_an_end_that_is_told_late_is_no_news(
    hall: Hall, transactions: Transactions
) -> None:
    hall.now = START
    await transactions.event(STARTED)
    hall.now = NOON
    hall.events.clear()
    await transactions.event(ENDED)
    assert hall.events == []


async def test_samples_count_until_the_end_knows_better(
    hall: Hall, transactions: Transactions
) -> None:
    hall.now = START
    session = await transactions.event(STARTED)
    hall.now = STOP
    transactions.meter(evse_id=1, transaction_id="easee-1", register=8_499, at=hall.now)
    assert session.energy == 7_499
    await transactions.event(ENDED)
    assert session.energy == 7_500
    assert hall.events[-1] == SessionEnded(evse_id=1, transaction=session)


async def test_what_is_recorded_of_the_past_does_not_hide_what_is_newer(
    transactions: Transactions, station: ChargingStation
) -> None:
    newest = await transactions.event(ENDED)
    for number in range(RECENT + 5):
        back = timedelta(days=number + 1)
        await transactions.event(
            replace(
                ENDED,
                transaction_id=f"easee-old-{number}",
                claimed_at=STOP - back,
                started_at=START - back,
            )
        )
    assert station.evse(1).session.value is newest
    assert transactions.find("easee-1") is newest


async def test_a_session_gets_its_id_late(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    costs = Costs(station, hall.journal, lambda: hall.now, spawn=_no_link)
    await costs.load()
    costs.set_price(Decimal(1), "EUR")
    hall.now = START + timedelta(minutes=1)
    unnamed = replace(STARTED, transaction_id="easee-at-1", claimed_at=hall.now)
    session = await transactions.event(unnamed)
    transactions.meter(
        evse_id=1,
        transaction_id="easee-at-1",
        register=5_000,
        at=hall.pass_time(hours=1),
    )
    assert costs.of(session) == 4
    costs.set_price(Decimal(2), "EUR")

    await transactions.event(STARTED)

    assert station.evse(1).transaction is session
    assert session.transaction_id == "easee-1"
    assert session.started_at == START
    assert transactions.find("easee-at-1") is None
    assert costs.of(session) == 4
    again = await hall.restart()
    assert [one.transaction_id for one in await again.sessions()] == ["easee-1"]
    costs.close()


async def test_a_session_of_long_ago_is_recalled(
    hall: Hall, transactions: Transactions
) -> None:
    await transactions.event(ENDED)
    for number in range(RECENT):
        stop = STOP + timedelta(hours=number + 1)
        await transactions.event(
            replace(
                ENDED,
                transaction_id=f"easee-new-{number}",
                claimed_at=stop,
                started_at=stop - timedelta(minutes=30),
            )
        )
    again = await hall.restart()
    recalled = await again.recall("easee-1")
    assert recalled is not None
    assert recalled.energy == 7_500
    assert await again.recall("easee-2") is None


async def test_what_is_signed_in_a_session_is_archived_once(
    hall: Hall, transactions: Transactions
) -> None:
    session = await transactions.event(ENDED)
    value = SignedValue(measured_at="then", context=None, value="OCMF|{}|{}")
    await transactions.sign(session, [value])
    await transactions.sign(session, [value])
    await transactions.sign(None, [replace(value, value="OCMF|nobody")])

    ((kept,),) = await signed_values.of_sessions(hall.journal, [session])
    assert kept.value == "OCMF|{}|{}"
    (alone,) = await signed_values.of_nobody(hall.journal, "CP1")
    assert alone.value == "OCMF|nobody"
