"""Fixtures of the tests of the virtual Easee cloud."""

from collections.abc import AsyncGenerator

import pytest

from .plain import PlainClient
from simulators.easee_cloud import Charger, EaseeCloud, Equalizer, SimulatedTime, seeded
from simulators.easee_cloud.seed import CHARGER, EQUALIZER
from tests.underway import UNDERWAY


@pytest.fixture
def time() -> SimulatedTime:
    """Return the clock of cloud and test."""
    time = SimulatedTime()
    time.busy = UNDERWAY.busy
    return time


@pytest.fixture
async def cloud(
    socket_enabled: None, time: SimulatedTime
) -> AsyncGenerator[EaseeCloud]:
    """Return a cloud that serves, with two chargers and an equalizer."""
    cloud = seeded(time, second=True)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def client(cloud: EaseeCloud) -> AsyncGenerator[PlainClient]:
    """Return a client that has not logged in."""
    client = PlainClient(cloud)
    yield client
    await client.close()


@pytest.fixture
def charger(cloud: EaseeCloud) -> Charger:
    """Return the master of the circuit."""
    return cloud.chargers[CHARGER]


@pytest.fixture
def equalizer(cloud: EaseeCloud) -> Equalizer:
    """Return the equalizer."""
    return cloud.equalizers[EQUALIZER]
