"""Slots: what goes on at one place, as long as Home Assistant runs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from ..clock import CallLater, Timer
from ..link import Limit
from ..model import Evse, Pause, Place
from ..transaction import Transaction
from .pacing import Change
from .rungs import Rung
from .wish import Wish

if TYPE_CHECKING:
    from .verify import Standing

type Adjust = Callable[[Wish], Wish]


@dataclass(kw_only=True, slots=True, frozen=True)
class Sent:
    """What the station accepted: by which rung, None for a link without profiles.

    `limit` is as it was sent, `goal` as it was wanted; `ttl` is after how many seconds
    a limit without a profile ends.
    """

    limit: Limit
    goal: Limit
    at: datetime
    rung: Rung | None = None
    ttl: int | None = None

    @property
    def duration(self) -> int | None:
        """Return after how many seconds it ends by itself, None for never."""
        return self.ttl if self.rung is None else self.rung.duration


class Alarm(StrEnum):
    """What may be due at a place."""

    AGAIN = "again"
    DEFERRED = "deferred"
    EXPIRED = "expired"
    RENEWAL = "renewal"
    SETTLED = "settled"
    STARTED = "started"


class Slot:
    """What is wanted at one place, what was sent for it, and what is due."""

    def __init__(self, place: Place, call_later: CallLater) -> None:
        """Want nothing."""
        self.place = place
        self.wish = Wish()
        self.sent: Sent | None = None
        self.standing: Standing | None = None
        """How the limit in force stands to that of our profile; None if not asked."""
        self.last: Change | None = None
        """The last change that was sent, for its pace."""
        self.conflicts = 0
        """How often a profile of our own was in the way in this transaction."""
        self.fresh: str | None = None
        """The transaction that has certainly no profile of ours yet."""
        self.doubtful: str | None = None
        """The transaction that the station may have lost: it has restarted since."""
        self.known_at: datetime | None = None
        """When the station heard the id of its transaction, if we saw that."""
        self.rewritten: set[int] = set()
        """What the station had lost and got again since its last restart."""
        self.refusals = 0
        """How often in a row the renewal of what holds was refused."""
        self.zero_at: datetime | None = None
        self.unsafe: str | None = None
        """Why there is no fall-back although one is wanted."""
        self._call_later = call_later
        self._timers: dict[Alarm, Timer] = {}
        self._closed = False
        self._newest = 0
        self._pending: Adjust | None = None
        self._waiting: asyncio.Future[None] | None = None

    @property
    def evse(self) -> Evse | None:
        """Return the EVSE; None for the station as a whole."""
        return self.place if isinstance(self.place, Evse) else None

    @property
    def transaction_id(self) -> str | None:
        """Return the station's id of the open transaction."""
        transaction = self._transaction
        return None if transaction is None else transaction.transaction_id

    @property
    def transaction_key(self) -> int | None:
        """Return the journal's key of the open transaction."""
        return None if self._transaction is None else self._transaction.key

    @property
    def _transaction(self) -> Transaction | None:
        return None if self.evse is None else self.evse.transaction

    def show(self, wish: Wish) -> None:
        """Let a wish be what is wanted, for everybody to see."""
        self.wish = wish
        if wish.paused is None:
            self.place.pause = None
        else:
            self.place.pause = Pause(transaction=wish.paused, before=wish.limit)
        if self.evse is not None:
            self.evse.wanted_phases.set(wish.phases)
        self.place.wanted_limit.set(wish.shown)

    # Whose turn it is: of those who wait the newest

    def overtake(self, adjust: Adjust) -> int:
        """Take the turn of whoever waits, and what they wanted with it; get a ticket."""
        self._newest += 1
        self.cancel(Alarm.AGAIN, Alarm.DEFERRED)
        if (earlier := self._pending) is not None:
            self._pending = lambda wish: adjust(earlier(wish))
        else:
            self._pending = adjust
        if self._waiting is not None:
            _wake(self._waiting)
        return self._newest

    def pending(self) -> Wish:
        """Return the wish as it will be."""
        return self.wish if self._pending is None else self._pending(self.wish)

    def newest(self, ticket: int) -> bool:
        """Return whether nobody took the turn."""
        return ticket == self._newest

    @property
    def overtaken(self) -> bool:
        """Return whether somebody waits with a newer wish."""
        return self._pending is not None

    def take(self) -> Wish:
        """Return the wish to make true now."""
        wish, self._pending = self.pending(), None
        return wish

    async def wait(self, delay: float) -> None:
        """Wait for the right moment, or for a newer wish."""
        if delay <= 0:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        timer = self._call_later(delay, lambda: _wake(waiting))
        try:
            await waiting
        finally:
            timer.cancel()
            if self._waiting is waiting:
                self._waiting = None

    # What is due

    def arm(self, alarm: Alarm, delay: float, callback: Callable[[], None]) -> None:
        """Call `callback` in `delay` seconds, and not what was due before."""

        def ring() -> None:
            self._timers.pop(alarm, None)
            callback()

        self.cancel(alarm)
        if self._closed:
            return
        self._timers[alarm] = self._call_later(max(0.0, delay), ring)

    def due(self, alarm: Alarm) -> bool:
        """Return whether something will happen."""
        return alarm in self._timers

    def cancel(self, *alarms: Alarm) -> None:
        """Let something not happen."""
        for alarm in alarms:
            if (timer := self._timers.pop(alarm, None)) is not None:
                timer.cancel()

    def close(self) -> None:
        """Let nothing happen any more."""
        self._closed = True
        self.cancel(*Alarm)
        if self._waiting is not None:
            self._waiting.cancel()


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
