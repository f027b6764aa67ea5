"""Session news: tells of sessions that begin or end just now, and not of history."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from .clock import Clock
from .events import SessionEnded, SessionStarted
from .model import ChargingStation
from .rows import Record
from .transaction import Transaction

HISTORY = timedelta(minutes=5)
"""What happened longer ago makes no events and starts nothing."""


class Ended(Protocol):
    """Lets a record be what it became, which was at a moment."""

    def __call__(
        self, record: Record, ended: Record, at: datetime, *, live: bool = True
    ) -> None:
        """Show it; `live` tells that it may be news."""


class SessionNews:
    """What listeners hear of the sessions of one station."""

    def __init__(self, station: ChargingStation, clock: Clock) -> None:
        """Tell the listeners of `station`."""
        self._station = station
        self._clock = clock
        self.ahead: Callable[[], timedelta] = timedelta
        """How far the clock by which all is told is ahead of ours."""

    def is_history(self, moment: datetime) -> bool:
        """Return whether a moment is too long ago to act upon (OCPP 1.6 replays)."""
        # What is told by a clock that is behind ours is not older for that.
        now = self._clock() + min(self.ahead(), timedelta())
        return now - moment > HISTORY

    def began(self, transaction: Transaction) -> None:
        """Tell that a transaction runs at its EVSE."""
        if not self.is_history(transaction.started_at):
            self._station.emit(
                SessionStarted(evse_id=transaction.evse_id, transaction=transaction)
            )

    def ended(self, transaction: Transaction, at: datetime) -> None:
        """Tell that a transaction is over since a moment."""
        if not self.is_history(at):
            self._station.emit(
                SessionEnded(evse_id=transaction.evse_id, transaction=transaction)
            )
