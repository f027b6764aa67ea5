"""Test the life of a server: set up, follow its entry, unload, stop, remove."""

import asyncio
from decimal import Decimal
import gc
from pathlib import Path
import sqlite3
from types import MappingProxyType
from typing import Any
from unittest.mock import patch
from weakref import ref

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import (
    ATTR_DEVICE_ID,
    CONF_HOST,
    CONF_PORT,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_HOMEASSISTANT_STOP,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .charger import Charger
from .conftest import IDENTITY, ChargerFactory, device_of, set_up
from .entities import full_state
from .test_config_flow import make_pair
from custom_components.ev_charger_hub import async_remove_config_entry_device
from custom_components.ev_charger_hub.const import (
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_POLICY,
    DOMAIN,
    RESTORE_GRACE,
    SNAPSHOT,
    SUBENTRY_CHARGER,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.server import CentralSystem
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy, Candidate
from custom_components.ev_charger_hub.snapshots import SNAPSHOT_DELAY
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import ConnectorStatus
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.limiter.limiter import Limiter
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.profiles.ledger import Ledger
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transactions import Transactions
from custom_components.ev_charger_hub.storage import DATA


@pytest.mark.peer("B-38")
async def test_port_in_use_is_tried_again(
    hass: HomeAssistant, init_integration: MockConfigEntry
) -> None:
    """Test that a server whose port is taken says so and tries again."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            CONF_HOST: "127.0.0.1",
            CONF_PORT: init_integration.runtime_data.port,
        },
    )
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_listen"
    # The journal stays open for the server that runs.
    assert hass.data[DATA].journal.users == 1


async def test_certificate_that_is_gone_is_tried_again(
    hass: HomeAssistant, server_entry: MockConfigEntry, tmp_path: Path
) -> None:
    """Test that a server does not start without the certificate it should have."""
    certificate, key = make_pair(tmp_path, "server")
    server_entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        server_entry,
        data={
            **server_entry.data,
            CONF_CERTIFICATE: certificate,
            CONF_CERTIFICATE_KEY: f"{key}.gone",
        },
    )
    assert not await hass.config_entries.async_setup(server_entry.entry_id)
    assert server_entry.state is ConfigEntryState.SETUP_RETRY
    assert server_entry.error_reason_translation_key == "tls_key_missing"


async def test_journal_that_cannot_be_opened_is_tried_again(
    hass: HomeAssistant, server_entry: MockConfigEntry
) -> None:
    """Test that a server does not run without its journal."""
    Path(hass.config.path(DOMAIN, "journal.db")).mkdir(parents=True)
    server_entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(server_entry.entry_id)
    assert server_entry.state is ConfigEntryState.SETUP_RETRY
    assert server_entry.error_reason_translation_key == "journal_unusable"


async def test_journal_that_cannot_be_read_is_tried_again(
    hass: HomeAssistant, server_entry: MockConfigEntry, socket_enabled: None
) -> None:
    """Test that chargers are not built without what is known of them."""
    server_entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(
        server_entry,
        ConfigSubentry(
            data=MappingProxyType({}),
            subentry_type=SUBENTRY_CHARGER,
            title="Garage",
            unique_id=IDENTITY,
        ),
    )
    with patch.object(Journal, "load", side_effect=JournalError("disk")):
        assert not await hass.config_entries.async_setup(server_entry.entry_id)
    assert server_entry.state is ConfigEntryState.SETUP_RETRY
    assert server_entry.error_reason_translation_key == "journal_unusable"
    assert hass.data[DATA].journal.journal is None


async def test_full_disk_does_not_keep_the_server_from_unloading(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Test that a charger that cannot be saved is logged, and nothing left open."""
    with patch.object(Journal, "store", side_effect=JournalError("disk")):
        assert await hass.config_entries.async_unload(init_integration.entry_id)
    assert "Charger ***01 is not saved" in caplog.text
    assert hass.data[DATA].journal.journal is None
    caplog.clear()


@pytest.mark.peer("B-39")
async def test_unload_says_goodbye(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Test that an unloaded server hangs up and closes the journal."""
    shared = hass.data[DATA]
    assert len(shared.registry) == 1
    assert await hass.config_entries.async_unload(init_integration.entry_id)
    assert init_integration.state is ConfigEntryState.NOT_LOADED
    assert await approved_charger.closed() == 1001
    assert shared.journal.journal is None
    assert len(shared.registry) == 0


async def test_nothing_appears_while_the_server_is_unloaded(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
) -> None:
    """Test that a connector which is told of too late has no entities left behind."""
    unload = hass.config_entries.async_unload_platforms

    async def unload_slowly(*args: Any) -> bool:
        done = await unload(*args)
        await approved_charger.status(2, "Available")
        for _ in range(20):
            await asyncio.sleep(0)
        return done

    with patch.object(
        hass.config_entries, "async_unload_platforms", side_effect=unload_slowly
    ):
        assert await hass.config_entries.async_unload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert {one.state for one in hass.states.async_all()} == {STATE_UNAVAILABLE}


async def test_servers_share_one_journal(
    hass: HomeAssistant, init_integration: MockConfigEntry
) -> None:
    """Test that the last server that goes closes the journal."""
    shared = hass.data[DATA].journal
    other = MockConfigEntry(domain=DOMAIN, data={CONF_HOST: "127.0.0.1", CONF_PORT: 0})
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    assert other.runtime_data.journal is init_integration.runtime_data.journal
    assert await hass.config_entries.async_unload(init_integration.entry_id)
    assert shared.journal is not None
    assert await hass.config_entries.async_unload(other.entry_id)
    assert shared.journal is None


async def test_stop_says_goodbye_before_the_journal_closes(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    """Test that the end of Home Assistant is an end for chargers and journal too."""
    shared = hass.data[DATA].journal
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert await approved_charger.closed() == 1001
    assert shared.journal is not None
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert shared.journal is None


async def test_reload_restores_what_was_known(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Test that a charger that does not come back is shown as last known, for a while."""
    await approved_charger.status(1, "Charging")
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    hub: OcppHub = init_integration.runtime_data
    station = hub.stations[IDENTITY].station
    assert not station.online.value
    assert station.info.value.serial == "SN-0001-4711"
    assert station.evses[1].status.value is ConnectorStatus.CHARGING
    assert hub.restoring

    told: list[bool] = []
    station.online.subscribe(lambda: told.append(hub.restoring))
    async_fire_time_changed(hass, dt_util.utcnow() + RESTORE_GRACE)
    assert told == [False]


async def test_charger_that_is_back_is_not_bothered_by_the_end_of_grace(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    """Test that only chargers that are missing change when the grace ends."""
    told: list[bool] = []
    hub.stations[IDENTITY].station.online.subscribe(lambda: told.append(hub.restoring))
    async_fire_time_changed(hass, dt_util.utcnow() + RESTORE_GRACE)
    assert told == []


async def test_snapshot_is_written_while_it_runs(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    """Test that what a charger says is kept without an orderly end."""
    await approved_charger.status(1, "Finishing")
    async_fire_time_changed(hass, dt_util.utcnow() + SNAPSHOT_DELAY)
    await hass.async_block_till_done()
    kept = await hub.journal.load(IDENTITY, SNAPSHOT)
    assert kept is not None
    assert kept["evses"]["1"]["status"] == "finishing"


async def test_what_comes_right_after_a_snapshot_is_in_the_next(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    """Test that nothing is left out that a charger says within one second."""
    for status in ("Charging", "Finishing", "Available"):
        await approved_charger.status(1, status)
        async_fire_time_changed(hass, dt_util.utcnow() + 2 * SNAPSHOT_DELAY)
        await hass.async_block_till_done()
    kept = await hub.journal.load(IDENTITY, SNAPSHOT)
    assert kept is not None
    assert kept["evses"]["1"]["status"] == "available"


async def test_who_a_charger_is_is_kept_at_once(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    """Test that a crash right after its boot does not forget its serial number."""
    await approved_charger.boot(chargePointSerialNumber="SERIAL-2")
    await hass.async_block_till_done(wait_background_tasks=True)
    kept = await hub.journal.load(IDENTITY, SNAPSHOT)
    assert kept is not None
    assert kept["info"]["serial"] == "SERIAL-2"


@pytest.mark.usefixtures("unpaced")
async def test_a_limit_and_a_pause_are_kept_without_an_orderly_end(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    """Test that a crash right after an action forgets nothing that the user wanted."""
    await approved_charger.status(1, "Charging")
    await approved_charger.start()
    device = device_of(hass, hub.entry)
    assert device is not None
    for action, fields in (
        ("set_charging_limit", {"limit": 9}),
        ("pause_charging", {}),
    ):
        await hass.services.async_call(
            DOMAIN, action, {ATTR_DEVICE_ID: device.id, **fields}, blocking=True
        )
    await hass.async_block_till_done()
    after = ChargingStation(IDENTITY, StationSettings(name="Garage"))
    await Transactions(after, hub.journal, dt_util.utcnow).load()
    limiter = Limiter(
        after,
        hub.journal,
        dt_util.utcnow,
        ledger=Ledger(after, hub.journal),
        spawn=hass.async_create_background_task,
    )
    await limiter.load()
    limiter.close()
    evse = after.evses[1]
    assert evse.wanted_limit.value == limits.PAUSE
    assert evse.pause is not None
    assert evse.pause.before == Limit(value=Decimal(9))


# The entry changes while the server runs


async def test_charger_that_is_deleted_is_forgotten(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    """Test that a deleted charger is turned out with all that is known of it."""
    transaction_id = await approved_charger.start()
    await approved_charger.stop(transaction_id, 2000)
    (subentry_id,) = init_integration.subentries
    hass.config_entries.async_remove_subentry(init_integration, subentry_id)
    await hass.async_block_till_done()
    await approved_charger.closed()
    assert hub.stations == {}
    assert len(hass.data[DATA].registry) == 0
    assert device_of(hass, init_integration, IDENTITY) is None
    assert await hub.journal.sessions(IDENTITY) == []
    assert await hub.journal.load(IDENTITY, SNAPSHOT) is None
    assert init_integration.runtime_data is hub

    charger = await charger_ws(IDENTITY)
    assert (await charger.boot())["status"] == "Pending"


async def test_charger_that_is_deleted_and_added_at_once_is_a_new_one(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
) -> None:
    """Test that a charger which replaces itself has a device and entities again."""
    (subentry_id,) = init_integration.subentries
    load = Journal.load
    busy = asyncio.Event()

    async def slow(journal: Journal, identity: str, name: str) -> object:
        await busy.wait()
        return await load(journal, identity, name)

    with patch.object(Journal, "load", slow):
        hub.approve("CP02", "Carport", None)
        hass.config_entries.async_remove_subentry(init_integration, subentry_id)
        subentry = hub.approve(IDENTITY, "Garage", None)
        busy.set()
        await hass.async_block_till_done()
    device = device_of(hass, init_integration, IDENTITY)
    assert device is not None
    assert hub.stations[IDENTITY].subentry_id == subentry.subentry_id
    assert hub.stations[IDENTITY].device_id == device.id
    assert er.async_entries_for_device(er.async_get(hass), device.id)


async def test_charger_that_comes_back_while_it_is_turned_out_is_a_stranger(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    """Test that nobody is let in as a charger that is being deleted."""
    expel = CentralSystem.expel
    statuses: list[str] = []

    async def expelled(central_system: CentralSystem, identity: str) -> None:
        await expel(central_system, identity)
        charger = await charger_ws(identity)
        statuses.append((await charger.boot())["status"])

    (subentry_id,) = init_integration.subentries
    with patch.object(CentralSystem, "expel", expelled):
        hass.config_entries.async_remove_subentry(init_integration, subentry_id)
        await hass.async_block_till_done()
    assert statuses == ["Pending"]


async def test_nothing_is_left_of_a_charger_that_is_deleted(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
) -> None:
    """Test that no callback keeps the charger alive until the server is reloaded."""
    station = ref(hub.stations[IDENTITY].station)
    (subentry_id,) = init_integration.subentries
    hass.config_entries.async_remove_subentry(init_integration, subentry_id)
    await hass.async_block_till_done()
    await approved_charger.closed()
    await hass.async_block_till_done()
    gc.collect()
    assert station() is None


async def test_other_chargers_stay_connected(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
) -> None:
    """Test that adding, changing and deleting one charger does not disturb another."""
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    assert list(hub.stations) == [IDENTITY, "CP02"]
    subentry = init_integration.subentries[hub.stations["CP02"].subentry_id]
    hass.config_entries.async_update_subentry(
        init_integration, subentry, title="Driveway"
    )
    await hass.async_block_till_done()
    assert hub.stations["CP02"].station.settings.name == "Driveway"
    hass.config_entries.async_remove_subentry(init_integration, subentry.subentry_id)
    await hass.async_block_till_done()
    assert list(hub.stations) == [IDENTITY]
    await approved_charger.call("Heartbeat")


async def test_new_name_of_the_server(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
) -> None:
    """Test that the device of the server is called like its entry."""
    hass.config_entries.async_update_entry(init_integration, title="Car park")
    await hass.async_block_till_done()
    device = device_of(hass, init_integration, init_integration.entry_id)
    assert device is not None
    assert device.name == "Car park"
    assert init_integration.runtime_data is hub


async def test_entry_that_changes_after_the_end_changes_nothing(
    hass: HomeAssistant, init_integration: MockConfigEntry, hub: OcppHub
) -> None:
    """Test that a change while Home Assistant stops is left for the next start."""
    await hub.async_stop()
    await hub.async_stop()
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    assert hub.stations == {}


async def test_charger_that_comes_while_the_server_stops_is_not_let_in(
    hass: HomeAssistant, hub: OcppHub
) -> None:
    """Test that nothing is built which nobody would end."""
    stopping = hass.async_create_task(hub.async_stop())
    await asyncio.sleep(0)
    now = dt_util.utcnow()
    await hub.admission.accept_unknown(
        Candidate(identity=IDENTITY, remote=None, first_seen=now, last_seen=now)
    )
    await stopping
    await hass.async_block_till_done()
    assert hub.stations == {}
    assert len(hass.data[DATA].registry) == 0


async def test_charger_that_is_added_during_set_up_is_let_in(
    hass: HomeAssistant, server_entry: MockConfigEntry, socket_enabled: None
) -> None:
    """Test that what changes before the server listens is not overlooked."""
    server_entry.add_to_hass(hass)
    start = OcppHub.async_start

    async def late(hub: OcppHub) -> None:
        hub.approve(IDENTITY, "Garage", None)
        await start(hub)

    with patch.object(OcppHub, "async_start", late):
        assert await hass.config_entries.async_setup(server_entry.entry_id)
    await hass.async_block_till_done()
    assert list(server_entry.runtime_data.stations) == [IDENTITY]


@pytest.mark.peer("B-37")
async def test_identity_of_another_server_is_not_accepted(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
) -> None:
    """Test that a charger is not added to a second server unseen."""
    MockConfigEntry(
        domain=DOMAIN,
        data={CONF_HOST: "127.0.0.1", CONF_PORT: 0},
        subentries_data=[charger_data(IDENTITY)],
    ).add_to_hass(hass)
    charger = await charger_ws(IDENTITY)
    await charger.boot()
    for policy in ("accept", "ask"):
        hass.config_entries.async_update_entry(
            init_integration, options={CONF_POLICY: policy}
        )
        await hass.async_block_till_done()
        assert [one.identity for one in hub.waiting] == [IDENTITY]
        assert not init_integration.subentries


async def test_charger_that_waits_is_not_told_of_under_another_policy(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Test that what a charger says after the policy changed asks nothing."""
    charger = await charger_ws(IDENTITY)
    hub.admission.policy = AdmissionPolicy.REFUSE
    hub.admission.candidate_forgotten(IDENTITY)
    await charger.boot()
    assert not issue_registry.issues


# Devices


def charger_data(identity: str) -> Any:
    """Return the data of a charger subentry."""
    return {
        "data": {},
        "subentry_type": SUBENTRY_CHARGER,
        "title": "Elsewhere",
        "unique_id": identity,
    }


async def test_firmware_of_the_device_is_kept_fresh(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Test that a boot with another firmware changes the device."""
    await approved_charger.boot(firmwareVersion="2.0.0")
    device = device_of(hass, init_integration)
    assert device is not None
    assert device.sw_version == "2.0.0"


async def test_device_can_be_deleted_only_if_it_is_gone(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    device_registry: dr.DeviceRegistry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Test that server and charger stay, and what nobody knows may go."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_ws_client(hass)
    stale = device_registry.async_get_or_create(
        config_entry_id=init_integration.entry_id,
        identifiers={(DOMAIN, f"{IDENTITY}_7")},
    )
    server = device_of(hass, init_integration, init_integration.entry_id)
    charger = device_of(hass, init_integration, IDENTITY)
    assert server is not None
    assert charger is not None
    for device, deleted in ((server, False), (charger, False), (stale, True)):
        response = await client.remove_device(device.id)
        assert response["success"] is deleted


async def test_device_of_a_charger_stays_while_its_server_does_not_run(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
) -> None:
    """Test that a charger exists even if nobody has read its settings yet."""
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(init_integration.entry_id)
    connector = dr.async_get(hass).async_get_child_device_by_identifier(
        (DOMAIN, f"{IDENTITY}_2"), init_integration.entry_id
    )
    for device in (
        device_of(hass, init_integration, init_integration.entry_id),
        device_of(hass, init_integration, IDENTITY),
        connector,
    ):
        assert device is not None
        assert not await async_remove_config_entry_device(
            hass, init_integration, device
        )


async def test_deleted_server_takes_its_sessions_along(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Test that nothing is kept of the chargers of a deleted server."""
    await approved_charger.start()
    assert await hass.config_entries.async_remove(init_integration.entry_id)
    await hass.async_block_till_done()
    path = hass.config.path(DOMAIN, "journal.db")
    connection = sqlite3.connect(path)
    for table in ("transactions", "facts"):
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert count == 0
    connection.close()


async def test_new_settings_reach_a_connected_charger(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Test that set-up writes what changed, and that a new name is not its concern."""
    hub: OcppHub = init_integration.runtime_data
    subentry = init_integration.subentries[hub.stations[IDENTITY].subentry_id]
    approved_charger.received.clear()
    hass.config_entries.async_update_subentry(
        init_integration, subentry, title="Carport"
    )
    await hass.async_block_till_done()
    await approved_charger.call("Heartbeat")
    assert approved_charger.received == []
    hass.config_entries.async_update_subentry(
        init_integration,
        subentry,
        data={**subentry.data, "meter_interval": 17, "maximum_current": 20},
    )
    await hass.async_block_till_done()
    assert await approved_charger.expect("ChangeConfiguration") == {
        "key": "MeterValueSampleInterval",
        "value": "17",
    }
    number = full_state(hass, "number", "CP01_1_current_limit")
    assert number.attributes["max"] == 20
    await set_up(hub, approved_charger)


async def test_limits_follow_the_settings_they_depend_on(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Test that fewer phases and a lower maximum reach a charger that is limited."""
    hub: OcppHub = init_integration.runtime_data
    station = hub.stations[IDENTITY].station
    subentry = init_integration.subentries[hub.stations[IDENTITY].subentry_id]
    await limits.request(station, 1, Limit(value=Decimal(16)))
    approved_charger.received.clear()
    hass.config_entries.async_update_subentry(
        init_integration, subentry, data={**subentry.data, "phases": 1}
    )
    await hass.async_block_till_done()
    profile = (await approved_charger.expect("SetChargingProfile"))[
        "csChargingProfiles"
    ]
    period = profile["chargingSchedule"]["chargingSchedulePeriod"][0]
    assert period == {"startPeriod": 0, "limit": 16, "numberPhases": 1}

    hass.config_entries.async_update_subentry(
        init_integration, subentry, data={**subentry.data, "maximum_current": 10}
    )
    await hass.async_block_till_done()
    profile = (await approved_charger.expect("SetChargingProfile", 2))[
        "csChargingProfiles"
    ]
    period = profile["chargingSchedule"]["chargingSchedulePeriod"][0]
    assert period["limit"] == 10
    assert station.evses[1].wanted_limit.value == Limit(value=Decimal(10))
    await set_up(hub, approved_charger)
