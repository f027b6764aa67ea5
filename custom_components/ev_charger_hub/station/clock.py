"""The injected clock and timers, so that tests own the time."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

type Clock = Callable[[], datetime]

MAX_PAST = timedelta(days=30)
MAX_FUTURE = timedelta(minutes=5)
MAX_SKEW = timedelta(hours=15)
"""Further off is no clock in another time zone but one that was never set."""
NEGLIGIBLE_SKEW = timedelta(seconds=20)


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def plausible(claimed: datetime | None, now: datetime) -> datetime:
    """Return when something happened, given what a station claims and our own time.

    A claim before `now - 30 d` or after `now + 5 min` (clock not set, year 1970) is
    replaced by `now`; one slightly ahead is cut to `now`, so that a clock that steps
    back does not make the present look like history.
    """
    if claimed is None or not now - MAX_PAST <= claimed <= now + MAX_FUTURE:
        return now
    return min(claimed, now)


class Skew:
    """How far a station's clock is ahead of ours, by the stamps on what it says.

    Schedules have to be told in the station's time, or they end too soon or too late.
    """

    def __init__(self) -> None:
        """Believe that the clock is right."""
        self._seen: deque[timedelta] = deque(maxlen=3)

    def observe(self, claimed: datetime | None, now: datetime) -> None:
        """Take the stamp of something that a station says at `now`."""
        if claimed is not None and abs(claimed - now) <= MAX_SKEW:
            self._seen.append(claimed - now)

    @property
    def right(self) -> bool:
        """Return whether something was told that shows the clock to be about right."""
        return bool(self._seen) and abs(max(self._seen)) <= NEGLIGIBLE_SKEW

    @property
    def ahead(self) -> timedelta:
        """Return how far it is ahead, negative if behind, 0 if it is about right."""
        if not self._seen:
            return timedelta()
        # Nobody stamps what has yet to happen, but much is told late: a clock is
        # behind only if everything that it stamps is, by as much.
        ahead = max(self._seen)
        if ahead < timedelta() and (
            len(self._seen) < (self._seen.maxlen or 0)
            or ahead - min(self._seen) > NEGLIGIBLE_SKEW
        ):
            return timedelta()
        return ahead if abs(ahead) > NEGLIGIBLE_SKEW else timedelta()


class Timer(Protocol):
    """Something that will happen unless it is cancelled."""

    def cancel(self) -> None:
        """Let it not happen."""


type CallLater = Callable[[float, Callable[[], None]], Timer]


def call_later(delay: float, callback: Callable[[], None]) -> Timer:
    """Call `callback` in `delay` seconds in the running event loop."""
    return asyncio.get_running_loop().call_later(delay, callback)
