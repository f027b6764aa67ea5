"""Transactions: duplicates, disorder, gaps and replays, and what is made of them."""

import asyncio
from datetime import UTC, datetime, timedelta
import logging
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from .conftest import NOON, Hall
from custom_components.ev_charger_hub.station.enums import ConnectorStatus, StopReason
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.events import (
    SessionEnded,
    SessionKnown,
    SessionStarted,
)
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.rows import Record
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)
from custom_components.ev_charger_hub.station.transactions import Transactions

UNSET_CLOCK = datetime(1970, 1, 1, tzinfo=UTC)


async def begin(
    transactions: Transactions,
    *,
    at: datetime | None = NOON,
    meter: int | None = 1000,
    evse: int = 1,
    token: str = "TAG",
) -> Transaction:
    return await transactions.start(
        evse_id=evse, id_token=token, meter_start=meter, claimed_at=at
    )


def measure(
    hall: Hall, transactions: Transactions, transaction_id: str | None, *registers: int
) -> None:
    """Have EVSE 1 tell its register once a minute."""
    for register in registers:
        transactions.meter(
            evse_id=1,
            transaction_id=transaction_id,
            register=register,
            at=hall.pass_time(minutes=1),
        )


async def end(
    transactions: Transactions,
    transaction_id: str,
    *,
    at: datetime | None = NOON,
    meter: int | None = 5000,
    **more: Any,
) -> Transaction:
    return await transactions.stop(
        transaction_id=transaction_id,
        meter_stop=meter,
        claimed_at=at,
        reason=StopReason.LOCAL,
        **more,
    )


def register(value: object, unit: str | None = "Wh") -> dict[str, Any]:
    return {"Energy.Active.Import.Register": {"value": value, "unit": unit}}


# A session


async def test_a_session_from_start_to_stop(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    begun = await begin(transactions)
    evse = station.evse(1)
    assert evse.transaction is begun
    assert transactions.find(begun.transaction_id) is begun
    assert hall.events == [SessionStarted(evse_id=1, transaction=begun)]
    shown: list[int] = []
    evse.session.subscribe(lambda: shown.append(begun.energy))

    at = hall.pass_time(minutes=10)
    transactions.meter(
        evse_id=1, transaction_id=begun.transaction_id, register=3000, at=at
    )
    transactions.meter(
        evse_id=1, transaction_id=begun.transaction_id, register=3000, at=at
    )
    ended = await end(
        transactions, begun.transaction_id, at=hall.pass_time(minutes=1), id_token="TAG"
    )

    assert shown == [2000, 4000]
    assert ended is begun
    assert ended.state is TransactionState.CLOSED
    assert ended.energy == 4000
    assert ended.stopped_at == hall.now
    assert ended.stop_reason is StopReason.LOCAL
    assert ended.stop_id_token == "TAG"
    assert not ended.meter_reset
    assert station.evse(1).transaction is None
    assert evse.session.value is ended
    assert hall.events[1:] == [SessionEnded(evse_id=1, transaction=ended)]
    assert await transactions.sessions() == [ended]
    assert await transactions.sessions(open_only=True) == []


@pytest.mark.conformance("TX_01")
async def test_the_same_start_again_is_the_same_transaction(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    assert await begin(transactions) is begun

    await end(transactions, begun.transaction_id)
    assert await begin(transactions) is begun

    transactions = await hall.restart()
    assert (await begin(transactions)).transaction_id == begun.transaction_id
    assert len(await transactions.sessions()) == 1
    assert len(hall.events) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"at": NOON + timedelta(seconds=1)},
        {"meter": 1001},
        {"evse": 2},
        {"token": "GAT"},
    ],
)
async def test_another_start_is_another_transaction(
    transactions: Transactions, other: dict[str, Any]
) -> None:
    begun = await begin(transactions)

    assert (await begin(transactions, **other)).transaction_id != begun.transaction_id


@pytest.mark.parametrize("claimed", [None, UNSET_CLOCK])
async def test_a_clock_that_was_never_set_does_not_merge_sessions(
    transactions: Transactions, claimed: datetime | None
) -> None:
    begun = await begin(transactions, at=claimed, meter=0)
    assert begun.started_at == NOON
    assert await begin(transactions, at=claimed, meter=0) is begun
    await end(transactions, begun.transaction_id, at=claimed)

    again = await begin(transactions, at=claimed, meter=0)

    assert again is not begun
    assert again.open


