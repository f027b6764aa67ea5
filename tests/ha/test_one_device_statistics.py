"""Statistics of a charger go on, whoever shows it."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from .easee import EaseeHome
from .entities import entity_id
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud.seed import CHARGER
from simulators.easee_cloud.vehicle import Vehicle

ENERGY = f"{CHARGER}_1_energy_active_import_register"
FIVE_MINUTES = timedelta(minutes=5)
"""For so long Home Assistant makes one row."""


@pytest.fixture
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Have a recorder, which has to be there before Home Assistant."""


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


async def test_energy_goes_on_there_and_back(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_home: EaseeHome, hub: OcppHub
) -> None:
    charger, statistic = easee_home.cloud.chargers[CHARGER], None
    registers, sums = list[float](), list[float]()
    start: datetime | None = None
    for owner in ("account", "server", "account"):
        if owner == "server":
            hub.approve(CHARGER, "Garage", None)
        elif hub.entry.subentries:
            (subentry_id,) = hub.entry.subentries
            hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
        await hass.async_block_till_done()
        await easee_home.settle()
        assert (CHARGER in hub.stations) is (owner == "server")
        assert (CHARGER in easee_hub.stations) is (owner == "account")
        charger.plug_in(Vehicle())
        await easee_home.passes(600)
        charger.unplug()
        await easee_home.passes(60)
        statistic = statistic or entity_id(hass, "sensor", ENERGY)
        assert entity_id(hass, "sensor", ENERGY) == statistic
        registers.append(_energy(hass, statistic))
        start = _present() if start is None else start + FIVE_MINUTES
        row = await _compiled(hass, statistic, start)
        assert row["state"] == pytest.approx(registers[-1])
        sums.append(row["sum"])
    assert registers == sorted(set(registers))
    # Nothing is counted twice or begun anew.
    assert sums[-1] - sums[0] == pytest.approx(registers[-1] - registers[0])
    found = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    (listed,) = [one for one in found if one["statistic_id"] == statistic]
    assert listed["statistics_unit_of_measurement"] == "kWh"


def _present() -> datetime:
    """Return when the five minutes began in which we are."""
    now = dt_util.utcnow().replace(second=0, microsecond=0)
    return now - timedelta(minutes=now.minute % 5)


def _energy(hass: HomeAssistant, statistic: str) -> float:
    """Return what the sensor shows."""
    state = hass.states.get(statistic)
    assert state is not None
    return float(state.state)


async def _compiled(hass: HomeAssistant, statistic: str, start: datetime) -> Any:
    """Have statistics made of five minutes, and return those of the sensor."""
    await async_wait_recording_done(hass)
    do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)
    rows = await get_instance(hass).async_add_executor_job(
        partial(
            statistics_during_period,
            hass,
            start,
            None,
            {statistic},
            "5minute",
            None,
            {"state", "sum"},
        )
    )
    return rows[statistic][-1]
