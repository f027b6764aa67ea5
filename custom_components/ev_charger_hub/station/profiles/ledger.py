"""The ledger: which charging profiles a station holds because of us, durably.

OCPP 1.6 stations cannot tell what they hold, so that what we sent is all there is to
know. An entry is written before its profile is sent, because nobody else would know of
it should we die before the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
import logging
from typing import Any

from ..errors import NotConnected
from ..flexible import FlexibleLink
from ..journal import Journal
from ..link import Limit, Link
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..secrets import shortened
from . import codec
from .model import Installed, ProfileCriteria, Purpose
from .replacement import Dialect, replaces

_LOGGER = logging.getLogger(__name__)

FACT = "profiles"
UNANSWERED = frozenset({OutcomeStatus.NO_ANSWER, OutcomeStatus.TIMED_OUT})
"""Nobody knows whether the station did what it was asked for."""

UNKNOWN = "unknown"
"""What a station answers that has no profile to clear (OCPP 1.6 7.13, 2.0.1 K10)."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Entry:
    """A profile that a station holds; `sure` unless its answer never came.

    `wall_start` is what the start of a recurring schedule means on the wall clock of
    the house, without a zone, if it is to follow daylight saving time.
    """

    installed: Installed
    sure: bool = True
    wall_start: datetime | None = None


type Entries = tuple[Entry, ...]


def dialect_of(station: ChargingStation) -> Dialect:
    """Return the OCPP version that a station speaks, or last spoke."""
    match station.version.value:
        case "2.0.1" | "2.1" as dialect:
            return dialect
        case _:
            return "1.6"


class Ledger:
    """What a station holds because of us."""

    def __init__(self, station: ChargingStation, journal: Journal) -> None:
        """Know nothing until `load`."""
        self._station = station
        self._journal = journal
        self._entries: Entries = ()
        self._lock = asyncio.Lock()
        station.ledger = self

    async def load(self) -> None:
        """Read what was written before; what cannot be read is forgotten."""
        kept = await self._journal.load(self._station.identity, FACT)
        try:
            self._entries = tuple(_parse(one) for one in kept or ())
        except AttributeError, KeyError, TypeError, ValueError:
            _LOGGER.warning(
                "%s: the charging profiles in the journal cannot be read",
                shortened(self._station.identity),
            )

    @property
    def entries(self) -> Entries:
        """Return what the station holds; a TxProfile goes with its transaction."""
        running = {
            evse.transaction.transaction_id
            for evse in self._station.evses.values()
            if evse.transaction is not None
        }
        return tuple(
            one
            for one in self._entries
            if one.installed.profile.purpose is not Purpose.TX
            or one.installed.profile.transaction_id in {None, *running}
        )

    @property
    def installed(self) -> list[Installed]:
        """Return the profiles that the station holds."""
        return [one.installed for one in self.entries]

    async def note(self, entry: Entry) -> None:
        """Write down what a station holds; what it replaces is forgotten."""
        async with self._lock:
            await self._write(self._with(entry))

    async def forget(self, criteria: ProfileCriteria) -> None:
        """Write down that a station holds no such profiles any more."""
        async with self._lock:
            await self._write(self._without(criteria))

    async def install(self, link: Link, entry: Entry) -> Outcome:
        """Send a profile and write down what became of it; raises NotConnected."""
        installed = entry.installed
        sending = partial(link.set_profile, installed.evse_id, installed.profile)
        return await self._send(entry, sending)

    async def update(self, link: FlexibleLink, entry: Entry) -> Outcome:
        """Send the limit of a dynamic profile that is there, as `install` (2.1 K28)."""
        profile = entry.installed.profile
        limit = profile.schedule.periods[0].limit
        told = Limit(value=limit, unit=profile.schedule.unit)
        return await self._send(entry, partial(link.update_schedule, profile.id, told))

    async def _send(
        self, entry: Entry, sending: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        async with self._lock:
            before = self.entries
            await self._write(self._with(replace(entry, sure=False)))
            try:
                outcome = await sending()
            except NotConnected:
                await self._write(before)
                raise
            if outcome.ok:
                await self._write(self._with(replace(entry, sure=True)))
            elif outcome.status not in UNANSWERED:
                await self._write(before)
        return outcome

    async def clear(self, link: Link, criteria: ProfileCriteria) -> Outcome:
        """Clear profiles and write down what became of them; raises NotConnected.

        That there was nothing to clear is as good as having it cleared.
        """
        async with self._lock:
            outcome = await link.clear_profiles(criteria)
            if outcome.answer.lower() == UNKNOWN:
                outcome = replace(outcome, status=OutcomeStatus.ACCEPTED)
            if outcome.ok:
                await self._write(self._without(criteria))
            elif outcome.status in UNANSWERED:
                await self._write(self._doubting(criteria))
        return outcome

    def replaced(self, installed: Installed) -> Entries:
        """Return what a station drops when it accepts a profile."""
        dialect = dialect_of(self._station)
        return tuple(
            one for one in self.entries if replaces(installed, one.installed, dialect)
        )

    def _with(self, entry: Entry) -> Entries:
        replaced = self.replaced(entry.installed)
        return (*(one for one in self.entries if one not in replaced), entry)

    def _without(self, criteria: ProfileCriteria) -> Entries:
        return tuple(one for one in self.entries if not criteria.fits(one.installed))

    def _doubting(self, criteria: ProfileCriteria) -> Entries:
        return tuple(
            replace(one, sure=False) if criteria.fits(one.installed) else one
            for one in self.entries
        )

    async def _write(self, entries: Entries) -> None:
        changed = set(self._entries) ^ set(entries)
        if not changed:
            return
        value = [_dump(one) for one in entries]
        identity = self._station.identity
        # A TxProfile changes every few seconds, and is gone with its transaction.
        if all(one.installed.profile.purpose is Purpose.TX for one in changed):
            self._journal.store_soon(identity, FACT, value)
        else:
            await self._journal.store(identity, FACT, value)
        self._entries = entries


def _dump(entry: Entry) -> dict[str, Any]:
    wall_start = entry.wall_start
    return {
        "evse": entry.installed.evse_id,
        "profile": codec.dump(entry.installed.profile),
        "set_at": entry.installed.set_at.isoformat(),
        "sure": entry.sure,
        "wall_start": wall_start and wall_start.isoformat(),
    }


def _parse(kept: dict[str, Any]) -> Entry:
    return Entry(
        installed=Installed(
            evse_id=kept["evse"],
            profile=codec.parse(kept["profile"]),
            set_at=datetime.fromisoformat(kept["set_at"]),
        ),
        sure=kept["sure"],
        wall_start=codec.moment(kept["wall_start"]),
    )
