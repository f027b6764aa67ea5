"""Budget: how many requests an account may send, and who goes first (easee_cloud.md 1.5).

The cloud limits 500 requests in 5 minutes and blocks addresses that do not listen; ours
is a window that never holds more than 90, whatever comes. What it says to one account
holds up all, because it means the address.
"""

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Final

from .errors import AddressBlocked, EaseeError, RateLimited
from .requests import Lane, Quota
from .timing import Time, pause

RESERVED: Final = {
    Lane.AUTH: 0.0,
    Lane.COMMAND: 0.05,
    Lane.READ: 0.2,
    Lane.PAST: 0.5,
}
"""Which part of the window is left to those who go first."""
PATIENCE: Final = {
    Lane.AUTH: timedelta(seconds=5),
    Lane.COMMAND: timedelta(seconds=5),
    Lane.READ: timedelta(seconds=60),
    Lane.PAST: timedelta(minutes=15),
}
"""How long somebody waits for a turn."""


class Window:
    """What was sent in the last so many seconds."""

    def __init__(self, count: int, seconds: float) -> None:
        """Allow so many within so many seconds."""
        self.count = count
        self._span = timedelta(seconds=seconds)
        self._sent: deque[datetime] = deque()

    def used(self, now: datetime) -> int:
        """Return how many were sent."""
        if self._sent and self._sent[-1] > now:
            # Our clock was set back: what was sent then was sent now at the latest.
            self._sent = deque(min(one, now) for one in self._sent)
        while self._sent and self._sent[0] <= now - self._span:
            self._sent.popleft()
        return len(self._sent)

    def free_at(self, now: datetime, reserved: float = 0.0) -> datetime:
        """Return when another one may be sent that leaves a part to others."""
        allowed = max(1, self.count - ceil(self.count * reserved))
        excess = self.used(now) - allowed
        return now if excess < 0 else self._sent[excess] + self._span

    def add(self, now: datetime) -> None:
        """Count one."""
        self._sent.append(now)


class Hold:
    """Until when nothing may be sent from our address, whoever was told so."""

    def __init__(self) -> None:
        """Let everything be sent."""
        self._until: datetime | None = None
        self._blocked_until: datetime | None = None
        self._told_at: datetime | None = None
        self._listeners: tuple[Callable[[], None], ...] = ()

    def until(self, now: datetime) -> datetime | None:
        """Return until when nothing may be sent, None if something may."""
        self._follow_clock(now)
        return _later(self._until, now)

    def blocked_until(self, now: datetime) -> datetime | None:
        """Return until when our address is to be left alone, None if it is not blocked."""
        self._follow_clock(now)
        return _later(self._blocked_until, now)

    def extend(self, until: datetime, now: datetime, blocked: bool) -> None:
        """Let nothing be sent before `until`; what was said before is never cut short."""
        self._follow_clock(now)
        self._told_at = now
        self._until = max(until, self._until or until)
        if blocked:
            self._blocked_until = max(until, self._blocked_until or until)
        self._notify()

    def check(self, now: datetime) -> None:
        """Raise RateLimited or AddressBlocked while nothing may be sent."""
        if (blocked_until := self.blocked_until(now)) is not None:
            raise AddressBlocked(blocked_until)
        if (until := self.until(now)) is not None:
            raise RateLimited(until)
        if self._until is not None:
            self._until = self._blocked_until = None
            self._notify()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when everything is held, and with the first request after.

        Returns what ends that.
        """
        self._listeners = (*self._listeners, listener)
        return partial(self._unsubscribe, listener)

    def _unsubscribe(self, listener: Callable[[], None]) -> None:
        self._listeners = tuple(one for one in self._listeners if one != listener)

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    def _follow_clock(self, now: datetime) -> None:
        """Let it last no longer than was said if our clock was set back."""
        if self._told_at is None or (back := self._told_at - now) <= timedelta():
            return
        self._told_at = now
        if self._until is not None:
            self._until -= back
        if self._blocked_until is not None:
            self._blocked_until -= back


class Budget:
    """The requests of one account: nothing is sent that was not taken from here.

    `hold` is shared by all accounts of our address, `seconds` are of the window. Nobody
    waits while everything is held, because whoever waits would come at once with all
    others when it ends.
    """

    def __init__(
        self,
        time: Time,
        hold: Hold | None = None,
        *,
        count: int = 90,
        seconds: float = 300,
    ) -> None:
        """Start with everything left."""
        self._time = time
        self._hold = hold or Hold()
        self._window = Window(count, seconds)
        self._quotas: dict[Quota, Window] = {}
        self.taken: Counter[Lane] = Counter()
        """How many were ever taken, by lane."""

    @property
    def left(self) -> int:
        """Return how many requests could be sent now by who goes first."""
        return self._window.count - self._window.used(self._time())

    @property
    def held_until(self) -> datetime | None:
        """Return until when nothing may be sent, None if something may."""
        return self._hold.until(self._time())

    @property
    def blocked_until(self) -> datetime | None:
        """Return until when our address is to be left alone, None if it is not blocked."""
        return self._hold.blocked_until(self._time())

    async def take(self, lane: Lane, quota: Quota | None = None) -> None:
        """Wait for the turn to send a request.

        Raises RateLimited or AddressBlocked if that would take too long.
        """
        deadline = self._time() + PATIENCE[lane]
        while (turn := self._turn(lane, quota)) > (now := self._time()):
            if turn > deadline:
                raise RateLimited(turn)
            await pause(self._time, (turn - now).total_seconds())
        self._window.add(now)
        self.taken[lane] += 1
        if quota is not None:
            self._quotas[quota].add(now)

    def hold(self, until: datetime, blocked: bool = False) -> None:
        """Let nothing be sent before `until`; what was said before is never cut short."""
        self._hold.extend(until, self._time(), blocked)

    def heed(self, error: EaseeError) -> None:
        """Stop, if that is what the cloud says."""
        if isinstance(error, AddressBlocked | RateLimited):
            self.hold(error.until, isinstance(error, AddressBlocked))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when everything is held, and with the first request after.

        Returns what ends that.
        """
        return self._hold.subscribe(listener)

    def _turn(self, lane: Lane, quota: Quota | None) -> datetime:
        """Return when a request may be sent as far as is known now."""
        now = self._time()
        self._hold.check(now)
        turn = self._window.free_at(now, RESERVED[lane])
        if quota is None:
            return turn
        if (window := self._quotas.get(quota)) is None:
            window = self._quotas[quota] = Window(quota.count, quota.seconds)
        return max(turn, window.free_at(now))


def _later(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None
