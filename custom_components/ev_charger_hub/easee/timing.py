"""Timing: the injected time by which the client lives, so that tests own it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from ..station.clock import Timer, call_later as loop_call_later, utc_now


class Time(Protocol):
    """A clock and its timers."""

    def __call__(self) -> datetime:
        """Return the present moment in UTC."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in `delay` seconds."""


class RealTime:
    """The time of this machine and of the running event loop."""

    def __call__(self) -> datetime:
        """Return the present moment in UTC."""
        return utc_now()

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in `delay` seconds."""
        return loop_call_later(delay, callback)


async def pause(time: Time, seconds: float) -> None:
    """Wait for so many seconds."""
    over = asyncio.Event()
    timer = time.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()


@asynccontextmanager
async def limit(time: Time, seconds: float) -> AsyncGenerator[None]:
    """Raise TimeoutError if what is within lasts longer than so many seconds."""
    async with asyncio.timeout(None) as timeout:
        loop = asyncio.get_running_loop()
        timer = time.call_later(seconds, lambda: timeout.reschedule(loop.time()))
        try:
            yield
        finally:
            timer.cancel()
