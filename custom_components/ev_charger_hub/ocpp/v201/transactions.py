"""Transactions: what a station tells of them, always answered (OCPP 2.x E)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
import logging
from typing import Any, Final

from ...station.clock import CallLater, plausible
from ...station.enums import AuthorizationStatus
from ...station.events import SessionKnown, SessionSettled
from ...station.remote_starts import RemoteStarts
from ...station.secrets import shortened
from ...station.transaction import Transaction
from ...station.transaction_events import EventKind, TransactionEvent
from ..adapter import StationContext
from ..oddities import Oddities
from ..rpc import Reply
from ..signed import SignedArchive
from .authorization import Authorization
from .availability import Availability
from .event_queue import Before, EventQueue, Kept, Waiting
from .event_reading import EventReader, Told
from .mapping import charging_state
from .metering import MeterValues
from .tokens import id_token_info

_LOGGER = logging.getLogger(__name__)

type Json = dict[str, Any]
type Addition = Callable[[Transaction, TransactionEvent, Json], Json]
"""Returns what else the answer to an event says, given its whole payload.

`totalCost`, `transactionLimit`, `updatedPersonalMessage` and the like; nothing is {}.
"""

_MAX_OPEN: Final = 200
"""Of no more transactions it is remembered what was told of them."""

_ACCEPTED: Final = AuthorizationStatus.ACCEPTED
_MAX_RATING: Final = 1000
"""No cable carries more, in A."""


class TransactionBlock:
    """The transactions of a station as its events tell them.

    Every event is answered, whatever it says: a station that hears an error sends it
    again, and in the end drops it (E13). An answer is given only once the journal has
    what it answers, or cannot have it.
    """

    def __init__(
        self,
        context: StationContext,
        metering: MeterValues,
        archive: SignedArchive,
        authorization: Authorization,
        availability: Availability,
        oddities: Oddities,
        remote_starts: RemoteStarts,
        call_later: CallLater,
    ) -> None:
        """Keep the transactions of `context`."""
        self._context = context
        self._metering = metering
        self._archive = archive
        self._authorization = authorization
        self._availability = availability
        self._remote_starts = remote_starts
        self._reader = EventReader(context, oddities)
        self._queue = EventQueue(context, self._keep, call_later)
        self._quiet: set[str] = set()
        """Open transactions of which only history was told so far."""
        self.heard: set[str] = set()
        """The transactions that were told of as they are now, on this connection."""
        self.additions: list[Addition] = []
        """What other blocks add to the answers, in their order."""

    async def transaction_event(self, payload: Json) -> Reply:
        """Take what happened in a transaction (E01, E02, E06)."""
        answer: Json = {}
        try:
            told = self._told(payload)
        except Exception:
            # An error in the answer would make the station drop the event in the end.
            _LOGGER.exception(
                "%s: an event was not understood",
                shortened(self._context.station.identity),
            )
            return Reply(answer)
        if told.verdict is not None:
            # E01.FR.11: of a token that was shown, and of no other.
            answer["idTokenInfo"] = id_token_info(told.verdict)
        event = told.event
        if not event.transaction_id:
            return Reply(answer)
        if not event.offline and len(self.heard) < _MAX_OPEN:
            self.heard.add(event.transaction_id)
        if (kept := await self._queue.put(told)) is None:
            return Reply(answer)
        return Reply(answer | await self._added(kept.transaction, told), kept.after)

    def _told(self, payload: Json) -> Told:
        event, values = self._reader.read(payload)
        verdict = None
        if payload.get("idToken"):
            begins = not event.stops and event.kind is not EventKind.ENDED
            where = self._evse_id(event) if begins else None
            verdict = self._authorization.of_transaction(
                event.id_token, event.token_type, where
            )
            self._authorization.note_type(event.id_token, event.token_type, verdict)
        return Told(event=event, values=values, verdict=verdict, payload=payload)

    def _evse_id(self, event: TransactionEvent) -> int:
        known = self._context.transactions.find(event.transaction_id)
        return event.evse_id or (0 if known is None else known.evse_id)

    # What is kept

    async def _keep(self, waiting: Waiting) -> Kept:
        """Return the transaction of an event, durable, and what follows the answer.

        Raises JournalError; whatever was kept until then is not kept twice.
        """
        context, told = self._context, waiting.told
        event = await self._completed(told.event)
        known = context.transactions.find(event.transaction_id)
        before = waiting.before = waiting.before or _before(known)
        transaction = await context.transactions.event(event)
        if event.remote_start_id is not None:
            await self._remote_starts.over(event.remote_start_id)
        await self._archive.of_session(transaction, told.values)
        await self._reserved(transaction, told)
        self._show(transaction, told)
        after = None
        now = transaction.evse_id, transaction.id_token
        if transaction.open and (
            now != (before.evse_id, before.id_token)
            or event.kind is EventKind.STARTED
            or told.resumed
            or transaction.transaction_id in self._quiet
        ):
            after = partial(self._started, transaction, told)
        elif event.kind is EventKind.ENDED and before.open and not event.offline:
            after = partial(self._ended, transaction)
        if not transaction.open:
            self._quiet.discard(transaction.transaction_id)
        return Kept(transaction=transaction, after=after)

    async def _completed(self, event: TransactionEvent) -> TransactionEvent:
        """Return an event with what we know of the start that it came from (F02)."""
        if event.remote_start_id is None:
            return event
        start = await self._remote_starts.find(event.remote_start_id)
        if start is None:
            return event
        begins = event.kind is EventKind.STARTED and event.id_token is None
        return replace(
            event,
            evse_id=event.evse_id or start.evse_id,
            id_token=start.id_token if begins else event.id_token,
        )

    def given_up(self, transaction: Transaction) -> None:
        """Show that a transaction is over of which the station tells no end."""
        if transaction.evse_id:
            self._availability.given_up(transaction.evse_id)

    async def close(self) -> None:
        """Keep what waits, if that is possible now, and let nothing happen any more."""
        await self._queue.close()

    async def _reserved(self, transaction: Transaction, told: Told) -> None:
        reservations, event = self._context.station.reservations, told.event
        if reservations is None:
            return
        begins = event.kind is EventKind.STARTED
        if begins or event.id_token or event.reservation_id is not None:
            group = told.verdict.group if told.verdict is not None else None
            await reservations.started(transaction, group)

    # What is shown

    def _show(self, transaction: Transaction, told: Told) -> None:
        """Show what an event says of its EVSE, as far as it is news."""
        if not (evse_id := transaction.evse_id):
            return
        evse, event = self._context.station.evse(evse_id), told.event
        if event.connector_id:
            evse.connector(event.connector_id)
        self._metering.take(evse_id, event.transaction_id, told.values, counted=True)
        at = plausible(event.claimed_at, self._context.clock())
        rating = told.payload.get("cableMaxCurrent")
        if rating is not None and 0 < rating < _MAX_RATING:
            evse.cable_rating.set(rating, at)
        running = evse.transaction
        if running is not None and running is not transaction:
            return
        state = charging_state(told.info.get("chargingState"))
        if event.kind is EventKind.ENDED:
            self._availability.ended(evse_id, at)
        elif state is not None and transaction.open:
            self._availability.charging(evse_id, state, at)

    def _started(self, transaction: Transaction, told: Told) -> None:
        context, evse_id = self._context, transaction.evse_id
        if not transaction.open or not evse_id:
            return
        at = plausible(told.event.claimed_at, context.clock())
        if told.event.offline or context.transactions.is_history(at):
            allowed = told.verdict is None or told.verdict.status is _ACCEPTED
            if allowed and len(self._quiet) < _MAX_OPEN:
                self._quiet.add(transaction.transaction_id)
            return
        self._quiet.discard(transaction.transaction_id)
        token, verdict = transaction.id_token, told.verdict
        if token is not None and verdict is not None:
            seen = token, context.clock()
            context.station.evse(evse_id).id_token_seen.set(seen)
            self._authorization.begun(token, transaction, verdict)
        if verdict is None or verdict.status is _ACCEPTED:
            known = SessionKnown(evse_id=evse_id, transaction=transaction)
            context.station.emit(known)

    def _ended(self, transaction: Transaction) -> None:
        context, stopped_at = self._context, transaction.stopped_at
        if stopped_at and not context.transactions.is_history(stopped_at):
            evse_id = transaction.evse_id
            settled = SessionSettled(evse_id=evse_id, transaction=transaction)
            context.station.emit(settled)

    async def _added(self, transaction: Transaction, told: Told) -> Json:
        """Return what other blocks have to say in the answer."""
        answer: Json = {}
        for addition in self.additions:
            try:
                answer |= addition(transaction, told.event, told.payload)
            except Exception:
                _LOGGER.exception("An answer is given without an addition")
        if (costs := self._context.station.costs) is not None:
            await costs.save()
        return answer


def _before(known: Transaction | None) -> Before:
    if known is None:
        return Before()
    return Before(evse_id=known.evse_id, id_token=known.id_token, open=known.open)
