"""The keeper: sees to it that what was accepted once holds, or goes."""

from collections.abc import Callable

from ..clock import Clock
from ..link import Capability, Limit
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..profiles.model import Purpose
from .climber import Climber
from .holdings import Holdings
from .knowledge import Knowledge
from .ladder import ladder
from .lookout import Lookout
from .pacing import Change
from .plain import Plain
from .rungs import FIRST_ID
from .second_way import SecondWay
from .slot import Sent, Slot
from .verify import Standing, Verifier

FINDING = "conflict"
MAX_CONFLICTS = 2
"""How often a profile of our own is cleared out of the way in one transaction."""


class Keeper:
    """Restores limits, looks whether they hold, and removes them."""

    def __init__(
        self,
        station: ChargingStation,
        lookout: Lookout,
        climber: Climber,
        holdings: Holdings,
        knowledge: Knowledge,
        verifier: Verifier,
        clock: Clock,
        changed: Callable[[], None],
        *,
        plain: Plain,
        second: SecondWay,
    ) -> None:
        """Send what has to be sent by way of `climber`, `plain` or `second`."""
        self._plain = plain
        self._second = second
        self._station = station
        self._lookout = lookout
        self._climber = climber
        self._holdings = holdings
        self._knowledge = knowledge
        self._verifier = verifier
        self._clock = clock
        self._changed = changed

    async def restore(self, slot: Slot, goal: Limit) -> Outcome:
        """Make a limit hold again, and send only what is not in force."""
        lookout, link = self._lookout, self._lookout.link()
        if Capability.PROFILES not in link.capabilities:
            if self._second.exists:
                self._second.in_charge = True
                return await self._second.follow()
            return await self._plain.restore(slot, link, goal)
        site = lookout.site(slot, link)
        first = ladder(site, goal)[0]
        rung = first.rung
        if rung is None or rung.persisted or not lookout.fallen_back(site, first):
            return await self._climber.hold(slot, goal)
        if rung.duration is not None and not lookout.renewed(rung, goal):
            return await self._climber.hold(slot, goal, anew=True)
        # Until it is known whether it holds, a station that lost it ignores nothing.
        standing, said = await self._verifier.verify(slot, link, rung, goal, sent=False)
        # Before a number is lifted it has to be the profile that holds.
        sure = not self._second.written or self._holdings.acknowledged(rung, goal)
        if standing is Standing.EQUAL and sure:
            entry, at = self._holdings.entry(rung.profile_id), self._clock()
            if entry is not None:
                at = entry.installed.set_at
            slot.sent = Sent(limit=rung.amount(goal), goal=goal, at=at, rung=rung)
            self._changed()
            self._second.accepted(slot)
            return Outcome(status=OutcomeStatus.CONFIRMED, detail=said)
        return await self._climber.hold(slot, goal, anew=True)

    async def settle(self, slot: Slot) -> None:
        """Look once more when a limit should be followed; clear what is in its way."""
        link, sent = self._lookout.link(), slot.sent
        if sent is None or (rung := sent.rung) is None:
            return
        if Capability.PROFILES not in link.capabilities:
            return
        standing, said = await self._verifier.verify(slot, link, rung, sent.goal)
        self._station.findings.pop(FINDING, None)
        self._learn(slot, standing)
        if standing is not Standing.LOWER or rung.persisted:
            return
        conflict = f"EVSE {slot.place.id}: {sent.limit.value} {sent.limit.unit} wanted"
        if slot.conflicts >= MAX_CONFLICTS:
            self._station.findings[FINDING] = f"{conflict}, {said}"
            return
        site = self._lookout.site(slot, link)
        if not await self._holdings.make_way(link, slot, site, rung, sent.goal):
            capped = self._station.whole.wanted_limit.value is not None
            if site.support.default_caps and not capped:
                # A profile of somebody else, which is not ours to clear (row S6).
                self._station.findings[FINDING] = f"{conflict}, {said}"
            return
        slot.conflicts += 1
        outcome = await self._holdings.send(link, slot, site, rung, sent.goal)
        if outcome.ok:
            self._climber.note(slot, rung, sent.goal, sent=True)
            standing, _ = await self._verifier.verify(slot, link, rung, sent.goal)
            self._learn(slot, standing)
            if rung.duration is not None and standing is Standing.EQUAL:
                # With the fall-back out of the way it must not end by itself.
                await self._climber.hold(slot, sent.goal)

    def _learn(self, slot: Slot, standing: Standing) -> None:
        if standing is Standing.EQUAL and slot.conflicts:
            self._knowledge.learn(tx_default_caps=True)

    async def release(self, slot: Slot) -> Outcome:
        """Remove our own profiles by their ids; one that is not there is fine."""
        link, evse_id = self._lookout.link(), slot.place.id
        if Capability.PROFILES not in link.capabilities:
            if self._second.exists:
                return await self._second.hold()
            return await self._plain.release(slot, link)
        purpose = Purpose.TX_DEFAULT if evse_id else Purpose.STATION_MAX
        ids = {FIRST_ID[purpose] + evse_id} | self._lookout.mine(slot)
        if slot.transaction_id is not None:
            ids.add(FIRST_ID[Purpose.TX] + evse_id)
        outcome = await self._holdings.clear_all(link, ids)
        if outcome.ok:
            slot.sent, slot.unsafe = None, None
            phases = slot.wish.phases or self._station.settings.phases
            slot.last = Change(amount=None, at=self._clock(), phases=phases)
            self._changed()
            self._second.accepted(slot)
        return outcome
