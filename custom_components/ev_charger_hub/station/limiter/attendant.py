"""The attendant: what has to be done for a wish while its user is not looking."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
import logging
from typing import Any

from ..clock import CallLater, Clock, Timer
from ..enums import StopReason
from ..errors import NotConnected
from ..events import Booted, SessionEnded, SessionKnown, SessionSettled, StationEvent
from ..limits import LimitError
from ..link import Limit, LinkKind
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..profiles.model import Kind
from ..secrets import shortened
from ..transaction import Transaction, TransactionState
from .climber import Climber
from .errands import Errands
from .keeper import Keeper
from .knowledge import Knowledge
from .ladder import ladder
from .lookout import Lookout
from .plain import is_plain
from .second_way import SecondWay
from .slot import Alarm, Slot
from .starts import Starts
from .wishes import Wishes

_LOGGER = logging.getLogger(__name__)

LOST = 2.0
"""Seconds within which a socket may be replaced before a cloud limits instead."""

RECONNECTED = 15.0
"""Seconds after which a station that has not booted is taken to be back."""

START_DELAY = 2.0
"""Seconds that a station has to take note of its transaction before it is limited."""

RETRY = 30.0
LONGEST_RETRY = 3600.0
"""Seconds until a renewal is tried again that did not get through.

That doubles with each refusal, up to the longest.
"""

ZERO_WINDOW = timedelta(seconds=90)
"""A transaction that ends within this time after a limit of 0 ended because of it."""

_UNEXPLAINED = frozenset({StopReason.OTHER, None})


class Attendant:
    """Follows the sessions, restarts and timers of a station."""

    def __init__(
        self,
        station: ChargingStation,
        wishes: Wishes,
        lookout: Lookout,
        climber: Climber,
        keeper: Keeper,
        knowledge: Knowledge,
        clock: Clock,
        *,
        second: SecondWay,
        errands: Errands,
        lock: asyncio.Lock,
        call_later: CallLater,
    ) -> None:
        """Listen to a station; `lock` is held whenever something is sent."""
        self._second = second
        self._errands = errands
        self._station = station
        self._wishes = wishes
        self._lookout = lookout
        self._climber = climber
        self._keeper = keeper
        self._knowledge = knowledge
        self._clock = clock
        self._lock = lock
        self._call_later = call_later
        self._asserted = False
        self._way = station.way.value
        self._back: Timer | None = None
        self._starts = Starts(wishes, clock)
        self._unsubscribes = (
            station.on_event(self._happened),
            station.way.subscribe(self._way_changed),
            station.remote.subscribe(self._remote_changed),
        )

    def close(self) -> None:
        """Let nothing happen any more."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        self._cancel_back()

    # What is due

    def attend(self, slot: Slot) -> None:
        """Do in time what the wish and the profile of a place ask for."""
        self.attend_end(slot)
        self._tell_safety()
        slot.cancel(Alarm.RENEWAL, Alarm.SETTLED)
        if (sent := slot.sent) is None:
            return
        age = (self._clock() - sent.at).total_seconds()
        settling = self._lookout.settling()
        if age < settling and sent.rung is not None:
            look = partial(self.run, self._settle, slot)
            slot.arm(Alarm.SETTLED, settling - age, look)
        if sent.duration is not None:
            renew = partial(self.run, self._renew, slot)
            slot.arm(Alarm.RENEWAL, sent.duration / 2 - age, renew)

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
            if self._second.carries:
                # It is renewed when profiles can be sent again.
                return
            try:
                outcome = await self._climber.hold(slot, goal, anew=True)
                self.attend(slot)
            except Exception:
                self._renew_later(slot)
                raise
            # What another way does instead leaves the profile as old as it was.
            if outcome.ok and slot.sent is not sent:
                slot.refusals = 0
                return
            self._renew_later(slot)
            slot.refusals += outcome.ok or outcome.status is OutcomeStatus.REJECTED

    def _renew_later(self, slot: Slot) -> None:
        wait = min(RETRY * 2.0 ** min(slot.refusals, 10), LONGEST_RETRY)
        slot.arm(Alarm.RENEWAL, wait, partial(self.run, self._renew, slot))

    async def _settle(self, slot: Slot) -> None:
        async with self._lock:
            await self._keeper.settle(slot)
            self.attend(slot)
            self._second.follow_soon()

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
        self, evse_id: int | None, id_token: str | None, limit: Limit, *, followed: bool
    ) -> None:
        """Remember that the next transaction of a token, or any, brings its own limit."""
        self._starts.remember(evse_id, id_token, limit, followed=followed)

    def _started(self, slot: Slot, transaction: Transaction) -> None:
        slot.conflicts, slot.zero_at = 0, None
        slot.fresh = transaction.transaction_id
        wish, followed = self._starts.take(slot, transaction)
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
            if self._alone:
                self.run(self._bring_back, slot)

    def _way_changed(self) -> None:
        self._cancel_back()
        before, self._way = self._way, self._station.way.value
        if self._way is None:
            return
        lost = before is LinkKind.OCPP
        if not lost:
            self._second.profiles_are_back()
            for slot in self._wishes:
                slot.standing = None
        wait = LOST if lost else RECONNECTED
        self._back = self._call_later(wait, self._returned)

    def _remote_changed(self) -> None:
        """Have a number written again that profiles, being refused, did not replace."""
        both = self._station.remote.value and self._station.local.value
        if both and self._back is None:
            self._back = self._call_later(RECONNECTED, self._both_there)

    def _both_there(self) -> None:
        self._back = None
        if self._second.written:
            self._returned()

    def _returned(self) -> None:
        self._back = None
        if self._second.carries:
            self._second.take_over()
        # Before the first set-up nobody knows how to speak to this station.
        elif self._asserted or self._alone:
            for slot in self._wishes:
                self.run(self._bring_back, slot)

    @property
    def _alone(self) -> bool:
        """Return whether no set-up brings back what is wanted."""
        return self._station.settings.quiet or is_plain(self._station)

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
            if not self._lookout.limits(slot):
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
        if slot.sent is not None and not self._second.written:
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
                if self._lookout.limits(slot):
                    await self._keeper.release(slot)
            elif not (self._harmful(goal) or self._lookout.holds(slot, goal)):
                outcome = await self._climber.hold(slot, goal)
                self._tell(slot, outcome)
            self.attend(slot)

    def follow_surely(self, slot: Slot) -> None:
        """Make what is wanted hold, now or as soon as that is possible."""
        self.run(self._follow_surely, slot)

    async def _follow_surely(self, slot: Slot) -> None:
        try:
            await self.follow(slot)
        except NotConnected:
            slot.arm(Alarm.AGAIN, RETRY, partial(self.follow_surely, slot))
            raise

    def ignored(self, slot: Slot) -> None:
        """Try another way, because what was accepted is not followed."""
        if (sent := slot.sent) is None or (rung := sent.rung) is None:
            return
        if self._second.carries:
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
            steps = ladder(self._lookout.site(slot, self._lookout.link()), goal)
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
        self._errands.run(work(slot), slot.place.id)
