"""Events of OCPP 2.x and a journal that is slow or cannot write: none is lost (E13)."""

import asyncio
from typing import Any

import pytest

from ..v16.conftest import FakeClock
from .conftest import Charger, sample
from custom_components.ev_charger_hub.ocpp.v201.event_queue import (
    MAX_WAITING,
    PATIENCE,
    SAVE_AGAIN,
)
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.enums import ConnectorStatus
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.events import SessionKnown, SessionStarted
from custom_components.ev_charger_hub.station.transaction import TransactionState

EVSE = {"id": 1, "connectorId": 1}
TAG = {"idToken": "TAG1", "type": "ISO14443"}
SIGNED = {
    "signedMeterData": "T0NNRg==",
    "signingMethod": "",
    "encodingMethod": "OCMF",
    "publicKey": "",
}


async def full(*args: Any, **kwargs: Any) -> Any:
    """Be a journal whose disk is full."""
    raise JournalError("disk full")


async def answered_after(charger: Charger, seconds: float, payload: Any) -> Any:
    """Return the answer to an event that comes `seconds` later."""
    asking = asyncio.create_task(charger.call("TransactionEvent", payload))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not asking.done()
    charger.clock.tick(seconds)
    return charger.payload(await asking)


async def test_a_journal_that_hangs_loses_nothing(
    charger: Charger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    insert, written = charger.journal.insert, []

    async def hanging(*args: Any, **kwargs: Any) -> Any:
        await gate.wait()
        written.append(args)
        return await insert(*args, **kwargs)

    monkeypatch.setattr(charger.journal, "insert", hanging)
    first = charger.event_payload(
        "Started", "T1", 0, sample(1000), evse=EVSE, idToken=TAG
    )
    answer = await answered_after(charger, PATIENCE, first)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    clock.tick(60)
    second = charger.event_payload("Updated", "T1", 1, sample(1400))
    assert await answered_after(charger, PATIENCE, second) == {}
    gate.set()
    await charger.settle()
    (session,) = await charger.transactions.sessions()
    assert (session.energy, session.events_missing, session.id_token) == (
        400,
        0,
        "TAG1",
    )
    assert len(written) == 1


async def test_an_event_that_was_late_is_shown_as_if_it_were_not(
    charger: Charger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await charger.status("Occupied")
    with monkeypatch.context() as patch:
        patch.setattr(charger.journal, "insert", full)
        started = charger.event_payload(
            "Started",
            "T1",
            0,
            sample(1000),
            info={"chargingState": "Charging"},
            evse=EVSE,
            idToken=TAG,
        )
        await charger.call("TransactionEvent", started)
    clock.tick(SAVE_AGAIN)
    await charger.settle()
    assert charger.shown() is ConnectorStatus.CHARGING
    seen = [type(one) for one in charger.events]
    assert seen.count(SessionStarted) == seen.count(SessionKnown) == 1


async def test_what_is_signed_is_kept_later_too(
    charger: Charger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(signed_values, "keep", full)
        signed = sample(1000, signedMeterValue=SIGNED)
        assert await charger.event("Started", "T1", 0, signed, evse=EVSE) == {}
    clock.tick(SAVE_AGAIN)
    await charger.settle()
    sessions = await charger.transactions.sessions()
    assert [one.transaction_id for one in sessions] == ["T1"]
    (kept,) = await signed_values.of_sessions(charger.journal, sessions)
    assert len(kept) == 1


async def test_a_start_is_known_until_its_event_is_kept(
    charger: Charger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    charger.answers["RequestStartTransaction"] = {"status": "Accepted"}
    await charger.adapter.link.start_charging(1, "OURS")
    number = charger.calls[-1][1]["remoteStartId"]
    with monkeypatch.context() as patch:
        patch.setattr(charger.journal, "insert", full)
        info = {"remoteStartId": number}
        await charger.event("Started", "T1", 0, sample(1000), info=info)
    clock.tick(SAVE_AGAIN)
    await charger.settle()
    (session,) = await charger.transactions.sessions()
    assert (session.id_token, session.evse_id) == ("OURS", 1)


async def test_an_event_that_can_never_be_kept_stands_in_nobodys_way(
    charger: Charger,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(charger.journal, "insert", broken)
        assert await charger.event("Started", "T1", 0, evse=EVSE) == {}
    assert "an event was not recorded" in caplog.text
    assert await charger.event("Started", "T2", 0, sample(5), evse=EVSE) == {}
    (session,) = await charger.transactions.sessions()
    assert session.transaction_id == "T2"


async def test_what_waits_is_tried_once_more_at_the_end(
    charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(charger.journal, "insert", full)
        assert await charger.event("Started", "T1", 0, evse=EVSE) == {}
    await charger.adapter.close()
    (session,) = await charger.transactions.sessions()
    assert session.transaction_id == "T1"


async def test_of_too_many_events_updates_are_forgotten_first(
    charger: Charger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charger.journal, "insert", full)
    monkeypatch.setattr(charger.journal, "save", full)
    await charger.event("Started", "T1", 0, sample(1000), evse=EVSE, idToken=TAG)
    for number in range(1, MAX_WAITING + 20):
        clock.tick(0.1)
        await charger.event("Updated", "T1", number, sample(1000 + number))
    await charger.event("Ended", "T1", MAX_WAITING + 20, sample(3000))
    monkeypatch.undo()
    clock.tick(SAVE_AGAIN)
    await charger.settle()
    (session,) = await charger.transactions.sessions()
    assert session.state is TransactionState.CLOSED
    assert (session.energy, session.id_token) == (2000, "TAG1")
    assert session.events_missing == 21
