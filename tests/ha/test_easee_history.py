"""Test the past of an Easee account: sessions in the journal, usage in the statistics."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance

from .easee import EaseeHome
from .entities import entity_id
from custom_components.ev_charger_hub.easee_history import RETRY, SETTLE
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import CHARGER, DAYS, SECOND

ENERGY = f"{CHARGER}_1_energy_active_import_register"
USAGE = f"{CHARGER}/usage/hourly"
PAGES = 4
"""The cloud answers for a month at most."""
LAST = f"{SECOND}/usage/hourly"
SESSIONS = f"charger/{CHARGER}/sessions"
THERMOMETER = "sensor.living_room"
FULL_HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(
    days=1
)
"""The end of an hour that the recorder has not added up, by its own clock."""


@pytest.fixture
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Have a recorder, which has to be there before Home Assistant."""


async def has_passed(home: EaseeHome, seconds: float, asked: int = 1) -> None:
    """Let time pass until the cloud was asked about the past of the last charger."""
    await home.passes(seconds)
    journal = home.cloud.journal
    await home.until(lambda: len(journal.find("GET", LAST)) >= asked)


async def rows(hass: HomeAssistant, home: EaseeHome) -> list[Any]:
    """Return the statistics of the energy of the charger."""
    await async_wait_recording_done(hass)
    statistic = entity_id(hass, "sensor", ENERGY)
    found = await get_instance(hass).async_add_executor_job(
        partial(
            statistics_during_period,
            hass,
            home.time() - timedelta(days=365),
            None,
            {statistic},
            "hour",
            {"energy": "kWh"},
            {"state", "sum"},
        )
    )
    return list(found.get(statistic, ()))


async def kept(hass: HomeAssistant, at: datetime, energy: float) -> str:
    """Have statistics of the charger from before; return the name of its sensor."""
    statistic = entity_id(hass, "sensor", ENERGY)
    metadata = StatisticMetaData(
        has_sum=True,
        mean_type=StatisticMeanType.NONE,
        name=None,
        source="recorder",
        statistic_id=statistic,
        unit_class="energy",
        unit_of_measurement="kWh",
    )
    hour = at.replace(minute=0, second=0, microsecond=0)
    row = StatisticData(start=hour, state=1000 + energy, sum=energy)
    async_import_statistics(hass, metadata, [row])
    await async_wait_recording_done(hass)
    return statistic


async def changes(hass: HomeAssistant, home: EaseeHome) -> list[float]:
    """Return what the energy dashboard shows of the charger by day, of a year."""
    await async_wait_recording_done(hass)
    statistic = entity_id(hass, "sensor", ENERGY)
    found = await get_instance(hass).async_add_executor_job(
        partial(
            statistics_during_period,
            hass,
            home.time() - timedelta(days=365),
            None,
            {statistic},
            "day",
            {"energy": "kWh"},
            {"change"},
        )
    )
    return [row["change"] or 0 for row in found[statistic]]


async def sessions(hub: EaseeHub) -> list[Any]:
    """Return the sessions of the charger in the journal."""
    return await hub.stations[CHARGER].transactions.sessions(limit=1000)


