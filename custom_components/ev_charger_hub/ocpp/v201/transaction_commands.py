"""Transaction commands: what a station is asked about transactions (OCPP 2.x E14)."""

from typing import Any, override

from ...station.outcome import Outcome
from ...station.transaction_status import TransactionStatus, TransactionStatusLink
from .sender import Sender


class TransactionCommands(TransactionStatusLink):
    """What a station is asked about transactions."""

    def __init__(self, sender: Sender) -> None:
        """Ask by `sender`."""
        self._sender = sender

    @override
    async def transaction_status(
        self, transaction_id: str | None
    ) -> tuple[Outcome, TransactionStatus | None]:
        """Send GetTransactionStatus (E14)."""
        payload: dict[str, Any] = {}
        if transaction_id is not None:
            payload["transactionId"] = transaction_id
        outcome = await self._sender.send("GetTransactionStatus", payload)
        queued = outcome.response.get("messagesInQueue")
        if not outcome.ok or not isinstance(queued, bool):
            return outcome, None
        ongoing = outcome.response.get("ongoingIndicator")
        return outcome, TransactionStatus(
            ongoing=ongoing if isinstance(ongoing, bool) else None, queued=queued
        )
