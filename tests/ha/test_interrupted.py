"""A counter never falls: Home Assistant is killed, or stops, while energy flows.

To be killed is to go on with the journal as it was on disk at that moment.
"""

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
import sqlite3

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .charger import Charger
from .charger_v2 import Charger2
from .conftest import IDENTITY
from .easee import EaseeHome
from .entities import entity_id, state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.snapshots import SNAPSHOT_DELAY
from simulators.easee_cloud.seed import CHARGER
from simulators.easee_cloud.vehicle import Vehicle

ENERGY = f"{IDENTITY}_1_energy_active_import_register"
EXPORT = f"{IDENTITY}_1_energy_active_export_register"
SESSION = f"{IDENTITY}_1_session_energy"

SHOWN = timedelta(seconds=2)
NOT_SHOWN = {STATE_UNAVAILABLE, STATE_UNKNOWN}


@contextmanager
def as_it_is_on_disk(path: Path) -> Generator[None]:
    """Let nothing that is written until the end of the block have been written."""
    with closing(sqlite3.connect(":memory:")) as on_disk:
        with closing(sqlite3.connect(path)) as journal:
            journal.backup(on_disk)
        yield
        with closing(sqlite3.connect(path)) as journal:
            on_disk.backup(journal)


@dataclass(kw_only=True)
class House:
    """A Home Assistant with a charger that can be killed and started again."""

    hass: HomeAssistant
    entry: MockConfigEntry

    @property
    def journal(self) -> Path:
        """Return where the journal is."""
        return Path(self.hass.config.path(DOMAIN, "journal.db"))

    async def keep(self) -> None:
        """Let so much time pass that all that was told is on disk."""
        hub: OcppHub = self.entry.runtime_data
        async_fire_time_changed(self.hass, dt_util.utcnow() + SNAPSHOT_DELAY + SHOWN)
        await self.hass.async_block_till_done()
        await hub.stations[IDENTITY].transactions.sessions()

    async def show(self) -> None:
        """Let what waits to be shown be shown."""
        async_fire_time_changed(self.hass, dt_util.utcnow() + SHOWN)
        await self.hass.async_block_till_done()

    async def kill(self) -> None:
        """End without a word, and start again."""
        with as_it_is_on_disk(self.journal):
            await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self._start()

    async def restart(self) -> None:
        """End properly, and start again."""
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self._start()

    async def _start(self) -> None:
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.show()

    async def back(self, charger: Charger | Charger2) -> None:
        """Let the charger come back, which says nothing of its meter yet."""
        await charger.close()
        charger.url = f"ws://127.0.0.1:{self.entry.runtime_data.port}/ocpp"
        await charger.connect()
        await charger.call("Heartbeat")
        await self.show()

    def shown(self, unique_id: str) -> float | None:
        """Return what a counter shows in Wh, None if nothing."""
        value = state(self.hass, "sensor", unique_id)
        return None if value in NOT_SHOWN else float(value) * 1000

    def counters(self) -> tuple[float | None, float | None]:
        """Return what the register and the session show in Wh."""
        return self.shown(ENERGY), self.shown(SESSION)


@pytest.fixture
def house(hass: HomeAssistant, init_integration: MockConfigEntry) -> House:
    """Return a house that can be killed."""
    return House(hass=hass, entry=init_integration)


def register(value: int, measurand: str = "Import") -> dict[str, str]:
    """Return a sample of a register in Wh."""
    return {"value": str(value), "measurand": f"Energy.Active.{measurand}.Register"}


async def charge(house: House, charger: Charger) -> int:
    """Charge until 1.7 kWh are shown, of which the last 0.2 are not on disk."""
    await charger.status(1, "Charging")
    number = await charger.start(meter=1000)
    await charger.meter(1, [register(1500)], number)
    await house.keep()
    await charger.meter(1, [register(1700)], number)
    await house.show()
    assert house.counters() == (1700, 700)
    return number


