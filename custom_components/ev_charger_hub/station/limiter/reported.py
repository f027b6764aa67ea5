"""Reported: what a station with a single limit tells of it, and what follows from that."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from ..errors import NotConnected, NotSupported, StationError
from ..link import Capability, Limit, Link
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from .attendant import Attendant
from .plain import Plain, is_plain
from .second_way import Role, SecondWay
from .slot import Slot
from .wishes import Wishes

FINDING = "phases"


class Reported:
    """Keeps what is wanted, and what a station tells, in line."""

    def __init__(
        self,
        station: ChargingStation,
        wishes: Wishes,
        plain: Plain,
        attendant: Attendant,
        second: SecondWay,
    ) -> None:
        """Serve one station."""
        self._second = second
        self._station = station
        self._wishes = wishes
        self._plain = plain
        self._attendant = attendant

    @property
    def _link(self) -> Link | None:
        with suppress(NotConnected, NotSupported):
            return self._station.link(Capability.SINGLE_LIMIT)
        return None

    # The limit

    def as_wanted(self, evse_id: int) -> bool:
        """Return whether what the station says is in force is what we want, if told."""
        if self._second.exists:
            return self._second.as_wanted()
        link, slot = self._link, self._wishes.slot(evse_id)
        if link is None or link.limit_in_force is None or not is_plain(self._station):
            return True
        return self._plain.as_wanted(slot, link, self._wishes.goal(slot))

    def lasting(self, evse_id: int) -> bool:
        """Return whether what is in force is what we want, and will be."""
        sent = self._slot(evse_id).sent
        return (sent is None or sent.ttl is None) and self.as_wanted(evse_id)

    def _slot(self, evse_id: int) -> Slot:
        """Return what goes on with the limit that the station tells."""
        return self._second.slot if self._second.exists else self._wishes.slot(evse_id)

    def _goal(self, slot: Slot) -> Limit | None:
        if not self._second.exists:
            return self._wishes.goal(slot)
        limits = self._second.role() is Role.LIMITS
        return self._wishes.lowest() if limits else None

    def _follow_surely(self, slot: Slot) -> None:
        if self._second.exists:
            self._second.follow_soon()
        else:
            self._attendant.follow_surely(slot)

    def started(self, evse_id: int, *, charging: bool) -> bool:
        """Write what is wanted if a start, which was given more, is over.

        Return whether that is so.
        """
        link, slot = self._link, self._slot(evse_id)
        goal, sent = self._goal(slot), slot.sent
        if link is None or goal is None or sent is None or sent.rung is not None:
            return False
        more = sent.limit.value > self._plain.amount(slot, sent.goal)
        if not (charging and more and self._plain.as_wanted(slot, link, goal)):
            return False
        slot.sent = None
        self._follow_surely(slot)
        return True

    def lost(self, evse_id: int, *, natural: bool = False) -> None:
        """Take note that something else is in force than what we wrote.

        It is made to hold again, but somebody else who keeps on changing it is not
        fought for long, nor is a pause of theirs. A loss is `natural` if the station
        forgets by itself, as at plug-in.
        """
        link, slot = self._link, self._slot(evse_id)
        if link is None:
            return
        goal = self._goal(slot)
        if goal is None or self._plain.lost(slot, link, goal, natural=natural):
            self._follow_surely(slot)

    def begins_with(self, evse_id: int, limit: Limit) -> None:
        """Let a limit hold for the session that is open, or else the next one."""
        slot = self._wishes.slot(evse_id)
        if (key := slot.transaction_key) is None:
            self._attendant.started_with_limit(evse_id, None, limit, followed=False)
            return
        slot.show(replace(slot.wish, paused=None, started=(key, limit)))
        self._wishes.save_soon()
        self._attendant.follow_surely(slot)

    # The phases

    def phases_told(self, evse_id: int, phases: int | None) -> None:
        """Take over with how many phases the station is set to charge."""
        slot = self._wishes.slot(evse_id)
        counts = is_plain(self._station) or self._second.tells_phases
        if counts and slot.wish.phases != phases:
            slot.show(replace(slot.wish, phases=phases))
            self._wishes.save_soon()

    def _carrier(self) -> Link:
        return self._station.link(Capability.SINGLE_LIMIT)

    async def set_phases(self, slot: Slot) -> Outcome:
        """Have the station charge with as many phases as are wanted."""
        link, phases = self._carrier(), slot.wish.phases
        if slot.transaction_key is None:
            return await link.set_phases(slot.place.id, phases)
        # A session that is under way is paused for a moment: should we die in it, it is
        # known to be our pause.
        before = self._plain.written(slot)
        await self._plain.note(slot, Decimal(0))
        try:
            outcome = await link.set_phases(slot.place.id, phases)
        except StationError:
            self._plain.recall(slot, before)
            raise
        self._plain.recall(slot, before)
        return outcome

    async def phases_followed(self, evse_id: int, outcome: Outcome) -> Outcome:
        """Return what became of a wish for phases, by what is seen at the station."""
        slot = self._wishes.slot(evse_id)
        phases = slot.wish.phases
        self._station.findings.pop(FINDING, None)
        followed = await self._carrier().phases_followed(evse_id, phases)
        if followed is None or slot.wish.phases != phases:
            return outcome
        if followed:
            return replace(outcome, status=OutcomeStatus.CONFIRMED)
        told = f"still charges with another number of phases than {phases}"
        self._station.findings[FINDING] = told
        return Outcome(status=OutcomeStatus.REJECTED, answer="ignored", detail=told)
