"""Leftovers: what only one of two can show goes with it, and nothing else."""

from datetime import datetime

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.config_entries import ConfigEntry, ConfigEntryDisabler
from homeassistant.const import CONF_PORT, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.util import dt as dt_util

from .one_device import Watched, kept
from .two_ways import CARD, TwoWays
from simulators.easee_cloud import Vehicle
from simulators.easee_cloud.seed import CHARGER

STATUS = "sensor _1_status"
LIMIT = "number _1_current_limit"
OF_BOTH = "sensor _way"
OF_SERVER = (
    "binary_sensor _0_problem",
    "event _security",
    "number _connection_timeout",
    "sensor _0_status",
    "sensor _protocol_version",
    "sensor _security_profile",
    "switch _authorization_cache",
    "switch _free_charging",
)
"""Some of what no account shows."""


# The freezer comes first: connections that know the real time would seem silent.
@pytest.fixture
def easee_epoch(freezer: FrozenDateTimeFactory) -> datetime:
    """Return the present, which stands still until the test moves it."""
    return dt_util.utcnow()


@pytest.fixture
def watched(hass: HomeAssistant, ways: TwoWays) -> Watched:
    """Return the registries, watched."""
    return Watched(hass, (CHARGER,))


async def charge(ways: TwoWays) -> None:
    """Have a car charge for a while, so that everything is told that ever is."""
    ways.charger.plug_in(Vehicle())
    await ways.passes(10)
    ways.charger.swipe(CARD)
    await ways.passes(60)
    ways.charger.unplug()
    await ways.passes(60)


async def delete_charger(hass: HomeAssistant, server: ConfigEntry) -> None:
    """Delete the charger from its server."""
    (subentry_id,) = server.subentries
    hass.config_entries.async_remove_subentry(server, subentry_id)


async def delete_server(hass: HomeAssistant, server: ConfigEntry) -> None:
    """Delete the server with all its chargers."""
    await hass.config_entries.async_remove(server.entry_id)


async def test_an_account_alone_keeps_all_that_it_ever_showed(
    hass: HomeAssistant, ways: TwoWays, watched: Watched
) -> None:
    await charge(ways)
    before = watched.seen()
    for _ in range(2):
        await hass.config_entries.async_reload(ways.account.entry_id)
        await ways.passes(60)
        assert watched.seen() == before
    assert not watched.removed


@pytest.mark.parametrize("delete", [delete_charger, delete_server])
async def test_what_only_the_server_showed_goes_with_it(
    hass: HomeAssistant, ways: TwoWays, watched: Watched, delete: object
) -> None:
    assert callable(delete)
    await charge(ways)
    alone = watched.seen()
    await ways.move()
    await charge(ways)
    both = watched.seen()
    assert {*OF_SERVER, OF_BOTH} <= both.keys() - alone.keys()
    # The phases are chosen at one place.
    assert "select _phase_mode" in both
    assert "select _1_phases" not in both
    await delete(hass, ways.server)
    await ways.passes(60)
    assert watched.device.config_entry_id == ways.account.entry_id
    after = watched.seen()
    assert kept(alone, after)
    assert after.keys() == alone.keys()
    assert watched.state(STATUS) == "available"
    # Nothing of it comes back by itself.
    await hass.config_entries.async_reload(ways.account.entry_id)
    await ways.passes(60)
    assert watched.seen() == after


async def test_what_the_server_showed_is_there_again_when_it_is_back(
    hass: HomeAssistant, ways: TwoWays, watched: Watched
) -> None:
    registry = er.async_get(hass)
    area = ar.async_get(hass).async_create("Carport")
    await ways.move()
    security, status = watched.named("event _security"), watched.named(STATUS)
    registry.async_update_entity(security.entity_id, name="Alarm", area_id=area.id)
    registry.async_update_entity(status.entity_id, name="Mine", area_id=area.id)
    await ways.passes(10)
    both = watched.seen()
    await ways.move_back()
    await ways.passes(60)
    assert "event _security" not in watched.seen()
    assert watched.named(STATUS).name == "Mine"
    assert watched.named(STATUS).area_id == area.id
    await ways.move()
    await ways.passes(60)
    assert kept(both, watched.seen())
    assert watched.named("event _security").name == "Alarm"
    assert watched.named("event _security").area_id == area.id


async def test_a_disabled_server_may_come_back_and_nothing_goes(
    hass: HomeAssistant, ways: TwoWays, watched: Watched
) -> None:
    await ways.move()
    await charge(ways)
    both = watched.seen()
    user = ConfigEntryDisabler.USER
    await hass.config_entries.async_set_disabled_by(ways.server.entry_id, user)
    await ways.passes(120)
    assert watched.device.config_entry_id == ways.account.entry_id
    await hass.config_entries.async_reload(ways.account.entry_id)
    await ways.passes(60)
    assert watched.seen() == both
    assert watched.state("event _security") == STATE_UNAVAILABLE
    assert watched.state(OF_BOTH) == "cloud"
    assert not watched.removed


async def test_what_only_the_account_showed_goes_with_it(
    hass: HomeAssistant, ways: TwoWays, watched: Watched
) -> None:
    await charge(ways)
    await ways.move()
    await charge(ways)
    both = watched.seen()
    await hass.config_entries.async_remove(ways.account.entry_id)
    await ways.passes(60)
    after = watched.seen()
    assert kept(after, both)
    assert OF_BOTH not in after
    assert {*OF_SERVER} <= after.keys()
    # The server starts again, at the port that the charger knows.
    data = {**ways.server.data, CONF_PORT: ways.hub.port}
    hass.config_entries.async_update_entry(ways.server, data=data)
    await ways.passes(5)
    connectivity = "binary_sensor _connectivity"
    await ways.until(lambda: watched.state(connectivity) == "on", seconds=600)
    await charge(ways)
    assert kept(after, watched.seen())
    # Nothing is left that nobody shows, but for what a charger may measure any time.
    restored = [
        one.unique_id
        for one in watched.entities
        if not one.disabled
        and (state := hass.states.get(one.entity_id)) is not None
        and state.attributes.get("restored")
    ]
    assert restored == [f"{CHARGER}_1_current_offered"]
