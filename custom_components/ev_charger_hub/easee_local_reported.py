"""Local reported: what a charger reports, while it moves from one entry to another."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, override

from .easee.ids import ChargerId
from .easee.readings import Readings, Value
from .easee.timing import Time, limit, pause

KNOWN_WITHIN: Final = 60.0
"""Seconds that are given to a charger to report what it is set to."""
LOOK: Final = 1.0
"""Seconds between two looks whether it has."""


class Reported(Readings):
    """What a charger reports now, and before, if it has not told again yet."""

    def __init__(self, find: Callable[[], Readings | None], time: Time) -> None:
        """Find by `find` what it reports now."""
        super().__init__()
        self._find = find
        self._time = time
        self._latest: Readings | None = None
        self._earlier: Readings | None = None

    @override
    def value(self, number: int) -> Value | None:
        found = self._find()
        if found is not None and found is not self._latest:
            self._earlier, self._latest = self._latest, found
        for one in (self._latest, self._earlier):
            if one is not None and (value := one.value(number)) is not None:
                return value
        return None

    async def known(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what changes settings once it is known what they are, or cannot be."""
        try:
            async with limit(self._time, KNOWN_WITHIN):
                while ChargerId.OFFLINE_CHARGING_MODE not in self:
                    await pause(self._time, LOOK)
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            work.close()
            raise
        await work
