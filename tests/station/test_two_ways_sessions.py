"""Sessions that a station and the cloud of its maker tell of, as the journal joins them."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from .conftest import NOON, Hall
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.enums import StopReason
from custom_components.ev_charger_hub.station.events import SessionEnded, SessionStarted
from custom_components.ev_charger_hub.station.same_session import Trace, likeness
from custom_components.ev_charger_hub.station.signed_values import SignedValue
from custom_components.ev_charger_hub.station.transaction import TransactionState
from custom_components.ev_charger_hub.station.transaction_events import (
    Bound,
    EventKind,
    Reading,
    TransactionEvent,
)
from custom_components.ev_charger_hub.station.transactions import Transactions
from custom_components.ev_charger_hub.station.uniting import unite

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
START = NOON - 3 * HOUR
STOP = NOON - 2 * HOUR

CLOUD_STARTED = TransactionEvent(
    kind=EventKind.STARTED,
    transaction_id="easee-1",
    claimed_at=START,
    recorded=True,
    evse_id=1,
    id_token="CARD",
    readings=(Reading(at=START, register=1_000, bound=Bound.BEGIN),),
)
CLOUD_ENDED = replace(
    CLOUD_STARTED,
    kind=EventKind.ENDED,
    claimed_at=STOP,
    reason=StopReason.EV_DISCONNECTED,
    started_at=START,
    energy=7_500,
)
STARTED = TransactionEvent(
    kind=EventKind.STARTED,
    transaction_id="2b7f",
    claimed_at=START,
    number=0,
    offline=True,
    evse_id=1,
    connector_id=1,
    id_token="TAG",
    readings=(Reading(at=START, register=1_000, bound=Bound.BEGIN),),
)
ENDED = replace(
    STARTED,
    kind=EventKind.ENDED,
    claimed_at=STOP,
    number=1,
    reason=StopReason.REMOTE,
    readings=(Reading(at=STOP, register=8_510, bound=Bound.END),),
)


@pytest.mark.parametrize(
    "order", permutations([CLOUD_STARTED, CLOUD_ENDED, STARTED, ENDED])
)
async def test_events_of_both_are_one_session_in_any_order(
    hall: Hall, transactions: Transactions, order: tuple[TransactionEvent, ...]
) -> None:
    """A station of OCPP 2.x that tells late of what it did alone."""
    for event in order:
        await transactions.event(event)
        await transactions.event(event)
    (session,) = await transactions.sessions()
    assert (session.transaction_id, session.cloud_id) == ("2b7f", "easee-1")
    assert (session.energy, session.state) == (7_510, TransactionState.CLOSED)
    assert (session.started_at, session.stopped_at) == (START, STOP)
    assert (session.id_token, session.stop_reason) == ("TAG", StopReason.REMOTE)
    kinds = [type(event) for event in hall.events]
    assert kinds.count(SessionStarted) <= 1
    assert kinds.count(SessionEnded) <= 1
    again = await hall.restart()
    assert await again.sessions() == [session]


async def test_what_the_cloud_ended_is_not_opened_again_by_a_late_start(
    hall: Hall, transactions: Transactions
) -> None:
    await transactions.event(CLOUD_ENDED)
    session = await transactions.event(STARTED)
    assert (session.transaction_id, session.state) == ("2b7f", TransactionState.CLOSED)
    assert session.energy == 7_500
    assert hall.events == []


async def test_another_id_of_the_cloud_is_another_session(
    transactions: Transactions,
) -> None:
    await transactions.event(CLOUD_ENDED)
    await transactions.event(ENDED)
    later = replace(CLOUD_ENDED, claimed_at=NOON, started_at=STOP + MINUTE, readings=())
    told, unknown = await transactions.told(replace(later, transaction_id="easee-2"))
    assert unknown
    assert told.cloud_only
    assert len(await transactions.sessions()) == 2


async def test_what_two_kept_account_of_under_two_names_is_united(hall: Hall) -> None:
    """The server did not know the serial number, nor the account the server."""
    account, server = await hall.station("EH123456"), await hall.station("garage")
    told = await account.event(CLOUD_ENDED)
    value = SignedValue(measured_at="then", context=None, value="OCMF|cloud")
    await account.sign(told, [value])
    later = replace(CLOUD_ENDED, claimed_at=NOON, started_at=NOON - HOUR, readings=())
    await account.event(replace(later, transaction_id="easee-2"))
    for event in (STARTED, ENDED):
        await server.event(event)
    await hall.journal.rename("EH123456", "garage")
    assert await unite(hall.journal, "garage", NOON) == 1
    assert await unite(hall.journal, "garage", NOON) == 0
    transactions = await hall.restart("garage")
    second, first = await transactions.sessions()
    assert (first.transaction_id, first.cloud_id) == ("2b7f", "easee-1")
    assert (first.energy, first.id_token) == (7_510, "TAG")
    assert second.transaction_id == "easee-2"
    ((kept,),) = await signed_values.of_sessions(hall.journal, [first])
    assert kept.value == "OCMF|cloud"


def session(
    start: datetime | None,
    stop: datetime | None,
    meter: int | None = None,
    energy: int | None = None,
    *,
    by_cloud: bool = False,
) -> Trace:
    """Return a trace; one without an end goes on."""
    return Trace(
        started_at=start,
        stopped_at=stop,
        open=stop is None,
        meter_start=meter,
        energy=energy,
        by_cloud=by_cloud,
    )


LOCAL = session(START, STOP, 1_000, 7_500)


@pytest.mark.parametrize(
    ("told", "known", "same"),
    [
        # To the second.
        (session(START, STOP, by_cloud=True), LOCAL, True),
        # The meter proves it, however far the clocks are apart.
        (session(NOON, None, 1_010, 500), LOCAL, True),
        (session(NOON - 9 * HOUR, NOON - 8 * HOUR, 1_000, 7_500), LOCAL, True),
        # The meter proves that it is not.
        (session(STOP, NOON, 8_500, 100), LOCAL, False),
        (session(START + 30 * MINUTE, NOON, 8_500, 100), LOCAL, False),
        # No meter: what shares most of its time.
        (session(START + 4 * MINUTE, STOP + MINUTE, by_cloud=True), LOCAL, True),
        (session(STOP - MINUTE, NOON, by_cloud=True), LOCAL, False),
        (session(STOP, NOON, by_cloud=True), LOCAL, False),
        # Another meter proves nothing.
        (session(START - MINUTE, STOP, 90_000_000, 7_500), LOCAL, True),
        # Nothing was delivered, so that the next one begins at the same register.
        (session(STOP + MINUTE, NOON, 1_000, 0), session(START, STOP, 1_000, 0), False),
        # A vehicle that came later is not the one that was there.
        (session(NOON - HOUR, None, by_cloud=True), session(START, None), False),
        # The station told of it only when it went on.
        (session(STOP, None, 4_000), session(START, None, 1_000, by_cloud=True), True),
        # Only its end is known.
        (session(None, STOP), LOCAL, True),
        (session(None, NOON), LOCAL, False),
    ],
)
def test_who_is_the_same(told: Trace, known: Trace, *, same: bool) -> None:
    assert (likeness(told, known, NOON) > 0) is same


def test_what_the_cloud_may_have_missed_the_end_of_is_not_gone_on_with() -> None:
    told = session(STOP, None, 4_000)
    known = session(START, None, 1_000, by_cloud=True)
    assert likeness(told, known, NOON, alive=True)
    assert not likeness(told, known, NOON, alive=False)
