"""Plain: limits at a station that takes one number instead of profiles."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any, Final

from ..clock import Clock
from ..errors import StationError
from ..journal import Journal
from ..limits import in_ampere
from ..link import Capability, Limit, Link, LinkKind
from ..model import ChargingStation
from ..outcome import Outcome, OutcomeStatus
from .effective import LEAST
from .pacing import Change
from .slot import Alarm, Sent, Slot

FACT: Final = "limits_written"
FINDING: Final = "contested"

LASTS: Final = 600
"""Seconds after which a limit ends unless it is renewed, if there is a fall-back."""

SAME: Final = Decimal("0.05")
"""How far apart, in A, two readings of one number may be."""

FIGHTS: Final = ((3, timedelta(minutes=10)), (8, timedelta(hours=6)))
"""So often within such a time a limit is restored that somebody else changes."""

_BOTH = frozenset({LinkKind.OCPP, LinkKind.EASEE})
_TENTH = Decimal("0.1")


def has_two_ways(station: ChargingStation) -> bool:
    """Return whether a station may be limited by profiles, and by a number of a cloud."""
    return station.ways >= _BOTH


def is_plain(station: ChargingStation) -> bool:
    """Return whether a station has one limit, and no profiles, by all its links."""
    if has_two_ways(station):
        return False
    carried = [link.capabilities for link in station.links]
    return any(Capability.SINGLE_LIMIT in one for one in carried) and not any(
        Capability.PROFILES in one for one in carried
    )


def chosen_elsewhere(station: ChargingStation) -> bool:
    """Return whether phases are chosen without a profile."""
    if not has_two_ways(station):
        return is_plain(station)
    return not any(
        Capability.PROFILES in link.capabilities
        and link.profile_support.phase_switching
        for link in station.links
    )


def place_of(station: ChargingStation, evse_id: int) -> int:
    """Return at which place a limit is kept: the only one there is, at the first EVSE."""
    if evse_id or not is_plain(station):
        return evse_id
    return min(station.evses, default=evse_id)


def same(one: Decimal | None, other: Decimal | None) -> bool:
    """Return whether two currents in A are known, and the same."""
    return one is not None and other is not None and abs(one - other) <= SAME


@dataclass(kw_only=True, slots=True, frozen=True)
class Written:
    """What we wrote last, in A, and when it ends by itself.

    Until it is known to have got there, what we wrote `before` may still stand.
    """

    amount: Decimal
    ends: datetime | None = None
    before: Decimal | None = None

    @property
    def amounts(self) -> tuple[Decimal | None, ...]:
        """Return what may stand there and is ours."""
        return self.amount, self.before


class Plain:
    """Writes limits as a number, and knows whose the number is that stands there."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        """Know nothing until `load`; call `changed` when something else holds."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._changed = changed
        self._written: dict[int, Written] = {}
        self._fights: dict[int, deque[datetime]] = {}
        self._contested: set[int] = set()
        """Where somebody else is let have it their way for now."""

    async def load(self) -> None:
        """Bring back what was written before a restart."""
        kept = await self._journal.load(self._station.identity, FACT)
        for evse_id, written in (kept if isinstance(kept, dict) else {}).items():
            if evse_id.isdecimal() and (known := _parse(written)) is not None:
                self._written[int(evse_id)] = known

    # What holds

    def amount(self, slot: Slot, goal: Limit) -> Decimal:
        """Return a limit as it is written: in A, rounded down to a tenth.

        No vehicle can be limited to less than 6 A: it is paused instead.
        """
        amount = in_ampere(goal, slot.place.phases).quantize(_TENTH, ROUND_DOWN)
        return amount if amount >= LEAST else Decimal(0)

    def holds(self, slot: Slot, link: Link, goal: Limit) -> bool:
        """Return whether nothing has to be sent for a limit, as far as is known."""
        sent = slot.sent
        if sent is None or not self._sent_for(slot, goal):
            return False
        if Capability.SINGLE_LIMIT not in link.capabilities:
            return True
        return (sent.ttl is not None) == self._dies(link)

    def _sent_for(self, slot: Slot, goal: Limit) -> bool:
        """Return whether what the station accepted last was meant for a limit."""
        if slot.sent is None or slot.sent.goal != goal:
            return False
        # As many W are more A if there are fewer phases.
        last = None if slot.last is None else slot.last.amount
        return last is None or last == self.amount(slot, goal)

    def _stands(self, slot: Slot, goal: Limit) -> bool:
        """Return whether what was accepted last is to be in force now."""
        if slot.sent is not None and slot.due(Alarm.DEFERRED):
            return True
        return self._sent_for(slot, goal)

    def ours(self, slot: Slot, link: Link) -> bool:
        """Return whether what stands there was written by us."""
        if Capability.SINGLE_LIMIT not in link.capabilities:
            return slot.sent is not None
        if slot.place.id != place_of(self._station, slot.place.id):
            return False
        written = self.written(slot)
        amounts = () if written is None else written.amounts
        ours = (link.limit_written, *amounts)
        return any(same(one, link.limit_in_force) for one in ours)

    def as_wanted(self, slot: Slot, link: Link, goal: Limit | None) -> bool:
        """Return whether what stands there is what was sent, or else what is wanted."""
        self._arrived(slot, link)
        if goal is None:
            # What is left over goes; what others have written is none of our business.
            return not self.ours(slot, link)
        if slot.sent is not None and self._stands(slot, goal):
            return same(slot.sent.limit.value, link.limit_in_force)
        return same(self.amount(slot, goal), link.limit_in_force)

    def _dies(self, link: Link) -> bool:
        """Return whether a limit has to end by itself, so that a fall-back follows."""
        falls_back = self._station.settings.fallback_current is not None
        return falls_back and Capability.SINGLE_LIMIT in link.capabilities

    # What is written

    async def hold(self, slot: Slot, link: Link, goal: Limit) -> Outcome:
        """Make a limit hold."""
        amount = self.amount(slot, goal)
        dies = self._dies(link)
        await self.note(slot, amount, LASTS if dies else None)
        limit = Limit(value=amount)
        with self._told_if_it_fails():
            if dies:
                outcome = await link.set_limit(slot.place.id, limit, LASTS)
            else:
                outcome = await link.set_limit(slot.place.id, limit)
        if outcome.ok:
            self._take(slot, link, goal, LASTS if dies else None)
        else:
            self._changed()
        return outcome

    @contextmanager
    def _told_if_it_fails(self) -> Iterator[None]:
        """Have it looked at later what holds, if something cannot be sent now."""
        try:
            yield
        except StationError:
            self._changed()
            raise

    async def restore(self, slot: Slot, link: Link, goal: Limit) -> Outcome:
        """Make a limit hold again, and send nothing if it does already."""
        if Capability.SINGLE_LIMIT not in link.capabilities:
            return await self.hold(slot, link, goal)
        in_force = link.limit_in_force
        if self._paused_by_others(slot, link, goal):
            return Outcome(status=OutcomeStatus.CONFIRMED, answer="paused by others")
        if same(in_force, self.amount(slot, goal)) and not self._dies(link):
            self._take(slot, link, goal, None)
            return Outcome(status=OutcomeStatus.CONFIRMED, answer="no change")
        return await self.hold(slot, link, goal)

    async def release(self, slot: Slot, link: Link) -> Outcome:
        """Let no limit of ours hold."""
        with self._told_if_it_fails():
            outcome = await link.clear_limit(slot.place.id)
        if outcome.ok:
            slot.sent, slot.unsafe = None, None
            slot.last = Change(amount=None, at=self._clock(), phases=slot.place.phases)
            self._forgive(slot)
            if self.written(slot) is not None:
                self.recall(slot, None)
        self._changed()
        return outcome

    async def note(self, slot: Slot, amount: Decimal, lasts: int | None = None) -> None:
        """Know for good what we are about to write, and when it ends by itself."""
        ends = None if lasts is None else self._clock() + timedelta(seconds=lasts)
        before = self.written(slot)
        if before is not None and same(before.amount, amount):
            self._written[slot.place.id] = replace(before, ends=ends)
            # A renewal is not worth waiting for the disk.
            self._store()
            return
        stood = None if before is None else before.amount
        if before is not None and before.before == 0:
            # The same pause may go on.
            stood = before.before
        self._written[slot.place.id] = Written(amount=amount, ends=ends, before=stood)
        await self._journal.store(self._station.identity, FACT, self._dump())

    def written(self, slot: Slot) -> Written | None:
        """Return what we wrote last."""
        return self._written.get(slot.place.id)

    def recall(self, slot: Slot, written: Written | None) -> None:
        """Know again what was written, because what came in between is over."""
        if written is None:
            self._written.pop(slot.place.id, None)
        else:
            self._written[slot.place.id] = written
        self._store()

    def _take(self, slot: Slot, link: Link, goal: Limit, ttl: int | None) -> None:
        """Remember what the station accepted."""
        now, phases = self._clock(), slot.place.phases
        amount = self.amount(slot, goal)
        limit = Limit(value=amount)
        if Capability.SINGLE_LIMIT in link.capabilities:
            # It may be less than was asked for, or for a start a little more.
            written = link.limit_written
            limit = replace(limit, value=amount if written is None else written)
            self._arrived(slot, link)
        slot.sent = Sent(limit=limit, goal=goal, at=now, ttl=ttl)
        slot.last = Change(amount=amount, at=now, phases=phases)
        slot.unsafe = self._unsafe(link, ttl)
        self._changed()

    def _arrived(self, slot: Slot, link: Link) -> None:
        """Take note that nothing older stands there any more."""
        written, in_force = self.written(slot), link.limit_in_force
        if written is None or written.before is None or in_force is None:
            return
        # What was accepted may not be reported yet.
        if not same(written.before, in_force):
            self.recall(slot, replace(written, before=None))

    def _unsafe(self, link: Link, ttl: int | None) -> str | None:
        """Return why what follows when we are gone is more than the fall-back."""
        fallback = self._station.settings.fallback_current
        follows = None if ttl is None else link.limit_afterwards
        if fallback is None or follows is None or follows <= fallback:
            return None
        return f"exceeded: {follows.normalize():f}"

    # What others write

    def _paused_by_others(self, slot: Slot, link: Link, goal: Limit) -> bool:
        """Return whether somebody else paused, which is up to them."""
        if link.limit_in_force != 0 or goal.value == 0 or link.limit_written == 0:
            return False
        written = self.written(slot)
        if written is None or 0 in written.amounts:
            return False
        return written.ends is None or self._clock() < written.ends

    def lost(self, slot: Slot, link: Link, goal: Limit, *, natural: bool) -> bool:
        """Take note that something else holds; return whether that is to be changed.

        A loss is `natural` if the station forgets by itself, as it does when a
        vehicle is plugged in.
        """
        written = self.written(slot)
        if written is not None and written.ends is not None:
            natural |= written.ends <= self._clock()
        held = self._stands(slot, goal)
        if slot.sent is not None:
            slot.sent = None
            self._changed()
        if self._paused_by_others(slot, link, goal):
            return False
        if natural:
            self._forgive(slot)
            return True
        if not held and slot.place.id not in self._contested:
            # What never got there is nobody's doing.
            return True
        return self._fight(slot, link)

    def _fight(self, slot: Slot, link: Link) -> bool:
        """Return whether a limit is to be restored once more."""
        longest = max(window for _, window in FIGHTS)
        now = self._clock()
        fights = self._fights.setdefault(slot.place.id, deque())
        while fights and not now - longest < fights[0] <= now:
            fights.popleft()
        if any(
            sum(one > now - window for one in fights) >= often
            for often, window in FIGHTS
        ):
            self._contested.add(slot.place.id)
            self._station.findings[FINDING] = (
                f"EVSE {slot.place.id}: another system sets {link.limit_in_force} A"
            )
            return False
        self._settle(slot)
        fights.append(now)
        return True

    def _forgive(self, slot: Slot) -> None:
        self._fights.pop(slot.place.id, None)
        self._settle(slot)

    def _settle(self, slot: Slot) -> None:
        self._contested.discard(slot.place.id)
        self._station.findings.pop(FINDING, None)

    # What is kept

    def _store(self) -> None:
        self._journal.store_soon(self._station.identity, FACT, self._dump())

    def _dump(self) -> dict[str, Any]:
        return {
            str(evse_id): [
                str(one.amount),
                one.ends and one.ends.isoformat(),
                None if one.before is None else str(one.before),
            ]
            for evse_id, one in sorted(self._written.items())
        }


def _parse(kept: Any) -> Written | None:
    """Return what was dumped, None if it cannot be read."""
    try:
        amount, ends, before = kept
        return Written(
            amount=Decimal(amount),
            ends=ends and datetime.fromisoformat(ends),
            before=None if before is None else Decimal(before),
        )
    except InvalidOperation, TypeError, ValueError:
        return None
