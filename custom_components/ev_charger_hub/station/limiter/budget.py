"""The write budget: how often a charger's memory that wears out is written."""

from datetime import datetime, timedelta
from typing import Any

from ..journal import Journal

FACT = "limit_writes"
WRITES = 25
"""So many writes a day an EEPROM survives for longer than its charger (Easee)."""

WINDOW = timedelta(hours=24)


class Budget:
    """The writes of one charger in the last 24 hours, durable."""

    def __init__(self, identity: str, journal: Journal) -> None:
        """Know of no write until `load`."""
        self._identity = identity
        self._journal = journal
        self._writes: list[datetime] = []

    async def load(self) -> None:
        """Read what was written before; nonsense counts as nothing."""
        kept = await self._journal.load(self._identity, FACT)
        self._writes = sorted(_parsed(kept))

    def again_at(self, now: datetime) -> datetime | None:
        """Return when a write is possible again; None if one is possible now."""
        recent = self._recent(now)
        return None if len(recent) < WRITES else recent[-WRITES] + WINDOW

    async def spend(self, now: datetime) -> None:
        """Count a write, durably, before it is sent."""
        self._writes = [*self._recent(now), now]
        value = [one.isoformat() for one in self._writes]
        await self._journal.store(self._identity, FACT, value)

    def _recent(self, now: datetime) -> list[datetime]:
        # Since a clock that stepped back they are in the future: that is now at most.
        self._writes = [min(one, now) for one in self._writes if one > now - WINDOW]
        return self._writes


def _parsed(kept: Any) -> list[datetime]:
    moments: list[datetime] = []
    for one in kept if isinstance(kept, list) else ():
        try:
            moments.append(datetime.fromisoformat(one))
        except TypeError, ValueError:
            continue
    return [one for one in moments if one.tzinfo is not None]