async def test_killed_while_it_charges(house: House, approved_charger: Charger) -> None:
    number = await charge(house, approved_charger)
    await house.kill()
    assert house.counters() == (None, None)
    await house.back(approved_charger)
    assert house.counters() == (None, None)
    await approved_charger.meter(1, [register(1750)], number)
    await house.show()
    assert house.counters() == (1750, 750)


async def test_killed_and_then_told_no_more_than_before(
    house: House, approved_charger: Charger
) -> None:
    """Test that a reading proves a counter even if it is the one that was kept."""
    number = await charge(house, approved_charger)
    await house.kill()
    await house.back(approved_charger)
    await approved_charger.meter(1, [register(1500)], number)
    await house.show()
    assert house.counters() == (1500, 500)


async def test_a_wrong_zero_after_a_kill_is_not_believed(
    house: House, approved_charger: Charger
) -> None:
    number = await charge(house, approved_charger)
    await house.kill()
    await house.back(approved_charger)
    await approved_charger.meter(1, [register(0)], number)
    await house.show()
    assert house.shown(ENERGY) is None
    await approved_charger.meter(1, [register(1800)], number)
    await house.show()
    assert house.counters() == (1800, 800)


async def test_killed_before_the_first_reading_of_a_session_is_kept(
    house: House, approved_charger: Charger
) -> None:
    await approved_charger.meter(1, [register(1000), register(5, "Export")])
    await house.keep()
    await approved_charger.status(1, "Charging")
    number = await approved_charger.start(meter=1000)
    more = [register(1300), register(7, "Export")]
    await approved_charger.meter(1, more, number)
    await house.show()
    assert house.counters() == (1300, 300)
    await house.kill()
    assert (*house.counters(), house.shown(EXPORT)) == (None, None, None)


async def test_killed_right_after_a_session(
    house: House, approved_charger: Charger
) -> None:
    """Test that the end of a session, which is never lost, is where its meter is."""
    number = await charge(house, approved_charger)
    await approved_charger.stop(number, 1800)
    await house.show()
    assert house.counters() == (1800, 800)
    await house.kill()
    assert house.counters() == (1800, 800)


async def test_killed_right_after_a_session_of_which_more_was_told(
    house: House, approved_charger: Charger
) -> None:
    """Test that what the end of a session does not tell is unknown."""
    await approved_charger.status(1, "Charging")
    number = await approved_charger.start(meter=1000)
    await approved_charger.meter(1, [register(1500), register(5, "Export")], number)
    await approved_charger.status(1, "SuspendedEV")
    await house.keep()
    await approved_charger.meter(1, [register(1700), register(9, "Export")], number)
    await approved_charger.stop(number, 1800)
    await house.show()
    assert house.shown(EXPORT) == 9
    await house.kill()
    assert (*house.counters(), house.shown(EXPORT)) == (1800, 800, None)
    await house.back(approved_charger)
    await approved_charger.meter(1, [register(1800), register(9, "Export")])
    await house.show()
    assert (house.shown(ENERGY), house.shown(EXPORT)) == (1800, 9)


async def test_killed_before_a_register_is_told_for_the_first_time_in_a_session(
    house: House, approved_charger: Charger
) -> None:
    """Test that what is told a little later than a session begins is in doubt, too."""
    begun = dt_util.utcnow() - timedelta(seconds=20)
    before = (begun - timedelta(seconds=20)).isoformat()
    values = [{"timestamp": before, "sampledValue": [register(5, "Export")]}]
    await approved_charger.call("MeterValues", {"connectorId": 1, "meterValue": values})
    number = await approved_charger.start(meter=1000, timestamp=begun.isoformat())
    await approved_charger.meter(1, [register(1100)], number)
    await house.keep()
    await approved_charger.meter(1, [register(1300), register(7, "Export")], number)
    await house.show()
    assert house.shown(EXPORT) == 7
    await house.kill()
    assert house.shown(EXPORT) is None


