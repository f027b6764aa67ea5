"""Monitoring of the virtual station, which behaves as libocpp does."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .charger import PATIENCE
from .conftest import IDENTITY
from .entities import act, flush, full_state, state
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.charging_station.v2 import ChargingStation as VirtualStation
from simulators.charging_station.v2.device_model import DEFAULT, EVERYTHING

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

EVENT = f"{IDENTITY}_variable"
POWER = "EVSE#1.Power"


@pytest.fixture(params=["2.0.1", "2.1"])
async def virtual(
    request: pytest.FixtureRequest, hass: HomeAssistant, hub: OcppHub
) -> AsyncGenerator[VirtualStation]:
    """Return a virtual station that watches what it was asked to watch."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    url = f"ws://127.0.0.1:{hub.port}/ocpp"
    model = EVERYTHING if request.param == "2.1" else DEFAULT
    station = VirtualStation(
        url, IDENTITY, versions=[request.param], device_model=model
    )
    await station.connect()
    findings = hub.stations[IDENTITY].station.findings
    await until(lambda: "monitors" in findings)
    # It was switched on, which counts from the next start on.
    findings.clear()
    await station.reboot()
    await until(lambda: "monitors" in findings)
    await station.settle()
    yield station
    await station.close()


async def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.01)


async def test_what_it_watches_is_asked_for_once_and_shown(
    hass: HomeAssistant, hub: OcppHub, virtual: VirtualStation
) -> None:
    findings = hub.stations[IDENTITY].station.findings
    counted = len(virtual.monitoring.monitors)
    assert findings["monitors"] == f"ok: {counted} of {counted} watched"
    findings.clear()
    await virtual.reboot()
    await until(lambda: "monitors" in findings)
    assert len(virtual.monitoring.monitors) == counted
    virtual.model.put("SampledDataCtrlr.TxUpdatedInterval", "77")
    await virtual.on_faulted(1, 1)
    await virtual.pass_time(2)
    await flush(hass)
    assert state(hass, "sensor", f"{IDENTITY}_1_status") == "faulted"
    answer = await act(
        hass, "get_configuration", keys=["SampledDataCtrlr.TxUpdatedInterval"]
    )
    assert answer["configuration"][0]["value"] == "77"
    assert full_state(hass, "event", EVENT).state == "unknown"


async def test_a_limit_of_a_variable_is_an_alert_until_it_is_over(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    wanted = {"variable": POWER, "type": "upper_threshold", "value": 1000}
    answer = await act(hass, "set_variable_monitoring", monitors=[wanted])
    (made,) = answer["monitors"]
    types = []
    for power in ("2000", "500"):
        virtual.model.put("EVSE.Power", power, 1)
        await virtual.pass_time(1)
        await flush(hass)
        types.append(full_state(hass, "event", EVENT).attributes["event_type"])
    assert types == ["alert", "cleared"]
    found = await act(hass, "get_monitoring_report", variables=[POWER])
    assert [one["monitor_id"] for one in found["monitors"]] == [made["monitor_id"]]
    await act(hass, "clear_variable_monitoring", monitor_ids=[made["monitor_id"]])
    found = await act(hass, "get_monitoring_report", variables=[POWER])
    assert found["monitors"] == []


async def test_values_stream_where_that_is_known(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    wanted = {"variable": POWER, "type": "periodic", "value": 1, "stream_values": 2}
    if virtual.version != "2.1":
        with pytest.raises(HomeAssistantError):
            await act(hass, "set_variable_monitoring", monitors=[wanted])
        return
    await act(hass, "set_variable_monitoring", monitors=[wanted])
    await until(lambda: bool(virtual.streams.open))
    virtual.model.put("EVSE.Power", "3456", 1)
    await virtual.pass_time(3)
    await virtual.settle()
    await flush(hass)
    assert state(hass, "sensor", f"{IDENTITY}_1_power_active_import") == "3456.0"
    (stream,) = (await act(hass, "get_event_streams"))["streams"]
    assert stream["values"] == 2
    await act(hass, "adjust_event_stream", stream=stream["stream"], interval=30)
    assert virtual.streams.open[stream["stream"]].interval == 30


async def test_a_customer_is_told_of_and_forgotten(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    answer = await act(hass, "get_customer_information", id_token="04A2B3C4")
    assert answer["complete"] is True
    answer = await act(hass, "clear_customer_information", id_token="04A2B3C4")
    assert (answer["data"], answer["local_list"]) == ("", None)
