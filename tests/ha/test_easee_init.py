"""Test the life of an Easee account: set up, run without the cloud, unload, remove."""

import asyncio
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError

from .charger import Charger
from .conftest import device_of
from .easee import ACCOUNT, EaseeHome, easee_config_entry
from .entities import state
from custom_components.ev_charger_hub import async_remove_config_entry_device
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee.account import Addresses
from custom_components.ev_charger_hub.easee.const import API_URL, STREAM_URL
from custom_components.ev_charger_hub.easee.products import ChargerInfo
from custom_components.ev_charger_hub.easee_building import async_build_easee_charger
from custom_components.ev_charger_hub.easee_flow import async_keep_login
from custom_components.ev_charger_hub.easee_hub import (
    EaseeHub,
    easee_addresses,
    easee_time,
)
from custom_components.ev_charger_hub.easee_login import async_log_in
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.models import HubStation
from custom_components.ev_charger_hub.station.errors import JournalError
from simulators.easee_cloud import Vehicle
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import (
    CHARGER,
    ELSEWHERE,
    EMAIL,
    EQUALIZER,
    PASSWORD,
    SECOND,
)

LOGIN = "/api/accounts/login"
REFRESH = "/api/accounts/refresh_token"
STATE = "^/state/"
STATUS = f"{CHARGER}_1_status"
HOUR = 3600


def reauths(hass: HomeAssistant) -> list[Any]:
    """Return the requests to log in again."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


@pytest.mark.conformance("EASEE_A15")
async def test_an_account_has_one_stream_for_all(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Two chargers and an equalizer: one login, one connection, one refresh later."""
    assert set(easee_hub.stations) == {CHARGER, SECOND}
    assert set(easee_hub.account.equalizers) == {EQUALIZER}
    assert state(hass, "sensor", STATUS) == "available"
    journal = easee_home.cloud.journal
    assert len(journal.find("POST", LOGIN)) == 1
    (connection,) = easee_home.cloud.hub.connections
    assert set(connection.subscriptions) == {CHARGER, SECOND, EQUALIZER}

    assert not journal.find("GET", STATE)

    await easee_home.passes(HOUR)
    account = easee_hub.account
    await asyncio.gather(
        *(account.refresh(one) for one in (CHARGER, SECOND, EQUALIZER))
    )

    assert len(journal.find("POST", REFRESH)) == 1
    assert easee_home.cloud.hub.opened == 1


async def test_devices_are_below_their_site(
    hass: HomeAssistant, easee_entry: MockConfigEntry, easee_hub: EaseeHub
) -> None:
    """The account has a site, which has the chargers."""
    account = device_of(hass, easee_entry, easee_entry.entry_id)
    charger = device_of(hass, easee_entry, CHARGER)
    assert account is not None
    assert charger is not None
    assert charger.name == "Garage"
    assert charger.manufacturer == "Easee"
    assert charger.serial_number == CHARGER
    assert charger.via_device_id is not None
    site = dr.async_get(hass).async_get(charger.via_device_id)
    assert isinstance(site, dr.DeviceEntry)
    assert site.name == "Home"
    assert site.via_device_id == account.id


