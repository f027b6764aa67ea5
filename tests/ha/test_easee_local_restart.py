"""Local OCPP goes on by itself: entries are loaded again, and in any order."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .easee_local import HOST, Mover
from custom_components.ev_charger_hub.const import (
    CONF_MAXIMUM_CURRENT,
    CONF_MINIMUM_CURRENT,
    CONF_POLICY,
)
from custom_components.ev_charger_hub.easee.local_problems import Check
from custom_components.ev_charger_hub.easee.local_progress import Stage
from custom_components.ev_charger_hub.easee_local import LocalStatus
from custom_components.ev_charger_hub.easee_local_place import FACT
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.settings import async_chargers
from custom_components.ev_charger_hub.station.journal import Journal
from simulators.easee_cloud import EaseeCloud, local_ocpp
from simulators.easee_cloud.seed import CHARGER

STORES = "/local-ocpp/v1/connection-details/"


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


async def begin(mover: Mover, hub: OcppHub) -> None:
    """Begin to move the charger."""
    url = f"ws://{HOST}:{hub.port}"
    confirmed = {Check.ADDRESS_ELSEWHERE}
    await mover.hub.local.begin(CHARGER, hub.entry, url, confirmed=confirmed)


async def reload(mover: Mover) -> None:
    """Load the account again."""
    entry = mover.hub.entry
    await mover.home.hass.config_entries.async_unload(entry.entry_id)
    await mover.home.hass.config_entries.async_setup(entry.entry_id)
    await mover.home.settle()
    mover.hub = entry.runtime_data


def stores(cloud: EaseeCloud) -> list[str]:
    """Return what was sent to be stored, by its mode."""
    found = cloud.journal.find("POST", STORES)
    return [one.body["connectivityMode"] for one in found]


@pytest.mark.parametrize("seconds", [0, 1, 2, 4, 7, 10])
async def test_account_that_is_loaded_again_goes_on(
    mover: Mover, hub: OcppHub, seconds: int
) -> None:
    await begin(mover, hub)
    await mover.home.passes(seconds)
    await reload(mover)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert hub.stations[CHARGER].station.local.value
    assert stores(mover.home.cloud) == ["DualProtocol"]
    await mover.hub.local.undo(CHARGER)
    await mover.home.passes(seconds)
    await reload(mover)
    await mover.until(lambda: CHARGER in mover.hub.stations)
    assert stores(mover.home.cloud) == ["DualProtocol", "OcppOff"]
    assert not async_chargers(hub.entry)
    await mover.home.passes(15)
    assert await mover.hub.journal.load(CHARGER, FACT) is None


async def test_server_that_comes_late_is_waited_for(
    hass: HomeAssistant, mover: Mover, hub: OcppHub
) -> None:
    server = hub.entry
    await begin(mover, hub)
    await hass.config_entries.async_unload(server.entry_id)
    await mover.reaches(LocalStatus.WAITING)
    await mover.home.passes(20)
    assert mover.status is LocalStatus.WAITING
    port = int(mover.progress.details.url.rpartition(":")[2]) if mover.progress else 0
    hass.config_entries.async_update_entry(server, data={**server.data, "port": port})
    await hass.config_entries.async_setup(server.entry_id)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert stores(mover.home.cloud) == ["DualProtocol"]


async def test_charger_that_was_lost_with_the_entries_is_let_in_again(
    hass: HomeAssistant, mover: Mover, hub: OcppHub
) -> None:
    """Home Assistant was killed before it had written down the server's new charger."""
    await begin(mover, hub)
    await mover.home.passes(3)
    (subentry_id,) = hub.entry.subentries
    entry = mover.hub.entry
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    await hass.async_block_till_done()
    await hass.config_entries.async_setup(entry.entry_id)
    await mover.home.settle()
    mover.hub = entry.runtime_data
    assert [*async_chargers(hub.entry)] == [CHARGER]
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert stores(mover.home.cloud) == ["DualProtocol"]


async def test_place_without_a_plan_is_given_back(
    hass: HomeAssistant, mover: Mover, hub: OcppHub
) -> None:
    """Home Assistant was killed when the server had let it in, and nothing more."""
    entry = mover.hub.entry
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    await mover.hub.journal.store(
        CHARGER,
        FACT,
        {
            "entry_id": hub.entry.entry_id,
            "identity": CHARGER,
            "name": "Garage",
            "made": True,
            "password_before": None,
            "settings": {},
            "kept": False,
        },
    )
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_setup(entry.entry_id)
    await mover.home.passes(5)
    mover.hub = entry.runtime_data
    assert not async_chargers(hub.entry)
    assert CHARGER in mover.hub.stations
    assert stores(mover.home.cloud) == []


async def test_charger_takes_its_settings_along(
    mover: Mover, hub: OcppHub, easee_entry: MockConfigEntry
) -> None:
    easee = mover.hub
    easee.change_charger(CHARGER, {CONF_MAXIMUM_CURRENT: 13, CONF_MINIMUM_CURRENT: 7})
    await begin(mover, hub)
    settings = hub.stations[CHARGER].station.settings
    assert (settings.minimum_current, settings.maximum_current) == (7, 13)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    # What is changed at the server is not lost on the way back.
    hub.change_charger(CHARGER, {CONF_MAXIMUM_CURRENT: 10})
    await mover.home.settle()
    await easee.local.undo(CHARGER)
    await mover.until(lambda: CHARGER in easee.stations)
    settings = easee.stations[CHARGER].station.settings
    assert (settings.minimum_current, settings.maximum_current) == (7, 10)


async def test_charger_that_still_dials_is_not_turned_out_by_a_restart(
    mover: Mover, hub: OcppHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is turned out comes again as a stranger, and may be let in as such."""
    hass = mover.home.hass
    hass.config_entries.async_update_entry(hub.entry, options={CONF_POLICY: "accept"})
    await hass.async_block_till_done()
    await begin(mover, hub)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    monkeypatch.setattr(local_ocpp, "DIALS_AFTER", 30)
    await mover.hub.local.undo(CHARGER)
    await mover.until(lambda: mover.progress is None)
    await reload(mover)
    assert [*async_chargers(hub.entry)] == [CHARGER]
    await mover.until(lambda: CHARGER in mover.hub.stations)
    await mover.home.passes(60)
    assert not async_chargers(hub.entry)


async def test_sensor_never_says_off_while_the_account_is_loaded_again(
    mover: Mover, hub: OcppHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it while the disk takes its time."""
    await begin(mover, hub)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    await mover.home.settle()
    events = async_capture_events(mover.home.hass, EVENT_STATE_CHANGED)
    load = Journal.load

    async def slowly(self: Journal, identity: str, name: str) -> Any:
        for _ in range(50):
            await asyncio.sleep(0)
        return await load(self, identity, name)

    monkeypatch.setattr(Journal, "load", slowly)
    await reload(mover)
    await mover.home.passes(15)
    states = [
        one.data["new_state"].state
        for one in events
        if one.data["entity_id"] == "sensor.garage_local_ocpp"
    ]
    assert states[-1] == "connected"
    assert "off" not in states
