"""Underway: what virtual time has to wait for, because it takes none of it.

A thread that writes to the disk, or a request over a socket of this machine, takes as
long as the machine likes. Time that went on meanwhile would make that an outage.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
import time
from typing import Any, Final

from aiohttp import ClientResponse, ClientSession

from simulators.easee_cloud.faults import Faults

PATIENCE: Final = 5.0
"""Real seconds after which something is not waited for: a test holds it up."""
HANGS_AFTER: Final = 60.0
"""Seconds after which what was to happen never will."""


def real_time() -> float:
    """Return seconds of a time that no test freezes."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Underway:
    """How much is under way; a test that begins has nothing to do with the last."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._test = 0
        self._count = 0
        self._delayed = 0
        self._given_up = 0
        self._held_up = 0
        self._since: float | None = None

    def forget(self) -> None:
        """Wait for nothing that a test has left."""
        self._test += 1
        self._count = self._delayed = self._given_up = self._held_up = 0
        self._since = None

    def begin(self) -> Callable[[], None]:
        """Count one more, and return what ends that."""
        test = self._test
        self._add(1)

        def end() -> None:
            if test == self._test:
                self._add(-1)

        return end

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request; one that is given up was delayed, if any is."""
        end = self.begin()
        try:
            yield
        except TimeoutError, asyncio.CancelledError:
            if self._delayed:
                self._delayed -= 1
                self._given_up += 1
                self._add(1)
            raise
        finally:
            end()

    @contextmanager
    def delay(self) -> Iterator[None]:
        """Do not wait for a request: it waits for the time to pass."""
        test = self._test
        self._delayed += 1
        self._add(-1)
        try:
            yield
        finally:
            if test == self._test:
                if self._given_up:
                    self._given_up -= 1
                else:
                    self._delayed -= 1
                    self._add(1)

    def _add(self, step: int) -> None:
        self._count += step
        self._held_up = min(self._held_up, max(0, self._count))
        self._since = None

    def busy(self) -> bool:
        """Return whether there is something to wait for."""
        if self._count <= self._held_up:
            return False
        now = real_time()
        if self._since is None:
            self._since = now
        elif now - self._since > PATIENCE:
            self._held_up = self._count
        return True


UNDERWAY: Final = Underway()


async def rest(turns: int = 25) -> None:
    """Let all happen that needs no time: for so many turns nothing is under way."""
    quiet = 0
    while quiet < turns:
        await asyncio.sleep(0)
        quiet = 0 if UNDERWAY.busy() else quiet + 1


async def until(happened: Callable[[], bool]) -> None:
    """Let all happen that needs no time until something has."""
    async with asyncio.timeout(HANGS_AFTER):
        while not happened():
            await rest(1)


def watch() -> None:
    """Count from now on what threads do, and requests that nobody answers late."""
    _count_calls(ClientSession, "_request", UNDERWAY.request)
    _count_calls(ClientResponse, "read", UNDERWAY.request)
    _count_calls(Faults, "wait", UNDERWAY.delay)
    _count_futures(asyncio.BaseEventLoop, "run_in_executor")


def _count_futures(owner: type, name: str) -> None:
    """Have what a function begins counted until it is done."""
    function = getattr(owner, name)

    @wraps(function)
    def counted(*args: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = function(*args)
        end = UNDERWAY.begin()
        future.add_done_callback(lambda _: end())
        return future

    setattr(owner, name, counted)


def _count_calls(
    owner: type, name: str, counting: Callable[[], AbstractContextManager[None]]
) -> None:
    """Have the calls of a coroutine function counted."""
    function = getattr(owner, name)

    @wraps(function)
    async def counted(*args: Any, **more: Any) -> Any:
        with counting():
            return await function(*args, **more)

    setattr(owner, name, counted)
