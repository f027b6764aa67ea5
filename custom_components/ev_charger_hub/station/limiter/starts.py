"""Starts: sessions that were started from afar, and bring a limit of their own."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..clock import Clock
from ..link import Limit
from ..transaction import Transaction
from .slot import Slot
from .wish import Wish
from .wishes import Wishes

START_WINDOW = timedelta(minutes=10)
"""Time in which a transaction that was started from afar begins, or never."""


@dataclass(kw_only=True, slots=True, frozen=True)
class _Start:
    """A remote start with a limit, and what was wanted by then."""

    limit: Limit
    at: datetime
    wanted: dict[int, Limit | None]
    followed: bool


class Starts:
    """The remote starts of one station whose transactions have not begun yet."""

    def __init__(self, wishes: Wishes, clock: Clock) -> None:
        """Know of none; what is wanted is in `wishes`."""
        self._wishes = wishes
        self._clock = clock
        self._starts: dict[tuple[int | None, str | None], _Start] = {}

    def remember(
        self, evse_id: int | None, id_token: str | None, limit: Limit, *, followed: bool
    ) -> None:
        """Remember that the next transaction of a token, or any, brings its own limit."""
        wanted = {slot.place.id: slot.wish.limit for slot in self._wishes}
        start = _Start(limit=limit, at=self._clock(), wanted=wanted, followed=followed)
        self._starts[evse_id, id_token] = start

    def take(self, slot: Slot, transaction: Transaction) -> tuple[Wish, bool]:
        """Return what is wanted of a transaction that began, and if that is followed."""
        wish, followed = slot.wish.outlived(transaction.key), True
        token = transaction.id_token or ""
        for key in ((slot.place.id, token), (None, token), (slot.place.id, None)):
            if (start := self._starts.pop(key, None)) is None:
                continue
            slot.fresh = None
            if self._clock() - start.at > START_WINDOW:
                continue
            # A newer wish counts for more.
            if start.wanted.get(slot.place.id) == wish.limit:
                wish = replace(wish, started=(transaction.key, start.limit))
                followed = start.followed
        return wish, followed

    def clear(self) -> None:
        """Forget what was started before the station restarted."""
        self._starts.clear()
