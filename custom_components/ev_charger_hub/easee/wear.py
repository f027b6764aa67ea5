"""Wear: how often settings may be written, so that the memory of products lasts.

Some limits are kept in memory that bears about 100 000 writes; the cloud's makers allow
25 of them a day (easee_cloud.md 3.2). Volatile limits cost no memory but messages.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
import logging
from typing import Any, Final

from .errors import TooOften, WritesSpent
from .timing import Time

_LOGGER = logging.getLogger(__name__)

type Load = Callable[[], Awaitable[Mapping[str, Any] | None]]
type Save = Callable[[dict[str, Any]], Awaitable[None]]
type OnExhausted = Callable[[str, str, datetime], None]

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
A_DAY: Final = 25
"""Writes of a setting that is kept, within 24 hours."""
A_MINUTE: Final = 12
"""Writes of volatile limits of a charger, within a minute."""

PHASES: Final = ("P1", "P2", "P3")
KEPT: Final = frozenset(
    {
        "maxChargerCurrent",
        "maxCurrent",
        "ratedCurrentFuseValue",
        *(f"maxCircuitCurrent{phase}" for phase in PHASES),
        *(f"offlineMaxCircuitCurrent{phase}" for phase in PHASES),
    }
)
"""Fields of requests that end up in memory."""

VOLATILE: Final = frozenset(
    {
        "amps",
        "dynamicChargerCurrent",
        "phase1",
        *(f"dynamicCircuitCurrent{phase}" for phase in PHASES),
    }
)
"""Fields of requests that set a limit which the next start forgets."""


class Wear:
    """The writes of the last day, by product and setting."""

    def __init__(self, time: Time, load: Load, save: Save) -> None:
        """Keep what is written to memory by `save`, and begin with what `load` returns."""
        self._time = time
        self._load = load
        self._save = save
        self._lock = asyncio.Lock()
        self._kept: dict[str, dict[str, list[datetime]]] | None = None
        self._volatile: dict[str, deque[datetime]] = {}
        self._listeners: tuple[OnExhausted, ...] = ()

    def on_exhausted(self, listener: OnExhausted) -> Callable[[], None]:
        """Call `listener` with product, setting and until when if a day's writes are spent.

        Return what ends that.
        """
        self._listeners = (*self._listeners, listener)
        return partial(self._off_exhausted, listener)

    def _off_exhausted(self, listener: OnExhausted) -> None:
        self._listeners = tuple(one for one in self._listeners if one != listener)

    def left(self, serial: str, setting: str) -> int:
        """Return how many more times a setting that is kept may be written today."""
        return A_DAY - len(self._recent(serial.upper(), setting))

    async def spend(self, serial: str, body: Mapping[str, Any]) -> None:
        """Count a request before it is sent; raises WritesSpent if it has to wait."""
        serial = serial.upper()
        if amps := [body[name] for name in VOLATILE & body.keys()]:
            self._check_volatile(serial, amps)
        if settings := KEPT & body.keys():
            async with self._lock:
                await self._spend(serial, settings)
        if amps:
            self._volatile[serial].append(self._time())

    def check(self, serial: str, body: Mapping[str, Any]) -> None:
        """Raise WritesSpent if a request that sets volatile limits would have to wait."""
        self._check_volatile(
            serial.upper(), [body[name] for name in VOLATILE & body.keys()]
        )

    async def refund(self, serial: str, body: Mapping[str, Any]) -> None:
        """Take a request back that has written nothing."""
        if not (settings := KEPT & body.keys()):
            return
        async with self._lock:
            for setting in settings:
                del self._recent(serial.upper(), setting)[-1:]
            await self._store()

    def _check_volatile(self, serial: str, amps: Iterable[Any]) -> None:
        now = self._time()
        times = self._volatile.setdefault(serial, deque())
        while times and not now - MINUTE < times[0] <= now:
            times.popleft()
        # To stop a car is never too often.
        if len(times) >= A_MINUTE and any(amps):
            raise TooOften(times[0] + MINUTE)

    async def _spend(self, serial: str, settings: Iterable[str]) -> None:
        if self._kept is None:
            self._kept = _read(await self._load())
        now = self._time()
        for setting in settings:
            if (until := self._until(serial, setting)) is not None:
                raise WritesSpent(until, setting)
        for setting in settings:
            self._recent(serial, setting).append(now)
        await self._store()

    def _until(self, serial: str, setting: str) -> datetime | None:
        """Return when a setting may be written again, None for now."""
        times = self._recent(serial, setting)
        if len(times) >= A_DAY:
            until = times[-A_DAY] + DAY
            for listener in self._listeners:
                listener(serial, setting, until)
            return until
        if times and self._time() - times[-1] < MINUTE:
            return times[-1] + MINUTE
        return None

    def _recent(self, serial: str, setting: str) -> list[datetime]:
        """Return when a setting was written within the last day."""
        now = self._time()
        by_setting = ({} if self._kept is None else self._kept).setdefault(serial, {})
        # A clock that was set back must not forbid everything until it is there again.
        times = [min(one, now) for one in by_setting.get(setting, ())]
        by_setting[setting] = recent = [one for one in times if one > now - DAY]
        return recent

    async def _store(self) -> None:
        kept = self._kept or {}
        for serial, setting in [(one, two) for one in kept for two in kept[one]]:
            self._recent(serial, setting)
        await self._save(
            {
                serial: {
                    setting: [one.isoformat() for one in times]
                    for setting, times in by_setting.items()
                    if times
                }
                for serial, by_setting in kept.items()
                if any(chain.from_iterable(by_setting.values()))
            }
        )


def _read(stored: Mapping[str, Any] | None) -> dict[str, dict[str, list[datetime]]]:
    """Return what was kept; what cannot be read costs nobody a command."""
    try:
        return {
            serial: {
                setting: [datetime.fromisoformat(one).astimezone(UTC) for one in times]
                for setting, times in by_setting.items()
            }
            for serial, by_setting in (stored or {}).items()
        }
    except AttributeError, TypeError, ValueError:
        _LOGGER.warning("How often settings were written could not be read")
        return {}
