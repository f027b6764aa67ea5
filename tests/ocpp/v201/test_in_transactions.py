"""Transactions of OCPP 2.x: durable, once, answered, in whatever order (E)."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings as tuned, strategies as st
import pytest

from .conftest import Charger, sample
from custom_components.ev_charger_hub.station.enums import (
    AuthorizationStatus,
    ConnectorStatus,
    StopReason,
)
from custom_components.ev_charger_hub.station.events import (
    SessionEnded,
    SessionKnown,
    SessionSettled,
    SessionStarted,
    TokenPresented,
)
from custom_components.ev_charger_hub.station.transaction import TransactionState

TAG = {"idToken": "TAG1", "type": "ISO14443"}
EVSE = {"id": 1, "connectorId": 1}


async def started(charger: Charger, transaction_id: str = "T1", **fields: Any) -> None:
    """Start a transaction on EVSE 1 at 1000 Wh."""
    begin: dict[str, Any] = {"evse": EVSE, "idToken": TAG}
    begin["triggerReason"] = "Authorized"
    register = sample(1000, context="Transaction.Begin")
    await charger.event("Started", transaction_id, 0, register, **begin | fields)


@pytest.mark.conformance("TC_E_01_CSMS", "TC_E_10_CSMS", "TC_J_07_CSMS", "TC_J_09_CSMS")
async def test_a_session_from_start_to_end(charger: Charger) -> None:
    await charger.boot()
    await charger.status("Occupied")
    answer = await charger.event(
        "Started",
        "T1",
        0,
        sample(1000, context="Transaction.Begin"),
        evse=EVSE,
        idToken=TAG,
        info={"chargingState": "Charging"},
    )
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    evse = charger.station.evses[1]
    transaction = charger.transactions.running(1)
    assert transaction is not None
    assert (transaction.id_token, transaction.token_type) == ("TAG1", "ISO14443")
    assert charger.shown() is ConnectorStatus.CHARGING
    assert len(charger.events_of(SessionStarted)) == 1
    assert len(charger.events_of(SessionKnown)) == 1
    assert [one.id_token for one in charger.events_of(TokenPresented)] == ["TAG1"]

    charger.clock.tick(60)
    assert await charger.event("Updated", "T1", 1, sample(1500.4)) == {}
    assert transaction.energy == 500
    charger.clock.tick(60)
    end = sample(2000, context="Transaction.End")
    info = {"stoppedReason": "EVDisconnected"}
    assert await charger.event("Ended", "T1", 2, end, info=info) == {}
    assert evse.transaction is None
    assert evse.session.value is transaction
    assert transaction.energy == 1000
    assert transaction.stop_reason is StopReason.EV_DISCONNECTED
    assert charger.shown() is ConnectorStatus.FINISHING
    assert len(charger.events_of(SessionEnded)) == 1
    assert len(charger.events_of(SessionSettled)) == 1
    await charger.status("Available")
    assert charger.shown() is ConnectorStatus.AVAILABLE


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("Charging", ConnectorStatus.CHARGING),
        ("EVConnected", ConnectorStatus.PREPARING),
        ("SuspendedEV", ConnectorStatus.SUSPENDED_EV),
        ("SuspendedEVSE", ConnectorStatus.SUSPENDED_EVSE),
        ("Idle", ConnectorStatus.PREPARING),
    ],
)
async def test_the_charging_state_is_shown_in_the_words_of_1_6(
    charger: Charger, state: str, shown: ConnectorStatus
) -> None:
    await charger.status("Occupied")
    await started(charger)
    charger.clock.tick(1)
    await charger.event("Updated", "T1", 1, info={"chargingState": state})
    assert charger.shown() is shown
    charger.clock.tick(1)
    await charger.status("Occupied")
    assert charger.shown() is shown


async def test_a_fault_is_shown_over_the_charging_state(charger: Charger) -> None:
    await started(charger)
    await charger.status("Faulted")
    charger.clock.tick(1)
    await charger.event("Updated", "T1", 1, info={"chargingState": "SuspendedEVSE"})
    assert charger.shown() is ConnectorStatus.FAULTED
    charger.clock.tick(1)
    await charger.status("Occupied")
    assert charger.shown() is ConnectorStatus.SUSPENDED_EVSE


@pytest.mark.conformance("TC_E_03_CSMS", "TC_E_09_CSMS", "TC_E_12_CSMS")
async def test_cable_first_and_the_token_later(charger: Charger) -> None:
    answer = await charger.event("Started", triggerReason="CablePluggedIn", evse=EVSE)
    assert answer == {}
    charger.clock.tick(900)
    answer = await charger.event("Updated", "T1", 1, idToken=TAG)
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.id_token == "TAG1"
    assert len(charger.events_of(SessionStarted)) == 1
    assert [one.id_token for one in charger.events_of(TokenPresented)] == ["TAG1"]


@pytest.mark.conformance("TC_E_04_CSMS", "TC_J_08_CSMS")
async def test_authorization_first_and_the_evse_later(charger: Charger) -> None:
    for evse_id in (1, 2):
        await charger.status("Available", evse_id=evse_id)
    begin = sample(1000, context="Transaction.Begin")
    await charger.event("Started", "T1", 0, begin, idToken=TAG)
    assert charger.transactions.find("T1") is not None
    assert charger.events_of(SessionStarted) == []
    await charger.event("Updated", "T1", 1, evse={"id": 2, "connectorId": 1})
    transaction = charger.station.evses[2].transaction
    assert transaction is not None
    assert transaction.meter_start == 1000
    assert len(charger.events_of(SessionStarted)) == 1
    assert len(charger.events_of(SessionKnown)) == 1


async def test_only_the_first_event_names_the_evse(charger: Charger) -> None:
    await charger.event("Started", "A", 0, sample(100), evse={"id": 1})
    await charger.event("Started", "B", 0, sample(501_000), evse={"id": 2})
    charger.clock.tick(60)
    await charger.event("Updated", "B", 1, sample(501_500))
    await charger.event("Updated", "A", 1, sample(150))
    charger.clock.tick(60)
    await charger.event("Ended", "B", 2, sample(502_000))
    one, two = charger.station.evses[1], charger.station.evses[2]
    assert one.transaction is not None
    assert one.transaction.energy == 50
    assert two.transaction is None
    assert two.session.value is not None
    assert two.session.value.energy == 1000


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (AuthorizationStatus.INVALID, "Invalid"),
        (AuthorizationStatus.BLOCKED, "Blocked"),
        (AuthorizationStatus.EXPIRED, "Expired"),
        (AuthorizationStatus.CONCURRENT_TX, "ConcurrentTx"),
    ],
)
@pytest.mark.conformance("TC_C_20_CSMS", "TC_E_16_CSMS")
async def test_a_refused_token_is_told_so_and_gets_a_session(
    charger: Charger, status: AuthorizationStatus, word: str
) -> None:
    charger.authorizer.statuses["TAG1"] = status
    answer = await charger.event("Started", evse=EVSE, idToken=TAG)
    assert answer == {"idTokenInfo": {"status": word}}
    assert charger.station.evses[1].transaction is not None
    assert charger.events_of(SessionKnown) == []


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (None, StopReason.LOCAL),
        ("DeAuthorized", StopReason.DE_AUTHORIZED),
        ("EmergencyStop", StopReason.EMERGENCY_STOP),
        ("EnergyLimitReached", StopReason.ENERGY_LIMIT_REACHED),
        ("EVDisconnected", StopReason.EV_DISCONNECTED),
        ("GroundFault", StopReason.GROUND_FAULT),
        ("ImmediateReset", StopReason.HARD_RESET),
        ("Local", StopReason.LOCAL),
        ("LocalOutOfCredit", StopReason.LOCAL_OUT_OF_CREDIT),
        ("MasterPass", StopReason.MASTER_PASS),
        ("Other", StopReason.OTHER),
        ("OvercurrentFault", StopReason.OVERCURRENT_FAULT),
        ("PowerLoss", StopReason.POWER_LOSS),
        ("PowerQuality", StopReason.POWER_QUALITY),
        ("Reboot", StopReason.REBOOT),
        ("Remote", StopReason.REMOTE),
        ("SOCLimitReached", StopReason.SOC_LIMIT_REACHED),
        ("StoppedByEV", StopReason.STOPPED_BY_EV),
        ("TimeLimitReached", StopReason.TIME_LIMIT_REACHED),
        ("Timeout", StopReason.TIMEOUT),
        ("Boredom", StopReason.OTHER),
    ],
)
@pytest.mark.conformance("TC_E_14_CSMS", "TC_E_15_CSMS", "TC_E_20_CSMS", "TC_E_22_CSMS")
async def test_why_a_session_ended(
    charger: Charger, word: str | None, reason: StopReason
) -> None:
    info = {} if word is None else {"stoppedReason": word}
    await charger.event("Started", evse=EVSE)
    await charger.event("Ended", "T1", 1, info=info)
    (session,) = await charger.transactions.sessions()
    assert session.stop_reason is reason


async def test_no_token_needed_is_accepted(charger: Charger) -> None:
    nobody = {"idToken": "", "type": "NoAuthorization"}
    answer = await charger.event("Started", evse=EVSE, idToken=nobody)
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert charger.authorizer.asked == []
    assert charger.events_of(TokenPresented) == []


async def test_the_same_event_under_a_new_message_id_counts_once(
    charger: Charger,
) -> None:
    start = charger.event_payload("Started", "T1", 0, sample(1000), evse=EVSE)
    end = charger.event_payload("Ended", "T1", 1, sample(1900))
    for payload in (start, start, end, end, start):
        assert charger.payload(await charger.call("TransactionEvent", payload)) == {}
    sessions = await charger.transactions.sessions()
    assert [(one.energy, one.state) for one in sessions] == [
        (900, TransactionState.CLOSED)
    ]
    assert len(charger.events_of(SessionStarted)) == 1
    assert len(charger.events_of(SessionEnded)) == 1


async def test_an_end_without_a_start_is_a_session(charger: Charger) -> None:
    await charger.status("Occupied")
    await charger.event(
        "Ended",
        "T9",
        7,
        sample(100, context="Transaction.Begin"),
        sample(700, context="Transaction.End"),
        info={"timeSpentCharging": 600, "stoppedReason": "Remote"},
    )
    (session,) = await charger.transactions.sessions()
    assert session.state is TransactionState.CLOSED
    assert (session.evse_id, session.energy) == (1, 600)
    assert session.stopped_at is not None
    assert (session.stopped_at - session.started_at).total_seconds() == 600


async def test_with_several_evses_nobody_guesses_among_equals(charger: Charger) -> None:
    for evse_id in (1, 2):
        await charger.status("Occupied", evse_id=evse_id)
    await charger.event("Updated", "T1", 3, sample(500))
    assert [one.transaction for one in charger.station.evses.values()] == [None, None]
    charger.clock.tick(1)
    await charger.event("Ended", "T1", 4, sample(700), evse={"id": 2})
    assert charger.station.evses[2].session.value is not None
    assert charger.station.evses[2].session.value.energy == 200


async def test_a_start_ends_what_ran_there_and_its_own_late_end_settles_it(
    charger: Charger,
) -> None:
    await charger.event("Started", "A", 0, sample(100), evse=EVSE)
    late = charger.event_payload("Ended", "A", 1, sample(300))
    charger.clock.tick(60)
    await charger.event("Started", "B", 0, sample(300), evse=EVSE)
    first = charger.transactions.find("A")
    assert first is not None
    states = [first.state]
    await charger.call("TransactionEvent", late)
    states.append(first.state)
    assert states == [TransactionState.LOST, TransactionState.CLOSED]
    assert first.energy == 200
    running = charger.station.evses[1].transaction
    assert running is not None
    assert running.transaction_id == "B"


async def test_an_offline_burst_is_history(charger: Charger) -> None:
    await charger.status("Available")
    for number, (kind, ago, register) in enumerate(
        [("Started", 7200, 100), ("Updated", 5400, 400), ("Ended", 3600, 900)]
    ):
        fields: dict[str, Any] = {"evse": EVSE} if kind == "Started" else {}
        timestamp = charger.clock.text(-ago)
        await charger.event(
            kind, "T1", number, sample(register), timestamp=timestamp, **fields
        )
    (session,) = await charger.transactions.sessions()
    assert (session.energy, session.state) == (800, TransactionState.CLOSED)
    assert charger.events == []
    assert charger.shown() is ConnectorStatus.AVAILABLE


async def test_a_lost_session_that_goes_on_is_the_same_one(charger: Charger) -> None:
    await started(charger)
    await charger.status("Available")
    charger.clock.tick(61)
    await charger.settle()
    assert charger.transactions.running(1) is None
    await charger.event("Updated", "T1", 1, sample(1200))
    running = charger.station.evses[1].transaction
    assert running is not None
    assert (running.energy, running.stopped_at) == (200, None)


@pytest.mark.conformance("TC_E_26_CSMS")
async def test_a_session_waits_for_its_vehicle(charger: Charger) -> None:
    await started(charger)
    await charger.event("Updated", "T1", 1, info={"chargingState": "Idle"})
    charger.clock.tick(1)
    await charger.status("Available")
    charger.clock.tick(300)
    await charger.settle()
    assert charger.station.evses[1].transaction is not None


async def test_an_id_that_is_used_again_is_another_session(charger: Charger) -> None:
    for register in (100, 500):
        await charger.event("Started", "1", 0, sample(register), evse=EVSE)
        charger.clock.tick(600)
        await charger.event("Ended", "1", 1, sample(register + 50))
        charger.clock.tick(600)
    sessions = await charger.transactions.sessions()
    assert [one.energy for one in sessions] == [50, 50]


@pytest.mark.conformance("TC_E_53_CSMS")
async def test_numbers_may_start_anew_or_go_on(charger: Charger) -> None:
    for transaction_id, number in (("A", 0), ("B", 0), ("C", 17)):
        register = number * 1000
        await charger.event(
            "Started", transaction_id, number, sample(register), evse=EVSE
        )
        charger.clock.tick(60)
        await charger.event("Ended", transaction_id, number + 1, sample(register + 10))
        charger.clock.tick(60)
    assert [one.energy for one in await charger.transactions.sessions()] == [10] * 3


@pytest.mark.parametrize(
    "fields",
    [
        {"eventType": "Paused"},
        {"evse": {"id": -3}},
        {"evse": {"id": 10**9}},
        {"timestamp": "yesterday"},
        {"triggerReason": "Whim", "reservationId": 2**40},
        {"transactionInfo": {"transactionId": "", "timeSpentCharging": 2**60}},
        {"meterValue": [{"timestamp": "now", "sampledValue": [{"value": 1e300}]}]},
        {"cableMaxCurrent": 2**50},
        {"evse": {"id": 1, "connectorId": 2**50}},
    ],
)
async def test_odd_events_are_answered(
    charger: Charger, fields: dict[str, Any]
) -> None:
    payload = charger.event_payload("Updated", "T1", 0) | fields
    assert charger.payload(await charger.call("TransactionEvent", payload)) == {}
    end = charger.event_payload("Ended", "T1", 1) | fields
    assert charger.payload(await charger.call("TransactionEvent", end)) == {}


async def test_the_cable_tells_its_rating(charger: Charger) -> None:
    await charger.event("Started", evse=EVSE, cableMaxCurrent=32)
    assert charger.station.evses[1].cable_rating.value == 32


async def test_an_id_of_a_session_that_was_given_up_is_another_session_too(
    charger: Charger,
) -> None:
    await charger.event("Started", "1", 0, sample(1000), evse=EVSE)
    assert await charger.transactions.close_lost("1")
    charger.clock.tick(3600)
    again = charger.event_payload("Started", "1", 0, sample(5000), evse=EVSE)
    for _ in range(2):
        await charger.call("TransactionEvent", again)
    await charger.event("Updated", "1", 1, sample(5300))
    new, old = await charger.transactions.sessions()
    assert (new.state, new.energy) == (TransactionState.OPEN, 300)
    assert (old.state, old.energy) == (TransactionState.LOST, 0)


async def test_an_answer_is_given_once_the_journal_has_it(
    charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    insert = charger.journal.insert

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await gate.wait()
        return await insert(*args, **kwargs)

    monkeypatch.setattr(charger.journal, "insert", slow)
    asking = asyncio.create_task(charger.event("Started", evse=EVSE))
    await asyncio.sleep(0)
    assert not asking.done()
    gate.set()
    assert await asking == {}


async def test_another_process_goes_on_where_this_one_was_killed(
    charger: Charger,
) -> None:
    await started(charger)
    await charger.event("Updated", "T1", 1, sample(1300))
    again = Charger(
        clock=charger.clock,
        journal=charger.journal,
        schemas=charger.schemas,
        settings=charger.station.settings,
    )
    await again.transactions.load()
    again.connect()
    running = again.station.evse(1).transaction
    assert running is not None
    assert running.energy == 300
    charger.clock.tick(60)
    await again.event("Ended", "T1", 2, sample(1700))
    (session,) = await again.transactions.sessions()
    assert session.energy == 700
    await again.close()


@tuned(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_any_order_makes_the_same_session(
    charger: Charger, data: st.DataObject
) -> None:
    transaction_id = f"T{len(await charger.transactions.sessions(limit=1000))}"
    charger.clock.tick(3600)
    events = [
        charger.event_payload(
            "Started", transaction_id, 0, sample(1000), evse=EVSE, idToken=TAG
        )
    ]
    for number in (1, 2, 3):
        charger.clock.tick(60)
        register = sample(1000 + 100 * number)
        events.append(
            charger.event_payload("Updated", transaction_id, number, register)
        )
    charger.clock.tick(60)
    end = sample(1450, context="Transaction.End")
    events.append(charger.event_payload("Ended", transaction_id, 4, end))
    middle = [one for one in events[1:4] if data.draw(st.booleans())]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=3))
    for payload in data.draw(
        st.permutations([events[0], *middle, events[4], *repeated])
    ):
        charger.payload(await charger.call("TransactionEvent", payload))
    session = charger.transactions.find(transaction_id)
    assert session is not None
    assert session.state is TransactionState.CLOSED
    assert (session.energy, session.evse_id, session.id_token) == (450, 1, "TAG1")
    assert charger.station.evses[1].transaction is None
