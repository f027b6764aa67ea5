"""The limiter of a station: what is wanted, durable, and made to hold."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from ..channel import Listener
from ..clock import CallLater, Clock, call_later as loop_call_later
from ..errors import NotConnected, NotSupported, StationError
from ..journal import Journal
from ..limits import PAUSE, LimitError, LimitErrorKind, bounds, check, in_ampere
from ..link import Capability, Limit
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..profiles.ledger import UNANSWERED, Ledger
from ..profiles.model import ChargingProfile, CompositeSchedule, Purpose
from .attendant import Attendant, Spawn
from .budget import Budget
from .climber import Climber
from .courtesy import Courtesy
from .holdings import Holdings
from .keeper import Keeper
from .knowledge import Knowledge
from .learnt import Learnt
from .pacing import PATIENCE, Change, delay
from .slot import Adjust, Alarm, Slot
from .verify import Verifier
from .wish import Wish
from .wishes import Wishes

__all__ = ["Applied", "Limiter", "Spawn"]

AGAIN = 2.0
"""Seconds after which an earlier limit is made to hold again once a newer one failed."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Applied:
    """What a station accepted from us last, by which profile, and when.

    `limit` is as it was sent: in the unit that the station takes, rounded down.
    `purpose` and `profile_id` are None if a link limits without profiles. By
    `settled_at` the limit should be followed; at `expires_at` it ends by itself.
    """

    limit: Limit
    at: datetime
    settled_at: datetime
    purpose: Purpose | None = None
    profile_id: int | None = None
    expires_at: datetime | None = None

    @property
    def of_session(self) -> bool:
        """Return whether it is a profile of the session, and ends with it."""
        return self.purpose is Purpose.TX


