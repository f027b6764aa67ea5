"""Stations of OCPP 2.x with several EVSEs and plugs, as a home sees them."""

from contextlib import suppress
import logging
from typing import Any

import pytest

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .charger import Charger, Refusal
from .charger_v2 import Charger2
from .conftest import IDENTITY, Charger2Factory, ChargerFactory, set_up
from .entities import act, device_id, entity_id, exists, flush, full_state, state
from custom_components.ev_charger_hub.hub import OcppHub
from tests.underway import rest


async def press(hass: HomeAssistant, unique_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": entity_id(hass, "button", unique_id)},
        blocking=True,
    )


def evses(hub: OcppHub) -> dict[int, list[int]]:
    """Return the connectors of each EVSE that the charger is believed to have."""
    station = hub.stations[IDENTITY].station
    return {one.id: sorted(one.connectors) for one in station.evses.values()}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_child_devices_appear_from_the_inventory_without_a_reload(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    version: str,
    entity_registry: er.EntityRegistry,
) -> None:
    charger = await charger2_ws(version=version, boots=False, evses={1: 1, 2: 1})
    await charger.boot()
    await charger.connector_status("Available")
    await flush(hass)
    await charger.expect("GetBaseReport")
    while not exists(hass, "sensor", "CP01_2_status"):
        await rest()
        await flush(hass)
    second = device_id(hass, "CP01_2")
    entry = entity_registry.async_get(entity_id(hass, "sensor", "CP01_2_status"))
    assert entry is not None and entry.device_id == second
    first = entity_registry.async_get(entity_id(hass, "sensor", "CP01_1_status"))
    assert first is not None and first.device_id == device_id(hass, "CP01_1")


async def test_child_devices_appear_with_the_first_message(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    assert not exists(hass, "sensor", "CP01_2_status")
    evse = {"id": 2, "connectorId": 1}
    await charger2.event("Started", "tx-2", state="Charging", energy=100, evse=evse)
    await flush(hass)
    assert device_id(hass, "CP01_2")
    assert state(hass, "sensor", "CP01_2_status") == "charging"
    assert state(hass, "sensor", "CP01_1_status") == "available"


async def test_two_evses_charge_beside_each_other(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 1, 2: 1})
    for evse_id in (1, 2):
        await charger.connector_status("Occupied", evse_id)
        await charger.begin(f"tx-{evse_id}", evse_id, energy=1000 * evse_id)
    await charger.event("Updated", "tx-1", 1, energy=1500)
    await charger.event("Updated", "tx-2", 1, energy=4500, state="SuspendedEV")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "charging"
    assert state(hass, "sensor", "CP01_2_status") == "suspended_ev"
    assert float(state(hass, "sensor", "CP01_1_session_energy")) == 0.5
    assert float(state(hass, "sensor", "CP01_2_session_energy")) == 2.5
    await act(hass, "stop_charging", "CP01_2")
    assert charger.calls("RequestStopTransaction") == [{"transactionId": "tx-2"}]
    await charger.event("Ended", "tx-2", 2, energy=4600)
    await flush(hass)
    assert state(hass, "switch", "CP01_1_charge_control") == STATE_ON
    assert state(hass, "switch", "CP01_2_charge_control") == STATE_OFF


async def test_each_plug_of_an_evse_has_its_status(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 2})
    await flush(hass)
    for number in (1, 2):
        assert state(hass, "sensor", f"CP01_1_plug_{number}_status") == "available"
    named = full_state(hass, "sensor", "CP01_1_plug_2_status")
    assert named.attributes["friendly_name"] == "Garage Plug 2 status"
    await charger.connector_status("Occupied", 1, 2)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_plug_1_status") == "available"
    assert state(hass, "sensor", "CP01_1_plug_2_status") == "occupied"
    assert state(hass, "sensor", "CP01_1_status") == "preparing"
    # What is out of order on one plug does not hide the car on the other.
    await charger.connector_status("Faulted", 1, 1)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_plug_1_status") == "faulted"
    assert state(hass, "binary_sensor", "CP01_1_problem") == STATE_ON


async def test_an_evse_with_one_plug_has_no_entities_for_it(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await flush(hass)
    for platform, key in (
        ("sensor", "plug_1_status"),
        ("switch", "plug_1_availability"),
        ("button", "plug_1_unlock"),
    ):
        assert not exists(hass, platform, f"CP01_1_{key}")


async def test_each_plug_is_unlocked_for_itself(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 2, 2: 1})
    await press(hass, "CP01_1_plug_2_unlock")
    await press(hass, "CP01_2_unlock")
    await act(hass, "unlock_connector", connector=1)
    await act(hass, "unlock_connector", connector=1, plug=2)
    places = [(1, 2), (2, 1), (1, 1), (1, 2)]
    expected = [{"evseId": evse, "connectorId": plug} for evse, plug in places]
    assert charger.calls("UnlockConnector") == expected


