"""Refusals: how long to wait with what a product refuses again and again."""

from datetime import datetime
from typing import Final

from .timing import Time

FIRST: Final = 75.0
"""Seconds until what was refused is tried again; twice, because it may be a hiccup."""

LONGEST: Final = 3600.0


class Refusals:
    """Refusals in a row: each makes the next try come later."""

    def __init__(self, time: Time) -> None:
        """Have been refused nothing."""
        self._time = time
        self._count = 0
        self._at: datetime | None = None

    def add(self, *, shut: bool = False) -> None:
        """Count one more; one of a cloud that is `shut` says nothing of the product."""
        self._count = 1 if shut else self._count + 1
        self._at = self._time()

    def forget(self) -> None:
        """Begin anew: something was not refused, or is as it should be."""
        self._count, self._at = 0, None

    @property
    def wait(self) -> float:
        """Return for how many seconds nothing is to be tried again."""
        if self._at is None:
            return 0.0
        # Should our clock be set back, that is no reason to wait longer.
        self._at = min(self._at, self._time())
        # More than that is beyond the longest.
        doublings = min(max(self._count - 2, 0), 10)
        pause = min(FIRST * 2.0**doublings, LONGEST)
        return max(pause - (self._time() - self._at).total_seconds(), 0.0)
