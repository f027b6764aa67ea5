"""Open transactions: a station that is back is asked about them (E14)."""

from typing import Any

import pytest

from ..v16.conftest import DROP
from .conftest import Charger, sample
from custom_components.ev_charger_hub.ocpp.v201.open_transactions import (
    CHECK_AFTER,
    CHECK_AGAIN,
)
from custom_components.ev_charger_hub.station.enums import ConnectorStatus, StopReason
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.events import SessionEnded
from custom_components.ev_charger_hub.station.transaction import TransactionState

EVSE = {"id": 1, "connectorId": 1}


async def back_again(charger: Charger, *, booted: bool = False) -> None:
    """Lose the socket in a session, come back, and stay for a while."""
    await charger.event("Started", "T1", 0, sample(1000), evse=EVSE)
    charger.clock.tick(60)
    await charger.event("Updated", "T1", 1, sample(1500))
    charger.disconnect()
    charger.clock.tick(600)
    charger.connect()
    if booted:
        await charger.boot()
    await charger.settle()


def asked(charger: Charger) -> list[dict[str, Any]]:
    """Return what was asked about transactions."""
    return [
        payload for name, payload in charger.calls if name == "GetTransactionStatus"
    ]


@pytest.mark.parametrize("booted", [True, False])
async def test_a_session_that_the_station_lost_is_closed(
    charger: Charger, booted: bool
) -> None:
    over = {"ongoingIndicator": False, "messagesInQueue": False}
    charger.answers["GetTransactionStatus"] = over
    await back_again(charger, booted=booted)
    assert asked(charger) == []
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    assert asked(charger) == [{"transactionId": "T1"}]
    (session,) = await charger.transactions.sessions()
    assert (session.state, session.energy) == (TransactionState.LOST, 500)
    assert session.stop_reason is StopReason.LOST
    assert charger.station.evses[1].transaction is None
    assert len(charger.events_of(SessionEnded)) == 1


@pytest.mark.parametrize(
    ("booted", "shown"),
    [(True, ConnectorStatus.PREPARING), (False, ConnectorStatus.FINISHING)],
)
async def test_the_vehicle_of_a_session_that_was_lost_is_still_there(
    charger: Charger, booted: bool, shown: ConnectorStatus
) -> None:
    over = {"ongoingIndicator": False, "messagesInQueue": False}
    charger.answers["GetTransactionStatus"] = over
    info = {"chargingState": "Charging"}
    await charger.status("Occupied")
    await charger.event("Started", "T1", 0, sample(1000), evse=EVSE, info=info)
    charger.disconnect()
    charger.clock.tick(600)
    charger.connect()
    if booted:
        await charger.boot()
        await charger.status("Occupied")
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    assert charger.shown() is shown


async def test_a_session_that_goes_on_is_left_alone(charger: Charger) -> None:
    goes_on = {"ongoingIndicator": True, "messagesInQueue": False}
    charger.answers["GetTransactionStatus"] = goes_on
    await back_again(charger)
    for _ in range(3):
        charger.clock.tick(CHECK_AGAIN)
        await charger.settle()
    assert len(asked(charger)) == 1
    assert charger.transactions.running(1) is not None


async def test_what_is_queued_is_waited_for(charger: Charger) -> None:
    answer = {"ongoingIndicator": False, "messagesInQueue": True}
    charger.answers["GetTransactionStatus"] = answer
    await back_again(charger)
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    assert charger.transactions.running(1) is not None
    answer = {"ongoingIndicator": False, "messagesInQueue": False}
    charger.answers["GetTransactionStatus"] = answer
    charger.clock.tick(CHECK_AGAIN)
    await charger.settle()
    assert charger.transactions.running(1) is None


async def test_a_session_that_was_told_of_is_not_asked_about(charger: Charger) -> None:
    await back_again(charger)
    await charger.event("Updated", "T1", 2, sample(1600))
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    assert asked(charger) == []


