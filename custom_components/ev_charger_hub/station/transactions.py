"""Transactions of one station: every start and stop counts once, in whatever order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from . import signed_values
from .clock import CallLater, Clock, call_later as loop_call_later, plausible
from .cloud_keeper import CloudKeeper
from .energy import EnergyCounter
from .enums import ConnectorStatus, StopReason
from .event_keeper import EventKeeper
from .journal import Journal
from .keeper import Ledger
from .losses import Losses
from .model import ChargingStation
from .rows import Record, stamp
from .session_meter import SessionMeter
from .session_news import SessionNews
from .sessions import RECENT, Sessions
from .settlement import Stop, sane
from .signed_values import Owner, SignedValue
from .start_keeper import StartKeeper
from .stop_keeper import StopKeeper
from .transaction import Transaction
from .transaction_events import TransactionEvent
from .twins import Twins
from .unbroken import Unbroken


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
        self._lock = asyncio.Lock()
        self._work = Unbroken(station.identity)
        self._news = SessionNews(station, clock)
        self._sessions = Sessions(station)
        ledger = Ledger(
            station=station,
            journal=journal,
            clock=clock,
            sessions=self._sessions,
            news=self._news,
            ended=self._end,
        )
        twins = Twins(ledger)
        self._events = EventKeeper(ledger)
        self._cloud = CloudKeeper(ledger, twins=twins, keeper=self._events)
        self._starts = StartKeeper(ledger, twins=twins)
        self._stops = StopKeeper(ledger, twins=twins)
        self._meter = SessionMeter(
            ledger, call_later=call_later, lock=self._lock, spawn=self._work.spawn
        )
        self._losses = Losses(
            ledger, call_later=call_later, lock=self._lock, spawn=self._work.spawn
        )
        self.closed = False
        """Whether the station is let go of: another may keep account of its sessions."""

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
        self.closed = True
        self._losses.close()
        await self._settle()

    # What is known

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

    async def recall(self, transaction_id: str) -> Transaction | None:
        """Return a transaction by the station's id, however long ago it was."""
        if (known := self.find(transaction_id)) is not None:
            return known
        found = await self._journal.find(self._station.identity, transaction_id)
        return None if found is None else found.transaction

    def is_history(self, moment: datetime) -> bool:
        """Return whether a moment is too long ago to act upon (OCPP 1.6 replays)."""
        return self._news.is_history(moment)

    def told_by(self, ahead: Callable[[], timedelta]) -> None:
        """Have all be told by a clock that is so far `ahead` of ours."""
        self._news.ahead = ahead

    # What is told

    async def event(self, event: TransactionEvent) -> Transaction:
        """Return the transaction of an event, durable (OCPP 2.x TransactionEvent)."""
        transaction, _ = await self.told(event)
        return transaction

    async def told(self, event: TransactionEvent) -> tuple[Transaction, bool]:
        """Return the session that the cloud of a maker tells of, durable.

        The second is whether nobody knew of it.
        """
        return await self._alone(partial(self._told, event))

    async def _told(self, event: TransactionEvent) -> tuple[Transaction, bool]:
        if event.recorded:
            return await self._cloud.take(event)
        await self._cloud.yield_to(event)
        return await self._events.take(event), True

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
        return await self._alone(partial(self._starts.take, record, claimed_at))

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
        return await self._alone(partial(self._stops.take, stop))

    def meter(
        self,
        *,
        evse_id: int,
        transaction_id: str | None,
        register: int,
        at: datetime,
        proves: bool = True,
    ) -> None:
        """Count a reading of the import register in Wh (OCPP 1.6 MeterValues).

        A reading older than the last one, or of a transaction that ended, is history.
        One that proves nothing may be behind what was shown before we were killed.
        """
        self._meter.take(evse_id, transaction_id, register, at, proves=proves)

    async def sign(
        self, session: Transaction | None, values: list[SignedValue]
    ) -> None:
        """Archive what the meter signed in a session, or in none; durable."""
        owner = Owner(
            identity=self._station.identity,
            transaction_id="" if session is None else session.transaction_id,
            key=None if session is None else session.key,
        )
        await signed_values.keep(self._journal, owner, values, self._clock())

    async def close_lost(self, transaction_id: str) -> bool:
        """Close an open transaction that its station does not know, with what is known.

        Return whether there was one (OCPP 2.x E14).
        """
        return await self._alone(partial(self._losses.take, transaction_id))

    def status(self, evse_id: int, status: ConnectorStatus, at: datetime) -> None:
        """Give up an open transaction some time after its EVSE became available."""
        self._losses.status(evse_id, status, at)

    # What becomes of it

    def _end(
        self, record: Record, ended: Record, at: datetime, *, live: bool = True
    ) -> None:
        """Let a record be what it became; that is news if it is `live` and recent."""
        was_open = record.transaction.open
        self._sessions.become(record, ended)
        if self._station.costs is not None:
            # Another session may be shown by now, and nobody look at this one.
            self._station.costs.settle(record.transaction)
        if not was_open:
            return
        self._losses.spare(record.transaction.evse_id)
        if live:
            self._news.ended(record.transaction, at)

    async def _alone[T](self, work: Callable[[], Awaitable[T]]) -> T:
        """Do one thing at a time, and finish it even if who asked for it is gone."""
        return await self._work.finish(self._locked(work))

    async def _locked[T](self, work: Callable[[], Awaitable[T]]) -> T:
        async with self._lock:
            return await work()

    async def _settle(self) -> None:
        await self._work.settle()
        self._meter.write()
        await self._journal.flush()
