"""Joining: one record of a session that a charger and the cloud of its maker tell of.

What the charger says itself counts more; the cloud fills what the charger did not say,
and ends a session whose end the charger cannot tell us.
"""

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, Final

from .clock import MAX_FUTURE, MAX_PAST, plausible
from .energy import EnergyCounter
from .rows import Record
from .same_session import NEAR, WATT_HOURS, Trace, is_headless, same_meter, trace_of
from .settlement import Stop, closed, rebase
from .transaction import MAX_VALUES, Transaction, TransactionState
from .transaction_events import EventKind, TransactionEvent

LIVE: Final = timedelta(minutes=5)
"""What a station tells within this time goes on."""


def is_trusted(claimed: datetime | None, now: datetime) -> bool:
    """Return whether a station that claims this had its clock set."""
    return claimed is not None and now - MAX_PAST <= claimed <= now + MAX_FUTURE


# What the charger says of a session that only the cloud told of


def trace_of_start(new: Record, *, trusted: bool, live: bool) -> Trace:
    """Return what a start tells (OCPP 1.6 StartTransaction)."""
    transaction = new.transaction
    return Trace(
        started_at=transaction.started_at if trusted else None,
        open=live,
        meter_start=transaction.meter_start,
    )


def trace_of_stop(stop: Stop, now: datetime) -> Trace:
    """Return what a stop tells whose start nobody knows (OCPP 1.6 StopTransaction)."""
    trusted = is_trusted(stop.claimed_at, now)
    return Trace(
        stopped_at=plausible(stop.claimed_at, now) if trusted else None,
        meter_start=stop.begin,
        meter_stop=stop.end if stop.meter_stop is None else stop.meter_stop,
    )


def trace_of_event(event: TransactionEvent, now: datetime) -> Trace:
    """Return what an event tells of its transaction (OCPP 2.x TransactionEvent)."""
    if event.recorded:
        return _trace_of_cloud(event, now)
    at = event.moment(now) if is_trusted(event.claimed_at, now) else None
    started_at = at if event.kind is EventKind.STARTED else None
    return Trace(
        started_at=started_at,
        stopped_at=at if event.kind is EventKind.ENDED else None,
        open=event.kind is EventKind.STARTED and not event.offline,
        meter_start=event.begin,
        meter_stop=event.end if event.kind is EventKind.ENDED else None,
    )


def _trace_of_cloud(event: TransactionEvent, now: datetime) -> Trace:
    at, ended = event.moment(now), event.kind is EventKind.ENDED
    return Trace(
        started_at=min(event.started_at or at, at) if ended else at,
        stopped_at=at if ended else None,
        open=not ended,
        meter_start=None if event.is_unnamed else event.begin,
        energy=event.energy,
        by_cloud=True,
    )


def owned(record: Record, transaction_id: str) -> Record:
    """Return how a record looks that the station has a name for from now on."""
    result = deepcopy(record)
    transaction = result.transaction
    transaction.cloud_id = transaction.transaction_id
    transaction.transaction_id = transaction_id
    result.start_claimed = result.stop_claimed = None
    return result


def started(record: Record, new: Record, *, trusted: bool) -> Record:
    """Return how a record looks with the start that its station tells of."""
    result = owned(record, new.transaction.transaction_id)
    transaction, told = result.transaction, new.transaction
    if told.id_token:
        transaction.id_token, transaction.token_type = told.id_token, told.token_type
    transaction.connector_id = told.connector_id
    transaction.reservation_id = told.reservation_id
    known, fresh = trace_of(record.transaction), trace_of(told)
    same = trusted and abs(told.started_at - record.transaction.started_at) <= NEAR
    begin = told.meter_start
    if begin is not None and known.meter_start is not None:
        same |= abs(begin - known.meter_start) <= WATT_HOURS
    if begin is not None:
        if same:
            rebase(result, begin)
        elif not same_meter(known, fresh):
            # The station tells of it as of one that begins now.
            rebase(result, begin - transaction.energy)
    if same and trusted:
        latest = transaction.stopped_at or told.started_at
        transaction.started_at = min(told.started_at, latest)
    result.start_claimed = new.start_claimed
    return result


