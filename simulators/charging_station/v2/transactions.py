"""Transactions: every event under its number, told however long it takes (block E)."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..clock import stamp
from ..rpc import TROUBLE
from .values import (
    ChargingState,
    IdToken,
    Json,
    MeterValue,
    Reason,
    TriggerReason,
    present,
)

if TYPE_CHECKING:
    from .station import ChargingStation

BEGIN = "Transaction.Begin"
END = "Transaction.End"


@dataclass(kw_only=True, slots=True)
class Transaction:
    """A transaction as the station sees it."""

    id: str
    evse_id: int
    connector_id: int
    charging_state: str
    started_at: str
    seq_no: int = 0
    id_token: Json | None = None
    group_id_token: Json | None = None
    remote_start_id: int | None = None
    began_at: float = 0.0
    """The energy register in Wh at the beginning."""
    limit: Json | None = None
    """How much of energy, time, cost and charge is enough (OCPP 2.1)."""
    stop_at: float | None = None
    """The energy register in Wh at which it is paused, for want of a valid token."""
    samples: list[Json] = field(default_factory=list)
    """What the last event is to tell of the meter."""


class Transactions:
    """The part of a station that tells what it delivers to whom."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station on which nobody charges."""
        self._station = station
        self.running: dict[int, Transaction] = {}
        """The open transaction of each EVSE."""
        self.when_idle: Callable[[], Coroutine[Any, Any, None]] | None = None
        """What is put off until nobody charges."""
        self.costs: dict[str, float] = {}
        """What the central system said that a transaction costs."""
        self.handlers = {"GetTransactionStatus": self._get_status}

    def find(self, transaction_id: str) -> Transaction | None:
        """Return an open transaction."""
        found = (one for one in self.running.values() if one.id == transaction_id)
        return next(found, None)

    # What happens

    def start(
        self,
        transaction: Transaction,
        timestamp: datetime,
        trigger_reason: TriggerReason,
        meter_start: MeterValue,
        reservation_id: int | None,
    ) -> None:
        """Open a transaction, and tell of it (E01 to E05)."""
        station = self._station
        self.running[transaction.evse_id] = transaction
        told = station.remote_control.take_pending(transaction)
        if told is not None:
            trigger_reason = TriggerReason.REMOTE_START
            transaction.remote_start_id = told
        station.metering.begin(transaction, meter_start)
        transaction.began_at = meter_start.energy or 0.0
        station.tariffs.begin(transaction)
        measurands = station.model.members("SampledDataCtrlr.TxStartedMeasurands")
        value = meter_start.wire(measurands, BEGIN)
        self._tell(
            transaction,
            "Started",
            trigger_reason,
            timestamp,
            evse={"connectorId": transaction.connector_id, "id": transaction.evse_id},
            idToken=transaction.id_token,
            meterValue=[value] if value else None,
            reservationId=reservation_id,
        )
        station.reservations.used(transaction, reservation_id)

    def update(
        self, transaction: Transaction, trigger_reason: TriggerReason, **more: Any
    ) -> None:
        """Tell of something that changed; `info` goes with the transaction itself."""
        now = self._station.clock()
        self._tell(transaction, "Updated", trigger_reason, now, **more)

    def resumed(self, transaction: Transaction) -> None:
        """Tell that a transaction goes on after a loss of power (OCPP 2.1 E17)."""
        if self._station.model.number("TxCtrlr.ResumptionTimeout"):
            self.update(transaction, TriggerReason.TX_RESUMED)

    def authorized(self, evse_id: int, token: IdToken) -> None:
        """Tell who charges, where that was not told yet (E03)."""
        transaction = self.running.get(evse_id)
        if transaction is None or transaction.id_token is not None:
            return
        transaction.id_token = token.wire()
        self.update(transaction, TriggerReason.AUTHORIZED, idToken=token.wire())

    def change(
        self, evse_id: int, state: ChargingState, trigger_reason: TriggerReason
    ) -> bool:
        """Tell how far the vehicle is; return whether there is a transaction."""
        if (transaction := self.running.get(evse_id)) is None:
            return False
        if transaction.charging_state != state:
            transaction.charging_state = state
            self.update(transaction, trigger_reason)
        return True

    def finish(
        self,
        transaction: Transaction,
        timestamp: datetime,
        meter_stop: MeterValue,
        reason: Reason,
        trigger_reason: TriggerReason,
        id_token: IdToken | None,
        charging_state: ChargingState,
    ) -> None:
        """Close a transaction, tell of it, and do what was put off (E06 to E08)."""
        station = self._station
        transaction.charging_state = charging_state
        values = station.metering.end(transaction, meter_stop)
        shown = id_token if trigger_reason is TriggerReason.STOP_AUTHORIZED else None
        costs = station.tariffs.details(transaction)
        del self.running[transaction.evse_id]
        self._tell(
            transaction,
            "Ended",
            trigger_reason,
            timestamp,
            reason,
            costDetails=costs if station.version == "2.1" else None,
            idToken=shown.wire() if shown else None,
            meterValue=values or None,
        )
        station.tariffs.ended(transaction)
        station.v2x.transaction_ended(transaction.id)
        station.charging.transaction_ended(transaction)
        station.availability.transaction_ended()
        if not self.running and self.when_idle is not None:
            act, self.when_idle = self.when_idle, None
            station.later(act())

    # What is told

    def _tell(
        self,
        transaction: Transaction,
        kind: str,
        trigger_reason: TriggerReason,
        timestamp: datetime,
        reason: Reason | None = None,
        info: Json | None = None,
        **more: Any,
    ) -> None:
        """Tell of one event; only Started names the EVSE.

        `info` is what else there is to tell of the transaction itself.
        """
        station = self._station
        payload = present(
            eventType=kind,
            offline=not station.connected,
            seqNo=transaction.seq_no,
            timestamp=stamp(timestamp),
            transactionInfo=present(
                chargingState=transaction.charging_state,
                remoteStartId=transaction.remote_start_id,
                stoppedReason=reason,
                transactionId=transaction.id,
                **(info or {}),
            ),
            triggerReason=trigger_reason,
            **more,
        )
        transaction.seq_no += 1
        if station.moods.loses(payload):
            return
        answer = station.queue.post("TransactionEvent", payload, kept=True)
        station.later(self._answered(transaction, payload.get("idToken"), answer))

    async def _answered(
        self,
        transaction: Transaction,
        token: Json | None,
        answer: asyncio.Future[Json],
    ) -> None:
        """Take what the central system says to an event."""
        try:
            told = await answer
        except TROUBLE:
            return
        if (cost := told.get("totalCost")) is not None:
            self.costs[transaction.id] = cost
        if (limit := told.get("transactionLimit")) is not None:
            if self.running.get(transaction.evse_id) is transaction:
                self._station.limits.take(transaction, limit)
        info = told.get("idTokenInfo")
        if token is None or info is None:
            return
        self._station.authorization.keep(IdToken.read(token), info)
        running = self.running.get(transaction.evse_id) is transaction
        if running and info["status"] != "Accepted":
            await self._deauthorize(transaction)

    async def _deauthorize(self, transaction: Transaction) -> None:
        """End or pause what nobody may charge (C01, E05)."""
        station, evse_id = self._station, transaction.evse_id
        energy = station.metering.energy(evse_id)
        if station.model.flag("TxCtrlr.StopTxOnInvalidId"):
            await station.box.stop(evse_id, Reason.DE_AUTHORIZED)
        elif (more := station.model.number("TxCtrlr.MaxEnergyOnInvalidId")) > 0:
            transaction.stop_at = energy + more
        else:
            await station.box.pause(evse_id)

    async def metered(self, evse_id: int) -> None:
        """Pause where the last energy without a valid token has flowed."""
        transaction = self.running.get(evse_id)
        if transaction is None or transaction.stop_at is None:
            return
        if self._station.metering.energy(evse_id) >= transaction.stop_at:
            transaction.stop_at = None
            await self._station.box.pause(evse_id)

    # What the central system asks for

    async def _get_status(self, payload: Json) -> Json:
        """OCPP 2.0.1 E14."""
        waiting = [
            one["transactionInfo"]["transactionId"]
            for one in self._station.queue.transaction_messages
        ]
        if (wanted := payload.get("transactionId")) is None:
            return {"messagesInQueue": bool(waiting)}
        return {
            "messagesInQueue": wanted in waiting,
            "ongoingIndicator": self.find(wanted) is not None,
        }

    # Memory

    def dump(self) -> list[Json]:
        """Return what survives a loss of power: nothing, unless it is resumed."""
        if not self._station.model.flag("InternalCtrlr.ResumeTransactionsOnBoot"):
            return []
        return [asdict(one) for one in self.running.values()]

    def load(self, kept: list[Json]) -> None:
        """Take what survived."""
        for one in kept:
            transaction = Transaction(**one)
            self.running[transaction.evse_id] = transaction
