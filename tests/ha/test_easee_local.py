"""Local OCPP: a charger of an account is moved to a server here, and back."""

from datetime import datetime

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from .easee_local import HOST, Mover
from .one_device import Watched
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee.local_problems import Check
from custom_components.ev_charger_hub.easee.local_progress import Stage
from custom_components.ev_charger_hub.easee_local import LocalStatus
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud.seed import CHARGER


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
def url(hub: OcppHub) -> str:
    """Return the address of the server."""
    return f"ws://{HOST}:{hub.port}"


def entities(hass: HomeAssistant) -> dict[str, tuple[str, str]]:
    """Return the entities of the charger by unique id."""
    devices = dr.async_get(hass).devices
    (device,) = [one for one in devices if (DOMAIN, CHARGER) in one.identifiers]
    return {
        one.unique_id: (one.entity_id, device.id)
        for one in er.async_entries_for_device(
            er.async_get(hass), device.id, include_disabled_entities=True
        )
    }


async def test_charger_is_moved_and_back(
    hass: HomeAssistant, mover: Mover, hub: OcppHub, url: str
) -> None:
    before, easee_hub, local = entities(hass), mover.hub, mover.hub.local
    watched = Watched(hass, (CHARGER,))
    findings = await local.inspect_charger(CHARGER)
    assert findings.problems == ()
    assert [one.entry.entry_id for one in findings.servers] == [hub.entry.entry_id]
    await local.begin(CHARGER, hub.entry, url, confirmed={Check.ADDRESS_ELSEWHERE})
    await mover.reaches(LocalStatus.CONNECTED)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert hub.stations[CHARGER].station.local.value
    assert CHARGER not in easee_hub.stations
    after = entities(hass)
    assert {key: after.get(key) for key in before} == before

    await local.undo(CHARGER)
    await mover.until(lambda: CHARGER in easee_hub.stations)
    assert mover.progress is None
    assert CHARGER not in hub.stations
    assert not hub.entry.subentries
    after = entities(hass)
    assert after == before
    assert not {*watched.removed} & {one.entity_id for one in watched.entities}
    await mover.home.passes(15)
    assert await easee_hub.journal.load(CHARGER, "easee_local_place") is None
