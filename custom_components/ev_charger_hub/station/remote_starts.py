"""Remote starts: what we asked a station to begin, until it does (OCPP 2.x F02)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from .clock import Clock
from .journal import Journal

NUMBERS: Final = "remote_starts"
"""The series that the numbers of our starts are of."""

WINDOW: Final = timedelta(hours=1)
"""A start that no transaction came of by then has come to nothing."""

_FACT: Final = "remote_starts"
_REMEMBERED: Final = 32


@dataclass(kw_only=True, slots=True, frozen=True)
class RemoteStart:
    """A start that was asked for; `evse_id` 0 leaves the place to the station."""

    number: int
    id_token: str = field(repr=False)
    evse_id: int
    at: datetime


class RemoteStarts:
    """The starts of a station that wait for their transactions, also over a restart."""

    def __init__(self, identity: str, journal: Journal, clock: Clock) -> None:
        """Know of nothing before it is asked for."""
        self._identity = identity
        self._journal = journal
        self._clock = clock
        self._known: dict[int, RemoteStart] | None = None

    async def begin(self, id_token: str, evse_id: int) -> int:
        """Return the number of a start that is about to be asked for, durable."""
        number = await self._journal.next_number(NUMBERS)
        known = await self._load()
        known[number] = RemoteStart(
            number=number, id_token=id_token, evse_id=evse_id, at=self._clock()
        )
        while len(known) > _REMEMBERED:
            del known[next(iter(known))]
        await self._store(known)
        return number

    async def find(self, number: int) -> RemoteStart | None:
        """Return the start that a transaction came of, if it is still waited for."""
        start = (await self._load()).get(number)
        if start is None or self._clock() - start.at > WINDOW:
            return None
        return start

    async def over(self, number: int) -> None:
        """Wait no longer: the start was refused, or its transaction is known."""
        known = await self._load()
        if known.pop(number, None) is not None:
            await self._store(known)

    async def _load(self) -> dict[int, RemoteStart]:
        if self._known is None:
            kept = await self._journal.load(self._identity, _FACT) or []
            if self._known is None:
                self._known = {one.number: one for one in map(_restored, kept)}
        return self._known

    async def _store(self, known: dict[int, RemoteStart]) -> None:
        now = self._clock()
        for number in [one.number for one in known.values() if now - one.at > WINDOW]:
            del known[number]
        kept = [
            [one.number, one.id_token, one.evse_id, one.at.isoformat()]
            for one in known.values()
        ]
        await self._journal.store(self._identity, _FACT, kept)


def _restored(kept: list[Any]) -> RemoteStart:
    number, id_token, evse_id, at = kept
    return RemoteStart(
        number=number,
        id_token=id_token,
        evse_id=evse_id,
        at=datetime.fromisoformat(at),
    )
