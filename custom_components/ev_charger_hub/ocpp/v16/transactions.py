"""Transactions: starts and stops, always answered (OCPP 1.6 4.8, 4.10)."""

from datetime import datetime
from functools import partial
from typing import Any

from ...station.authorization import Verdict
from ...station.enums import AuthorizationStatus
from ...station.events import SessionKnown, SessionSettled
from ...station.transaction import Transaction
from .. import timestamps
from ..adapter import StationContext
from ..metering import values_of
from ..oddities import Oddities
from ..rpc import Reply
from ..signed import SignedArchive
from ..words import stop_reason
from .authorization import Authorization
from .mapping import id_tag_info
from .metering import MeterValues

_MAX_RESERVATION = 2**31


class TransactionBlock:
    """The transactions of a station as its messages tell them.

    Whatever a message says, it is answered: a station that hears an error sends it
    again for ever, and nothing after it (errata 4.8, 4.10). An answer is given only
    once the journal has it.
    """

    def __init__(
        self,
        context: StationContext,
        metering: MeterValues,
        archive: SignedArchive,
        oddities: Oddities,
        authorization: Authorization,
    ) -> None:
        """Keep the transactions of `context`."""
        self._authorization = authorization
        self._context = context
        self._metering = metering
        self._archive = archive
        self._oddities = oddities

    async def start_transaction(self, payload: dict[str, Any]) -> Reply:
        """Open a transaction; a refused id tag gets a number too (errata 3.54)."""
        context = self._context
        id_tag = payload["idTag"]
        # Authorized again: the station may have used an old list (OCPP 1.6 4.8).
        evse_id = self._evse_id(payload["connectorId"])
        verdict = self._authorization.begin(id_tag, evse_id)
        transaction = await context.transactions.start(
            evse_id=evse_id,
            id_token=id_tag,
            meter_start=payload["meterStart"],
            claimed_at=timestamps.parse(payload.get("timestamp")),
            reservation_id=_reservation_id(payload),
        )
        self._bracket(transaction, payload["meterStart"], transaction.started_at)
        if (reservations := context.station.reservations) is not None:
            await reservations.started(transaction, verdict.group)
        return Reply(
            {
                "idTagInfo": id_tag_info(verdict),
                "transactionId": int(transaction.transaction_id),
            },
            partial(self._started, transaction, verdict),
        )

    async def stop_transaction(self, payload: dict[str, Any]) -> Reply:
        """Close a transaction; one that nobody knows closes nothing (errata 3.18)."""
        context = self._context
        transaction_id = str(payload["transactionId"])
        running = [evse.transaction for evse in context.station.evses.values()]
        data = payload.get("transactionData") or []
        known = context.transactions.find(transaction_id)
        if known is not None:
            # Before it is over: if that fails, the station says all of it again.
            await self._archive.of_session(known, data)
            if known.evse_id:
                self._metering.take(known.evse_id, transaction_id, data)
        id_tag = payload.get("idTag")
        transaction = await context.transactions.stop(
            transaction_id=transaction_id,
            meter_stop=payload["meterStop"],
            claimed_at=timestamps.parse(payload.get("timestamp")),
            reason=stop_reason(payload.get("reason")),
            id_token=id_tag,
            values_start=values_of(data, "Transaction.Begin"),
            values_stop=values_of(data, "Transaction.End"),
        )
        if known is None:
            await self._archive.of_session(transaction, data)
        after = None
        if any(one is transaction for one in running):
            self._bracket(transaction, payload["meterStop"], transaction.stopped_at)
            after = partial(self._stopped, transaction)
        return Reply(self._judged(id_tag), after)

    def _judged(self, id_tag: str | None) -> dict[str, Any]:
        """Return what is told of an id tag: nothing if none was shown."""
        if id_tag is None:
            return {}
        identity = self._context.station.identity
        verdict = self._context.authorizer.authorize(identity, id_tag)
        return {"idTagInfo": id_tag_info(verdict)}

    def _bracket(
        self, transaction: Transaction, register: int, at: datetime | None
    ) -> None:
        if transaction.evse_id and at is not None:
            self._metering.bracket(transaction.evse_id, register, at)

    def _evse_id(self, connector_id: int) -> int:
        """Return the EVSE to book on; 0 is one that cannot exist."""
        if connector_id and self._context.station.believes(connector_id):
            return connector_id
        self._oddities.note(f"transaction of connector {connector_id}")
        return 0 if connector_id else 1

    def _started(self, transaction: Transaction, verdict: Verdict) -> None:
        context = self._context
        if (
            not transaction.open
            or not transaction.evse_id
            or context.transactions.is_history(transaction.started_at)
        ):
            return
        if transaction.id_token is not None:
            seen = (transaction.id_token, transaction.started_at)
            context.station.evse(transaction.evse_id).id_token_seen.set(seen)
            self._authorization.begun(transaction.id_token, transaction, verdict)
        if verdict.status is AuthorizationStatus.ACCEPTED:
            known = SessionKnown(evse_id=transaction.evse_id, transaction=transaction)
            context.station.emit(known)

    def _stopped(self, transaction: Transaction) -> None:
        context, stopped_at = self._context, transaction.stopped_at
        if stopped_at and not context.transactions.is_history(stopped_at):
            evse_id = transaction.evse_id
            settled = SessionSettled(evse_id=evse_id, transaction=transaction)
            context.station.emit(settled)


def _reservation_id(payload: dict[str, Any]) -> int | None:
    number: int | None = payload.get("reservationId")
    return None if number is None or abs(number) >= _MAX_RESERVATION else number
