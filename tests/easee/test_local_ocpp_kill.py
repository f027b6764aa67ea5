"""Whoever moves a charger may be killed at any moment: the next one goes on (3.6, trap 6)."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from aiohttp import ClientSession
import pytest

from .house import PASSWORD, SETTINGS, Fuse, House, Killed
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.local_progress import Stage
from simulators.easee_cloud import SimulatedTime, seeded

MINUTE = 60.0


@asynccontextmanager
async def a_house() -> AsyncGenerator[House]:
    """Give a house of its own to a life."""
    time = SimulatedTime()
    cloud = seeded(time)
    await cloud.start()
    async with ClientSession() as session:
        house = House(cloud, time, session)
        await house.open()
        house.charger.observe(Id.OFFLINE_CHARGING_MODE, 2)
        await house.restart()
        yield house
        await house.close()
    await cloud.stop()


async def begin(house: House) -> None:
    """Bring the charger here."""
    await house.commissioning.begin(house.details)


async def undo(house: House) -> None:
    """Send it back."""
    await house.commissioning.undo()


async def lived(house: House) -> None:
    """Let a life be over, or have nothing more to do."""
    for _ in range(int(2 * MINUTE)):
        if not house.busy:
            return
        await house.time.pass_time(1)
    raise AssertionError(house.stage())


async def steps_of(*, back: bool) -> int:
    """Return how many steps a life has."""
    async with a_house() as house:
        if back:
            await house.enable()
        fuse = Fuse()
        await house.die()
        await house.live(fuse)
        await (undo(house) if back else begin(house))
        await lived(house)
        return fuse.burnt


def check_there(house: House) -> None:
    """See that the charger is here, and that everything was done once."""
    assert house.stage() is Stage.VERIFIED
    assert house.door.connected
    assert [body["connectivityMode"] for body in house.stores()] == ["DualProtocol"]
    assert house.stores()[0]["basicAuthPassword"] == PASSWORD
    assert house.cloud.local_ocpp.applied[house.serial].url == house.details.url
    assert len(house.cloud.journal.find("POST", SETTINGS)) == 1
    # To be told the same twice does a charger no harm.
    assert 1 <= len(house.applies()) <= 2
    assert house.progress().attempts == 1


def check_back(house: House) -> None:
    """See that the charger is back, and as it was."""
    assert house.stage() is None
    assert not house.door.connected
    on, off = house.stores()
    assert off == on | {"connectivityMode": "OcppOff"}
    assert house.charger[Id.OFFLINE_CHARGING_MODE] == 2
    assert house.charger[Id.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID] is False
    assert house.cloud.local_ocpp.applied[house.serial].mode == "OcppOff"


@pytest.mark.parametrize("back", [False, True])
async def test_who_is_killed_between_any_two_steps_stores_nothing_twice(
    socket_enabled: None, *, back: bool
) -> None:
    steps = await steps_of(back=back)
    assert steps > 20
    for step in range(steps):
        async with a_house() as house:
            if back:
                await house.enable()
            await house.die()
            await house.live(Fuse(step))
            with suppress(Killed):
                await (undo(house) if back else begin(house))
            await lived(house)
            await house.restart()
            if not back and house.stage() is None:
                await begin(house)
            if back and house.stage() is Stage.VERIFIED:
                await undo(house)
            await lived(house)
            await house.time.pass_time(10)
            # Whoever dials, or hangs up, does so over a real socket.
            await house.cloud.until(lambda: house.door.connected is not back)
            (check_back if back else check_there)(house)


async def test_who_is_killed_again_and_again_gets_there(socket_enabled: None) -> None:
    """Each life gets a little further than the one before it."""
    async with a_house() as house:
        lives = 0
        while house.stage() is not Stage.VERIFIED:
            assert (lives := lives + 1) < 30
            await house.die()
            await house.live(Fuse(6))
            if house.stage() is None:
                with suppress(Killed):
                    await begin(house)
            await lived(house)
            await house.die()
            await house.live(Fuse(0))
        assert lives > 3
        check_there(house)
