"""The lookout: by which way a station is limited, and what holds there already."""

from contextlib import suppress

from ..clock import Clock
from ..errors import NotConnected, NotSupported
from ..link import Capability, Limit, Link
from ..model import ChargingStation
from ..profiles.model import ChargingProfile, ProfileSupport, Purpose
from .holdings import Holdings, number
from .knowledge import Knowledge
from .ladder import Step, fallback, ladder
from .plain import Plain
from .rungs import Rung, Site
from .second_way import SecondWay
from .slot import Slot
from .verify import Standing

EARLY = 1.0
"""So many seconds timers may run ahead of the clock."""


class Lookout:
    """Knows what there is to send for a limit, and whether it has to be sent."""

    def __init__(
        self,
        station: ChargingStation,
        holdings: Holdings,
        knowledge: Knowledge,
        clock: Clock,
        *,
        plain: Plain,
        second: SecondWay,
    ) -> None:
        """Look at a station, and at what it took from us."""
        self._station = station
        self._holdings = holdings
        self._knowledge = knowledge
        self._clock = clock
        self._plain = plain
        self._second = second

    def link(self) -> Link:
        """Return the link that limits; raises NotConnected or NotSupported."""
        try:
            return self._station.link(Capability.PROFILES)
        except NotSupported:
            return self._station.link(Capability.LIMIT)

    def site(self, slot: Slot, link: Link) -> Site:
        """Return what decides which rungs there are at a place."""
        support = link.profile_support
        evses = support.evses or len(self._station.evses)
        return Site(
            evse_id=slot.place.id,
            settings=self._station.settings,
            support=support,
            learnt=self._knowledge.learnt,
            single=evses == 1,
            transaction_id=slot.transaction_id,
            wanted_phases=slot.wish.phases,
        )

    def settling(self) -> int:
        """Return how many seconds an accepted profile may take until it is followed."""
        with suppress(NotConnected, NotSupported):
            link = self.link()
            if Capability.PROFILES in link.capabilities:
                return link.profile_support.settling
        return ProfileSupport().settling

    def profile_to_start_with(self, slot: Slot, limit: Limit) -> ChargingProfile:
        """Return the TxProfile of a remote start, which knows no transaction yet."""
        site = self.site(slot, self.link())
        now = self._clock() + self._station.skew.ahead
        return site.rung(Purpose.TX, limit).profile(limit, now)

    def persists(self, slot: Slot, goal: Limit) -> bool:
        """Return whether a limit would be written to memory that wears out."""
        link = self.link()
        if Capability.PROFILES not in link.capabilities:
            return False
        rung = ladder(self.site(slot, link), goal)[0].rung
        return rung is not None and rung.persisted

    def mine(self, slot: Slot) -> set[int]:
        """Return the ids of our profiles that serve a place now."""
        with suppress(NotConnected, NotSupported):
            single = self.site(slot, self.link()).single
            return {number(one) for one in self._holdings.own(slot, single=single)}
        return set()

    def limits(self, slot: Slot) -> bool:
        """Return whether a limit of ours is there, whether or not one is wanted."""
        with suppress(NotConnected, NotSupported):
            link = self.link()
            if Capability.PROFILES not in link.capabilities:
                if self._second.exists:
                    return not self._second.as_wanted()
                return self._plain.ours(slot, link)
        return bool(self.mine(slot))

    def holds(self, slot: Slot, goal: Limit) -> bool:
        """Return whether nothing has to be sent for a limit, as far as is known."""
        link = self.link()
        if Capability.PROFILES not in link.capabilities:
            if self._second.exists:
                # Profiles may be back in a moment.
                return not self._second.in_charge or self._second.holds()
            return self._plain.holds(slot, link, goal)
        site = self.site(slot, link)
        first, *others = ladder(site, goal)
        if not self.fallen_back(site, first):
            return False
        if (rung := first.rung) is None:
            return True
        if rung.persisted or self._holdings.entry(rung.profile_id) is not None:
            known = rung.persisted or slot.sent is not None
            return known and self.renewed(rung, goal)
        # Nothing was sent for this transaction: what is persisted may do.
        persisted = (step.rung for step in others if step.under is None)
        return not rung.ends and any(
            one is not None and self._holdings.acknowledged(one, goal)
            for one in persisted
        )

    def in_force(self, slot: Slot, goal: Limit) -> bool | None:
        """Return whether profiles hold a limit; None if that is yet to be seen."""
        with suppress(NotConnected, NotSupported):
            link = self._station.link(Capability.PROFILES)
            if not self.holds(slot, goal):
                return None
            if (sent := slot.sent) is None:
                # Until a session starts the fall-back is all there is.
                site = self.site(slot, link)
                return True if ladder(site, goal)[0].rung is None else None
            match slot.standing:
                case None:
                    return None
                case Standing.EQUAL | Standing.LOWER:
                    return True
                case standing:
                    age = (self._clock() - sent.at).total_seconds()
                    settled = age >= link.profile_support.settling - EARLY
                    return standing is Standing.UNKNOWN if settled else None
        return None

    def fallen_back(self, site: Site, step: Step) -> bool:
        """Return whether the fall-back that a step needs is in place."""
        limit = fallback(site)
        return (
            step.under is None
            or limit is None
            or self._holdings.acknowledged(step.under, limit)
        )

    def renewed(self, rung: Rung, goal: Limit) -> bool:
        """Return whether a station has a profile that will not end soon."""
        age = self._holdings.age(rung)
        in_time = rung.duration is None or (age is not None and age < rung.duration / 2)
        return in_time and self._holdings.acknowledged(rung, goal)
