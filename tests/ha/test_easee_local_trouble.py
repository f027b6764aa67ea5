"""Local OCPP that does not go as it should: found out, told, and settled by the user."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp.test_utils import TestClient
import pytest

from homeassistant.components.repairs.const import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .easee_local import HOST, Mover
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee.local_problems import Check
from custom_components.ev_charger_hub.easee.local_progress import Stage, Trouble
from custom_components.ev_charger_hub.easee_local import LocalStatus
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.credentials import hash_password
from simulators.easee_cloud import Charger, EaseeCloud
from simulators.easee_cloud.dialer import Dialer
from simulators.easee_cloud.seed import CHARGER

HOURS = 3600
MINUTES = 60
STORES = "/local-ocpp/v1/connection-details/"

type Decide = Callable[[str, str], Awaitable[dict[str, Any]]]


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
def url(hub: OcppHub) -> str:
    """Return the address of the server."""
    return f"ws://{HOST}:{hub.port}"


@pytest.fixture
async def moved(mover: Mover, hub: OcppHub, url: str) -> Mover:
    """Return a charger that has been moved here."""
    await mover.hub.local.begin(
        CHARGER, hub.entry, url, confirmed={Check.ADDRESS_ELSEWHERE}
    )
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    await mover.home.passes(15)
    return mover


@pytest.fixture
def charger(easee_cloud: EaseeCloud) -> Charger:
    """Return the charger in the cloud."""
    return easee_cloud.chargers[CHARGER]


@pytest.fixture
async def decide(
    hass: HomeAssistant, hass_client: Callable[[], Awaitable[TestClient[Any, Any]]]
) -> Decide:
    """Return what opens the repair of an issue, and decides there."""
    assert await async_setup_component(hass, REPAIRS, {})
    client = await hass_client()

    async def settle(key: str, decision: str) -> dict[str, Any]:
        (issue_id,) = [one for one in issues(hass) if one.startswith(key)]
        url = "/api/repairs/issues/fix"
        answer = await client.post(url, json={"handler": DOMAIN, "issue_id": issue_id})
        menu = await answer.json()
        assert menu["type"] == "menu", menu
        assert decision in menu["menu_options"]
        answer = await client.post(
            f"{url}/{menu['flow_id']}", json={"next_step_id": decision}
        )
        result: dict[str, Any] = await answer.json()
        await hass.async_block_till_done()
        return result

    return settle


def issues(hass: HomeAssistant) -> list[str]:
    """Return the issues of local OCPP that are raised."""
    return [
        issue_id
        for domain, issue_id in ir.async_get(hass).issues
        if domain == DOMAIN and issue_id.startswith("easee_local")
    ]


def text(hass: HomeAssistant) -> str:
    """Return what the user reads of the only issue of local OCPP that is raised."""
    (issue_id,) = issues(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    texts = async_get_cached_translations(hass, "en", "issues", DOMAIN)
    path = f"component.{DOMAIN}.issues.{issue.translation_key}"
    said = texts[f"{path}.fix_flow.step.init.description"]
    return said.format(**issue.translation_placeholders)


def stores(mover: Mover) -> list[str]:
    """Return what was sent to be stored, by its mode."""
    found = mover.home.cloud.journal.find("POST", STORES)
    return [one.body["connectivityMode"] for one in found]


async def test_what_somebody_else_stored_is_found_and_left(
    hass: HomeAssistant, moved: Mover, charger: Charger, decide: Decide
) -> None:
    cloud = moved.home.cloud
    cloud.local_ocpp.foreign_change(charger, "ws://127.0.0.1:1")
    await moved.until(lambda: moved.status is LocalStatus.TROUBLE, 15 * MINUTES)
    assert moved.trouble is Trouble.FOREIGN
    assert "It leads to `127.0.0.1` now. Home Assistant" in text(hass)
    assert stores(moved) == ["DualProtocol"]
    assert (await decide("easee_local_foreign", "leave"))["type"] == "create_entry"
    await moved.home.passes(MINUTES)
    assert moved.progress is None
    assert not issues(hass)
    assert stores(moved) == ["DualProtocol"]
    assert cloud.local_ocpp.stored[CHARGER].url == "ws://127.0.0.1:1"


@pytest.mark.conformance("EASEE_S33")
async def test_configuration_that_an_operator_wiped_is_renewed_on_demand(
    hass: HomeAssistant, moved: Mover, hub: OcppHub, decide: Decide
) -> None:
    cloud = moved.home.cloud
    cloud.pair_operator(CHARGER, 42)
    await moved.until(lambda: moved.status is LocalStatus.TROUBLE, 7 * HOURS // 60)
    assert moved.is_troubled_by(Trouble.LOST)
    assert "Its operator is `" in text(hass)
    # Nothing is stored by itself, and while there is another operator nothing can be.
    await decide("easee_local_lost", "retry")
    await moved.until(lambda: moved.trouble is not None)
    assert moved.is_troubled_by(Trouble.FORBIDDEN)
    cloud.pair_operator(CHARGER, 1)
    await decide("easee_local_forbidden", "retry")
    await moved.until(lambda: moved.stage is Stage.VERIFIED)
    assert hub.stations[CHARGER].station.local.value
    assert not issues(hass)


async def test_nothing_is_said_of_what_nobody_tells(
    hass: HomeAssistant, moved: Mover, charger: Charger
) -> None:
    moved.home.cloud.local_ocpp.stored.pop(CHARGER)
    await moved.until(lambda: moved.status is LocalStatus.TROUBLE, 7 * HOURS // 60)
    assert moved.is_troubled_by(Trouble.LOST)
    assert "perator is" not in text(hass)
    assert "?" not in text(hass)


async def test_charger_that_does_not_come_is_told_thrice_and_then_the_user(
    hass: HomeAssistant, mover: Mover, hub: OcppHub, decide: Decide
) -> None:
    nowhere = f"ws://{HOST}:1"
    await mover.hub.local.begin(
        CHARGER, hub.entry, nowhere, confirmed={Check.ADDRESS_ELSEWHERE}
    )
    await mover.reaches(LocalStatus.WAITING)
    for _ in range(8):
        await mover.home.passes(10 * MINUTES)
    assert mover.trouble is Trouble.NOT_CONNECTED
    assert len(issues(hass)) == 1
    assert mover.hub.local.decisions(CHARGER) == ("retry", "undo")
    # The cloud does everything meanwhile.
    assert hub.stations[CHARGER].station.remote.value
    await decide("easee_local_not_connected", "undo")
    await mover.until(lambda: CHARGER in mover.hub.stations)
    assert mover.progress is None
    assert not hub.entry.subentries
    assert not issues(hass)
    assert stores(mover) == ["DualProtocol", "OcppOff"]


async def test_charger_that_the_user_deletes_at_the_server_is_let_in_again(
    hass: HomeAssistant, moved: Mover, hub: OcppHub, decide: Decide
) -> None:
    (subentry_id,) = hub.entry.subentries
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    await moved.home.passes(5)
    assert CHARGER in moved.hub.stations
    state = moved.hub.local.state(CHARGER).value
    assert (state.status, state.trouble) == (LocalStatus.TROUBLE, "stranded")
    assert "was deleted from the OCPP server" in text(hass)
    assert "?" not in text(hass)
    await decide("easee_local_stranded", "retry")
    await moved.until(
        lambda: CHARGER in hub.stations and hub.stations[CHARGER].station.local.value
    )
    assert not issues(hass)
    assert stores(moved) == ["DualProtocol"]


async def test_deleted_at_the_server_and_sent_back_to_the_cloud(
    hass: HomeAssistant, moved: Mover, hub: OcppHub, decide: Decide
) -> None:
    (subentry_id,) = hub.entry.subentries
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    await moved.home.passes(5)
    await decide("easee_local_stranded", "undo")
    await moved.until(lambda: moved.progress is None)
    assert not issues(hass)
    assert stores(moved) == ["DualProtocol", "OcppOff"]
    assert CHARGER in moved.hub.stations


async def test_configuration_of_somebody_else_is_adopted(
    hass: HomeAssistant, mover: Mover, hub: OcppHub, charger: Charger, url: str
) -> None:
    local, cloud = mover.hub.local, mover.home.cloud
    cloud.local_ocpp.foreign_change(
        charger, url, basicAuthPassword="bythehandoftheuser"
    )
    findings = await local.inspect_charger(CHARGER)
    assert findings.adoptable
    await local.adopt(CHARGER, hub.entry)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert hub.stations[CHARGER].station.local.value
    # Only what somebody else stored.
    assert stores(mover) == []
    await local.undo(CHARGER)
    await mover.until(lambda: CHARGER in mover.hub.stations)
    assert stores(mover) == ["OcppOff"]


async def test_charger_that_stays_away_for_hours_is_told_again_and_then_the_user(
    hass: HomeAssistant, moved: Mover, hub: OcppHub, local_dialer: Dialer
) -> None:
    """The address of Home Assistant has changed, or somebody is in the way."""
    applies = moved.home.cloud.journal
    local_dialer.twins[CHARGER].cut()
    for _ in range(15):
        await moved.home.passes(10 * MINUTES)
    assert moved.is_troubled_by(Trouble.NOT_CONNECTED)
    assert len(applies.find("POST", "/local-ocpp/v1/connections/")) == 4
    assert len(issues(hass)) == 1
    local_dialer.twins[CHARGER].restore()
    await moved.until(lambda: moved.stage is Stage.VERIFIED)
    assert hub.stations[CHARGER].station.local.value
    assert not issues(hass)
    assert stores(moved) == ["DualProtocol"]


async def test_adopted_charger_that_its_server_had_is_watched_like_any_other(
    hass: HomeAssistant,
    mover: Mover,
    hub: OcppHub,
    url: str,
    charger: Charger,
    local_dialer: Dialer,
) -> None:
    """It was approved, and set up in the cloud, by hand."""
    password = "bythehandoftheuser"
    hub.approve(CHARGER, "Garage", hash_password(password))
    await hass.async_block_till_done()
    cloud = mover.home.cloud
    cloud.local_ocpp.foreign_change(charger, url, basicAuthPassword=password)
    await mover.home.passes(15)
    await mover.hub.local.adopt(CHARGER, hub.entry)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    local_dialer.twins[CHARGER].cut()
    for _ in range(15):
        await mover.home.passes(10 * MINUTES)
    assert len(cloud.journal.find("POST", "/local-ocpp/v1/connections/")) == 3
    assert mover.is_troubled_by(Trouble.NOT_CONNECTED)
    assert len(issues(hass)) == 1
