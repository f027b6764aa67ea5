"""Test the poller: asks only for what the stream does not tell, and within the budget."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.errors import Unavailable
from custom_components.ev_charger_hub.easee.ids import ChargerId
from custom_components.ev_charger_hub.easee.poller import (
    CHARGER as A_CHARGER,
    EQUALIZER as AN_EQUALIZER,
    Poller,
)
from custom_components.ev_charger_hub.easee.readings import Observation, Readings
from simulators.easee_cloud import EaseeCloud, SimulatedTime
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND

STATE = "^/state/"


class Ears:
    """A stream that tells of some products."""

    def __init__(self) -> None:
        """Tell of none."""
        self.heard: set[str] = set()

    def hears(self, serial: str) -> bool:
        """Return whether it tells of a product."""
        return serial in self.heard


class House:
    """What was told of each product."""

    def __init__(self) -> None:
        """Know nothing."""
        self.readings = {one: Readings() for one in (CHARGER, SECOND, EQUALIZER)}

    def take(self, observation: Observation) -> None:
        """Take what is told."""
        self.readings[observation.serial].take(observation)


@pytest.fixture
def ears() -> Ears:
    """Return the stream."""
    return Ears()


@pytest.fixture
def house() -> House:
    """Return what is known."""
    return House()


@pytest.fixture
async def poller(
    api: EaseeApi, time: SimulatedTime, ears: Ears, house: House
) -> AsyncGenerator[Poller]:
    """Return a poller that runs, for two chargers and an equalizer."""
    poller = Poller(api, ears, time, house.take)
    for serial, readings in house.readings.items():
        kind = AN_EQUALIZER if serial == EQUALIZER else A_CHARGER
        poller.follow(serial, kind, readings)
    task = asyncio.create_task(poller.run())
    yield poller
    task.cancel()
    await asyncio.wait([task])


def asked(cloud: EaseeCloud, serial: str = "") -> int:
    """Return how often the cloud was asked for a product, or for any."""
    return len(cloud.journal.find("GET", STATE + serial))


async def test_without_a_stream_each_is_asked_for_once_a_minute(
    poller: Poller, cloud: EaseeCloud, time: SimulatedTime, house: House
) -> None:
    await time.pass_time(9)
    assert asked(cloud) == 0
    await time.pass_time(300)
    for serial in (CHARGER, SECOND, EQUALIZER):
        assert asked(cloud, serial) == 5
        assert 250 in house.readings[serial]
    assert house.readings[CHARGER].number(ChargerId.CHARGER_OP_MODE) == 1


async def test_what_the_stream_tells_is_not_asked_for(
    poller: Poller, cloud: EaseeCloud, time: SimulatedTime, ears: Ears
) -> None:
    await time.pass_time(30)
    ears.heard = {CHARGER, EQUALIZER}
    before = asked(cloud)
    await time.pass_time(600)
    assert asked(cloud) - before == asked(cloud, SECOND) - 1


async def test_what_the_stream_never_sends_is_asked_for_a_few_times_a_day(
    poller: Poller, cloud: EaseeCloud, time: SimulatedTime, ears: Ears
) -> None:
    del cloud.chargers[CHARGER].known[ChargerId.SESSION_ENERGY]
    ears.heard = {CHARGER, SECOND, EQUALIZER}
    await time.pass_time(12 * 3600 + 300)
    assert asked(cloud, CHARGER) == 3
    assert asked(cloud, SECOND) == asked(cloud, EQUALIZER) == 1


async def test_many_products_leave_something_of_the_budget(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime, ears: Ears
) -> None:
    poller = Poller(api, ears, time, lambda _: None)
    for number in range(40):
        poller.follow(f"EH{number:06d}", A_CHARGER, Readings())
    task = asyncio.create_task(poller.run())
    await time.pass_time(1800)
    assert cloud.journal.busiest(300, "GET", STATE) <= 60
    task.cancel()
    await asyncio.wait([task])


async def test_what_goes_wrong_is_tried_again(
    poller: Poller, cloud: EaseeCloud, time: SimulatedTime, house: House
) -> None:
    cloud.faults.add(Fault(pattern=STATE + CHARGER, status=403))
    cloud.faults.add(Fault(pattern=STATE + SECOND, status=200, after=True, body="?"))
    await time.pass_time(60)
    assert 250 not in house.readings[CHARGER]
    assert 250 not in house.readings[SECOND]
    assert 250 in house.readings[EQUALIZER]
    await time.pass_time(60)
    assert 250 in house.readings[CHARGER]
    assert 250 in house.readings[SECOND]


async def test_who_takes_what_is_told_may_fail(
    api: EaseeApi,
    cloud: EaseeCloud,
    time: SimulatedTime,
    ears: Ears,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(observation: Observation) -> None:
        raise ValueError(observation.id)

    poller = Poller(api, ears, time, fail)
    poller.follow(CHARGER, A_CHARGER, Readings())
    task = asyncio.create_task(poller.run())
    await time.pass_time(130)
    assert asked(cloud, CHARGER) == 3
    assert "is not understood" in caplog.text
    task.cancel()
    await asyncio.wait([task])


async def test_what_goes_meanwhile_is_not_asked_for(
    poller: Poller, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    await time.pass_time(11)
    assert asked(cloud, CHARGER) == 1
    poller.forget(SECOND)
    await time.pass_time(60)
    assert asked(cloud, SECOND) == 0


async def test_somebody_who_asks_hears_what_is_wrong(
    poller: Poller, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    cloud.outage()
    refreshing: asyncio.Task[Any] = asyncio.create_task(poller.refresh(CHARGER))
    await time.pass_time(30)
    with pytest.raises(Unavailable):
        await refreshing
