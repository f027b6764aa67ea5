"""Fixtures of the simulators' tests."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from .central import PlainCentralSystem
from simulators.charging_station import ChargingStation16


class FakeClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        """Start on a fixed morning."""
        self.now = datetime(2026, 11, 21, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the present."""
        return self.now

    def tick(self, seconds: float) -> None:
        """Move on."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    """Return the station's clock."""
    return FakeClock()


@pytest.fixture
async def central(socket_enabled: None) -> AsyncGenerator[PlainCentralSystem]:
    """Return a listening central system."""
    system = PlainCentralSystem()
    await system.start()
    yield system
    await system.stop()


@pytest.fixture
async def station(
    central: PlainCentralSystem, clock: FakeClock
) -> AsyncGenerator[ChargingStation16]:
    """Return a connected, booted station with two connectors."""
    virtual = ChargingStation16(
        f"ws://127.0.0.1:{central.port}/ocpp", "CP1", connectors=2, clock=clock
    )
    await virtual.connect()
    yield virtual
    await virtual.close()
