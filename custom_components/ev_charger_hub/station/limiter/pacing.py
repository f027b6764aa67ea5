"""Pacing: how long a change of a limit waits, so that only the newest is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

PERSISTED_INTERVAL = 60
"""Seconds between two raises of a limit that is kept in memory that wears out."""

DEAD_BAND = Decimal("0.5")
"""A raise by less, in A, is not worth being sent at once."""

DEAD_BAND_WAIT = 60
"""Seconds that such a small raise waits at most."""

PATIENCE = 15
"""Seconds that somebody waits for an answer; what takes longer is scheduled."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Change:
    """A limit in A (None: no limit), when it was sent, and whether it is persisted."""

    amount: Decimal | None
    at: datetime
    persisted: bool = False
    phases: int | None = None

    def raises(self, old: Change) -> bool:
        """Return whether more may flow than before."""
        if old.amount is None:
            return False
        return self.amount is None or self.amount > old.amount

    def small(self, old: Change) -> bool:
        """Return whether the difference is within the dead band."""
        if old.amount is None or self.amount is None:
            return False
        return abs(self.amount - old.amount) < DEAD_BAND


def delay(last: Change | None, new: Change, interval: int) -> float:
    """Return in how many seconds a change may be sent, 0 for at once.

    The first change after quiet goes at once. A lower limit never waits longer than
    `interval` s, because it may protect a fuse.
    """
    if last is None or (last.amount, last.phases) == (new.amount, new.phases):
        return 0
    pause = interval
    if new.raises(last):
        if (last.persisted or new.persisted) and new.amount is not None:
            pause = max(pause, PERSISTED_INTERVAL)
        if new.small(last):
            pause = max(pause, DEAD_BAND_WAIT)
    due = last.at + timedelta(seconds=pause)
    # A clock that stepped back must not make anything wait for hours.
    return min(max(0.0, (due - new.at).total_seconds()), pause)
