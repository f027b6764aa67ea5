"""What happens meanwhile: callers that give up, failures, and clocks that step back."""

import asyncio

import pytest

from .house import House, ampere
from custom_components.ev_charger_hub.station.errors import NotConnected
from tests.virtual_time import rest


async def test_a_limit_holds_although_its_caller_gave_up_while_it_waited() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await rest()
    wish.cancel()
    await house.time.advance(5)
    assert wish.cancelled()
    assert house.wanted == ampere(8)
    assert house.charger.offered() == 8


async def test_a_limit_is_shown_although_its_caller_gave_up_while_it_was_sent() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    await house.time.advance(61)
    house.charger.gate.clear()
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await rest()
    wish.cancel()
    await rest()
    house.charger.gate.set()
    await rest()
    assert house.wanted == ampere(8)
    assert house.charger.offered() == 8


async def test_whoever_waits_when_all_ends_is_told_so() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await rest()
    await house.kill()
    with pytest.raises(NotConnected):
        await wish
    assert house.charger.offered() == 16
