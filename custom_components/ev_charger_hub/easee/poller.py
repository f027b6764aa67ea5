"""Poller: asks for what products report while the stream does not tell it (S50)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
import logging
from typing import Final, Protocol
from urllib.parse import quote

from ..station.secrets import shortened
from .errors import EaseeError, NotNow
from .ids import ChargerId, EqualizerId
from .reading_values import observation_of_state
from .readings import Observation, Readings
from .requests import Requests
from .timing import Time, pause

_LOGGER = logging.getLogger(__name__)

FIRST: Final = 10.0
"""Seconds that the stream is given before somebody asks."""
INTERVAL: Final = 60.0
EACH: Final = 6.0
"""Seconds between two questions, so that many products do not use up the budget."""
PAUSED: Final = 15.0
"""Seconds until the next question if none may be asked, which costs nothing."""
SILENT: Final = timedelta(hours=6)
"""How often is asked for what the stream never sends."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Kind:
    """What a kind of product may report, and what each of them does."""

    numbers: type[IntEnum]
    essential: frozenset[int]


CHARGER: Final = Kind(
    numbers=ChargerId,
    essential=frozenset(
        {
            ChargerId.CHARGER_OP_MODE,
            ChargerId.CONNECTED_TO_CLOUD,
            ChargerId.LIFETIME_ENERGY,
            ChargerId.SESSION_ENERGY,
            ChargerId.TOTAL_POWER,
        }
    ),
)
EQUALIZER: Final = Kind(
    numbers=EqualizerId, essential=frozenset({EqualizerId.CONNECTED_TO_CLOUD})
)


class Hearing(Protocol):
    """What the poller needs of the stream."""

    def hears(self, serial: str) -> bool:
        """Return whether all news of a product come by the stream."""


class Poller:
    """Asks for each product once a minute, unless the stream tells of it.

    What the stream never sends is asked for a few times a day.
    """

    def __init__(
        self,
        requests: Requests,
        stream: Hearing,
        time: Time,
        take: Callable[[Observation], None],
    ) -> None:
        """Follow no product yet."""
        self._requests = requests
        self._stream = stream
        self._time = time
        self._take = take
        self._followed: dict[str, tuple[Kind, Readings]] = {}
        self._asked: dict[str, datetime] = {}

    def follow(self, serial: str, kind: Kind, readings: Readings) -> None:
        """See to it that all of a product is known."""
        self._followed[serial] = kind, readings

    def forget(self, serial: str) -> None:
        """Ask no more for a product."""
        self._followed.pop(serial, None)
        self._asked.pop(serial, None)

    async def refresh(self, serial: str) -> None:
        """Ask for what a product reported last; raises EaseeError."""
        kind, _ = self._followed[serial]
        self._asked[serial] = self._time()
        reply = await self._requests.request(
            "GET",
            f"/state/{quote(serial, safe='')}/observations",
            params={"ids": ",".join(str(int(one)) for one in kind.numbers)},
        )
        match reply.body:
            case {"observations": list(items)} | list(items):
                for item in items:
                    seen = observation_of_state(serial, item, self._time())
                    if seen is not None:
                        self._take(seen)

    async def run(self) -> None:
        """Ask, again and again."""
        wait = FIRST
        while True:
            await pause(self._time, wait)
            wait, paused = INTERVAL, False
            for number, serial in enumerate(filter(self._wanted, [*self._followed])):
                if number:
                    await pause(self._time, EACH)
                    wait -= EACH
                paused = not await self._try(serial)
            wait = PAUSED if paused else max(wait, EACH)

    async def _try(self, serial: str) -> bool:
        """Ask for a product, whatever becomes of it; return whether that is allowed."""
        if serial not in self._followed:
            return True
        try:
            await self.refresh(serial)
        except NotNow as err:
            _LOGGER.debug("%s has to wait: %s", shortened(serial), type(err).__name__)
            return False
        except EaseeError as err:
            _LOGGER.debug("%s is not known: %s", shortened(serial), type(err).__name__)
        except Exception:
            _LOGGER.exception("%s is not understood", shortened(serial))
        return True

    def _wanted(self, serial: str) -> bool:
        """Return whether a product has to be asked for now."""
        if not self._stream.hears(serial):
            return True
        kind, readings = self._followed[serial]
        if all(one in readings for one in kind.essential):
            return False
        asked = self._asked.get(serial)
        return asked is None or self._time() - asked >= SILENT
