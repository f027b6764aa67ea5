"""The climber: sends profiles until one is accepted, and asks what is in force."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ..clock import Clock
from ..errors import NotConnected
from ..limits import LimitError, in_ampere
from ..link import Capability, Limit, Link
from ..outcome import Outcome, OutcomeStatus
from ..profiles.ledger import UNANSWERED
from ..profiles.model import Kind, Purpose
from .holdings import Holdings
from .knowledge import Knowledge
from .ladder import Step, fallback, ladder
from .lookout import Lookout
from .pacing import Change
from .plain import Plain
from .rungs import FIRST_ID, OVERLAY, Layer, Rung, Site
from .second_way import SecondWay
from .slot import Sent, Slot
from .verify import Standing, Verifier, told

NOTED_WITHIN = timedelta(seconds=10)
"""After this time every station has taken note of its transaction."""

_ACCEPTED = Outcome(status=OutcomeStatus.ACCEPTED)


@dataclass(kw_only=True, slots=True)
class Climb:
    """One way up the ladder: where, for which limit, and what was said to it."""

    slot: Slot
    site: Site
    link: Link
    goal: Limit
    anew: bool = False
    """Send even what the station acknowledged."""
    refusals: list[str] = field(default_factory=list)
    refused: list[Purpose] = field(default_factory=list)

    @property
    def told(self) -> str:
        """Return every answer so far."""
        return "; ".join(self.refusals)


class Climber:
    """Makes a limit hold at a place by the first profile that works."""

    def __init__(
        self,
        lookout: Lookout,
        holdings: Holdings,
        knowledge: Knowledge,
        verifier: Verifier,
        clock: Clock,
        changed: Callable[[], None],
        *,
        plain: Plain,
        second: SecondWay,
    ) -> None:
        """Send nothing yet; call `changed` when something else holds."""
        self._plain = plain
        self._second = second
        self._lookout = lookout
        self._holdings = holdings
        self._knowledge = knowledge
        self._verifier = verifier
        self._clock = clock
        self._changed = changed

    async def hold(self, slot: Slot, goal: Limit, *, anew: bool = False) -> Outcome:
        """Make a limit hold by the first profile that the station accepts."""
        link = self._lookout.link()
        if Capability.PROFILES not in link.capabilities:
            if self._second.exists:
                return await self._hold_by_number(slot)
            return await self._plain.hold(slot, link, goal)
        outcome = await self._hold_by_profiles(slot, link, goal, anew=anew)
        if not self._second.exists:
            return outcome
        if not outcome.ok:
            return await self._second.stand_in(slot, goal, outcome)
        self._second.accepted(slot)
        return outcome

    async def _hold_by_number(self, slot: Slot) -> Outcome:
        outcome = await self._second.hold()
        if outcome.ok:
            slot.last = self._second.slot.last
        return outcome

    async def _hold_by_profiles(
        self, slot: Slot, link: Link, goal: Limit, *, anew: bool
    ) -> Outcome:
        site = self._lookout.site(slot, link)
        climb = Climb(slot=slot, site=site, link=link, goal=goal, anew=anew)
        outcome = Outcome(status=OutcomeStatus.REJECTED)
        supported = False
        for step in ladder(site, goal):
            try:
                outcome = await self._step(climb, step)
            except NotConnected:
                if not climb.refusals:
                    raise
                outcome = Outcome(status=OutcomeStatus.NO_ANSWER)
            if outcome.ok:
                return outcome
            if outcome.status in UNANSWERED:
                return replace(outcome, detail=climb.told or outcome.detail)
            supported |= outcome.status is not OutcomeStatus.NOT_SUPPORTED
        status = OutcomeStatus.REJECTED if supported else outcome.status
        return replace(outcome, status=status, detail=climb.told)

    async def _step(self, climb: Climb, step: Step) -> Outcome:
        under, rung = step.under, step.rung
        if under is not None:
            outcome = await self._lay_under(climb, under)
            if not outcome.ok:
                if outcome.status in UNANSWERED or rung is None or rung.persisted:
                    return outcome
                # What ends without anything below it would let everything through.
                under, rung = None, replace(rung, duration=None, max_offline=None)
        if rung is None:
            return await self._wait_for_session(climb, step)
        return await self._climb(climb, rung, under)

    async def _lay_under(self, climb: Climb, under: Rung) -> Outcome:
        """Install the fall-back profile, once."""
        limit = fallback(climb.site) or climb.goal
        try:
            outcome, used, sent = await self._try(climb, under, limit, anew=False)
        except LimitError:
            # An older fall-back is one, too.
            return _ACCEPTED
        if outcome.ok and sent:
            self._learn(climb.site, under, used, limit)
        return outcome

    async def _wait_for_session(self, climb: Climb, step: Step) -> Outcome:
        slot = climb.slot
        kept = {step.under.profile_id} if step.under is not None else set()
        await self._holdings.tidy(climb.link, slot, climb.site, kept)
        slot.sent, slot.unsafe = None, None
        self._changed()
        limit = fallback(climb.site)
        current = f"{limit.value} {limit.unit}" if limit is not None else "nothing"
        return Outcome(
            status=OutcomeStatus.SCHEDULED,
            detail=f"sent when a session starts; until then {current} holds",
        )

    async def _climb(self, climb: Climb, rung: Rung, under: Rung | None) -> Outcome:
        if climb.site.learnt.tx_default_caps and not rung.persisted:
            await self._holdings.make_way(
                climb.link, climb.slot, climb.site, rung, climb.goal
            )
        stray = rung.persisted and rung.layer is Layer.ONLY
        if stray and self._holdings.entry(OVERLAY + rung.where):
            # A profile of the same level takes its place only by the book.
            await self._holdings.clear(climb.link, OVERLAY + rung.where)
        outcome, used, sent = await self._try(climb, rung, climb.goal, anew=climb.anew)
        if not outcome.ok:
            said = outcome.answer and outcome.status not in UNANSWERED
            if said and not self._hasty(climb.slot, rung):
                climb.refused.append(rung.purpose)
            return outcome
        self.note(climb.slot, used, climb.goal, sent=sent)
        if sent:
            if used == rung or not self._hasty(climb.slot, rung):
                self._learn(climb.site, rung, used, climb.goal)
            self._knowledge.accept(used.purpose)
            self._knowledge.refuse(climb.refused)
        self._tell_safety(climb, used, under)
        kept = {used.profile_id} | ({under.profile_id} if under else set())
        if not used.persisted:
            kept |= {FIRST_ID[Purpose.TX_DEFAULT] + used.where}
            kept |= {FIRST_ID[Purpose.STATION_MAX]}
        await self._holdings.tidy(climb.link, climb.slot, climb.site, kept)
        return await self._verified(climb, used, outcome, sent=sent)

    def _hasty(self, slot: Slot, rung: Rung) -> bool:
        """Return whether a refusal may come from the transaction, not the profile."""
        if rung.persisted:
            return False
        if rung.transaction_id == slot.doubtful:
            return True
        # Some refuse a TxProfile until they have taken note of their transaction.
        known_at = slot.known_at
        hasty = known_at is not None and self._clock() - known_at < NOTED_WITHIN
        return hasty or slot.transaction_id != rung.transaction_id

    async def _try(
        self, climb: Climb, rung: Rung, limit: Limit, *, anew: bool
    ) -> tuple[Outcome, Rung, bool]:
        """Return the last answer, the variant it is for, and whether it was sent."""
        if not anew and self._may_stay(climb, rung, limit):
            return _ACCEPTED, rung, False
        outcome, used = Outcome(status=OutcomeStatus.REJECTED), rung
        # What died with the power takes no profile, however it is worded.
        doubtful = not rung.persisted and rung.transaction_id == climb.slot.doubtful
        for used in climb.site.variants(rung, limit):
            outcome = await self._holdings.send(
                climb.link, climb.slot, climb.site, used, limit
            )
            if outcome.ok:
                break
            climb.refusals.append(f"{used}: {told(outcome)}")
            if outcome.status is not OutcomeStatus.REJECTED or doubtful:
                break
        if not outcome.ok:
            used = rung
            if not doubtful:
                outcome = await self._holdings.replace(climb.link, used, limit, outcome)
        return outcome, used, True

    def _may_stay(self, climb: Climb, rung: Rung, limit: Limit) -> bool:
        if not self._holdings.acknowledged(rung, limit):
            return False
        if rung.persisted:
            return rung.duration is None or self._lookout.renewed(rung, limit)
        # A reboot may have lost it, or a restart of ours made us forget that.
        return climb.slot.sent is not None and self._lookout.renewed(rung, limit)

    def note(self, slot: Slot, used: Rung, goal: Limit, *, sent: bool) -> None:
        """Remember what a station accepted, and when it was sent."""
        now = self._clock()
        entry = self._holdings.entry(used.profile_id)
        at = entry.installed.set_at if entry is not None else now
        slot.sent = Sent(limit=used.amount(goal), goal=goal, at=at, rung=used)
        if sent:
            slot.last = Change(
                amount=in_ampere(goal, used.phases),
                at=now,
                persisted=used.persisted,
                phases=used.phases,
            )
        self._changed()

    def _learn(self, site: Site, rung: Rung, used: Rung, limit: Limit) -> None:
        facts: dict[str, object] = {}
        if site.support.units is None:
            facts["unit"] = used.unit
        amount = used.amount(limit).value
        if used.decimals != rung.decimals:
            facts["decimals"] = False
        elif amount != amount.to_integral_value():
            facts["decimals"] = True
        if rung.kind is Kind.DYNAMIC:
            facts["dynamic"] = used.kind is Kind.DYNAMIC
        if used.purpose is not Purpose.STATION_MAX and used.kind is not Kind.DYNAMIC:
            facts["kind"] = used.kind
        if used.stack_level != rung.stack_level or (
            used.stack_level and used.layer is not Layer.UNDER
        ):
            facts["stack_level"] = used.stack_level
        if rung.duration is not None and used.kind is rung.kind:
            facts["durations"] = used.duration is not None
        self._knowledge.learn(**facts)

    def _tell_safety(self, climb: Climb, used: Rung, under: Rung | None) -> None:
        slot = climb.slot
        slot.unsafe = None
        if fallback(climb.site) and (under is None or not used.ends):
            slot.unsafe = f"impossible: EVSE {slot.place.id} is limited by {used}"

    # What is in force

    async def _verified(
        self, climb: Climb, used: Rung, outcome: Outcome, *, sent: bool
    ) -> Outcome:
        slot = climb.slot
        standing, said = await self._verifier.verify(
            slot, climb.link, used, climb.goal, sent=sent
        )
        if not sent and self._lost(climb, used, standing):
            # What the station acknowledged once is gone.
            outcome = await self._holdings.send(
                climb.link, slot, climb.site, used, climb.goal
            )
            if not outcome.ok:
                return outcome
            self.note(climb.slot, used, climb.goal, sent=True)
            standing, said = await self._verifier.verify(
                slot, climb.link, used, climb.goal, sent=True
            )
        if standing is Standing.EQUAL:
            return replace(outcome, status=OutcomeStatus.CONFIRMED, detail=said)
        return replace(outcome, detail=said)

    def _lost(self, climb: Climb, used: Rung, standing: Standing) -> bool:
        slot = climb.slot
        if used.persisted:
            if standing is not Standing.HIGHER or used.profile_id in slot.rewritten:
                return False
            # Written again once a boot: that is no way to argue with a station.
            slot.rewritten.add(used.profile_id)
            return True
        settled = (self._holdings.age(used) or 0) > climb.site.support.settling
        return settled and standing in {Standing.HIGHER, Standing.LOWER}
