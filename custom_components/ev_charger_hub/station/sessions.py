"""Sessions: the transactions of one station in memory, and what of them is shown."""

from dataclasses import fields

from .model import ChargingStation
from .rows import Record
from .transaction import Transaction, TransactionState

RECENT = 64
"""How many ended transactions are remembered without asking the journal."""


class Sessions:
    """Open transactions by EVSE, recent ones by the station's id, shown in the model."""

    def __init__(self, station: ChargingStation) -> None:
        """Know of nothing."""
        self._station = station
        self.running: dict[int, Record] = {}
        self.known: dict[str, Record] = {}

    def restore(self, records: list[Record]) -> None:
        """Take what the journal knows, the oldest first."""
        for record in records:
            transaction = record.transaction
            if transaction.state is TransactionState.ORPHAN:
                continue
            self.known[transaction.transaction_id] = record
            if transaction.open and transaction.evse_id:
                self.running[transaction.evse_id] = record
        for evse_id in {one.transaction.evse_id for one in self.known.values()}:
            self._show(evse_id)

    def live(self, record: Record) -> Record:
        """Return the record that the model holds instead of a copy of it."""
        known = self.known.get(record.transaction.transaction_id)
        if known is not None and known.transaction.key == record.transaction.key:
            return known
        return record

    def remember(self, record: Record) -> None:
        """Know a record by its id, and forget those that began longest ago.

        Records of the past may come later than what is newer. Also of those that are
        nowhere only some are known: a station can make them up.
        """
        self.known.pop(record.transaction.transaction_id, None)
        self.known[record.transaction.transaction_id] = record
        ended = [name for name, one in self.known.items() if not one.transaction.open]
        if len(ended) > RECENT:
            ended.sort(key=lambda name: self.known[name].transaction.started_at)
        nowhere = [
            name
            for name, one in self.known.items()
            if one.transaction.open and not one.transaction.evse_id
        ]
        for names in (ended, nowhere):
            for name in names[: max(0, len(names) - RECENT)]:
                del self.known[name]

    def begin(self, record: Record) -> None:
        """Let a record be what runs at its EVSE, if it runs."""
        transaction = record.transaction
        if transaction.open and transaction.evse_id:
            self.running[transaction.evse_id] = record
        self.remember(record)
        self._show(transaction.evse_id)

    def become(self, record: Record, new: Record) -> None:
        """Let a record be what it became."""
        transaction = record.transaction
        before = transaction.evse_id
        if _is_counted(transaction, new.transaction):
            self._prove(transaction)
        for attribute in fields(Transaction):
            setattr(
                transaction, attribute.name, getattr(new.transaction, attribute.name)
            )
        record.counter, record.numbers = new.counter, new.numbers
        record.start_claimed, record.stop_claimed = new.start_claimed, new.stop_claimed
        if self.running.get(before) is record:
            del self.running[before]
        self.begin(record)
        if before != transaction.evse_id:
            self._show(before)

    def rename(self, record: Record, new: Record) -> None:
        """Let a record be what it became, under the id that it has from now on."""
        name = record.transaction.transaction_id
        if self.known.get(name) is record:
            del self.known[name]
        if self._station.costs is not None:
            self._station.costs.rename(name, new.transaction.transaction_id)
        self.become(record, new)

    def counted(self, record: Record, *, changed: bool, proves: bool) -> None:
        """Tell that an open transaction was counted, which may have changed it."""
        was_outdated = proves and self._prove(record.transaction)
        evse = self._station.evses.get(record.transaction.evse_id)
        if evse is not None and (changed or was_outdated):
            evse.session.notify()

    def _prove(self, transaction: Transaction) -> bool:
        """Note that a session is counted anew; return whether it had to be."""
        evse = self._station.evses.get(transaction.evse_id)
        if evse is None or evse.session.value is not transaction:
            return False
        return evse.session.prove()

    def _show(self, evse_id: int) -> None:
        """Let the EVSE's session be the open transaction, or else the newest."""
        if evse_id < 1:
            return
        of_evse = (
            record.transaction
            for record in self.known.values()
            if record.transaction.evse_id == evse_id
        )
        running = self.running.get(evse_id)
        shown = max(of_evse, key=lambda one: (one.started_at, one.key), default=None)
        if running is not None:
            shown = running.transaction
        session = self._station.evse(evse_id).session
        if session.value is shown:
            session.notify()
        else:
            session.set(shown)


def _is_counted(transaction: Transaction, new: Transaction) -> bool:
    """Return whether a transaction becomes one whose energy was told just now."""
    if new.meter_last_at != transaction.meter_last_at:
        return True
    # Without a stop it comes to what was known before.
    return new.state is TransactionState.CLOSED and new.meter_stop is not None
