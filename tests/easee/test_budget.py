"""The budget: never too many, whoever asks, and who goes first when few are left."""

import asyncio
from datetime import datetime, timedelta
from math import ceil

from hypothesis import given, settings, strategies as st
import pytest

from .account import after
from custom_components.ev_charger_hub.easee.budget import PATIENCE, Budget, Hold
from custom_components.ev_charger_hub.easee.errors import (
    AddressBlocked,
    NotNow,
    RateLimited,
    Unavailable,
)
from custom_components.ev_charger_hub.easee.requests import Lane, Quota
from simulators.easee_cloud import SimulatedTime

HOURLY = Quota(key="sites", count=10, seconds=3600)
SPAN = timedelta(seconds=300)


class Crowd:
    """Those who ask for a turn, and who got one when."""

    def __init__(self, budget: Budget, time: SimulatedTime) -> None:
        """Ask a budget."""
        self.budget = budget
        self.time = time
        self.taken: list[tuple[datetime, Lane, Quota | None]] = []
        self.refused: list[tuple[datetime, datetime, Lane, NotNow]] = []

    async def ask(self, lane: Lane, quota: Quota | None = None) -> None:
        """Ask for one turn."""
        asked_at = self.time()
        try:
            await self.budget.take(lane, quota)
        except NotNow as err:
            self.refused.append((asked_at, self.time(), lane, err))
        else:
            self.taken.append((self.time(), lane, quota))


def busiest(moments: list[datetime], span: timedelta) -> int:
    """Return how many lie within any window of a span, its end not included."""
    return max(
        (sum(start <= one < start + span for one in moments) for start in moments),
        default=0,
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.just(0.0), st.floats(0, 400, allow_nan=False), st.floats(0, 3)
            ),
            st.integers(1, 25),
            st.sampled_from(Lane),
            st.booleans(),
        ),
        max_size=40,
    ),
    st.integers(1, 90),
    st.integers(1, 12),
)
def test_never_more_than_allowed_in_any_window_whatever_comes(
    visits: list[tuple[float, int, Lane, bool]], count: int, few: int
) -> None:
    quota = Quota(key="few", count=few, seconds=200)

    async def scenario() -> Crowd:
        time = SimulatedTime()
        crowd = Crowd(Budget(time, count=count, seconds=300), time)
        tasks: list[asyncio.Task[None]] = []
        for wait, number, lane, limited in visits:
            await time.pass_time(wait, turns=3)
            tasks += [
                asyncio.create_task(crowd.ask(lane, quota if limited else None))
                for _ in range(number)
            ]
        await time.pass_time(PATIENCE[Lane.PAST].total_seconds() + 1, turns=3)
        assert all(task.done() for task in tasks)
        return crowd

    crowd = asyncio.run(scenario())
    assert len(crowd.taken) + len(crowd.refused) == sum(one[1] for one in visits)
    assert busiest([at for at, _, _ in crowd.taken], SPAN) <= count
    limited = [at for at, _, one in crowd.taken if one is not None]
    assert busiest(limited, timedelta(seconds=200)) <= few
    for lane, reserved in ((Lane.PAST, 0.5), (Lane.READ, 0.2), (Lane.COMMAND, 0.05)):
        allowed = max(1, count - ceil(count * reserved))
        for at, whose, _ in crowd.taken:
            if whose is lane:
                before = [one for one, _, _ in crowd.taken if at - SPAN < one <= at]
                assert before.index(at) < allowed
    for asked_at, refused_at, lane, err in crowd.refused:
        assert refused_at <= asked_at + PATIENCE[lane]
        assert err.until > refused_at


async def test_reads_leave_a_fifth_and_commands_a_twentieth() -> None:
    time = SimulatedTime()
    crowd = Crowd(Budget(time), time)
    assert crowd.budget.left == 90
    for lane, left in ((Lane.READ, 18), (Lane.COMMAND, 5), (Lane.AUTH, 0)):
        await asyncio.gather(*(crowd.ask(lane) for _ in range(90)))
        assert crowd.budget.left == left
    assert crowd.budget.taken == {Lane.READ: 72, Lane.COMMAND: 13, Lane.AUTH: 5}
    assert {err.until for *_, err in crowd.refused} == {time() + SPAN}


async def test_the_past_leaves_half_of_it_and_waits() -> None:
    time = SimulatedTime()
    crowd = Crowd(Budget(time), time)
    past = [asyncio.create_task(crowd.ask(Lane.PAST)) for _ in range(60)]
    await time.pass_time(1)
    assert crowd.budget.left == 45
    await asyncio.gather(*(crowd.ask(Lane.READ) for _ in range(27)))
    assert not crowd.refused
    await time.pass_time(300)
    await asyncio.gather(*past)
    assert crowd.budget.taken == {Lane.PAST: 60, Lane.READ: 27}
    assert not crowd.refused


@pytest.mark.parametrize(
    ("lane", "patience"), [(Lane.AUTH, 5), (Lane.COMMAND, 5), (Lane.READ, 60)]
)
async def test_who_waits_gets_the_turn_or_is_told_at_once(
    lane: Lane, patience: int
) -> None:
    time = SimulatedTime()
    budget = Budget(time, count=1)
    await budget.take(Lane.AUTH)
    until = time() + SPAN
    time.advance(299 - patience)
    with pytest.raises(RateLimited) as raised:
        await budget.take(lane)
    assert raised.value.until == until
    time.advance(1)
    waiting = asyncio.create_task(budget.take(lane))
    await time.pass_time(patience - 1)
    assert not waiting.done()
    assert await after(time, 1, waiting) is None
    assert time() == until


