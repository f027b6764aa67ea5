"""Event queue: a station's events one by one, none lost while they cannot be kept."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import logging
from typing import Final

from ...station.clock import CallLater, Timer
from ...station.errors import JournalError
from ...station.secrets import shortened
from ...station.transaction import Transaction
from ...station.transaction_events import EventKind
from ..adapter import StationContext
from .event_reading import Told

_LOGGER = logging.getLogger(__name__)

PATIENCE: Final = 20.0
"""Seconds that the journal has, before the station gives up waiting for the answer."""

MAX_WAITING: Final = 200
"""So many events wait for a journal that cannot write."""

SAVE_AGAIN: Final = 30.0
"""Seconds until the journal is asked again to keep what waits."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Before:
    """What was known of a transaction before an event of it was kept."""

    evse_id: int = 0
    id_token: str | None = None
    open: bool = False


@dataclass(kw_only=True, slots=True, frozen=True)
class Kept:
    """A transaction with its event, durable, and what is to follow the answer."""

    transaction: Transaction
    after: Callable[[], None] | None


@dataclass(slots=True, eq=False)
class Waiting:
    """An event that is to be kept; `kept` is awaited by who answers it.

    `before` is what was true when it was tried for the first time.
    """

    told: Told
    kept: asyncio.Future[Kept | None]
    before: Before | None = None

    def give_up(self) -> None:
        """Let the event be answered before it is kept."""
        if not self.kept.done():
            self.kept.set_result(None)

    def settle(self, kept: Kept) -> None:
        """Tell who answers, or else let follow what would have followed the answer."""
        if not self.kept.done():
            self.kept.set_result(kept)
        elif kept.after is not None:
            kept.after()


class EventQueue:
    """The events of a station in the order in which they came.

    Each is kept before the next one. One that cannot be kept now stays in front, and is
    tried again with the next event, after a while and at the end.
    """

    def __init__(
        self,
        context: StationContext,
        keep: Callable[[Waiting], Awaitable[Kept]],
        call_later: CallLater,
    ) -> None:
        """Have events kept by `keep`, which may be asked again after a JournalError."""
        self._context = context
        self._keep = keep
        self._call_later = call_later
        self._queue: list[Waiting] = []
        self._timer: Timer | None = None
        self._worker: asyncio.Task[None] | None = None
        self._warned = False

    async def put(self, told: Told) -> Kept | None:
        """Return what became of an event; None if it could not be kept yet."""
        waiting = Waiting(told, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if len(self._queue) > MAX_WAITING:
            self._drop_one()
        patience = self._call_later(PATIENCE, waiting.give_up)
        self._start()
        try:
            return await waiting.kept
        finally:
            patience.cancel()

    async def close(self) -> None:
        """Try once more, and leave what nobody has answered to the station."""
        if self._queue:
            self._start()
        if self._worker is not None and not self._worker.done():
            await asyncio.wait({self._worker})
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiting in self._queue:
            waiting.kept.cancel()

    def _drop_one(self) -> None:
        """Forget what says least: the oldest update, else the oldest event of all."""
        updates = (
            one for one in self._queue if one.told.event.kind is EventKind.UPDATED
        )
        dropped = next(updates, self._queue[0])
        self._queue.remove(dropped)
        dropped.give_up()

    def _start(self) -> None:
        if self._worker is None or self._worker.done():
            self._worker = self._context.spawn(self._work(), "keep events")

    async def _work(self) -> None:
        while self._queue:
            head = self._queue[0]
            try:
                head.settle(await self._keep(head))
                self._warned = False
            except JournalError as err:
                self._postpone(err)
                return
            except Exception:
                # Tried again it would fail again, and stand in front of all others.
                _LOGGER.exception("%s: an event was not recorded", self._name)
                head.give_up()
            if head in self._queue:
                self._queue.remove(head)

    def _postpone(self, err: JournalError) -> None:
        if not self._warned:
            self._warned = True
            _LOGGER.warning("%s: an event cannot be kept yet: %s", self._name, err)
        for waiting in self._queue:
            waiting.give_up()
        if self._timer is None:
            self._timer = self._call_later(SAVE_AGAIN, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._queue:
            self._start()

    @property
    def _name(self) -> str:
        return shortened(self._context.station.identity)
