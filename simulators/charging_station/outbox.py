"""Messages that must arrive, however long the central system is away."""

import asyncio
from collections import deque
import contextlib
from typing import TYPE_CHECKING, Any

from .rpc import CallRefused

if TYPE_CHECKING:
    from .v16 import ChargingStation16


class Outbox:
    """What waits to be told, oldest first; it survives a loss of power."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station."""
        self._station = station
        self._queue: deque[tuple[str, dict[str, Any]]] = deque()
        self._lock = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """Return how many messages wait."""
        return len(self._queue)

    def post(self, action: str, payload: dict[str, Any]) -> None:
        """Tell the central system as soon as it listens."""
        self._queue.append((action, payload))
        self._station.remember()
        if self._station.listened_to:
            self._station.later(self.flush())

    async def flush(self) -> None:
        """Tell all that waits, one after the other; a refusal counts as told."""
        station = self._station
        async with self._lock:
            while self._queue and station.listened_to:
                with contextlib.suppress(CallRefused):
                    await station.call(*self._queue[0])
                self._queue.popleft()
                station.remember()

    def dump(self) -> list[Any]:
        """Return what waits, for the memory."""
        return [list(one) for one in self._queue]

    def load(self, kept: list[Any]) -> None:
        """Take what waited before."""
        self._queue.extend((action, payload) for action, payload in kept)
