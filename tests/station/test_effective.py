"""Test the judgement of limits: what holds, who sets it, and whether ours is followed."""

from decimal import Decimal
from typing import Any

import pytest

from custom_components.ev_charger_hub.station.enums import ConnectorStatus, LimitedBy
from custom_components.ev_charger_hub.station.limiter.effective import (
    Evidence,
    Judgement,
    Scheduled,
    judge,
)
from custom_components.ev_charger_hub.station.profiles.model import Purpose

CHARGING = ConnectorStatus.CHARGING
SUSPENDED_EV = ConnectorStatus.SUSPENDED_EV
SUSPENDED_EVSE = ConnectorStatus.SUSPENDED_EVSE

_CURRENTS = {
    "cable",
    "cap",
    "fallback",
    "highest",
    "lowest",
    "maximum",
    "measured",
    "most_offered",
    "offered",
    "ours",
    "wanted",
}


def composite(limit: float, **more: Any) -> Scheduled:
    """Return a schedule of the station."""
    return Scheduled(limit=Decimal(str(limit)), **more)


def judged(limit: float | None = None, **known: Any) -> Judgement:
    """Return the judgement of a limit of ours that held for long, and what is known."""
    known = {"maximum": 32, "status": CHARGING} | known
    if limit is not None:
        ours = dict.fromkeys(("wanted", "ours", "lowest", "highest"), limit)
        known = ours | known
    for key in _CURRENTS & known.keys():
        if known[key] is not None:
            known[key] = Decimal(str(known[key]))
    return judge(Evidence(**known))


def shown(judgement: Judgement) -> tuple[float | None, LimitedBy | None]:
    """Return what a user sees of a judgement."""
    limit = judgement.limit
    return None if limit is None else float(limit.value), judgement.limited_by


