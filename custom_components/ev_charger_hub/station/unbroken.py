"""Unbroken: work that is finished once it has begun, even if nobody waits for it."""

import asyncio
from collections.abc import Coroutine
import logging
from typing import Any

from .secrets import shortened

_LOGGER = logging.getLogger(__name__)


class Unbroken:
    """What is being recorded of the transactions of one station."""

    def __init__(self, identity: str) -> None:
        """Have nothing to do for the station of that identity."""
        self._identity = identity
        self._tasks: set[asyncio.Task[Any]] = set()

    async def finish[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Finish even if the socket that asked is gone: journal and model must agree."""
        return await asyncio.shield(self._task(work))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; if it fails, that is logged."""
        self._task(self._logged(work))

    async def settle(self) -> None:
        """Wait until everything that has begun is finished."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _task[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            _LOGGER.exception("%s: transaction not recorded", shortened(self._identity))
