"""The limiter of a station: what is wanted, durable, and made to hold."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from ..channel import Listener
from ..clock import CallLater, Clock, call_later as loop_call_later
from ..journal import Journal
from ..limits import PAUSE, LimitError, LimitErrorKind, bounds, check
from ..link import Capability, Limit
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..profiles.ledger import Ledger
from ..profiles.model import ChargingProfile, CompositeSchedule, ProfileSupport
from .applied import Applied
from .attendant import Attendant
from .budget import Budget
from .climber import Climber
from .courtesy import Courtesy
from .errands import Errands, Spawn
from .holdings import Holdings
from .keeper import Keeper
from .knowledge import Knowledge
from .learnt import Learnt
from .lookout import Lookout
from .plain import Plain, place_of
from .pursuit import Pursuit
from .reported import Reported
from .second_way import SecondWay
from .slot import Slot
from .verify import Verifier
from .wish import Wish
from .wishes import Wishes

__all__ = ["Applied", "Limiter", "Spawn"]


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
        lock = asyncio.Lock()
        self._wishes = Wishes(station, journal, call_later)
        self._knowledge = Knowledge(station, journal, self._notify)
        self._budget = Budget(station.identity, journal)
        holdings = Holdings(station, ledger, self._knowledge, self._budget, clock)
        verifier = Verifier(self._knowledge, self._notify)
        self._plain = Plain(station, journal, clock, self._notify)
        errands = self._errands = Errands(station, spawn)
        self._second = SecondWay(
            station,
            self._wishes,
            self._plain,
            holdings,
            errands,
            clock,
            lock=lock,
            call_later=call_later,
            in_force=self._in_force,
        )
        self._lookout = Lookout(
            station,
            holdings,
            self._knowledge,
            clock,
            plain=self._plain,
            second=self._second,
        )
        climber = Climber(
            self._lookout,
            holdings,
            self._knowledge,
            verifier,
            clock,
            self._notify,
            plain=self._plain,
            second=self._second,
        )
        keeper = Keeper(
            station,
            self._lookout,
            climber,
            holdings,
            self._knowledge,
            verifier,
            clock,
            self._notify,
            plain=self._plain,
            second=self._second,
        )
        self._attendant = Attendant(
            station,
            self._wishes,
            self._lookout,
            climber,
            keeper,
            self._knowledge,
            clock,
            second=self._second,
            errands=errands,
            lock=lock,
            call_later=call_later,
        )
        self._courtesy = Courtesy(
            station,
            self._wishes,
            climber,
            self._attendant,
            clock,
            lock=lock,
        )
        self.reported = Reported(
            station, self._wishes, self._plain, self._attendant, self._second
        )
        """What the station tells of limits that are no profiles."""
        self._pursuit = Pursuit(
            station,
            self._wishes,
            self._lookout,
            climber,
            keeper,
            self._attendant,
            clock,
            self._notify,
            reported=self.reported,
            second=self._second,
            lock=lock,
        )
        self.composites: dict[int, CompositeSchedule] = verifier.composites
        """What the station said last that its profiles come to, by EVSE."""
        station.limiter = self

    # Life

    async def load(self) -> None:
        """Bring back what was wanted and learnt before a restart."""
        await self._knowledge.load()
        await self._budget.load()
        await self._plain.load()
        await self._wishes.load()
        for slot in self._wishes:
            slot.show(slot.wish.outlived(slot.transaction_key))
            self._attendant.attend(slot)

    def close(self) -> None:
        """Let nothing happen any more."""
        self._pursuit.close()
        self._attendant.close()
        self._second.close()
        self._errands.close()
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
        settled_at = sent.at + timedelta(seconds=self._lookout.settling())
        lasts, rung = sent.duration, sent.rung
        return Applied(
            limit=sent.limit,
            at=sent.at,
            settled_at=settled_at,
            purpose=None if rung is None else rung.purpose,
            profile_id=None if rung is None else rung.profile_id,
            expires_at=None if lasts is None else sent.at + timedelta(seconds=lasts),
        )

    @property
    def number(self) -> Applied | None:
        """Return what the cloud accepted from us where profiles limit as well."""
        if not self._second.exists or (sent := self._second.slot.sent) is None:
            return None
        lasts = sent.duration
        return Applied(
            limit=sent.limit,
            at=sent.at,
            settled_at=sent.at + timedelta(seconds=ProfileSupport().settling),
            expires_at=None if lasts is None else sent.at + timedelta(seconds=lasts),
        )

    @property
    def own_number(self) -> Decimal | None:
        """Return the number of ours beside the profiles, in A; None if there is none."""
        return self._second.limit

    def _in_force(self, slot: Slot, goal: Limit) -> bool | None:
        return self._lookout.in_force(slot, goal)

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
        slot = self._wishes.known(place_of(self._station, evse_id))
        if limit is not None:
            self._check(slot, limit)
        until = None if duration is None else self._clock() + duration
        return await self._pursuit.take(slot, lambda wish: wish.limited(limit, until))

    async def request_phases(self, evse_id: int, phases: int | None) -> Outcome:
        """Charge with one or three phases; None leaves it to the station."""
        slot = self._wishes.known(evse_id)
        link = self._lookout.link()
        plain = Capability.PROFILES not in link.capabilities
        switches = (
            Capability.PHASES in link.capabilities
            if plain
            else link.profile_support.phase_switching
        )
        if not (plain or switches):
            # What profiles cannot the cloud can, if there is one.
            plain = switches = self._second.switches_phases
        if slot.evse is None or phases not in {None, 1, 3} or not switches:
            raise LimitError(LimitErrorKind.PHASES_NOT_SUPPORTED)
        outcome = await self._pursuit.take(
            slot, lambda wish: replace(wish, phases=phases)
        )
        if plain and outcome.ok and outcome.status is not OutcomeStatus.SCHEDULED:
            return await self.reported.phases_followed(evse_id, outcome)
        return outcome

    async def pause(self, evse_id: int) -> Outcome:
        """Hold an open transaction at 0; the pause ends with it."""
        slot = self._wishes.known(place_of(self._station, evse_id))
        if (key := slot.transaction_key) is None:
            raise LimitError(LimitErrorKind.NO_SESSION)
        self._check(slot, PAUSE)
        return await self._pursuit.take(slot, lambda wish: replace(wish, paused=key))

    async def resume(self, evse_id: int) -> Outcome:
        """Let the limit from before the pause hold again."""
        slot = self._wishes.known(place_of(self._station, evse_id))
        return await self._pursuit.take(slot, Wish.resumed)

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

    # A session that starts with a limit

    def profile_to_start_with(
        self, evse_id: int | None, limit: Limit
    ) -> ChargingProfile:
        """Return the TxProfile of a remote start, which knows no transaction yet."""
        return self._lookout.profile_to_start_with(
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
