"""A charger that dials in under another name than its serial number is one all the same."""

from datetime import datetime
from types import MappingProxyType

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryDisabler, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .conftest import ChargerFactory
from .easee import EaseeHome
from .one_device import Seen, Watched, kept
from custom_components.ev_charger_hub.const import SUBENTRY_TOKEN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud.seed import CHARGER
from simulators.easee_cloud.vehicle import Vehicle

NAME = "driveway"
STATUS = "sensor _1_status"
OF_CLOUD = "binary_sensor _cable_locked"


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
def watched(hass: HomeAssistant) -> Watched:
    """Return the registries, watched."""
    return Watched(hass, (CHARGER, NAME))


async def approve(hass: HomeAssistant, home: EaseeHome, hub: OcppHub) -> None:
    hub.approve(NAME, "Driveway", None)
    await hass.async_block_till_done()
    await home.settle()


async def charge(home: EaseeHome) -> None:
    charger = home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle())
    await home.passes(600)
    charger.unplug()
    await home.passes(60)


def are_called(watched: Watched, name: str) -> bool:
    """Return whether everything has a unique id of that name."""
    return all(one.unique_id.startswith(f"{name}_") for one in watched.entities)


async def test_serial_that_is_known_before_approval(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    watched: Watched,
) -> None:
    await charge(easee_home)
    sessions = await hub.journal.sessions(CHARGER)
    assert sessions
    token = ConfigSubentry(
        data=MappingProxyType({"token": "04AB", "chargers": [CHARGER, "other"]}),
        subentry_type=SUBENTRY_TOKEN,
        title="Card",
        unique_id="04AB",
    )
    hass.config_entries.async_add_subentry(hub.entry, token)
    before = watched.seen()
    ocpp = await charger_ws(NAME)
    await ocpp.call(
        "BootNotification",
        {**ocpp.boot_info, "chargePointSerialNumber": CHARGER},
    )
    await approve(hass, easee_home, hub)
    after = watched.seen()
    known = hub.entry.subentries[token.subentry_id].data
    assert known["chargers"] == [NAME, "other"]
    assert kept(before, after)
    assert are_called(watched, NAME)
    assert not watched.removed
    assert hub.stations[NAME].easee is not None
    assert not easee_hub.stations.keys() & {NAME, CHARGER}
    found = await hub.journal.sessions(NAME)
    # The account may have brought in more of the past.
    assert {one.key for one in sessions} <= {one.key for one in found}
    assert not await hub.journal.sessions(CHARGER)


async def dialled(
    hass: HomeAssistant,
    home: EaseeHome,
    hub: OcppHub,
    charger_ws: ChargerFactory,
) -> None:
    """Have the charger say who it is, after it was approved."""
    await approve(hass, home, hub)
    ocpp = await charger_ws(NAME)
    await ocpp.boot(chargePointSerialNumber=CHARGER, chargePointVendor="Easee")
    await hass.async_block_till_done()
    await home.settle()
    await hass.async_block_till_done()
    await home.settle()


async def test_serial_that_is_known_by_the_boot_only(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    watched: Watched,
) -> None:
    await charge(easee_home)
    sessions = await hub.journal.sessions(CHARGER)
    before = watched.seen()
    await dialled(hass, easee_home, hub, charger_ws)
    after = watched.seen()
    assert kept(before, after)
    assert are_called(watched, NAME)
    assert hub.stations[NAME].easee is not None
    assert watched.state(STATUS) == "available"
    found = await hub.journal.sessions(NAME)
    # The account may have brought in more of the past.
    assert {one.key for one in sessions} <= {one.key for one in found}
    # It dials in again, and is the one it was.
    ocpp = await charger_ws(NAME)
    await ocpp.boot(chargePointSerialNumber=CHARGER, chargePointVendor="Easee")
    await ocpp.status(1, "Preparing")
    await easee_home.settle()
    assert watched.state(STATUS) == "preparing"
    assert kept(after, watched.seen())
    assert hub.stations[NAME].station.local.value


async def test_account_that_comes_later(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    watched: Watched,
) -> None:
    await dialled(hass, easee_home, hub, charger_ws)
    before = watched.seen()
    station = hub.stations[NAME]
    await easee_home.set_up(easee_entry)
    assert kept(before, watched.seen())
    assert are_called(watched, NAME)
    assert hub.stations[NAME] is station
    assert station.station.local.value
    assert watched.state(OF_CLOUD) != "unavailable"
    assert not watched.removed


async def test_account_goes_on_with_the_name_that_a_server_gave(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    watched: Watched,
) -> None:
    account = watched.seen()
    await dialled(hass, easee_home, hub, charger_ws)
    before = {key: one for key, one in watched.seen().items() if key in account}
    await hass.config_entries.async_remove(hub.entry.entry_id)
    await easee_home.settle()
    assert NAME in easee_hub.stations
    for _ in range(2):
        assert kept(before, watched.seen())
        assert are_called(watched, NAME)
        assert watched.state(STATUS) == "available"
        assert watched.device.serial_number == CHARGER
        await hass.config_entries.async_reload(easee_hub.entry.entry_id)
        await easee_home.settle()


async def test_server_that_calls_it_by_its_serial_again(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    watched: Watched,
) -> None:
    await charge(easee_home)
    sessions = await hub.journal.sessions(CHARGER)
    account = watched.seen()
    await dialled(hass, easee_home, hub, charger_ws)
    before = watched.seen()
    (subentry_id,) = hub.entry.subentries
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    await hass.async_block_till_done()
    await easee_home.settle()
    before = {key: before[key] for key in account}
    assert watched.seen() == before
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    await easee_home.settle()
    assert kept(before, watched.seen())
    assert are_called(watched, CHARGER)
    assert hub.stations[CHARGER].easee is not None
    found = await hub.journal.sessions(CHARGER)
    # The account may have brought in more of the past.
    assert {one.key for one in sessions} <= {one.key for one in found}


async def test_account_that_starts_while_the_server_is_disabled(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    watched: Watched,
) -> None:
    await dialled(hass, easee_home, hub, charger_ws)
    before: Seen = watched.seen()
    server = hub.entry
    disabler = er.RegistryEntryDisabler.USER
    entity_id = before[STATUS][0]
    er.async_get(hass).async_update_entity(entity_id, disabled_by=disabler)
    await hass.config_entries.async_set_disabled_by(
        server.entry_id, ConfigEntryDisabler.USER
    )
    account = await easee_home.set_up(easee_entry)
    assert account is not None
    assert NAME in account.stations
    assert kept(before, watched.seen())
    assert watched.named(STATUS).disabled_by is disabler
    assert watched.state("sensor _1_session_energy") != "unavailable"
    await hass.config_entries.async_set_disabled_by(server.entry_id, None)
    await easee_home.settle()
    assert kept(before, watched.seen())
    assert watched.device.config_entry_id == server.entry_id
    assert not watched.removed


async def test_names_differ_by_case_only(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
) -> None:
    name = CHARGER.lower()
    watched = Watched(hass, (CHARGER, name))
    before = watched.seen()
    hub.approve(name, "Garage", None)
    await hass.async_block_till_done()
    await easee_home.settle()
    assert kept(before, watched.seen())
    assert are_called(watched, name)
    assert hub.stations[name].easee is not None
    assert not watched.removed
