"""Event keeper: transaction events in the journal first, and then in the model."""

from datetime import datetime
from typing import Protocol

from . import settlement
from .clock import Clock, plausible
from .enums import VEHICLE_CONNECTED
from .journal import Journal
from .model import ChargingStation
from .rows import Record
from .sessions import Sessions
from .transaction import Transaction, TransactionState
from .transaction_events import TransactionEvent, folded, is_another, opened


class Ended(Protocol):
    """Lets a record be what it became, which was at a moment."""

    def __call__(
        self, record: Record, ended: Record, at: datetime, *, live: bool = True
    ) -> None:
        """Show it; `live` tells that it may be news."""


class EventKeeper:
    """The transactions of a station that names them itself (OCPP 2.x)."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        sessions: Sessions,
        ended: Ended,
    ) -> None:
        """Keep what is told in `journal` and `sessions`; `ended` hears of ends."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._sessions = sessions
        self._ended = ended

    async def take(self, event: TransactionEvent) -> tuple[Transaction, bool]:
        """Return the transaction of an event, durable, and whether it is new there.

        It is new if from now on the transaction is known to run at its EVSE.
        """
        now = self._clock()
        known = await self._known(event)
        before = known or opened(self._station.identity, event, now)
        record = folded(before, event, now)
        if known is not None and record == known:
            return known.transaction, False
        transaction = record.transaction
        transaction.evse_id = transaction.evse_id or self._likely_evse()
        rival = self._settle(known, record)
        lost = None
        if rival is not None:
            last_seen = rival.transaction.meter_last_at or transaction.started_at
            lost = settlement.lost(rival, last_seen)
        begins = transaction.open and bool(transaction.evse_id) and not _shown(known)
        if known is None:
            await self._journal.insert(record, ended=lost)
        else:
            await self._journal.save(record, ended=lost)
        if rival is not None and lost is not None:
            live = not event.offline
            self._ended(rival, lost, transaction.started_at, live=live)
        at = plausible(event.claimed_at, now)
        return self._show(known, record, at, live=not event.offline), begins

    async def _known(self, event: TransactionEvent) -> Record | None:
        known = self._sessions.known.get(event.transaction_id)
        if known is None:
            found = await self._journal.find(
                self._station.identity, event.transaction_id
            )
            known = None if found is None else self._sessions.live(found)
        return None if known is None or is_another(known, event) else known

    def _likely_evse(self) -> int:
        """Return the one EVSE that a transaction without one can be at, else 0.

        Only its first event names it (E01.FR.16), and that may be gone for good.
        """
        running, evses = self._sessions.running, self._station.evses
        free = [evse for evse in evses.values() if evse.id not in running]
        if len(evses) > 1:
            free = [one for one in free if one.status.value in VEHICLE_CONNECTED]
        return free[0].id if len(free) == 1 else 0

    def _settle(self, known: Record | None, record: Record) -> Record | None:
        """Decide how a record stands; return what else ran at its EVSE, and is over."""
        transaction = record.transaction
        if record.stop_claimed is not None:
            transaction.state = TransactionState.CLOSED
            return None
        if transaction.state is TransactionState.LOST:
            transaction.stopped_at = transaction.stop_reason = None
            transaction.meter_stop = None
        transaction.state = TransactionState.OPEN
        rival = self._sessions.running.get(transaction.evse_id)
        if rival is None or rival is known:
            return None
        if transaction.started_at >= rival.transaction.started_at:
            return rival
        # From before the one that runs: its end is on its way, or was dropped.
        last_seen = transaction.meter_last_at or transaction.started_at
        over = settlement.lost(record, last_seen).transaction
        transaction.state, transaction.stop_reason = over.state, over.stop_reason
        transaction.stopped_at, transaction.meter_stop = (
            over.stopped_at,
            over.meter_stop,
        )
        return None

    def _show(
        self, known: Record | None, record: Record, at: datetime, *, live: bool
    ) -> Transaction:
        if known is None:
            self._sessions.begin(record)
            return record.transaction
        if record.transaction.open or not record.transaction.evse_id:
            self._sessions.become(known, record)
        else:
            self._ended(known, record, at, live=live)
        return known.transaction


def _shown(known: Record | None) -> bool:
    return known is not None and bool(known.transaction.evse_id)
