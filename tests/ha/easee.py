"""An Easee account within Home Assistant, on the clock of a virtual cloud."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .planted import plant
from custom_components.ev_charger_hub.const import CONF_KIND, DOMAIN, KIND_EASEE
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import EaseeCloud, SimulatedTime
from simulators.easee_cloud.seed import EMAIL, PASSWORD

ACCOUNT: Final = "easee_1"
"""The unique id of the account of the virtual cloud."""

FLUSH: Final = timedelta(seconds=2)
"""After so long everything that waits to be shown is shown."""

ROUNDS: Final = 6


class EaseeHome:
    """A Home Assistant and a virtual cloud that live by one clock.

    `await home.settle()` lets everything happen that needs no time; `await
    home.passes(seconds)` lets time pass for both, with everything that is due.
    """

    def __init__(
        self, hass: HomeAssistant, cloud: EaseeCloud, time: SimulatedTime
    ) -> None:
        """Bring both together."""
        self.hass = hass
        self.cloud = cloud
        self.time = time

    @property
    def hubs(self) -> list[EaseeHub]:
        """Return the hubs of the accounts that are set up."""
        return [
            entry.runtime_data
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            if entry.state is ConfigEntryState.LOADED
            and isinstance(getattr(entry, "runtime_data", None), EaseeHub)
        ]

    async def set_up(self, entry: MockConfigEntry) -> EaseeHub | None:
        """Set an account up and wait until it hears its products; None if it fails."""
        if self.hass.config_entries.async_get_entry(entry.entry_id) is None:
            entry.add_to_hass(self.hass)
        await self.hass.config_entries.async_setup(entry.entry_id)
        await self.settle()
        if entry.state is not ConfigEntryState.LOADED:
            return None
        hub: EaseeHub = entry.runtime_data
        return hub

    async def set_up_slowly(
        self, entry: MockConfigEntry, seconds: float = 60
    ) -> EaseeHub | None:
        """Set an account up with a cloud that is down, or takes its time."""
        asked = len(self.cloud.journal.requests)
        setup = self.hass.async_create_task(self.set_up(entry))
        await self.cloud.until(
            lambda: setup.done() or len(self.cloud.journal.requests) > asked
        )
        await self.time.pass_time(seconds)
        return await self._done(setup)

    async def _done[T](self, task: asyncio.Task[T]) -> T:
        """Let time pass until something is done, however slow this machine is."""
        while not task.done():
            await self.time.pass_time(1)
        return await task

    async def restart(
        self, entry: MockConfigEntry, seconds: float = 60
    ) -> EaseeHub | None:
        """Set an account up again; the cloud may take so many seconds."""
        await self.hass.config_entries.async_unload(entry.entry_id)
        return await self.set_up_slowly(entry, seconds)

    async def settle(self) -> None:
        """Let everything happen that waits for nothing but its turn, and be shown."""
        for _ in range(ROUNDS):
            await self.time.pass_time(0)
            await self.kept()
            for hub in self.hubs:
                for charger in hub.account.chargers.values():
                    await charger.settle()
            await self.hass.async_block_till_done()
        async_fire_time_changed(self.hass, dt_util.utcnow() + FLUSH)
        await self.hass.async_block_till_done()

    async def kept(self) -> None:
        """Wait until all that was told is on disk, for which no time passes."""
        for hub in self.hubs:
            # The journal works in a thread of its own, one thing after the other.
            await hub.journal.load("", "")

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        await self.time.pass_time(seconds)
        await self.settle()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that needs no time to pass, and settle."""
        await self.cloud.until(condition)
        await self.settle()

    async def unload(self) -> None:
        """Unload all accounts, also after a test that has left one waiting."""
        for hub in self.hubs:
            unload = self.hass.config_entries.async_unload(hub.entry.entry_id)
            await self._done(self.hass.async_create_task(unload))
        await self.hass.async_block_till_done()


def easee_config_entry(
    *,
    password: str | None = PASSWORD,
    options: Mapping[str, Any] | None = None,
    user: str = EMAIL,
    unique_id: str = ACCOUNT,
    entry_id: str = "01JEVCHARGERHUBEASEE000000",
) -> MockConfigEntry:
    """Return the entry of an account, as the flow would make it."""
    plant(password, user)
    data = {CONF_KIND: KIND_EASEE, CONF_USERNAME: user}
    if password is not None:
        data[CONF_PASSWORD] = password
    return MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        unique_id=unique_id,
        data=data,
        options=dict(options or {}),
        entry_id=entry_id,
    )


def other_easee_entry(cloud: EaseeCloud) -> MockConfigEntry:
    """Return the entry of another account, which sees the same site."""
    cloud.tokens.account(
        user_id=2, email="ola@example.com", phone="+4791", password="x", sites=[1]
    )
    return easee_config_entry(
        user="ola@example.com",
        password="x",
        unique_id="easee_2",
        entry_id="01JEVCHARGERHUBEASEE000001",
    )


def plant_cloud(cloud: EaseeCloud) -> None:
    """Keep watch for what a virtual cloud holds that is secret."""
    plant(*cloud.chargers, *cloud.equalizers)
    for charger in cloud.chargers.values():
        plant(charger.pin_code)
    for session in cloud.tokens.sessions.values():
        plant(session.access, session.refresh)
