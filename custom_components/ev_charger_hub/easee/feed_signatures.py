"""Signatures: what a charger's meter signed, archived with the session that it proves."""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ..station.same_session import AT_ONCE
from ..station.signed_values import SignedValue
from ..station.transaction import Transaction
from .feed import Feed

PATIENCE: Final = timedelta(seconds=10)
"""So long a signature waits for the end of its session."""

NEAR: Final = timedelta(seconds=60)
"""So near to an end lies what was signed of it."""

_MOST: Final = 100


@dataclass(kw_only=True, slots=True, frozen=True)
class _Signed:
    """What a meter signed, and when."""

    value: str
    at: datetime


class Signatures:
    """The signatures of a charger, each of which is archived once."""

    def __init__(self, feed: Feed) -> None:
        """Have none yet."""
        self._feed = feed
        self._waiting: dict[_Signed, datetime] = {}
        self._archived: set[_Signed] = set()

    def take(self, value: str, at: datetime) -> None:
        """Take what the meter signed of a session."""
        signed = _Signed(value=value, at=at)
        if signed in self._archived or signed in self._waiting:
            return
        if len(self._waiting) > _MOST:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[signed] = self._feed.time() + PATIENCE

    def clear(self) -> None:
        """Forget what could not be archived."""
        self._waiting.clear()

    @property
    def due(self) -> datetime | None:
        """Return when the next one is to be archived."""
        return min(self._waiting.values(), default=None)

    def next(self, now: datetime) -> Coroutine[Any, Any, None] | None:
        """Return what archives the one that waited long enough, None if none did."""
        for signed, until in self._waiting.items():
            if now >= until:
                return self._archive(signed)
        return None

    async def _archive(self, signed: _Signed) -> None:
        value = SignedValue(
            measured_at=signed.at.isoformat(), context=None, value=signed.value
        )
        session = await self._session_at(signed.at)
        await self._feed.transactions.sign(session, [value])
        self._waiting.pop(signed, None)
        self._archived.add(signed)

    async def _session_at(self, at: datetime) -> Transaction | None:
        """Return the session that ended at a moment, or else went on then."""
        found = await self._feed.transactions.sessions(limit=2, until=at + AT_ONCE)
        stops = [(one, one.stopped_at) for one in found]
        for session, stop in stops:
            if stop is not None and abs(stop - at) <= NEAR:
                return session
        return next((one for one, stop in stops if stop is None or stop > at), None)
