"""The cloud's clock: injected, moved by whoever owns it, and on request wrong."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import heapq
from itertools import count
import os
from typing import Protocol

START = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
TURNS = 50
"""How many turns of the event loop a request over a socket of this machine may take."""
TURNS_ALONE = 10
"""After so many of them others on this machine have their turn."""
EPOCH_OF_TICKS = datetime(1, 1, 1, tzinfo=UTC)

_let_others_run = getattr(os, "sched_yield", lambda: None)


class Cancellable(Protocol):
    """Something that can be called off."""

    def cancel(self) -> None:
        """Call it off."""
        ...


class Time(Protocol):
    """What the cloud needs of a clock."""

    def __call__(self) -> datetime:
        """Return the present."""
        ...

    def call_later(self, delay: float, callback: Callable[[], None]) -> Cancellable:
        """Call `callback` when so many seconds have passed."""
        ...


class Alarm:
    """A timer of a SimulatedTime."""

    def __init__(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the time has come."""
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Do not call."""
        self._callback = None

    @property
    def cancelled(self) -> bool:
        """Return whether nobody is called any more."""
        return self._callback is None

    def ring(self) -> None:
        """Call, unless cancelled."""
        if self._callback is not None:
            self._callback()


class SimulatedTime:
    """A clock that moves when told to, and the timers that hang on it."""

    def __init__(self, start: datetime = START) -> None:
        """Start at a moment that is the same every time."""
        self.now = start
        self.busy: Callable[[], bool] = _idle
        """Whether something is under way that takes none of this time."""
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

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due meanwhile, in its order."""
        end = self.now + timedelta(seconds=seconds)
        while self._ring(end):
            pass
        self.now = end

    async def pass_time(self, seconds: float, turns: int = TURNS) -> None:
        """Let time pass, and after every alarm everybody have so many turns.

        That is time enough for requests over a socket of this machine, so that clients
        which live by this clock keep up with it. Nobody is `busy` in these turns.
        """
        end = self.now + timedelta(seconds=seconds)
        await self._turns(turns)
        while self._ring(end):
            await self._turns(turns)
        self.now = end
        await self._turns(turns)

    async def _turns(self, count: int) -> None:
        turn = 0
        while turn < count:
            if turn % TURNS_ALONE == 0:
                # On a busy machine the kernel, too, needs its turns to carry what was sent.
                _let_others_run()
            await asyncio.sleep(0)
            turn = 0 if self.busy() else turn + 1

    def _ring(self, end: datetime) -> bool:
        """Ring all that is due next, if that is before the end."""
        while self._alarms and self._alarms[0][2].cancelled:
            heapq.heappop(self._alarms)
        if not self._alarms or self._alarms[0][0] > end:
            return False
        at = self._alarms[0][0]
        self.now = max(self.now, at)
        while self._alarms and self._alarms[0][0] <= at:
            heapq.heappop(self._alarms)[2].ring()
        return True


def _idle() -> bool:
    return False


class CloudClock:
    """The time as the cloud sees it: the true one, off by a skew."""

    def __init__(self, time: Time) -> None:
        """Follow `time`."""
        self._time = time
        self._last_ticks = 0
        self.skew = timedelta()

    def __call__(self) -> datetime:
        """Return the present as the cloud sees it."""
        return self._time() + self.skew

    @property
    def true(self) -> datetime:
        """Return the present without the skew, for the journal."""
        return self._time()

    def call_later(self, delay: float, callback: Callable[[], None]) -> Cancellable:
        """Call `callback` when so many seconds have passed."""
        return self._time.call_later(delay, callback)

    def ticks(self) -> int:
        """Return the present in .NET ticks (100 ns since the year 1), never twice."""
        passed = (self() - EPOCH_OF_TICKS) // timedelta(microseconds=1) * 10
        self._last_ticks = max(self._last_ticks + 1, passed)
        return self._last_ticks


def stamp(moment: datetime) -> str:
    """Return a moment as the stream writes it, with seven digits of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def whole(moment: datetime) -> str:
    """Return a moment as REST writes it, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Return the moment that a request names; without a zone it is UTC."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
