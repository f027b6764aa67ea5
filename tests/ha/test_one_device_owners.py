"""Who shows a charger that a server and an account have, whatever becomes of either."""

import asyncio
from datetime import datetime, timedelta
from socket import create_server, socket
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.util import dt as dt_util

from .conftest import ChargerFactory
from .easee import EaseeHome, easee_config_entry, other_easee_entry
from .one_device import REMOVES_FIRST, Watched, kept
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.easee_issues import ROGUE
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.issues import finding_issue_id
from custom_components.ev_charger_hub.turns import Piece, Turns
from simulators.easee_cloud.seed import CHARGER
from simulators.easee_cloud.vehicle import Vehicle

STATUS = "sensor _1_status"
LIMIT = "number _1_current_limit"
FIRMWARE = "update _firmware"
OF_SERVER = "event _security"
OF_CLOUD = "binary_sensor _cable_locked"


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
def watched(hass: HomeAssistant) -> Watched:
    """Return the registries, watched."""
    return Watched(hass, (CHARGER,))


@pytest.fixture
def taken() -> socket:
    """Return a socket that has a port."""
    return create_server(("127.0.0.1", 0))


async def approve(hass: HomeAssistant, home: EaseeHome, hub: OcppHub) -> None:
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    await home.settle()


async def test_what_the_user_made_of_it_stays(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
) -> None:
    devices, entities = dr.async_get(hass), er.async_get(hass)
    area = ar.async_get(hass).async_create("Carport")
    devices.async_update_device(
        watched.device.id, area_id=area.id, name_by_user="My charger", labels={"a"}
    )
    status, limit = watched.named(STATUS), watched.named(LIMIT)
    entities.async_update_entity(
        status.entity_id, new_entity_id="sensor.mine", name="Mine", icon="mdi:car"
    )
    entities.async_update_entity(
        limit.entity_id, disabled_by=er.RegistryEntryDisabler.USER
    )
    await easee_home.settle()
    before = watched.seen()
    assert before[STATUS][0] == "sensor.mine"
    for _ in range(2):
        await approve(hass, easee_home, hub)
        assert CHARGER in hub.stations
        assert kept(before, watched.seen())
        _is_made(hass, watched, area.id)
        assert watched.device.config_entry_id == hub.entry.entry_id
        (subentry_id,) = hub.entry.subentries
        hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
        await hass.async_block_till_done()
        await easee_home.settle()
        assert CHARGER in easee_hub.stations
        assert kept(before, watched.seen())
        _is_made(hass, watched, area.id)
        assert watched.device.config_entry_id == easee_hub.entry.entry_id
    assert REMOVES_FIRST or not watched.lost(before)


def _is_made(hass: HomeAssistant, watched: Watched, area_id: str) -> None:
    """Check what the user has made of the charger."""
    device = watched.device
    assert (device.area_id, device.name_by_user) == (area_id, "My charger")
    assert device.labels == {"a"}
    assert watched.named(STATUS).name == "Mine"
    assert watched.named(STATUS).icon == "mdi:car"
    assert watched.named(LIMIT).disabled_by is er.RegistryEntryDisabler.USER
    assert hass.states.get(watched.named(LIMIT).entity_id) is None
    assert watched.state(STATUS) == "available"


async def test_server_that_is_deleted_leaves_its_charger_to_the_account(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    watched: Watched,
) -> None:
    charger = easee_home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle())
    await easee_home.passes(600)
    charger.unplug()
    await easee_home.passes(60)
    sessions = await hub.journal.sessions(CHARGER)
    assert sessions
    before = watched.seen()
    await approve(hass, easee_home, hub)
    ocpp = await charger_ws(CHARGER)
    await ocpp.boot(chargePointSerialNumber=CHARGER, chargePointVendor="Easee")
    await ocpp.status(1, "Preparing")
    await easee_home.settle()
    assert OF_SERVER in watched.seen()
    await hass.config_entries.async_remove(hub.entry.entry_id)
    await easee_home.settle()
    assert watched.device.config_entry_id == easee_hub.entry.entry_id
    assert kept(before, watched.seen())
    assert OF_SERVER not in watched.seen()
    assert not watched.lost(before)
    assert CHARGER in easee_hub.stations
    assert watched.state(STATUS) == "available"
    keys = [one.key for one in await easee_hub.journal.sessions(CHARGER)]
    assert set(keys) >= {one.key for one in sessions}


