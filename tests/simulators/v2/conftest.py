"""Fixtures: a central system, and a station that booted there."""

from collections.abc import AsyncGenerator

import pytest

from .central import CentralSystem2
from simulators.charging_station.v2 import ChargingStation
from tests.simulators.conftest import FakeClock


@pytest.fixture
async def central2(socket_enabled: None) -> AsyncGenerator[CentralSystem2]:
    """Return a listening central system; what is no OCPP fails the test."""
    system = CentralSystem2()
    await system.start()
    yield system
    await system.stop()
    assert system.violations == []


@pytest.fixture
async def station2(
    central2: CentralSystem2, clock: FakeClock
) -> AsyncGenerator[ChargingStation]:
    """Return a booted station with two EVSEs, the second of two connectors."""
    virtual = ChargingStation(
        f"ws://127.0.0.1:{central2.port}/ocpp", "CP2", evses=(1, 2), clock=clock
    )
    await virtual.connect()
    await central2.count("StatusNotification", 3)
    await virtual.settle()
    yield virtual
    await virtual.close()
