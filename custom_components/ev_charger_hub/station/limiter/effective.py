"""Effective limits: what holds at an EVSE, who sets it, and whether ours is followed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from ..enums import ConnectorStatus, LimitedBy
from ..link import Limit
from ..profiles.model import Purpose

SAME = Decimal("0.15")
"""How far apart, in A, two limits may be that were rounded on different ways."""

NEAR = Decimal("0.5")
"""The same for an offered current, which some stations send as a whole number."""

EXCESS = Decimal(1)
EXCESS_SHARE = Decimal("0.05")
"""By how much (in A, or as a share) a current exceeds a limit that is not followed."""

LEAST = Decimal(6)
"""The lowest current in A at which a vehicle can charge (IEC 61851-1)."""

_STEP = Decimal("0.1")
_OURS = LimitedBy.OUR_LIMIT


@dataclass(kw_only=True, slots=True, frozen=True)
class Scheduled:
    """What the station says its profiles come to now (GetCompositeSchedule).

    `limit` is in A. `settled` tells that our limit had had the time it may take when
    the station was asked.
    """

    limit: Decimal
    purpose: Purpose | None = None
    settled: bool = True


@dataclass(kw_only=True, slots=True, frozen=True)
class Evidence:
    """What is known of the limits at a place now; all currents in A per phase.

    `ours` is what the station accepted from us for this place, `cap` the same for the
    whole station. `lowest` (of both) and `highest` (of `ours`) are the bounds during
    the time that a change may take, before the oldest of the samples; `highest` None
    means that there was no limit of ours at some time. `offered` and `measured` are
    samples of the present charging only.
    """

    maximum: Decimal
    status: ConnectorStatus | None = None
    wanted: Decimal | None = None
    ours: Decimal | None = None
    cap: Decimal | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    before: tuple[Decimal, ...] = ()
    """What ours was during that time, before it became what it is."""
    session_profile: bool = False
    """Whether ours is a profile of the session, which goes before the fall-back."""
    fallback: Decimal | None = None
    composite: Scheduled | None = None
    offered: Decimal | None = None
    most_offered: Decimal | None = None
    """The highest current that was ever offered."""
    measured: Decimal | None = None
    in_part: bool = False
    """Whether more flows than was measured."""
    moments: tuple[datetime, datetime] | None = None
    """When the oldest and the newest sample of a sum were taken."""
    external: tuple[Decimal, LimitedBy] | None = None
    """The lowest limit that others told of, and who they are."""
    others: LimitedBy = LimitedBy.EXTERNAL
    """Who else limits, if that is known."""
    cable: Decimal | None = None
    doubted: bool = False
    """Whether currents showed before that ours is not followed."""
    known: Mapping[LimitedBy, Decimal] = field(default_factory=dict)
    """Every limit that the station itself tells of; ours is what stands in its place.

    That of the vehicle is what it takes while it takes less than it may.
    """
    two_ways: bool = False
    """Whether profiles limit, and a number of a cloud: ours is the lower of the two."""
    profile: Decimal | None = None
    number: Decimal | None = None
    """What is ours of the profiles, and of the number, where there are both."""
    late: bool = False
    """Whether more than ours stood there for longer than it takes to change that."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Judgement:
    """What holds (in A), who sets it, and whether ours is followed; None is unknown."""

    limit: Limit | None = None
    limited_by: LimitedBy | None = None
    followed: bool | None = None


def judge(evidence: Evidence) -> Judgement:
    """Return what follows from the evidence: the lowest limit counts.

    A vehicle that takes less than it may is a reason, but no limit: the limit stays
    what it could take.
    """
    followed = _followed(evidence)
    permitted = _of_known(evidence) if evidence.known else _permitted(evidence)
    if evidence.two_ways and evidence.known:
        profiles = _permitted(replace(evidence, ours=evidence.profile))
        both = [one for one in (profiles, permitted) if one is not None]
        permitted = min(both, key=_rank, default=None)
    if permitted is None:
        permitted = evidence.external
    if permitted is None:
        return Judgement(followed=followed)
    if (cap := evidence.cap) is not None and cap < permitted[0] - SAME:
        permitted = cap, _OURS
    if (external := evidence.external) is not None and external[0] < permitted[0]:
        permitted = external
    if evidence.wanted is None and permitted == (evidence.maximum, _OURS):
        # A profile that lifts a fall-back, or chooses the phases, limits nothing.
        permitted = evidence.maximum, LimitedBy.CHARGER_MAXIMUM
    limit, limited_by = _provided(evidence, *permitted)
    if _takes_less(evidence, limit, limited_by):
        limited_by = LimitedBy.VEHICLE
    return Judgement(
        limit=Limit(value=limit.quantize(_STEP, ROUND_HALF_UP)),
        limited_by=limited_by,
        followed=followed,
    )


