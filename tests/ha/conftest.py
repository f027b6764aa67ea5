"""Fixtures of tests within Home Assistant."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import replace
from typing import Protocol
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .charger import PATIENCE, Charger
from .charger_v2 import Charger2
from .planted import watched
from .profiles import PACKAGE, Clock
from .translations import checked_translations
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.stepwise import Step

IDENTITY = "CP01"


class ChargerFactory(Protocol):
    """Makes chargers that have dialed in, and hangs them up after the test."""

    async def __call__(
        self, identity: str = IDENTITY, *, password: str | None = None
    ) -> Charger:
        """Return a charger that is connected but has not booted."""


class Charger2Factory(Protocol):
    """Makes chargers of OCPP 2.x that are approved, and hangs them up after the test."""

    async def __call__(
        self,
        identity: str = IDENTITY,
        *,
        version: str = "2.0.1",
        evses: dict[int, int] | None = None,
        name: str = "Garage",
        boots: bool = True,
        variables: dict[str, tuple[str, bool]] | None = None,
    ) -> Charger2:
        """Return a connected charger; `evses` says how many connectors each has."""


type Settle = Callable[[], Awaitable[None]]


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give every test a configuration directory of its own, for the journal."""
    return hass_tmp_config_dir


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(enable_custom_integrations: None) -> None:
    """Load custom_components/ in every test."""


@pytest.fixture(autouse=True)
def translations_checked() -> Generator[None]:
    """Fail a test that shows a user text that en.json does not have."""
    with checked_translations() as problems:
        yield
    assert not problems


@pytest.fixture(autouse=True)
async def secrets_kept(hass: HomeAssistant) -> AsyncGenerator[None]:
    """Fail a test in which a secret is logged, at debug level, or shown."""
    async with watched(hass):
        yield


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Use Home Assistant's serializer; its own override loses to syrupy's fixture."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server on a free port of this machine."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: 0},
        entry_id="01JEVCHARGERHUB00000000000",
    )


@pytest.fixture
async def init_integration(
    hass: HomeAssistant, server_entry: MockConfigEntry, socket_enabled: None
) -> MockConfigEntry:
    """Set up the server and return its entry."""
    server_entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(server_entry.entry_id)
    await hass.async_block_till_done()
    return server_entry


@pytest.fixture
def hub(init_integration: MockConfigEntry) -> OcppHub:
    """Return the hub of the running server."""
    hub: OcppHub = init_integration.runtime_data
    return hub


@pytest.fixture
async def charger_ws(
    init_integration: MockConfigEntry,
) -> AsyncGenerator[ChargerFactory]:
    """Return a function that has a charger dial in to the running server."""
    chargers: list[Charger] = []

    async def connect(
        identity: str = IDENTITY, *, password: str | None = None
    ) -> Charger:
        port = init_integration.runtime_data.port
        charger = Charger(
            identity=identity, url=f"ws://127.0.0.1:{port}/ocpp", password=password
        )
        chargers.append(charger)
        return await charger.connect()

    yield connect
    for charger in chargers:
        await charger.close()


@pytest.fixture
async def approved_charger(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> Charger:
    """Return a charger with one connector that is approved, booted and available."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    await charger.boot()
    await charger.status(0, "Available")
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    return charger


@pytest.fixture
async def charger2_ws(
    hass: HomeAssistant, hub: OcppHub
) -> AsyncGenerator[Charger2Factory]:
    """Return a function that has an approved charger of OCPP 2.x dial in."""
    chargers: list[Charger2] = []

    async def connect(
        identity: str = IDENTITY,
        *,
        version: str = "2.0.1",
        evses: dict[int, int] | None = None,
        name: str = "Garage",
        boots: bool = True,
        variables: dict[str, tuple[str, bool]] | None = None,
    ) -> Charger2:
        if identity not in hub.stations:
            hub.approve(identity, name, None)
            await hass.async_block_till_done()
        charger = Charger2(
            identity=identity,
            url=f"ws://127.0.0.1:{hub.port}/ocpp",
            version=version,
            places=evses or {1: 1},
        )
        charger.variables |= variables or {}
        chargers.append(charger)
        await charger.connect()
        if boots:
            await charger.boot()
            for evse_id, connectors in charger.places.items():
                for one in range(1, connectors + 1):
                    await charger.connector_status("Available", evse_id, one)
            await set_up(hub, charger)
            await hass.async_block_till_done()
        return charger

    yield connect
    for charger in chargers:
        await charger.close()


@pytest.fixture(params=["2.0.1", "2.1"])
async def charger2(
    request: pytest.FixtureRequest, charger2_ws: Charger2Factory
) -> Charger2:
    """Return a charger of OCPP 2.0.1, then of 2.1: approved, booted, available."""
    return await charger2_ws(version=request.param)


@pytest.fixture
def unpaced(hub: OcppHub, approved_charger: Charger) -> None:
    """Let limits of the charger change as often as they like."""
    station = hub.stations[IDENTITY].station
    station.settings = replace(station.settings, limit_interval=0)


async def set_up(hub: OcppHub, charger: Charger) -> None:
    """Wait until the set-up of a charger has come to its end."""
    findings = hub.stations[charger.identity].station.findings
    async with asyncio.timeout(PATIENCE):
        while Step.LIMITS not in findings:
            await charger.call("Heartbeat")


def device_of(
    hass: HomeAssistant, entry: MockConfigEntry, identifier: str = IDENTITY
) -> dr.DeviceEntry | None:
    """Return the device of a charger by its identity, or of a server by its entry id."""
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, identifier), entry.entry_id
    )


@pytest.fixture
def settle(hass: HomeAssistant) -> Settle:
    """Return what waits until everything that frames caused is in the states."""

    async def settled() -> None:
        await hass.async_block_till_done()

    return settled


@pytest.fixture
def entity_registry_enabled_by_default() -> Generator[None]:
    """Enable entities that are disabled by default."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        return_value=True,
    ):
        yield


@pytest.fixture
def schedule_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which schedules are understood."""
    clock = Clock()
    for module in ("profile_actions", "profile_clock"):
        monkeypatch.setattr(f"{PACKAGE}.{module}.utc_now", clock)
    return clock


@pytest.fixture
async def berlin_charger(
    hass: HomeAssistant, approved_charger: Charger, schedule_clock: Clock
) -> Charger:
    """Return a charger in Berlin on a Friday morning."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    approved_charger.received.clear()
    return approved_charger


@pytest.fixture
async def easee_charger(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory, schedule_clock: Clock
) -> Charger:
    """Return a charger that neither stacks nor repeats profiles."""
    hub.approve("CP01", "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws("CP01")
    await charger.boot(chargePointVendor="Easee")
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    charger.received.clear()
    return charger
