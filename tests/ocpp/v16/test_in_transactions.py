"""StartTransaction and StopTransaction of OCPP 1.6."""

from contextlib import closing
from pathlib import Path
import sqlite3
from typing import Any

import pytest

from .conftest import Charger, FakeClock
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.ocpp.words import stop_reason
from custom_components.ev_charger_hub.station.enums import (
    AuthorizationStatus,
    Measurand,
    StopReason,
)
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.events import (
    SessionEnded,
    SessionKnown,
    SessionSettled,
    SessionStarted,
    StationEvent,
)
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)

REGISTER = Measurand.ENERGY_ACTIVE_IMPORT_REGISTER


@pytest.fixture
def told(charger: Charger) -> list[tuple[str, str]]:
    """Return what is told of transactions once the station knows it: what, and which."""
    told: list[tuple[str, str]] = []

    def happened(event: StationEvent) -> None:
        match event:
            case SessionKnown(transaction=transaction):
                told.append(("started", transaction.transaction_id))
            case SessionSettled(transaction=transaction):
                told.append(("ended", transaction.transaction_id))

    charger.station.on_event(happened)
    return told


async def _only(charger: Charger) -> Transaction:
    (transaction,) = await charger.transactions.sessions()
    return transaction


@pytest.mark.conformance("TC_003_CSMS")
@pytest.mark.conformance("TC_004_1_CSMS")
async def test_session_from_plug_to_unplug(
    charger: Charger, clock: FakeClock, told: list[tuple[str, str]]
) -> None:
    await charger.status("Preparing")
    await charger.call("Authorize", {"idTag": "TAG1"})
    frame = await charger.call(
        "StartTransaction",
        {
            "connectorId": 1,
            "idTag": "TAG1",
            "meterStart": 1000,
            "timestamp": clock.text(),
            "reservationId": 7,
        },
    )
    transaction_id = frame[2]["transactionId"]
    assert frame[2]["idTagInfo"] == {"status": "Accepted"}
    assert 0 < transaction_id < 2**31
    await charger.status("Charging")
    clock.tick(60)
    await charger.meter({"value": "1.5", "unit": "kWh"}, transaction_id=transaction_id)
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 500
    assert transaction.reservation_id == 7
    assert charger.station.evses[1].id_token_seen.value == (
        "TAG1",
        transaction.started_at,
    )
    clock.tick(60)
    answer = await charger.stop(transaction_id, 2000, idTag="TAG1")
    assert answer == {"idTagInfo": {"status": "Accepted"}}
    assert (await _only(charger)).energy == 1000
    assert len(charger.events_of(SessionStarted)) == 1
    assert len(charger.events_of(SessionEnded)) == 1
    name = str(transaction_id)
    assert told == [("started", name), ("ended", name)]


@pytest.mark.conformance("TC_005_1_CSMS")
async def test_unplugged_at_the_car_closes_the_session_once(
    charger: Charger, clock: FakeClock
) -> None:
    transaction_id = await charger.start()
    for status in ("Charging", "SuspendedEV"):
        await charger.status(status)
    assert await charger.stop(transaction_id, 10, reason="EVDisconnected") == {}
    for status in ("Finishing", "Available"):
        await charger.status(status)
    clock.tick(120)
    await charger.settle()
    transaction = await _only(charger)
    assert transaction.stop_reason is StopReason.EV_DISCONNECTED
    assert transaction.state is TransactionState.CLOSED
    assert len(charger.events_of(SessionEnded)) == 1


@pytest.mark.conformance("TC_007_CSMS")
@pytest.mark.parametrize(
    ("status", "word"),
    [
        (AuthorizationStatus.ACCEPTED, "Accepted"),
        (AuthorizationStatus.BLOCKED, "Blocked"),
    ],
)
async def test_tag_is_judged_again_at_the_start(
    charger: Charger, status: AuthorizationStatus, word: str
) -> None:
    charger.authorizer.statuses["TAG1"] = status
    frame = await charger.call(
        "StartTransaction",
        {
            "connectorId": 1,
            "idTag": "TAG1",
            "meterStart": 0,
            "timestamp": charger.clock.text(),
        },
    )
    assert frame[2]["idTagInfo"] == {"status": word}
    assert frame[2]["transactionId"] > 0


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (None, StopReason.LOCAL),
        ("", StopReason.LOCAL),
        ("Local", StopReason.LOCAL),
        ("DeAuthorized", StopReason.DE_AUTHORIZED),
        ("EmergencyStop", StopReason.EMERGENCY_STOP),
        ("EVDisconnected", StopReason.EV_DISCONNECTED),
        ("HardReset", StopReason.HARD_RESET),
        ("Other", StopReason.OTHER),
        ("PowerLoss", StopReason.POWER_LOSS),
        ("Reboot", StopReason.REBOOT),
        ("Remote", StopReason.REMOTE),
        ("SoftReset", StopReason.SOFT_RESET),
        ("UnlockCommand", StopReason.UNLOCK_COMMAND),
        ("Lost", StopReason.OTHER),
        ("Earthquake", StopReason.OTHER),
    ],
)
def test_words_of_stop_reason(word: str | None, reason: StopReason) -> None:
    assert stop_reason(word) is reason


