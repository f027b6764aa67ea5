"""Time in tests within Home Assistant: it leaps, and what is under way is done first.

A leap is longer than what anybody waits for an answer, which on a slow machine may still
be on its way. Who waits for an answer that never comes waits for the leap, so that there
is no waiting for everybody.
"""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant

from .charger import Charger
from tests.underway import rest


async def answered(*chargers: Charger) -> None:
    """Let what is under way come to its end, as far as it needs no time to pass."""
    for charger in chargers:
        await charger.rest()
    await rest()


async def leap(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    seconds: float,
    *chargers: Charger,
) -> None:
    """Let time pass, and everything happen that is due then."""
    await answered(*chargers)
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
