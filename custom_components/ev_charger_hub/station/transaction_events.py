"""Transaction events: what a station says of a transaction, folded into its record.

Stations repeat events, lose some and send others late or in any order (OCPP 2.x E04,
E12, E13). Whatever comes in whatever order, the same events make the same record.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from .clock import plausible
from .energy import EnergyCounter
from .enums import StopReason
from .rows import Record, stamp
from .settlement import rebase, sane
from .transaction import CLOUD_UNNAMED, MAX_VALUES, Transaction


class EventKind(StrEnum):
    """Where in a transaction an event is."""

    STARTED = "started"
    UPDATED = "updated"
    ENDED = "ended"


class Bound(StrEnum):
    """Which end of a transaction a reading was taken at."""

    BEGIN = "begin"
    END = "end"


@dataclass(kw_only=True, slots=True, frozen=True)
class Reading:
    """The import register in Wh, and when it was read."""

    at: datetime
    register: int
    bound: Bound | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class TransactionEvent:
    """What one event says (OCPP 2.x TransactionEvent); None and 0: nothing.

    `stops` says that its token is to end the transaction; `charged` how long energy
    flowed until then. `number` orders the events; one that is `offline` is history,
    whenever that was.

    One that is `recorded` comes from somebody who keeps account of the sessions of a
    station, as the Easee cloud does: its times are believed however long ago they are,
    its ids never name another session, and its token is the one that began it. Its end
    also tells when the session began, in `energy` what it came to in Wh, and in `cost`
    what that cost (`amount`, `currency`).
    """

    kind: EventKind
    transaction_id: str
    claimed_at: datetime | None
    number: int | None = None
    offline: bool = False
    evse_id: int = 0
    connector_id: int = 0
    id_token: str | None = field(default=None, repr=False)
    token_type: str | None = None
    stops: bool = False
    reservation_id: int | None = None
    remote_start_id: int | None = None
    reason: StopReason = StopReason.LOCAL
    charged: timedelta = timedelta()
    readings: tuple[Reading, ...] = ()
    values_start: dict[str, Any] = field(default_factory=dict)
    values_stop: dict[str, Any] = field(default_factory=dict)
    recorded: bool = False
    started_at: datetime | None = None
    energy: int | None = None
    cost: dict[str, Any] | None = None

    def moment(self, now: datetime) -> datetime:
        """Return when it was, as far as what it claims is believed."""
        if self.recorded and self.claimed_at is not None:
            return min(self.claimed_at, now)
        return plausible(self.claimed_at, now)

    @property
    def is_unnamed(self) -> bool:
        """Return whether its id is made up, because the cloud has told none yet."""
        return self.transaction_id.startswith(CLOUD_UNNAMED)

    @property
    def begin(self) -> int | None:
        """Return the register in Wh that the transaction began with, if it is told."""
        begins = [one for one in self.readings if one.bound is Bound.BEGIN]
        if not begins and self.kind is EventKind.STARTED:
            begins = list(self.readings)
        first = min(begins, key=lambda one: one.at, default=None)
        return None if first is None else sane(first.register)

    @property
    def end(self) -> int | None:
        """Return the register in Wh that the transaction ended with, if it is told."""
        ends = [one for one in self.readings if one.bound is Bound.END] or [
            one for one in self.readings if one.bound is None
        ]
        last = max(ends, key=lambda one: (one.at, one.register), default=None)
        return None if last is None else sane(last.register)


def opened(identity: str, event: TransactionEvent, now: datetime) -> Record:
    """Return the record of a transaction of which `event` is the first that came."""
    at = event.moment(now)
    return Record(
        transaction=Transaction(
            key=0,
            identity=identity,
            transaction_id=event.transaction_id,
            evse_id=event.evse_id,
            started_at=at,
            received_at=now,
        ),
        counter=EnergyCounter(),
    )


def is_another(record: Record, event: TransactionEvent) -> bool:
    """Return whether a station begins a transaction with an id that it used before."""
    return (
        event.kind is EventKind.STARTED
        and not event.recorded
        and not record.transaction.open
        and bool(record.start_claimed)
        and record.start_claimed != stamp(event.claimed_at)
    )


def folded(record: Record, event: TransactionEvent, now: datetime) -> Record:
    """Return a record with what an event says; equal if that was known before."""
    result = deepcopy(record)
    transaction = result.transaction
    at = event.moment(now)
    transaction.evse_id = event.evse_id or transaction.evse_id
    transaction.connector_id = event.connector_id or transaction.connector_id
    if transaction.reservation_id is None:
        transaction.reservation_id = event.reservation_id
    if transaction.remote_start_id is None:
        transaction.remote_start_id = event.remote_start_id
    if event.charged:
        charged = int(event.charged.total_seconds())
        transaction.charging_time = max(transaction.charging_time or 0, charged)
    transaction.cloud_cost = event.cost or transaction.cloud_cost
    _note_start(result, event, at)
    _note_token(transaction, event)
    for reading in sorted(event.readings, key=lambda one: (one.at, one.register)):
        _count(result, reading)
    if event.kind is EventKind.ENDED and result.stop_claimed is None:
        result.stop_claimed = stamp(event.claimed_at) or ""
        transaction.stopped_at = max(at, transaction.started_at)
        transaction.stop_reason = event.reason
        transaction.stop_id_token = None if event.recorded else event.id_token
        transaction.meter_stop = event.end
        if event.energy is not None:
            _note_energy(result, event.energy)
    _fill(transaction.values_start, event.values_start)
    _fill(transaction.values_stop, event.values_stop)
    _settle(result)
    _note_number(result, event)
    return result


def _note_energy(record: Record, energy: int) -> None:
    """Take what a transaction came to in all, whatever its samples say."""
    transaction = record.transaction
    if transaction.meter_start is None:
        record.counter, transaction.meter_stop = EnergyCounter(done=energy), None
    else:
        transaction.meter_stop = transaction.meter_start + energy


def _fill(known: dict[str, Any], told: dict[str, Any]) -> None:
    """Take over what is not known yet, as long as a meter may measure so much."""
    for name, value in told.items():
        if len(known) < MAX_VALUES:
            known.setdefault(name, value)


def _note_number(record: Record, event: TransactionEvent) -> None:
    numbers = record.numbers
    numbers.add(event.number)
    # The first event of all is told apart by its kind, whatever its number is.
    startless = bool(numbers.spans) and record.start_claimed is None
    record.transaction.events_missing = numbers.missing + startless


def _note_start(record: Record, event: TransactionEvent, at: datetime) -> None:
    transaction = record.transaction
    if record.start_claimed is None:
        if event.kind is EventKind.STARTED:
            record.start_claimed = stamp(event.claimed_at) or ""
            transaction.started_at = at
        elif event.started_at is not None:
            record.start_claimed = stamp(event.started_at)
            transaction.started_at = min(event.started_at, at)
        else:
            transaction.started_at = min(transaction.started_at, at - event.charged)
    begin = event.begin
    if event.recorded and begin and transaction.meter_start == 0:
        # It was noticed before its start was told, and counted from nothing.
        rebase(record, begin)
    if transaction.meter_start is None and begin is not None:
        counter = record.counter
        transaction.meter_start = counter.start = begin
        if counter.base is None or counter.last is None:
            counter.base = counter.last = begin
        else:
            _widen(counter, begin)


def _note_token(transaction: Transaction, event: TransactionEvent) -> None:
    # What the start says counts, whenever it comes; a late token only fills the gap.
    begins = event.kind is EventKind.STARTED or event.recorded
    ends = event.stops or event.kind is EventKind.ENDED
    if event.id_token and (begins or (transaction.id_token is None and not ends)):
        transaction.id_token = event.id_token
        transaction.token_type = event.token_type


def _count(record: Record, reading: Reading) -> None:
    """Count a reading; one from in between adds nothing to a register that grows."""
    transaction, counter = record.transaction, record.counter
    if (register := sane(reading.register)) is None:
        return
    last = transaction.meter_last_at, transaction.meter_last or 0
    if last[0] is None or (reading.at, register) > last:
        if record.stop_claimed is None or transaction.meter_stop is None:
            counter.sample(register)
            transaction.meter_last, transaction.meter_last_at = register, reading.at
            return
    if counter.start is None:
        _widen(counter, register)


def _widen(counter: EnergyCounter, register: int) -> None:
    """Let the count begin earlier, at a lower register."""
    if not counter.restarted and counter.base is not None:
        counter.base = min(counter.base, register)


def _settle(record: Record) -> None:
    transaction, counter = record.transaction, record.counter
    if record.stop_claimed is not None and transaction.meter_stop is not None:
        transaction.energy = counter.finish(transaction.meter_stop)
    else:
        transaction.energy = counter.energy
    transaction.meter_reset = counter.restarted
