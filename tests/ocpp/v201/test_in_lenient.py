"""TransactionEvents that are wrong or incomplete: answered, and read as far as they go."""

from typing import Any

from hypothesis import HealthCheck, given, settings as tuned, strategies as st
import pytest

from .conftest import Charger, sample
from custom_components.ev_charger_hub.station.events import SessionKnown, SessionStarted

TAG = {"idToken": "TAG1", "type": "ISO14443"}
EVSE = {"id": 1, "connectorId": 1}
FIELDS = [
    "cableMaxCurrent",
    "chargingState",
    "connectorId",
    "context",
    "eventType",
    "evse",
    "id",
    "idToken",
    "meterValue",
    "multiplier",
    "numberOfPhasesUsed",
    "offline",
    "remoteStartId",
    "reservationId",
    "sampledValue",
    "seqNo",
    "signedMeterValue",
    "stoppedReason",
    "timeSpentCharging",
    "timestamp",
    "transactionId",
    "transactionInfo",
    "triggerReason",
    "type",
    "unit",
    "unitOfMeasure",
    "value",
]
ACCEPTED = {"idTokenInfo": {"status": "Accepted"}}


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ({}, {}),
        ([], {}),
        ("event", {}),
        ({"transactionInfo": {}}, {}),
        ({"transactionInfo": 7, "idToken": TAG}, ACCEPTED),
        ({"idToken": {"idToken": "TAG1"}}, ACCEPTED),
        ({"idToken": {"type": "ISO14443"}}, ACCEPTED),
        ({"meterValue": [{"sampledValue": 7}, 3], "seqNo": "one"}, {}),
        ({"eventType": ["Started"], "evse": {"id": "first"}, "offline": "no"}, {}),
    ],
)
@pytest.mark.parametrize("identified", [True, False])
async def test_it_is_never_refused(
    charger: Charger, payload: Any, answer: dict[str, Any], identified: bool
) -> None:
    if identified and isinstance(payload, dict):
        payload = {"transactionInfo": {"transactionId": "T1"}} | payload
    assert charger.payload(await charger.call("TransactionEvent", payload)) == answer


async def test_what_is_right_in_it_counts(charger: Charger) -> None:
    begin = charger.event_payload("Started", "T1", 0, sample(1000), evse=EVSE)
    del begin["seqNo"], begin["triggerReason"]
    begin["idToken"] = {"idToken": "TAG1"}
    assert charger.payload(await charger.call("TransactionEvent", begin)) == ACCEPTED
    charger.clock.tick(60)
    more = charger.event_payload("Updated", "T1", 1, sample(1500), {"unit": "Wh"})
    await charger.call("TransactionEvent", more)
    transaction = charger.transactions.running(1)
    assert transaction is not None
    assert (transaction.id_token, transaction.energy) == ("TAG1", 500)


async def test_an_event_without_an_id_is_of_what_runs_there(charger: Charger) -> None:
    await charger.event("Started", "T1", 0, sample(1000), evse=EVSE)
    charger.clock.tick(60)
    end = charger.event_payload("Ended", "", 1, sample(1700), evse=EVSE)
    assert charger.payload(await charger.call("TransactionEvent", end)) == {}
    (session,) = await charger.transactions.sessions()
    assert (session.transaction_id, session.energy) == ("T1", 700)
    assert not session.open


async def test_events_that_are_missing_are_counted(charger: Charger) -> None:
    await charger.event("Started", "T1", 0, sample(1000), evse=EVSE)
    charger.clock.tick(60)
    await charger.event("Updated", "T1", 4, sample(1100))
    transaction = charger.transactions.running(1)
    assert transaction is not None
    assert transaction.events_missing == 3
    for number in (2, 2, 3):
        await charger.event("Updated", "T1", number)
    assert transaction.events_missing == 1
    await charger.event("Ended", "T1", 5, sample(1200))
    (session,) = await charger.transactions.sessions()
    assert session.events_missing == 1


async def test_a_start_that_is_missing_counts_too(charger: Charger) -> None:
    await charger.event("Ended", "T1", 7, sample(1200), evse=EVSE)
    (session,) = await charger.transactions.sessions()
    assert session.events_missing == 1


async def test_offline_events_are_history_and_what_follows_is_not(
    charger: Charger,
) -> None:
    begin: dict[str, Any] = {"evse": EVSE, "idToken": TAG, "offline": True}
    assert await charger.event("Started", "T1", 0, sample(1000), **begin) == ACCEPTED
    await charger.event("Updated", "T1", 1, sample(1100), offline=True)
    assert charger.transactions.running(1) is not None
    assert charger.events_of(SessionStarted) == []
    assert charger.events_of(SessionKnown) == []
    charger.clock.tick(60)
    await charger.event("Updated", "T1", 2, sample(1200), offline=False)
    assert len(charger.events_of(SessionKnown)) == 1
    await charger.event("Updated", "T1", 3, sample(1300))
    assert len(charger.events_of(SessionKnown)) == 1


async def test_a_session_goes_on_after_a_restart_of_the_station(
    charger: Charger,
) -> None:
    await charger.event("Started", "T1", 0, sample(1000), evse=EVSE)
    charger.clock.tick(600)
    await charger.event("Updated", "T1", 1, sample(1500), triggerReason="TxResumed")
    assert len(charger.events_of(SessionKnown)) == 2
    (session,) = await charger.transactions.sessions()
    assert (session.energy, session.open) == (500, True)


async def test_what_others_add_is_in_the_answer(charger: Charger) -> None:
    adapter: Any = charger.adapter
    block = adapter.transactions

    def fails(*_: Any) -> dict[str, Any]:
        raise ValueError("no cost")

    def cost(transaction: Any, event: Any, payload: dict[str, Any]) -> dict[str, Any]:
        return {"totalCost": transaction.energy / 1000 + payload["seqNo"]}

    block.additions += [fails, cost]
    assert await charger.event("Started", "T1", 2, evse=EVSE) == {"totalCost": 2.0}


async def test_a_mistake_of_ours_is_no_error_of_the_station(
    charger: Charger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: Any) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(charger.transactions, "event", fails)
    assert await charger.event("Started", evse=EVSE, idToken=TAG) == ACCEPTED
    assert "an event was not recorded" in caplog.text


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
    ),
    max_leaves=8,
)


@tuned(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(payload=st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=6))
async def test_no_nonsense_is_refused(
    charger: Charger, caplog: pytest.LogCaptureFixture, payload: dict[str, Any]
) -> None:
    whole = charger.event_payload("Updated", "T1", 1, sample(1000)) | payload
    for one in (payload, whole):
        frame = await charger.call("TransactionEvent", one)
        assert frame[0] == 3
        assert set(frame[2]) <= {"idTokenInfo"}
    assert "not recorded" not in caplog.text
