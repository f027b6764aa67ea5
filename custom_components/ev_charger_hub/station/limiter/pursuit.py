"""Pursuit: wishes are sent when it is time for them, and the newest one counts."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from ..clock import Clock
from ..errors import NotConnected, NotSupported, StationError
from ..limits import in_ampere
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..profiles.ledger import UNANSWERED
from .attendant import Attendant
from .climber import Climber
from .keeper import Keeper
from .lookout import Lookout
from .pacing import PATIENCE, Change, delay
from .plain import is_plain
from .reported import Reported
from .second_way import SecondWay
from .slot import Adjust, Alarm, Slot
from .wish import Wish
from .wishes import Wishes

AGAIN = 2.0
"""Seconds after which an earlier limit is made to hold again once a newer one failed."""


class Pursuit:
    """Makes the wishes of one station hold, one after the other."""

    def __init__(
        self,
        station: ChargingStation,
        wishes: Wishes,
        lookout: Lookout,
        climber: Climber,
        keeper: Keeper,
        attendant: Attendant,
        clock: Clock,
        changed: Callable[[], None],
        *,
        reported: Reported,
        second: SecondWay,
        lock: asyncio.Lock,
    ) -> None:
        """Send under `lock`; call `changed` when it may be that nothing holds."""
        self._station = station
        self._wishes = wishes
        self._lookout = lookout
        self._climber = climber
        self._keeper = keeper
        self._attendant = attendant
        self._clock = clock
        self._changed = changed
        self._reported = reported
        self._second = second
        self._lock = lock
        self._tasks: set[asyncio.Task[Outcome]] = set()

    def close(self) -> None:
        """Let nothing happen any more."""
        for task in self._tasks:
            task.cancel()

    async def take(self, slot: Slot, adjust: Adjust) -> Outcome:
        """Make a wish hold, even if whoever asked for it is cancelled meanwhile."""
        self._lookout.link()
        task = asyncio.create_task(self._take_turn(slot, slot.overtake(adjust)))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        # A script that is started anew must leave nothing half done.
        await asyncio.wait({task})
        if task.cancelled():
            raise NotConnected
        return task.result()

    def _done(self, task: asyncio.Task[Outcome]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Perhaps nobody is there any more to see it.
            task.exception()

    async def _take_turn(self, slot: Slot, ticket: int) -> Outcome:
        """Make a wish hold when it is time for it, unless a newer one comes."""
        while slot.newest(ticket):
            if (seconds := self._delay(slot)) > PATIENCE:
                return await self._defer(slot, ticket, seconds)
            await slot.wait(seconds)
            async with self._lock:
                # What was sent while we waited for our turn sets the pace, too.
                if slot.newest(ticket) and not self._delay(slot):
                    return await self._realize(slot, slot.take(), slot.wish)
        return Outcome(status=OutcomeStatus.SUPERSEDED)

    def _delay(self, slot: Slot) -> float:
        wish = slot.pending()
        goal = self._wishes.goal(slot, wish)
        phases = wish.phases or self._station.settings.phases
        now = self._clock()
        if slot.last is not None and slot.last.at > now:
            # The clock stepped back, and who waits would start over each time.
            slot.last = replace(slot.last, at=now)
        new = Change(amount=None, at=now, phases=phases)
        if goal is not None:
            new = replace(
                new,
                amount=in_ampere(goal, phases),
                persisted=self._lookout.persists(slot, goal),
            )
        return delay(slot.last, new, self._station.settings.limit_interval)

    async def _defer(self, slot: Slot, ticket: int, seconds: float) -> Outcome:
        """Want something from now on that is sent later."""
        before = slot.wish
        slot.show(slot.take())
        later = partial(self._send_deferred, before=before)
        due = partial(self._attendant.run, later, slot)
        # Whoever comes while it is written down can cancel it already.
        slot.arm(Alarm.DEFERRED, seconds, due)
        self._attendant.attend_end(slot)
        try:
            await self._wishes.save()
        except StationError:
            if slot.newest(ticket):
                slot.cancel(Alarm.DEFERRED)
                await self._take_back(slot, before)
            raise
        if not slot.newest(ticket):
            return Outcome(status=OutcomeStatus.SUPERSEDED)
        told = f"sent in {round(seconds)} s"
        return Outcome(status=OutcomeStatus.SCHEDULED, detail=told)

    async def _send_deferred(self, slot: Slot, *, before: Wish) -> None:
        ticket = slot.overtake(lambda wish: wish)
        async with self._lock:
            if slot.newest(ticket):
                await self._realize(slot, slot.take(), before, promised=True)

    async def _realize(
        self, slot: Slot, wish: Wish, before: Wish, *, promised: bool = False
    ) -> Outcome:
        """Make a wish hold; one that cannot be is wanted no longer.

        One that was promised stays wanted while its station is away.
        """
        slot.wish = wish
        try:
            # Should we die before the answer, it is still wanted.
            await self._wishes.save()
            outcome = await self._apply(slot, before)
        except StationError as err:
            if not (promised and isinstance(err, NotConnected)):
                await self._take_back(slot, before)
            raise
        if outcome.ok:
            slot.show(slot.wish)
            self._attendant.attend(slot)
        else:
            sent = slot.sent
            if outcome.status in UNANSWERED and sent is not None and sent.rung is None:
                # Without profiles nothing else tells that it may hold no longer.
                slot.sent = None
                self._changed()
            await self._take_back(slot, before)
        return outcome

    async def _take_back(self, slot: Slot, before: Wish) -> None:
        if slot.due(Alarm.DEFERRED):
            # What is wanted now is newer.
            return
        # What happened meanwhile, such as the end of a pause, stays true.
        left = before.outlived(slot.transaction_key)
        slot.show(left.clamped(self._station.settings))
        self._attendant.attend_end(slot)
        self._follow_again(slot)
        await self._wishes.save()

    def _follow_again(self, slot: Slot) -> None:
        """Let the earlier limit be sent again if it may hold no longer."""
        if slot.overtaken:
            return
        # Whoever is away gets it when it is back.
        with suppress(NotConnected, NotSupported):
            follow = partial(self._attendant.run, self._attendant.follow, slot)
            slot.arm(Alarm.AGAIN, max(AGAIN, self._delay(slot)), follow)

    async def _apply(self, slot: Slot, before: Wish) -> Outcome:
        self._station.findings.pop("ignored", None)
        plain = is_plain(self._station)
        switches = plain or self._second.switches_phases
        if switches and slot.wish.phases != before.phases:
            outcome = await self._reported.set_phases(slot)
            if outcome.ok and not plain:
                self._second.locked(slot)
            rest = replace(before, phases=slot.wish.phases, locked=slot.wish.locked)
            done = slot.wish == rest and self._lasts(slot)
            if done or not outcome.ok:
                return outcome
        if (goal := self._wishes.goal(slot)) is None:
            return await self._keeper.release(slot)
        outcome = await self._climber.hold(slot, goal)
        by_number = plain or self._second.carries
        session = None if by_number else slot.transaction_id
        if outcome.ok and goal.value == 0 and session is not None:
            slot.zero_at = self._clock()
        return outcome

    def _lasts(self, slot: Slot) -> bool:
        """Return whether what is wanted holds already, and will."""
        goal = self._wishes.goal(slot)
        if self._second.exists and not self._second.carries and goal is not None:
            return self._lookout.holds(slot, goal)
        return self._reported.lasting(slot.place.id)
