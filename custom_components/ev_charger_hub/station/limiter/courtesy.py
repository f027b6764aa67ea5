"""Courtesy: a vehicle that told its needs gets a profile, wanted or not (2.x K15)."""

import asyncio
from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal

from ..clock import Clock
from ..events import SessionEnded, SessionKnown, StationEvent
from ..limits import in_ampere
from ..link import Limit
from ..model import ChargingStation
from .attendant import Attendant
from .climber import Climber
from .slot import Slot
from .wishes import Wishes

MAX_ANSWERS = 5
"""Answers to one vehicle a minute: some tell their needs again after each profile."""

_MINUTE = timedelta(minutes=1)


class Courtesy:
    """Answers the needs of vehicles with the profile of their session.

    It is the one of the limit that is wanted, or else of the maximum current, sent
    anew even if the station has it: for the vehicle it is the answer that it waits for.
    """

    def __init__(
        self,
        station: ChargingStation,
        wishes: Wishes,
        climber: Climber,
        attendant: Attendant,
        clock: Clock,
        *,
        lock: asyncio.Lock,
    ) -> None:
        """Send under `lock`, in tasks of `attendant`."""
        self._station = station
        self._wishes = wishes
        self._climber = climber
        self._attendant = attendant
        self._clock = clock
        self._lock = lock
        self._due: set[int] = set()
        """Where a vehicle waits for its session to begin."""
        self._answered: dict[int, deque[datetime]] = {}
        self._unsubscribe = station.on_event(self._happened)

    def close(self) -> None:
        """Answer nobody any more."""
        self._unsubscribe()

    def goal(self, slot: Slot) -> Limit:
        """Return what a vehicle may take: what is wanted, or all there is."""
        maximum = Limit(value=Decimal(self._station.settings.maximum_current))
        return self._wishes.goal(slot) or maximum

    def most(self, slot: Slot) -> Decimal:
        """Return what a vehicle may take in A, by what is wanted here and in all."""
        return min(
            in_ampere(self.goal(one), one.place.phases)
            for one in (slot, self._wishes.slot(0))
        )

    def answer(self, slot: Slot) -> None:
        """Send the profile of the session at a place, now or when it begins."""
        evse_id, now = slot.place.id, self._clock()
        if slot.transaction_id is None:
            self._due.add(evse_id)
            return
        answered = self._answered.setdefault(evse_id, deque(maxlen=MAX_ANSWERS))
        if len(answered) == MAX_ANSWERS and now - answered[0] < _MINUTE:
            return
        answered.append(now)
        self._attendant.run(self._send, slot)

    async def _send(self, slot: Slot) -> None:
        async with self._lock:
            if slot.transaction_id is not None:
                await self._climber.hold(slot, self.goal(slot), anew=True)
                self._attendant.attend(slot)

    def _happened(self, event: StationEvent) -> None:
        match event:
            case SessionKnown(evse_id=evse_id) if evse_id in self._due:
                self._due.discard(evse_id)
                self.answer(self._wishes.slot(evse_id))
            case SessionEnded(evse_id=evse_id) if evse_id in self._station.evses:
                self._due.discard(evse_id)
                evse = self._station.evses[evse_id]
                evse.allowed_transfers = None
                evse.needs.set(None)
                evse.plan.set(None)
                evse.priority.set(None)
