"""Time that passes when a test says so, with everything that is due in between."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import heapq
from itertools import count

from .underway import UNDERWAY

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


class Alarm:
    """A timer of a VirtualTime."""

    def __init__(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the time has come."""
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Do not call."""
        self._callback = None

    def ring(self) -> None:
        """Call, unless cancelled."""
        if self._callback is not None:
            self._callback()


class VirtualTime:
    """A clock, and the timers that hang on it."""

    def __init__(self) -> None:
        """Start on a fixed morning."""
        self.now = START
        self._alarms: list[tuple[datetime, int, Alarm]] = []
        self._order = count()

    def __call__(self) -> datetime:
        """Return the present."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` when so many seconds have passed."""
        alarm = Alarm(callback)
        at = self.now + timedelta(seconds=delay)
        heapq.heappush(self._alarms, (at, next(self._order), alarm))
        return alarm

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due meanwhile, in its order."""
        end = self.now + timedelta(seconds=seconds)
        await rest()
        while self._alarms and self._alarms[0][0] <= end:
            at, _, alarm = heapq.heappop(self._alarms)
            self.now = max(self.now, at)
            alarm.ring()
            await rest()
        self.now = end


async def rest() -> None:
    """Let everything happen that waits for nothing but its turn."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while loop._ready or UNDERWAY.busy():  # type: ignore[attr-defined]
        await asyncio.sleep(0)
