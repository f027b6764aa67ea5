"""Local list and reservations of the virtual charging station, as drivers see them."""

from collections.abc import AsyncGenerator

import pytest

from homeassistant.core import HomeAssistant

from .conftest import IDENTITY
from .entities import act, flush, state
from .tokens import add_token, remove_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station import local_list
from simulators.charging_station import ChargingStation16, Misbehaviour
from tests.underway import until

STATUS = f"{IDENTITY}_1_status"
HOLDER = f"{IDENTITY}_1_reserved_for"


@pytest.fixture
async def virtual(
    hass: HomeAssistant, hub: OcppHub, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[ChargingStation16]:
    """Return a virtual station that is approved, and where two cards may charge."""
    monkeypatch.setattr(local_list, "SOON", 0)
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    await add_token(hass, "ANNA", name="Anna", group="FAMILY")
    await add_token(hass, "BERT", group="FAMILY")
    station = ChargingStation16(f"ws://127.0.0.1:{hub.port}/ocpp", IDENTITY)
    await station.connect()
    await holds(station, "ANNA", "BERT")
    yield station
    assert station.state()["violations"] == []
    await station.close()


async def holds(station: ChargingStation16, *tokens: str) -> None:
    """Wait until a station has exactly these tokens on its list."""
    await until(lambda: {*station.tokens.listed} == {*tokens})


async def newest(hass: HomeAssistant) -> str:
    """Return how the newest reservation stands."""
    found = (await act(hass, "get_reservations"))["reservations"]
    word: str = found[0]["state"]
    return word


async def test_a_known_card_charges_while_home_assistant_is_away(
    virtual: ChargingStation16,
) -> None:
    virtual.reconnect = False
    await virtual.disconnect()
    await virtual.plug_in()
    virtual.keys["LocalAuthorizeOffline"].value = "true"
    virtual.keys["AllowOfflineTxForUnknownId"].value = "false"
    assert not await virtual.swipe("STRANGER")
    assert await virtual.swipe("anna")


@pytest.mark.parametrize(
    "misbehaviour",
    [None, Misbehaviour.LIST_VERSION_MISMATCH, Misbehaviour.FORGET_LIST_ON_REBOOT],
)
async def test_the_list_follows_the_tokens_whatever_the_station_does(
    hass: HomeAssistant, virtual: ChargingStation16, misbehaviour: Misbehaviour | None
) -> None:
    virtual.misbehaviours |= {misbehaviour} if misbehaviour else set()
    await add_token(hass, "CLARA")
    await holds(virtual, "ANNA", "BERT", "CLARA")
    await virtual.reboot(hard=False)
    await holds(virtual, "ANNA", "BERT", "CLARA")
    await remove_token(hass, "ANNA")
    await holds(virtual, "BERT", "CLARA")


@pytest.mark.parametrize(
    "misbehaviour", [None, Misbehaviour.OMIT_RESERVATION_ID], ids=["named", "unnamed"]
)
@pytest.mark.parametrize("card", ["ANNA", "BERT"])
async def test_who_reserved_or_the_group_may_charge_and_nobody_else(
    hass: HomeAssistant,
    virtual: ChargingStation16,
    misbehaviour: Misbehaviour | None,
    card: str,
) -> None:
    virtual.misbehaviours |= {misbehaviour} if misbehaviour else set()
    await act(hass, "reserve_now", id_token="ANNA")
    await until(lambda: virtual.connectors[1].status == "Reserved")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "reserved"
    assert state(hass, "sensor", HOLDER) == "Anna"
    await virtual.plug_in()
    assert not await virtual.swipe("STRANGER")
    assert await virtual.swipe(card)
    await virtual.settle()
    assert await newest(hass) == "used"
    await flush(hass)
    assert state(hass, "sensor", HOLDER) == "unknown"


async def test_a_reservation_that_is_given_up_frees_the_connector(
    hass: HomeAssistant, virtual: ChargingStation16
) -> None:
    await act(hass, "reserve_now", id_token="ANNA")
    await until(lambda: virtual.connectors[1].status == "Reserved")
    await act(hass, "cancel_reservation")
    await until(lambda: virtual.connectors[1].status == "Available")
    assert await newest(hass) == "cancelled"


async def test_a_fault_ends_a_reservation(
    hass: HomeAssistant, virtual: ChargingStation16
) -> None:
    await act(hass, "reserve_now", id_token="ANNA")
    await until(lambda: virtual.connectors[1].status == "Reserved")
    await virtual.fault("GroundFailure")
    assert await newest(hass) == "removed"
