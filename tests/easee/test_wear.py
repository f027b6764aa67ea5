"""Wear: the memory of products is written to sparingly (easee_cloud.md 3.2)."""

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest

from .listener import Drawer, Listener
from custom_components.ev_charger_hub.easee.commands import Commands
from custom_components.ev_charger_hub.easee.errors import (
    RateLimited,
    TooOften,
    Unavailable,
    WritesSpent,
)
from custom_components.ev_charger_hub.easee.requests import Reply
from custom_components.ev_charger_hub.easee.wear import A_DAY, A_MINUTE, Wear
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.seed import CHARGER, SECOND

MAXIMUM = "maxChargerCurrent"


@pytest.fixture
def drawer() -> Drawer:
    """Return what survives a restart."""
    return Drawer()


@pytest.fixture
def wear(time: SimulatedTime, drawer: Drawer) -> Wear:
    """Return the budget of writes."""
    return Wear(time, drawer.load, drawer.save)


async def test_a_setting_may_be_written_once_a_minute(
    wear: Wear, time: SimulatedTime
) -> None:
    await wear.spend(CHARGER, {MAXIMUM: 16})
    time.advance(59)
    with pytest.raises(WritesSpent) as caught:
        await wear.spend(CHARGER, {MAXIMUM: 20})
    assert caught.value.until == time() + timedelta(seconds=1)
    await wear.spend(SECOND, {MAXIMUM: 20})
    await wear.spend(CHARGER, {"maxCircuitCurrentP1": 20})
    time.advance(1)
    await wear.spend(CHARGER, {MAXIMUM: 20})


async def test_a_setting_may_be_written_25_times_a_day(
    wear: Wear, time: SimulatedTime
) -> None:
    told: list[tuple[str, str, datetime]] = []
    forget = wear.on_exhausted(lambda *what: told.append(what))
    begun = time()
    for number in range(A_DAY):
        assert wear.left(CHARGER, MAXIMUM) == A_DAY - number
        await wear.spend(CHARGER, {MAXIMUM: number})
        time.advance(60)
    with pytest.raises(WritesSpent):
        await wear.spend(CHARGER, {MAXIMUM: 6})
    assert told == [(CHARGER, MAXIMUM, begun + timedelta(days=1))]
    forget()
    with pytest.raises(WritesSpent):
        await wear.spend(CHARGER, {MAXIMUM: 6})
    assert len(told) == 1
    time.advance((begun + timedelta(days=1) - time()).total_seconds())
    assert wear.left(CHARGER, MAXIMUM) == 1
    await wear.spend(CHARGER, {MAXIMUM: 6})


async def test_what_was_written_is_known_after_a_restart(
    wear: Wear, time: SimulatedTime, drawer: Drawer
) -> None:
    for number in range(A_DAY):
        await wear.spend(CHARGER, {MAXIMUM: number})
        time.advance(120)
    reborn = Wear(time, drawer.load, drawer.save)
    with pytest.raises(WritesSpent):
        await reborn.spend(CHARGER, {MAXIMUM: 6})
    time.advance(timedelta(days=1).total_seconds())
    await reborn.spend(CHARGER, {MAXIMUM: 6})
    assert [len(one) for one in drawer.kept[CHARGER].values()] == [1]


@pytest.mark.parametrize(
    "stored",
    [
        {CHARGER: {MAXIMUM: ["yesterday"]}},
        {CHARGER: {MAXIMUM: [1]}},
        {CHARGER: {MAXIMUM: None}},
        {CHARGER: []},
        [CHARGER],
    ],
)
async def test_what_cannot_be_read_costs_nobody_a_command(
    wear: Wear, drawer: Drawer, stored: object
) -> None:
    drawer.kept = stored
    await wear.spend(CHARGER, {MAXIMUM: 16})
    assert wear.left(CHARGER, MAXIMUM) == A_DAY - 1


async def test_a_product_is_the_same_however_it_is_spelled(wear: Wear) -> None:
    await wear.spend(CHARGER.lower(), {MAXIMUM: 16})
    with pytest.raises(WritesSpent):
        await wear.spend(CHARGER, {MAXIMUM: 16})