@pytest.mark.conformance("TC_032_1_CSMS")
async def test_stop_after_a_power_failure(charger: Charger, clock: FakeClock) -> None:
    transaction_id = await charger.start(meter_start=100)
    charger.disconnect()
    clock.tick(600)
    charger.connect()
    await charger.boot()
    await charger.status("Finishing")
    answer = await charger.stop(
        transaction_id, 300, reason="PowerLoss", timestamp=clock.text(-590)
    )
    assert answer == {}
    transaction = await _only(charger)
    assert transaction.stop_reason is StopReason.POWER_LOSS
    assert transaction.energy == 200


@pytest.mark.conformance("TC_037_1_CSMS")
@pytest.mark.conformance("TX_07")
async def test_start_of_the_past_is_history(
    charger: Charger, clock: FakeClock, told: list[tuple[str, str]]
) -> None:
    transaction_id = await charger.start(timestamp=clock.text(-3600))
    assert transaction_id > 0
    transaction = await _only(charger)
    assert (clock.now - transaction.started_at).total_seconds() == 3600
    assert charger.events_of(SessionStarted) == []
    assert told == []
    assert charger.station.evses[1].id_token_seen.value is None


@pytest.mark.conformance("TC_037_3_CSMS")
@pytest.mark.conformance("TX_02")
async def test_refused_tag_gets_a_number_and_may_stop(
    charger: Charger, told: list[tuple[str, str]]
) -> None:
    charger.authorizer.statuses["BAD"] = AuthorizationStatus.INVALID
    transaction_id = await charger.start(id_tag="BAD")
    assert transaction_id > 0
    assert told == []
    answer = await charger.stop(transaction_id, 0, reason="DeAuthorized", idTag="BAD")
    assert answer == {"idTagInfo": {"status": "Invalid"}}
    assert (await _only(charger)).stop_reason is StopReason.DE_AUTHORIZED


@pytest.mark.conformance("TC_039_CSMS")
@pytest.mark.conformance("TX_13")
async def test_offline_transactions_are_booked_in_order_without_events(
    charger: Charger, clock: FakeClock, told: list[tuple[str, str]]
) -> None:
    running = await charger.start(connector_id=2, meter_start=0)
    told.clear()
    charger.events.clear()
    for hours in (5, 3):
        began = clock.text(-3600 * hours)
        transaction_id = await charger.start(meter_start=hours, timestamp=began)
        await charger.stop(
            transaction_id,
            hours + 100,
            timestamp=clock.text(-3600 * hours + 1800),
            reason="Local",
        )
    sessions = await charger.transactions.sessions()
    assert [one.energy for one in sessions] == [0, 100, 100]
    assert charger.events == []
    assert told == []
    evse = charger.station.evses[2]
    assert evse.transaction is not None
    assert evse.transaction.transaction_id == str(running)


@pytest.mark.conformance("TX_01")
async def test_repeated_start_gets_the_same_number(
    charger: Charger, clock: FakeClock
) -> None:
    began = clock.text()
    first = await charger.start(meter_start=5, timestamp=began)
    clock.tick(40)
    assert await charger.start(meter_start=5, timestamp=began) == first
    assert len(charger.events_of(SessionStarted)) == 1


@pytest.mark.peer("B-09")
async def test_starts_in_one_second_get_numbers_of_their_own(charger: Charger) -> None:
    numbers = [await charger.start(connector_id=number) for number in (1, 2, 3)]
    assert sorted(set(numbers)) == numbers


@pytest.mark.peer("B-08")
@pytest.mark.conformance("TX_03")
async def test_unknown_stop_is_answered_and_ends_nothing(
    charger: Charger, told: list[tuple[str, str]]
) -> None:
    transaction_id = await charger.start(meter_start=1000)
    told.clear()
    assert await charger.stop(transaction_id + 500, 999998) == {}
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 0
    states = {one.state for one in await charger.transactions.sessions()}
    assert states == {TransactionState.OPEN, TransactionState.ORPHAN}
    assert told == []


@pytest.mark.conformance("TX_04")
@pytest.mark.peer("B-10")
@pytest.mark.parametrize("transaction_id", [-1, 0, -16, 2**63 - 1])
async def test_strange_numbers_are_answered(
    charger: Charger, transaction_id: int
) -> None:
    assert await charger.stop(transaction_id, 5000) == {}
    transaction = await _only(charger)
    assert transaction.state is TransactionState.ORPHAN
    assert transaction.stopped_at == transaction.started_at


