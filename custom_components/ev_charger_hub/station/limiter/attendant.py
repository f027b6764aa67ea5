"""The attendant: what has to be done for a wish while its user is not looking."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Any

from ..clock import CallLater, Clock, Timer
from ..enums import StopReason
from ..errors import JournalError, NotConnected, NotSupported
from ..limits import LimitError
from ..link import Limit
from ..model import (
    Booted,
    ChargingStation,
    SessionEnded,
    SessionKnown,
    SessionSettled,
    StationEvent,
)
from ..outcome import Outcome, OutcomeStatus
from ..profiles.model import Kind
from ..secrets import shortened
from ..transaction import Transaction, TransactionState
from .climber import Climber
from .keeper import Keeper
from .knowledge import Knowledge
from .ladder import ladder
from .slot import Alarm, Slot
from .wishes import Wishes

_LOGGER = logging.getLogger(__name__)

RECONNECTED = 15.0
"""Seconds after which a station that has not booted is taken to be back."""

START_DELAY = 2.0
"""Seconds that a station has to take note of its transaction before it is limited."""

RETRY = 30.0
"""Seconds until a renewal is tried again that did not get through."""

START_WINDOW = timedelta(minutes=10)
"""Time in which a transaction that was started from afar begins, or never."""

ZERO_WINDOW = timedelta(seconds=90)
"""A transaction that ends within this time after a limit of 0 ended because of it."""

_UNEXPLAINED = frozenset({StopReason.OTHER, None})

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
"""Starts a background task of a name."""


@dataclass(kw_only=True, slots=True, frozen=True)
class _Start:
    """A remote start with a limit, and what was wanted by then."""

    limit: Limit
    at: datetime
    wanted: dict[int, Limit | None]
    followed: bool


class Attendant:
    """Follows the sessions, restarts and timers of a station."""

    def __init__(
        self,
        station: ChargingStation,
        wishes: Wishes,
        climber: Climber,
        keeper: Keeper,
        knowledge: Knowledge,
        clock: Clock,
        *,
        lock: asyncio.Lock,
        spawn: Spawn,
        call_later: CallLater,
    ) -> None:
        """Listen to a station; `lock` is held whenever something is sent."""
        self._station = station
        self._wishes = wishes
        self._climber = climber
        self._keeper = keeper
        self._knowledge = knowledge
        self._clock = clock
        self._lock = lock
        self._spawn = spawn
        self._call_later = call_later
        self._asserted = False
        self._back: Timer | None = None
        self._starts: dict[tuple[int | None, str], _Start] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribes = (
            station.on_event(self._happened),
            station.online.subscribe(self._online_changed),
        )

    def close(self) -> None:
        """Let nothing happen any more."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        self._cancel_back()
        for task in self._tasks:
            task.cancel()

    # What is due

    def attend(self, slot: Slot) -> None:
        """Do in time what the wish and the profile of a place ask for."""
        self.attend_end(slot)
        self._tell_safety()
        slot.cancel(Alarm.RENEWAL, Alarm.SETTLED)
        if (sent := slot.sent) is None or (rung := sent.rung) is None:
            return
        age = (self._clock() - sent.at).total_seconds()
        settling = self._climber.settling()
        if age < settling:
            look = partial(self.run, self._settle, slot)
            slot.arm(Alarm.SETTLED, settling - age, look)
        if rung.duration is not None:
            renew = partial(self.run, self._renew, slot)
            slot.arm(Alarm.RENEWAL, rung.duration / 2 - age, renew)

    def attend_end(self, slot: Slot) -> None:
        """Let what held before hold again when a limit's time is over."""
        slot.cancel(Alarm.EXPIRED)
        if (until := slot.wish.until) is not None:
            left = (until - self._clock()).total_seconds()
            slot.arm(Alarm.EXPIRED, left, partial(self.run, self._expire, slot))

    async def _expire(self, slot: Slot) -> None:
        # Until a newer limit is sent or refused, nobody knows which one ends.
        async with self._lock:
            until = slot.wish.until
            if until is None or until > self._clock():
                self.attend_end(slot)
                return
            slot.show(slot.wish.expired())
            await self._wishes.save()
        await self.follow(slot)

    async def _renew(self, slot: Slot) -> None:
        async with self._lock:
            sent, goal = slot.sent, self._wishes.goal(slot)
            if sent is None or goal is None or not self._station.online.value:
                return
            try:
                outcome = await self._climber.hold(slot, goal, anew=True)
                self.attend(slot)
            except Exception:
                self._renew_later(slot)
                raise
            if not outcome.ok:
                self._renew_later(slot)

    def _renew_later(self, slot: Slot) -> None:
        slot.arm(Alarm.RENEWAL, RETRY, partial(self.run, self._renew, slot))

    async def _settle(self, slot: Slot) -> None:
        async with self._lock:
            await self._keeper.settle(slot)
            self.attend(slot)

    # What happens at the station

    def _happened(self, event: StationEvent) -> None:
        match event:
            case SessionKnown(evse_id=evse_id, transaction=transaction):
                self._started(self._wishes.slot(evse_id), transaction)
            case SessionEnded(evse_id=evse_id, transaction=transaction) if evse_id:
                slot = self._wishes.slot(evse_id)
                self._learn_from_end(slot, transaction)
                # Nobody waits for an answer to an end that was never told.
                if transaction.state is TransactionState.LOST:
                    self._ended(slot)
            case SessionSettled(evse_id=evse_id) if evse_id:
                self._ended(self._wishes.slot(evse_id))
            case Booted():
                self._booted()

    def started_with_limit(
        self, evse_id: int | None, id_token: str, limit: Limit, *, followed: bool
    ) -> None:
        """Remember that the next transaction of a token brings its own limit."""
        wanted = {slot.place.id: slot.wish.limit for slot in self._wishes}
        start = _Start(limit=limit, at=self._clock(), wanted=wanted, followed=followed)
        self._starts[evse_id, id_token] = start

    def _started(self, slot: Slot, transaction: Transaction) -> None:
        wish = slot.wish.outlived(transaction.key)
        slot.conflicts, slot.zero_at = 0, None
        slot.fresh = transaction.transaction_id
        followed = True
        token = transaction.id_token or ""
        for key in ((slot.place.id, token), (None, token)):
            if (start := self._starts.pop(key, None)) is not None:
                slot.fresh = None
                if self._clock() - start.at > START_WINDOW:
                    continue
                # A newer wish counts for more.
                if start.wanted.get(slot.place.id) == wish.limit:
                    wish = replace(wish, started=(transaction.key, start.limit))
                    followed = start.followed
        slot.show(wish)
        self._wishes.save_soon()
        slot.known_at = self._clock()
        falls_back = self._station.settings.fallback_current is not None
        if wish.started is None or falls_back or not followed:
            follow = partial(self.run, self.follow, slot)
            slot.arm(Alarm.STARTED, START_DELAY, follow)

    def _ended(self, slot: Slot) -> None:
        slot.cancel(Alarm.STARTED)
        if slot.sent is not None and (rung := slot.sent.rung) is not None:
            if rung.transaction_id not in {None, slot.transaction_id}:
                slot.sent = None
                self.attend(slot)
        self._outlive(slot)
        goal = self._wishes.goal(slot)
        # A limit of 0 is not written: without us the next car must still charge.
        if goal is None or goal.value > 0:
            self.run(self.follow, slot)

    def _learn_from_end(self, slot: Slot, transaction: Transaction) -> None:
        zero_at, slot.zero_at = slot.zero_at, None
        if zero_at is None or transaction.stop_reason not in _UNEXPLAINED:
            return
        if self._clock() - zero_at <= ZERO_WINDOW:
            self._knowledge.learn(zero_ends_transaction=True)

    def _booted(self) -> None:
        """Ask anew what only the reboot can have changed."""
        if self._knowledge.learnt.composite is False:
            self._knowledge.learn(composite=None)
        self._starts.clear()
        for slot in self._wishes:
            slot.sent, slot.fresh = None, None
            slot.doubtful = slot.transaction_id
            slot.rewritten.clear()
            self.attend(slot)
            # Otherwise set-up does this as its last step.
            if self._station.settings.quiet:
                self.run(self._bring_back, slot)

    def _online_changed(self) -> None:
        self._cancel_back()
        if self._station.online.value:
            self._back = self._call_later(RECONNECTED, self._returned)

    def _returned(self) -> None:
        self._back = None
        # Before the first set-up nobody knows how to speak to this station.
        if self._asserted or self._station.settings.quiet:
            for slot in self._wishes:
                self.run(self._bring_back, slot)

    def _cancel_back(self) -> None:
        if self._back is not None:
            self._back.cancel()
            self._back = None

    # What is done about it

    async def reassert(self) -> dict[int, Outcome]:
        """Make what is wanted hold again where it does not; NotConnected ends it."""
        self._asserted = True
        outcomes: dict[int, Outcome] = {}
        for slot in self._wishes:
            async with self._lock:
                if (outcome := await self._restore(slot)) is not None:
                    outcomes[slot.place.id] = outcome
        return outcomes

    async def _restore(self, slot: Slot) -> Outcome | None:
        self._outlive(slot)
        if (goal := self._wishes.goal(slot)) is None:
            if not self._climber.mine(slot):
                return None
            return await self._keeper.release(slot)
        if self._harmful(goal):
            return None
        try:
            outcome = await self._keeper.restore(slot, goal)
        except LimitError as err:
            return Outcome(status=OutcomeStatus.REJECTED, detail=err.kind)
        self.attend(slot)
        return outcome

    async def _bring_back(self, slot: Slot) -> None:
        if slot.sent is not None:
            await self.follow(slot)
            return
        async with self._lock:
            if (outcome := await self._restore(slot)) is not None:
                self._tell(slot, outcome)

    def _harmful(self, goal: Limit) -> bool:
        # It was wanted before it was known that it ends the transaction.
        return goal.value == 0 and bool(self._knowledge.learnt.zero_ends_transaction)

    def _outlive(self, slot: Slot) -> None:
        """Forget what was wanted of a transaction whose end was told late."""
        slot.show(slot.wish.outlived(slot.transaction_key))
        self._wishes.save_soon()

    async def follow(self, slot: Slot) -> None:
        """Make what is wanted hold, unless it does already."""
        async with self._lock:
            self._outlive(slot)
            goal = self._wishes.goal(slot)
            if goal is None:
                if self._climber.mine(slot):
                    await self._keeper.release(slot)
            elif not (self._harmful(goal) or self._climber.holds(slot, goal)):
                outcome = await self._climber.hold(slot, goal)
                self._tell(slot, outcome)
            self.attend(slot)

    def ignored(self, slot: Slot) -> None:
        """Try another way, because what was accepted is not followed."""
        if (sent := slot.sent) is None or (rung := sent.rung) is None:
            return
        if rung.kind is Kind.DYNAMIC:
            self._knowledge.learn(dynamic=False)
        else:
            self._knowledge.ignore(rung.purpose)
        self.run(self._try_another, slot)

    async def _try_another(self, slot: Slot) -> None:
        async with self._lock:
            if (goal := self._wishes.goal(slot)) is None:
                return
            learnt = self._knowledge.learnt
            steps = ladder(self._climber.site(slot, self._climber.link()), goal)
            if all(learnt.useless(step.purpose) for step in steps):
                tried = {step.purpose for step in steps}
                self._station.findings["ignored"] = "; ".join(
                    f"{purpose} {learnt.purposes[purpose]}" for purpose in sorted(tried)
                )
                return
            self._tell(slot, await self._climber.hold(slot, goal))
            self.attend(slot)

    def _tell_safety(self) -> None:
        unsafe = [slot.unsafe for slot in self._wishes if slot.unsafe is not None]
        if unsafe:
            self._station.findings["fallback"] = "; ".join(unsafe)
        else:
            self._station.findings.pop("fallback", None)

    def _tell(self, slot: Slot, outcome: Outcome) -> None:
        _LOGGER.debug(
            "%s: limit of EVSE %s held again: %s %s",
            shortened(self._station.identity),
            slot.place.id,
            outcome.status,
            outcome.detail,
        )

    def run(
        self, work: Callable[[Slot], Coroutine[Any, Any, None]], slot: Slot
    ) -> None:
        """Do something in the background; what cannot be done now is done later."""
        name = f"limit of EVSE {slot.place.id} of {shortened(self._station.identity)}"
        task = self._spawn(self._logged(work(slot), name), name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _logged(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except NotConnected, NotSupported, LimitError:
            _LOGGER.debug("%s: not now", name)
        except JournalError:
            _LOGGER.exception("%s: not kept", name)
        except Exception:
            _LOGGER.exception("%s failed", name)
