"""Turnstile: how many stations are set up at once when all of them come at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

PLACES = 5
"""So many stations are set up at once (Easee, row S56)."""

PATIENCE = 10.0
"""Seconds after which a station that answers slowly stands in nobody's way."""


class Turnstile:
    """Lets few in at once, in the order in which they came."""

    def __init__(self, places: int = PLACES) -> None:
        """Start with every place free."""
        self._places = asyncio.Semaphore(places)
        self.inside = 0
        """How many are in, but for those that take long."""

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """Wait for a place and hold it, but not for long."""
        await self._places.acquire()
        self.inside += 1
        left = asyncio.Event()

        def leave() -> None:
            if not left.is_set():
                left.set()
                self.inside -= 1
                self._places.release()

        timer = asyncio.get_running_loop().call_later(PATIENCE, leave)
        try:
            yield
        finally:
            timer.cancel()
            leave()
