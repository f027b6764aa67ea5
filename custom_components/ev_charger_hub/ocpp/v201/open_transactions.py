"""Open transactions: whether a station that is back still knows them (OCPP 2.x E14)."""

import logging
from typing import Final

from ...station.clock import CallLater, Timer
from ...station.enums import VEHICLE_CONNECTED
from ...station.errors import JournalError, NotConnected
from ...station.link import Link
from ...station.outcome import OutcomeStatus
from ...station.secrets import shortened
from ...station.transaction_status import TransactionStatusLink, look_after
from ..adapter import StationContext
from .transactions import TransactionBlock

_LOGGER = logging.getLogger(__name__)

CHECK_AFTER: Final = 20.0
"""Seconds that a station has after connecting to tell what it has queued."""

CHECK_AGAIN: Final = 60.0
"""Seconds until a station is asked again that still has something to tell."""

_TRIES: Final = 10


class OpenTransactions:
    """Asks after what is open and not heard of since the station is back.

    A station that lost its power in a session may never tell its end, and one whose
    session we do not know may be asked to tell of it.
    """

    def __init__(
        self,
        context: StationContext,
        link: Link,
        asker: TransactionStatusLink,
        block: TransactionBlock,
        call_later: CallLater,
    ) -> None:
        """Ask by `asker` about transactions that `block` heard nothing of."""
        self._context = context
        self._link = link
        self._asker = asker
        self._block = block
        self._call_later = call_later
        self._timer: Timer | None = None
        self._tries = 0

    def attached(self) -> None:
        """Ask some time after the station came back."""
        self._cancel()
        self._block.heard.clear()
        self._tries = 0
        if not self._context.station.settings.quiet:
            self._timer = self._call_later(CHECK_AFTER, self._due)

    def detached(self) -> None:
        """Ask nothing while the station is away."""
        self._cancel()

    def _due(self) -> None:
        self._timer = None
        self._context.spawn(self._check(), "look after open transactions")

    async def _check(self) -> None:
        try:
            again = await self._ask()
            if not self._tries:
                await self._look()
        except NotConnected:
            return
        except JournalError as err:
            _LOGGER.debug("A transaction could not be closed: %s", err)
            again = True
        self._tries += 1
        if again and self._tries < _TRIES and self._timer is None:
            self._timer = self._call_later(CHECK_AGAIN, self._due)

    async def _ask(self) -> bool:
        """Ask about every open transaction; return whether it is worth asking again."""
        transactions, again = self._context.transactions, False
        for transaction in transactions.open_ones():
            name = transaction.transaction_id
            if name in self._block.heard or not transaction.open:
                continue
            outcome, status, closed = await look_after(self._asker, transactions, name)
            if outcome.status is OutcomeStatus.NOT_SUPPORTED:
                return False
            if closed:
                self._block.given_up(transaction)
                identity = shortened(self._context.station.identity)
                _LOGGER.info("%s: transaction %s is over", identity, name[:50])
            again |= not outcome.ok or (status is not None and status.queued)
        return again

    async def _look(self) -> None:
        """Have the station tell of transactions that nobody here knows of."""
        for evse in [*self._context.station.evses.values()]:
            busy = evse.status.value in VEHICLE_CONNECTED
            if busy and evse.transaction is None:
                outcome = await self._link.trigger("TransactionEvent", evse.id)
                if outcome.status is OutcomeStatus.NOT_SUPPORTED:
                    return

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