async def test_past_is_brought_in_once(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Sessions are in the journal, and usage before the sensor's own statistics."""
    charger = easee_home.cloud.chargers[CHARGER]
    assert not await rows(hass, easee_home)
    await has_passed(easee_home, SETTLE)
    known = await sessions(easee_hub)
    assert len(known) == len(charger.history.sessions)
    assert sum(one.energy for one in known) == pytest.approx(
        sum(one.energy for one in charger.history.sessions) * 1000, abs=len(known)
    )

    imported = await rows(hass, easee_home)
    assert len(imported) >= DAYS * 24
    assert imported[-1]["sum"] == 0
    delivered = imported[-1]["sum"] - imported[0]["sum"]
    assert delivered == pytest.approx(sum(one.energy for one in known) / 1000, rel=0.01)
    assert imported[-1]["state"] == pytest.approx(charger.register, abs=0.01)
    sums = [row["sum"] for row in imported]
    assert sums == sorted(sums)

    journal = easee_home.cloud.journal
    asked = len(journal.find("GET", USAGE))
    await easee_home.passes(RETRY)
    await easee_home.passes(RETRY)
    assert len(journal.find("GET", USAGE)) == asked
    assert len(await sessions(easee_hub)) == len(known)
    assert await rows(hass, easee_home) == imported


async def test_restart_brings_nothing_in_again(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    easee_entry: MockConfigEntry,
) -> None:
    """What is there stays as it is."""
    await has_passed(easee_home, SETTLE)
    before, known = await rows(hass, easee_home), await sessions(easee_hub)
    await easee_home.restart(easee_entry)
    await easee_home.passes(SETTLE)
    assert await rows(hass, easee_home) == before
    assert len(await sessions(easee_entry.runtime_data)) == len(known)


async def test_past_that_is_not_to_be_had_is_asked_for_later(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Trouble with one charger keeps no other from its past, and it comes after all."""
    easee_home.cloud.faults.add(Fault(pattern=SESSIONS, status=403, body={}))
    await has_passed(easee_home, SETTLE)
    assert not await sessions(easee_hub)
    easee_home.cloud.faults.clear()
    await easee_home.passes(RETRY)
    journal = easee_home.cloud.journal
    await easee_home.until(lambda: len(journal.find("GET", USAGE)) >= PAGES)
    assert await sessions(easee_hub)
    assert await rows(hass, easee_home)


async def test_the_energy_dashboard_shows_what_was_delivered_and_nothing_else(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """On the first day, too, for which it asks what was there before."""
    await has_passed(easee_home, SETTLE)
    energy = sum(one.energy for one in await sessions(easee_hub)) / 1000
    shown = await changes(hass, easee_home)
    assert min(shown) >= 0
    assert sum(shown) == pytest.approx(energy, rel=0.01)


@pytest.mark.parametrize("unit", ["Wh", "MWh"])
async def test_the_unit_that_a_user_chose_changes_no_statistics(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, unit: str
) -> None:
    """What is kept stays in its unit, and what comes before it is in the same."""
    statistic = await kept(hass, easee_home.time() - timedelta(days=10), 7.0)
    er.async_get(hass).async_update_entity_options(
        statistic, "sensor", {"unit_of_measurement": unit}
    )
    await easee_home.settle()
    state = hass.states.get(statistic)
    assert state is not None
    assert state.attributes["unit_of_measurement"] == unit

    await has_passed(easee_home, SETTLE)
    imported = await rows(hass, easee_home)
    assert imported[-1]["sum"] == 7
    assert imported[-2]["sum"] == 0
    past = easee_home.cloud.chargers[CHARGER].history.sessions
    until = easee_home.time() - timedelta(days=11)
    delivered = sum(one.energy for one in past if one.start < until)
    assert imported[-2]["sum"] - imported[0]["sum"] == pytest.approx(delivered, rel=0.1)
    metadata = await get_instance(hass).async_add_executor_job(
        partial(get_metadata, hass, statistic_ids={statistic})
    )
    assert metadata[statistic][1]["unit_of_measurement"] == "kWh"


async def test_nothing_comes_between_statistics_that_are_older(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """A sensor that was there a year ago is not made to fall by what came since."""
    await kept(hass, easee_home.time() - timedelta(days=200), 800.0)
    await easee_home.passes(SETTLE)
    await easee_home.passes(RETRY)
    assert [row["sum"] for row in await rows(hass, easee_home)] == [800]
    assert not easee_home.cloud.journal.find("GET", USAGE)


async def test_a_sensor_that_is_enabled_later_gets_its_past_by_its_name(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    easee_entry: MockConfigEntry,
) -> None:
    """While it is disabled nothing is kept; then it is, under the name it has."""
    registry = er.async_get(hass)
    statistic = entity_id(hass, "sensor", ENERGY)
    registry.async_update_entity(statistic, disabled_by=er.RegistryEntryDisabler.USER)
    await easee_home.restart(easee_entry)
    await has_passed(easee_home, SETTLE)
    assert not await rows(hass, easee_home)
    assert not easee_home.cloud.journal.find("GET", USAGE)

    registry.async_update_entity(
        statistic, disabled_by=None, new_entity_id="sensor.driveway"
    )
    await easee_home.restart(easee_entry)
    await easee_home.passes(SETTLE)
    journal = easee_home.cloud.journal
    await easee_home.until(lambda: len(journal.find("GET", USAGE)) >= PAGES)
    imported = await rows(hass, easee_home)
    assert imported[-1]["sum"] == 0
    assert imported[0]["sum"] < 0


@pytest.mark.parametrize("easee_epoch", [FULL_HOUR - timedelta(seconds=SETTLE - 5)])
async def test_an_import_at_the_full_hour_costs_no_sensor_its_statistics(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
) -> None:
    """The recorder adds up an hour ten seconds after its end, of all sensors or of none."""
    for value in ("20.0", "21.0"):
        hass.states.async_set(
            THERMOMETER,
            value,
            {"state_class": "measurement", "unit_of_measurement": "°C"},
        )
    await async_wait_recording_done(hass)
    await has_passed(easee_home, SETTLE)
    assert await rows(hass, easee_home)
    do_adhoc_statistics(hass, start=FULL_HOUR - timedelta(minutes=5))
    await async_wait_recording_done(hass)
    hour = FULL_HOUR - timedelta(hours=1)
    statistics = {THERMOMETER, entity_id(hass, "sensor", ENERGY)}
    found = await get_instance(hass).async_add_executor_job(
        partial(
            statistics_during_period,
            hass,
            hour,
            None,
            statistics,
            "hour",
            None,
            {"mean", "sum"},
        )
    )
    assert found.keys() == statistics
