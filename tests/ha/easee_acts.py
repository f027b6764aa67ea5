"""Actions on Easee chargers in tests, while time passes for the virtual cloud."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from homeassistant.exceptions import HomeAssistantError

from .easee import EaseeHome
from .entities import act
from custom_components.ev_charger_hub.const import DOMAIN
from simulators.easee_cloud import Charger, EaseeCloud, Vehicle
from simulators.easee_cloud.seed import CHARGER

OSLO = "Europe/Oslo"

PATIENCE = 100
"""So often the journal has its turn before something seems to wait for time."""


async def perform(
    home: EaseeHome, action: str, identifier: str = CHARGER, /, **fields: Any
) -> dict[str, Any]:
    """Perform an action, while as much time passes as that takes."""
    return await while_time_passes(home, act(home.hass, action, identifier, **fields))


async def patiently[T](home: EaseeHome, doing: Awaitable[T]) -> T:
    """Return what comes of something; time passes only if it has to wait for that."""
    task = asyncio.ensure_future(doing)
    for _ in range(PATIENCE):
        if task.done():
            break
        await home.kept()
    while not task.done():
        await home.time.pass_time(0.25)
    return await task


async def while_time_passes[T](home: EaseeHome, doing: Awaitable[T]) -> T:
    """Return what comes of something, while as much time passes as that takes."""
    task = asyncio.ensure_future(doing)
    while not task.done():
        await home.kept()
        await home.time.pass_time(0.25)
    await home.settle()
    return await task


async def refused(
    home: EaseeHome, action: str, identifier: str = CHARGER, /, **fields: Any
) -> str:
    """Return the translation key of the error that an action ends with."""
    with pytest.raises(HomeAssistantError) as raised:
        await perform(home, action, identifier, **fields)
    assert raised.value.translation_domain == DOMAIN
    assert "{" not in str(raised.value)
    return str(raised.value.translation_key)


def written(cloud: EaseeCloud, path: str = "") -> list[str]:
    """Return what was written to the cloud: method and path."""
    return [
        f"{one.method} {one.path}"
        for one in cloud.journal
        if one.method != "GET" and "accounts" not in one.path and path in one.path
        if not one.path.startswith("/hubs")
    ]


async def plug_in(home: EaseeHome, charger: Charger) -> None:
    """Plug a car in that wants to charge."""
    charger.plug_in(Vehicle())
    await home.passes(5)
