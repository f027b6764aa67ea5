"""Event reading: what a TransactionEvent says, however incomplete (OCPP 2.x E01)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ...station.authorization import Verdict
from ...station.transaction_events import EventKind, TransactionEvent
from .. import timestamps
from ..adapter import StationContext
from ..metering import values_of
from ..oddities import Oddities
from ..words import snake, stop_reason
from .authorization import token_of
from .metering import plain, readings

type Json = dict[str, Any]

RESUMED: Final = "TxResumed"
"""The trigger of a transaction that goes on after a restart (2.1 E17)."""

_KINDS: Final = {kind.value: kind for kind in EventKind}
_STOPPING: Final = frozenset({"Deauthorized", "StopAuthorized"})
"""Triggers whose token is not the one that began (TriggerReasonEnumType)."""

_MAX_NUMBER: Final = 2**31
_MAX_CHARGED: Final = 366 * 24 * 3600
_MAX_ID: Final = 255


@dataclass(kw_only=True, slots=True, frozen=True)
class Told:
    """An event, and what was decided of its token; None if it has none."""

    event: TransactionEvent
    values: list[Json]
    verdict: Verdict | None
    payload: Json

    @property
    def info(self) -> Json:
        """Return what is said of the transaction itself."""
        info: Json = self.payload.get("transactionInfo") or {}
        return info

    @property
    def resumed(self) -> bool:
        """Return whether the transaction goes on after a restart of the station."""
        return self.payload.get("triggerReason") == RESUMED


class EventReader:
    """Reads events; what is missing, wrong or made up is read as not being there."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Read what the station of `context` tells."""
        self._context = context
        self._oddities = oddities

    def read(self, payload: Json) -> tuple[TransactionEvent, list[Json]]:
        """Return the event and its meter values in the form of OCPP 1.6."""
        info, now = payload.get("transactionInfo") or {}, self._context.clock()
        offline = payload.get("offline") is True
        claimed = timestamps.parse(payload.get("timestamp"))
        if not offline:
            self._context.station.skew.observe(claimed, now)
        values = plain(payload.get("meterValue") or [])
        evse_id, connector_id = self._place(payload.get("evse") or {})
        token = payload.get("idToken") or {}
        event = TransactionEvent(
            kind=self._kind(payload.get("eventType") or ""),
            transaction_id=self._id(info, evse_id),
            claimed_at=claimed,
            number=_number(payload.get("seqNo")),
            offline=offline,
            evse_id=evse_id,
            connector_id=connector_id,
            id_token=token_of(token),
            token_type=token.get("type"),
            stops=payload.get("triggerReason") in _STOPPING,
            reservation_id=_number(payload.get("reservationId")),
            remote_start_id=_number(info.get("remoteStartId")),
            reason=stop_reason(info.get("stoppedReason")),
            charged=_charged(info),
            readings=readings(values, now),
            values_start=values_of(values, "Transaction.Begin"),
            values_stop=values_of(values, "Transaction.End"),
        )
        return event, values

    def _id(self, info: Json, evse_id: int) -> str:
        """Return the station's id, else that of what runs at the EVSE, else nothing."""
        told: str = info.get("transactionId") or ""
        if told.strip() and len(told) <= _MAX_ID:
            return told
        running = self._context.transactions.running(evse_id)
        self._oddities.note("an event names no transaction")
        return "" if running is None else running.transaction_id

    def _place(self, evse: Json) -> tuple[int, int]:
        evse_id, connector_id = evse.get("id") or 0, evse.get("connectorId") or 0
        if self._context.station.believes(evse_id, connector_id):
            return evse_id, connector_id
        self._oddities.note(f"transaction of EVSE {evse_id}")
        return 0, 0

    def _kind(self, word: str) -> EventKind:
        if (kind := _KINDS.get(snake(word))) is None:
            self._oddities.note(f"unknown event {word[:50]!r}")
            return EventKind.UPDATED
        return kind


def _number(value: int | None) -> int | None:
    return None if value is None or not 0 <= value < _MAX_NUMBER else value


def _charged(info: Json) -> timedelta:
    seconds = info.get("timeSpentCharging") or 0
    return timedelta(seconds=seconds if 0 < seconds < _MAX_CHARGED else 0)
