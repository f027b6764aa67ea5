"""Settlement: what a transaction comes to, by its stop, without one or as an orphan."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .clock import plausible
from .energy import EnergyCounter
from .enums import StopReason
from .rows import Record, stamp
from .transaction import Transaction, TransactionState

_REGISTER = "Energy.Active.Import.Register"
_MAX_REGISTER = 2**53


@dataclass(kw_only=True, slots=True, frozen=True)
class Stop:
    """What a station says about an end (OCPP 1.6 StopTransaction); energy in Wh."""

    transaction_id: str
    meter_stop: int | None
    claimed_at: datetime | None
    reason: StopReason
    id_token: str | None
    evse_id: int | None
    values_start: dict[str, Any] = field(default_factory=dict)
    values_stop: dict[str, Any] = field(default_factory=dict)

    @property
    def begin(self) -> int | None:
        """Return the register of context Transaction.Begin in Wh."""
        return _register_in(self.values_start)

    @property
    def end(self) -> int | None:
        """Return the register of context Transaction.End in Wh."""
        return _register_in(self.values_stop)

    @property
    def energy(self) -> int | None:
        """Return the difference of the two registers in Wh, if it makes sense."""
        if self.begin is None or self.end is None or self.end < self.begin:
            return None
        return self.end - self.begin

    def fits(self, transaction: Transaction) -> bool:
        """Return whether a stop without an id may mean this transaction."""
        if self.evse_id is not None and self.evse_id != transaction.evse_id:
            return False
        if self.begin is not None:
            return self.begin == transaction.meter_start
        if self.id_token is None or transaction.id_token is None:
            return False
        return self.id_token.casefold() == transaction.id_token.casefold()


def sane(register: int | None) -> int | None:
    """Return a register reading, or None if no meter can show it."""
    return None if register is None or abs(register) >= _MAX_REGISTER else register


def closed(record: Record, stop: Stop, now: datetime) -> Record:
    """Return how a record looks with its stop."""
    result = deepcopy(record)
    transaction, counter = result.transaction, result.counter
    if transaction.meter_start is None:
        transaction.meter_start = counter.start = stop.begin
    meter_stop = stop.end if stop.meter_stop is None else stop.meter_stop
    transaction.energy = counter.finish(meter_stop)
    transaction.meter_reset = counter.restarted
    if counter.restarted and stop.energy is not None:
        transaction.energy = stop.energy
    transaction.state = TransactionState.CLOSED
    transaction.meter_stop = meter_stop
    transaction.stopped_at = max(
        plausible(stop.claimed_at, now), transaction.started_at
    )
    transaction.stop_reason = stop.reason
    transaction.stop_id_token = stop.id_token
    transaction.values_start |= stop.values_start
    transaction.values_stop |= stop.values_stop
    result.stop_claimed = stamp(stop.claimed_at)
    return result


def lost(record: Record, at: datetime) -> Record:
    """Return how a record looks without its stop, which must have been by `at`."""
    result = deepcopy(record)
    transaction = result.transaction
    transaction.state = TransactionState.LOST
    transaction.stop_reason = StopReason.LOST
    transaction.stopped_at = max(at, transaction.started_at)
    transaction.meter_stop = transaction.meter_last
    return result


def rebase(record: Record, begin: int) -> None:
    """Let what was delivered so far count from a register that was not known."""
    transaction = record.transaction
    reached = begin + transaction.energy
    record.counter = EnergyCounter(start=begin, base=begin, last=reached)
    transaction.meter_start, transaction.meter_reset = begin, False
    if transaction.meter_last is not None:
        transaction.meter_last = reached
    if transaction.meter_stop is not None:
        transaction.meter_stop = reached


def orphan(identity: str, stop: Stop, now: datetime) -> Record:
    """Return the record of a stop whose start nobody knows."""
    record = Record(
        transaction=Transaction(
            key=0,
            identity=identity,
            transaction_id=stop.transaction_id or "0",
            evse_id=stop.evse_id or 0,
            id_token=stop.id_token,
            started_at=plausible(stop.claimed_at, now),
            received_at=now,
            meter_start=stop.begin,
        ),
        counter=EnergyCounter(stop.begin),
    )
    result = closed(record, stop, now)
    result.transaction.state = TransactionState.ORPHAN
    return result


def _register_in(values: dict[str, Any]) -> int | None:
    sample = values.get(_REGISTER)
    if not isinstance(sample, dict):
        return None
    factor = 1000 if str(sample.get("unit") or "Wh").casefold() == "kwh" else 1
    try:
        return sane(round(Decimal(str(sample.get("value"))) * factor))
    except InvalidOperation, OverflowError, ValueError:
        return None
