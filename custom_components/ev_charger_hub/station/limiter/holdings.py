"""Holdings: which profiles of ours a station has, and what is sent to change that."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ..clock import Clock
from ..errors import NotConnected
from ..limits import LimitError, LimitErrorKind, in_ampere
from ..link import Limit, Link
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from ..profiles.ledger import UNANSWERED, UNKNOWN, Entry, Ledger
from ..profiles.model import ChargingProfile, Installed, Kind, ProfileCriteria, Purpose
from .budget import WRITES, Budget
from .knowledge import Knowledge
from .rungs import FIRST_ID, OVERLAY, Rung, Site
from .slot import Slot

FINDING = "writes"


class Holdings:
    """What a station has of ours, with as few writes as possible."""

    def __init__(
        self,
        station: ChargingStation,
        ledger: Ledger,
        knowledge: Knowledge,
        budget: Budget,
        clock: Clock,
    ) -> None:
        """Write down in `ledger` and `budget` what is sent."""
        self._station = station
        self._ledger = ledger
        self._knowledge = knowledge
        self._budget = budget
        self._clock = clock

    def entry(self, profile_id: int) -> Entry | None:
        """Return what the station has under an id of ours."""
        found = (one for one in self._ledger.entries if number(one) == profile_id)
        return next(found, None)

    def acknowledged(self, rung: Rung, limit: Limit) -> bool:
        """Return whether the station confirmed that it has this very profile."""
        entry = self.entry(rung.profile_id)
        return (
            entry is not None
            and entry.sure
            and rung.same(entry.installed.profile, limit)
        )

    def age(self, rung: Rung) -> float | None:
        """Return how many seconds ago a profile was sent."""
        if (entry := self.entry(rung.profile_id)) is None:
            return None
        return (self._clock() - entry.installed.set_at).total_seconds()

    def ids(self, slot: Slot, *, single: bool) -> set[int]:
        """Return the ids that our profiles for a place may have."""
        evse_id = slot.place.id
        ids = {OVERLAY + evse_id}
        if evse_id:
            ids.add(FIRST_ID[Purpose.TX] + evse_id)
            ids.add(FIRST_ID[Purpose.TX_DEFAULT] + evse_id)
        # The only EVSE of a station shares the station's maximum with the station.
        whole = self._station.whole.wanted_limit.value is not None or not single
        if whole != bool(evse_id):
            ids.add(FIRST_ID[Purpose.STATION_MAX])
        return ids

    def own(self, slot: Slot, *, single: bool) -> list[Entry]:
        """Return our profiles that serve a place."""
        ids = self.ids(slot, single=single)
        return [one for one in self._ledger.entries if number(one) in ids]

    def allowed(self, phases: int) -> Decimal | None:
        """Return what a station may give by our profiles, in A; None for no limit.

        They stay there while it is not connected.
        """
        there = {number(one): one for one in self._ledger.entries if self._counts(one)}
        limits = [_first(there, OVERLAY, FIRST_ID[Purpose.STATION_MAX])]
        for evse_id in self._station.evses:
            session, default = FIRST_ID[Purpose.TX], FIRST_ID[Purpose.TX_DEFAULT]
            of_session = _first(there, session + evse_id)
            under = _first(there, OVERLAY + evse_id, default + evse_id)
            limits.append(of_session or under)
        known = [amount_of(one, phases) for one in limits if one is not None]
        return min(known, default=None)

    def _counts(self, entry: Entry) -> bool:
        """Return whether a profile has not ended by itself."""
        installed = entry.installed
        schedule = installed.profile.schedule
        if schedule.duration is None:
            return True
        begun = schedule.start or installed.set_at
        ahead = self._station.skew.ahead if schedule.start else timedelta()
        return self._clock() + ahead < begun + timedelta(seconds=schedule.duration)

    async def clear(self, link: Link, profile_id: int) -> Outcome:
        """Remove a profile of ours; one that is not there is fine."""
        return await self._ledger.clear(link, ProfileCriteria(id=profile_id))

    async def clear_all(self, link: Link, ids: set[int]) -> Outcome:
        """Remove profiles of ours; NotConnected only if nothing was sent."""
        outcome = Outcome(status=OutcomeStatus.ACCEPTED)
        for index, one in enumerate(sorted(ids, reverse=True)):
            try:
                said = await self.clear(link, one)
            except NotConnected:
                if not index:
                    raise
                return Outcome(status=OutcomeStatus.NO_ANSWER)
            if not said.ok:
                return said
            if not outcome.answer or said.answer.lower() != UNKNOWN:
                outcome = said
        return outcome

    async def make_way(
        self, link: Link, slot: Slot, site: Site, rung: Rung, goal: Limit
    ) -> bool:
        """Clear our own lower profiles, which keep a TxProfile down (row S6)."""
        wanted = in_ampere(rung.amount(goal), rung.phases)
        lower = [
            one
            for one in self.own(slot, single=site.single)
            if one.installed.profile.purpose is not Purpose.TX
            and amount_of(one, rung.phases) < wanted
        ]
        for one in lower:
            await self.clear(link, number(one))
        return bool(lower)

    async def tidy(self, link: Link, slot: Slot, site: Site, kept: set[int]) -> None:
        """Remove what is left of other ways to limit a place."""
        for one in self.own(slot, single=site.single):
            if number(one) not in kept:
                with suppress(NotConnected):
                    await self.clear(link, number(one))

    async def send(
        self, link: Link, slot: Slot, site: Site, rung: Rung, limit: Limit
    ) -> Outcome:
        """Install a profile; raises LimitError if it must not be written again."""
        entry = self.entry(rung.profile_id)
        if not link.connected:
            raise NotConnected
        if rung.persisted:
            await self._spend(rung, limit, entry)
        if entry is not None:
            updated = await self._update(link, rung, limit, entry)
            if updated is not None and (updated.ok or updated.status in UNANSWERED):
                return updated
            # Whoever has forgotten the profile gets it anew.
        if self._clears_first(slot, site, rung, entry):
            await self.clear(link, rung.profile_id)
        return await self._install(
            link, rung, rung.profile(limit, self._station_time())
        )

    async def _update(
        self, link: Link, rung: Rung, limit: Limit, entry: Entry
    ) -> Outcome | None:
        """Give a dynamic profile that is there another limit; None if it cannot be."""
        if rung.kind is not Kind.DYNAMIC or not entry.sure:
            return None
        if (flexible := link.flexible) is None:
            return None
        before, now = entry.installed.profile, self._clock()
        profile = rung.profile(limit, now)
        old, new = before.schedule, profile.schedule
        if replace(before, schedule=new) != profile or old.unit is not new.unit:
            return None
        if old == new or old.periods[0].phases != new.periods[0].phases:
            # It is sent once more because it is the answer to something.
            return None
        installed = replace(entry.installed, profile=profile, set_at=now)
        return await self._ledger.update(flexible, replace(entry, installed=installed))

    def _station_time(self) -> datetime:
        # Told in our time, a profile of a station whose clock is off would not hold
        # now, or not end when we are gone.
        return self._clock() + self._station.skew.ahead

    async def _install(
        self, link: Link, rung: Rung, profile: ChargingProfile
    ) -> Outcome:
        installed = Installed(evse_id=rung.where, profile=profile, set_at=self._clock())
        return await self._ledger.install(link, Entry(installed=installed))

    def _clears_first(
        self, slot: Slot, site: Site, rung: Rung, entry: Entry | None
    ) -> bool:
        if not (site.support.replaces_by_clearing or site.learnt.replaces_by_clearing):
            return False
        # A TxProfile may be there of which we lost sight.
        lost = not rung.persisted and slot.fresh != rung.transaction_id
        return entry is not None or lost

    async def replace(
        self, link: Link, rung: Rung, limit: Limit, refused: Outcome
    ) -> Outcome:
        """Find out whether a second TxProfile is taken once the first is cleared.

        Easee takes none while one is there (row S3).
        """
        entry = self.entry(rung.profile_id)
        if (
            entry is None
            or rung.persisted
            or refused.status is not OutcomeStatus.REJECTED
            or self._knowledge.learnt.replaces_by_clearing is not None
            or not (await self.clear(link, rung.profile_id)).ok
        ):
            return refused
        profile = rung.profile(limit, self._station_time())
        outcome = await self._install(link, rung, profile)
        if outcome.ok:
            self._knowledge.learn(replaces_by_clearing=True)
        elif outcome.status is OutcomeStatus.REJECTED:
            self._knowledge.learn(replaces_by_clearing=False)
            # It was not that: what held before is better than nothing.
            await self._install(link, rung, entry.installed.profile)
        return outcome

    async def _spend(self, rung: Rung, limit: Limit, entry: Entry | None) -> None:
        now = self._clock()
        again_at = self._budget.again_at(now)
        if again_at is None:
            self._station.findings.pop(FINDING, None)
        else:
            self._station.findings[FINDING] = _exceeded(again_at)
            if entry is not None and entry.sure and _raises(entry, rung, limit):
                raise LimitError(
                    LimitErrorKind.WRITE_BUDGET, limit=limit, again_at=again_at
                )
        await self._budget.spend(now)


def number(entry: Entry) -> int:
    """Return the id of a profile."""
    return entry.installed.profile.id


def amount_of(entry: Entry, phases: int) -> Decimal:
    """Return the limit of a profile of ours, in A."""
    schedule = entry.installed.profile.schedule
    limit = Limit(value=schedule.periods[0].limit, unit=schedule.unit)
    return in_ampere(limit, phases)


def _first(there: dict[int, Entry], *ids: int) -> Entry | None:
    """Return the first of these profiles that is there."""
    return next((there[one] for one in ids if one in there), None)


def _raises(entry: Entry, rung: Rung, limit: Limit) -> bool:
    new = in_ampere(rung.amount(limit), rung.phases)
    return new > amount_of(entry, rung.phases)


def _exceeded(again_at: datetime) -> str:
    return f"exceeded: {WRITES} writes in 24 hours; again at {again_at.isoformat()}"
