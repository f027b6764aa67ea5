"""Reservations of a connector, and of a charge point: every way they end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Charger
from ..ha.conftest import IDENTITY
from ..ha.entities import act, flush, state
from ..ha.tokens import add_token
from custom_components.ev_charger_hub.station.clock import utc_now

STATUS = f"{IDENTITY}_1_status"


async def reserved(hass: HomeAssistant, **fields: Any) -> int:
    """Reserve for a card and return the id of the reservation."""
    fields.setdefault("id_token", "CARD")
    response = await act(hass, "reserve_now", **fields)
    assert response["answer"] == "Accepted"
    number: int = response["reservation_id"]
    return number


async def outcome(hass: HomeAssistant) -> tuple[str, str | None]:
    """Return how the newest reservation stands, and which transaction used it."""
    found = (await act(hass, "get_reservations"))["reservations"]
    return found[0]["state"], found[0]["transaction_id"]


async def come_and_charge(charger: Charger, number: int, id_tag: str) -> str:
    """Let a driver come, plug in and charge; return the transaction."""
    answer = await charger.call("Authorize", {"idTag": id_tag})
    assert answer["idTagInfo"]["status"] == "Accepted"
    await charger.status(1, "Preparing")
    transaction = await charger.start(1, id_tag, reservationId=number)
    await charger.status(1, "Charging")
    return str(transaction)


@pytest.mark.conformance("TC_046_CSMS")
async def test_a_transaction_ends_the_reservation_that_it_names(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await add_token(hass, "CARD")
    until = utc_now().replace(microsecond=0) + timedelta(hours=2)
    number = await reserved(hass, until=until.isoformat())
    (sent,) = quiet_charger.calls("ReserveNow")
    expiry = datetime.fromisoformat(sent.pop("expiryDate"))
    assert abs(expiry - until) < timedelta(seconds=5)
    assert sent == {"connectorId": 1, "idTag": "CARD", "reservationId": number}
    await quiet_charger.status(1, "Reserved")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "reserved"
    transaction = await come_and_charge(quiet_charger, number, "CARD")
    assert await outcome(hass) == ("used", transaction)
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "charging"


@pytest.mark.conformance("TC_047_CSMS")
async def test_a_connector_that_becomes_available_at_the_end_has_expired(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    # Within the minute that a charger's clock may be ahead.
    await reserved(hass, until=(utc_now() + timedelta(seconds=50)).isoformat())
    await quiet_charger.status(1, "Reserved")
    assert await outcome(hass) == ("active", None)
    await quiet_charger.status(1, "Available")
    assert await outcome(hass) == ("expired", None)
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            "Faulted",
            "reservation_faulted",
            marks=pytest.mark.conformance("TC_048_1_CSMS"),
        ),
        pytest.param(
            "Occupied",
            "reservation_occupied",
            marks=pytest.mark.conformance("TC_048_2_CSMS"),
        ),
        pytest.param(
            "Rejected",
            "reservation_rejected",
            marks=pytest.mark.conformance("TC_048_4_CSMS"),
        ),
    ],
)
async def test_a_refused_reservation_is_told_and_over(
    hass: HomeAssistant, quiet_charger: Charger, answer: str, error: str
) -> None:
    quiet_charger.answers["ReserveNow"] = {"status": answer}
    with pytest.raises(HomeAssistantError) as raised:
        await reserved(hass)
    assert raised.value.translation_key == error
    assert await outcome(hass) == ("refused", None)


@pytest.mark.conformance("TC_048_3_CSMS")
async def test_a_connector_that_is_out_of_service_is_not_reserved(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await act(hass, "change_availability", connector=1, operative=False)
    assert quiet_charger.calls("ChangeAvailability") == [
        {"connectorId": 1, "type": "Inoperative"}
    ]
    await quiet_charger.status(1, "Unavailable")
    quiet_charger.answers["ReserveNow"] = {"status": "Unavailable"}
    with pytest.raises(HomeAssistantError) as raised:
        await reserved(hass)
    assert raised.value.translation_key == "reservation_unavailable"
    assert await outcome(hass) == ("refused", None)


@pytest.mark.conformance("TC_049_CSMS")
async def test_a_whole_charge_point_is_reserved(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await add_token(hass, "CARD")
    number = await reserved(hass, connector=0)
    (sent,) = quiet_charger.calls("ReserveNow")
    assert (sent["connectorId"], sent["reservationId"]) == (0, number)
    assert datetime.fromisoformat(sent["expiryDate"]) > utc_now()
    transaction = await come_and_charge(quiet_charger, number, "CARD")
    assert await outcome(hass) == ("used", transaction)


@pytest.mark.conformance("TC_051_CSMS")
async def test_a_reservation_is_cancelled(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    number = await reserved(hass)
    await quiet_charger.status(1, "Reserved")
    response = await act(hass, "cancel_reservation", reservation_id=number)
    assert response["answer"] == "Accepted"
    await quiet_charger.status(1, "Available")
    assert quiet_charger.calls("CancelReservation") == [{"reservationId": number}]
    assert await outcome(hass) == ("cancelled", None)


@pytest.mark.conformance("TC_052_CSMS")
async def test_a_reservation_that_the_charger_does_not_know_is_over(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    number = await reserved(hass)
    quiet_charger.answers["CancelReservation"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "cancel_reservation", reservation_id=number)
    assert raised.value.translation_key == "reservation_unknown"
    assert quiet_charger.calls("CancelReservation") == [{"reservationId": number}]
    assert await outcome(hass) == ("removed", None)


@pytest.mark.conformance("TC_053_CSMS")
async def test_another_card_of_the_group_uses_the_reservation(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await add_token(hass, "CARD", group="FAMILY")
    await add_token(hass, "OTHER", group="FAMILY")
    number = await reserved(hass)
    (sent,) = quiet_charger.calls("ReserveNow")
    assert (sent["idTag"], sent["parentIdTag"]) == ("CARD", "FAMILY")
    await quiet_charger.status(1, "Reserved")
    answer = await quiet_charger.call("Authorize", {"idTag": "OTHER"})
    assert answer["idTagInfo"] == {"status": "Accepted", "parentIdTag": "FAMILY"}
    transaction = await come_and_charge(quiet_charger, number, "OTHER")
    assert await outcome(hass) == ("used", transaction)
