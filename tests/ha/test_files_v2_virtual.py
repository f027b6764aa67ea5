"""Lists, reservations, files, displays and costs of the virtual station of OCPP 2.x."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any

import pytest

from homeassistant.components.notify.const import ATTR_MESSAGE, DOMAIN as NOTIFY
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .charger import PATIENCE
from .conftest import IDENTITY
from .entities import act, entity_id, flush, full_state, state
from .test_firmware import signed_offer
from .tokens import add_token, remove_token
from custom_components.ev_charger_hub.const import CONF_PRICE_ENTITY
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.stepwise import Step
from custom_components.ev_charger_hub.station import costs, local_list
from simulators.charging_station.v2 import ChargingStation as VirtualStation
from simulators.charging_station.v2.device_model import DEFAULT, EVERYTHING
from simulators.charging_station.v2.values import IdToken
from simulators.charging_station.vehicle import Vehicle

PRICE = "input_number.price"
ANNA = IdToken(id_token="04A1B2C3", type="ISO14443")
TARIFF: dict[str, Any] = {
    "tariffId": "flat",
    "currency": "EUR",
    "energy": {"prices": [{"priceKwh": 0.5}]},
}


@pytest.fixture(params=["2.0.1", "2.1"])
async def virtual(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    hub: OcppHub,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[VirtualStation]:
    """Return a virtual station where Anna may charge, for 0.40 a kWh."""
    monkeypatch.setattr(local_list, "SOON", 0)
    monkeypatch.setattr(costs, "PAUSE", timedelta())
    hass.config.currency = "EUR"
    hass.states.async_set(PRICE, "0.40", {"unit_of_measurement": "EUR/kWh"})
    await add_token(hass, ANNA.id_token, name="Anna", group="FAMILY")
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    (charger,) = (
        one for one in hub.entry.subentries.values() if one.unique_id == IDENTITY
    )
    hass.config_entries.async_update_subentry(
        hub.entry, charger, data={**charger.data, CONF_PRICE_ENTITY: PRICE}
    )
    await hass.async_block_till_done()
    model = EVERYTHING if request.param == "2.1" else DEFAULT
    url = f"ws://127.0.0.1:{hub.port}/ocpp"
    station = VirtualStation(
        url, IDENTITY, versions=[request.param], device_model=model
    )
    await station.connect()
    findings = hub.stations[IDENTITY].station.findings
    await until(lambda: Step.LIMITS in findings)
    await station.settle()
    await hass.async_block_till_done()
    yield station
    await station.close()


async def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.01)


async def charge(station: VirtualStation) -> str:
    """Let Anna charge for an hour; return the transaction."""
    await station.box.plug_in(Vehicle())
    assert await station.box.swipe(ANNA)
    await station.settle()
    transaction = station.transactions.running[1].id
    await station.pass_time(3600, step=300)
    return transaction


async def test_the_list_follows_the_tokens(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    listed = virtual.authorization.entries
    await act(hass, "send_local_list")
    assert len(listed) == 1
    await add_token(hass, "04FFEEDD")
    await act(hass, "send_local_list")
    assert len(virtual.authorization.entries) == 2
    await remove_token(hass, "04FFEEDD")
    await act(hass, "send_local_list")
    assert len(virtual.authorization.entries) == 1
    response = await act(hass, "get_local_list_version")
    assert (response["in_sync"], response["tokens"]) == (True, 1)


async def test_a_reservation_is_used_by_its_holder(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    await add_token(hass, "04FFEEDD")
    await act(hass, "reserve_now", id_token=ANNA.id_token)
    await virtual.settle()
    await flush(hass)
    assert state(hass, "sensor", f"{IDENTITY}_1_status") == "reserved"
    assert state(hass, "sensor", f"{IDENTITY}_1_reserved_for") == "Anna"
    await virtual.box.plug_in(Vehicle())
    assert not await virtual.box.swipe(IdToken(id_token="04FFEEDD", type="ISO14443"))
    assert await virtual.box.swipe(ANNA)
    await virtual.settle()
    found = (await act(hass, "get_reservations"))["reservations"]
    assert found[0]["state"] == "used"


async def test_a_kind_of_connector_is_reserved_if_there_is_one(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "reserve_now", id_token=ANNA.id_token, connector_type="cCCS2")
    assert raised.value.translation_key == "reservation_rejected"
    await act(hass, "reserve_now", id_token=ANNA.id_token, connector_type="sType2")
    found = (await act(hass, "get_reservations"))["reservations"]
    assert [one["state"] for one in found] == ["active", "refused"]


async def test_a_reservation_expires(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    await act(hass, "reserve_now", id_token=ANNA.id_token, duration="00:10:00")
    await virtual.settle()
    await virtual.pass_time(660, step=60)
    found = (await act(hass, "get_reservations"))["reservations"]
    assert found[0]["state"] == "expired"


@pytest.mark.parametrize("log", ["diagnostics", "security"])
async def test_a_log_comes_to_home_assistant(
    hass: HomeAssistant, virtual: VirtualStation, log: str
) -> None:
    response = await act(hass, "get_log", log=log, wait=10)
    assert response["status"] == "uploaded"
    assert response["filename"].startswith(log)
    assert response["size"] > 0
    assert response["url"]


async def test_a_signed_update_is_installed_step_by_step(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    offer = signed_offer() | {"location": "https://example.com/wall-9.9.9.bin"}
    await act(hass, "offer_firmware", **offer | {"version": "9.9.9"})
    await act(hass, "update_firmware")
    seen = set()
    for _ in range(8):
        await virtual.pass_time(30, step=30)
        await flush(hass)
        seen.add(state(hass, "sensor", f"{IDENTITY}_firmware_status"))
    assert {"downloading", "signature_verified", "installing", "installed"} & seen
    assert "installed" in seen
    assert virtual.firmware.version == "9.9.9"
    shown = full_state(hass, "update", f"{IDENTITY}_firmware")
    assert shown.attributes["in_progress"] is False


async def test_the_display_shows_what_it_is_told(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    target = {ATTR_ENTITY_ID: entity_id(hass, NOTIFY, f"{IDENTITY}_display")}
    for text in ("Grüß Gott", "Welcome"):
        await hass.services.async_call(
            NOTIFY, "send_message", {**target, ATTR_MESSAGE: text}, blocking=True
        )
    shown = [one["message"]["content"] for one in virtual.display.shown()]
    assert shown == ["Welcome"]
    other = await act(hass, "set_display_message", message="Hello", duration=3600)
    found = (await act(hass, "get_display_messages"))["messages"]
    assert [one["message"] for one in found] == ["Welcome", "Hello"]
    await act(hass, "clear_display_message", message_id=other["message_id"])
    assert len(virtual.display.messages) == 1
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "set_display_message", message="Hello", priority="always_front")
    assert raised.value.translation_key == "display_priority"


async def test_the_driver_sees_the_cost(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    transaction = await charge(virtual)
    running = virtual.transactions.costs[transaction]
    await virtual.box.unplug()
    await virtual.settle()
    await flush(hass)
    cost = full_state(hass, "sensor", f"{IDENTITY}_1_session_cost")
    energy = full_state(hass, "sensor", f"{IDENTITY}_1_session_energy")
    assert 0 < running <= float(cost.state)
    assert float(cost.state) == pytest.approx(float(energy.state) * 0.4, abs=0.01)
    (session,) = (await act(hass, "get_sessions"))["sessions"]
    assert session["cost"] == float(cost.state)


@pytest.mark.parametrize("virtual", ["2.1"], indirect=True)
async def test_a_charger_counts_by_its_own_tariff(
    hass: HomeAssistant, virtual: VirtualStation
) -> None:
    await act(hass, "set_default_tariff", tariff=TARIFF)
    found = (await act(hass, "get_tariffs"))["tariffs"]
    assert [one["tariff_id"] for one in found] == ["flat"]
    await charge(virtual)
    await virtual.box.unplug()
    await virtual.settle()
    await flush(hass)
    cost = float(state(hass, "sensor", f"{IDENTITY}_1_session_cost"))
    energy = float(state(hass, "sensor", f"{IDENTITY}_1_session_energy"))
    assert cost == pytest.approx(energy * 0.5, rel=0.02)
    cleared = await act(hass, "clear_tariffs")
    assert cleared["tariffs"] == [{"tariff_id": "flat", "status": "accepted"}]
