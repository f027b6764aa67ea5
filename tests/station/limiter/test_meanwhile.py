"""What happens meanwhile: ends and settings that change while a limit is sent."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from .house import House, ampere, watt
from .test_care import switching
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from tests.virtual_time import rest


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


async def test_a_timed_limit_ends_although_a_scheduled_one_was_refused() -> None:
    house = House()
    await house.want(ampere(8))
    await house.want(ampere(16), duration=timedelta(minutes=10))
    outcome = await house.limiter.request(1, ampere(20))
    assert outcome.status is OutcomeStatus.SCHEDULED
    house.charger.answer = Outcome(status=OutcomeStatus.REJECTED)
    await house.time.advance(61)
    assert house.wanted == ampere(16)
    house.charger.answer = None
    await house.time.advance(600)
    assert house.wanted == ampere(8)
    assert house.charger.offered() == 8


async def test_a_refused_limit_does_not_bring_back_one_above_a_lower_maximum() -> None:
    house = House()
    await house.want(ampere(32))
    house.charger.gate.clear()
    house.charger.answer = Outcome(status=OutcomeStatus.REJECTED)
    await house.time.advance(61)
    wish = asyncio.create_task(house.limiter.request(1, ampere(20)))
    await rest()
    house.station.settings = replace(house.settings, maximum_current=16)
    limits.clamp(house.station)
    house.charger.gate.set()
    await wish
    assert house.wanted == ampere(16)


async def test_watts_for_three_phases_are_no_more_than_the_maximum_on_one() -> None:
    house = House(maximum_current=16)
    switching(house)
    await house.begin()
    await house.want(watt(11040))
    await house.time.advance(61)
    assert (await house.limiter.request_phases(1, 1)).ok
    assert house.charger.offered() == 16
