"""Pending restart: what a station was told that holds only once it has restarted."""

from collections.abc import Callable, Coroutine
import logging
from typing import Any, Final

from .channel import Channel
from .errors import JournalError
from .events import Booted, StationEvent
from .journal import Journal
from .model import ChargingStation
from .secrets import shortened

_LOGGER = logging.getLogger(__name__)

FACT: Final = "pending_restart"
MAX_NAMES: Final = 50


type Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class PendingRestart:
    """The settings that wait for a restart of a station, until it has booted."""

    def __init__(
        self, station: ChargingStation, journal: Journal, spawn: Spawn
    ) -> None:
        """Wait for nothing yet."""
        self._station = station
        self._journal = journal
        self._spawn = spawn
        self.names: Channel[tuple[str, ...]] = Channel((), urgent=True)
        """What waits, by name, in the order in which it was written."""
        station.pending_restart = self
        self.close = station.on_event(self._happened)

    async def load(self) -> None:
        """Bring back what waited before Home Assistant restarted."""
        kept = await self._journal.load(self._station.identity, FACT)
        if isinstance(kept, list):
            self.names.set(tuple(one for one in kept if isinstance(one, str)))

    async def add(self, name: str) -> None:
        """Take note of a setting that holds after a restart."""
        if name in self.names.value or len(self.names.value) >= MAX_NAMES:
            return
        self.names.set((*self.names.value, name))
        await self._store()

    def _happened(self, event: StationEvent) -> None:
        if isinstance(event, Booted) and self.names.value:
            self.names.set(())
            self._spawn(self._store(), "settings hold after a restart")

    async def _store(self) -> None:
        identity = self._station.identity
        try:
            await self._journal.store(identity, FACT, [*self.names.value])
        except JournalError:
            # It is known until Home Assistant restarts.
            _LOGGER.exception("%s: what waits is not kept", shortened(identity))