async def test_disabled_server_leaves_its_charger_to_the_account(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await approve(hass, easee_home, hub)
    before = watched.seen()
    entry_id, user = hub.entry.entry_id, ConfigEntryDisabler.USER
    for _ in range(2):
        await hass.config_entries.async_set_disabled_by(entry_id, user)
        await easee_home.settle()
        assert watched.device.config_entry_id == easee_hub.entry.entry_id
        assert not watched.device.disabled
        assert watched.seen() == before
        assert watched.state(STATUS) == "available"
        # Nobody can do now what only a server can.
        assert watched.state(OF_SERVER) == STATE_UNAVAILABLE
        await hass.config_entries.async_set_disabled_by(entry_id, None)
        await easee_home.settle()
        assert watched.device.config_entry_id == entry_id
        assert watched.seen() == before
        assert watched.state(STATUS) == "available"
        assert watched.state(OF_SERVER) != STATE_UNAVAILABLE
    assert not watched.removed
    off = [one for one in watched.entities if one.disabled]
    assert {one.disabled_by for one in off} == {er.RegistryEntryDisabler.INTEGRATION}
    assert "does not generate unique IDs" not in caplog.text


async def test_server_whose_port_is_taken(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    socket_enabled: None,
    freezer: FrozenDateTimeFactory,
    watched: Watched,
    taken: socket,
) -> None:
    server = MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: 0},
    )
    server.add_to_hass(hass)
    assert await hass.config_entries.async_setup(server.entry_id)
    await easee_home.set_up(easee_entry)
    await approve(hass, easee_home, server.runtime_data)
    before = watched.seen()
    with taken:
        await hass.config_entries.async_unload(server.entry_id)
        port = taken.getsockname()[1]
        hass.config_entries.async_update_entry(
            server, data={CONF_HOST: "127.0.0.1", CONF_PORT: port}
        )
        await hass.config_entries.async_setup(server.entry_id)
        await easee_home.settle()
        assert server.state is ConfigEntryState.SETUP_RETRY
        assert watched.device.config_entry_id == server.entry_id
        assert watched.state(STATUS) == STATE_UNAVAILABLE
        await easee_home.passes(65)
        assert watched.device.config_entry_id == easee_entry.entry_id
        assert kept(before, watched.seen())
        before = watched.seen()
        assert watched.state(STATUS) == "available"
        # It tries again and again, which takes nothing away.
        states: list[str] = []
        status = watched.named(STATUS).entity_id
        hass.bus.async_listen(
            "state_changed",
            lambda event: (
                states.append(event.data["new_state"].state)
                if event.data["entity_id"] == status
                else None
            ),
        )
        for _ in range(3):
            freezer.tick(timedelta(seconds=200))
            async_fire_time_changed(hass)
            await easee_home.settle()
        assert server.state is ConfigEntryState.SETUP_RETRY
        assert not states
    assert await hass.config_entries.async_reload(server.entry_id)
    await easee_home.settle()
    assert watched.device.config_entry_id == server.entry_id
    assert watched.seen() == before
    assert watched.state(STATUS) == "available"
    assert not watched.removed


