"""Verification: how the limit that a station says is in force stands to ours."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from ..enums import RateUnit
from ..errors import NotConnected
from ..link import Limit, Link
from ..outcome import Outcome, OutcomeStatus
from ..profiles.model import VOLTAGE, CompositePeriod, CompositeSchedule
from .knowledge import Knowledge
from .rungs import Rung
from .slot import Slot

COMPOSITE_DURATION = 60
"""For how many seconds a schedule is asked: what holds now."""

TOLERANCE = Fraction(1, 10)
"""How far apart two limits in A may be that were rounded on different ways."""

_PATIENCE = 2
"""So often in a row a station may leave us without an answer before we ask no more."""


class Standing(StrEnum):
    """How the limit in force stands to the one we want."""

    UNKNOWN = "unknown"
    EQUAL = "equal"
    LOWER = "lower"
    HIGHER = "higher"


class Verifier:
    """Asks a station what its profiles come to."""

    def __init__(self, knowledge: Knowledge, changed: Callable[[], None]) -> None:
        """Call `changed` when the station said something."""
        self._knowledge = knowledge
        self._changed = changed
        self.composites: dict[int, CompositeSchedule] = {}
        self._silences = 0

    async def verify(
        self, slot: Slot, link: Link, rung: Rung, goal: Limit, *, sent: bool = True
    ) -> tuple[Standing, str]:
        """Ask what is in force, and compare; NotConnected only if nothing was sent."""
        told = await self._ask(slot, link, rung, goal, sent=sent)
        slot.standing = told[0]
        return told

    async def _ask(
        self, slot: Slot, link: Link, rung: Rung, goal: Limit, *, sent: bool
    ) -> tuple[Standing, str]:
        if self._knowledge.learnt.composite is False:
            return Standing.UNKNOWN, "not verified: not supported"
        try:
            answer, composite = await link.composite_schedule(
                slot.place.id, COMPOSITE_DURATION, rung.unit
            )
        except NotConnected:
            if not sent:
                raise
            return Standing.UNKNOWN, "not verified: disconnected"
        # One answer that is late, as in a moment of bad Wi-Fi, says nothing about it.
        silent = answer.status is OutcomeStatus.TIMED_OUT
        self._silences = self._silences + 1 if silent else 0
        if self._silences >= _PATIENCE or answer.status is OutcomeStatus.NOT_SUPPORTED:
            self._knowledge.learn(composite=False)
        if not answer.ok:
            return Standing.UNKNOWN, f"not verified: {told(answer)}"
        if composite is not None:
            self._knowledge.learn(composite=True)
            self.composites[slot.place.id] = composite
            self._changed()
        return compare(rung.amount(goal), composite, rung.phases)


def compare(
    ours: Limit, composite: CompositeSchedule | None, phases: int
) -> tuple[Standing, str]:
    """Return how a composite schedule stands now to a limit, and what it says."""
    if composite is None:
        return Standing.UNKNOWN, "not verified: no schedule"
    period = next((one for one in composite.periods if one.start == 0), None)
    if period is None or period.limit is None:
        return Standing.HIGHER, "in force: no limit"
    told = f"in force: {_digits(period.limit)} {composite.unit}"
    there = _ampere(period.limit, composite.unit, _phases(period, phases))
    here = _ampere(Fraction(ours.value), ours.unit, phases)
    if abs(there - here) <= TOLERANCE:
        return Standing.EQUAL, told
    return (Standing.LOWER if there < here else Standing.HIGHER), told


def _phases(period: CompositePeriod, phases: int) -> int:
    return period.phases if period.phases in {1, 2, 3} else phases


def _ampere(value: Fraction, unit: RateUnit, phases: int) -> Fraction:
    return value if unit is RateUnit.AMPERE else value / Fraction(VOLTAGE * phases)


def _digits(value: Fraction) -> str:
    amount = Decimal(value.numerator) / value.denominator
    return f"{amount.normalize():f}"


def told(outcome: Outcome) -> str:
    """Return what a station said, in its own words."""
    words = ": ".join(part for part in (outcome.answer, outcome.detail) if part)
    return words or outcome.status.value
