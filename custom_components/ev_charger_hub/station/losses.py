"""Losses: transactions that are over although their station tells of no end."""

import asyncio
from datetime import datetime
from functools import partial

from . import settlement
from .clock import CallLater, Timer
from .enums import ConnectorStatus
from .keeper import Keeper, Ledger
from .rows import Record
from .session_meter import Spawn

GRACE = 60.0
"""Seconds that a connector may be available before its transaction is given up."""


class Losses(Keeper):
    """Gives up the open transactions of one station."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        call_later: CallLater,
        lock: asyncio.Lock,
        spawn: Spawn,
    ) -> None:
        """Give up at once what is asked for, after a grace only with `lock`."""
        super().__init__(ledger)
        self._call_later = call_later
        self._lock = lock
        self._spawn = spawn
        self._graces: dict[int, Timer] = {}

    def close(self) -> None:
        """Give up nothing any more."""
        for timer in self._graces.values():
            timer.cancel()
        self._graces.clear()

    async def take(self, transaction_id: str) -> bool:
        """Close an open transaction with what is known, durable.

        Return whether there was one.
        """
        record = self._sessions.known.get(transaction_id)
        if record is None or not record.transaction.open:
            return False
        transaction = record.transaction
        at = transaction.meter_last_at or transaction.started_at
        lost = settlement.lost(record, at)
        await self._journal.save(lost)
        self._ended(record, lost, self._clock())
        return True

    def status(self, evse_id: int, status: ConnectorStatus, at: datetime) -> None:
        """Give up an open transaction some time after its EVSE became available."""
        if status is not ConnectorStatus.AVAILABLE:
            self.spare(evse_id)
            return
        record = self._sessions.running.get(evse_id)
        if (
            record is not None
            and evse_id not in self._graces
            and at >= record.transaction.started_at
        ):
            self._graces[evse_id] = self._call_later(
                GRACE, partial(self._grace_over, evse_id, record, at)
            )

    def spare(self, evse_id: int) -> None:
        """Give up nothing at an EVSE for what its status was."""
        if (timer := self._graces.pop(evse_id, None)) is not None:
            timer.cancel()

    def _grace_over(self, evse_id: int, record: Record, at: datetime) -> None:
        del self._graces[evse_id]
        # A station of OCPP 2.x may have said meanwhile that it is at another EVSE.
        if self._sessions.running.get(evse_id) is record:
            self._spawn(self._lose(record, at))

    async def _lose(self, record: Record, at: datetime) -> None:
        async with self._lock:
            if record.transaction.open:
                lost = settlement.lost(record, at)
                await self._journal.save(lost)
                self._ended(record, lost, at)
