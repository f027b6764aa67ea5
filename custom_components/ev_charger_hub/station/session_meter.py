"""Session meter: what the meter of a station says of the sessions that go on."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
import logging
from typing import Any

from . import joining
from .clock import CallLater, Timer, plausible
from .energy import EnergyCounter
from .enums import ConnectorStatus
from .errors import JournalError
from .events import SessionKnown
from .journal import NO_IDS
from .keeper import Keeper, Ledger
from .rows import Record
from .same_session import Trace, same_meter, trace_of
from .secrets import shortened
from .sessions import RECENT
from .settlement import sane
from .transaction import Transaction

_LOGGER = logging.getLogger(__name__)

PROGRESS = 30.0
"""Seconds between two writes of what an open transaction delivered."""

_IN_TRANSACTION = frozenset(
    {
        ConnectorStatus.CHARGING,
        ConnectorStatus.SUSPENDED_EV,
        ConnectorStatus.SUSPENDED_EVSE,
    }
)

type Spawn = Callable[[Coroutine[Any, Any, None]], None]


class SessionMeter(Keeper):
    """Counts what the open sessions of one station take."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        call_later: CallLater,
        lock: asyncio.Lock,
        spawn: Spawn,
    ) -> None:
        """Count, and change nothing else of sessions without `lock`."""
        super().__init__(ledger)
        self._call_later = call_later
        self._lock = lock
        self._spawn = spawn
        self.strange: set[str] = set()
        """Ids that nobody knows and that were looked at."""
        self._progressed: dict[int, Record] = {}
        self._timer: Timer | None = None

    def take(
        self,
        evse_id: int,
        transaction_id: str | None,
        register: int,
        at: datetime,
        *,
        proves: bool = True,
    ) -> None:
        """Count a reading of the import register in Wh."""
        running = self._sessions.running.get(evse_id)
        if transaction_id in self._sessions.known:
            record = self._sessions.known[transaction_id]
            earliest = record.transaction.meter_last_at
        elif running is not None:
            record = running
            earliest = record.transaction.meter_last_at or record.transaction.started_at
            if record.transaction.cloud_only:
                self._name(record, transaction_id, register, at)
                if not _of_one_meter(record, register, at):
                    return
        else:
            self._consider(evse_id, transaction_id, register, at)
            return
        if not record.transaction.open or (earliest is not None and at < earliest):
            return
        if sane(register) is not None:
            self.count(record, register, at, proves=proves)

    def count(
        self, record: Record, register: int, at: datetime, *, proves: bool = True
    ) -> None:
        """Count a reading that is believed."""
        transaction = record.transaction
        changed = register != transaction.meter_last
        transaction.meter_last, transaction.meter_last_at = register, at
        if changed:
            record.counter.sample(register)
            transaction.energy = record.counter.energy
            transaction.meter_reset = record.counter.restarted
        self._sessions.counted(record, changed=changed, proves=proves)
        if transaction.cloud_only:
            # What it tells a second time may come late, or of nothing (A3).
            self._spawn(self._keep(record))
            return
        self._progressed[transaction.key] = record
        if self._timer is None:
            self._timer = self._call_later(PROGRESS, self.write)

    async def _keep(self, record: Record) -> None:
        """Have it in the journal before it is shown."""
        self._journal.progress_soon(record)
        try:
            await self._journal.flush()
        except JournalError:
            # It is tried again, and told.
            self._journal.progress_soon(record)

    def write(self) -> None:
        """Give the journal what was counted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for record in self._progressed.values():
            self._journal.progress_soon(record)
        self._progressed.clear()

    # Those that nobody knows

    def _consider(
        self, evse_id: int, transaction_id: str | None, register: int, at: datetime
    ) -> None:
        """Adopt a transaction that began when we were not there, or not yet."""
        if transaction_id and self._is_strange(evse_id, transaction_id, register):
            self._spawn(self._adopt(evse_id, transaction_id, register, at))

    def _name(
        self, record: Record, transaction_id: str | None, register: int, at: datetime
    ) -> None:
        """Learn from a sample how the station calls what only the cloud told of."""
        transaction = record.transaction
        if transaction_id is None or at < transaction.started_at:
            return
        if self._is_strange(transaction.evse_id, transaction_id, register):
            self._spawn(self._own(record, transaction_id))

    def _is_strange(self, evse_id: int, transaction_id: str, register: int) -> bool:
        """Return whether an id that nobody knows may be of what goes on, once."""
        if (
            transaction_id in NO_IDS
            or transaction_id.startswith("-")
            or transaction_id in self.strange
            or (evse := self._station.evses.get(evse_id)) is None
            or evse.status.value not in _IN_TRANSACTION
            or sane(register) is None
        ):
            return False
        if len(self.strange) >= RECENT:
            self.strange.clear()
        self.strange.add(transaction_id)
        return True

    async def _own(self, record: Record, transaction_id: str) -> None:
        async with self._lock:
            transaction = record.transaction
            if not transaction.open or not transaction.cloud_only:
                return
            if await self._journal.is_used(transaction_id):
                return
            owned = joining.owned(record, transaction_id)
            await self._journal.adopt(owned)
            self._sessions.rename(record, owned)
            self._station.emit(
                SessionKnown(evse_id=transaction.evse_id, transaction=transaction)
            )

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
            known = self._sessions.known
            if evse_id in self._sessions.running or transaction_id in known:
                return
            try:
                stored = await self._journal.insert(record, exclusive=True)
            except JournalError:
                self.strange.discard(transaction_id)
                raise
            if stored is None:
                return
            _LOGGER.info(
                "%s: adopted the running transaction %s",
                shortened(self._station.identity),
                transaction_id,
            )
            self._sessions.begin(record)
            self.count(record, register, at)
            self._station.emit(
                SessionKnown(evse_id=evse_id, transaction=record.transaction)
            )


def _of_one_meter(record: Record, register: int, at: datetime) -> bool:
    """Return whether a register may be of the meter that the cloud told of."""
    known = trace_of(record.transaction)
    return same_meter(known, Trace(started_at=at, meter_start=register))
