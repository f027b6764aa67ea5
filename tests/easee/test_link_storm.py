"""Whatever happens in whatever order, the last wish holds in the end."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from .garage import Garage, ampere
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.errors import StationError
from simulators.easee_cloud import Behaviour, Vehicle

STEPS = 25


async def wish(garage: Garage, work: Any) -> None:
    """Want something; that it fails now and then is part of the weather."""
    with suppress(StationError):
        await work


def weather(garage: Garage, random: Random) -> None:
    """Let something happen that nobody asked for."""
    charger = garage.charger
    match random.randrange(7):
        case 0 if charger.vehicle is None:
            charger.plug_in(Vehicle(maximum_current=32))
        case 1 if charger.vehicle is not None:
            charger.unplug()
        case 2:
            charger.reboot()
        case 3:
            garage.cloud.hub.drop()
        case 4:
            garage.cloud.commands.next(Behaviour(never=True))
        case 5:
            garage.cloud.commands.next(Behaviour(delay=random.uniform(0, 8)))
        case 6:
            garage.cloud.rogue(charger.serial, dynamicChargerCurrent=25.0)


def wanting(garage: Garage, random: Random) -> Any:
    """Return one of the things that users do."""
    match random.randrange(6):
        case 0:
            return limits.pause(garage.station, 1)
        case 1:
            return limits.resume(garage.station, 1)
        case 2:
            return limits.request(garage.station, 1, None)
        case _:
            amps = random.choice([0, 6, 7.5, 10, 16, 32])
            return limits.request(garage.station, 1, ampere(amps))


@pytest.mark.parametrize("seed", range(6))
async def test_the_last_wish_holds_in_the_end(garage: Garage, seed: int) -> None:
    random = Random(seed)
    garage.charger.plug_in(Vehicle(maximum_current=32))
    wishes = []
    for _ in range(STEPS):
        if random.random() < 0.6:
            work = wish(garage, wanting(garage, random))
            wishes.append(asyncio.ensure_future(work))
        else:
            weather(garage, random)
        await garage.pass_time(random.choice([0, 0.3, 2, 8, 40]))
    await garage.pass_time(300)
    assert all(one.done() for one in wishes)
    garage.cloud.commands.upcoming.clear()
    if garage.charger.vehicle is None:
        garage.charger.plug_in(Vehicle(maximum_current=32))
    # Long enough for whoever was let have it their way to be answered again.
    await garage.pass_time(1500)
    wanted = garage.evse.wanted_limit.value
    if wanted is None:
        assert garage.dynamic >= 25
    else:
        assert garage.dynamic == wanted.value
        assert not garage.ignored()
    amounts = [one for one in garage.sent if isinstance(one, int | float)]
    assert all(one == 0 or one >= 6 for one in amounts)