@pytest.mark.conformance("TX_05")
async def test_start_on_a_busy_connector_ends_the_old_one_as_lost(
    charger: Charger, clock: FakeClock
) -> None:
    first = await charger.start(meter_start=0)
    clock.tick(60)
    await charger.meter({"value": "400"}, transaction_id=first)
    clock.tick(60)
    second = await charger.start(meter_start=450)
    new, old = await charger.transactions.sessions()
    assert (old.transaction_id, old.state) == (str(first), TransactionState.LOST)
    assert old.energy == 400
    assert (new.transaction_id, new.state) == (str(second), TransactionState.OPEN)


@pytest.mark.conformance("TX_11")
async def test_register_that_starts_anew_makes_no_negative_energy(
    charger: Charger, clock: FakeClock
) -> None:
    transaction_id = await charger.start(meter_start=9000)
    for value in ("9500", "0", "300"):
        clock.tick(30)
        await charger.meter({"value": value}, transaction_id=transaction_id)
    assert charger.value(REGISTER) == 300
    await charger.stop(transaction_id, 400)
    transaction = await _only(charger)
    assert transaction.meter_reset
    assert transaction.energy >= 600
    assert (transaction.meter_start, transaction.meter_stop) == (9000, 400)


@pytest.mark.peer("B-11")
async def test_session_from_register_0_keeps_the_register_alive(
    charger: Charger, clock: FakeClock
) -> None:
    transaction_id = await charger.start(meter_start=0)
    clock.tick(30)
    await charger.meter({"value": "5000"}, transaction_id=transaction_id)
    await charger.stop(transaction_id, 5000)
    clock.tick(30)
    transaction_id = await charger.start(meter_start=5000)
    clock.tick(30)
    await charger.meter({"value": "6000"}, transaction_id=transaction_id)
    assert charger.value(REGISTER) == 6000
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 1000


@pytest.mark.peer("B-33")
async def test_connectors_have_transactions_of_their_own(charger: Charger) -> None:
    first = await charger.start(connector_id=1, meter_start=0)
    second = await charger.start(connector_id=2, meter_start=500_000)
    await charger.meter({"value": "501000"}, connector_id=2, transaction_id=second)
    await charger.stop(first, 10)
    open_one = charger.station.evses[2].transaction
    assert open_one is not None
    assert open_one.energy == 1000
    assert charger.station.evses[1].transaction is None


async def test_repeated_stop_is_answered_alike_and_told_once(
    charger: Charger, clock: FakeClock, told: list[tuple[str, str]]
) -> None:
    transaction_id = await charger.start(meter_start=0)
    ended = clock.text()
    told.clear()
    for _ in range(2):
        answer = await charger.stop(transaction_id, 700, timestamp=ended, idTag="TAG1")
        assert answer == {"idTagInfo": {"status": "Accepted"}}
    assert len(told) == 1
    assert (await _only(charger)).energy == 700


async def test_values_of_begin_and_end_are_kept_as_the_station_wrote_them(
    charger: Charger, clock: FakeClock
) -> None:
    transaction_id = await charger.start(meter_start=1000)
    clock.tick(600)
    data: list[dict[str, Any]] = [
        {
            "timestamp": clock.text(-600),
            "sampledValue": [
                {"value": "1.0", "unit": "kWh", "context": "Transaction.Begin"}
            ],
        },
        {"timestamp": clock.text(-300), "sampledValue": []},
        {
            "timestamp": clock.text(),
            "sampledValue": [
                {"value": "3.2", "unit": "kWh", "context": "Transaction.End"},
                {
                    "value": "230",
                    "context": "Transaction.End",
                    "measurand": "Voltage",
                    "phase": "L1",
                    "location": "Inlet",
                },
                {
                    "value": "T0NNRg==",
                    "context": "Transaction.End",
                    "format": "SignedData",
                    "location": "Outlet",
                },
            ],
        },
    ]
    await charger.stop(transaction_id, 3200, transactionData=data)
    transaction = await _only(charger)
    assert transaction.energy == 2200
    register = "Energy.Active.Import.Register"
    assert transaction.values_start == {register: {"value": "1.0", "unit": "kWh"}}
    assert transaction.values_stop == {
        register: {"value": "3.2", "unit": "kWh"},
        "Voltage.Inlet.L1": {"value": "230", "unit": None},
    }
    assert charger.value(REGISTER) == 3200


