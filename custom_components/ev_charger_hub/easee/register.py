"""Registers: the counter of a meter, as whole Wh that only ever grow.

Meters stutter (0, or an old value, once), are replaced by others, and start again. What
counts with them must neither lose what was counted nor count a whole meter anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

PLAUSIBLE: Final = 1_000_000
"""W that no house takes."""
STEP: Final = 2_000
"""Wh that a meter may have counted since it last told, however soon it tells again."""
PATIENCE: Final = timedelta(minutes=10)
"""So long a meter has to stick to another level to be believed, ..."""
TIMES: Final = 3
"""... and so often to tell of it."""


@dataclass(kw_only=True, slots=True)
class _Level:
    """Where a meter stands; `since` and `first` are where and when this began."""

    value: int
    at: datetime
    since: datetime
    first: int
    times: int = 1

    @classmethod
    def of(cls, value: int, at: datetime) -> Self:
        """Return a level that a meter has told of once."""
        return cls(value=value, at=at, since=at, first=value)

    def leads_to(self, value: int, at: datetime) -> bool:
        """Return whether the meter may have got from here to a value meanwhile."""
        seconds = max((at - self.at).total_seconds(), 0.0)
        return 0 <= value - self.value <= STEP + PLAUSIBLE * seconds / 3600

    def move(self, value: int, at: datetime) -> None:
        """Go there."""
        self.value, self.at = value, at
        self.times += 1

    @property
    def believed(self) -> bool:
        """Return whether the meter was here long and often enough."""
        return self.times >= TIMES and self.at - self.since >= PATIENCE


class Register:
    """What a meter has counted, in whole Wh (or varh), without its stutter.

    It begins with what the meter shows and grows as the meter does. If the meter goes to
    another level for good, the register goes on from where it is.
    """

    def __init__(self) -> None:
        """Have counted nothing yet."""
        self.total: int | None = None
        self._level: _Level | None = None
        self._other: _Level | None = None

    def take(self, value: int, at: datetime) -> bool:
        """Count what the meter shows at `at`; return whether that is believed."""
        if value < 0:
            return False
        if self._level is None or self.total is None:
            self.total = value
            self._level = _Level.of(value, at)
        elif self._level.leads_to(value, at):
            self.total += value - self._level.value
            self._level.move(value, at)
            self._other = None
        else:
            return self._doubt(value, at)
        return True

    def _doubt(self, value: int, at: datetime) -> bool:
        """Believe in another level only if the meter sticks to it."""
        if (other := self._other) is None or not other.leads_to(value, at):
            self._other = _Level.of(value, at)
            return False
        other.move(value, at)
        if not other.believed or self.total is None:
            return False
        self.total += other.value - other.first
        self._level, self._other = other, None
        return True

    def dump(self) -> dict[str, Any] | None:
        """Return what has to be known after a restart, as JSON."""
        if self.total is None or (level := self._level) is None:
            return None
        return {"total": self.total, "level": level.value, "at": level.at.isoformat()}

    def restore(self, kept: Mapping[str, Any]) -> bool:
        """Go on from what was known before a restart; ValueError if it is unreadable.

        What the meter has told since then is counted from there. Return whether it has
        told anything that is believed.
        """
        match kept:
            case {"total": int(total), "level": int(level), "at": str(at)}:
                before = _Level.of(level, datetime.fromisoformat(at))
            case _:
                raise ValueError("no register")
        now = self._level
        self.total, self._level, self._other = total, before, None
        return now is not None and self.take(now.value, now.at)
