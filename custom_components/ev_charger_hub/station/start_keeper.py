"""Start keeper: starts in the journal first, and then in the model (OCPP 1.6)."""

from datetime import datetime

from . import joining, settlement
from .clock import MAX_FUTURE, MAX_PAST
from .keeper import Keeper, Ledger
from .rows import Record
from .transaction import Transaction
from .twins import Twins


class StartKeeper(Keeper):
    """Begins the transactions of a station that leaves it to us to name them."""

    def __init__(self, ledger: Ledger, *, twins: Twins) -> None:
        """Keep the starts; `twins` knows what the cloud told of before."""
        super().__init__(ledger)
        self._twins = twins

    async def take(self, new: Record, claimed_at: datetime | None) -> Transaction:
        """Return the transaction that begins, durable.

        The same message again returns the same transaction.
        """
        if (known := await self._started_before(new, claimed_at)) is not None:
            return known.transaction
        if (twin := await self._twins.of_start(new, claimed_at)) is not None:
            return await self._take_over(twin, new, claimed_at)
        old = self._sessions.running.get(new.transaction.evse_id)
        started_at = new.transaction.started_at
        if old is not None and started_at < old.transaction.started_at:
            return await self._insert_before(new)
        await self._begin(new, old)
        return new.transaction

    async def _insert_before(self, new: Record) -> Transaction:
        """Keep a replay from before the open one: its own stop may still come."""
        new = settlement.lost(new, new.transaction.started_at)
        await self._journal.insert(new)
        self._sessions.remember(new)
        return new.transaction

    async def _begin(self, new: Record, old: Record | None) -> None:
        """Let a transaction run, which ends what else ran at its EVSE."""
        started_at = new.transaction.started_at
        ended = None
        if old is not None:
            ended = settlement.lost(old, old.transaction.meter_last_at or started_at)
        await self._journal.insert(new, ended=ended)
        if old is not None and ended is not None:
            self._ended(old, ended, started_at)
        self._sessions.begin(new)
        self._news.began(new.transaction)

    async def _take_over(
        self, twin: Record, new: Record, claimed_at: datetime | None
    ) -> Transaction:
        """Let a session that the cloud told of be the one that its station begins."""
        trusted = joining.is_trusted(claimed_at, self._clock())
        joined = joining.started(twin, new, trusted=trusted)
        await self._journal.adopt(joined)
        self._sessions.rename(twin, joined)
        return twin.transaction

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


def _clock_was_set(record: Record, claimed_at: datetime | None) -> bool:
    received_at = record.transaction.received_at
    return (
        claimed_at is not None
        and received_at - MAX_PAST <= claimed_at <= received_at + MAX_FUTURE
    )
