"""Transaction status: whether a station still knows what we take to be open (2.x E14)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .outcome import Outcome

if TYPE_CHECKING:
    from .transactions import Transactions


@dataclass(kw_only=True, slots=True, frozen=True)
class TransactionStatus:
    """What a station says of a transaction, or of all without one.

    `ongoing` is None if no transaction was asked about, or nothing was said of it;
    `queued` says that messages about it are still to come.
    """

    ongoing: bool | None
    queued: bool

    @property
    def over(self) -> bool:
        """Return whether nothing more will come of a transaction."""
        return self.ongoing is False and not self.queued


class TransactionStatusLink(Protocol):
    """A link that can ask about transactions (2.0.1 E14)."""

    async def transaction_status(
        self, transaction_id: str | None
    ) -> tuple[Outcome, TransactionStatus | None]:
        """Return how a transaction stands, or with None what is queued at all."""


async def look_after(
    link: TransactionStatusLink, transactions: Transactions, transaction_id: str
) -> tuple[Outcome, TransactionStatus | None, bool]:
    """Ask how a transaction stands, and close it if its station does not know it.

    The last says whether it was closed. A station that lost its power in the middle
    tells of no end (2.0.1 E14.FR.01).
    """
    outcome, status = await link.transaction_status(transaction_id)
    closed = (
        status is not None
        and status.over
        and await transactions.close_lost(transaction_id)
    )
    return outcome, status, closed
