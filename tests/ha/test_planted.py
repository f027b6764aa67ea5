"""The watch that every test here is under notices what it is there for."""

import pytest

from homeassistant.core import HomeAssistant

from .charger import Charger
from .planted import LOGGER, plant, watched

PASSWORD = "correct-horse-battery"


async def test_a_secret_in_the_log_is_noticed(hass: HomeAssistant) -> None:
    async def leak() -> None:
        async with watched(hass):
            plant(PASSWORD)
            LOGGER.debug("logged in with %s", PASSWORD)

    with pytest.raises(AssertionError, match="the log"):
        await leak()


async def test_a_secret_in_the_diagnostics_is_noticed(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    async def leak() -> None:
        async with watched(hass):
            plant(PASSWORD)
            data = {"vendorId": "acme", "data": PASSWORD}
            await approved_charger.call("DataTransfer", data)

    with pytest.raises(AssertionError, match="the diagnostics"):
        await leak()
