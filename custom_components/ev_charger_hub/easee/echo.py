"""Echo: waiting until a product reports what it was told to be."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import Final

from .errors import EaseeError, Forbidden
from .readings import Readings, Value
from .timing import Time, limit

ECHO: Final = 10.0
"""Seconds after a command that is done until its effect is reported."""

LOOKS: Final = (1.0, 1.0, 2.0, 3.0, 5.0)
"""Seconds between looks at whether there is a stream, and questions if there is none."""

type Holds = Callable[[Value | None], bool]


class Echo:
    """Sees what a product reports: on the stream, or by asking while there is none."""

    def __init__(
        self,
        readings: Readings,
        time: Time,
        *,
        hears: Callable[[], bool],
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        """Ask by `refresh`, which raises EaseeError, unless the stream `hears` it."""
        self._readings = readings
        self._time = time
        self._hears = hears
        self._refresh = refresh

    async def seen(self, number: int, holds: Holds, *, seconds: float = ECHO) -> bool:
        """Return whether an observation is, or within so many seconds comes to be, so.

        Nobody waits for what cannot come: there is no stream, and no answer either.
        """
        try:
            async with limit(self._time, seconds):
                for wait in chain(LOOKS, repeat(LOOKS[-1])):
                    if not (self._hears() or await self._asked()):
                        break
                    if await seen(
                        self._readings, number, holds, self._time, seconds=wait
                    ):
                        return True
        except TimeoutError:
            pass
        return holds(self._readings.value(number))

    async def shut(self) -> bool:
        """Return whether the cloud refuses to tell of the product, too (403).

        Who may not command one may know of it, so that the cloud is out of order then.
        """
        try:
            await self._refresh()
        except Forbidden:
            return True
        except EaseeError:
            pass
        return False

    async def _asked(self) -> bool:
        """Return whether the product's state could be had."""
        try:
            await self._refresh()
        except EaseeError:
            return False
        return True


async def seen(
    readings: Readings,
    number: int,
    holds: Holds,
    time: Time,
    *,
    seconds: float = ECHO,
) -> bool:
    """Return whether an observation is, or within so many seconds comes to be, so."""
    channel = readings.channel(number)
    came = asyncio.Event()

    def look() -> None:
        if holds(channel.value):
            came.set()

    look()
    unsubscribe = channel.subscribe(look)
    try:
        async with limit(time, seconds):
            await came.wait()
    except TimeoutError:
        return False
    finally:
        unsubscribe()
    return True
