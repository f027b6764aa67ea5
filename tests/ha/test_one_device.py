"""One device: a charger that two entries have exists once, whoever comes first."""

from collections.abc import Callable
from datetime import datetime

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from .conftest import ChargerFactory
from .easee import EaseeHome
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud.seed import CHARGER

type Seen = dict[str, tuple[str, str]]


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
def seen(hass: HomeAssistant) -> Callable[[], Seen]:
    """Return what tells each entity of the charger, with its unique and its own id."""

    def look() -> Seen:
        devices, entities = dr.async_get(hass), er.async_get(hass)
        found = [one for one in devices.devices if (DOMAIN, CHARGER) in one.identifiers]
        assert len(found) == 1
        return {
            one.unique_id: (one.entity_id, one.id)
            for one in er.async_entries_for_device(
                entities, found[0].id, include_disabled_entities=True
            )
        } | {"device": (found[0].id, "")}

    return look


async def test_server_takes_over_a_charger_of_an_account(
    hass: HomeAssistant,
    easee_hub: EaseeHub,
    easee_home: EaseeHome,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    seen: Callable[[], Seen],
) -> None:
    before = seen()
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    await easee_home.settle()
    assert CHARGER not in easee_hub.stations
    assert hub.stations[CHARGER].easee is not None
    after = seen()
    assert before == {key: after.get(key) for key in before}
    status = hass.states.get(after[f"{CHARGER}_1_status"][0])
    assert status is not None
    assert status.state == "available"

    (subentry_id,) = hub.entry.subentries
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    await hass.async_block_till_done()
    await easee_home.settle()
    assert CHARGER in easee_hub.stations
    after = seen()
    assert before == {key: after.get(key) for key in before}


async def test_account_joins_a_charger_of_a_server(
    hass: HomeAssistant,
    hub: OcppHub,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    seen: Callable[[], Seen],
) -> None:
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    before = seen()
    easee_hub = await easee_home.set_up(easee_entry)
    assert easee_hub is not None
    both = seen()
    assert before.items() < both.items()
    assert hub.stations[CHARGER].easee is not None
    await hass.config_entries.async_unload(easee_entry.entry_id)
    await hass.async_block_till_done()
    assert seen() == both
    assert hub.stations[CHARGER].easee is None
    await easee_home.set_up(easee_entry)
    assert seen() == both
    await hass.config_entries.async_reload(hub.entry.entry_id)
    await easee_home.settle()
    assert seen() == both
