"""Passwords: a station gets a new one, and is never locked out by it (2.0.1 A01)."""

import asyncio
from dataclasses import replace
from typing import Final

from ..errors import NotConnected
from ..link import Capability
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from .kept import Keeper, Kept
from .ports import Ports

MAX_UNCLEAR: Final = 8
"""How many passwords may wait for a sign of which of them the station took."""

KEPT_WHEN_TAKEN: Final = 4
"""How many of them are still good once the station said that it took the last."""


class Passwords:
    """Rotates the password of one station.

    A new password is valid before the station is told of it, and the old one until
    the station has used the new one: whatever happens in between, it gets in.
    """

    def __init__(self, station: ChargingStation, keeper: Keeper, ports: Ports) -> None:
        """Write down in `keeper` what the station is told."""
        self._station = station
        self._keeper = keeper
        self._ports = ports
        self._lock = asyncio.Lock()

    async def rotate(self) -> Outcome:
        """Give the station a new password; raises as a link does, and JournalError."""
        async with self._lock:
            link = self._station.link(Capability.CONFIGURATION)
            if len(self._keeper.kept.hashes) >= MAX_UNCLEAR:
                return Outcome(
                    status=OutcomeStatus.REJECTED,
                    detail="too many new passwords were never answered",
                )
            new = await self._ports.new_password()
            await self._keeper.change(lambda kept: self._told(kept, new.hashed))
            try:
                outcome = await link.set_password(new.plain)
            except NotConnected:
                await self._drop(new.hashed)
                raise
            if outcome.ok:
                # It may use the one before it until it is restarted.
                await self._keeper.change(
                    lambda kept: self._told(kept, new.hashed, KEPT_WHEN_TAKEN)
                )
            elif outcome.answer:
                # Without a word of its own it may have taken it all the same.
                await self._drop(new.hashed)
            return outcome

    def _told(self, kept: Kept, new: str, most: int = MAX_UNCLEAR) -> Kept:
        """Return what is kept with a password, whatever the user changed meanwhile."""
        others = tuple(one for one in kept.hashes if one != new)
        return replace(
            kept,
            hashes=(*others, new)[-most:],
            basis=self._station.settings.password_hash,
        )

    async def _drop(self, password_hash: str) -> None:
        await self._keeper.change(
            lambda kept: replace(
                kept,
                hashes=tuple(one for one in kept.hashes if one != password_hash),
            )
        )


def proved(kept: Kept, proof: str | None) -> tuple[str, ...] | None:
    """Return which new passwords are still in doubt once a station used one.

    None if it used none of them. Those that it was told later may yet be taken.
    """
    if proof is None or proof not in kept.hashes:
        return None
    return kept.hashes[kept.hashes.index(proof) + 1 :]
