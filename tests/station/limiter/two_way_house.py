"""A house whose charger obeys profiles and a number, whichever is lower."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast, override

from .house import ACCEPTED, HARDWARE, REJECTED, House
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.limiter.attendant import LOST, RECONNECTED
from custom_components.ev_charger_hub.station.link import Capability, Limit, LinkKind
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from tests.virtual_time import rest

NO_ANSWER = Outcome(status=OutcomeStatus.TIMED_OUT)


class Number:
    """The number, which a cloud carries."""

    kind = LinkKind.EASEE
    capabilities = frozenset(
        {Capability.LIMIT, Capability.SINGLE_LIMIT, Capability.PHASES}
    )
    limit_afterwards: Decimal | None = None

    def __init__(self) -> None:
        """Let everything flow."""
        self.connected = True
        self.there = HARDWARE
        self.known = True
        """Whether it is known what is there."""
        self.limit_written: Decimal | None = None
        self.asked: list[Any] = []
        self.answer: Outcome | None = None
        self.does = True
        """Whether what is told is done, whatever is answered."""
        self.told: Callable[[], None] = lambda: None

    @property
    def limit_in_force(self) -> Decimal | None:
        """Return what is there, if it is known."""
        return self.there if self.known else None

    async def set_limit(
        self, evse_id: int, limit: Limit, lasts: int | None = None
    ) -> Outcome:
        """Take a number."""
        return await self._take((evse_id, limit.value, lasts), limit.value)

    async def clear_limit(self, evse_id: int) -> Outcome:
        """Let everything flow again."""
        return await self._take((evse_id, None, None), None)

    async def _take(self, asked: Any, amount: Decimal | None) -> Outcome:
        if not self.connected:
            raise NotConnected
        self.asked.append(asked)
        await asyncio.sleep(0)
        if self.does:
            self.limit_written = amount
            self.there = HARDWARE if amount is None else amount
            self.told()
        return ACCEPTED if self.answer is None else self.answer

    async def set_phases(self, evse_id: int, phases: int | None) -> Outcome:
        """Switch phases."""
        self.asked.append(("phases", phases))
        return ACCEPTED

    async def phases_followed(self, evse_id: int, phases: int | None) -> bool | None:
        """Say that nothing tells."""
        return None


class TwoWayHouse(House):
    """A charger with both, and how its lines break."""

    def __init__(self, **settings: Any) -> None:
        """Start with both lines."""
        self.number = Number()
        super().__init__(**settings)

    @override
    def _start(self) -> None:
        self.charger.capabilities -= {Capability.SINGLE_LIMIT, Capability.PHASES}
        super()._start()
        self.station.ways = {LinkKind.OCPP, LinkKind.EASEE}
        self.station.links = [cast(Any, self.charger), cast(Any, self.number)]
        self.station.remote.set(self.number.connected)

    @override
    async def restart(self, *, set_up: bool = True) -> None:
        """Let Home Assistant come back; the link has written nothing then."""
        self.number.limit_written = None
        await self.kill()
        self._start()
        if not self.charger.connected:
            self.station.links = [cast(Any, self.number)]
        await self.ledger.load()
        await self.limiter.load()
        self.charger.sent.clear()
        self.number.asked.clear()
        if set_up and self.charger.connected:
            await self.limiter.reassert()
        await rest()

    async def local(self, *, up: bool, wait: float | None = None) -> None:
        """Lose the local line, or find it again."""
        self.charger.connected = up
        link = cast(Any, self.charger)
        if up and link not in self.station.links:
            self.station.links.insert(0, link)
        self.station.local.set(up)
        if wait is None:
            wait = RECONNECTED if up else LOST
        await self.time.advance(wait)

    async def remote(self, *, up: bool, wait: float = RECONNECTED) -> None:
        """Lose the line of the cloud, or find it again."""
        self.number.connected = up
        self.station.remote.set(up)
        await self.look()
        await self.time.advance(wait)

    async def pause(self) -> Outcome:
        """Pause after some quiet."""
        await self.time.advance(61)
        return await self.limiter.pause(1)

    async def resume(self) -> Outcome:
        """Resume after some quiet."""
        await self.time.advance(61)
        return await self.limiter.resume(1)

    async def look(self) -> None:
        """Do what the watch of a cloud does when something was reported."""
        reported = self.limiter.reported
        if self.number.connected and not reported.as_wanted(1):
            reported.lost(1)
        await rest()

    @property
    def both(self) -> tuple[object, object]:
        """Return what the profiles allow, and the number, in A."""
        return self.charger.offered(), self.number.there

    @property
    def flows(self) -> Decimal:
        """Return what a vehicle may take, in A."""
        return min(self.charger.offered(), self.number.there)


__all__ = ["ACCEPTED", "NO_ANSWER", "REJECTED", "Number", "TwoWayHouse"]
