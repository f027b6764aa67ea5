"""Fixtures of tests within Home Assistant."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .charger import Charger
from .charger_v2 import Charger2
from .drive import Dialled, Drive
from .easee import EaseeHome, easee_config_entry, plant_cloud
from .easee_local import Mover, house_dialer
from .planted import watched
from .profiles import PACKAGE, Clock
from .translations import checked_translations
from .two_ways import TwoWays, two_ways
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import ENV_API, ENV_STREAM, EaseeHub
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.stepwise import Step
from simulators.charging_station import VENDORS, ChargingStation16, Misbehaviour
from simulators.easee_cloud import EaseeCloud, SimulatedTime, seeded
from simulators.easee_cloud.clock import START
from simulators.easee_cloud.dialer import Dialer
from tests.underway import UNDERWAY, until

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


# The freezer comes first: connections that know the real time would seem silent.
@pytest.fixture
async def dial(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hub: OcppHub,
    init_integration: MockConfigEntry,
) -> AsyncGenerator[Dialled]:
    """Return a function that has a station of some habits dial in."""
    stations: list[ChargingStation16] = []

    async def dialled(
        *habits: Misbehaviour, vendor: str = "generic", **settings: Any
    ) -> Drive:
        hub.approve(IDENTITY, "Garage", None)
        await hass.async_block_till_done()
        (subentry,) = init_integration.subentries.values()
        hass.config_entries.async_update_subentry(
            init_integration,
            subentry,
            # In leaps of time every pong comes too late.
            data={**subentry.data, "ping": False, **settings},
        )
        await hass.async_block_till_done()
        station = ChargingStation16(
            f"ws://127.0.0.1:{hub.port}/ocpp",
            IDENTITY,
            vendor=VENDORS[vendor],
            clock=dt_util.utcnow,
            misbehaviours=set(habits),
        )
        stations.append(station)
        await station.connect()
        drive = Drive(hass=hass, hub=hub, freezer=freezer, station=station)
        await drive.set_up()
        return drive

    yield dialled
    for station in stations:
        await station.close()


async def set_up(hub: OcppHub, charger: Charger) -> None:
    """Wait until the set-up of a charger has come to its end."""
    findings = hub.stations[charger.identity].station.findings
    await until(lambda: Step.LIMITS in findings)


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
    for module in ("profile_actions", "profile_clock", "profile_wish"):
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


@pytest.fixture
def easee_epoch() -> datetime:
    """Return when the virtual Easee cloud begins; a test of OCPP as well overrides it."""
    return START


@pytest.fixture
async def easee_home(
    hass: HomeAssistant,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
    easee_epoch: datetime,
) -> AsyncGenerator[EaseeHome]:
    """Return Home Assistant with a virtual Easee cloud, on one clock.

    There are two chargers on one circuit, and an equalizer.
    """
    time = SimulatedTime(easee_epoch)
    time.busy = UNDERWAY.busy
    cloud = seeded(time, second=True)
    await cloud.start()
    monkeypatch.setattr(f"{PACKAGE}.easee_hub.easee_time", lambda: time)
    monkeypatch.setenv(ENV_API, cloud.url)
    monkeypatch.setenv(ENV_STREAM, cloud.hub_url)
    home = EaseeHome(hass, cloud, time)
    yield home
    await home.unload()
    await cloud.stop()
    plant_cloud(cloud)


@pytest.fixture
async def ways(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    hub: OcppHub,
) -> AsyncGenerator[TwoWays]:
    """Return a charger of an account, beside an OCPP server."""
    async with two_ways(hass, easee_home, hub, easee_hub, freezer) as ways:
        yield ways


@pytest.fixture
def easee_cloud(easee_home: EaseeHome) -> EaseeCloud:
    """Return the virtual Easee cloud."""
    return easee_home.cloud


@pytest.fixture
def easee_entry() -> MockConfigEntry:
    """Return the entry of an Easee account, which is not set up yet."""
    return easee_config_entry()


@pytest.fixture
async def easee_hub(easee_home: EaseeHome, easee_entry: MockConfigEntry) -> EaseeHub:
    """Return the hub of an account that is set up and hears its products."""
    hub = await easee_home.set_up(easee_entry)
    assert hub is not None
    return hub


@pytest.fixture
def settle_easee(easee_home: EaseeHome) -> Settle:
    """Return what waits until everything that the cloud told is in the states."""
    return easee_home.settle


@pytest.fixture
async def local_dialer(easee_home: EaseeHome) -> AsyncGenerator[Dialer]:
    """Return what lets the chargers of the virtual cloud dial in here."""
    dialer = house_dialer(easee_home.cloud)
    yield dialer
    await dialer.close()


@pytest.fixture
def mover(easee_home: EaseeHome, easee_hub: EaseeHub, local_dialer: Dialer) -> Mover:
    """Return a charger that can be moved to local OCPP; see `easee_epoch`."""
    return Mover(easee_home, easee_hub)
