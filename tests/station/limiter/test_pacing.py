"""The pace of limits: few frames, and the last value always holds."""

import asyncio
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from .house import House, ampere, watt
from custom_components.ev_charger_hub.station.limiter.pacing import Change, delay
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.model import Purpose
from tests.virtual_time import START, rest

INTERVAL = 5


async def change(
    house: House, changes: list[tuple[float, Limit]]
) -> list[asyncio.Task[Outcome]]:
    """Ask for one limit after the other, each so many seconds after the last."""
    wishes = []
    for pause, limit in changes:
        await house.time.advance(pause)
        wish = asyncio.create_task(house.limiter.request(1, limit))
        wishes.append(wish)
        await rest()
    return wishes


async def test_a_thousand_changes_in_ten_minutes_are_few_frames() -> None:
    house = House(limit_interval=INTERVAL)
    await house.begin()
    values = [6 + index * 7 % 26 for index in range(1000)]
    wishes = await change(house, [(0.6, ampere(value)) for value in values])
    await house.time.advance(60)
    frames = len(house.sets())
    assert 60 < frames <= 600 / INTERVAL + 1
    assert {one.purpose for one in house.sets()} == {Purpose.TX}
    assert house.charger.offered() == values[-1]
    assert house.wanted == ampere(values[-1])
    outcomes = [wish.result().status for wish in wishes]
    assert set(outcomes) <= {
        OutcomeStatus.CONFIRMED,
        OutcomeStatus.SCHEDULED,
        OutcomeStatus.SUPERSEDED,
    }
    assert outcomes.count(OutcomeStatus.SUPERSEDED) > 800


async def test_a_persisted_limit_is_raised_once_a_minute_at_most() -> None:
    house = House(limit_interval=INTERVAL)
    for index in range(1000):
        value = 6 + index * 7 % 26
        wish = asyncio.create_task(house.limiter.request(1, ampere(value)))
        wish.add_done_callback(lambda done: done.exception())
        await house.time.advance(0.6)
    amounts = house.amounts()
    raises = [new for old, new in pairwise(amounts) if new > old]
    assert len(raises) <= 600 / 60
    assert len(amounts) < 60


moments = st.floats(min_value=0, max_value=90, allow_nan=False)
wanted = st.one_of(
    st.integers(60, 320).map(lambda tenths: ampere(Decimal(tenths) / 10)),
    st.integers(4140, 22080).map(watt),
    st.just(ampere(0)),
)


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(moments, wanted), min_size=1, max_size=40))
async def test_whatever_is_wanted_the_last_limit_holds_in_time(
    changes: list[tuple[float, Limit]],
) -> None:
    house = House(limit_interval=INTERVAL)
    await house.begin()
    began = house.time.now
    wishes = await change(house, changes)
    last = changes[-1][1]
    await house.time.advance(60)
    assert house.wanted == last
    [*_, sent] = house.sets()
    there = sent.schedule.periods[0].limit
    assert 0 <= last.value - there < 1
    assert sent.schedule.unit is last.unit
    lasted = (house.time.now - began).total_seconds()
    assert len(house.sets()) <= lasted / INTERVAL + 1
    await asyncio.gather(*wishes)


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(moments, wanted), min_size=2, max_size=20))
async def test_a_lower_limit_never_waits_longer_than_the_interval(
    changes: list[tuple[float, Limit]],
) -> None:
    house = House(limit_interval=INTERVAL)
    await house.begin()
    wishes = []
    for pause, limit in changes:
        await house.time.advance(pause)
        wishes.append(asyncio.create_task(house.limiter.request(1, limit)))
        before = house.charger.offered()
        await house.time.advance(INTERVAL)
        mine = limit.value if limit.unit == "A" else limit.value / 690
        if mine < before:
            assert house.charger.offered() <= mine
    await house.time.advance(60)  # a small raise may wait that long
    await asyncio.gather(*wishes)


@pytest.mark.parametrize(
    ("last", "new", "persisted", "seconds"),
    [
        ("10", "10", False, 0),
        ("10", "16", False, 5),
        ("10", "10.4", False, 60),
        ("10", "10.5", False, 5),
        ("10", "9.9", False, 5),
        ("10", "9.9", True, 5),
        ("10", "6", True, 5),
        ("10", "16", True, 60),
        (None, "16", True, 5),
        ("10", None, True, 5),
    ],
)
def test_how_long_a_change_waits(
    last: str | None, new: str | None, persisted: bool, seconds: float
) -> None:
    def amount(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    before = Change(amount=amount(last), at=START, persisted=persisted)
    after = Change(amount=amount(new), at=START, persisted=persisted)
    assert delay(before, after, INTERVAL) == seconds
    assert delay(None, after, INTERVAL) == 0


async def test_a_raise_that_waits_long_is_scheduled_and_shown() -> None:
    house = House()
    await house.want(ampere(10))
    outcome = await house.limiter.request(1, ampere(16))
    assert outcome.status is OutcomeStatus.SCHEDULED
    assert outcome.detail == "sent in 60 s"
    assert house.wanted == ampere(16)
    assert house.charger.offered() == 10
    await house.time.advance(60)
    assert house.charger.offered() == 16


async def test_a_scheduled_raise_that_is_refused_is_no_longer_wanted() -> None:
    house = House()
    await house.want(ampere(10))
    await house.limiter.request(1, ampere(16))
    house.charger.refuses = lambda profile: True
    await house.time.advance(60)
    assert house.wanted == ampere(10)
    assert house.charger.offered() == 10


async def test_a_session_does_not_wait_for_a_scheduled_raise() -> None:
    house = House()
    await house.want(ampere(10))
    await house.limiter.request(1, ampere(16))
    await house.begin()
    assert house.charger.offered() == 16
    frames = len(house.sets())
    await house.time.advance(60)
    assert len(house.sets()) == frames


async def test_a_lower_limit_overtakes_a_scheduled_raise() -> None:
    house = House()
    await house.want(ampere(10))
    await house.limiter.request(1, ampere(16))
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await house.time.advance(5)
    assert (await wish).ok
    await house.time.advance(120)
    assert house.amounts() == [10, 8]
    assert house.wanted == ampere(8)
