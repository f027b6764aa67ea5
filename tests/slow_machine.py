"""A slow machine: a plugin of pytest that shows tests which only a fast one passes.

    scripts/test -p tests.slow_machine

Threads now and then answer late, and so do sockets, as on a machine that has other work
to do. What fails only then goes by real time, or by so many turns of the event loop.
"""

import asyncio
from asyncio import selector_events
from collections.abc import Callable
import random
import threading
import time
from typing import Any, Final
from weakref import WeakKeyDictionary

from .underway import real_time

THREADS: Final = 0.1
"""How many answers of threads are late, ..."""
THREADS_BY: Final = 0.2
"""... and by how many seconds at most."""
SOCKETS: Final = 0.002
SOCKETS_BY: Final = 0.003

_chance = random.Random()


def _slow_threads() -> None:
    """Have what threads tell the event loop be late."""
    tell = asyncio.BaseEventLoop.call_soon_threadsafe

    def tell_late(self: asyncio.BaseEventLoop, *args: Any, **more: Any) -> Any:
        at_home = getattr(self, "_thread_id", None) == threading.get_ident()
        if not at_home and _chance.random() < THREADS:
            time.sleep(_chance.random() * THREADS_BY)
        return tell(self, *args, **more)

    _replace(asyncio.BaseEventLoop, "call_soon_threadsafe", tell_late)


def _slow_sockets() -> None:
    """Have what comes in through sockets be read late."""
    transport = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    read = transport._read_ready
    due: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def read_late(self: Any) -> None:
        now = real_time()
        if self not in due:
            late = _chance.random() < SOCKETS
            due[self] = now + (_chance.random() * SOCKETS_BY if late else 0.0)
        # Who is not ready to read is asked again at once.
        if now >= due[self]:
            del due[self]
            read(self)

    _replace(transport, "_read_ready", read_late)


def _replace(owner: Any, name: str, function: Callable[..., Any]) -> None:
    setattr(owner, name, function)


_slow_threads()
_slow_sockets()