@pytest.mark.parametrize("at", ["approval", "restart"])
async def test_charger_that_a_running_server_cannot_build(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    at: str,
) -> None:
    """The account shows it, until the server can."""
    before = watched.seen()
    if at == "restart":
        await approve(hass, easee_home, hub)
        before = watched.seen()

    async def fails(*_: object) -> None:
        raise ValueError("odd")

    server = hub.entry
    with monkeypatch.context() as broken:
        broken.setattr(
            f"custom_components.{DOMAIN}.chargers.async_build_charger", fails
        )
        if at == "restart":
            await hass.config_entries.async_reload(server.entry_id)
            await easee_home.settle()
        else:
            await approve(hass, easee_home, hub)
        assert server.state is ConfigEntryState.LOADED
        assert "odd" in caplog.text
        caplog.clear()
        for _ in range(2):
            assert CHARGER in easee_hub.stations
            assert watched.device.config_entry_id == easee_hub.entry.entry_id
            assert watched.seen() == before
            assert watched.state(STATUS) == "available"
            # Whatever changes at the server, it is tried once more.
            hass.config_entries.async_update_entry(server, title="Car park")
            await easee_home.settle()
        caplog.clear()
    await hass.config_entries.async_reload(server.entry_id)
    await easee_home.settle()
    assert CHARGER in server.runtime_data.stations
    assert CHARGER not in easee_hub.stations
    assert watched.device.config_entry_id == server.entry_id
    assert kept(before, watched.seen())
    assert watched.state(STATUS) == "available"
    assert not watched.removed


@pytest.mark.parametrize("first", ["server", "account"])
async def test_restarts_in_either_order(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
    first: str,
) -> None:
    await approve(hass, easee_home, hub)
    before = watched.seen()
    server, account = hub.entry.entry_id, easee_hub.entry.entry_id
    order = [server, account] if first == "server" else [account, server]
    for entry_id in order:
        await hass.config_entries.async_unload(entry_id)
    await easee_home.settle()
    assert watched.seen() == before
    for entry_id in order:
        await hass.config_entries.async_setup(entry_id)
        await easee_home.settle()
        assert watched.device.config_entry_id == server
        assert watched.seen() == before
    assert watched.state(STATUS) == "available"
    assert watched.state(OF_CLOUD) != STATE_UNAVAILABLE
    assert not watched.removed


