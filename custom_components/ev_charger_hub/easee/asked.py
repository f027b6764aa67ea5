"""Asked: what is on no stream and has to be asked for, from time to time."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
import logging
from typing import Final

from ..station.channel import Channel
from .errors import EaseeError, Forbidden, NotFound
from .timing import Time, pause

_LOGGER = logging.getLogger(__name__)

RETRY: Final = timedelta(minutes=15)
"""How soon is asked again if there was no answer."""


class Asked[T]:
    """A value that REST tells; None if there is none, or if we may not know."""

    def __init__(
        self, time: Time, ask: Callable[[], Awaitable[T | None]], every: timedelta
    ) -> None:
        """Know nothing yet."""
        self._time = time
        self._ask = ask
        self._every = every
        self.value: Channel[T | None] = Channel(None, urgent=True)

    async def refresh(self) -> None:
        """Ask now; raises EaseeError if there is no answer."""
        try:
            value = await self._ask()
        except Forbidden, NotFound:
            value = None
        self.value.set(value)

    async def run(self) -> None:
        """Ask, again and again; without an answer what is known stays."""
        while True:
            wait = self._every
            try:
                await self.refresh()
            except EaseeError as err:
                _LOGGER.debug("No answer yet: %s", type(err).__name__)
                wait = min(RETRY, wait)
            except Exception:
                _LOGGER.exception("An answer is not understood")
            await pause(self._time, wait.total_seconds())
