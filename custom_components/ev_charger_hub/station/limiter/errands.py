"""Errands: what is done for the limits of a station while nobody waits for it."""

import asyncio
from collections.abc import Callable, Coroutine
import logging
from typing import Any

from ..errors import JournalError, NotConnected, NotSupported
from ..limits import LimitError
from ..model import ChargingStation
from ..secrets import shortened

_LOGGER = logging.getLogger(__name__)

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
"""Starts a background task of a name."""


class Errands:
    """Tasks of one station; what cannot be done now is done later by somebody else."""

    def __init__(self, station: ChargingStation, spawn: Spawn) -> None:
        """Have nothing to do."""
        self._name = shortened(station.identity)
        self._spawn = spawn
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None], evse_id: int) -> None:
        """Do something about the limit of an EVSE in the background."""
        name = f"limit of EVSE {evse_id} of {self._name}"
        task = self._spawn(self._logged(work, name), name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Do nothing more."""
        for task in self._tasks:
            task.cancel()

    async def _logged(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except NotConnected, NotSupported, LimitError:
            _LOGGER.debug("%s: not now", name)
        except JournalError:
            _LOGGER.exception("%s: not kept", name)
        except Exception:
            _LOGGER.exception("%s failed", name)