class Limiter:
    """What makes the limits of one station hold."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        ledger: Ledger,
        spawn: Spawn,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Serve a station; nothing is known until `load`."""
        self._station = station
        self._clock = clock
        self._listeners: tuple[Listener, ...] = ()
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Outcome]] = set()
        self._wishes = Wishes(station, journal, call_later)
        self._knowledge = Knowledge(station, journal, self._notify)
        self._budget = Budget(station.identity, journal)
        holdings = Holdings(station, ledger, self._knowledge, self._budget, clock)
        verifier = Verifier(self._knowledge, self._notify)
        self._climber = Climber(
            station, holdings, self._knowledge, verifier, clock, self._notify
        )
        self._keeper = Keeper(
            station,
            self._climber,
            holdings,
            self._knowledge,
            verifier,
            clock,
            self._notify,
        )
        self._attendant = Attendant(
            station,
            self._wishes,
            self._climber,
            self._keeper,
            self._knowledge,
            clock,
            lock=self._lock,
            spawn=spawn,
            call_later=call_later,
        )
        self._courtesy = Courtesy(
            station,
            self._wishes,
            self._climber,
            self._attendant,
            clock,
            lock=self._lock,
        )
        self.composites: dict[int, CompositeSchedule] = verifier.composites
        """What the station said last that its profiles come to, by EVSE."""
        station.limiter = self

    # Life

    async def load(self) -> None:
        """Bring back what was wanted and learnt before a restart."""
        await self._knowledge.load()
        await self._budget.load()
        await self._wishes.load()
        for slot in self._wishes:
            slot.show(slot.wish.outlived(slot.transaction_key))
            self._attendant.attend(slot)

    def close(self) -> None:
        """Let nothing happen any more."""
        for task in self._tasks:
            task.cancel()
        self._attendant.close()
        self._courtesy.close()
        self._knowledge.close()
        self._wishes.close()

    async def reassert(self) -> dict[int, Outcome]:
        """Make what is wanted hold again, by EVSE, where it does not; NotConnected."""
        return await self._attendant.reassert()

    # What is known

    @property
    def learnt(self) -> Learnt:
        """Return what this charger turned out to accept."""
        return self._knowledge.learnt

    def applied(self, evse_id: int) -> Applied | None:
        """Return what the station accepted from us last and holds, if anything."""
        sent = self._wishes.known(evse_id).sent
        if sent is None:
            return None
        settled_at = sent.at + timedelta(seconds=self._climber.settling())
        if (rung := sent.rung) is None:
            return Applied(limit=sent.limit, at=sent.at, settled_at=settled_at)
        lasts = rung.duration
        return Applied(
            limit=sent.limit,
            at=sent.at,
            settled_at=settled_at,
            purpose=rung.purpose,
            profile_id=rung.profile_id,
            expires_at=None if lasts is None else sent.at + timedelta(seconds=lasts),
        )

    def goal(self, evse_id: int) -> Limit | None:
        """Return what is to hold at an EVSE; None for no limit of ours."""
        return self._wishes.goal(self._wishes.slot(evse_id))

    def most(self, evse_id: int) -> Decimal:
        """Return what a vehicle may take at an EVSE by our limits, in A."""
        return self._courtesy.most(self._wishes.slot(evse_id))

    def answer_needs(self, evse_id: int) -> None:
        """Send a vehicle the profile that it waits for (2.x K15.FR.08)."""
        self._courtesy.answer(self._wishes.slot(evse_id))

    def ignored(self, evse_id: int) -> None:
        """Take note that what was accepted is not followed, and try another way."""
        self._attendant.ignored(self._wishes.known(evse_id))

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` when `applied`, `composites` or `learnt` changed."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(one for one in self._listeners if one != listener)

        return unsubscribe

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    # What is wanted

    async def request(
        self, evse_id: int, limit: Limit | None, *, duration: timedelta | None = None
    ) -> Outcome:
        """Make a limit hold at an EVSE (0: the station), or with None remove ours."""
        slot = self._wishes.known(evse_id)
        if limit is not None:
            self._check(slot, limit)
        until = None if duration is None else self._clock() + duration
        return await self._pursue(slot, lambda wish: wish.limited(limit, until))

    async def request_phases(self, evse_id: int, phases: int | None) -> Outcome:
        """Charge with one or three phases; None leaves it to the station."""
        slot = self._wishes.known(evse_id)
        link = self._climber.link()
        switches = (
            Capability.PROFILES in link.capabilities
            and link.profile_support.phase_switching
        )
        if slot.evse is None or phases not in {None, 1, 3} or not switches:
            raise LimitError(LimitErrorKind.PHASES_NOT_SUPPORTED)
        return await self._pursue(slot, lambda wish: replace(wish, phases=phases))

    async def pause(self, evse_id: int) -> Outcome:
        """Hold an open transaction at 0; the pause ends with it."""
        slot = self._wishes.known(evse_id)
        if (key := slot.transaction_key) is None:
            raise LimitError(LimitErrorKind.NO_SESSION)
        self._check(slot, PAUSE)
        return await self._pursue(slot, lambda wish: replace(wish, paused=key))

    async def resume(self, evse_id: int) -> Outcome:
        """Let the limit from before the pause hold again."""
        return await self._pursue(self._wishes.known(evse_id), Wish.resumed)

    def clamp(self) -> None:
        """Lower what was wanted to a maximum current that is lower now."""
        for slot in self._wishes:
            slot.show(slot.wish.clamped(self._station.settings))
        self._wishes.save_soon()

    def _check(self, slot: Slot, limit: Limit) -> None:
        settings, phases = self._station.settings, slot.wish.phases
        check(settings, limit, phases)
        if limit.value == 0 and self.learnt.zero_ends_transaction:
            low, _ = bounds(settings, limit.unit, phases)
            raise LimitError(LimitErrorKind.ZERO_ENDS_SESSION, limit=limit, bound=low)

    # When it is sent

    async def _pursue(self, slot: Slot, adjust: Adjust) -> Outcome:
        """Make a wish hold, even if whoever asked for it is cancelled meanwhile."""
        self._climber.link()
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
                persisted=self._climber.persists(slot, goal),
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
            outcome = await self._apply(slot)
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
                self._notify()
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

    async def _apply(self, slot: Slot) -> Outcome:
        self._station.findings.pop("ignored", None)
        if (goal := self._wishes.goal(slot)) is None:
            return await self._keeper.release(slot)
        outcome = await self._climber.hold(slot, goal)
        if outcome.ok and goal.value == 0 and slot.transaction_id is not None:
            slot.zero_at = self._clock()
        return outcome

    # A session that starts with a limit

    def profile_to_start_with(
        self, evse_id: int | None, limit: Limit
    ) -> ChargingProfile:
        """Return the TxProfile of a remote start, which knows no transaction yet."""
        return self._climber.profile_to_start_with(
            self._wishes.slot(evse_id or 0), limit
        )

    def started_with_limit(
        self,
        evse_id: int | None,
        id_token: str,
        limit: Limit,
        *,
        followed: bool = True,
    ) -> None:
        """Remember that the next transaction of a token brings its own limit.

        Unless it is `followed`, it is set once more when the transaction is there.
        """
        self._attendant.started_with_limit(evse_id, id_token, limit, followed=followed)