@pytest.mark.conformance("SEC_08")
@pytest.mark.peer("B-09")
async def test_ids_are_positive_rising_and_shared_by_all_stations(hall: Hall) -> None:
    one, two = await hall.station("CP1"), await hall.station("CP2")

    begun = await asyncio.gather(
        *(begin(one, evse=evse) for evse in (1, 2, 3)),
        *(begin(two, evse=evse) for evse in (1, 2, 3)),
    )

    ids = [int(each.transaction_id) for each in begun]
    assert len(set(ids)) == 6
    assert all(0 < each < 2**31 for each in ids)
    one = await hall.restart("CP1")
    assert int((await begin(one, meter=9)).transaction_id) > max(ids)


async def test_an_id_that_a_station_brought_along_is_not_given_again(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    begun = await begin(transactions)
    await end(transactions, begun.transaction_id)
    following = str(int(begun.transaction_id) + 1)
    await end(transactions, following)

    again = await begin(transactions, meter=5000)

    assert int(again.transaction_id) == int(following) + 1


@pytest.mark.conformance("TX_05")
async def test_a_start_on_a_busy_evse_ends_the_old_one_as_lost(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    old = await begin(transactions)
    last_seen = hall.pass_time(minutes=10)
    transactions.meter(
        evse_id=1, transaction_id=old.transaction_id, register=3000, at=last_seen
    )
    new = await begin(transactions, at=hall.pass_time(minutes=1), meter=3100)

    assert old.state is TransactionState.LOST
    assert old.stop_reason is StopReason.LOST
    assert (old.meter_stop, old.energy, old.stopped_at) == (3000, 2000, last_seen)
    assert station.evse(1).transaction is new
    assert hall.events[1:] == [
        SessionEnded(evse_id=1, transaction=old),
        SessionStarted(evse_id=1, transaction=new),
    ]
    assert await transactions.sessions() == [new, old]


async def test_a_lost_one_without_readings_lasted_until_the_next_start(
    hall: Hall, transactions: Transactions
) -> None:
    old = await begin(transactions)
    new = await begin(transactions, at=hall.pass_time(minutes=9))

    assert old.stopped_at == new.started_at
    assert old.meter_stop is None
    assert old.energy == 0


@pytest.mark.conformance("TX_07")
async def test_history_makes_no_events(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    begun = await begin(transactions, at=NOON - timedelta(hours=3))
    assert transactions.is_history(begun.started_at)
    ended = await end(transactions, begun.transaction_id, at=NOON - timedelta(hours=1))

    assert hall.events == []
    assert station.evse(1).session.value is ended
    assert ended.started_at == NOON - timedelta(hours=3)
    assert ended.stopped_at == NOON - timedelta(hours=1)


@pytest.mark.conformance("TX_13")
async def test_a_replay_from_before_the_open_one_does_not_end_it(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    present = await begin(transactions)
    past = await begin(transactions, at=NOON - timedelta(hours=3), meter=100)
    assert past.state is TransactionState.LOST
    assert await begin(transactions, at=NOON - timedelta(hours=3), meter=100) is past
    ended = await end(
        transactions, past.transaction_id, at=NOON - timedelta(hours=1), meter=900
    )

    assert present.open
    assert station.evse(1).session.value is present
    assert ended.state is TransactionState.CLOSED
    assert ended.energy == 800
    assert len(hall.events) == 1
    assert await transactions.sessions() == [present, past]


# Stops


async def test_the_same_stop_again_changes_nothing(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    ended = await end(transactions, begun.transaction_id)
    hall.pass_time(hours=1)

    assert await end(transactions, begun.transaction_id, meter=9000) is ended
    assert ended.energy == 4000
    transactions = await hall.restart()
    assert await end(transactions, begun.transaction_id) == ended
    assert await transactions.sessions() == [ended]


@pytest.mark.conformance("TX_03")
@pytest.mark.peer("B-08")
async def test_a_stop_of_an_unknown_id_is_an_orphan_and_ends_nothing(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    present = await begin(transactions)
    stray = await end(transactions, "4711", meter=998_999_000, evse_id=1)

    assert stray.state is TransactionState.ORPHAN
    assert (stray.evse_id, stray.energy, stray.meter_stop) == (1, 0, 998_999_000)
    assert present.open
    assert station.evse(1).session.value is present
    assert present.energy == 0
    assert await end(transactions, "4711", meter=998_999_000) == stray
    assert {one.key for one in await transactions.sessions()} == {
        present.key,
        stray.key,
    }
    assert len(hall.events) == 1


async def test_an_orphan_with_values_has_energy(transactions: Transactions) -> None:
    stray = await end(
        transactions, "4711", meter=5000, values_start=register("1.5", "kWh")
    )

    assert (stray.evse_id, stray.meter_start, stray.energy) == (0, 1500, 3500)


@pytest.mark.conformance("SEC_07")
async def test_a_foreign_id_changes_nothing(hall: Hall) -> None:
    owner, thief = await hall.station("CP1"), await hall.station("CP2")
    begun = await begin(owner)

    stray = await end(thief, begun.transaction_id)
    hall.stations["CP2"].evse(1).status.set(ConnectorStatus.CHARGING)
    thief.meter(evse_id=1, transaction_id=begun.transaction_id, register=9, at=NOON)

    assert stray.identity == "CP2"
    assert stray.state is TransactionState.ORPHAN
    assert begun.open
    assert begun.meter_last is None
    assert await owner.sessions() == [begun]
    assert await thief.sessions() == [stray]
    assert hall.stations["CP2"].evse(1).session.value is None


@pytest.mark.conformance("TX_04")
@pytest.mark.parametrize("no_id", ["-1", "0", ""])
@pytest.mark.parametrize(
    "hint", [{"id_token": "tag"}, {"values_start": register("1.0", "kWh")}]
)
async def test_a_stop_without_id_finds_its_transaction(
    hall: Hall, transactions: Transactions, no_id: str, hint: dict[str, Any]
) -> None:
    await begin(transactions, evse=2, token="OTHER", meter=2000)
    begun = await begin(transactions)
    ended = await end(transactions, no_id, **hint)
    assert ended is begun
    assert ended.energy == 4000

    next_one = await begin(transactions, at=hall.pass_time(minutes=1))
    assert await end(transactions, no_id, **hint) is begun
    assert next_one.open


@pytest.mark.conformance("TX_04")
@pytest.mark.parametrize(
    "stop",
    [
        pytest.param({}, id="no hint"),
        pytest.param({"id_token": "STRANGER"}, id="another token"),
        pytest.param({"values_start": register("77")}, id="another register"),
        pytest.param({"id_token": "TAG", "evse_id": 3}, id="another evse"),
        pytest.param({"id_token": "TAG"}, id="two that fit"),
        pytest.param(
            {"id_token": "TAG", "evse_id": 1, "at": NOON - timedelta(hours=1)},
            id="before the start",
        ),
    ],
)
async def test_a_stop_without_id_that_fits_nothing_is_an_orphan(
    transactions: Transactions, stop: dict[str, Any]
) -> None:
    one, two = await begin(transactions), await begin(transactions, evse=2)

    stray = await end(transactions, "-1", **stop)

    assert stray.state is TransactionState.ORPHAN
    assert one.open
    assert two.open
    assert await end(transactions, "-1", **stop) == stray
    assert len(await transactions.sessions()) == 3


async def test_late_stop_does_not_end_the_next_session(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    old = await begin(transactions)
    new = await begin(transactions, at=hall.pass_time(hours=2), meter=7000)
    events = len(hall.events)

    ended = await end(transactions, old.transaction_id, at=NOON + timedelta(hours=1))

    assert ended is old
    assert ended.state is TransactionState.CLOSED
    assert (ended.meter_stop, ended.energy) == (5000, 4000)
    assert ended.stopped_at == NOON + timedelta(hours=1)
    assert station.evse(1).transaction is new
    assert len(hall.events) == events
    transactions.meter(evse_id=1, transaction_id=None, register=7100, at=hall.now)
    assert new.energy == 100


async def test_a_stop_that_claims_to_be_before_the_start_is_not(
    transactions: Transactions,
) -> None:
    begun = await begin(transactions)
    ended = await end(
        transactions, begun.transaction_id, at=NOON - timedelta(minutes=3)
    )

    assert ended.stopped_at == ended.started_at


@pytest.mark.conformance("TX_11")
async def test_a_register_that_was_reset_leaves_the_energy_of_the_samples(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions, meter=100_000)
    measure(hall, transactions, begun.transaction_id, 101_000, 0, 500)
    ended = await end(transactions, begun.transaction_id, meter=600)

    assert ended.energy == 1600
    assert ended.meter_reset
    assert (ended.meter_start, ended.meter_stop) == (100_000, 600)


async def test_the_values_of_the_stop_know_better_than_a_reset_register(
    transactions: Transactions,
) -> None:
    begun = await begin(transactions, meter=100_000)
    ended = await end(
        transactions,
        begun.transaction_id,
        meter=0,
        values_start=register("100000"),
        values_stop=register("104.2", "kWh"),
    )

    assert ended.energy == 4200
    assert ended.meter_reset
    assert ended.values_start == register("100000")
    assert ended.values_stop == register("104.2", "kWh")
    assert await transactions.sessions() == [ended]


@pytest.mark.parametrize(
    "values", [{}, register("many"), register(None), register("1e99"), {"SoC": 3}]
)
async def test_a_stop_without_a_register_keeps_what_was_counted(
    hall: Hall, transactions: Transactions, values: dict[str, Any]
) -> None:
    begun = await begin(transactions)
    transactions.meter(evse_id=1, transaction_id=None, register=1700, at=hall.now)
    ended = await end(
        transactions, begun.transaction_id, meter=None, values_stop=values
    )

    assert ended.energy == 700
    assert ended.meter_stop is None


async def test_a_stop_without_meter_takes_it_from_its_values(
    transactions: Transactions,
) -> None:
    begun = await begin(transactions)
    ended = await end(
        transactions, begun.transaction_id, meter=None, values_stop=register("1800")
    )

    assert (ended.meter_stop, ended.energy) == (1800, 800)


@pytest.mark.peer("B-21")
async def test_a_start_without_meter_does_not_take_the_previous_one(
    hall: Hall, transactions: Transactions
) -> None:
    before = await begin(transactions)
    await end(transactions, before.transaction_id)
    begun = await begin(transactions, at=hall.pass_time(minutes=1), meter=None)
    assert begun.meter_start is None

    for reading in (6000, 6400):
        transactions.meter(
            evse_id=1, transaction_id=None, register=reading, at=hall.now
        )

    assert begun.energy == 400


async def test_impossible_registers_are_unknown(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions, meter=10**30)
    transactions.meter(evse_id=1, transaction_id=None, register=10**30, at=hall.now)
    ended = await end(transactions, begun.transaction_id, meter=-(10**30))

    assert (ended.meter_start, ended.meter_stop, ended.energy) == (None, None, 0)


@pytest.mark.peer("B-10")
async def test_times_come_from_the_station_and_not_from_the_id(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    ended = await end(transactions, begun.transaction_id, at=hall.pass_time(minutes=42))

    assert ended.stopped_at is not None
    assert ended.stopped_at - ended.started_at == timedelta(minutes=42)


# Meter values


@pytest.mark.peer("B-35")
async def test_readings_outside_a_session_count_for_none(
    hall: Hall, transactions: Transactions
) -> None:
    transactions.meter(evse_id=1, transaction_id=None, register=500, at=hall.now)
    begun = await begin(transactions)

    assert (begun.meter_start, begun.meter_last, begun.energy) == (1000, None, 0)


async def test_readings_from_before_the_last_one_are_history(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    for reading, minute in ((900, -1), (2000, 5), (1500, 4)):
        transactions.meter(
            evse_id=1,
            transaction_id=None,
            register=reading,
            at=NOON + timedelta(minutes=minute),
        )

    assert (begun.meter_last, begun.energy) == (2000, 1000)
    assert begun.meter_last_at == NOON + timedelta(minutes=5)


@pytest.mark.peer("B-20")
async def test_the_id_and_not_the_evse_says_whose_reading_it_is(
    hall: Hall, transactions: Transactions
) -> None:
    one, two = await begin(transactions), await begin(transactions, evse=2, meter=0)

    transactions.meter(
        evse_id=1, transaction_id=two.transaction_id, register=501, at=hall.now
    )

    assert (one.energy, two.energy) == (0, 501)


async def test_an_unknown_id_belongs_to_what_is_open(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)

    transactions.meter(evse_id=1, transaction_id="77", register=1500, at=hall.now)

    assert begun.energy == 500
    assert await transactions.sessions() == [begun]


@pytest.mark.conformance("TX_06")
async def test_a_running_transaction_that_we_do_not_know_is_adopted(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    station.evse(1).status.set(ConnectorStatus.CHARGING)
    for reading in (7000, 7100):
        transactions.meter(
            evse_id=1, transaction_id="77", register=reading, at=hall.now
        )
        await transactions.sessions()

    (adopted,) = await transactions.sessions(open_only=True)
    assert adopted.transaction_id == "77"
    assert (adopted.meter_start, adopted.energy) == (None, 100)
    assert station.evse(1).transaction == adopted
    # It began at another time, but can be addressed from now on.
    assert hall.events == [SessionKnown(evse_id=1, transaction=adopted)]

    ended = await end(transactions, "77", meter=8000, values_start=register("4000"))
    assert (ended.meter_start, ended.energy) == (4000, 4000)
    assert hall.events[1:] == [SessionEnded(evse_id=1, transaction=ended)]


@pytest.mark.parametrize(
    ("status", "transaction_id", "reading"),
    [
        (ConnectorStatus.AVAILABLE, "77", 1),
        (ConnectorStatus.CHARGING, None, 1),
        (ConnectorStatus.CHARGING, "-1", 1),
        (ConnectorStatus.CHARGING, "-7", 1),
        (ConnectorStatus.CHARGING, "0", 1),
        (ConnectorStatus.CHARGING, "77", 10**30),
    ],
)
async def test_nothing_is_adopted_without_reason(
    hall: Hall,
    transactions: Transactions,
    station: ChargingStation,
    status: ConnectorStatus,
    transaction_id: str | None,
    reading: int,
) -> None:
    station.evse(1).status.set(status)

    transactions.meter(
        evse_id=1, transaction_id=transaction_id, register=reading, at=hall.now
    )
    transactions.meter(evse_id=9, transaction_id="78", register=1, at=hall.now)

    assert await transactions.sessions() == []
    assert list(station.evses) == [1]


async def test_closing_readings_do_not_reopen_anything(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    begun = await begin(transactions)
    station.evse(1).status.set(ConnectorStatus.CHARGING)
    ended = await end(transactions, begun.transaction_id)
    stray = await end(transactions, "4711", evse_id=1)
    for transaction_id in (begun.transaction_id, "4711"):
        transactions.meter(
            evse_id=1, transaction_id=transaction_id, register=9000, at=hall.now
        )

    assert await transactions.sessions(open_only=True) == []
    assert ended.energy == 4000
    transactions = await hall.restart()
    hall.stations["CP1"].evse(1).status.set(ConnectorStatus.CHARGING)
    transactions.meter(evse_id=1, transaction_id="4711", register=9000, at=hall.now)
    transactions.meter(
        evse_id=1, transaction_id=begun.transaction_id, register=9000, at=hall.now
    )
    assert await transactions.sessions() == [stray, ended]


async def test_a_start_that_overtakes_an_adoption_wins(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    station.evse(1).status.set(ConnectorStatus.CHARGING)
    starting = asyncio.create_task(begin(transactions))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    transactions.meter(evse_id=1, transaction_id="77", register=1500, at=hall.now)

    begun = await starting

    assert await transactions.sessions() == [begun]
    assert station.evse(1).transaction is begun


async def test_a_failed_adoption_is_tried_with_the_next_reading(
    hall: Hall,
    transactions: Transactions,
    station: ChargingStation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise JournalError("disk full")

    station.evse(1).status.set(ConnectorStatus.CHARGING)
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(hall.journal, "insert", fail)
        transactions.meter(evse_id=1, transaction_id="77", register=1, at=hall.now)
        assert await transactions.sessions() == []
    assert "disk full" in caplog.text

    transactions.meter(evse_id=1, transaction_id="77", register=1, at=hall.now)

    assert len(await transactions.sessions()) == 1


async def test_the_list_of_strange_ids_is_bounded(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    station.evse(1).status.set(ConnectorStatus.CHARGING)
    for number in range(200):
        await end(transactions, str(number + 1), meter=number)
    for number in range(200):
        transactions.meter(
            evse_id=1, transaction_id=str(number + 1), register=1, at=hall.now
        )

    assert await transactions.sessions(open_only=True) == []
    assert len(transactions._meter.strange) <= 64


async def test_progress_is_written_now_and_then(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    measure(hall, transactions, None, 1100, 1200, 1300)
    assert [alarm.delay for alarm in hall.timers.pending] == [30.0]
    assert (await hall.journal.sessions("CP1"))[0].energy == 0

    hall.timers.fire()
    hall.timers.fire()
    assert (await hall.journal.sessions("CP1"))[0] == begun
    assert hall.timers.pending == []


async def test_late_progress_does_not_reopen_what_ended(
    hall: Hall, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = await begin(transactions)
    save = hall.journal.save

    async def save_with_a_reading_in_between(record: Record) -> None:
        await save(record)
        transactions.meter(evse_id=1, transaction_id=None, register=1300, at=hall.now)
        hall.timers.fire()
        await hall.journal.flush()

    monkeypatch.setattr(hall.journal, "save", save_with_a_reading_in_between)
    ended = await end(transactions, begun.transaction_id)

    assert await hall.journal.sessions("CP1") == [ended]
    assert ended.energy == 4000


# Restarts


@pytest.mark.conformance("TX_12")
@pytest.mark.peer("B-19")
async def test_a_session_survives_a_restart(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions, meter=100_000)
    measure(hall, transactions, None, 101_000, 0, 500)

    transactions = await hall.restart()

    evse = hall.stations["CP1"].evse(1)
    assert evse.transaction == begun
    assert evse.transaction.energy == 1500
    transactions.meter(
        evse_id=1,
        transaction_id=begun.transaction_id,
        register=700,
        at=hall.pass_time(minutes=1),
    )
    assert evse.transaction.energy == 1700
    ended = await end(transactions, begun.transaction_id, meter=800)
    assert ended.energy == 1800
    assert await transactions.sessions() == [ended]


async def test_the_last_session_is_shown_after_a_restart(
    hall: Hall, transactions: Transactions
) -> None:
    await end(transactions, (await begin(transactions)).transaction_id)
    at = hall.pass_time(hours=1)
    begun = await begin(transactions, at=at, evse=2, meter=0)
    ended = await end(transactions, begun.transaction_id, at=at)
    past = await begin(transactions, at=NOON - timedelta(hours=9), evse=2, meter=0)
    await end(transactions, past.transaction_id, at=NOON - timedelta(hours=8))
    await end(transactions, "4711", evse_id=3)

    await hall.restart()

    station = hall.stations["CP1"]
    assert list(station.evses) == [1, 2]
    assert station.evse(2).session.value == ended


async def test_many_sessions_do_not_hide_an_open_one(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions, evse=2)
    for minute in range(70):
        at = hall.pass_time(minutes=1)
        one = await begin(transactions, at=at, meter=minute)
        await end(transactions, one.transaction_id, at=at)
    assert transactions.find(begun.transaction_id) is begun
    assert len(transactions._sessions.known) == 65
    first = (await transactions.sessions(limit=100))[-2]
    assert transactions.find(first.transaction_id) is None
    assert await end(transactions, first.transaction_id) == first

    transactions = await hall.restart()

    assert hall.stations["CP1"].evse(2).transaction == begun
    assert await transactions.sessions(limit=1, open_only=True) == [begun]


async def test_a_stop_is_finished_even_if_its_socket_goes_away(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    begun = await begin(transactions)
    stopping = asyncio.create_task(end(transactions, begun.transaction_id))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping

    (ended,) = await transactions.sessions()

    assert ended.state is TransactionState.CLOSED
    assert station.evse(1).session.value == ended


async def test_what_is_not_durable_did_not_happen(
    hall: Hall,
    transactions: Transactions,
    station: ChargingStation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise JournalError("disk full")

    begun = await begin(transactions)
    with monkeypatch.context() as patch:
        patch.setattr(hall.journal, "save", fail)
        with pytest.raises(JournalError):
            await end(transactions, begun.transaction_id)
    assert begun.open
    assert begun.energy == 0

    assert (await end(transactions, begun.transaction_id)).energy == 4000


# Status


@pytest.mark.conformance("TX_14")
async def test_available_ends_a_transaction_after_a_grace(
    hall: Hall, transactions: Transactions, station: ChargingStation
) -> None:
    begun = await begin(transactions)
    transactions.meter(evse_id=1, transaction_id=None, register=1300, at=hall.now)
    await transactions.sessions()
    available_at = hall.pass_time(minutes=1)
    transactions.status(1, ConnectorStatus.AVAILABLE, available_at)
    transactions.status(1, ConnectorStatus.AVAILABLE, hall.pass_time(seconds=30))
    assert begun.open
    assert [alarm.delay for alarm in hall.timers.pending] == [60.0]

    hall.pass_time(minutes=1)
    hall.timers.fire()
    assert await transactions.sessions(open_only=True) == []

    assert begun.state is TransactionState.LOST
    assert (begun.meter_stop, begun.energy) == (1300, 300)
    assert begun.stopped_at == available_at
    assert station.evse(1).session.value is begun
    assert hall.events[1:] == [SessionEnded(evse_id=1, transaction=begun)]
    late = await end(transactions, begun.transaction_id, meter=1400)
    assert (late.state, late.energy) == (TransactionState.CLOSED, 400)
    assert len(hall.events) == 2


@pytest.mark.conformance("TX_14")
async def test_another_status_ends_the_grace(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    transactions.status(1, ConnectorStatus.AVAILABLE, NOON)
    transactions.status(1, ConnectorStatus.CHARGING, NOON)
    transactions.status(2, ConnectorStatus.AVAILABLE, NOON)

    assert hall.timers.pending == []
    assert begun.open


async def test_available_from_before_the_start_means_nothing(
    hall: Hall, transactions: Transactions
) -> None:
    await begin(transactions)
    transactions.status(1, ConnectorStatus.AVAILABLE, NOON - timedelta(seconds=1))

    assert hall.timers.pending == []


async def test_a_stop_or_start_during_the_grace_ends_it(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    transactions.status(1, ConnectorStatus.AVAILABLE, NOON)
    await end(transactions, begun.transaction_id)
    assert hall.timers.pending == []

    await begin(transactions, at=hall.pass_time(minutes=1))
    transactions.status(1, ConnectorStatus.AVAILABLE, hall.now)
    begun = await begin(transactions, at=hall.pass_time(seconds=1))
    assert hall.timers.pending == []
    assert begun.open


async def test_a_stop_that_arrives_as_the_grace_ends_wins(
    hall: Hall, transactions: Transactions
) -> None:
    begun = await begin(transactions)
    transactions.status(1, ConnectorStatus.AVAILABLE, NOON)
    stopping = asyncio.create_task(end(transactions, begun.transaction_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    hall.timers.fire()
    await stopping

    assert [one.state for one in await transactions.sessions()] == ["closed"]


async def test_close_lets_no_grace_end(hall: Hall, transactions: Transactions) -> None:
    begun = await begin(transactions)
    transactions.status(1, ConnectorStatus.AVAILABLE, NOON)

    await transactions.close()

    assert hall.timers.pending == []
    assert begun.open


async def test_a_start_on_no_evse_is_recorded_but_not_shown(
    transactions: Transactions, station: ChargingStation
) -> None:
    begun = await begin(transactions, evse=0)
    transactions.meter(evse_id=0, transaction_id=None, register=1200, at=NOON)
    ended = await end(transactions, begun.transaction_id)

    assert await transactions.sessions() == [ended]
    assert station.evses == {}


# Any order


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
async def test_any_number_of_copies_in_order_make_each_session_once(
    hall: Hall, data: st.DataObject
) -> None:
    """Each session's start and stop come once or more, with a restart anywhere."""
    identity = f"CP{len(hall.stations)}"
    transactions = await hall.station(identity)
    delivered = data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
    copies = st.integers(1, 3)
    meter = 0
    for number, energy in enumerate(delivered):
        at = NOON - timedelta(days=1) + timedelta(hours=number)
        ids = set()
        for _ in range(data.draw(copies)):
            begun = await begin(transactions, at=at, meter=meter)
            ids.add(begun.transaction_id)
            if data.draw(st.booleans()):
                await transactions.close()
                transactions = await hall.station(identity)
        assert len(ids) == 1
        meter += energy
        for _ in range(data.draw(copies)):
            await end(
                transactions,
                begun.transaction_id,
                at=at + timedelta(minutes=1),
                meter=meter,
            )

    stored = await transactions.sessions()
    assert [one.energy for one in reversed(stored)] == delivered
    assert {one.state for one in stored} == {TransactionState.CLOSED}
