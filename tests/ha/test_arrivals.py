"""Test many chargers that arrive at once, at a server that accepts everyone."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .charger import PATIENCE, Charger
from .conftest import ChargerFactory
from custom_components.ev_charger_hub.const import CONF_POLICY, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.journal import Journal

STRANGERS = [f"CP{number:02}" for number in range(8)]


@pytest.fixture
def server_entry(server_entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry of a server that accepts everyone."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=server_entry.title,
        data=dict(server_entry.data),
        options={CONF_POLICY: AdmissionPolicy.ACCEPT},
    )


@pytest.fixture
async def strangers(hub: OcppHub, charger_ws: ChargerFactory) -> list[Charger]:
    """Return chargers that all dialed in at once."""
    return await asyncio.gather(*(charger_ws(identity) for identity in STRANGERS))


def _entities(hass: HomeAssistant, entry: MockConfigEntry, identity: str) -> set[str]:
    """Return what a charger has, as unique ids without its identity."""
    return {
        one.unique_id.removeprefix(identity)
        for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if one.unique_id.startswith(f"{identity}_")
    }


async def test_all_who_come_at_once_are_let_in(
    hass: HomeAssistant, init_integration: MockConfigEntry, strangers: list[Charger]
) -> None:
    answers = await asyncio.gather(*(charger.boot() for charger in strangers))
    assert {answer["status"] for answer in answers} == {"Accepted"}
    await hass.async_block_till_done()
    devices = dr.async_entries_for_config_entry(
        dr.async_get(hass), init_integration.entry_id
    )
    assert {(DOMAIN, identity) for identity in STRANGERS} <= {
        identifier for device in devices for identifier in device.identifiers
    }

    def alike() -> bool:
        shown = [_entities(hass, init_integration, one) for one in STRANGERS]
        return all(entities == shown[0] != set() for entities in shown)

    # They are set up a few at a time.
    async with asyncio.timeout(PATIENCE):
        while not alike():
            await asyncio.sleep(0)
    subentries = init_integration.subentries.values()
    assert sorted(one.unique_id or "" for one in subentries) == STRANGERS


async def test_one_that_cannot_be_built_keeps_no_other_out(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load = Journal.load

    async def broken(journal: Journal, identity: str, name: str) -> object:
        if identity == STRANGERS[0]:
            raise JournalError("disk is full")
        return await load(journal, identity, name)

    monkeypatch.setattr(Journal, "load", broken)
    chargers = await asyncio.gather(*(charger_ws(identity) for identity in STRANGERS))
    answers = await asyncio.gather(*(charger.boot() for charger in chargers[1:]))
    assert {answer["status"] for answer in answers} == {"Accepted"}
    await hass.async_block_till_done()
    assert set(hub.stations) == set(STRANGERS[1:])
    assert "disk is full" in caplog.text
    caplog.clear()


def _slowed(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Have arrivals tell when they begin, and wait before they go on."""
    load = Journal.load
    arriving, go_on = asyncio.Event(), asyncio.Event()

    async def slow(journal: Journal, identity: str, name: str) -> object:
        arriving.set()
        await go_on.wait()
        return await load(journal, identity, name)

    monkeypatch.setattr(Journal, "load", slow)
    return arriving, go_on


