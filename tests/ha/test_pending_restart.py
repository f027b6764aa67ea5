"""Settings that hold only after a restart: a repair issue that restarts the charger."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .charger import Charger
from .charger_v2 import Charger2, named
from .conftest import IDENTITY
from .entities import act, flush
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.issues import finding_issue_id

ISSUE = finding_issue_id("restart_required", IDENTITY)
NAME = "SmartChargingCtrlr.Enabled"

type Fix = Callable[[], Awaitable[dict[str, Any]]]


@pytest.fixture
async def fix(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Fix:
    """Return what opens the repair as the frontend does, and submits it."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    client = await hass_client()

    async def fixed() -> dict[str, Any]:
        url = "/api/repairs/issues/fix"
        response = await client.post(url, json={"handler": DOMAIN, "issue_id": ISSUE})
        assert response.status == HTTPStatus.OK
        form = await response.json()
        assert (form["type"], form["step_id"]) == ("form", "confirm")
        response = await client.post(f"{url}/{form['flow_id']}", json={})
        assert response.status == HTTPStatus.OK
        await hass.async_block_till_done()
        result: dict[str, Any] = await response.json()
        return result

    return fixed


def issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the issue, if there is any."""
    return ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)


async def needs_restart(hass: HomeAssistant, charger: Charger2) -> None:
    """Have a variable written that holds after a restart."""
    result = {"attributeStatus": "RebootRequired", **named(NAME)}
    charger.answers["SetVariables"] = {"setVariableResult": [result]}
    response = await act(hass, "set_configuration", key=NAME, value="true")
    assert response["status"] == "reboot_required"
    await hass.async_block_till_done()


async def booted(hass: HomeAssistant, charger: Charger2) -> None:
    """Come back after a restart."""
    await charger.close()
    await charger.connect()
    await charger.boot(reason="RemoteReset")
    await charger.connector_status("Available")
    await flush(hass)


async def test_the_issue_restarts_the_charger_and_is_gone_when_it_booted(
    hass: HomeAssistant, charger2: Charger2, fix: Fix
) -> None:
    await needs_restart(hass, charger2)
    raised = issue(hass)
    assert raised is not None
    assert raised.is_fixable
    placeholders = raised.translation_placeholders or {}
    assert placeholders["settings"] == f"`{NAME}`"
    result = await fix()
    assert (result["type"], result["reason"]) == ("abort", "restart_asked")
    assert charger2.calls("Reset") == [{"type": "OnIdle"}]
    # Some accept a restart, and nothing happens.
    assert issue(hass) is not None
    await booted(hass, charger2)
    assert issue(hass) is None


async def test_the_issue_stays_while_the_restart_waits_for_a_session(
    hass: HomeAssistant, charger2: Charger2, fix: Fix
) -> None:
    await needs_restart(hass, charger2)
    charger2.answers["Reset"] = {"status": "Scheduled"}
    result = await fix()
    assert (result["type"], result["reason"]) == ("abort", "restart_scheduled")
    assert issue(hass) is not None
    await booted(hass, charger2)
    assert issue(hass) is None


async def test_a_refused_restart_is_told_and_the_issue_stays(
    hass: HomeAssistant, charger2: Charger2, fix: Fix
) -> None:
    await needs_restart(hass, charger2)
    charger2.answers["Reset"] = {"status": "Rejected"}
    result = await fix()
    assert (result["type"], result["reason"]) == ("abort", "restart_refused")
    assert issue(hass) is not None


async def test_a_restart_at_the_charger_itself_is_good_as_well(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await needs_restart(hass, charger2)
    await booted(hass, charger2)
    assert issue(hass) is None


async def test_the_issue_outlives_a_restart_of_home_assistant(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    await needs_restart(hass, charger2)
    await charger2.close()
    ir.async_delete_issue(hass, DOMAIN, ISSUE)
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert issue(hass) is not None


async def test_a_charger_that_is_deleted_takes_its_issue_along(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    await needs_restart(hass, charger2)
    (subentry,) = init_integration.subentries.values()
    hass.config_entries.async_remove_subentry(init_integration, subentry.subentry_id)
    await hass.async_block_till_done()
    assert issue(hass) is None


async def test_an_open_session_of_1_6_is_not_ended(
    hass: HomeAssistant, approved_charger: Charger, fix: Fix
) -> None:
    """A gentle restart ends sessions there (OCPP 1.6 5.14)."""
    approved_charger.answers["ChangeConfiguration"] = {"status": "RebootRequired"}
    await act(hass, "set_configuration", key="HeartbeatInterval", value="60")
    transaction_id = await approved_charger.start()
    result = await fix()
    assert (result["type"], result["reason"]) == ("abort", "session_open")
    assert approved_charger.calls("Reset") == []
    await approved_charger.stop(transaction_id, 2000)
    assert (await fix())["reason"] == "restart_asked"
    assert approved_charger.calls("Reset") == [{"type": "Soft"}]
