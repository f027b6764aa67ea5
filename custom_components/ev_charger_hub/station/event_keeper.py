"""Event keeper: transaction events in the journal first, and then in the model."""

from datetime import datetime

from . import settlement
from .enums import VEHICLE_CONNECTED
from .keeper import Keeper
from .rows import Record
from .transaction import Transaction, TransactionState
from .transaction_events import TransactionEvent, folded, is_another, opened


class EventKeeper(Keeper):
    """The transactions of a station that names them itself (OCPP 2.x)."""

    async def take(self, event: TransactionEvent) -> Transaction:
        """Return the transaction of an event, durable.

        It is news if from now on the transaction is known to run at its EVSE.
        """
        now, live = self._clock(), not event.offline
        known = await self._known(event)
        before = known or opened(self._station.identity, event, now)
        record = folded(before, event, now)
        if known is not None and record == known:
            return known.transaction
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
            self._ended(rival, lost, transaction.started_at, live=live)
        shown = self._show(known, record, event.moment(now), live=live)
        if begins and live:
            self._news.began(shown)
        return shown

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
        is_over = transaction.state is TransactionState.CLOSED
        # What is over without a word of the station is so by that of the cloud.
        if record.stop_claimed is not None or is_over:
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
