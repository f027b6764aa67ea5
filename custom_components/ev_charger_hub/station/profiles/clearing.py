"""Clearing: charging profiles that have to be gone, also where some stay (Easee, S53)."""

from collections.abc import Callable, Iterator
from fractions import Fraction

from ..enums import RateUnit
from ..link import Link
from ..outcome import Outcome
from .ledger import Ledger
from .model import CompositeSchedule, Installed, ProfileCriteria

LOOKED_AT = 600
"""For how many seconds a schedule is asked: what holds now."""

type Outlook = Callable[[int], CompositeSchedule]
"""What the profiles in the ledger come to at an EVSE (0: the station), in A."""

type Ways = Iterator[list[ProfileCriteria]]


async def clear(
    link: Link, ledger: Ledger, criteria: ProfileCriteria, outlook: Outlook
) -> tuple[Outcome, bool | None]:
    """Clear profiles; return whether they are gone, None if nobody asked or told.

    A station that is known to keep some is asked what holds now. If that is what they
    said, they are cleared in other words: by purpose and place, then by their ids.
    Raises as a link does.
    """
    gone = [one for one in ledger.installed if criteria.fits(one)]
    before = {one.evse_id: _now(outlook(one.evse_id)) for one in gone}
    outcome = await ledger.clear(link, criteria)
    if not gone or not outcome.ok or not link.profile_support.clears_loosely:
        return outcome, None
    there = await _still_there(link, before, outlook)
    for way in _other_ways(criteria, gone):
        if not there:
            break
        for words in way:
            outcome = await ledger.clear(link, words)
        there = await _still_there(link, before, outlook)
    return outcome, None if there is None else not there


def _other_ways(criteria: ProfileCriteria, gone: list[Installed]) -> Ways:
    """Yield in which other words the same profiles can be cleared."""
    places = dict.fromkeys((one.evse_id, one.profile.purpose) for one in gone)
    by_place = [
        ProfileCriteria(evse_id=evse_id, purpose=purpose) for evse_id, purpose in places
    ]
    by_id = [ProfileCriteria(id=one.profile.id) for one in gone]
    yield from (way for way in (by_place, by_id) if way != [criteria])


async def _still_there(
    link: Link, before: dict[int, Fraction | None], outlook: Outlook
) -> bool | None:
    """Return whether any place goes on as before; None if one of them does not tell."""
    known = True
    for evse_id, limit in before.items():
        if limit is None or limit == _now(outlook(evse_id)):
            # It makes no difference there.
            continue
        outcome, told = await link.composite_schedule(
            evse_id, LOOKED_AT, RateUnit.AMPERE
        )
        if not outcome.ok or told is None:
            known = False
        elif _now(told) == limit:
            return True
    return False if known else None


def _now(schedule: CompositeSchedule) -> Fraction | None:
    """Return what holds at the start of a schedule, None for no limit."""
    period = next((one for one in schedule.periods if one.start == 0), None)
    return None if period is None else period.limit
