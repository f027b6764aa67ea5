"""Transactions of one station: every start and stop counts once, in whatever order."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Any

from . import settlement
from .clock import (
    MAX_FUTURE,
    MAX_PAST,
    CallLater,
    Clock,
    Timer,
    call_later as loop_call_later,
    plausible,
)
from .energy import EnergyCounter
from .enums import ConnectorStatus, StopReason
from .errors import JournalError
from .event_keeper import EventKeeper
from .journal import NO_IDS, Journal
from .model import ChargingStation, SessionEnded, SessionKnown, SessionStarted
from .rows import Record, stamp
from .secrets import shortened
from .sessions import RECENT, Sessions
from .settlement import Stop, sane
from .transaction import Transaction, TransactionState
from .transaction_events import TransactionEvent

_LOGGER = logging.getLogger(__name__)

HISTORY = timedelta(minutes=5)
"""What happened longer ago makes no events and starts nothing."""

GRACE = 60.0
"""Seconds that a connector may be available before its transaction is given up."""

PROGRESS = 30.0
"""Seconds between two writes of what an open transaction delivered."""

_UNSETTLED = frozenset({TransactionState.OPEN, TransactionState.LOST})

_IN_TRANSACTION = frozenset(
    {
        ConnectorStatus.CHARGING,
        ConnectorStatus.SUSPENDED_EV,
        ConnectorStatus.SUSPENDED_EVSE,
    }
)


class Transactions:
    """The transactions of a station, in the journal first and then in the model."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Know of no transaction before `load`."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._call_later = call_later
        self._lock = asyncio.Lock()
        self._sessions = Sessions(station)
        self._keeper = EventKeeper(station, journal, clock, self._sessions, self._end)
        self._strange: set[str] = set()
        self._grace: dict[int, Timer] = {}
        self._progressed: dict[int, Record] = {}
        self._progress_timer: Timer | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def load(self) -> None:
        """Bring open and last transactions into the model, after a restart."""
        identity = self._station.identity
        recent = await self._journal.records(identity, limit=RECENT)
        open_ones = await self._journal.records(identity, limit=RECENT, open_only=True)
        keys = {record.transaction.key for record in recent}
        recent += [one for one in open_ones if one.transaction.key not in keys]
        self._sessions.restore(recent[::-1])

    async def close(self) -> None:
        """Write what is pending and let nothing happen any more."""
        for timer in self._grace.values():
            timer.cancel()
        self._grace.clear()
        await self._settle()

    def find(self, transaction_id: str) -> Transaction | None:
        """Return an open or recent transaction by the station's id."""
        record = self._sessions.known.get(transaction_id)
        return None if record is None else record.transaction

    def running(self, evse_id: int) -> Transaction | None:
        """Return the open transaction of an EVSE."""
        record = self._sessions.running.get(evse_id)
        return None if record is None else record.transaction

    def open_ones(self) -> list[Transaction]:
        """Return the open transactions, wherever they are."""
        records = [*self._sessions.known.values()]
        return [one.transaction for one in records if one.transaction.open]

    async def sessions(
        self,
        *,
        limit: int = 50,
        open_only: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Transaction]:
        """Return the transactions that began in a time as they are, newest first."""
        await self._settle()
        return await self._journal.sessions(
            self._station.identity,
            limit=limit,
            open_only=open_only,
            since=since,
            until=until,
        )

    def is_history(self, moment: datetime) -> bool:
        """Return whether a moment is too long ago to act upon (OCPP 1.6 replays)."""
        return self._clock() - moment > HISTORY

    # Events

    async def event(self, event: TransactionEvent) -> Transaction:
        """Return the transaction of an event, durable (OCPP 2.x TransactionEvent)."""
        return await self._uninterrupted(self._event(event))

    async def _event(self, event: TransactionEvent) -> Transaction:
        async with self._lock:
            transaction, begins = await self._keeper.take(event)
            news = begins and not event.offline
            if news and not self.is_history(transaction.started_at):
                self._station.emit(
                    SessionStarted(evse_id=transaction.evse_id, transaction=transaction)
                )
            return transaction

    # Start

    async def start(
        self,
        *,
        evse_id: int,
        id_token: str | None,
        meter_start: int | None,
        claimed_at: datetime | None,
        connector_id: int = 1,
        reservation_id: int | None = None,
    ) -> Transaction:
        """Return the transaction that begins, durable (OCPP 1.6 StartTransaction).

        The same message again returns the same transaction.
        """
        now = self._clock()
        record = Record(
            transaction=Transaction(
                key=0,
                identity=self._station.identity,
                transaction_id="",
                evse_id=evse_id,
                connector_id=connector_id,
                id_token=id_token,
                started_at=plausible(claimed_at, now),
                received_at=now,
                meter_start=sane(meter_start),
                reservation_id=reservation_id,
            ),
            counter=EnergyCounter(sane(meter_start)),
            start_claimed=stamp(claimed_at),
        )
        return await self._uninterrupted(self._start(record, claimed_at))

    async def _start(self, new: Record, claimed_at: datetime | None) -> Transaction:
        async with self._lock:
            if (known := await self._started_before(new, claimed_at)) is not None:
                return known.transaction
            started_at = new.transaction.started_at
            old = self._sessions.running.get(new.transaction.evse_id)
            if old is not None and started_at < old.transaction.started_at:
                # A replay from before the open one: its own stop may still come.
                new = settlement.lost(new, started_at)
                await self._journal.insert(new)
                self._sessions.remember(new)
                return new.transaction
            ended = None
            if old is not None:
                ended = settlement.lost(
                    old, old.transaction.meter_last_at or started_at
                )
            await self._journal.insert(new, ended=ended)
            if old is not None and ended is not None:
                self._end(old, ended, at=started_at)
            self._sessions.begin(new)
            if not self.is_history(started_at):
                self._station.emit(
                    SessionStarted(
                        evse_id=new.transaction.evse_id, transaction=new.transaction
                    )
                )
            return new.transaction

    async def _started_before(
        self, new: Record, claimed_at: datetime | None
    ) -> Record | None:
        known = await self._journal.find_start(
            self._station.identity,
            evse_id=new.transaction.evse_id,
            id_token=new.transaction.id_token,
            claimed=new.start_claimed,
            meter_start=new.transaction.meter_start,
        )
        if known is None:
            return None
        # A clock that was never set makes every session begin in the same second.
        if known.transaction.open or _clock_was_set(known, claimed_at):
            return self._sessions.live(known)
        return None

    # Stop

    async def stop(
        self,
        *,
        transaction_id: str,
        meter_stop: int | None,
        claimed_at: datetime | None,
        reason: StopReason,
        id_token: str | None = None,
        evse_id: int | None = None,
        values_start: dict[str, Any] | None = None,
        values_stop: dict[str, Any] | None = None,
    ) -> Transaction:
        """Return the transaction that ended, durable (OCPP 1.6 StopTransaction).

        The values are those of the contexts Transaction.Begin and Transaction.End, as
        `{"Energy.Active.Import.Register": {"value": "123", "unit": "Wh"}, ...}`. An
        unknown id makes an orphan and ends nothing.
        """
        stop = Stop(
            transaction_id=transaction_id,
            meter_stop=sane(meter_stop),
            claimed_at=claimed_at,
            reason=reason,
            id_token=id_token,
            evse_id=evse_id,
            values_start=values_start or {},
            values_stop=values_stop or {},
        )
        return await self._uninterrupted(self._stop(stop))

    async def _stop(self, stop: Stop) -> Transaction:
        async with self._lock:
            record = await self._addressed(stop)
            now = self._clock()
            if record is None:
                record = settlement.orphan(self._station.identity, stop, now)
                await self._journal.insert(record)
            elif record.transaction.state in _UNSETTLED:
                closed = settlement.closed(record, stop, now)
                await self._journal.save(closed)
                self._end(record, closed, at=plausible(stop.claimed_at, now))
            return record.transaction

    async def _addressed(self, stop: Stop) -> Record | None:
        identity = self._station.identity
        if (known := self._sessions.known.get(stop.transaction_id)) is not None:
            return known
        if stop.transaction_id not in NO_IDS:
            known = await self._journal.find(identity, stop.transaction_id)
        if known is None:
            known = await self._journal.find_stop(
                identity,
                transaction_id=stop.transaction_id,
                id_token=stop.id_token,
                claimed=stamp(stop.claimed_at),
                meter_stop=stop.meter_stop,
            )
        if known is None and stop.transaction_id in NO_IDS:
            return self._match(stop)
        return None if known is None else self._sessions.live(known)

    def _match(self, stop: Stop) -> Record | None:
        """Find the one open transaction that a stop without an id can only mean."""
        stopped_at = plausible(stop.claimed_at, self._clock())
        found = [
            record
            for record in self._sessions.running.values()
            if stop.fits(record.transaction)
            and record.transaction.started_at <= stopped_at
        ]
        return found[0] if len(found) == 1 else None

    # Meter values

    def meter(
        self,
        *,
        evse_id: int,
        transaction_id: str | None,
        register: int,
        at: datetime,
    ) -> None:
        """Count a reading of the import register in Wh (OCPP 1.6 MeterValues).

        A reading older than the last one, or of a transaction that ended, is history.
        """
        if transaction_id in self._sessions.known:
            record = self._sessions.known[transaction_id]
            earliest = record.transaction.meter_last_at
        elif (running := self._sessions.running.get(evse_id)) is not None:
            record = running
            earliest = record.transaction.meter_last_at or record.transaction.started_at
        else:
            self._consider(evse_id, transaction_id, register, at)
            return
        if not record.transaction.open or (earliest is not None and at < earliest):
            return
        if sane(register) is not None:
            self._count(record, register, at)

    def _count(self, record: Record, register: int, at: datetime) -> None:
        transaction = record.transaction
        changed = register != transaction.meter_last
        transaction.meter_last, transaction.meter_last_at = register, at
        if changed:
            record.counter.sample(register)
            transaction.energy = record.counter.energy
            transaction.meter_reset = record.counter.restarted
            self._sessions.changed(record)
        self._progressed[transaction.key] = record
        if self._progress_timer is None:
            self._progress_timer = self._call_later(PROGRESS, self._write_progress)

    def _write_progress(self) -> None:
        if self._progress_timer is not None:
            self._progress_timer.cancel()
            self._progress_timer = None
        for record in self._progressed.values():
            self._journal.progress_soon(record)
        self._progressed.clear()

    def _consider(
        self, evse_id: int, transaction_id: str | None, register: int, at: datetime
    ) -> None:
        """Adopt a transaction that began when we were not there, or not yet."""
        if (
            transaction_id is None
            or transaction_id in NO_IDS
            or transaction_id.startswith("-")
            or transaction_id in self._strange
            or (evse := self._station.evses.get(evse_id)) is None
            or evse.status.value not in _IN_TRANSACTION
            or sane(register) is None
        ):
            return
        if len(self._strange) >= RECENT:
            self._strange.clear()
        self._strange.add(transaction_id)
        self._spawn(self._adopt(evse_id, transaction_id, register, at))

    async def _adopt(
        self, evse_id: int, transaction_id: str, register: int, at: datetime
    ) -> None:
        now = self._clock()
        record = Record(
            transaction=Transaction(
                key=0,
                identity=self._station.identity,
                transaction_id=transaction_id,
                evse_id=evse_id,
                started_at=plausible(at, now),
                received_at=now,
            ),
            counter=EnergyCounter(),
        )
        async with self._lock:
            if (
                evse_id in self._sessions.running
                or transaction_id in self._sessions.known
            ):
                return
            try:
                stored = await self._journal.insert(record, exclusive=True)
            except JournalError:
                self._strange.discard(transaction_id)
                raise
            if stored is None:
                return
            _LOGGER.info(
                "%s: adopted the running transaction %s",
                shortened(self._station.identity),
                transaction_id,
            )
            self._sessions.begin(record)
            self._count(record, register, at)
            self._station.emit(
                SessionKnown(evse_id=evse_id, transaction=record.transaction)
            )

    async def close_lost(self, transaction_id: str) -> bool:
        """Close an open transaction that its station does not know, with what is known.

        Return whether there was one (OCPP 2.x E14).
        """
        return await self._uninterrupted(self._close_lost(transaction_id))

    async def _close_lost(self, transaction_id: str) -> bool:
        async with self._lock:
            record = self._sessions.known.get(transaction_id)
            if record is None or not record.transaction.open:
                return False
            transaction = record.transaction
            at = transaction.meter_last_at or transaction.started_at
            lost = settlement.lost(record, at)
            await self._journal.save(lost)
            self._end(record, lost, self._clock())
            return True

    # Status

    def status(self, evse_id: int, status: ConnectorStatus, at: datetime) -> None:
        """Give up an open transaction some time after its EVSE became available."""
        if status is not ConnectorStatus.AVAILABLE:
            self._cancel_grace(evse_id)
            return
        record = self._sessions.running.get(evse_id)
        if (
            record is not None
            and evse_id not in self._grace
            and at >= record.transaction.started_at
        ):
            self._grace[evse_id] = self._call_later(
                GRACE, partial(self._grace_over, evse_id, record, at)
            )

    def _grace_over(self, evse_id: int, record: Record, at: datetime) -> None:
        del self._grace[evse_id]
        # A station of OCPP 2.x may have said meanwhile that it is at another EVSE.
        if self._sessions.running.get(evse_id) is record:
            self._spawn(self._lose(record, at))

    async def _lose(self, record: Record, at: datetime) -> None:
        async with self._lock:
            if record.transaction.open:
                lost = settlement.lost(record, at)
                await self._journal.save(lost)
                self._end(record, lost, at)

    def _cancel_grace(self, evse_id: int) -> None:
        if (timer := self._grace.pop(evse_id, None)) is not None:
            timer.cancel()

    # What became of it

    def _end(
        self, record: Record, ended: Record, at: datetime, *, live: bool = True
    ) -> None:
        """Let a record be what it became; that is news if it is `live` and recent."""
        was_open = record.transaction.open
        self._sessions.become(record, ended)
        if not was_open:
            return
        evse_id = record.transaction.evse_id
        self._cancel_grace(evse_id)
        if live and not self.is_history(at):
            self._station.emit(
                SessionEnded(evse_id=evse_id, transaction=record.transaction)
            )

    # Tasks

    async def _uninterrupted[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Finish even if the socket that asked is gone: journal and model must agree."""
        return await asyncio.shield(self._task(work))

    def _task[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._task(self._logged(work))

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            _LOGGER.exception(
                "%s: transaction not recorded", shortened(self._station.identity)
            )

    async def _settle(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._write_progress()
        await self._journal.flush()


def _clock_was_set(record: Record, claimed_at: datetime | None) -> bool:
    received_at = record.transaction.received_at
    return (
        claimed_at is not None
        and received_at - MAX_PAST <= claimed_at <= received_at + MAX_FUTURE
    )
