"""The device model of the virtual station, which behaves as libocpp does."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .charger import PATIENCE
from .conftest import IDENTITY
from .entities import act, entity_id, flush, full_state, state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.issues import finding_issue_id
from simulators.charging_station.v2 import ChargingStation as VirtualStation

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

ISSUE = finding_issue_id("restart_required", IDENTITY)
TIMEOUT = "TxCtrlr.EVConnectionTimeOut"


@pytest.fixture
async def virtual(hass: HomeAssistant, hub: OcppHub) -> AsyncGenerator[VirtualStation]:
    """Return a virtual station that has been set up."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    station = VirtualStation(
        f"ws://127.0.0.1:{hub.port}/ocpp", IDENTITY, versions=["2.0.1"]
    )
    await station.connect()
    findings = hub.stations[IDENTITY].station.findings
    async with asyncio.timeout(PATIENCE):
        while "local_list" not in findings:
            await asyncio.sleep(0.01)
    await flush(hass)
    yield station
    await station.close()


async def test_its_inventory_becomes_entities(
    hass: HomeAssistant, hub: OcppHub, virtual: VirtualStation
) -> None:
    finding = hub.stations[IDENTITY].station.findings["configuration"]
    assert finding == f"ok: {len(virtual.model.variables)} variables"
    assert state(hass, "number", "CP01_connection_timeout") == "120.0"
    assert state(hass, "switch", "CP01_authorization") == "on"
    assert state(hass, "sensor", "CP01_1_rated_power") == "22.0"
    source = full_state(hass, "select", "CP01_variable_clockctrlr.ntpsource")
    assert source.attributes["options"] == ["DHCP", "manual"]
    assert state(hass, "text", "CP01_variable_txctrlr.txstartpoint") == (
        "PowerPathClosed"
    )


async def test_what_is_set_is_set_there(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    entity = entity_id(hass, "number", "CP01_connection_timeout")
    await hass.services.async_call(
        "number", "set_value", {ATTR_ENTITY_ID: entity, "value": 60}, blocking=True
    )
    assert virtual.model.text(TIMEOUT) == "60"
    entity = entity_id(hass, "select", "CP01_variable_clockctrlr.ntpsource")
    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: entity, "option": "manual"},
        blocking=True,
    )
    await flush(hass)
    assert virtual.model.text("ClockCtrlr.NtpSource") == "manual"
    assert state(hass, "select", "CP01_variable_clockctrlr.ntpsource") == "manual"


async def test_its_reports_and_its_refusals_are_told(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    response = await act(hass, "get_base_report", report="full")
    assert response["complete"] is True
    assert len(response["variables"]) == len(virtual.model.variables)
    response = await act(hass, "get_report", variables=["TxCtrlr", "EVSE#1.Power"])
    names = {one["name"] for one in response["variables"]}
    assert {TIMEOUT, "EVSE#1.Power"} < names
    assert all(one.startswith(("TxCtrlr.", "EVSE#1.")) for one in names)
    response = await act(hass, "get_report", criteria=["problem"])
    assert (response["answer"], response["variables"]) == ("EmptyResultSet", [])
    with pytest.raises(HomeAssistantError):
        await act(hass, "set_configuration", key="EVSE#1.Power", value="1")
    written = await act(
        hass, "set_variables", values={TIMEOUT: "30", "TxCtrlr.TxStartPoint": "Never"}
    )
    assert written["refused"] == ["TxCtrlr.TxStartPoint"]
    assert virtual.model.text(TIMEOUT) == "30"


async def test_a_restart_by_the_repair_makes_a_setting_hold(
    hass: HomeAssistant, virtual: VirtualStation, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    client = await hass_client()
    virtual.model.variables[virtual.model.at(TIMEOUT)].reboot = True
    entity = entity_id(hass, "number", "CP01_connection_timeout")
    await hass.services.async_call(
        "number", "set_value", {ATTR_ENTITY_ID: entity, "value": 60}, blocking=True
    )
    await flush(hass)
    assert ir.async_get(hass).async_get_issue(DOMAIN, ISSUE) is not None
    url = "/api/repairs/issues/fix"
    response = await client.post(url, json={"handler": DOMAIN, "issue_id": ISSUE})
    flow_id = (await response.json())["flow_id"]
    response = await client.post(f"{url}/{flow_id}", json={})
    assert (await response.json())["reason"] == "restart_asked"
    async with asyncio.timeout(PATIENCE):
        while virtual.provisioning.reason != "RemoteReset":
            await asyncio.sleep(0.01)
    await virtual.settle()
    await flush(hass)
    assert ir.async_get(hass).async_get_issue(DOMAIN, ISSUE) is None
    assert state(hass, "number", "CP01_connection_timeout") == "60.0"
