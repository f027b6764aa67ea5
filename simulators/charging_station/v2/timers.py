"""What is to happen later, by the station's clock."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

type Act = Callable[[], Awaitable[object]]


class Timer:
    """One thing that is to happen, unless it is cancelled."""

    def __init__(self, due: datetime, act: Act) -> None:
        """Wait for a moment."""
        self.due = due
        self.act = act
        self.cancelled = False

    def cancel(self) -> None:
        """Have it not happen."""
        self.cancelled = True


class Timers:
    """All that is to happen; time passes only through `advance`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Go by a clock."""
        self._clock = clock
        self._timers: list[Timer] = []

    def after(self, seconds: float, act: Act) -> Timer:
        """Have something happen in so many seconds."""
        timer = Timer(self._clock() + timedelta(seconds=seconds), act)
        self._timers.append(timer)
        return timer

    def clear(self) -> None:
        """Forget everything."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    async def advance(self) -> None:
        """Do what is due, in order."""
        now = self._clock()
        due = [one for one in self._timers if one.due <= now]
        self._timers = [one for one in self._timers if one.due > now]
        for timer in sorted(due, key=lambda one: one.due):
            if not timer.cancelled:
                await timer.act()
