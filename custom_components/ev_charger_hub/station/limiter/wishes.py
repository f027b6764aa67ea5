"""The wishes of one station: what is wanted at each of its places, durable."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ..clock import CallLater
from ..journal import Journal
from ..limits import LimitError, LimitErrorKind
from ..link import Limit
from ..model import ChargingStation
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
        # The watts of three phases are too many for one, and maxima are lowered.
        wish = (slot.wish if wish is None else wish).clamped(settings)
        # The end of a transaction is no news if it was told late.
        wish = wish.outlived(slot.transaction_key)
        if (limit := wish.effective) is not None:
            return limit
        lifted = settings.fallback_current is not None and slot.place.id != 0
        if wish.phases is None and not lifted:
            return None
        return Limit(value=Decimal(settings.maximum_current))

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