def stopped(record: Record, stop: Stop, now: datetime) -> Record:
    """Return how a record looks with its stop, whatever the cloud said of its end."""
    result = closed(record, stop, now)
    result.stop_claimed = result.stop_claimed or ""
    before, after = record.transaction, result.transaction
    if before.state is not TransactionState.CLOSED:
        return result
    if before.stopped_at is not None and not is_trusted(stop.claimed_at, now):
        after.stopped_at = before.stopped_at
    begin, end = before.meter_start, after.meter_stop
    if end is None or (begin is not None and end < begin):
        # A meter that begins anew does not tell what the cloud knows.
        after.energy, after.meter_stop = before.energy, before.meter_stop
        after.meter_reset = before.meter_reset
        result.counter = deepcopy(record.counter)
    return result


# What the cloud says of a session that the charger told of


def enriched(
    record: Record, event: TransactionEvent, now: datetime, others: int
) -> Record:
    """Return a record with what the cloud says of it.

    `others` is what other sessions of the charger had of it in Wh, while the cloud
    took them for one.
    """
    result = deepcopy(record)
    transaction = result.transaction
    if transaction.cloud_name is None and not transaction.cloud_only:
        transaction.cloud_id = event.transaction_id
    # A placeholder stays: it is part of what tells a start that is sent again.
    if event.id_token and not transaction.id_token:
        transaction.id_token = event.id_token
        transaction.token_type = event.token_type
    _fill(transaction.values_start, event.values_start)
    if event.kind is not EventKind.ENDED:
        return result
    _fill(transaction.values_stop, event.values_stop)
    transaction.cloud_cost = event.cost or transaction.cloud_cost
    match transaction.state:
        case TransactionState.OPEN | TransactionState.LOST:
            _end(result, event, now, others)
        case _ if is_headless(record.transaction):
            _complete(result, event, now)
        case TransactionState.CLOSED if transaction.meter_stop is None:
            _count(result, event, now, others)
    return result


def _end(record: Record, event: TransactionEvent, now: datetime, others: int) -> None:
    transaction = record.transaction
    transaction.state = TransactionState.CLOSED
    transaction.stopped_at = max(event.moment(now), transaction.started_at)
    transaction.stop_reason = event.reason
    transaction.meter_stop = None
    _count(record, event, now, others)


def _count(record: Record, event: TransactionEvent, now: datetime, others: int) -> None:
    """Take what the cloud says that a session came to, as far as it was this one."""
    transaction = record.transaction
    if (energy := event.energy) is None:
        transaction.meter_stop = transaction.meter_last
        return
    known, told = trace_of(transaction), _trace_of_cloud(event, now)
    begin, counted = transaction.meter_start, energy
    if begin is not None and told.meter_start is not None and same_meter(known, told):
        # A part of it may have been delivered before the station told of it.
        counted = energy - max(0, begin - told.meter_start)
    else:
        counted = energy - others
    energy = max(counted, 0)
    transaction.energy = energy
    transaction.meter_reset = False
    if begin is None:
        record.counter = EnergyCounter(done=energy)
    else:
        transaction.meter_stop = begin + energy
        record.counter = EnergyCounter(start=begin, base=begin, last=begin + energy)


def _complete(record: Record, event: TransactionEvent, now: datetime) -> None:
    """Give the stop of a session the start that was missing."""
    transaction = record.transaction
    orphan = transaction.state is TransactionState.ORPHAN
    transaction.state = TransactionState.CLOSED
    ended = transaction.stopped_at or event.moment(now)
    transaction.started_at = min(event.started_at or ended, ended)
    transaction.evse_id = transaction.evse_id or event.evse_id
    energy = event.energy
    if energy is None:
        return
    if transaction.energy <= WATT_HOURS:
        transaction.energy = energy
    # A station of OCPP 2.x may yet tell of the start itself.
    if orphan and transaction.meter_start is None and transaction.meter_stop:
        begin = transaction.meter_stop - transaction.energy
        transaction.meter_start = begin
        record.counter = EnergyCounter(
            start=begin, base=begin, last=transaction.meter_stop
        )


def _fill(known: dict[str, Any], told: dict[str, Any]) -> None:
    for name, value in told.items():
        if len(known) < MAX_VALUES:
            known.setdefault(name, value)


def overlap(session: Transaction, event: TransactionEvent, now: datetime) -> bool:
    """Return whether a session lies within what the cloud takes for one."""
    told = _trace_of_cloud(event, now)
    if session.stopped_at is None or told.started_at is None:
        return False
    end = told.stopped_at or now
    return told.started_at - NEAR <= session.started_at and (
        session.stopped_at <= end + NEAR
    )
