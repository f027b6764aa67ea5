"""Cloud keeper: what the cloud of a maker tells of sessions, joined with what is known."""

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta

from . import joining
from .event_keeper import EventKeeper
from .keeper import Keeper, Ledger
from .rows import Record
from .transaction import Transaction, TransactionState
from .transaction_events import EventKind, TransactionEvent
from .twins import Twins

OWN_WORD = timedelta(minutes=2)
"""So long an end that the cloud told of waits for that of a connected station."""


class CloudKeeper(Keeper):
    """The sessions of one station that the cloud keeps account of as well."""

    def __init__(self, ledger: Ledger, *, twins: Twins, keeper: EventKeeper) -> None:
        """Join what `twins` finds; what only the cloud knows is `keeper`'s."""
        super().__init__(ledger)
        self._twins = twins
        self._keeper = keeper

    async def take(self, event: TransactionEvent) -> tuple[Transaction, bool]:
        """Return the session that the cloud tells of, durable, and if it was unknown."""
        known, others = await self._twins.of_cloud(event)
        if known is None:
            return await self._keeper.take(event), True
        transaction = known.transaction
        orphan = transaction.state is TransactionState.ORPHAN
        if orphan or not transaction.cloud_only:
            await self._add(known, event, others)
            return transaction, False
        return await self._go_on(known, event), False

    async def yield_to(self, event: TransactionEvent) -> None:
        """Let an event be of the session that the cloud told of before (OCPP 2.x)."""
        if not await self._is_new(event):
            return
        if (twin := await self._twins.of_event(event)) is not None:
            owned = joining.owned(twin, event.transaction_id)
            await self._journal.adopt(owned)
            self._sessions.rename(twin, owned)

    async def _is_new(self, event: TransactionEvent) -> bool:
        name, identity = event.transaction_id, self._station.identity
        if name in self._sessions.known:
            return False
        return await self._journal.find(identity, name) is None

    async def _go_on(self, known: Record, event: TransactionEvent) -> Transaction:
        """Let the cloud tell more of what only itself has told of."""
        transaction, name = known.transaction, event.transaction_id
        if transaction.cloud_name is None and not event.is_unnamed:
            await self._rename(known, name)
        if transaction.transaction_id == name:
            return await self._keeper.take(event)
        if transaction.state is TransactionState.CLOSED:
            # The list of sessions knows it by another number.
            return transaction
        return await self._keeper.take(
            replace(event, transaction_id=transaction.transaction_id)
        )

    async def _rename(self, record: Record, name: str) -> None:
        """Give a transaction the id that is known of it only now, which nobody has.

        When it began is open again, because whoever knows its id knows that better.
        """
        renamed = deepcopy(record)
        renamed.transaction.transaction_id = name
        renamed.start_claimed = None
        await self._journal.adopt(renamed)
        self._sessions.rename(record, renamed)

    async def _add(self, known: Record, event: TransactionEvent, others: int) -> None:
        """Let the cloud fill in what the station did not tell of a session."""
        now = self._clock()
        if self._awaits_stop(known.transaction, event, now):
            return
        new = joining.enriched(known, event, now, others)
        if new == known:
            return
        await self._journal.save(new)
        if new.transaction.open:
            self._sessions.become(known, new)
        else:
            self._ended(known, new, event.moment(now))

    def _awaits_stop(
        self, transaction: Transaction, event: TransactionEvent, now: datetime
    ) -> bool:
        """Return whether a station that is connected is about to tell of an end."""
        return (
            transaction.open
            and event.kind is EventKind.ENDED
            and self._station.local.value
            and now - event.moment(now) < OWN_WORD
        )
