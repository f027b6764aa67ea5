"""The wishes of one station: what is wanted at each of its places, durable."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..clock import CallLater
from ..enums import RateUnit
from ..journal import Journal
from ..limits import LimitError, LimitErrorKind, converted, in_ampere
from ..link import Limit, LinkKind
from ..model import ChargingStation
from .plain import chosen_elsewhere, place_of
from .slot import Slot
from .wish import Wish, parse

FACT = "wishes"


class Wishes:
    """What is wanted, in memory and in the journal."""

    def __init__(
        self, station: ChargingStation, journal: Journal, call_later: CallLater
    ) -> None:
        """Want nothing until `load`."""
        self._station = station
        self._journal = journal
        self._call_later = call_later
        self._slots: dict[int, Slot] = {}
        self._saved: Any = None
        self._durable = False

    def __iter__(self) -> Iterator[Slot]:
        """Iterate over all places, the station as a whole first."""
        return iter([self.slot(evse_id) for evse_id in (0, *self._station.evses)])

    async def load(self) -> None:
        """Bring back what was wanted before a restart."""
        kept = await self._journal.load(self._station.identity, FACT)
        for evse_id, wish in (kept if isinstance(kept, dict) else {}).items():
            if evse_id.isdecimal():
                self.slot(int(evse_id)).show(parse(wish))
        self._saved, self._durable = self._dump(), True
        if LinkKind.OCPP not in self._station.ways:
            self._gather()

    def _gather(self) -> None:
        """Let what a server wanted of the whole station be wanted of its EVSE.

        Without a server there is one limit, and nobody would see the other.
        """
        whole, evse = self.slot(0), self.slot(min(self._station.evses, default=1))
        limit, there = whole.wish.limit, evse.wish.limit
        phases = evse.place.phases
        if limit is not None:
            before = there
            if there is None or in_ampere(limit, phases) < in_ampere(there, phases):
                until = whole.wish.until
                kept = None if until is None else before
                evse.show(replace(evse.wish, limit=limit, until=until, before=kept))
            whole.show(Wish())
            self.save_soon()

    def close(self) -> None:
        """Let nothing happen any more."""
        for slot in self._slots.values():
            slot.close()

    def slot(self, evse_id: int) -> Slot:
        """Return what goes on at an EVSE, or with 0 at the station."""
        if (slot := self._slots.get(evse_id)) is None:
            place = self._station.place(evse_id)
            slot = self._slots[evse_id] = Slot(place, self._call_later)
        return slot

    def known(self, evse_id: int) -> Slot:
        """Return the same of an EVSE that exists; raises LimitError of any other."""
        # A wish for an EVSE that does not exist must not create it.
        if evse_id and evse_id not in self._station.evses:
            raise LimitError(LimitErrorKind.UNKNOWN_EVSE)
        return self.slot(evse_id)

    def goal(self, slot: Slot, wish: Wish | None = None) -> Limit | None:
        """Return the limit that has to be sent for a wish; None for no limit.

        Without a limit of the user the maximum current is one where a profile is
        needed all the same: to choose the phases, or to lift the fall-back.
        """
        settings = self._station.settings
        if slot.place.id != place_of(self._station, slot.place.id):
            return None
        # The watts of three phases are too many for one, and maxima are lowered.
        wish = (slot.wish if wish is None else wish).clamped(settings)
        # The end of a transaction is no news if it was told late.
        wish = wish.outlived(slot.transaction_key)
        if (limit := wish.effective) is not None:
            return limit
        lifted = settings.fallback_current is not None and slot.place.id != 0
        chooses = wish.phases is not None and not chosen_elsewhere(self._station)
        if not chooses and not lifted:
            return None
        return Limit(value=Decimal(settings.maximum_current))

    def lowest(self) -> Limit | None:
        """Return the lowest of all limits that have to hold, in A; None for no limit."""
        # As many W are not as many A everywhere: each place has phases of its own.
        goals = [
            converted(goal, RateUnit.AMPERE, slot.place.phases)
            for slot in self
            if (goal := self.goal(slot)) is not None
        ]
        return min(goals, key=lambda one: one.value, default=None)

    async def save(self) -> None:
        """Write down what is wanted, if it changed; durable when it returns."""
        if (wishes := self._dump()) == self._saved and self._durable:
            return
        self._saved, self._durable = wishes, False
        try:
            await self._journal.store(self._station.identity, FACT, wishes)
        except BaseException:
            if self._saved is wishes:
                self._saved = None
            raise
        # Something newer may be waiting, or on its way.
        self._durable = self._saved is wishes

    def save_soon(self) -> None:
        """Write down what is wanted within seconds."""
        if (wishes := self._dump()) != self._saved:
            self._journal.store_soon(self._station.identity, FACT, wishes)
            self._saved, self._durable = wishes, False

    def _dump(self) -> dict[str, Any]:
        return {
            str(evse_id): slot.wish.dump()
            for evse_id, slot in sorted(self._slots.items())
            if slot.wish != Wish()
        }
