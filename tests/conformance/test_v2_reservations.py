"""Reservations of OCPP 2.x, of an EVSE, of any, of a kind of connector: how they end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Charger
from ..ha.charger_v2 import Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, flush, state
from ..ha.tokens import add_token
from .test_reservations import outcome, reserved
from custom_components.ev_charger_hub.station.clock import utc_now

CARD = {"idToken": "CARD", "type": "Central"}


async def over(charger: Charger2, number: int, status: str) -> None:
    """Have the charger tell the end of a reservation."""
    payload = {"reservationId": number, "reservationUpdateStatus": status}
    assert await charger.call("ReservationStatusUpdate", payload) == {}


async def come_and_charge(
    charger: Charger2, number: int, id_token: str = "CARD", evse_id: int = 1
) -> None:
    """Let a driver come, plug in and charge."""
    answer = await charger.call(
        "Authorize", {"idToken": {"idToken": id_token, "type": "ISO14443"}}
    )
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await charger.connector_status("Occupied", evse_id)
    answer = await charger.begin(token=id_token, evse_id=evse_id, reservationId=number)
    assert answer["idTokenInfo"]["status"] == "Accepted"


@pytest.mark.conformance("TC_H_01_CSMS")
@pytest.mark.conformance("UC_H03")
async def test_the_reserved_token_starts_a_transaction(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await add_token(hass, "CARD")
    until = utc_now().replace(microsecond=0) + timedelta(hours=2)
    number = await reserved(hass, until=until.isoformat())
    (sent,) = charger2.calls("ReserveNow")
    expiry = datetime.fromisoformat(sent.pop("expiryDateTime"))
    assert abs(expiry - until) < timedelta(seconds=5)
    assert sent == {"id": number, "idToken": CARD, "evseId": 1}
    await charger2.connector_status("Reserved")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "reserved"
    assert await outcome(hass) == ("active", None)
    await come_and_charge(charger2, number)
    assert await outcome(hass) == ("used", "tx-1")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "charging"


@pytest.mark.parametrize(
    ("word", "became"),
    [
        pytest.param(
            "Expired",
            "expired",
            marks=[
                pytest.mark.conformance("TC_H_07_CSMS"),
                pytest.mark.conformance("UC_H04"),
            ],
        ),
        ("Removed", "removed"),
    ],
)
async def test_the_charger_tells_the_end_of_a_reservation(
    hass: HomeAssistant, charger2: Charger2, word: str, became: str
) -> None:
    number = await reserved(hass)
    await charger2.connector_status("Reserved")
    await over(charger2, number, word)
    await charger2.connector_status("Available")
    assert await outcome(hass) == (became, None)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "available"


async def test_the_end_of_a_reservation_that_nobody_made_is_answered(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await over(charger2, 4711, "Expired")
    assert (await act(hass, "get_reservations"))["reservations"] == []


async def test_a_token_that_came_without_a_session_ends_the_reservation_in_2_1(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    number = await reserved(hass)
    await over(charger, number, "NoTransaction")
    assert await outcome(hass) == ("no_transaction", None)


@pytest.mark.conformance("TC_H_08_CSMS")
@pytest.mark.conformance("UC_H01")
async def test_any_evse_is_reserved_by_naming_none(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await add_token(hass, "CARD")
    number = await reserved(hass, connector=0)
    (sent,) = charger2.calls("ReserveNow")
    assert set(sent) == {"id", "expiryDateTime", "idToken"}
    await come_and_charge(charger2, number)
    assert await outcome(hass) == ("used", "tx-1")


@pytest.mark.conformance("TC_H_14_CSMS")
async def test_all_evses_are_reserved_when_as_many_are_spoken_for(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 1, 2: 1})
    for id_token in ("CARD", "OTHER"):
        await add_token(hass, id_token)
        await reserved(hass, connector=0, id_token=id_token)
    for evse_id in (1, 2):
        await charger.connector_status("Reserved", evse_id)
    await flush(hass)
    shown = [state(hass, "sensor", f"CP01_{one}_status") for one in (1, 2)]
    assert shown == ["reserved", "reserved"]
    found = (await act(hass, "get_reservations"))["reservations"]
    assert [one["state"] for one in found] == ["active", "active"]


@pytest.mark.conformance("TC_H_15_CSMS")
async def test_a_kind_of_connector_is_reserved(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await add_token(hass, "CARD")
    number = await reserved(hass, connector_type="cType2")
    (sent,) = charger2.calls("ReserveNow")
    assert set(sent) == {"id", "expiryDateTime", "idToken", "connectorType"}
    assert sent["connectorType"] == "cType2"
    found = (await act(hass, "get_reservations"))["reservations"]
    assert (found[0]["connector"], found[0]["connector_type"]) == (0, "cType2")
    await come_and_charge(charger2, number)
    assert await outcome(hass) == ("used", "tx-1")


async def test_a_changed_reservation_is_still_of_its_kind(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    number = await reserved(hass, connector_type="cType2")
    await act(hass, "reserve_now", reservation_id=number, duration="03:00:00")
    first, second = charger2.calls("ReserveNow")
    assert first.pop("expiryDateTime") < second.pop("expiryDateTime")
    assert first == second


async def test_1_6_has_no_word_for_kinds_of_connectors(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await reserved(hass, connector_type="cType2")
    assert raised.value.translation_key == "not_supported_by_charger"
    assert quiet_charger.received == []
    assert await outcome(hass) == ("refused", None)


@pytest.mark.conformance("TC_H_17_CSMS")
@pytest.mark.conformance("UC_H02")
async def test_a_reservation_is_cancelled(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    number = await reserved(hass)
    await charger2.connector_status("Reserved")
    response = await act(hass, "cancel_reservation", reservation_id=number)
    assert response["answer"] == "Accepted"
    await charger2.connector_status("Available")
    assert charger2.calls("CancelReservation") == [{"reservationId": number}]
    assert await outcome(hass) == ("cancelled", None)


@pytest.mark.conformance("TC_H_19_CSMS")
async def test_another_card_of_the_group_uses_the_reservation(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await add_token(hass, "CARD", group="FAMILY")
    await add_token(hass, "OTHER", group="FAMILY")
    number = await reserved(hass)
    (sent,) = charger2.calls("ReserveNow")
    group = {"idToken": "FAMILY", "type": "Central"}
    assert (sent["idToken"], sent["groupIdToken"]) == (CARD, group)
    await charger2.connector_status("Reserved")
    answer = await charger2.call(
        "Authorize", {"idToken": {"idToken": "OTHER", "type": "ISO14443"}}
    )
    assert answer["idTokenInfo"]["groupIdToken"] == group
    await come_and_charge(charger2, number, "OTHER")
    assert await outcome(hass) == ("used", "tx-1")


@pytest.mark.conformance("TC_H_20_CSMS")
async def test_a_charger_that_is_out_of_order_gives_the_reservation_up(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    number = await reserved(hass)
    await charger2.connector_status("Reserved")
    await charger2.connector_status("Faulted")
    await over(charger2, number, "Removed")
    assert await outcome(hass) == ("removed", None)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "faulted"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            {"status": "Rejected", "statusInfo": {"reasonCode": ""}},
            "reservation_rejected",
            marks=pytest.mark.conformance("TC_H_22_CSMS"),
        ),
        ({"status": "Occupied"}, "reservation_occupied"),
        ({"status": "Faulted"}, "reservation_faulted"),
        ({"status": "Unavailable"}, "reservation_unavailable"),
    ],
)
async def test_a_refused_reservation_is_told_and_over(
    hass: HomeAssistant, charger2: Charger2, answer: dict[str, Any], error: str
) -> None:
    charger2.answers["ReserveNow"] = answer
    with pytest.raises(HomeAssistantError) as raised:
        await reserved(hass)
    assert raised.value.translation_key == error
    assert await outcome(hass) == ("refused", None)