@pytest.mark.parametrize(
    "answer", [("NotImplemented", ""), ("InternalError", ""), {"messagesInQueue": 3}]
)
async def test_a_station_that_cannot_tell_ends_nothing(
    charger: Charger, answer: Any
) -> None:
    charger.answers["GetTransactionStatus"] = answer
    await back_again(charger)
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    assert len(asked(charger)) == 1
    assert charger.transactions.running(1) is not None


async def test_a_vehicle_without_a_session_is_asked_about(charger: Charger) -> None:
    await charger.status("Occupied")
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    wanted = {"requestedMessage": "TransactionEvent", "evse": {"id": 1}}
    assert ("TriggerMessage", wanted) in charger.calls


async def test_a_station_that_cannot_be_asked_to_tell_is_asked_once(
    charger: Charger,
) -> None:
    charger.answers["TriggerMessage"] = {"status": "NotImplemented"}
    for evse_id in (1, 2):
        await charger.status("Occupied", evse_id=evse_id)
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    asked = [one for name, one in charger.calls if name == "TriggerMessage"]
    events = [one for one in asked if one["requestedMessage"] == "TransactionEvent"]
    assert events == [{"requestedMessage": "TransactionEvent", "evse": {"id": 1}}]


async def test_a_station_that_leaves_again_is_asked_when_it_is_back(
    charger: Charger,
) -> None:
    charger.answers["GetTransactionStatus"] = DROP
    await back_again(charger)
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    assert charger.transactions.running(1) is not None
    over = {"ongoingIndicator": False, "messagesInQueue": False}
    charger.answers["GetTransactionStatus"] = over
    charger.connect()
    charger.clock.tick(CHECK_AFTER)
    await charger.settle()
    assert charger.transactions.running(1) is None


async def test_what_cannot_be_closed_now_is_closed_later(
    charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*args: Any, **kwargs: Any) -> None:
        raise JournalError("disk full")

    over = {"ongoingIndicator": False, "messagesInQueue": False}
    charger.answers["GetTransactionStatus"] = over
    await back_again(charger)
    with monkeypatch.context() as patch:
        patch.setattr(charger.journal, "save", full)
        charger.clock.tick(CHECK_AFTER)
        await charger.settle()
    assert charger.transactions.running(1) is not None
    charger.clock.tick(CHECK_AGAIN)
    await charger.settle()
    assert charger.transactions.running(1) is None


async def test_a_start_of_ours_is_known_by_its_number(charger: Charger) -> None:
    await charger.status("Available", evse_id=2)
    await charger.status("Available")
    assert (await charger.adapter.link.start_charging(2, "CARD7")).ok
    (started,) = [one for name, one in charger.calls if name.startswith("RequestStart")]
    number = started["remoteStartId"]
    again = Charger(
        clock=charger.clock,
        journal=charger.journal,
        schemas=charger.schemas,
        settings=charger.station.settings,
    )
    again.connect()
    await again.event("Started", "T1", 0, info={"remoteStartId": number})
    transaction = again.transactions.running(2)
    assert transaction is not None
    assert (transaction.id_token, transaction.remote_start_id) == ("CARD7", number)
    await again.close()


async def test_a_start_that_was_refused_is_forgotten(charger: Charger) -> None:
    charger.answers["RequestStartTransaction"] = {"status": "Rejected"}
    assert not (await charger.adapter.link.start_charging(2, "CARD7")).ok
    (started,) = [one for name, one in charger.calls if name.startswith("RequestStart")]
    number = started["remoteStartId"]
    await charger.event("Started", "T1", 0, info={"remoteStartId": number})
    found = charger.transactions.find("T1")
    assert found is not None
    assert (found.id_token, found.evse_id) == (None, 0)


async def test_a_token_is_called_as_the_station_calls_it(charger: Charger) -> None:
    token = {"idToken": "1234", "type": "KeyCode"}
    await charger.call("Authorize", {"idToken": token})
    assert (await charger.adapter.link.start_charging(1, "1234")).ok
    (started,) = [one for name, one in charger.calls if name.startswith("RequestStart")]
    assert started["idToken"] == token