def _rank(permitted: tuple[Decimal, LimitedBy]) -> tuple[Decimal, bool]:
    """Return what is lowest first, and of equals what is ours."""
    return permitted[0], permitted[1] is not _OURS


def overdrawn(evidence: Evidence) -> bool:
    """Return whether currents show that ours is not followed."""
    highest = evidence.highest
    return (
        evidence.ours is not None and highest is not None and _over(evidence, highest)
    )


def unsettled(evidence: Evidence) -> bool:
    """Return whether currents may still be those from before a change of ours."""
    if not _sampled(evidence):
        return False
    ours = evidence.ours
    return ours is not None and (evidence.lowest, evidence.highest) != (ours, ours)


def _over(evidence: Evidence, limit: Decimal) -> bool:
    """Return whether more than a limit is offered or measured."""
    samples = (evidence.offered, evidence.measured)
    return any(one is not None and _exceeds(one, limit) for one in samples)


def _exceeds(current: Decimal, limit: Decimal) -> bool:
    """Return whether a current, in A, is too high to be a matter of measuring."""
    return current > limit + max(EXCESS, limit * EXCESS_SHARE)


def _permitted(evidence: Evidence) -> tuple[Decimal, LimitedBy] | None:
    """Return what the profiles allow, and whose they are; None if nobody knows."""
    composite, ours = evidence.composite, evidence.ours
    if composite is not None:
        return _of_composite(evidence, composite)
    if ours is not None:
        return ours, LimitedBy.FALLBACK if _falls_back(evidence, ours) else _OURS
    if evidence.fallback is not None:
        # It is there before anything rides on it.
        return evidence.fallback, LimitedBy.FALLBACK
    if evidence.wanted is None:
        return evidence.maximum, LimitedBy.CHARGER_MAXIMUM
    return None


def _of_composite(
    evidence: Evidence, composite: Scheduled
) -> tuple[Decimal, LimitedBy]:
    """Return what the station's own schedule allows, and whose limit that is."""
    ours, limit = evidence.ours, composite.limit
    if ours is not None and limit > ours and _at_limit(evidence):
        return ours, _OURS
    if _falls_back(evidence, limit):
        return limit, LimitedBy.FALLBACK
    if ours is not None and abs(limit - ours) <= SAME:
        return ours, _OURS
    if composite.purpose is Purpose.EXTERNAL:
        return limit, evidence.others
    external = evidence.external
    if external is not None and abs(limit - external[0]) <= SAME:
        return limit, external[1]
    if ours is not None and not composite.settled and _was_ours(evidence, limit):
        return limit, _OURS
    if limit >= evidence.maximum - SAME:
        return evidence.maximum, LimitedBy.CHARGER_MAXIMUM
    return limit, LimitedBy.OTHER_PROFILE


def _of_known(evidence: Evidence) -> tuple[Decimal, LimitedBy]:
    """Return the lowest of the limits that a station tells of, and whose it is."""
    known = dict(evidence.known)
    known.pop(LimitedBy.VEHICLE, None)
    if evidence.two_ways and evidence.profile is not None:
        # It calls profiles so, and may have told of the one before.
        known.pop(LimitedBy.SCHEDULE, None)
    limits = [*_in_place_of_ours(evidence, known.pop(_OURS, None))]
    limits += [(limit, source) for source, limit in known.items()]
    if LimitedBy.CHARGER_MAXIMUM not in known:
        limits.append((evidence.maximum, LimitedBy.CHARGER_MAXIMUM))
    return min(limits, key=lambda one: one[0])


def _in_place_of_ours(
    evidence: Evidence, there: Decimal | None
) -> Iterator[tuple[Decimal, LimitedBy]]:
    """Yield what stands where ours is written, and whose it is, if it limits."""
    ours = evidence.number if evidence.two_ways else evidence.ours
    if evidence.two_ways and ours is None:
        if there is not None and there < evidence.maximum:
            yield there, LimitedBy.EXTERNAL
    elif there is None:
        if ours is not None:
            yield ours, _OURS
    elif (ours is not None and abs(there - ours) <= SAME) or _was_ours(evidence, there):
        yield there, _OURS
    elif ours is not None and there > ours and not evidence.late:
        # What was written a moment ago is told a moment later.
        yield ours, _OURS
    elif ours is not None or evidence.wanted is not None or there < evidence.maximum:
        yield there, LimitedBy.EXTERNAL