async def test_restart_in_which_both_come_at_once(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What the cloud tells better takes the place of what the server shows."""
    await approve(hass, easee_home, hub)
    before, shown = watched.seen(), watched.state(FIRMWARE)
    assert shown != STATE_UNAVAILABLE
    server, account = hub.entry.entry_id, easee_hub.entry.entry_id
    for entry_id in (server, account):
        await hass.config_entries.async_unload(entry_id)
    await easee_home.settle()
    await asyncio.gather(
        *(hass.config_entries.async_setup(one) for one in (account, server))
    )
    await easee_home.settle()
    assert watched.seen() == before
    assert watched.state(FIRMWARE) == shown
    assert "does not generate unique IDs" not in caplog.text


async def test_another_system_in_control_is_no_issue_for_ever(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_home: EaseeHome, hub: OcppHub
) -> None:
    """The account lets go of a charger whose server is loaded again."""
    await approve(hass, easee_home, hub)
    for _ in range(3):
        easee_home.cloud.rogue_response(CHARGER)
    await easee_home.passes(5)
    issues, key = ir.async_get(hass), (DOMAIN, finding_issue_id(ROGUE, CHARGER))
    assert issues.async_get_issue(*key) is not None
    await hass.config_entries.async_reload(hub.entry.entry_id)
    await easee_home.settle()
    assert CHARGER in easee_hub.guests.stations
    assert issues.async_get_issue(*key) is None


async def test_nothing_takes_the_place_of_anything_as_home_assistant_stops(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await approve(hass, easee_home, hub)
    hass.set_state(CoreState.stopping)
    # The account may be done before the server is.
    await easee_hub.async_stop()
    await easee_home.settle()
    assert "does not generate unique IDs" not in caplog.text
    hass.set_state(CoreState.running)


async def test_start_without_the_cloud(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_entry: MockConfigEntry,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
) -> None:
    await approve(hass, easee_home, hub)
    before = watched.seen()
    await hass.config_entries.async_unload(hub.entry.entry_id)
    easee_home.cloud.faults.outage()
    await easee_home.restart(easee_entry)
    await hass.config_entries.async_setup(hub.entry.entry_id)
    await easee_home.settle()
    assert watched.seen() == before
    assert watched.device.config_entry_id == hub.entry.entry_id
    assert watched.state(OF_CLOUD) == STATE_UNAVAILABLE
    easee_home.cloud.faults.clear()
    await easee_home.passes(600)
    assert kept(before, watched.seen())
    assert watched.state(OF_CLOUD) != STATE_UNAVAILABLE
    assert not watched.removed


async def test_account_that_is_deleted_takes_only_what_is_its(
    hass: HomeAssistant,
    hub: OcppHub,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    watched: Watched,
) -> None:
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    alone = watched.seen()
    await easee_home.set_up(easee_entry)
    await easee_home.passes(70)
    both = watched.seen()
    assert OF_CLOUD in both.keys() - alone.keys()
    await hass.config_entries.async_remove(easee_entry.entry_id)
    await easee_home.settle()
    after = watched.seen()
    assert kept(alone, after)
    assert kept(after, both)
    assert OF_CLOUD not in after
    assert hub.stations[CHARGER].station.remote.value is False
    # What is left works without the cloud, and a restart changes nothing.
    await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    assert watched.seen() == after


async def test_account_that_is_deleted_while_it_stands_in(
    hass: HomeAssistant,
    hub: OcppHub,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    watched: Watched,
) -> None:
    await easee_home.set_up(easee_entry)
    await approve(hass, easee_home, hub)
    before = watched.seen()
    server = hub.entry
    user = ConfigEntryDisabler.USER
    await hass.config_entries.async_set_disabled_by(server.entry_id, user)
    await easee_home.settle()
    assert watched.device.config_entry_id == easee_entry.entry_id
    await hass.config_entries.async_remove(easee_entry.entry_id)
    await hass.async_block_till_done()
    assert watched.device.config_entry_id == server.entry_id
    await hass.config_entries.async_set_disabled_by(server.entry_id, None)
    await hass.async_block_till_done()
    after = watched.seen()
    assert kept(after, before)
    assert STATUS in after
    assert OF_CLOUD not in after


async def test_two_accounts_that_see_the_charger_of_a_server(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
) -> None:
    entry = other_easee_entry(easee_home.cloud)
    other = await easee_home.set_up(entry)
    assert other is not None
    assert CHARGER not in other.stations
    await approve(hass, easee_home, hub)
    before = watched.seen()
    station = hub.stations[CHARGER]
    assert station.account_hub is easee_hub
    await hass.config_entries.async_remove(easee_hub.entry.entry_id)
    await easee_home.settle()
    assert station.account_hub is other
    assert watched.seen() == before
    assert watched.state(OF_CLOUD) != STATE_UNAVAILABLE
    assert not watched.removed


async def test_account_that_loses_a_charger_leaves_it_to_another(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    watched: Watched,
) -> None:
    cloud = easee_home.cloud
    entry = other_easee_entry(cloud)
    other = await easee_home.set_up(entry)
    assert other is not None
    before = watched.seen()
    cloud.tokens.accounts[0].sites.remove(1)
    await easee_hub.account.discover()
    await easee_home.settle()
    assert CHARGER in other.stations
    assert CHARGER not in easee_hub.stations
    assert watched.device.config_entry_id == entry.entry_id
    assert kept(before, watched.seen())
    assert watched.state(STATUS) == "available"
    assert not watched.removed


async def test_account_and_server_that_come_back(
    hass: HomeAssistant,
    hub: OcppHub,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    watched: Watched,
) -> None:
    entities = er.async_get(hass)
    await easee_home.set_up(easee_entry)
    alone = watched.seen()
    await approve(hass, easee_home, hub)
    mine = watched.named(OF_CLOUD).entity_id
    entities.async_update_entity(mine, new_entity_id="binary_sensor.mine")
    before = watched.seen()
    await hass.config_entries.async_remove(easee_entry.entry_id)
    await easee_home.settle()
    account = easee_config_entry(entry_id="01JEVCHARGERHUBEASEE000003")
    await easee_home.set_up(account)
    await easee_home.passes(70)
    assert kept(before, watched.seen())
    await hass.config_entries.async_remove(hub.entry.entry_id)
    await easee_home.settle()
    assert watched.device.config_entry_id == account.entry_id
    assert kept({one: before[one] for one in alone}, watched.seen())
    assert OF_SERVER not in watched.seen()
    server = MockConfigEntry(
        domain=DOMAIN,
        title="Another",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: 0},
    )
    server.add_to_hass(hass)
    assert await hass.config_entries.async_setup(server.entry_id)
    await approve(hass, easee_home, server.runtime_data)
    assert watched.device.config_entry_id == server.entry_id
    assert kept(before, watched.seen())
    assert watched.state(STATUS) == "available"


async def test_start_with_an_account_that_cannot_log_in(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_entry: MockConfigEntry,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
) -> None:
    await approve(hass, easee_home, hub)
    before = watched.seen()
    server = hub.entry.entry_id
    for entry_id in (easee_entry.entry_id, server):
        await hass.config_entries.async_unload(entry_id)
    easee_home.cloud.tokens.revoke_sessions()
    easee_home.cloud.tokens.accounts[0].password = "another"
    await easee_home.set_up_slowly(easee_entry)
    assert easee_entry.state is ConfigEntryState.SETUP_ERROR
    await hass.config_entries.async_setup(server)
    await easee_home.settle()
    assert watched.seen() == before
    assert watched.device.config_entry_id == server
    assert not watched.removed


async def test_charger_that_the_user_has_disabled(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
) -> None:
    disabled = dr.DeviceEntryDisabler.USER
    devices = dr.async_get(hass)
    devices.async_update_device(watched.device.id, disabled_by=disabled)
    await hass.async_block_till_done()
    before = watched.seen()
    await approve(hass, easee_home, hub)
    assert watched.device.disabled_by is disabled
    assert watched.device.config_entry_id == hub.entry.entry_id
    assert kept(before, watched.seen())
    assert all(one.disabled for one in watched.entities)
    await hass.config_entries.async_remove(hub.entry.entry_id)
    await easee_home.settle()
    assert watched.device.disabled_by is disabled
    assert watched.device.config_entry_id == easee_hub.entry.entry_id
    assert kept(before, watched.seen())
    assert not watched.lost(before)


@pytest.mark.parametrize("order", [1, -1])
async def test_account_that_leaves_and_comes_back_while_entities_wait(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    order: int,
) -> None:
    """Each is added once, whichever of them comes first."""
    account, waiting = easee_hub.entry.entry_id, list[Piece]()
    with monkeypatch.context() as slow:
        slow.setattr(Turns, "_do", staticmethod(waiting.append))
        await approve(hass, easee_home, hub)
        assert hub.stations[CHARGER].easee is not None
        found, waiting[:] = waiting[:], []
        for piece in found:
            piece()
        await easee_home.settle()
        assert waiting
        await hass.config_entries.async_reload(account)
        await easee_home.settle()
        assert hub.stations[CHARGER].easee is not None
    for piece in waiting[::order]:
        piece()
    await easee_home.settle()
    assert "does not generate unique IDs" not in caplog.text
    assert watched.state(STATUS) == "available"
    assert watched.state(OF_CLOUD) == "on"
    easee_home.cloud.chargers[CHARGER].plug_in(Vehicle())
    await easee_home.passes(60)
    assert watched.state(OF_CLOUD) == "off"


async def test_diagnostics_tell_who_shows_a_charger(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
) -> None:
    found: Any = await get_diagnostics_for_config_entry(
        hass, hass_client, easee_hub.entry
    )
    alone = {"shown_by": "account", "guest": None, "called_by_serial": True}
    assert alone in [one["owner"] for one in found["chargers"]]
    await approve(hass, easee_home, hub)
    both = {
        "shown_by": "server",
        "guest": easee_hub.entry.entry_id,
        "called_by_serial": True,
    }
    for entry in (hub.entry, easee_hub.entry):
        found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
        assert both in [one["owner"] for one in found["chargers"]]
