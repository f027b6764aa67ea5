"""Sessions of OCPP 2.x while Home Assistant is killed, or cannot write (E04, E08)."""

from pathlib import Path
from typing import Any

import pytest

from ..v16.conftest import FakeClock
from .conftest import Charger, sample
from custom_components.ev_charger_hub.ocpp.v201.event_queue import SAVE_AGAIN
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import TransactionState

TAG = {"idToken": "TAG1", "type": "ISO14443"}


def session_of(charger: Charger, clock: FakeClock) -> list[dict[str, Any]]:
    """Return the events of a session of 900 Wh on EVSE 2, a minute apart."""
    events = []
    for number, kind in enumerate(["Started", "Updated", "Updated", "Ended"]):
        register = sample(1000 + 300 * number)
        first: dict[str, Any] = {"evse": {"id": 2}, "idToken": TAG}
        fields = first if kind == "Started" else {}
        payload = charger.event_payload(kind, "T1", number, register, **fields)
        events.append(payload)
        clock.tick(60)
    return events


@pytest.mark.parametrize("told", [1, 2], ids=["answered", "answer lost"])
@pytest.mark.conformance("TX_12")
async def test_killed_after_every_event_it_is_one_session(
    journal_path: Path,
    clock: FakeClock,
    schemas: Schemas,
    settings: StationSettings,
    told: int,
) -> None:
    killed: list[Charger] = []

    async def begin() -> Charger:
        """Start anew with nothing but what is in the file."""
        journal = await Journal.open(journal_path, call_later=clock.call_later)
        charger = Charger(
            clock=clock, journal=journal, schemas=schemas, settings=settings
        )
        await charger.transactions.load()
        charger.connect()
        killed.append(charger)
        return charger

    events = session_of(await begin(), clock)
    for payload in events:
        for _ in range(told):
            charger = await begin()
            await charger.call("TransactionEvent", payload)

    sessions = await (await begin()).transactions.sessions()
    assert [(one.energy, one.evse_id, one.state) for one in sessions] == [
        (900, 2, TransactionState.CLOSED)
    ]
    assert sessions[0].id_token == "TAG1"
    for charger in killed:
        await charger.close()
        await charger.journal.close()


@pytest.mark.parametrize("by_itself", [True, False])
async def test_what_could_not_be_written_is_answered_and_written_later(
    charger: Charger,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    by_itself: bool,
) -> None:
    async def full(*args: Any, **kwargs: Any) -> None:
        raise JournalError("disk full")

    *events, last = session_of(charger, clock)
    with monkeypatch.context() as patch:
        patch.setattr(charger.journal, "insert", full)
        patch.setattr(charger.journal, "save", full)
        for payload in events:
            answer = await charger.call("TransactionEvent", payload)
            assert answer[0] == 3
            assert ("idTokenInfo" in answer[2]) == ("idToken" in payload)
    assert await charger.transactions.sessions() == []
    if by_itself:
        clock.tick(SAVE_AGAIN)
        await charger.settle()
        (session,) = await charger.transactions.sessions()
        assert session.state is TransactionState.OPEN
    assert (await charger.call("TransactionEvent", last))[0] == 3
    (session,) = await charger.transactions.sessions()
    assert (session.energy, session.state) == (900, TransactionState.CLOSED)
    assert session.events_missing == 0
