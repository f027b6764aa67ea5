"""The flusher: state writes, coalesced."""

from asyncio import Handle
from collections import Counter
from collections.abc import Callable
from itertools import islice
import logging
from typing import Final

from homeassistant.core import HassJob, HassJobType, HomeAssistant, callback

_LOGGER = logging.getLogger(__name__)

type Write = Callable[[], None]

SLICE: Final = 50
"""Writes without a pause: a few milliseconds."""

URGENT: Final = 5
"""Times within one interval that the same write is made at once.

What changes more often is a charger gone wild, whose last state is as good.
"""

RATE: Final = 300
"""Writes per second that may wait and are made, on average.

The recorder spends three times as much on each as everything before it.
"""


class Flusher:
    """Writes what was marked: urgent marks at once, the others once per interval.

    "At once" is the next iteration of the event loop, so that everything that one
    frame changes is written together. After a flood the interval is longer: the more
    there is to be written, the less often it is. What is urgent all the time is not
    urgent. The trouble of one write stops no other.
    """

    def __init__(self, hass: HomeAssistant, interval: float = 1.0) -> None:
        """Start with nothing marked; `interval` in s."""
        self._loop = hass.loop
        self._interval = interval
        self._urgent: dict[Write, None] = {}
        self._dirty: dict[Write, None] = {}
        self._writing: dict[Write, None] = {}
        self._made: Counter[Write] = Counter()
        self._counted_from = hass.loop.time()
        self._soon: Handle | None = None
        self._later: Handle | None = None
        self._rested_at = 0.0
        self._job = HassJob(
            self._flush_dirty,
            "ev_charger_hub flush",
            cancel_on_shutdown=True,
            job_type=HassJobType.Callback,
        )

    @callback
    def mark(self, write: Write, urgent: bool) -> None:
        """Have `write` called once, soon."""
        if urgent and not self._is_wild(write):
            self._dirty.pop(write, None)
            self._writing.pop(write, None)
            self._urgent[write] = None
            if self._soon is None:
                self._soon = self._loop.call_soon(self._flush_urgent)
        elif write not in self._urgent:
            self._dirty[write] = None
            if self._later is None:
                self._wait()

    def _is_wild(self, write: Write) -> bool:
        """Return whether a write was urgent too often within the interval."""
        if self._made[write] < URGENT:
            return False
        self._recount()
        return self._made[write] >= URGENT

    def _recount(self) -> None:
        """Count anew once an interval is over."""
        if (now := self._loop.time()) - self._counted_from > self._interval:
            self._made.clear()
            self._counted_from = now

    def _wait(self) -> None:
        """Have the marked ones written after an interval, or a longer rest."""
        rest = self._rested_at - self._loop.time()
        self._later = self._loop.call_later(
            max(self._interval, rest), self._flush_dirty, self._job
        )

    @callback
    def discard(self, write: Write) -> None:
        """Forget a mark, because its entity goes."""
        self._urgent.pop(write, None)
        self._dirty.pop(write, None)
        self._writing.pop(write, None)
        self._made.pop(write, None)

    @callback
    def close(self) -> None:
        """Forget every mark and stop the timers."""
        self._urgent.clear()
        self._dirty.clear()
        self._writing.clear()
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._later is not None:
            self._later.cancel()
            self._later = None

    @callback
    def _flush_urgent(self) -> None:
        """Write a slice of what was marked urgent."""
        marked = _slice(self._urgent)
        self._soon = self._loop.call_soon(self._flush_urgent) if self._urgent else None
        self._recount()
        self._made.update(marked)
        self._write(marked)

    @callback
    def _flush_dirty(self, _job: object = None) -> None:
        """Write what was marked during the last interval."""
        self._writing, self._dirty = self._dirty, {}
        self._rested_at = self._loop.time() + len(self._writing) / RATE
        self._flush_slice()

    @callback
    def _flush_slice(self) -> None:
        """Write a slice; before the next one frames are answered."""
        marked = _slice(self._writing)
        if self._writing:
            self._later = self._loop.call_soon(self._flush_slice)
        elif self._dirty:
            self._wait()
        else:
            self._later = None
        self._write(marked)

    @staticmethod
    def _write(marked: list[Write]) -> None:
        """Call each write, whatever becomes of the one before."""
        for write in marked:
            try:
                write()
            except Exception:  # the top of a task
                _LOGGER.exception("A state could not be written")


def _slice(waiting: dict[Write, None]) -> list[Write]:
    """Take out what is written without a pause."""
    taken = list(islice(waiting, SLICE))
    for write in taken:
        del waiting[write]
    return taken
