"""Second way: the one number that limits a station whose profiles cannot.

A charger that knows both obeys the lower of the two. So there is one writer at a time:
while profiles can be sent, they are what limits; while they cannot, or are refused, the
number is the lowest of all that is wanted. It is lifted once the profiles are in force
again, and only if it is ours.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from ..clock import CallLater, Clock
from ..errors import NotConnected, NotSupported
from ..limits import in_ampere
from ..link import Capability, Limit, Link
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..profiles.ledger import UNANSWERED
from .errands import Errands
from .holdings import Holdings
from .plain import SAME, Plain, has_two_ways
from .slot import Alarm, Slot
from .wishes import Wishes

RETRY = 30.0
LONGEST_RETRY = 3600.0
"""Seconds until what could not be sent is tried again, less and less if refused."""

LATE = timedelta(minutes=2)
"""After so long nothing of what was written before a restart is still on its way."""

_NO_CHANGE = Outcome(status=OutcomeStatus.CONFIRMED, answer="no change")
_ROUNDED = Decimal("0.1")

type InEffect = Callable[[Slot, Limit], bool | None]
"""Returns whether profiles hold a limit; None if that is yet to be seen."""


class Role(StrEnum):
    """What the number is there for now."""

    IDLE = "idle"
    """It is left as it is."""
    LIFTED = "lifted"
    """It is to limit nothing, as far as it is ours."""
    LIMITS = "limits"
    """It is to be the lowest of all that is wanted."""


class SecondWay:
    """Writes the number, and lifts it, of a station that takes profiles as well."""

    def __init__(
        self,
        station: ChargingStation,
        wishes: Wishes,
        plain: Plain,
        holdings: Holdings,
        errands: Errands,
        clock: Clock,
        *,
        lock: asyncio.Lock,
        call_later: CallLater,
        in_force: InEffect,
    ) -> None:
        """Leave the number alone until profiles cannot be sent."""
        self._station = station
        self._wishes = wishes
        self._plain = plain
        self._holdings = holdings
        self._errands = errands
        self._clock = clock
        self._began = clock()
        self._lock = lock
        self._call_later = call_later
        self._in_force = in_force
        self._slot: Slot | None = None
        self._refused: set[int] = set()
        """Where profiles were refused since they could be sent."""
        self.in_charge = False
        """Whether profiles have had their chance, and cannot be sent."""

    def close(self) -> None:
        """Let nothing happen any more."""
        if self._slot is not None:
            self._slot.close()

    # What there is

    @property
    def exists(self) -> bool:
        """Return whether the station may be limited by profiles and by a number."""
        return has_two_ways(self._station)

    @property
    def slot(self) -> Slot:
        """Return what goes on with the number."""
        if self._slot is None:
            place = self._station.evse(min(self._station.evses, default=1))
            self._slot = Slot(place, self._call_later)
        return self._slot

    @property
    def link(self) -> Link | None:
        """Return what carries the number, None if nothing does now."""
        if not self.exists:
            return None
        try:
            return self._station.link(Capability.SINGLE_LIMIT)
        except NotConnected, NotSupported:
            return None

    @property
    def carries(self) -> bool:
        """Return whether the number is all that can be sent."""
        return self.link is not None and not self._profiles

    @property
    def _profiles(self) -> bool:
        """Return whether profiles can be sent."""
        try:
            self._station.link(Capability.PROFILES)
        except NotConnected, NotSupported:
            return False
        return True

    @property
    def switches_phases(self) -> bool:
        """Return whether the cloud switches phases, because no profile does now."""
        link = self.link
        if link is None or Capability.PHASES not in link.capabilities:
            return False
        return not self._profiles_switch

    @property
    def _profiles_switch(self) -> bool:
        """Return whether profiles that can be sent choose the phases."""
        return any(
            Capability.PROFILES in one.capabilities
            and one.profile_support.phase_switching
            and one.connected
            for one in self._station.links
        )

    @property
    def tells_phases(self) -> bool:
        """Return whether the phases that are set in the cloud are those that count."""
        # Until its configuration is known a station may be one that profiles switch.
        return any(
            Capability.PROFILES in one.capabilities
            and one.profile_support.evses is not None
            and not one.profile_support.phase_switching
            for one in self._station.links
        )

    def role(self) -> Role:
        """Return what the number is there for."""
        if not self._profiles:
            if not self.in_charge:
                return Role.IDLE
            return Role.LIFTED if self._wishes.lowest() is None else Role.LIMITS
        known: list[bool | None] = []
        for slot in self._wishes:
            if (goal := self._wishes.goal(slot)) is not None:
                refused = slot.place.id in self._refused
                known.append(False if refused else self._in_force(slot, goal))
        if False in known:
            # What profiles do not do is done by the number, if it ever was.
            started = bool(self._refused) or self.written
            return Role.LIMITS if started else Role.IDLE
        return Role.IDLE if None in known else Role.LIFTED

    @property
    def written(self) -> bool:
        """Return whether a number of ours may stand there."""
        return self.exists and self._plain.written(self.slot) is not None

    @property
    def limit(self) -> Decimal | None:
        """Return the number of ours that stands there, or is to, in A."""
        if not self.exists:
            return None
        if (sent := self.slot.sent) is not None:
            return sent.limit.value
        link = self.link
        ours = link is not None and self._plain.ours(self.slot, link)
        return link.limit_in_force if link is not None and ours else None

    def as_wanted(self) -> bool:
        """Return whether the number is what it is to be, as far as that is known."""
        if (link := self.link) is None or link.limit_in_force is None:
            return True
        role, goal = self.role(), self._wishes.lowest()
        if role is Role.IDLE or (role is Role.LIMITS and goal is None):
            return True
        if role is Role.LIFTED or goal is None:
            return self._plain.as_wanted(self.slot, link, None)
        if self._lower_by_others(link, goal):
            return True
        return self._plain.as_wanted(self.slot, link, goal)

    def holds(self) -> bool:
        """Return whether nothing has to be written, as far as is known."""
        link, goal = self.link, self._wishes.lowest()
        if link is None or goal is None:
            return self.as_wanted()
        return self._holds(link, goal)

    def _holds(self, link: Link, goal: Limit) -> bool:
        """Return whether nothing has to be written for a limit, as far as is known."""
        if self._lower_by_others(link, goal):
            return True
        return self._plain.holds(self.slot, link, goal) and self.as_wanted()

    def _lower_by_others(self, link: Link, goal: Limit) -> bool:
        """Return whether somebody else allows no more, which is not ours to raise."""
        there = link.limit_in_force
        if there is None or self._plain.ours(self.slot, link):
            return False
        return there <= self._plain.amount(self.slot, goal) + SAME

    # Whose turn it is

    def profiles_are_back(self) -> None:
        """Leave limits to the profiles, which are tried anew."""
        self.in_charge = False
        self._refused.clear()

    def take_over(self) -> None:
        """Limit by the number, because profiles cannot be sent."""
        self.in_charge = True
        self._refused.clear()
        self.follow_soon()

    def accepted(self, slot: Slot) -> None:
        """Take note that a profile was accepted; what it replaces is lifted in time."""
        self._refused.discard(slot.place.id)
        self.follow_soon()

    def follow_soon(self) -> None:
        """Bring the number in line with what it is there for."""
        if self.link is not None:
            self._errands.run(self._follow(), self.slot.place.id)

    async def _follow(self) -> None:
        try:
            async with self._lock:
                outcome = await self.follow()
        except NotConnected:
            self._again()
            raise
        if outcome.status in UNANSWERED:
            self._again()

    def _again(self) -> None:
        self.slot.arm(Alarm.AGAIN, RETRY, self.follow_soon)

    # What is written

    async def follow(self, *, anew: bool = False) -> Outcome:
        """Bring the number in line with what it is there for; the lock is held."""
        outcome = _NO_CHANGE
        if (link := self.link) is None:
            return outcome
        await self._unlock(link)
        role, goal = self.role(), self._wishes.lowest()
        if role is Role.LIFTED:
            outcome = await self._lift(link)
        elif role is Role.LIMITS and goal is not None:
            if anew and not self._lower_by_others(link, goal):
                outcome = await self._plain.hold(self.slot, link, goal)
            elif not self._holds(link, goal):
                outcome = await self._plain.restore(self.slot, link, goal)
        self._concluded(outcome)
        return outcome

    def locked(self, slot: Slot) -> None:
        """Take note that the phases were set in the cloud, for good or no longer."""
        slot.show(replace(slot.wish, locked=slot.wish.phases is not None))
        self._wishes.save_soon()

    async def _unlock(self, link: Link) -> None:
        """Leave the phases to profiles again that can be sent, and choose them.

        Not in a session: a vehicle that charges would be interrupted.
        """
        for slot in self._wishes:
            if not (slot.wish.locked and self._profiles_switch):
                continue
            if slot.transaction_key is not None:
                self._again()
                continue
            outcome = await link.set_phases(slot.place.id, None)
            if outcome.ok:
                slot.show(replace(slot.wish, locked=False))
                self._wishes.save_soon()
            else:
                self._again()

    async def hold(self) -> Outcome:
        """Make the lowest of all wishes hold, or none; NotConnected."""
        link = self._station.link(Capability.SINGLE_LIMIT)
        self.in_charge = self.in_charge or not self._profiles
        if (goal := self._wishes.lowest()) is None:
            outcome = await self._lift(link)
        else:
            outcome = await self._plain.hold(self.slot, link, goal)
        self._concluded(outcome)
        return self._truly(outcome, goal)

    async def stand_in(self, slot: Slot, goal: Limit, refused: Outcome) -> Outcome:
        """Do what profiles do not: return what became of it, or that they did not.

        What a profile of ours keeps lower cannot be raised by a number.
        """
        if (link := self.link) is None or self._lower_profile(goal) is not None:
            return refused
        if refused.status in UNANSWERED and self._profiles and _raises(slot, goal):
            return refused
        self._refused.add(slot.place.id)
        lowest = self._wishes.lowest()
        if lowest is not None and self._holds(link, lowest):
            # Nor is what somebody else keeps lower.
            return replace(refused, status=OutcomeStatus.ACCEPTED)
        try:
            outcome = await self.hold()
        except NotConnected, NotSupported:
            return refused
        told = "; ".join(part for part in (refused.detail, outcome.detail) if part)
        return replace(outcome, detail=told) if outcome.ok else refused

    async def _lift(self, link: Link) -> Outcome:
        """Let the number limit nothing, if it is ours."""
        slot = self.slot
        if self._plain.ours(slot, link):
            return await self._plain.release(slot, link)
        settled = slot.sent is not None or self._clock() - self._began > LATE
        if self.written and settled and link.limit_in_force is not None:
            # Whoever has changed it may one day write the same.
            slot.sent = None
            self._plain.recall(slot, None)
        return _NO_CHANGE

    def _concluded(self, outcome: Outcome) -> None:
        if outcome.status in UNANSWERED:
            # Nothing else tells that it may hold no longer.
            self.slot.sent = None
        self._attend()

    def _truly(self, outcome: Outcome, goal: Limit | None) -> Outcome:
        """Return what became of a wish that a profile of ours may still keep down."""
        lower = self._lower_profile(goal)
        if not outcome.ok or lower is None:
            return outcome
        told = f"no more than {lower.normalize():f} A until profiles can be sent again"
        return replace(outcome, status=OutcomeStatus.ACCEPTED, detail=told)

    def _lower_profile(self, goal: Limit | None) -> Decimal | None:
        """Return what profiles of ours allow, in A, if it is less than is wanted."""
        phases = self.slot.place.phases
        allowed = self._holdings.allowed(phases)
        if allowed is None or goal is None:
            return allowed
        # Both are rounded down, each in its own way.
        return allowed if allowed < in_ampere(goal, phases) - _ROUNDED else None

    # What ends by itself

    def _attend(self) -> None:
        """Renew in time what ends by itself."""
        slot = self.slot
        slot.cancel(Alarm.RENEWAL)
        if (sent := slot.sent) is not None and sent.ttl is not None:
            age = (self._clock() - sent.at).total_seconds()
            left = sent.ttl / 2 - age
            # What is left as it is for now is not renewed, however late it is.
            slot.arm(Alarm.RENEWAL, left if left > 0 else RETRY, self._renew_soon)

    def _renew_soon(self) -> None:
        self._errands.run(self._renew(), self.slot.place.id)

    async def _renew(self) -> None:
        slot = self.slot
        # Until it is known that it worked, it is tried again.
        wait = min(RETRY * 2.0 ** min(slot.refusals, 10), LONGEST_RETRY)
        slot.arm(Alarm.RENEWAL, wait, self._renew_soon)
        async with self._lock:
            outcome = await self.follow(anew=True)
        if outcome.ok:
            slot.refusals = 0
            return
        slot.refusals += outcome.status is OutcomeStatus.REJECTED
        slot.arm(Alarm.RENEWAL, wait, self._renew_soon)


def _raises(slot: Slot, goal: Limit) -> bool:
    """Return whether a wish is for more than what was sent last."""
    last = slot.last
    if last is None or last.amount is None:
        return False
    return in_ampere(goal, slot.place.phases) > last.amount