async def test_killed_while_nothing_flows(
    house: House, approved_charger: Charger
) -> None:
    number = await charge(house, approved_charger)
    await approved_charger.stop(number, 1800)
    await approved_charger.status(1, "Available")
    await house.keep()
    await house.kill()
    assert house.counters() == (1800, 800)
    await house.back(approved_charger)
    assert house.counters() == (1800, 800)


async def test_stopped_properly_while_it_charges(
    house: House, approved_charger: Charger
) -> None:
    await charge(house, approved_charger)
    await house.restart()
    assert house.counters() == (1700, 700)


async def test_killed_soon_after_a_proper_start(
    house: House, approved_charger: Charger
) -> None:
    """Test that what was the last word once is so no longer when it goes on."""
    number = await charge(house, approved_charger)
    await house.restart()
    await house.back(approved_charger)
    await approved_charger.meter(1, [register(1900)], number)
    await house.show()
    assert house.counters() == (1900, 900)
    await house.kill()
    assert house.counters() == (None, None)


async def test_stopped_properly_before_the_charger_is_back(
    house: House, approved_charger: Charger
) -> None:
    """Test that a counter stays outdated until it is told anew."""
    number = await charge(house, approved_charger)
    await house.kill()
    await house.restart()
    assert house.counters() == (None, None)
    await house.back(approved_charger)
    await approved_charger.stop(number, 1850)
    await house.show()
    assert house.counters() == (1850, 850)


async def test_killed_while_energy_flows_in_no_session(
    house: House, approved_charger: Charger
) -> None:
    await approved_charger.status(1, "Charging")
    await approved_charger.meter(1, [register(1500)])
    await house.keep()
    await approved_charger.meter(1, [register(1600)])
    await house.show()
    assert house.shown(ENERGY) == 1600
    await house.kill()
    assert house.shown(ENERGY) is None


# The cloud of Easee


class EaseeCounters:
    """All that the counters of a charger of an account show, in kWh."""

    def __init__(self, hass: HomeAssistant, home: EaseeHome, hub: EaseeHub) -> None:
        """Watch from now on."""
        self.home = home
        self._hass = hass
        self._entry = hub.entry
        self._keys = {
            entity_id(hass, "sensor", f"{CHARGER}_1_{key}"): key
            for key in ("energy_active_import_register", "session_energy")
        }
        self.shown: dict[str, list[float]] = {key: [] for key in self._keys.values()}
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        key, new = self._keys.get(event.data["entity_id"]), event.data["new_state"]
        if key is not None and new is not None and new.state not in NOT_SHOWN:
            self.shown[key].append(float(new.state))

    async def kill(self) -> None:
        """End without a word, and start again."""
        with as_it_is_on_disk(Path(self._hass.config.path(DOMAIN, "journal.db"))):
            await self._hass.config_entries.async_unload(self._entry.entry_id)
        assert await self._hass.config_entries.async_setup(self._entry.entry_id)
        await self.home.settle()

    def never_fell(self) -> bool:
        """Return whether all was at least what it had been before."""
        return all(values == sorted(values) for values in self.shown.values())

    def now(self) -> list[float]:
        """Return what they show."""
        for key in self.shown:
            assert state(self._hass, "sensor", f"{CHARGER}_1_{key}") not in NOT_SHOWN
        return [values[-1] for values in self.shown.values()]


@pytest.mark.parametrize("is_over", [False, True], ids=["goes_on", "is_over"])
async def test_killed_while_only_the_cloud_tells(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, is_over: bool
) -> None:
    """Test that the cloud, which tells all again, finds nothing that fell."""
    counters = EaseeCounters(hass, easee_home, easee_hub)
    charger = easee_home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle())
    for _ in range(5):
        await easee_home.passes(20)
    if is_over:
        charger.unplug()
        await easee_home.passes(20)
    before = counters.now()
    assert before[1] > 0
    await counters.kill()
    assert counters.never_fell()
    assert counters.now() == pytest.approx(before, abs=0.002)