def _falls_back(evidence: Evidence, limit: Decimal) -> bool:
    """Return whether a limit is the fall-back and not what the user wants."""
    fallback, wanted = evidence.fallback, evidence.wanted
    if fallback is None or evidence.session_profile or abs(limit - fallback) > SAME:
        return False
    return wanted is None or abs(limit - wanted) > SAME


def _was_ours(evidence: Evidence, limit: Decimal) -> bool:
    """Return whether a limit is one that we had set a moment ago."""
    return any(abs(limit - one) <= SAME for one in evidence.before)


def _provided(
    evidence: Evidence, limit: Decimal, limited_by: LimitedBy
) -> tuple[Decimal, LimitedBy]:
    """Return what the station really offers, where it is known to differ."""
    low = high = limit
    if limited_by is _OURS:
        # What is offered follows a change of ours a while later.
        low = limit if evidence.lowest is None else min(limit, evidence.lowest)
        high = evidence.maximum if evidence.highest is None else evidence.highest
        high = max(limit, high)
    if evidence.known and not evidence.two_ways:
        # What is offered is among what it tells of.
        return limit, limited_by
    if evidence.status is ConnectorStatus.SUSPENDED_EVSE and low >= LEAST:
        return Decimal(0), evidence.others
    offered = evidence.offered
    if offered is None or evidence.status is not ConnectorStatus.CHARGING:
        return limit, limited_by
    if offered < low - NEAR or _exceeds(offered, high):
        return offered, _who_offers(evidence, offered)
    return limit, limited_by


def _who_offers(evidence: Evidence, offered: Decimal) -> LimitedBy:
    """Return what else than a profile makes a station offer this current."""
    if evidence.cable is not None and abs(offered - evidence.cable) <= NEAR:
        return LimitedBy.CABLE
    highest = evidence.maximum
    if evidence.most_offered is not None:
        highest = min(highest, evidence.most_offered)
    if offered >= highest - NEAR:
        return LimitedBy.CHARGER_MAXIMUM
    # Load balancing, an app, a switch inside: reported, not fought (Easee row S10).
    return evidence.others


def _takes_less(evidence: Evidence, limit: Decimal, limited_by: LimitedBy) -> bool:
    """Return whether the vehicle takes clearly less than it may."""
    if not limit:
        return False
    if evidence.status is ConnectorStatus.SUSPENDED_EV:
        return True
    vehicle = evidence.known.get(LimitedBy.VEHICLE)
    if vehicle is not None and vehicle <= limit:
        return True
    measured = evidence.measured
    if measured is None or evidence.in_part:
        return False
    if evidence.status is not ConnectorStatus.CHARGING:
        return False
    if limited_by is LimitedBy.CHARGER_MAXIMUM and evidence.offered is None:
        # The maximum is only what the settings say: the charger may have a lower one.
        return False
    if limited_by is _OURS and evidence.lowest is not None:
        limit = min(limit, evidence.lowest)
    return measured < limit - EXCESS


def _followed(evidence: Evidence) -> bool | None:
    """Return whether what we want holds, None if nothing tells."""
    ours, composite = evidence.ours, evidence.composite
    by_profile = evidence.profile if evidence.two_ways else ours
    if evidence.late:
        return False
    if ours is None:
        return None
    if overdrawn(evidence):
        return False
    there = evidence.known.get(_OURS)
    number = evidence.number if evidence.two_ways else ours
    if there is not None and number is not None and number <= ours + SAME:
        return True if there <= number + SAME else None
    if _at_limit(evidence):
        # Some stations mean something else with the numbers of their schedule.
        return True
    settled = composite is not None and composite.settled
    if (
        composite is not None
        and settled
        and by_profile is not None
        and composite.limit > by_profile + SAME
    ):
        return False
    if _over(evidence, ours):
        # It may be from before the last change.
        return None
    if _sampled(evidence) and evidence.highest is not None:
        return True
    return True if settled and not evidence.doubted else None


def _at_limit(evidence: Evidence) -> bool:
    """Return whether currents are what ours allows, and have had time to be so."""
    ours = evidence.ours
    if ours is None or not _sampled(evidence) or unsettled(evidence):
        return False
    if _over(evidence, ours):
        return False
    samples = (evidence.offered, evidence.measured)
    return any(one is not None and one >= ours - EXCESS for one in samples)


def _sampled(evidence: Evidence) -> bool:
    """Return whether currents tell anything."""
    if evidence.status is not ConnectorStatus.CHARGING:
        return False
    measured = evidence.measured is not None and not evidence.in_part
    return measured or evidence.offered is not None