async def test_what_the_cloud_tells_is_shown(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """A car comes and charges."""
    easee_home.cloud.chargers[CHARGER].plug_in(Vehicle())
    await easee_home.passes(10)

    assert state(hass, "sensor", STATUS) == "charging"


# Without the cloud


async def test_the_reason_stays_while_nobody_logs_in(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """Whoever has to open an e-mail reads so also after the next try."""
    easee_home.cloud.tokens.accounts[0].email_verified = False
    for _ in range(2):
        assert await easee_home.set_up_slowly(easee_entry) is None
        assert easee_entry.error_reason_translation_key == "easee_email_not_verified"
        await hass.config_entries.async_unload(easee_entry.entry_id)
    assert not reauths(hass)


@pytest.mark.conformance("EASEE_S30")
async def test_loading_the_entry_again_does_not_log_in_again(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """Home Assistant tries again and again, the cloud hears of that twice at most."""
    easee_home.cloud.faults.add(Fault(pattern=LOGIN, status=503, times=None))
    for _ in range(6):
        assert await easee_home.set_up_slowly(easee_entry) is None
        assert easee_entry.state is ConfigEntryState.SETUP_RETRY
        await hass.config_entries.async_unload(easee_entry.entry_id)

    assert len(easee_home.cloud.journal.find("POST", LOGIN)) <= 2


@pytest.mark.conformance("EASEE_S29")
async def test_an_outage_asks_nobody_to_log_in(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """Two hours without the cloud, also at a start: all comes back by itself."""
    easee_home.cloud.outage()
    await easee_home.passes(2 * HOUR)
    assert state(hass, "sensor", STATUS) == STATE_UNAVAILABLE
    assert await easee_home.restart(easee_entry) is not None
    await easee_home.passes(2 * HOUR)

    assert easee_entry.state is ConfigEntryState.LOADED
    assert state(hass, "sensor", STATUS) in {STATE_UNAVAILABLE, "available"}
    assert not reauths(hass)

    easee_home.cloud.recover()
    await easee_home.passes(120)

    assert state(hass, "sensor", STATUS) == "available"
    assert not reauths(hass)
    assert len(easee_home.cloud.journal.find("POST", LOGIN)) == 1


@pytest.mark.conformance("EASEE_S29")
@pytest.mark.parametrize("status", [403, 429, 500, 502, None])
async def test_no_trouble_but_a_dead_session_asks_to_log_in(
    hass: HomeAssistant, easee_home: EaseeHome, status: int | None
) -> None:
    """Whatever else the cloud answers, the password stays good."""
    await easee_home.set_up(easee_config_entry())
    easee_home.cloud.outage(status, {"message": "Forbidden"})
    await easee_home.passes(2 * HOUR)

    assert not reauths(hass)
    assert len(easee_home.cloud.journal.find("POST", LOGIN)) < 9


async def test_a_new_account_waits_for_the_cloud(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """Nobody knows yet what there is, so Home Assistant tries again."""
    easee_home.cloud.outage()
    easee_entry.add_to_hass(hass)
    assert await easee_home.set_up_slowly(easee_entry) is None

    assert easee_entry.state is ConfigEntryState.SETUP_RETRY
    assert easee_entry.error_reason_translation_key == "easee_cannot_connect"
    assert not reauths(hass)


@pytest.mark.parametrize("known", [True, False])
async def test_the_start_waits_only_a_while(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    known: bool,
) -> None:
    """A cloud that answers after a minute does not hold up Home Assistant."""
    if known:
        await easee_home.set_up(easee_entry)
        await hass.config_entries.async_unload(easee_entry.entry_id)
    easee_home.cloud.faults.add(Fault(pattern="products", delay=60, times=None))
    hub = await easee_home.set_up_slowly(easee_entry, seconds=15)

    assert (hub is not None) is known
    if not known:
        assert easee_entry.error_reason_translation_key == "easee_cannot_connect"


async def test_a_wrong_password_asks_for_another(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """The account is not set up, and a form waits."""
    entry = easee_config_entry(password="another horse")
    assert await easee_home.set_up(entry) is None

    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "easee_invalid_auth"
    assert len(reauths(hass)) == 1


@pytest.mark.conformance("EASEE_S28")
async def test_a_session_that_dies_meanwhile_asks_once(
    hass: HomeAssistant, easee_home: EaseeHome
) -> None:
    """Without a password there is one request to log in again, however long it takes."""
    entry = easee_config_entry(password=None)
    entry.add_to_hass(hass)
    await async_keep_login(hass, await async_log_in(hass, EMAIL, PASSWORD))
    assert await easee_home.set_up(entry) is not None
    easee_home.cloud.tokens.revoke_sessions()
    easee_home.cloud.hub.drop()
    await easee_home.passes(2 * HOUR)

    assert len(reauths(hass)) == 1
    assert entry.state is ConfigEntryState.LOADED
    assert len(easee_home.cloud.journal.find("POST", LOGIN)) == 1


async def test_a_password_that_works_again_needs_no_form(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Whoever has reset the password to what it was is not bothered any more."""
    account = easee_home.cloud.tokens.accounts[0]
    account.password = "another horse"
    easee_home.cloud.tokens.revoke_sessions()
    easee_home.cloud.hub.drop()
    await easee_home.passes(600)
    assert len(reauths(hass)) == 1

    account.password = PASSWORD
    await easee_home.passes(HOUR)

    assert not reauths(hass)
    assert state(hass, "sensor", STATUS) == "available"


@pytest.mark.conformance("EASEE_S50")
async def test_without_a_stream_everything_is_asked_for(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Once a minute, and the states are right."""
    easee_home.cloud.faults.add(Fault(pattern="/hubs/", times=None, status=404))
    easee_home.cloud.hub.drop()
    await easee_home.passes(90)
    since = easee_home.time()
    easee_home.cloud.chargers[CHARGER].plug_in(Vehicle())
    await easee_home.passes(120)

    assert state(hass, "sensor", STATUS) == "charging"
    polls = easee_home.cloud.journal.find("GET", f"{STATE}{CHARGER}", since)
    assert 1 <= len(polls) <= 2

    easee_home.cloud.recover()
    await easee_home.passes(300)
    since = easee_home.time()
    await easee_home.passes(600)
    assert not easee_home.cloud.journal.find("GET", STATE, since)


# What comes and goes


async def test_a_charger_that_comes_to_the_account_shows_up(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Within hours, without anybody doing anything."""
    cloud = easee_home.cloud
    cloud.tokens.accounts[0].sites.append(2)
    cabin = cloud.add_site(2, "Cabin")
    cloud.add_charger(cloud.add_circuit(cabin), ELSEWHERE, "Cabin")
    await easee_home.passes(7 * HOUR)

    assert ELSEWHERE in easee_hub.stations
    assert state(hass, "sensor", f"{ELSEWHERE}_1_status") == "available"


async def test_a_charger_that_leaves_the_account_may_be_deleted(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """It is unavailable, and the user decides when it is forgotten."""
    charger = device_of(hass, easee_entry, CHARGER)
    carport = device_of(hass, easee_entry, SECOND)
    assert charger is not None
    assert carport is not None
    circuit = easee_home.cloud.sites[1].circuits[0]
    gone = circuit.chargers.pop()
    await easee_hub.account.discover()
    await easee_home.settle()

    assert state(hass, "sensor", f"{SECOND}_1_status") == STATE_UNAVAILABLE
    assert state(hass, "sensor", STATUS) == "available"
    assert not await async_remove_config_entry_device(hass, easee_entry, charger)

    circuit.chargers.append(gone)
    await easee_hub.account.discover()
    await easee_home.settle()
    assert state(hass, "sensor", f"{SECOND}_1_status") == "available"
    assert not await async_remove_config_entry_device(hass, easee_entry, carport)

    circuit.chargers.pop()
    await easee_hub.account.discover()
    await easee_home.settle()
    assert await async_remove_config_entry_device(hass, easee_entry, carport)
    dr.async_get(hass).async_remove_device(carport.id)
    await easee_home.settle()

    assert set(easee_hub.stations) == {CHARGER}
    assert await easee_hub.journal.load(SECOND, "snapshot") is None


async def test_the_name_follows_the_account(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """Who names a charger anew in the app sees that."""
    easee_home.cloud.chargers[CHARGER].name = "Barn"
    await easee_hub.account.discover()
    await easee_home.settle()

    device = device_of(hass, easee_entry, CHARGER)
    assert device is not None
    assert device.name == "Barn"


async def test_a_charger_that_dials_in_is_shown_by_its_server(
    hass: HomeAssistant,
    hub: OcppHub,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
) -> None:
    """It has one device and one set of entities."""
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    easee = await easee_home.set_up(easee_entry)
    assert easee is not None
    await easee.account.discover()
    await easee_home.settle()

    assert set(easee.stations) == {SECOND}
    assert hub.stations[CHARGER].account_hub is easee

    subentry = hub.stations[CHARGER].subentry_id
    hass.config_entries.async_remove_subentry(hub.entry, subentry)
    await hass.async_block_till_done()
    await easee_home.settle()
    assert set(easee.stations) == {CHARGER, SECOND}
    assert state(hass, "sensor", STATUS) == "available"


async def test_an_outage_does_not_touch_what_is_local(
    hass: HomeAssistant,
    approved_charger: Charger,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
) -> None:
    """A charger that dials in works on while the cloud is down, or its account goes."""
    await easee_home.set_up(easee_entry)
    easee_home.cloud.outage(None)
    await easee_home.passes(HOUR)
    await approved_charger.status(1, "Preparing")
    await easee_home.settle()
    assert state(hass, "sensor", "CP01_1_status") == "preparing"

    await hass.config_entries.async_remove(easee_entry.entry_id)
    await approved_charger.status(1, "Charging")
    await easee_home.settle()
    assert state(hass, "sensor", "CP01_1_status") == "charging"


async def test_a_change_of_settings_outlives_a_restart(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """It holds at once, and is kept with the entry."""
    easee_hub.change_charger(CHARGER, {"maximum_current": 10})
    assert easee_hub.stations[CHARGER].station.settings.maximum_current == 10
    easee_hub.change_charger("UNKNOWN", {"maximum_current": 10})

    again = await easee_home.restart(easee_entry)

    assert again is not None
    assert again.stations[CHARGER].station.settings.maximum_current == 10


async def test_settings_follow_what_a_charger_reports(
    easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Until the user decides otherwise: maximum, and phases."""
    charger = easee_home.cloud.chargers[CHARGER]
    charger.observe(47, 16.0)
    charger.observe(38, 1)
    await easee_home.settle()

    settings = easee_hub.stations[CHARGER].station.settings
    assert (settings.maximum_current, settings.phases) == (16, 1)
    charger.observe(47, 5.0)
    charger.observe(38, 2)
    charger.observe(21, 5)
    await easee_home.settle()

    settings = easee_hub.stations[CHARGER].station.settings
    assert (settings.maximum_current, settings.minimum_current) == (5, 5)
    assert settings.phases == 1


# The end


async def test_unloading_leaves_nothing_behind(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """No connection, no task, no timer; a server beside it would not notice."""
    await easee_home.passes(60)
    assert await hass.config_entries.async_unload(easee_entry.entry_id)
    await easee_home.settle()
    asked = len(easee_home.cloud.journal.requests)
    await easee_home.passes(HOUR)

    assert not easee_home.cloud.hub.connections
    assert len(easee_home.cloud.journal.requests) == asked
    assert not easee_hub.stations
    # A second time changes nothing.
    await easee_hub.async_stop()


async def test_the_account_ends_with_home_assistant(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Entries are not unloaded then, and what is known is kept all the same."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await easee_home.settle()

    assert easee_hub.stopped
    assert not easee_home.cloud.hub.connections


async def test_removing_the_account_removes_what_was_kept(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """Tokens, products, what is known of the chargers."""
    key = f"{DOMAIN}.{ACCOUNT}"
    journal = easee_hub.journal
    await easee_hub.snapshots.async_store(easee_hub.stations[CHARGER])
    assert hass_storage[key]["data"].keys() == {"catalog", "tokens"}
    await hass.data[DOMAIN].journal.acquire()
    assert await journal.load(CHARGER, "snapshot") is not None

    await hass.config_entries.async_remove(easee_entry.entry_id)
    await easee_home.settle()

    assert key not in hass_storage
    assert await journal.load(CHARGER, "snapshot") is None
    await hass.data[DOMAIN].journal.release()


async def test_an_account_that_never_worked_can_be_removed(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """There is nothing to forget."""
    easee_home.cloud.outage()
    easee_entry.add_to_hass(hass)
    assert await easee_home.set_up_slowly(easee_entry) is None
    await hass.config_entries.async_remove(easee_entry.entry_id)

    assert not hass.config_entries.async_entries(DOMAIN)


async def test_a_device_stays_while_nobody_knows_what_there_is(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """An account that is not loaded owns all of its devices."""
    device = device_of(hass, easee_entry, CHARGER)
    assert device is not None
    await hass.config_entries.async_unload(easee_entry.entry_id)

    assert not await async_remove_config_entry_device(hass, easee_entry, device)


async def test_products_that_nobody_understands_are_asked_for_later(
    easee_home: EaseeHome, easee_hub: EaseeHub, caplog: pytest.LogCaptureFixture
) -> None:
    """The account goes on, and the log has what it was."""
    with patch.object(easee_hub.account, "discover", side_effect=ValueError("odd")):
        await easee_home.passes(7 * HOUR)
    assert "The products are not understood" in caplog.text
    asked = len(easee_home.cloud.journal.find("GET", "/accounts/products"))
    easee_home.cloud.faults.add(Fault(pattern="/accounts/products", status=403))
    await easee_home.passes(7 * HOUR)

    assert len(easee_home.cloud.journal.find("GET", "/accounts/products")) == asked + 2
    assert set(easee_hub.stations) == {CHARGER, SECOND}


def test_the_time_is_real_and_the_cloud_the_true_one() -> None:
    """But in tests, and for developers."""
    with patch.dict("os.environ", clear=True):
        assert easee_addresses() == Addresses(api=API_URL, stream=STREAM_URL)
    assert abs(easee_time()() - dt_util.utcnow()).total_seconds() < 5


# The journal


async def test_a_journal_that_fails_later_keeps_what_there_is(
    easee_home: EaseeHome, easee_hub: EaseeHub, caplog: pytest.LogCaptureFixture
) -> None:
    """A charger that comes then has to wait."""
    cabin = easee_home.cloud.add_site(2, "Cabin")
    easee_home.cloud.add_charger(
        easee_home.cloud.add_circuit(cabin), ELSEWHERE, "Cabin"
    )
    easee_home.cloud.tokens.accounts[0].sites.append(2)
    with patch(
        f"custom_components.{DOMAIN}.easee_hub.async_build_easee_charger",
        side_effect=JournalError("disk is full"),
    ):
        await easee_hub.account.discover()
        await easee_home.settle()
    assert set(easee_hub.stations) == {CHARGER, SECOND}
    assert "cannot be built" in caplog.text

    await easee_hub.account.discover()
    await easee_home.settle()
    assert set(easee_hub.stations) == {CHARGER, SECOND, ELSEWHERE}


async def test_a_charger_that_cannot_be_saved_holds_up_nobody(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The account ends all the same."""
    with patch.object(
        easee_hub.snapshots, "async_store", side_effect=JournalError("disk is full")
    ):
        assert await hass.config_entries.async_unload(easee_entry.entry_id)

    assert caplog.text.count("is not saved") == 2
    assert not easee_hub.stations


async def test_without_the_journal_the_account_waits(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """As a server does."""
    with patch(
        f"custom_components.{DOMAIN}.storage.Journal.open",
        side_effect=JournalError("disk is full"),
    ):
        assert await easee_home.set_up(easee_entry) is None

    assert easee_entry.state is ConfigEntryState.SETUP_RETRY
    assert easee_entry.error_reason_translation_key == "journal_unusable"


async def test_one_charger_that_cannot_be_built_keeps_no_other_away(
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The trouble is in the log."""

    async def fails(hub: EaseeHub, info: ChargerInfo) -> HubStation:
        if info.serial == CHARGER:
            raise ValueError("odd")
        return await async_build_easee_charger(hub, info)

    with patch(
        f"custom_components.{DOMAIN}.easee_hub.async_build_easee_charger", fails
    ):
        hub = await easee_home.set_up(easee_entry)

    assert hub is not None
    assert set(hub.stations) == {SECOND}
    assert "cannot be built" in caplog.text


async def test_tokens_that_cannot_be_kept_work_until_the_restart(
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A full disk ends no session."""
    with patch(
        "homeassistant.helpers.storage.Store._async_write_data",
        side_effect=WriteError("disk is full"),
    ):
        hub = await easee_home.set_up(easee_entry)
        await easee_home.passes(60)

    assert hub is not None
    assert set(hub.stations) == {CHARGER, SECOND}
    assert "cannot be stored" in caplog.text


async def test_products_that_cannot_be_read_are_asked_for(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """What is kept is a help and no more."""
    await easee_hub.store._write("catalog", {"sites": [{"chargers": 7}]})

    assert await easee_home.restart(easee_entry) is not None
