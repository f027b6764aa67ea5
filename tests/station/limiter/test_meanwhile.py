"""What happens meanwhile: ends and settings that change while a limit is sent."""

import asyncio
from datetime import timedelta

from .house import House, ampere


async def test_an_end_while_a_newer_limit_is_sent_does_not_end_that_limit() -> None:
    house = House()
    await house.want(ampere(32))
    await house.want(ampere(16), duration=timedelta(seconds=100))
    await house.time.advance(95)
    house.charger.gate.clear()
    wish = asyncio.create_task(house.limiter.request(1, ampere(8)))
    await house.time.advance(10)
    house.charger.gate.set()
    assert (await wish).ok
    await house.time.advance(120)
    assert house.wanted == ampere(8)
    assert house.charger.offered() == 8
