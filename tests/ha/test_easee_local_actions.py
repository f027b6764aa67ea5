"""Local OCPP by actions: what they answer, and what they refuse."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .easee_local import HOST, Mover
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.ev_charger_hub.easee.ids import ChargerId
from custom_components.ev_charger_hub.easee.local_progress import Stage
from custom_components.ev_charger_hub.easee_local import LocalStatus
from custom_components.ev_charger_hub.easee_local_lodging import Lodging
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.settings import async_chargers
from custom_components.ev_charger_hub.system_health import system_health_info
from simulators.easee_cloud import Fault
from simulators.easee_cloud.seed import CHARGER
from tests.underway import until

STORES = "/local-ocpp/v1/connection-details/"


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
def url(hub: OcppHub) -> str:
    """Return the address of the server."""
    return f"ws://{HOST}:{hub.port}"


class Actor:
    """Who acts on the charger, whichever entry shows it."""

    def __init__(self, mover: Mover) -> None:
        """Act in the Home Assistant of `mover`."""
        self._hass = mover.home.hass

    async def __call__(self, action: str, **data: Any) -> dict[str, Any]:
        """Do an action and return its response."""
        devices = dr.async_get(self._hass).devices
        (device,) = [one for one in devices if (DOMAIN, CHARGER) in one.identifiers]
        answer = await self._hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": device.id, **data},
            blocking=True,
            return_response=True,
        )
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def act(mover: Mover, hub: OcppHub) -> Actor:
    """Return what acts on the charger."""
    return Actor(mover)


def sensor(hass: HomeAssistant) -> str:
    """Return what the sensor shows."""
    state = hass.states.get("sensor.garage_local_ocpp")
    assert state is not None
    return state.state


async def test_charger_is_moved_and_back_by_actions(
    hass: HomeAssistant, act: Actor, mover: Mover, hub: OcppHub, url: str
) -> None:
    answer = await act("easee_get_local_state")
    assert answer["state"] == "off"
    assert answer["possible"]
    assert set(answer["checks"].values()) == {None}
    assert [one["server"] for one in answer["servers"]] == [hub.entry.entry_id]
    assert sensor(hass) == "off"

    answer = await act("easee_move_to_local", url=url, confirm=["address_elsewhere"])
    assert answer["state"] == "preparing"
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    answer = await act("easee_get_local_state")
    assert answer["state"] == sensor(hass) == "connected"
    assert answer["connected"]
    assert answer["url"] == url
    assert answer["decisions"] == ["undo"]
    assert set(answer["checks"].values()) == {None}

    await act("easee_move_to_cloud")
    assert mover.status is LocalStatus.UNDOING
    await mover.until(lambda: CHARGER in mover.hub.stations)
    await mover.home.settle()
    assert sensor(hass) == "off"


async def refused(act: Actor, action: str, **data: Any) -> str:
    """Return why an action does nothing."""
    with pytest.raises((HomeAssistantError, ServiceValidationError)) as caught:
        await act(action, **data)
    return caught.value.translation_key or ""


async def test_what_stands_against_it_has_to_be_confirmed(
    act: Actor, mover: Mover, hub: OcppHub, url: str
) -> None:
    charger = mover.home.cloud.chargers[CHARGER]
    move = "easee_move_to_local"
    assert await refused(act, move, url=url) == "easee_local_not_confirmed"
    assert await refused(act, move, url="ws://127.0.0.1:9") == "easee_local_stopped"
    assert await refused(act, move, url="nonsense") == "easee_local_stopped"
    # Nobody out there reaches the server, which listens at this machine only.
    assert await refused(act, move) == "easee_local_no_address"
    assert await refused(act, move, server="?") == "easee_local_no_server"
    assert await refused(act, "easee_move_to_cloud") == "easee_local_not_moved"
    charger.observe(ChargerId.CHARGER_RAT, 0)
    await mover.home.settle()
    answer = await act("easee_get_local_state")
    assert not answer["possible"]
    assert answer["checks"]["wifi"]["check"] == "no_wifi"
    confirmed = {"url": url, "confirm": ["address_elsewhere", "no_wifi"]}
    assert await refused(act, move, **confirmed) == "easee_local_stopped"
    assert not hub.entry.subentries
    assert mover.home.cloud.journal.find("POST", "/local-ocpp/") == []


async def test_is_not_moved_twice(
    act: Actor, mover: Mover, hub: OcppHub, url: str
) -> None:
    confirmed = {"url": url, "confirm": ["address_elsewhere"]}
    await act("easee_move_to_local", **confirmed)
    assert await refused(act, "easee_move_to_local", **confirmed) == (
        "easee_local_already"
    )
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert await refused(act, "easee_move_to_local", **confirmed) == (
        "easee_local_already"
    )


async def test_cloud_that_does_not_answer_changes_nothing(
    act: Actor, mover: Mover, hub: OcppHub, url: str
) -> None:
    cloud = mover.home.cloud
    cloud.outage()
    call = asyncio.create_task(
        refused(act, "easee_move_to_local", url=url, confirm=["address_elsewhere"])
    )
    while not call.done():
        await mover.home.time.pass_time(1)
    assert await call == "easee_cannot_connect"
    assert not hub.entry.subentries
    assert mover.progress is None


async def health(hass: HomeAssistant) -> str:
    """Return what the system information says of local OCPP."""
    info = await system_health_info(hass)
    info.pop("easee_api").close()
    told: str = info["easee_local"]
    return told


async def test_diagnostics_and_system_information_tell_how_far_it_is(
    hass: HomeAssistant,
    act: Actor,
    mover: Mover,
    url: str,
    easee_entry: MockConfigEntry,
) -> None:
    assert await health(hass) == "0/0"
    await act("easee_move_to_local", url=url, confirm=["address_elsewhere"])
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert await health(hass) == "1/1"
    told = await async_get_config_entry_diagnostics(hass, easee_entry)
    (local,) = [one["local_ocpp"] for one in told["chargers"] if one["local_ocpp"]]
    assert local["stage"] == "verified"
    assert local["connected"]
    assert local["made_for_this"]
    assert HOST not in str(local)


@pytest.fixture
async def moving(
    act: Actor, mover: Mover, hub: OcppHub, url: str, monkeypatch: pytest.MonkeyPatch
) -> asyncio.Task[dict[str, Any]]:
    """Return an action that lasts: the server has let the charger in, the cloud is slow."""
    let_in = Lodging.async_let_in

    async def and_then(self: Lodging, *args: Any) -> None:
        await let_in(self, *args)
        mover.home.cloud.faults.add(Fault(pattern=STORES, method="GET", delay=20))

    monkeypatch.setattr(Lodging, "async_let_in", and_then)
    acting = asyncio.create_task(
        act("easee_move_to_local", url=url, confirm=["address_elsewhere"])
    )
    await until(lambda: CHARGER in async_chargers(hub.entry))
    return acting


async def test_script_that_is_stopped_leaves_nothing_half_done(
    mover: Mover, hub: OcppHub, moving: asyncio.Task[dict[str, Any]]
) -> None:
    moving.cancel()
    await asyncio.wait([moving])
    assert moving.cancelled()
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert hub.stations[CHARGER].station.local.value


async def test_account_that_stops_says_that_it_did(
    mover: Mover, hub: OcppHub, moving: asyncio.Task[dict[str, Any]]
) -> None:
    entry = mover.hub.entry
    await mover.home.hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        await moving
    assert caught.value.translation_key == "easee_local_unknown_charger"
    await mover.home.hass.config_entries.async_setup(entry.entry_id)
    await mover.until(lambda: not async_chargers(hub.entry))