async def test_who_lost_the_turn_to_another_is_told_when_there_is_the_next() -> None:
    time = SimulatedTime()
    budget = Budget(time, count=1)
    await budget.take(Lane.READ)
    time.advance(299)
    waiting = [asyncio.create_task(budget.take(Lane.READ)) for _ in range(2)]
    await time.pass_time(1)
    first, second = await asyncio.gather(*waiting, return_exceptions=True)
    assert first is None
    assert isinstance(second, RateLimited)
    assert second.until == time() + SPAN


async def test_a_quota_of_its_own_holds_up_nobody_else() -> None:
    time = SimulatedTime()
    crowd = Crowd(Budget(time), time)
    for _ in range(12):
        await crowd.ask(Lane.READ, HOURLY)
        time.advance(1)
    assert len(crowd.taken) == 10
    await crowd.ask(Lane.READ)
    await crowd.ask(Lane.READ, Quota(key="breakdown", count=10, seconds=3600))
    assert len(crowd.taken) == 12
    time.advance(3600 - 12)
    await crowd.ask(Lane.READ, HOURLY)
    assert len(crowd.taken) == 13


async def test_while_held_nobody_waits_and_listeners_know() -> None:
    time = SimulatedTime()
    budget = Budget(time)
    told: list[tuple[datetime | None, datetime | None]] = []
    stop = budget.subscribe(
        lambda: told.append((budget.held_until, budget.blocked_until))
    )
    until = time() + timedelta(seconds=4)
    budget.hold(until)
    for lane in Lane:
        with pytest.raises(RateLimited) as raised:
            await budget.take(lane)
        assert raised.value.until == until
    block = time() + timedelta(hours=1)
    budget.hold(block, blocked=True)
    # What was said before is not cut short.
    budget.hold(until)
    for lane in Lane:
        with pytest.raises(AddressBlocked) as blocked:
            await budget.take(lane)
        assert blocked.value.until == block
    assert told == [(until, None), (block, block), (block, block)]
    time.advance(3600)
    assert budget.blocked_until is None
    await budget.take(Lane.READ)
    assert told[3:] == [(None, None)]
    stop()
    budget.hold(time() + SPAN)
    assert len(told) == 4


async def test_a_hold_that_outlasts_a_block_is_no_block() -> None:
    time = SimulatedTime()
    budget = Budget(time)
    budget.hold(time() + timedelta(hours=1), blocked=True)
    budget.hold(time() + timedelta(hours=2))
    time.advance(3600)
    with pytest.raises(RateLimited):
        await budget.take(Lane.AUTH)


async def test_who_waits_is_not_served_once_everything_is_held() -> None:
    time = SimulatedTime()
    budget = Budget(time, count=1)
    await budget.take(Lane.READ)
    time.advance(250)
    waiting = asyncio.create_task(budget.take(Lane.READ))
    await time.pass_time(10)
    budget.hold(time() + SPAN)
    assert isinstance(await after(time, 40, waiting), RateLimited)
    assert budget.left == 1


def held(budget: Budget) -> tuple[datetime | None, datetime | None]:
    """Return until when everything is held, and the address is blocked."""
    return budget.held_until, budget.blocked_until


async def test_only_what_says_so_holds() -> None:
    time = SimulatedTime()
    budget = Budget(time)
    budget.heed(Unavailable())
    assert held(budget) == (None, None)
    until = time() + timedelta(seconds=60)
    budget.heed(RateLimited(until))
    assert held(budget) == (until, None)
    budget.heed(AddressBlocked(until))
    assert held(budget) == (until, until)


async def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    time = SimulatedTime()
    budget = Budget(time, count=3)
    for _ in range(3):
        await budget.take(Lane.AUTH)
    time.now -= timedelta(days=400)
    assert budget.left == 0
    time.advance(300)
    assert budget.left == 3


@pytest.mark.parametrize("error", [RateLimited, AddressBlocked])
async def test_what_the_cloud_says_lasts_as_long_if_the_clock_is_set_back(
    error: type[NotNow],
) -> None:
    time = SimulatedTime()
    budget = Budget(time)
    budget.heed(error(time() + timedelta(seconds=60)))
    time.now -= timedelta(hours=5)
    with pytest.raises(error):
        await budget.take(Lane.COMMAND)
    time.advance(59)
    with pytest.raises(error):
        await budget.take(Lane.COMMAND)
    time.advance(1)
    await budget.take(Lane.COMMAND)
    assert held(budget) == (None, None)


@pytest.mark.parametrize("error", [RateLimited, AddressBlocked])
async def test_what_the_cloud_says_to_one_account_holds_up_all(
    error: type[NotNow],
) -> None:
    time, hold = SimulatedTime(), Hold()
    told, other = Budget(time, hold), Budget(time, hold)
    heard: list[tuple[datetime | None, datetime | None]] = []
    other.subscribe(lambda: heard.append(held(other)))
    until = time() + timedelta(seconds=60)
    told.heed(error(until))
    with pytest.raises(error) as raised:
        await other.take(Lane.COMMAND)
    assert raised.value.until == until
    blocked_until = until if error is AddressBlocked else None
    assert heard == [(until, blocked_until)]
    time.advance(60)
    await told.take(Lane.COMMAND)
    assert heard == [(until, blocked_until), (None, None)]


async def test_an_account_that_has_used_up_its_own_holds_up_no_other() -> None:
    time, hold = SimulatedTime(), Hold()
    spent, other = Budget(time, hold, count=1), Budget(time, hold)
    await spent.take(Lane.COMMAND)
    with pytest.raises(RateLimited):
        await spent.take(Lane.COMMAND)
    await other.take(Lane.COMMAND)
