"""Which profile leads at one place at every moment, and what limit follows from it."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cached_property
from heapq import heappop, heappush

from ..enums import RateUnit
from .convert import converted
from .model import (
    ChargingProfile,
    Circumstances,
    CompositePeriod,
    Installed,
    Period,
    Purpose,
)
from .timeline import Span, held

NOTHING_LEFT = Fraction(0)


class _Lane(IntEnum):
    """What is compared with each other; of equal limits the first is named."""

    CHARGING = 0
    STATION_MAX = 1
    EXTERNAL_OWN = 2
    EXTERNAL_STATION = 3
    GENERATION = 4


@dataclass(eq=False)
class _Stretch:
    """A span in which one period of a profile holds; the lowest rank leads."""

    rank: int
    begin: int
    end: int
    period: Period
    profile: ChargingProfile
    circumstances: Circumstances

    @cached_property
    def amperes(self) -> Fraction:
        """Return the limit of each phase (K01.FR.49, K01.FR.50)."""
        return converted(
            self.period.limit,
            self.profile.schedule.unit,
            RateUnit.AMPERE,
            phases=self.period.phases or self.circumstances.phases,
            voltage=self.circumstances.voltage,
        )

    @property
    def phase_to_use(self) -> int | None:
        """Return the phase that it insists on, which takes a single one (K01.FR.19)."""
        return self.period.phase_to_use if self.period.phases == 1 else None


@dataclass(kw_only=True, slots=True, frozen=True)
class Question:
    """What is asked about one place, an EVSE or with 0 the station, and what is so."""

    evse_id: int
    window: Span
    unit: RateUnit
    circumstances: Circumstances


def together[T](
    timelines: Iterable[Iterable[tuple[int, T]]],
) -> Iterator[tuple[int, list[T]]]:
    """Yield what is so in each timeline whenever one changes; all start together."""
    queues = [deque(timeline) for timeline in timelines]
    for moment in sorted({moment for queue in queues for moment, _ in queue}):
        for queue in queues:
            if len(queue) > 1 and queue[1][0] == moment:
                queue.popleft()
        yield moment, [queue[0][1] for queue in queues]


def limits(profiles: Sequence[Installed], question: Question) -> list[CompositePeriod]:
    """Return the limits at one place, a new one whenever another period leads.

    `profiles` are those that none replaced, of equal stack levels the one that leads
    first.
    """
    begin, _ = question.window
    lanes: dict[_Lane, list[_Stretch]] = {lane: [] for lane in _Lane}
    for rank, (lane, one) in enumerate(_ranked(profiles, question)):
        lanes[lane].extend(_stretches(one, rank, question))
    leads = [_leads(stretches, question.window) for stretches in lanes.values()]
    return [
        _period(moment - begin, leading, question)
        for moment, leading in together(leads)
    ]


def _leads(
    stretches: list[_Stretch], window: Span
) -> Iterator[tuple[int, _Stretch | None]]:
    """Yield who leads in one lane from when on, None where nobody does."""
    begin, end = window
    coming = deque(sorted(stretches, key=lambda one: one.begin))
    edges = {edge for one in stretches for edge in (one.begin, one.end)}
    running: list[tuple[int, int, _Stretch]] = []
    before = None
    for edge in sorted(edges | {begin}):
        while coming and coming[0].begin <= edge:
            one = coming.popleft()
            heappush(running, (one.rank, one.begin, one))
        while running and running[0][-1].end <= edge:
            heappop(running)
        leading = running[0][-1] if running else None
        if edge == begin or (leading is not before and edge < end):
            yield edge, leading
            before = leading


def _ranked(
    profiles: Sequence[Installed], question: Question
) -> Iterator[tuple[_Lane, Installed]]:
    """Yield the profiles that matter at a place, those that lead before the others."""
    placed = [
        (precedence, -one.profile.stack_level, order, lane, one)
        for order, one in enumerate(profiles)
        for lane, precedence in _places(one, question)
    ]
    for *_, lane, one in sorted(placed, key=lambda each: each[:3]):
        yield lane, one


def _places(one: Installed, question: Question) -> Iterator[tuple[_Lane, int]]:
    """Yield where a profile counts, if anywhere, and how much before others."""
    own, whole = one.evse_id == question.evse_id, one.evse_id == 0
    circumstances = question.circumstances
    if not (own or whole):
        return
    match one.profile.purpose:
        case Purpose.STATION_MAX if whole:
            yield _Lane.STATION_MAX, 0
        case Purpose.EXTERNAL:
            yield (_Lane.EXTERNAL_STATION if whole else _Lane.EXTERNAL_OWN), 0
        case _ if question.evse_id == 0:
            return
        case Purpose.LOCAL_GENERATION:
            yield _Lane.GENERATION, whole
        case Purpose.PRIORITY if circumstances.priority:
            yield _Lane.CHARGING, whole
        case Purpose.TX if own and _runs(one, circumstances):
            yield _Lane.CHARGING, 2
        case Purpose.TX_DEFAULT:
            yield _Lane.CHARGING, 3 + whole


def _runs(one: Installed, circumstances: Circumstances) -> bool:
    """Return whether the transaction of a TxProfile runs."""
    running = circumstances.transaction_id
    return running is not None and one.profile.transaction_id in (None, running)


def _stretches(one: Installed, rank: int, question: Question) -> Iterator[_Stretch]:
    circumstances = question.circumstances
    for begin, end, period in held(one, question.window, circumstances):
        yield _Stretch(rank, begin, end, period, one.profile, circumstances)


def _period(
    start: int, leads: Sequence[_Stretch | None], question: Question
) -> CompositePeriod:
    """Return what follows from who leads in each lane."""
    *bounds, generation = leads
    circumstances = question.circumstances
    present = [one for one in bounds if one is not None]
    if not present:
        return CompositePeriod(start=start, limit=None)
    amounts = [one.amperes for one in present]
    if generation is not None and present[0] is bounds[_Lane.CHARGING]:
        amounts[0] += generation.amperes
    amperes = min(amounts)
    profile = present[amounts.index(amperes)].profile
    named = [one.period.phases for one in present if one.period.phases]
    wanted = {one.phase_to_use for one in present} - {None}
    if len(wanted) > 1:
        amperes = NOTHING_LEFT
    return CompositePeriod(
        start=start,
        limit=converted(
            amperes,
            RateUnit.AMPERE,
            question.unit,
            phases=min([circumstances.phases, *named]),
            voltage=circumstances.voltage,
        ),
        phases=min(named, default=None),
        phase_to_use=wanted.pop() if len(wanted) == 1 else None,
        purpose=profile.purpose,
        profile_id=profile.id,
    )