async def test_one_setting_that_has_to_wait_writes_none(
    wear: Wear, time: SimulatedTime, drawer: Drawer
) -> None:
    await wear.spend(CHARGER, {"maxCircuitCurrentP2": 16})
    before = deepcopy(drawer.kept)
    with pytest.raises(WritesSpent):
        await wear.spend(
            CHARGER, {f"maxCircuitCurrentP{phase}": 16 for phase in (1, 2, 3)}
        )
    assert drawer.kept == before
    assert wear.left(CHARGER, "maxCircuitCurrentP1") == A_DAY


async def test_a_clock_that_is_set_back_does_not_forbid_writing_for_ever(
    wear: Wear, time: SimulatedTime
) -> None:
    await wear.spend(CHARGER, {MAXIMUM: 16})
    time.now -= timedelta(days=300)
    with pytest.raises(WritesSpent):
        await wear.spend(CHARGER, {MAXIMUM: 20})
    time.advance(60)
    await wear.spend(CHARGER, {MAXIMUM: 20})


async def test_volatile_limits_may_be_set_12_times_a_minute(
    wear: Wear, time: SimulatedTime, drawer: Drawer
) -> None:
    for number in range(A_MINUTE):
        await wear.spend(CHARGER, {"amps": 6 + number, "minutes": 0})
        time.advance(1)
    with pytest.raises(TooOften) as caught:
        await wear.spend(CHARGER, {"dynamicChargerCurrent": 6})
    assert caught.value.until == time() + timedelta(seconds=48)
    await wear.spend(CHARGER, {"amps": 0, "minutes": 0})
    await wear.spend(SECOND, {"amps": 6, "minutes": 0})
    time.advance(60)
    await wear.spend(CHARGER, {"amps": 6, "minutes": 0})
    assert drawer.kept is None


async def test_commands_that_have_to_wait_are_not_sent(
    listener: Listener, cloud: EaseeCloud
) -> None:
    settings = listener.commands.settings
    outcome = await listener.outcome(settings(CHARGER, {MAXIMUM: 16}))
    assert outcome.status is OutcomeStatus.CONFIRMED
    with pytest.raises(WritesSpent):
        await listener.outcome(settings(CHARGER, {MAXIMUM: 20}))
    assert len(cloud.journal.find("POST", "/settings$")) == 1


class Looking:
    """Requests that look at what is stored by the time that they are sent."""

    def __init__(self, drawer: Drawer) -> None:
        """Look into a drawer."""
        self._drawer = drawer
        self.stored: list[Any] = []

    async def request(self, method: str, path: str, **_: Any) -> Reply:
        """Look, and let nothing be heard of it."""
        self.stored.append(deepcopy(self._drawer.kept))
        raise Unavailable


async def test_it_is_counted_for_good_before_it_is_sent(
    wear: Wear, time: SimulatedTime, drawer: Drawer
) -> None:
    looking = Looking(drawer)
    commands = Commands(looking, time, stream_up=lambda: False, wear=wear)
    with pytest.raises(Unavailable):
        await commands.settings(CHARGER, {MAXIMUM: 16})
    assert looking.stored == [{CHARGER: {MAXIMUM: [time().isoformat()]}}]
    with pytest.raises(WritesSpent):
        await commands.settings(CHARGER, {MAXIMUM: 16})
    assert len(looking.stored) == 1


async def test_what_wrote_nothing_costs_nothing(
    listener: Listener, cloud: EaseeCloud
) -> None:
    settings = listener.commands.settings
    outcome = await listener.outcome(settings(CHARGER, {MAXIMUM: 32}))
    assert outcome.answer == "no change"
    cloud.faults.add(Fault(pattern="/settings$", status=400, body={"title": "No"}))
    outcome = await listener.outcome(settings(CHARGER, {MAXIMUM: 16}))
    assert outcome.status is OutcomeStatus.REJECTED
    cloud.faults.add(Fault(pattern="/settings$", status=429))
    with pytest.raises(RateLimited):
        await listener.outcome(settings(CHARGER, {MAXIMUM: 16}))
    assert listener.wear.left(CHARGER, MAXIMUM) == A_DAY
    await listener.time.pass_time(120)
    outcome = await listener.outcome(settings(CHARGER, {MAXIMUM: 16}))
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert listener.wear.left(CHARGER, MAXIMUM) == A_DAY - 1