@pytest.mark.parametrize(
    ("known", "limit", "limited_by"),
    [
        # Nobody limits.
        ({}, 32, LimitedBy.CHARGER_MAXIMUM),
        ({"composite": composite(63)}, 32, LimitedBy.CHARGER_MAXIMUM),
        # Ours is the lowest.
        ({"limit": 16}, 16, LimitedBy.OUR_LIMIT),
        ({"limit": 16, "composite": composite(16)}, 16, LimitedBy.OUR_LIMIT),
        ({"limit": 16, "composite": composite(15.9)}, 16, LimitedBy.OUR_LIMIT),
        ({"limit": 16, "offered": 16, "measured": 15.4}, 16, LimitedBy.OUR_LIMIT),
        ({"limit": 16, "offered": 15.6}, 16, LimitedBy.OUR_LIMIT),
        ({"limit": 16, "cable": 20, "offered": 16}, 16, LimitedBy.OUR_LIMIT),
        ({"limit": 0, "status": SUSPENDED_EVSE}, 0, LimitedBy.OUR_LIMIT),
        # A pause is ours, whatever else would hold.
        ({"limit": 0, "status": SUSPENDED_EV}, 0, LimitedBy.OUR_LIMIT),
        # Ours for the whole charger is the lowest.
        ({"limit": 16, "cap": 10}, 10, LimitedBy.OUR_LIMIT),
        ({"cap": 10, "lowest": 10, "offered": 10}, 10, LimitedBy.OUR_LIMIT),
        ({"limit": 16, "cap": 20}, 16, LimitedBy.OUR_LIMIT),
        ({"cap": 10, "composite": composite(8)}, 8, LimitedBy.OTHER_PROFILE),
        (
            {"cap": 20, "lowest": 20, "offered": 9, "most_offered": 32},
            9,
            LimitedBy.EXTERNAL,
        ),
        # Another profile is lower.
        ({"composite": composite(13)}, 13, LimitedBy.OTHER_PROFILE),
        ({"limit": 16, "composite": composite(13)}, 13, LimitedBy.OTHER_PROFILE),
        ({"limit": 16, "composite": composite(0)}, 0, LimitedBy.OTHER_PROFILE),
        (
            {"limit": 16, "composite": composite(13), "offered": 13},
            13,
            LimitedBy.OTHER_PROFILE,
        ),
        # A profile of ours without a wish only lifts the fall-back.
        (
            {"ours": 32, "fallback": 10, "composite": composite(32)},
            32,
            LimitedBy.CHARGER_MAXIMUM,
        ),
        # The operator's constraints are lower.
        (
            {"limit": 16, "composite": composite(13, purpose=Purpose.EXTERNAL)},
            13,
            LimitedBy.EXTERNAL,
        ),
        # The fall-back holds.
        ({"fallback": 10, "composite": composite(10)}, 10, LimitedBy.FALLBACK),
        (
            {"limit": 16, "fallback": 10, "composite": composite(10)},
            10,
            LimitedBy.FALLBACK,
        ),
        ({"wanted": 16, "ours": 10, "fallback": 10}, 10, LimitedBy.FALLBACK),
        ({"wanted": 16, "fallback": 10}, 10, LimitedBy.FALLBACK),
        ({"fallback": 10}, 10, LimitedBy.FALLBACK),
        # A profile of the session goes before the fall-back, so this is another's.
        (
            {
                "limit": 16,
                "fallback": 10,
                "composite": composite(10),
                "session_profile": True,
            },
            10,
            LimitedBy.OTHER_PROFILE,
        ),
        # What is wanted is by chance as high as the fall-back.
        (
            {"limit": 10, "fallback": 10, "composite": composite(10)},
            10,
            LimitedBy.OUR_LIMIT,
        ),
        # The cable is the weakest.
        ({"limit": 32, "cable": 20, "offered": 20}, 20, LimitedBy.CABLE),
        ({"cable": 20, "offered": 20, "most_offered": 20}, 20, LimitedBy.CABLE),
        # The charger itself gives no more.
        (
            {"limit": 25, "offered": 16, "most_offered": 16},
            16,
            LimitedBy.CHARGER_MAXIMUM,
        ),
        ({"offered": 32, "most_offered": 32}, 32, LimitedBy.CHARGER_MAXIMUM),
        ({"offered": 40, "maximum": 32}, 40, LimitedBy.CHARGER_MAXIMUM),
        # Load balancing, or an app.
        (
            {"limit": 25, "offered": 9, "most_offered": 32},
            9,
            LimitedBy.EXTERNAL,
        ),
        ({"offered": 0, "most_offered": 32}, 0, LimitedBy.EXTERNAL),
        ({"limit": 16, "status": SUSPENDED_EVSE}, 0, LimitedBy.EXTERNAL),
        ({"status": SUSPENDED_EVSE}, 0, LimitedBy.EXTERNAL),
        # The vehicle takes less; what it may take stays.
        ({"limit": 16, "offered": 16, "measured": 10}, 16, LimitedBy.VEHICLE),
        ({"limit": 16, "measured": 10}, 16, LimitedBy.VEHICLE),
        ({"limit": 16, "measured": 15}, 16, LimitedBy.OUR_LIMIT),
        ({"limit": 16, "status": SUSPENDED_EV}, 16, LimitedBy.VEHICLE),
        ({"offered": 32, "measured": 16}, 32, LimitedBy.VEHICLE),
        (
            {"limit": 25, "cable": 20, "offered": 20, "measured": 6},
            20,
            LimitedBy.VEHICLE,
        ),
        # Without an offered current nobody knows whose maximum that is.
        ({"measured": 16}, 32, LimitedBy.CHARGER_MAXIMUM),
        # What is offered while nothing charges tells nothing.
        (
            {"limit": 16, "offered": 0, "status": ConnectorStatus.PREPARING},
            16,
            LimitedBy.OUR_LIMIT,
        ),
        (
            {"limit": 16, "measured": 0, "status": ConnectorStatus.AVAILABLE},
            16,
            LimitedBy.OUR_LIMIT,
        ),
        # Wanted, but the station has not been told yet.
        ({"wanted": 16}, None, None),
        # Told and not followed: what holds is what is offered.
        (
            {"limit": 10, "offered": 32, "most_offered": 32},
            32,
            LimitedBy.CHARGER_MAXIMUM,
        ),
        ({"limit": 10, "composite": composite(16)}, 16, LimitedBy.OTHER_PROFILE),
        (
            {"limit": 10, "composite": composite(16), "measured": 16},
            16,
            LimitedBy.OTHER_PROFILE,
        ),
        # A schedule whose numbers mean something else: currents show what holds.
        (
            {"limit": 10, "composite": composite(30), "offered": 10, "measured": 9.5},
            10,
            LimitedBy.OUR_LIMIT,
        ),
    ],
)
def test_the_lowest_limit_is_shown_with_its_reason(
    known: dict[str, Any], limit: float | None, limited_by: LimitedBy | None
) -> None:
    assert shown(judged(**known)) == (limit, limited_by)


