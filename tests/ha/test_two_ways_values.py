"""What entities show of a charger that is connected to us and to its cloud (issue 7)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
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

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .charger import Charger
from .conftest import ChargerFactory, set_up
from .easee import EaseeHome
from .entities import entity_id, exists, state
from .passing import answered
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud import Charger as VirtualCharger, Vehicle
from simulators.easee_cloud.seed import CHARGER

EASEE = {
    "chargePointVendor": "Easee",
    "chargePointModel": "Charge",
    "chargePointSerialNumber": CHARGER,
    "firmwareVersion": "344",
}
WAY = f"{CHARGER}_way"
STATUS = f"{CHARGER}_1_status"
POWER = f"{CHARGER}_1_power_active_import"
ENERGY = f"{CHARGER}_1_energy_active_import_register"
DETAILED = f"{CHARGER}_detailed_status"

type Passes = Callable[[float], Awaitable[None]]


# The freezer comes first: connections that know the real time would seem silent.
@pytest.fixture
def easee_epoch(freezer: FrozenDateTimeFactory) -> datetime:
    """Return the present, which stands still until the test moves it."""
    return dt_util.utcnow()


@pytest.fixture
def passes(
    hass: HomeAssistant, easee_home: EaseeHome, freezer: FrozenDateTimeFactory
) -> Passes:
    """Return a function that lets time pass for everybody."""

    async def move(seconds: float) -> None:
        while seconds > 0:
            step = min(seconds, 30.0)
            seconds -= step
            await answered()
            freezer.tick(timedelta(seconds=step))
            async_fire_time_changed(hass)
            await easee_home.time.pass_time(step)
            await hass.async_block_till_done()
        await easee_home.settle()

    return move


@pytest.fixture
def virtual(easee_home: EaseeHome) -> VirtualCharger:
    """Return the charger as the cloud knows it."""
    return easee_home.cloud.chargers[CHARGER]


@pytest.fixture
async def charger(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    entity_registry_enabled_by_default: None,
) -> AsyncGenerator[Charger]:
    """Return a charger of a server that an account has as well, set up and available."""
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    assert await easee_home.set_up(easee_entry) is not None
    charger = await charger_ws(CHARGER)
    await come(hass, hub, charger)
    yield charger
    await charger.close()
    await hass.config_entries.async_unload(hub.entry.entry_id)


async def come(hass: HomeAssistant, hub: OcppHub, charger: Charger) -> None:
    """Let the charger boot and be set up."""
    await charger.boot(**EASEE)
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()


async def measure(charger: Charger, **samples: tuple[str, str]) -> None:
    """Measure: names with underscores instead of dots, each with a value and unit."""
    stamp = dt_util.utcnow().isoformat()
    sampled: list[dict[str, Any]] = [
        {"measurand": name.replace("_", "."), "value": value, "unit": unit}
        for name, (value, unit) in samples.items()
    ]
    value = {"timestamp": stamp, "sampledValue": sampled}
    await charger.call("MeterValues", {"connectorId": 1, "meterValue": [value]})


async def test_connection_is_the_way_in_use(
    hass: HomeAssistant, hub: OcppHub, charger: Charger, passes: Passes
) -> None:
    await passes(1)
    assert state(hass, "sensor", WAY) == "local"
    await charger.close()
    await passes(1)
    assert state(hass, "sensor", WAY) == "cloud"
    assert state(hass, "binary_sensor", f"{CHARGER}_connectivity") == "on"
    await charger.connect()
    await come(hass, hub, charger)
    await passes(1)
    assert state(hass, "sensor", WAY) == "local"


async def test_connection_is_none_without_a_way(
    hass: HomeAssistant, charger: Charger, virtual: VirtualCharger, passes: Passes
) -> None:
    virtual.go_offline()
    await passes(5)
    assert state(hass, "sensor", WAY) == "local"
    assert state(hass, "sensor", DETAILED) == STATE_UNAVAILABLE
    assert state(hass, "sensor", STATUS) == "available"
    await charger.close()
    await passes(5)
    assert state(hass, "sensor", WAY) == "none"
    assert state(hass, "sensor", STATUS) == STATE_UNAVAILABLE


async def test_connection_of_a_charger_with_one_way_does_not_exist(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert not exists(hass, "sensor", "CP01_way")


@pytest.mark.conformance("EASEE_S22")
async def test_status_and_power_are_those_of_the_charger_while_it_is_connected(
    hass: HomeAssistant, charger: Charger, virtual: VirtualCharger, passes: Passes
) -> None:
    await charger.status(1, "Preparing")
    await passes(1)
    virtual.plug_in(Vehicle())
    await passes(60)
    assert state(hass, "sensor", DETAILED) == "charging"
    await measure(charger, Power_Active_Import=("1234", "W"))
    await passes(120)
    assert state(hass, "sensor", STATUS) == "preparing"
    assert float(state(hass, "sensor", POWER)) == 1234

    await charger.close()
    await passes(5)
    assert state(hass, "sensor", STATUS) == "charging"
    assert float(state(hass, "sensor", POWER)) > 3000
    assert state(hass, "sensor", f"{CHARGER}_protocol_version") == STATE_UNAVAILABLE

    await charger.connect()
    await charger.status(1, "SuspendedEVSE")
    await passes(5)
    assert state(hass, "sensor", STATUS) == "suspended_evse"
    assert float(state(hass, "sensor", POWER)) == 0
    assert state(hass, "sensor", f"{CHARGER}_protocol_version") == "1.6"


async def test_energy_goes_on_over_both_ways(
    hass: HomeAssistant, charger: Charger, virtual: VirtualCharger, passes: Passes
) -> None:
    """The charger itself counts from another zero than the cloud."""
    seen: list[float] = [float(state(hass, "sensor", ENERGY))]
    begin = seen[0]
    virtual.plug_in(Vehicle())
    for minute in range(30):
        await passes(60)
        energy = ("Energy_Active_Import_Register", (str(500 + 50 * minute), "Wh"))
        if minute < 15:
            await measure(charger, **dict([energy]))
        elif minute == 15:
            await charger.close()
        seen.append(float(state(hass, "sensor", ENERGY)))
    virtual.unplug()
    await passes(60)
    seen.append(float(state(hass, "sensor", ENERGY)))
    assert seen == sorted(seen)
    assert seen[-1] - begin < 8
    assert seen[-1] - begin == pytest.approx(virtual.register - begin, abs=1)


async def test_what_the_cloud_filled_is_unknown_without_the_account(
    hass: HomeAssistant,
    hub: OcppHub,
    charger: Charger,
    virtual: VirtualCharger,
    easee_entry: MockConfigEntry,
    easee_home: EaseeHome,
    passes: Passes,
) -> None:
    virtual.plug_in(Vehicle())
    await charger.status(1, "Charging")
    await passes(60)
    assert float(state(hass, "sensor", POWER)) > 3000
    energy = state(hass, "sensor", ENERGY)
    await hass.config_entries.async_unload(easee_entry.entry_id)
    await passes(5)
    assert state(hass, "sensor", STATUS) == "charging"
    assert state(hass, "sensor", POWER) == STATE_UNKNOWN
    assert state(hass, "sensor", ENERGY) == energy
    assert state(hass, "sensor", WAY) == STATE_UNAVAILABLE
    await easee_home.set_up(easee_entry)
    await passes(5)
    assert float(state(hass, "sensor", POWER)) > 3000
    assert state(hass, "sensor", WAY) == "local"
    await hass.config_entries.async_remove(easee_entry.entry_id)
    await passes(5)
    assert not exists(hass, "sensor", WAY)


async def test_values_of_the_cloud_stay_until_the_end_of_home_assistant(
    hass: HomeAssistant, charger: Charger, virtual: VirtualCharger, passes: Passes
) -> None:
    """Nobody wants to see them become unknown with every restart."""
    virtual.plug_in(Vehicle())
    await charger.close()
    await passes(60)
    assert state(hass, "sensor", STATUS) == "charging"
    states: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        if (new := event.data["new_state"]) is not None:
            states.append(new.state)

    async_track_state_change_event(hass, entity_id(hass, "sensor", STATUS), note)
    await hass.async_stop(force=True)
    assert set(states) <= {"charging"}


@pytest.mark.conformance("EASEE_S22")
async def test_diagnostics_say_who_tells_what(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hub: OcppHub,
    charger: Charger,
    virtual: VirtualCharger,
    easee_entry: MockConfigEntry,
    passes: Passes,
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    virtual.plug_in(Vehicle())
    await charger.status(1, "Charging")
    await passes(60)
    for entry in (hub.entry, easee_entry):
        told = await get_diagnostics_for_config_entry(hass, hass_client, entry)
        assert isinstance(told, dict)
        (known,) = (one for one in told["chargers"] if one["ways"]["local"])
        assert known["ways"] == {
            "cloud": True,
            "local": True,
            "possible": ["easee", "ocpp"],
            "used": "ocpp",
        }
        place = known["places"]["1"]
        assert "power_active_import" in place["told_by_cloud"]
        assert "status" not in place["told_by_cloud"]
        assert place["register_zeros"]["easee"] == 0
