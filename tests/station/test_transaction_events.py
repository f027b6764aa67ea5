"""Transaction events: the same record, in whatever order they come."""

from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.station.enums import StopReason
from custom_components.ev_charger_hub.station.rows import Record
from custom_components.ev_charger_hub.station.transaction_events import (
    Bound,
    EventKind,
    Reading,
    TransactionEvent,
    folded,
    opened,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = NOON + timedelta(hours=5)


def event(
    kind: EventKind, minute: int, *registers: int, bound: Bound | None = None
) -> TransactionEvent:
    at = NOON + timedelta(minutes=minute)
    return TransactionEvent(
        kind=kind,
        transaction_id="T1",
        claimed_at=at,
        readings=tuple(Reading(at=at, register=one, bound=bound) for one in registers),
        id_token="TAG1" if kind is EventKind.STARTED else None,
        evse_id=2 if kind is EventKind.STARTED else 0,
        reason=StopReason.REMOTE if kind is EventKind.ENDED else StopReason.LOCAL,
    )


def record_of(events: list[TransactionEvent]) -> Record:
    begin = opened("CP1", events[0], NOW)
    return reduce(lambda record, one: folded(record, one, NOW), events, begin)


@st.composite
def sessions(draw: st.DrawFn) -> list[TransactionEvent]:
    """Draw a whole session: every register is at least the one before."""
    start = draw(st.integers(0, 10**9))
    steps = draw(st.lists(st.integers(0, 5000), min_size=1, max_size=8))
    registers = [start + sum(steps[:index]) for index in range(len(steps) + 1)]
    updates = [
        event(EventKind.UPDATED, minute, register)
        for minute, register in enumerate(registers[1:-1], 1)
    ]
    return [
        event(EventKind.STARTED, 0, registers[0], bound=Bound.BEGIN),
        *updates,
        event(EventKind.ENDED, 60, registers[-1], bound=Bound.END),
    ]


@given(st.data(), sessions())
def test_order_duplicates_and_gaps_change_neither_session_nor_energy(
    data: st.DataObject, events: list[TransactionEvent]
) -> None:
    in_order = record_of(events).transaction
    kept = [one for one in events[1:-1] if data.draw(st.booleans())]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=4))
    told = data.draw(st.permutations([events[0], *kept, events[-1], *repeated]))

    transaction = record_of(told).transaction

    assert transaction.energy == in_order.energy
    assert transaction.energy == transaction.meter_stop - transaction.meter_start  # type: ignore[operator]
    assert transaction.started_at == NOON
    assert transaction.stopped_at == NOON + timedelta(hours=1)
    assert transaction.evse_id == 2
    assert transaction.id_token == "TAG1"
    assert transaction.stop_reason is StopReason.REMOTE


@given(st.data(), sessions())
def test_without_its_start_the_energy_is_that_of_the_readings_that_came(
    data: st.DataObject, events: list[TransactionEvent]
) -> None:
    told = data.draw(st.permutations(events[1:]))
    registers = [one.register for item in told for one in item.readings]
    assert record_of(told).transaction.energy == max(registers) - min(registers)


@given(sessions())
def test_what_was_told_before_changes_nothing(events: list[TransactionEvent]) -> None:
    record = record_of(events)
    for one in events:
        assert folded(record, one, NOW) == record


def test_a_register_that_starts_anew_is_counted_on() -> None:
    record = record_of(
        [
            event(EventKind.STARTED, 0, 5000, bound=Bound.BEGIN),
            event(EventKind.UPDATED, 1, 5400),
            event(EventKind.UPDATED, 2, 0),
            event(EventKind.UPDATED, 3, 300),
            event(EventKind.ENDED, 4, 350, bound=Bound.END),
        ]
    )
    assert record.transaction.energy == 750
    assert record.transaction.meter_reset


def test_an_end_alone_is_a_session() -> None:
    end = TransactionEvent(
        kind=EventKind.ENDED,
        transaction_id="T1",
        claimed_at=NOON,
        charged=timedelta(minutes=30),
        readings=(
            Reading(at=NOON - timedelta(hours=1), register=100, bound=Bound.BEGIN),
            Reading(at=NOON, register=900, bound=Bound.END),
        ),
    )
    transaction = record_of([end]).transaction
    assert transaction.energy == 800
    assert transaction.started_at == NOON - timedelta(minutes=30)
    assert transaction.stopped_at == NOON


def test_late_readings_count_for_an_end_without_one() -> None:
    record = record_of(
        [
            event(EventKind.STARTED, 0, 100),
            event(EventKind.ENDED, 10),
            event(EventKind.UPDATED, 9, 600),
        ]
    )
    assert record.transaction.energy == 500


@pytest.mark.parametrize("first", [0, 1])
def test_the_token_of_the_start_counts(first: int) -> None:
    start = event(EventKind.STARTED, 0)
    update = TransactionEvent(
        kind=EventKind.UPDATED,
        transaction_id="T1",
        claimed_at=NOON,
        id_token="TAG2",
        token_type="ISO14443",
    )
    events = [start, update] if first == 0 else [update, start]
    assert record_of(events).transaction.id_token == "TAG1"
