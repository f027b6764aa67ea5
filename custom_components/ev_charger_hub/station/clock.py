"""The injected clock and timers, so that tests own the time."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

type Clock = Callable[[], datetime]

MAX_PAST = timedelta(days=30)
MAX_FUTURE = timedelta(minutes=5)


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


class Timer(Protocol):
    """Something that will happen unless it is cancelled."""

    def cancel(self) -> None:
        """Let it not happen."""


type CallLater = Callable[[float, Callable[[], None]], Timer]


def call_later(delay: float, callback: Callable[[], None]) -> Timer:
    """Call `callback` in `delay` seconds in the running event loop."""
    return asyncio.get_running_loop().call_later(delay, callback)
