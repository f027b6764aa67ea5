"""Turns: work that may come a little later, piece by piece."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
import logging
from typing import Any

_LOGGER = logging.getLogger(__name__)

type Piece = Callable[[], None]
type Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class Turns:
    """Does one piece of work per turn of the event loop.

    When hundreds of chargers come at once, frames are answered between the pieces. The
    trouble of one piece stops no other.
    """

    def __init__(self, spawn: Spawn) -> None:
        """Start with nothing to do; `spawn` runs a named task."""
        self._spawn = spawn
        self._pieces: deque[Piece] = deque()
        self._running = False

    def add(self, piece: Piece) -> None:
        """Have a piece of work done after those that wait already."""
        self._pieces.append(piece)
        if not self._running:
            self._running = True
            self._spawn(self._run(), "ev_charger_hub turns")

    def close(self) -> None:
        """Forget what was not done yet."""
        self._pieces.clear()

    async def _run(self) -> None:
        """Do what waits, then end."""
        try:
            while True:
                await asyncio.sleep(0)
                if not self._pieces:
                    return
                self._do(self._pieces.popleft())
        finally:
            self._running = False

    @staticmethod
    def _do(piece: Piece) -> None:
        """Do one piece, whatever becomes of it."""
        try:
            piece()
        except Exception:  # the top of a task
            _LOGGER.exception("A piece of work failed")