async def test_one_that_is_deleted_while_it_arrives_is_gone(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arriving, deleted = _slowed(monkeypatch)
    charger = await charger_ws(STRANGERS[0])
    await arriving.wait()
    (subentry_id,) = hub.entry.subentries
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    deleted.set()
    await charger.closed()
    await hass.async_block_till_done()
    assert not hub.stations
    assert not _entities(hass, hub.entry, STRANGERS[0])


async def test_a_server_stops_while_chargers_arrive(
    hass: HomeAssistant, init_integration: MockConfigEntry, strangers: list[Charger]
) -> None:
    assert await hass.config_entries.async_unload(init_integration.entry_id)
    for charger in strangers:
        await charger.closed()
    assert await hass.config_entries.async_setup(init_integration.entry_id)
    await hass.async_block_till_done()
    shown = [_entities(hass, init_integration, identity) for identity in STRANGERS]
    assert all(entities == shown[0] != set() for entities in shown)


async def test_one_that_is_deleted_while_it_arrives_and_added_again_is_the_new_one(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arriving, replaced = _slowed(monkeypatch)
    old = await charger_ws(STRANGERS[0])
    await arriving.wait()
    (subentry_id,) = hub.entry.subentries
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    subentry = hub.approve(STRANGERS[0], "Garage", None)
    replaced.set()
    await old.closed()
    await hass.async_block_till_done()
    assert hub.stations[STRANGERS[0]].subentry_id == subentry.subentry_id
    assert hub.stations[STRANGERS[0]].station.settings.name == "Garage"
    assert _entities(hass, hub.entry, STRANGERS[0])
    new = await charger_ws(STRANGERS[0])
    assert (await new.boot())["status"] == "Accepted"


async def test_trouble_that_nobody_expects_keeps_no_other_out(
    hass: HomeAssistant,
    hub: OcppHub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load = Journal.load

    async def broken(journal: Journal, identity: str, name: str) -> object:
        if identity == STRANGERS[0]:
            raise RuntimeError("a bug")
        return await load(journal, identity, name)

    monkeypatch.setattr(Journal, "load", broken)
    for identity in STRANGERS[:3]:
        hub.approve(identity, identity, None)
    hass.config_entries.async_update_entry(hub.entry, title="Car park")
    await hass.async_block_till_done()
    assert set(hub.stations) == set(STRANGERS[1:3])
    (server,) = (
        device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), hub.entry.entry_id
        )
        if (DOMAIN, hub.entry.entry_id) in device.identifiers
    )
    assert server.name == "Car park"
    assert "a bug" in caplog.text
    caplog.clear()


async def test_one_that_cannot_be_restored_does_not_keep_the_server_down(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    strangers: list[Charger],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    load = Journal.load

    async def broken(journal: Journal, identity: str, name: str) -> object:
        if identity == STRANGERS[0]:
            raise RuntimeError("a bug")
        return await load(journal, identity, name)

    monkeypatch.setattr(Journal, "load", broken)
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert set(init_integration.runtime_data.stations) == set(STRANGERS[1:])
    assert "a bug" in caplog.text
    caplog.clear()


async def test_one_that_cannot_be_forgotten_keeps_no_other_out(
    hass: HomeAssistant,
    hub: OcppHub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    subentry = hub.approve(STRANGERS[0], STRANGERS[0], None)
    await hass.async_block_till_done()

    async def broken(journal: Journal, identity: str) -> None:
        raise JournalError("disk is full")

    monkeypatch.setattr(Journal, "forget", broken)
    hass.config_entries.async_remove_subentry(hub.entry, subentry.subentry_id)
    hub.approve(STRANGERS[1], STRANGERS[1], None)
    await hass.async_block_till_done()
    assert set(hub.stations) == {STRANGERS[1]}
    assert "disk is full" in caplog.text
    caplog.clear()


async def test_one_that_comes_back_while_it_is_forgotten_loses_nothing(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget, load = Journal.forget, Journal.load
    subentry = hub.approve(STRANGERS[0], STRANGERS[0], None)
    await hass.async_block_till_done()
    journal_work: list[str] = []
    chargers: list[Charger] = []

    async def loading(journal: Journal, identity: str, name: str) -> object:
        journal_work.append("load")
        return await load(journal, identity, name)

    async def slow(journal: Journal, identity: str) -> None:
        chargers.append(await charger_ws(identity))
        for _ in range(20):
            await asyncio.sleep(0)
        await forget(journal, identity)
        journal_work.append("forget")

    monkeypatch.setattr(Journal, "load", loading)
    monkeypatch.setattr(Journal, "forget", slow)
    hass.config_entries.async_remove_subentry(hub.entry, subentry.subentry_id)
    await hass.async_block_till_done()
    assert journal_work[0] == "forget"
    assert (await chargers[0].boot())["status"] == "Accepted"
    transaction_id = await chargers[0].start()
    sessions = await hub.journal.sessions(STRANGERS[0])
    assert [one.transaction_id for one in sessions] == [str(transaction_id)]