@pytest.mark.parametrize(
    ("connector_id", "evse_id", "evses"),
    [(0, 1, [1]), (8, 8, [8]), (9, 0, []), (-3, 0, []), (10**9, 0, [])],
)
async def test_impossible_connector_is_answered_and_booked(
    charger: Charger, connector_id: int, evse_id: int, evses: list[int]
) -> None:
    transaction_id = await charger.start(connector_id=connector_id)
    assert transaction_id > 0
    assert (await _only(charger)).evse_id == evse_id
    assert list(charger.station.evses) == evses
    assert await charger.stop(transaction_id, 5) == {}
    assert list(charger.station.evses) == evses


@pytest.mark.conformance("TX_02")
@pytest.mark.parametrize(
    "fields",
    [
        {"meterStart": -5},
        {"meterStart": 2**53},
        {"timestamp": "1970-01-01T00:00:00Z"},
        {"timestamp": "2099-01-01T00:00:00Z"},
        {"timestamp": "tomorrow"},
        {"reservationId": 2**40},
        {"idTag": "A tag that is longer than the twenty allowed"},
        {"connectorId": "1", "meterStart": 20.0},
    ],
)
async def test_nothing_keeps_a_start_from_its_answer(
    charger: Charger, fields: dict[str, Any]
) -> None:
    payload = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0}
    payload |= {"timestamp": charger.clock.text()} | fields
    frame = await charger.call("StartTransaction", payload)
    assert frame[2]["transactionId"] > 0


async def test_answer_comes_after_the_journal(
    charger: Charger, journal_path: Path
) -> None:
    transaction_id = await charger.start(meter_start=5)
    with closing(sqlite3.connect(journal_path)) as other:
        rows = other.execute("SELECT transaction_id, state FROM transactions")
        assert rows.fetchall() == [(str(transaction_id), "open")]
    await charger.stop(transaction_id, 9)
    with closing(sqlite3.connect(journal_path)) as other:
        rows = other.execute("SELECT meter_stop, state FROM transactions")
        assert rows.fetchall() == [(9, "closed")]


async def test_start_that_cannot_be_kept_is_not_confirmed(
    charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*args: Any, **kwargs: Any) -> None:
        raise JournalError("disk full")

    payload = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0}
    payload |= {"timestamp": charger.clock.text()}
    with monkeypatch.context() as patch:
        patch.setattr(charger.journal, "insert", full)
        frame = await charger.call("StartTransaction", payload, message_id="1")
    # The station keeps it and tries again: nothing is lost.
    assert frame[:3] == [4, "1", "InternalError"]
    frame = await charger.call("StartTransaction", payload, message_id="1")
    assert frame[0] == 3


@pytest.mark.conformance("TX_12")
async def test_session_goes_on_after_a_restart_of_the_server(
    charger: Charger,
    clock: FakeClock,
    journal: Journal,
    schemas: Schemas,
    settings: StationSettings,
) -> None:
    transaction_id = await charger.start(meter_start=1000)
    clock.tick(30)
    await charger.meter({"value": "4000"}, transaction_id=transaction_id)
    await charger.close()
    again = Charger(clock=clock, journal=journal, schemas=schemas, settings=settings)
    await again.transactions.load()
    again.connect()
    clock.tick(30)
    await again.meter({"value": "5000"}, transaction_id=transaction_id)
    transaction = again.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 4000
    await again.stop(transaction_id, 6000)
    assert (await _only(again)).energy == 5000
    assert again.events_of(SessionStarted) == []
    assert len(again.events_of(SessionEnded)) == 1
    assert await again.start(meter_start=6000) > transaction_id
    await again.close()


async def test_begin_and_end_of_a_transaction_move_the_register(
    charger: Charger, clock: FakeClock
) -> None:
    transaction_id = await charger.start(meter_start=1000)
    assert charger.value(REGISTER) == 1000
    clock.tick(60)
    await charger.stop(transaction_id, 1500)
    assert charger.value(REGISTER) == 1500


async def test_begin_and_end_that_count_from_0_do_not_lower_the_register(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.meter({"value": "900000"})
    clock.tick(60)
    transaction_id = await charger.start(meter_start=0)
    clock.tick(60)
    await charger.stop(transaction_id, 5000)
    assert charger.value(REGISTER) == 900000


async def test_stop_without_a_number_ends_the_one_transaction_it_can_mean(
    charger: Charger, clock: FakeClock, told: list[tuple[str, str]]
) -> None:
    transaction_id = await charger.start(meter_start=0)
    clock.tick(60)
    await charger.stop(-1, 700, idTag="TAG1")
    assert (await _only(charger)).energy == 700
    assert told == [("started", str(transaction_id)), ("ended", str(transaction_id))]


async def test_first_boot_can_follow_the_first_start(charger: Charger) -> None:
    transaction_id = await charger.start()
    await charger.boot()
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.transaction_id == str(transaction_id)
