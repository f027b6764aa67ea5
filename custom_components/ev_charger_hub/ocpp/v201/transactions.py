"""Transactions: what a station tells of them, always answered (OCPP 2.x E)."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from ...station.authorization import Verdict
from ...station.clock import plausible
from ...station.enums import AuthorizationStatus
from ...station.model import SessionKnown, SessionSettled
from ...station.transaction import Transaction
from ...station.transaction_events import EventKind, TransactionEvent
from .. import timestamps
from ..adapter import StationContext
from ..metering import values_of
from ..oddities import Oddities
from ..rpc import Reply
from ..signed import SignedArchive
from ..words import MAX_EVSES, snake, stop_reason
from .authorization import Authorization, token_of
from .availability import Availability
from .mapping import charging_state
from .metering import MeterValues, plain, readings
from .tokens import id_token_info

type Json = dict[str, Any]

_KINDS = {kind.value: kind for kind in EventKind}
_STOPPING = frozenset({"Deauthorized", "StopAuthorized"})
"""Triggers whose token is not the one that began (TriggerReasonEnumType)."""

_MAX_NUMBER = 2**31
_MAX_CHARGED = 366 * 24 * 3600


@dataclass(kw_only=True, slots=True, frozen=True)
class Told:
    """An event, and what was decided of its token; None if it has none."""

    event: TransactionEvent
    values: list[Json]
    verdict: Verdict | None


class TransactionBlock:
    """The transactions of a station as its events tell them.

    Every event is answered, whatever it says: a station that hears an error sends it
    again, and in the end drops it (E13). An answer is given only once the journal has
    what it answers.
    """

    def __init__(
        self,
        context: StationContext,
        metering: MeterValues,
        archive: SignedArchive,
        authorization: Authorization,
        availability: Availability,
        oddities: Oddities,
    ) -> None:
        """Keep the transactions of `context`."""
        self._context = context
        self._metering = metering
        self._archive = archive
        self._authorization = authorization
        self._availability = availability
        self._oddities = oddities

    async def transaction_event(self, payload: Json) -> Reply:
        """Take what happened in a transaction (E01, E02, E06)."""
        context = self._context
        told = self._told(payload)
        event = told.event
        known = context.transactions.find(event.transaction_id)
        was_open = known is not None and known.open
        before = known is not None and (known.evse_id, known.id_token)
        transaction = await context.transactions.event(event)
        await self._archive.of_session(transaction, told.values)
        if (reservations := context.station.reservations) is not None and (
            event.kind is EventKind.STARTED or event.id_token
        ):
            group = told.verdict.group if told.verdict is not None else None
            await reservations.started(transaction, group)
        self._show(transaction, told, payload)
        after = None
        news = before != (transaction.evse_id, transaction.id_token)
        if transaction.open and (news or event.kind is EventKind.STARTED):
            after = partial(self._started, transaction, told)
        elif event.kind is EventKind.ENDED and was_open:
            after = partial(self._ended, transaction)
        # E01.FR.11: of a token that was shown, and of no other.
        answer = {} if told.verdict is None else _info(told.verdict)
        return Reply(answer, after)

    def _told(self, payload: Json) -> Told:
        info, now = payload["transactionInfo"], self._context.clock()
        claimed = timestamps.parse(payload.get("timestamp"))
        if not payload.get("offline"):
            self._context.station.skew.observe(claimed, now)
        kind = self._kind(payload["eventType"])
        values = plain(payload.get("meterValue") or [])
        evse = payload.get("evse") or {}
        evse_id, connector_id = evse.get("id") or 0, evse.get("connectorId") or 0
        if not (0 <= evse_id <= MAX_EVSES and 0 <= connector_id <= MAX_EVSES):
            self._oddities.note(f"transaction of EVSE {evse_id}")
            evse_id = connector_id = 0
        token = payload.get("idToken")
        stops = payload["triggerReason"] in _STOPPING
        event = TransactionEvent(
            kind=kind,
            transaction_id=info["transactionId"],
            claimed_at=claimed,
            evse_id=evse_id,
            connector_id=connector_id,
            id_token=token and token_of(token),
            token_type=token and token["type"],
            stops=stops,
            reservation_id=_number(payload.get("reservationId")),
            reason=stop_reason(info.get("stoppedReason")),
            charged=_charged(info),
            readings=readings(values, now),
            values_start=values_of(values, "Transaction.Begin"),
            values_stop=values_of(values, "Transaction.End"),
        )
        verdict = None
        if token is not None:
            begins = not stops and kind is not EventKind.ENDED
            where = self._evse_id(event) if begins else None
            verdict = self._authorization.of_transaction(event.id_token, where)
        return Told(event=event, values=values, verdict=verdict)

    def _kind(self, word: str) -> EventKind:
        if (kind := _KINDS.get(snake(word))) is None:
            self._oddities.note(f"unknown event {word[:50]!r}")
            return EventKind.UPDATED
        return kind

    def _evse_id(self, event: TransactionEvent) -> int:
        known = self._context.transactions.find(event.transaction_id)
        return event.evse_id or (0 if known is None else known.evse_id)

    def _show(self, transaction: Transaction, told: Told, payload: Json) -> None:
        """Show what an event says of its EVSE, as far as it is news."""
        if not (evse_id := transaction.evse_id):
            return
        evse, event = self._context.station.evse(evse_id), told.event
        if event.connector_id:
            evse.connector(event.connector_id)
        self._metering.take(evse_id, event.transaction_id, told.values, counted=True)
        at = plausible(event.claimed_at, self._context.clock())
        if (rating := _number(payload.get("cableMaxCurrent"))) is not None:
            evse.cable_rating.set(rating, at)
        running = evse.transaction
        if running is not None and running is not transaction:
            return
        state = charging_state(payload["transactionInfo"].get("chargingState"))
        if event.kind is EventKind.ENDED:
            self._availability.ended(evse_id, at)
        elif state is not None and transaction.open:
            self._availability.charging(evse_id, state, at)

    def _started(self, transaction: Transaction, told: Told) -> None:
        context, evse_id = self._context, transaction.evse_id
        at = plausible(told.event.claimed_at, context.clock())
        if not transaction.open or not evse_id or context.transactions.is_history(at):
            return
        token, verdict = transaction.id_token, told.verdict
        if token is not None and verdict is not None:
            seen = token, context.clock()
            context.station.evse(evse_id).id_token_seen.set(seen)
            self._authorization.begun(token, transaction, verdict)
        if verdict is None or verdict.status is AuthorizationStatus.ACCEPTED:
            known = SessionKnown(evse_id=evse_id, transaction=transaction)
            context.station.emit(known)

    def _ended(self, transaction: Transaction) -> None:
        context, stopped_at = self._context, transaction.stopped_at
        if stopped_at and not context.transactions.is_history(stopped_at):
            evse_id = transaction.evse_id
            settled = SessionSettled(evse_id=evse_id, transaction=transaction)
            context.station.emit(settled)


def _info(verdict: Verdict) -> Json:
    return {"idTokenInfo": id_token_info(verdict)}


def _number(value: int | None) -> int | None:
    return None if value is None or abs(value) >= _MAX_NUMBER else value


def _charged(info: Json) -> timedelta:
    seconds = info.get("timeSpentCharging") or 0
    return timedelta(seconds=seconds if 0 < seconds < _MAX_CHARGED else 0)
