"""Whatever becomes of a server and an account, in whichever order: one device for ever."""

from collections.abc import Awaitable, Callable
from datetime import datetime
import random

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .easee import EaseeHome, easee_config_entry
from .one_device import Seen, Watched
from custom_components.ev_charger_hub.const import DOMAIN
from simulators.easee_cloud.seed import CHARGER

NAMES = (CHARGER,)
STEPS = 14
STATUS = "sensor _1_status"
USER = ConfigEntryDisabler.USER


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


class House:
    """A house in which entries come and go."""

    def __init__(self, hass: HomeAssistant, home: EaseeHome) -> None:
        """Begin with a server and an account."""
        self.hass = hass
        self.home = home
        self.account: MockConfigEntry | None = None
        self.server: MockConfigEntry | None = None
        self.count = 0
        self.known: Seen = {}

    async def toggle_account(self) -> None:
        """Delete the account, or add it."""
        if self.account is not None:
            await self.hass.config_entries.async_remove(self.account.entry_id)
            self.account = None
            return
        self.count += 1
        entry_id = f"01JEVCHARGERHUBEASEE0001{self.count:02}"
        self.account = easee_config_entry(entry_id=entry_id)
        await self.home.set_up(self.account)

    async def toggle_server(self) -> None:
        """Delete the server, or add it."""
        if self.server is not None:
            await self.hass.config_entries.async_remove(self.server.entry_id)
            self.server = None
            return
        data = {CONF_HOST: "127.0.0.1", CONF_PORT: 0}
        self.server = MockConfigEntry(domain=DOMAIN, title="Server", data=data)
        self.server.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.server.entry_id)

    async def toggle_charger(self) -> None:
        """Delete the charger of the server, or approve it."""
        if self.server is None or self.server.state is not ConfigEntryState.LOADED:
            return
        if subentries := tuple(self.server.subentries):
            self.hass.config_entries.async_remove_subentry(self.server, subentries[0])
        else:
            self.server.runtime_data.approve(CHARGER, "Garage", None)

    async def disable_server(self) -> None:
        """Disable the server, or enable it."""
        if self.server is not None:
            await self._toggle_disabled(self.server)

    async def disable_account(self) -> None:
        """Disable the account, or enable it."""
        if self.account is not None:
            await self._toggle_disabled(self.account)

    async def _toggle_disabled(self, entry: MockConfigEntry) -> None:
        disabled = None if entry.disabled_by else USER
        await self.hass.config_entries.async_set_disabled_by(entry.entry_id, disabled)

    async def reload_server(self) -> None:
        """Load the server again."""
        if self.server is not None and self.server.disabled_by is None:
            await self.hass.config_entries.async_reload(self.server.entry_id)

    async def reload_account(self) -> None:
        """Load the account again."""
        if self.account is not None and self.account.disabled_by is None:
            await self.hass.config_entries.async_reload(self.account.entry_id)

    async def wait(self) -> None:
        """Let time pass."""
        await self.home.passes(70)

    @property
    def owner(self) -> MockConfigEntry | None:
        """Return who is to show the charger."""
        server, account = self.server, self.account
        if server is not None and server.subentries and server.disabled_by is None:
            return server
        if account is not None and account.disabled_by is None:
            return account
        return None

    def check(self) -> None:
        """Check that there is one device, and that all is as it was."""
        if (owner := self.owner) is None:
            return
        watched = Watched(self.hass, NAMES)
        seen = watched.seen()
        assert watched.device.config_entry_id == owner.entry_id
        changed = {
            one for one in seen.keys() & self.known if seen[one] != self.known[one]
        }
        assert not changed
        self.known |= seen
        assert STATUS in seen or self.account is None
        online = self.account is not None and self.account.disabled_by is None
        if online:
            assert watched.state(STATUS) != STATE_UNAVAILABLE


@pytest.mark.parametrize("seed", range(3))
async def test_walk(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    socket_enabled: None,
    caplog: pytest.LogCaptureFixture,
    seed: int,
) -> None:
    dice = random.Random(seed)
    house = House(hass, easee_home)
    steps: list[Callable[[], Awaitable[None]]] = [
        house.toggle_account,
        house.toggle_server,
        house.toggle_charger,
        house.toggle_charger,
        house.disable_server,
        house.disable_account,
        house.reload_server,
        house.reload_account,
        house.wait,
    ]
    await house.toggle_server()
    await house.toggle_account()
    await easee_home.settle()
    done = []
    for _ in range(STEPS):
        step = dice.choice(steps)
        done.append(step.__name__)
        await step()
        await hass.async_block_till_done()
        await easee_home.settle()
        try:
            house.check()
        except AssertionError as err:
            raise AssertionError(done) from err
    assert "does not generate unique IDs" not in caplog.text
    assert "Traceback" not in caplog.text
