"""Composite schedules agree with a second opinion, whatever the profiles."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings, strategies as st

from . import reference
from .make import NOON
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles.composite import composite
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Circumstances,
    CompositePeriod,
    CompositeSchedule,
    Installed,
    Kind,
    Period,
    Purpose,
    Recurrence,
    Schedule,
)

STEPS = 40
"""How many steps a schedule lasts; nothing changes within a step."""

HALF_HOUR = 1800
TEN_DAYS = 480
"""In half hours."""

# Where and from when on clocks change within a day; in Nepal they never do.
CHANGES = [
    ("Europe/Amsterdam", "2026-03-28T18:00"),
    ("Europe/Amsterdam", "2026-10-24T18:00"),
    ("America/New_York", "2026-03-07T20:00"),
    ("America/New_York", "2026-10-31T20:00"),
    ("Australia/Lord_Howe", "2026-04-04T06:00"),
    ("Australia/Lord_Howe", "2026-10-03T06:00"),
    ("Pacific/Apia", "2011-12-29T20:00"),
    ("Asia/Kathmandu", "2026-01-01T12:00"),
]

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
limits = st.integers(0, 320).map(lambda tenths: Decimal(tenths) / 10)
units = st.sampled_from(RateUnit)
transactions = st.sampled_from(["7", "8", None])


@st.composite
def schedules(
    draw: st.DrawFn, step: int, start: datetime | None, *, local: bool
) -> Schedule:
    """Draw a schedule whose moments are whole steps."""
    starts = draw(st.sets(st.integers(1, STEPS), max_size=3))
    return Schedule(
        unit=draw(units),
        periods=tuple(
            Period(
                start=number * step,
                limit=draw(limits),
                phases=draw(st.sampled_from([None, None, 1, 2, 3])),
                phase_to_use=draw(st.sampled_from([None, 1, 2])),
            )
            for number in (0, *sorted(starts))
        ),
        start=start,
        duration=draw(st.none() | st.integers(1, STEPS).map(lambda n: n * step)),
        use_local_time=local,
    )


@st.composite
def profiles(
    draw: st.DrawFn, number: int, step: int, since: datetime, *, back: int
) -> Installed:
    """Draw a profile whose moments are whole steps, at most `back` steps before."""
    moments = st.integers(-back, STEPS).map(
        lambda n: since + n * timedelta(seconds=step)
    )
    validity = st.none() | st.none() | moments
    kind = draw(st.sampled_from([Kind.ABSOLUTE, Kind.RECURRING, *Kind]))
    start: datetime | None = draw(moments)
    # A dynamic profile need not say when it starts.
    if kind is Kind.RELATIVE or (kind is Kind.DYNAMIC and draw(st.booleans())):
        start = None
    recurrence = draw(st.sampled_from(Recurrence)) if kind is Kind.RECURRING else None
    return Installed(
        evse_id=draw(st.sampled_from([0, 1, 1, 2])),
        set_at=draw(moments),
        profile=ChargingProfile(
            id=draw(st.sampled_from([number, number, number, 0])),
            purpose=draw(st.sampled_from(Purpose)),
            kind=kind,
            stack_level=draw(st.integers(0, 2)),
            schedule=draw(schedules(step, start, local=draw(st.booleans()))),
            recurrence=recurrence,
            valid_from=draw(validity),
            valid_to=draw(validity),
            transaction_id=draw(transactions),
        ),
    )


@st.composite
def circumstances(draw: st.DrawFn, zone: str, moments: list[datetime]) -> Circumstances:
    """Draw what else a schedule depends on."""
    return Circumstances(
        phases=draw(st.sampled_from([3, 3, 1, 2])),
        voltage=draw(st.sampled_from([Decimal(230), Decimal("127.5")])),
        transaction_id=draw(st.sampled_from(["7", "7", None])),
        transaction_started_at=draw(st.none() | st.sampled_from(moments)),
        priority=draw(st.booleans()),
        zone=ZoneInfo(zone),
    )


def holding(told: CompositeSchedule, offset: int) -> CompositePeriod:
    """Return the period that holds so many seconds after the start."""
    return [one for one in told.periods if one.start <= offset][-1]


def answer(period: CompositePeriod) -> reference.Answer:
    """Return a period in the words of the second opinion."""
    return reference.Answer(
        period.limit,
        phases=period.phases,
        phase_to_use=period.phase_to_use,
        purpose=period.purpose,
        profile_id=period.profile_id,
    )


def check_form(told: CompositeSchedule, step: int) -> None:
    """Check what is so of every schedule: order, bounds, and no needless period."""
    starts = [one.start for one in told.periods]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] < told.duration
    assert all(start % step == 0 for start in starts)
    contents = [answer(one) for one in told.periods]
    assert all(one != other for one, other in pairwise(contents))


def check_evse(
    installed: list[Installed], place: Circumstances, since: datetime, step: int
) -> None:
    """Check the schedules of an EVSE in both units, step by step."""
    alive = reference.alive(installed)
    for unit in RateUnit:
        told = composite(
            installed,
            evse_id=1,
            start=since,
            duration=STEPS * step,
            unit=unit,
            circumstances=place,
        )
        check_form(told, step)
        for number in range(STEPS):
            moment = since + number * timedelta(seconds=step)
            expected = reference.at_evse(alive, 1, moment, place, unit)
            assert answer(holding(told, number * step)) == expected, moment


@settings(slow, max_examples=1200)
@given(st.data())
def test_an_evse_is_limited_as_the_rules_say_in_every_second(
    data: st.DataObject,
) -> None:
    number = data.draw(st.integers(0, 6))
    installed = [data.draw(profiles(one, 1, NOON, back=STEPS)) for one in range(number)]
    place = data.draw(circumstances("UTC", [NOON - timedelta(seconds=9), NOON]))
    check_evse(installed, place, NOON, 1)


@settings(slow, max_examples=800)
@given(st.data(), st.sampled_from(CHANGES))
def test_recurring_profiles_hold_when_clocks_show_it(
    data: st.DataObject, change: tuple[str, str]
) -> None:
    zone, day = change
    since = datetime.fromisoformat(day).replace(tzinfo=UTC)
    number = data.draw(st.integers(1, 4))
    installed = [
        data.draw(profiles(one, HALF_HOUR, since, back=TEN_DAYS))
        for one in range(number)
    ]
    place = data.draw(circumstances(zone, [since, since - timedelta(hours=5)]))
    check_evse(installed, place, since, HALF_HOUR)


@settings(slow, max_examples=500)
@given(st.data(), units)
def test_a_station_may_use_what_its_evses_may_up_to_its_bounds(
    data: st.DataObject, unit: RateUnit
) -> None:
    number = data.draw(st.integers(0, 6))
    installed = [data.draw(profiles(one, 1, NOON, back=STEPS)) for one in range(number)]
    places = {evse: data.draw(circumstances("UTC", [NOON])) for evse in (0, 1, 2)}
    told = composite(
        installed,
        evse_id=0,
        start=NOON,
        duration=STEPS,
        unit=unit,
        circumstances=places,
    )
    check_form(told, 1)
    alive = reference.alive(installed)
    for second in range(STEPS):
        moment = NOON + timedelta(seconds=second)
        expected = reference.at_station(alive, moment, places, unit)
        assert holding(told, second).limit == expected, moment


@settings(slow, max_examples=200)
@given(st.data(), units)
def test_a_station_of_one_evse_is_limited_like_it(
    data: st.DataObject, unit: RateUnit
) -> None:
    number = data.draw(st.integers(0, 6))
    installed = [data.draw(profiles(one, 1, NOON, back=STEPS)) for one in range(number)]
    place = data.draw(circumstances("UTC", [NOON]))
    own, whole = (
        composite(
            installed,
            evse_id=evse_id,
            start=NOON,
            duration=STEPS,
            unit=unit,
            circumstances={1: place},
        )
        for evse_id in (1, 0)
    )
    check_form(whole, 1)
    assert whole.periods == own.periods
