"""Composite schedules: what all charging profiles together allow, and who says so.

At every moment (OCPP 1.6 3.13, 2.0.1 K01 and K08, 2.1 K21 and K27):

- Of the profiles of one purpose that one leads which has the highest stack level and
  whose validity and schedule cover the moment; lower ones show through its holes.
- An EVSE charges by PriorityCharging if that is activated, else by the TxProfile of its
  transaction, else by its own TxDefaultProfile, else by that of the station. A
  LocalGeneration is added to whichever of them leads, and means nothing alone.
- The limit is the lowest of that, of the maximum of the station and of the external
  constraints of EVSE and station. Of equal ones the first in this order is named.
- Limits are compared as ampere per phase: watts are divided by the voltage and by the
  phases of their own period (K01.FR.50), which are all phases if it names none. Of the
  phases the fewest that any limit allows are left. If two limits insist on different
  phases, none is left and nothing may flow: 0, not the missing limit that it is if no
  profile covers the moment.
- The station may use what its EVSEs may use together, up to its own maximum and
  external constraints. If an EVSE is not limited, or none is known, these remain.

A minimum charging rate is for the balancing within the station and changes nothing.
When recurring schedules start, and what daylight saving time does, tells `timeline`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from ..enums import RateUnit
from .leading import Question, limits, together
from .model import Circumstances, CompositePeriod, CompositeSchedule, Installed
from .replacement import newest
from .timeline import seconds


def composite(
    installed: Iterable[Installed],
    *,
    evse_id: int,
    start: datetime,
    duration: int,
    unit: RateUnit,
    circumstances: Mapping[int, Circumstances] | Circumstances,
) -> CompositeSchedule:
    """Return what holds at an EVSE (0: the station) from `start` on for `duration` s.

    `circumstances` by EVSE name all EVSEs of the station; 0 is the station itself, and
    is like its EVSEs if it is missing. One for all places names no EVSE. Neighbours
    differ in limit, phases or in who sets the limit.
    """
    if duration < 1:
        raise ValueError(duration)
    by_evse = circumstances if isinstance(circumstances, Mapping) else {}
    begin = seconds(start)
    question = Question(
        evse_id=evse_id,
        window=(begin, begin + duration),
        unit=unit,
        circumstances=(
            circumstances
            if isinstance(circumstances, Circumstances)
            else circumstances.get(evse_id) or _alike(circumstances, evse_id)
        ),
    )
    profiles = newest(installed)
    periods: Iterable[CompositePeriod] = limits(profiles, question)
    if evse_id == 0:
        shares = [
            limits(profiles, replace(question, evse_id=evse, circumstances=own))
            for evse, own in by_evse.items()
            if evse
        ]
        periods = _shared(periods, shares)
    return CompositeSchedule(
        evse_id=evse_id,
        start=start.replace(microsecond=0),
        duration=duration,
        unit=unit,
        periods=tuple(_merged(periods)),
    )


def _alike(circumstances: Mapping[int, Circumstances], evse_id: int) -> Circumstances:
    """Return the circumstances of a place like the others, with all their phases.

    A station of one EVSE has its transaction; no other place has that of another one.
    """
    others = list(circumstances.values()) or [Circumstances()]
    if evse_id == 0 and len(others) == 1:
        return others[0]
    return Circumstances(
        phases=max(one.phases for one in others),
        voltage=others[0].voltage,
        zone=others[0].zone,
    )


def _shared(
    bounds: Iterable[CompositePeriod], shares: Iterable[list[CompositePeriod]]
) -> Iterator[CompositePeriod]:
    """Yield what EVSEs may use together within the bounds of their station."""
    timelines = [[(one.start, one) for one in each] for each in (bounds, *shares)]
    for start, (bound, *parts) in together(timelines):
        yield replace(_total(bound, parts), start=start)


def _total(bound: CompositePeriod, parts: list[CompositePeriod]) -> CompositePeriod:
    """Return what EVSEs may use at a moment, or the bound if that is less."""
    amounts = [one.limit for one in parts if one.limit is not None]
    if not parts or len(amounts) < len(parts):
        return bound
    limit = sum(amounts, Fraction(0))
    alone = len(parts) == 1
    nobody = replace(bound, limit=limit, purpose=None, profile_id=None)
    total = parts[0] if alone else nobody
    if bound.limit is None or limit < bound.limit or (alone and limit == bound.limit):
        return total
    return replace(
        total, limit=bound.limit, purpose=bound.purpose, profile_id=bound.profile_id
    )


def _merged(periods: Iterable[CompositePeriod]) -> Iterator[CompositePeriod]:
    """Yield periods without those that say what the one before them says."""
    before: CompositePeriod | None = None
    for period in periods:
        if before is None or replace(period, start=before.start) != before:
            yield period
            before = period