async def test_an_evse_that_can_restarts_alone(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    variables = {
        "EVSE#1.AllowReset": ("true", True),
        "EVSE#2.AllowReset": ("false", True),
    }
    charger = await charger2_ws(evses={1: 1, 2: 1}, variables=variables)
    await flush(hass)
    assert not exists(hass, "button", "CP01_2_reset")
    await press(hass, "CP01_1_reset")
    await press(hass, "CP01_reset")
    expected = [{"type": "Immediate", "evseId": 1}, {"type": "Immediate"}]
    assert charger.calls("Reset") == expected


async def test_the_device_of_a_connector_restarts_its_charger(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 1, 2: 1})
    await act(hass, "reset", "CP01_2")
    assert charger.calls("Reset") == [{"type": "OnIdle"}]


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("reset", {"connector": 1}),
        ("reset", {"type": "resume"}),
        ("change_availability", {"connector": 1, "plug": 1, "operative": True}),
    ],
)
async def test_what_1_6_has_no_words_for_is_told(
    hass: HomeAssistant, approved_charger: Charger, action: str, fields: dict[str, Any]
) -> None:
    approved_charger.received.clear()
    with pytest.raises(HomeAssistantError, match=r"OCPP 1\.6") as refused:
        await act(hass, action, **fields)
    assert refused.value.translation_key == "not_supported_by_charger"
    assert approved_charger.received == []


async def test_made_up_places_are_answered_and_make_nothing(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2: Charger2,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        for place in ((9, 1), (64, 1), (10**6, 1), (1, 9), (1, 10**6)):
            await charger2.connector_status("Occupied", *place)
    value = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": 5.0}]}
    answer = await charger2.call("MeterValues", {"evseId": 99, "meterValue": [value]})
    assert answer == {}
    answer = await charger2.event(
        "Started", "tx-99", 0, evse={"id": 99, "connectorId": 1}, energy=5
    )
    assert answer == {}
    await flush(hass)
    assert evses(hub) == {1: [1]}
    assert caplog.text.count("status of EVSE 9 ignored") == 1
    assert caplog.text.count("status of EVSE 64 ignored") == 1


SOMETHING: dict[str, dict[str, Any]] = {
    "NotifyChargingLimit": {"chargingLimit": {"chargingLimitSource": "EMS"}},
    "ClearedChargingLimit": {"chargingLimitSource": "EMS"},
    "NotifyEVChargingNeeds": {"chargingNeeds": {"requestedEnergyTransfer": "DC"}},
    "NotifyEVChargingSchedule": {
        "timeBase": "2026-01-01T00:00:00Z",
        "chargingSchedule": {
            "id": 1,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
        },
    },
    "ReportChargingProfiles": {
        "requestId": 1,
        "chargingLimitSource": "CSO",
        "chargingProfile": [],
    },
}


@pytest.mark.parametrize("action", SOMETHING)
@pytest.mark.parametrize("evse_id", [9, 10**6, 2**31 - 1])
async def test_no_message_makes_a_place_up(
    hass: HomeAssistant, hub: OcppHub, charger2: Charger2, action: str, evse_id: int
) -> None:
    with suppress(Refusal):
        # A list that must not be empty is; that is refused, which is an answer.
        await charger2.call(action, {**SOMETHING[action], "evseId": evse_id})
    event = {
        "eventId": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "trigger": "Delta",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "EVSE", "evse": {"id": evse_id}},
        "variable": {"name": "Problem"},
    }
    told = {"generatedAt": event["timestamp"], "seqNo": 0, "eventData": [event]}
    assert await charger2.call("NotifyEvent", told) == {}
    await flush(hass)
    assert evses(hub) == {1: [1]}


async def test_as_many_places_as_the_inventory_tells_of_are_believed(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses=dict.fromkeys(range(1, 13), 1))
    await charger.connector_status("Occupied", 12)
    await charger.connector_status("Occupied", 13)
    await flush(hass)
    assert list(evses(hub)) == list(range(1, 13))
    assert state(hass, "sensor", "CP01_12_status") == "preparing"


async def test_an_inventory_that_never_ends_is_cut_off(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 200, 2: 1, 70: 1}, boots=False)
    await charger.boot()
    await set_up(hub, charger)
    found = evses(hub)
    assert list(found) == [1, 2]
    assert found[1] == list(range(1, 65))


async def test_there_is_an_end_to_plugs_that_are_told_one_by_one(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses=dict.fromkeys(range(1, 11), 6))
    for plug in range(1, 9):
        for evse_id in range(1, 11):
            await charger.connector_status("Available", evse_id, plug)
    assert sum(map(len, evses(hub).values())) == 64


async def test_a_1_6_charger_with_many_connectors_is_believed(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws()
    charger.configuration["NumberOfConnectors"] = "10"
    await charger.status(9, "Available")
    assert not hub.stations[IDENTITY].station.evses
    await charger.boot()
    await set_up(hub, charger)
    assert list(evses(hub)) == list(range(1, 11))
    await charger.status(10, "Charging")
    await flush(hass)
    assert state(hass, "sensor", "CP01_10_status") == "charging"


async def test_plugs_say_nothing_while_the_charger_speaks_1_6(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 2})
    await flush(hass)
    await charger.close()
    old = await Charger(
        identity=IDENTITY, url=f"ws://127.0.0.1:{hub.port}/ocpp"
    ).connect()
    try:
        await old.boot()
        await old.status(1, "Charging")
        await flush(hass)
        assert state(hass, "sensor", "CP01_1_status") == "charging"
        assert state(hass, "sensor", "CP01_1_plug_2_status") == STATE_UNKNOWN
    finally:
        await old.close()
