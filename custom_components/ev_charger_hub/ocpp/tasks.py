"""Tasks: the background work of one owner, ended together."""

import asyncio
from collections.abc import Coroutine
import logging
from typing import Any

_LOGGER = logging.getLogger(__name__)

_END_TIMEOUT = 5.0


class Tasks:
    """A set of running tasks; an error ends only the task it happens in."""

    def __init__(self) -> None:
        """Start with no task."""
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(
        self, coroutine: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        """Run `coroutine` in the background."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def drain(self, timeout: float) -> None:
        """Let the tasks end by themselves, at most `timeout` seconds, then end them."""
        if others := self._others():
            await asyncio.wait(others, timeout=timeout)
        await self.cancel()

    async def cancel(self) -> None:
        """End every task but the one that asks for it."""
        others = self._others()
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=_END_TIMEOUT)

    def _others(self) -> set[asyncio.Task[None]]:
        return {task for task in self._tasks if task is not asyncio.current_task()}

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.error("%s failed", task.get_name(), exc_info=error)