@pytest.mark.parametrize(
    ("known", "limit", "limited_by"),
    [
        # Lowered from 16 to 10: the station still says, and offers, what was before.
        (
            {
                "before": (Decimal(16),),
                "lowest": 10,
                "highest": 16,
                "composite": composite(16, settled=False),
            },
            16,
            LimitedBy.OUR_LIMIT,
        ),
        ({"lowest": 10, "highest": 16, "offered": 16}, 10, LimitedBy.OUR_LIMIT),
        ({"lowest": 10, "highest": None, "offered": 32}, 10, LimitedBy.OUR_LIMIT),
        # Raised from 6 to 10: currents follow a while later.
        (
            {"lowest": 6, "highest": 10, "offered": 6, "measured": 6},
            10,
            LimitedBy.OUR_LIMIT,
        ),
        (
            {
                "before": (Decimal(6),),
                "lowest": 6,
                "highest": 10,
                "composite": composite(6, settled=False),
            },
            6,
            LimitedBy.OUR_LIMIT,
        ),
        # Resumed: the station still pauses.
        (
            {"lowest": 0, "highest": 10, "status": SUSPENDED_EVSE},
            10,
            LimitedBy.OUR_LIMIT,
        ),
        # Not one of ours, so somebody else's.
        (
            {
                "before": (Decimal(16),),
                "lowest": 10,
                "highest": 16,
                "composite": composite(13, settled=False),
            },
            13,
            LimitedBy.OTHER_PROFILE,
        ),
        (
            {"lowest": 10, "highest": 16, "composite": composite(20, settled=False)},
            20,
            LimitedBy.OTHER_PROFILE,
        ),
    ],
)
def test_a_change_has_its_time(
    known: dict[str, Any], limit: float, limited_by: LimitedBy
) -> None:
    assert shown(judged(10, **known)) == (limit, limited_by)
    assert judged(10, **known).followed is not False


@pytest.mark.parametrize(
    ("known", "followed"),
    [
        # Nothing tells.
        ({}, None),
        ({"status": ConnectorStatus.AVAILABLE, "measured": 0}, None),
        ({"composite": composite(16, settled=False)}, None),
        # It holds.
        ({"composite": composite(10)}, True),
        ({"composite": composite(10.1)}, True),
        ({"composite": composite(8)}, True),
        ({"offered": 10}, True),
        ({"measured": 6}, True),
        ({"measured": 11}, True),
        ({"composite": composite(10), "offered": 10, "measured": 10}, True),
        ({"composite": composite(30), "measured": 9.5}, True),
        # Somebody offers less: not ignored (Easee row S10).
        ({"offered": 8}, True),
        # It does not.
        ({"composite": composite(10.2)}, False),
        ({"composite": composite(30), "measured": 6}, False),
        ({"offered": 11.1}, False),
        ({"measured": 11.1}, False),
        ({"composite": composite(10), "measured": 16}, False),
        ({"composite": composite(10), "offered": 10, "measured": 16}, False),
        # A current that was no violation of what held just before.
        ({"highest": 16, "measured": 16, "composite": composite(10)}, None),
        ({"highest": None, "measured": 16}, None),
        # A schedule is no proof once currents have shown the opposite.
        ({"composite": composite(10), "doubted": True}, None),
        ({"composite": composite(10), "doubted": True, "measured": 9}, True),
    ],
)
def test_whether_ours_is_followed(known: dict[str, Any], followed: bool | None) -> None:
    assert judged(10, **known).followed is followed


def test_five_percent_of_a_high_limit_are_a_matter_of_measuring() -> None:
    assert judged(60, maximum=63, measured=63).followed is True
    assert judged(60, maximum=63, measured=63.1).followed is False


@pytest.mark.parametrize(
    "known",
    [
        {"measured": 32, "offered": 32},
        {"cap": 10, "lowest": 10, "measured": 32},
        {"wanted": 10, "measured": 32},
    ],
)
def test_without_a_limit_that_was_accepted_nothing_is_ignored(
    known: dict[str, Any],
) -> None:
    assert judged(**known).followed is None
