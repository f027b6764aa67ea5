"""Stop keeper: stops in the journal first, and then in the model (OCPP 1.6)."""

from datetime import datetime

from . import joining, settlement
from .clock import plausible
from .journal import NO_IDS
from .keeper import Keeper, Ledger
from .rows import Record, stamp
from .settlement import Stop
from .transaction import Transaction
from .twins import Twins


class StopKeeper(Keeper):
    """Finds the transactions that the stops of a station mean, and ends them."""

    def __init__(self, ledger: Ledger, *, twins: Twins) -> None:
        """Keep the ends; `twins` knows what the cloud told of before."""
        super().__init__(ledger)
        self._twins = twins

    async def take(self, stop: Stop) -> Transaction:
        """Return the transaction that ended, durable; of an unknown one an orphan."""
        record = await self._addressed(stop)
        now = self._clock()
        if record is None:
            if (twin := await self._twins.of_stop(stop)) is not None:
                return await self._stop_twin(twin, stop, now)
            record = settlement.orphan(self._station.identity, stop, now)
            await self._journal.insert(record)
        elif record.unsettled:
            closed = joining.stopped(record, stop, now)
            await self._journal.save(closed)
            self._ended(record, closed, plausible(stop.claimed_at, now))
        return record.transaction

    async def _stop_twin(self, twin: Record, stop: Stop, now: datetime) -> Transaction:
        """Let a session that the cloud told of be the one that its station ends."""
        usable = await self._twins.can_be(stop.transaction_id)
        owned = joining.owned(twin, stop.transaction_id if usable else "")
        closed = joining.stopped(owned, stop, now)
        await self._journal.adopt(closed)
        owned.transaction.transaction_id = closed.transaction.transaction_id
        self._sessions.rename(twin, owned)
        self._ended(twin, closed, plausible(stop.claimed_at, now))
        return twin.transaction

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
