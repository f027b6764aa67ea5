"""Reservations: made, shown, used, given up and listed, with errors that users read."""

from datetime import datetime, timedelta
from typing import Any

import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .charger import Charger, Refusal, Silence
from .conftest import IDENTITY, ChargerFactory
from .entities import act, exists, flush, state
from .tokens import add_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.v16 import sender
from custom_components.ev_charger_hub.station.clock import utc_now

UNTIL = f"{IDENTITY}_1_reserved_until"
HOLDER = f"{IDENTITY}_1_reserved_for"
HOUR = timedelta(hours=1)


def moment(text: str) -> datetime:
    """Return a moment that an action, a state or a frame tells."""
    return datetime.fromisoformat(text)


async def newest(hass: HomeAssistant, **fields: Any) -> dict[str, Any]:
    """Return the newest reservation."""
    found = (await act(hass, "get_reservations", **fields))["reservations"]
    one: dict[str, Any] = found[0]
    return one


async def test_a_connector_is_reserved_and_shown(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await add_token(hass, "GUEST", name="Anna", group="FAMILY")
    assert not exists(hass, "sensor", UNTIL)
    before = utc_now().replace(microsecond=0)
    response = await act(hass, "reserve_now", id_token="GUEST", duration="02:00:00")
    (sent,) = approved_charger.calls("ReserveNow")
    assert before + 2 * HOUR <= moment(sent["expiryDate"]) <= utc_now() + 2 * HOUR
    number = response["reservation_id"]
    assert sent == {
        "connectorId": 1,
        "expiryDate": sent["expiryDate"],
        "idTag": "GUEST",
        "parentIdTag": "FAMILY",
        "reservationId": number,
    }
    assert (response["answer"], response["state"]) == ("Accepted", "active")
    assert moment(response["until"]) == moment(sent["expiryDate"])
    await flush(hass)
    assert moment(state(hass, "sensor", UNTIL)) == moment(sent["expiryDate"])
    assert state(hass, "sensor", HOLDER) == "Anna"
    (told,) = (await act(hass, "get_reservations"))["reservations"]
    assert told == {
        "reservation_id": number,
        "connector": 1,
        "connector_type": None,
        "reserved_for": "Anna",
        "group": "***LY",
        "state": "active",
        "created": told["created"],
        "until": response["until"],
        "ended": None,
        "transaction_id": None,
    }


async def test_without_an_end_it_is_for_an_hour_and_without_a_name_for_digits(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await act(hass, "reserve_now", id_token="04A2B3C4D5")
    (sent,) = approved_charger.calls("ReserveNow")
    assert "parentIdTag" not in sent
    left = moment(sent["expiryDate"]) - utc_now()
    assert HOUR - timedelta(minutes=1) < left <= HOUR
    assert (await newest(hass))["reserved_for"] == "***C4D5"
    await flush(hass)
    assert state(hass, "sensor", HOLDER) == "***C4D5"


async def test_an_end_is_told_by_the_clock_of_the_house(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await hass.config.async_set_time_zone("Asia/Tokyo")
    until = (utc_now() + 30 * HOUR).replace(microsecond=0)
    await act(
        hass,
        "reserve_now",
        id_token="GUEST",
        until=f"{until + 9 * HOUR:%Y-%m-%d %H:%M:%S}",
        group="TEAM",
    )
    (sent,) = approved_charger.calls("ReserveNow")
    assert moment(sent["expiryDate"]) == until
    assert sent["parentIdTag"] == "TEAM"


async def test_an_end_in_the_past_is_refused(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "reserve_now", id_token="GUEST", until="2020-01-01 18:00:00")
    assert error.value.translation_key == "reservation_over"
    with pytest.raises(vol.Invalid):
        await act(
            hass,
            "reserve_now",
            id_token="GUEST",
            until="2199-01-01 18:00:00",
            duration="01:00:00",
        )
    assert approved_charger.calls("ReserveNow") == []


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"until": "9998-12-31 23:59:59"}, "reservation_far"),
        ({"until": "9999-12-31T23:59:59-05:00"}, None),
        ({"until": "0001-01-01T00:00:00+05:00"}, None),
        ({"duration": {"days": 367}}, None),
        ({"duration": {"days": 9_999_999_999}}, None),
        ({"id_token": "X" * 21}, "token_no_room"),
        ({"id_token": "X" * 37}, None),
        ({"id_token": " "}, None),
        ({"id_token": "Ä"}, None),
        ({"group": "G" * 21}, None),
        ({"group": " "}, None),
        ({"reservation_id": 2**31}, None),
        ({"reservation_id": 17}, "reservation_closed"),
    ],
)
async def test_what_no_charger_can_take_is_refused_before_it_is_sent(
    hass: HomeAssistant,
    approved_charger: Charger,
    fields: dict[str, Any],
    key: str | None,
) -> None:
    with pytest.raises(HomeAssistantError if key else vol.Invalid) as error:
        await act(hass, "reserve_now", **{"id_token": "GUEST"} | fields)
    if key is not None:
        assert getattr(error.value, "translation_key", None) == key
    assert approved_charger.calls("ReserveNow") == []
    assert (await act(hass, "get_reservations"))["reservations"] == []


async def test_a_new_one_needs_a_token(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "reserve_now")
    assert error.value.translation_key == "token_required"
    with pytest.raises(vol.Invalid):
        await act(hass, "cancel_reservation", reservation_id=2**31)


async def test_it_is_changed_under_its_id(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await add_token(hass, "GUEST", name="Anna", group="FAMILY")
    await add_token(hass, "BERT", name="Bert")
    await approved_charger.status(2, "Available")
    made = await act(hass, "reserve_now", connector=1, id_token="GUEST")
    number = made["reservation_id"]
    await flush(hass)
    assert state(hass, "sensor", UNTIL) != STATE_UNKNOWN
    changed = await act(
        hass, "reserve_now", reservation_id=number, duration="03:00:00", connector=2
    )
    first, sent = approved_charger.calls("ReserveNow")
    assert sent == first | {"connectorId": 2, "expiryDate": sent["expiryDate"]}
    assert moment(sent["expiryDate"]) - moment(first["expiryDate"]) >= 2 * HOUR
    assert changed["created"] == made["created"]
    assert (changed["connector"], changed["state"]) == (2, "active")
    await flush(hass)
    assert state(hass, "sensor", UNTIL) == STATE_UNKNOWN
    assert state(hass, "sensor", f"{IDENTITY}_2_reserved_for") == "Anna"
    # The rest stays as it is; another token has another group, or none.
    await act(hass, "reserve_now", reservation_id=number, id_token="BERT")
    last = approved_charger.calls("ReserveNow")[-1]
    assert sent.pop("parentIdTag") == "FAMILY"
    assert last == {**sent, "idTag": "BERT"}
    approved_charger.answers["ReserveNow"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "reserve_now", reservation_id=number, connector=0)
    assert error.value.translation_key == "reservation_rejected"
    (kept,) = (await act(hass, "get_reservations"))["reservations"]
    assert (kept["connector"], kept["reserved_for"]) == (2, "Bert")
    assert (kept["state"], kept["until"]) == ("active", changed["until"])


@pytest.mark.parametrize("named", [True, False])
async def test_a_session_uses_it(
    hass: HomeAssistant, approved_charger: Charger, named: bool
) -> None:
    made = await act(hass, "reserve_now", id_token="GUEST")
    more = {"reservationId": made["reservation_id"]} if named else {}
    await approved_charger.status(1, "Reserved")
    number = await approved_charger.start(id_tag="GUEST", **more)
    await approved_charger.status(1, "Charging")
    await flush(hass)
    used = await newest(hass)
    assert (used["state"], used["transaction_id"]) == ("used", str(number))
    assert state(hass, "sensor", UNTIL) == STATE_UNKNOWN
    assert state(hass, "sensor", HOLDER) == STATE_UNKNOWN
    assert (await act(hass, "get_reservations", open_only=True))["reservations"] == []


async def test_any_connector_is_reserved(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Available")
    await hass.async_block_till_done()
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "reserve_now", id_token="GUEST")
    assert error.value.translation_key == "connector_required"
    await act(hass, "reserve_now", id_token="GUEST", connector=0)
    assert approved_charger.calls("ReserveNow")[0]["connectorId"] == 0
    await flush(hass)
    assert state(hass, "sensor", f"{IDENTITY}_0_reserved_for") == "***ST"
    assert not exists(hass, "sensor", UNTIL)
    await act(hass, "reserve_now", f"{IDENTITY}_2", id_token="GUEST")
    assert approved_charger.calls("ReserveNow")[1]["connectorId"] == 2
    assert (await newest(hass, connector=0))["connector"] == 0
    assert (await newest(hass, limit=1))["connector"] == 2
    await approved_charger.start(2, "GUEST")
    assert (await newest(hass, connector=2))["state"] == "used"
    assert (await newest(hass, connector=0))["state"] == "active"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"status": "Faulted"}, "reservation_faulted"),
        ({"status": "Occupied"}, "reservation_occupied"),
        ({"status": "Rejected"}, "reservation_rejected"),
        ({"status": "Unavailable"}, "reservation_unavailable"),
        (Refusal(code="NotImplemented"), "not_supported_by_charger"),
        (Refusal(code="InternalError"), "rejected"),
    ],
)
async def test_a_refusal_is_told(
    hass: HomeAssistant,
    approved_charger: Charger,
    answer: dict[str, str] | Refusal,
    key: str,
) -> None:
    approved_charger.answers["ReserveNow"] = answer
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "reserve_now", id_token="GUEST")
    assert error.value.translation_key == key
    assert (await newest(hass))["state"] == "refused"
    await flush(hass)
    assert state(hass, "sensor", UNTIL) == STATE_UNKNOWN


async def test_an_answer_that_does_not_come_leaves_it_open(
    hass: HomeAssistant, approved_charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender.Sender.send, "__defaults__", (0.05,))
    approved_charger.answers["ReserveNow"] = Silence()
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "reserve_now", id_token="GUEST")
    assert error.value.translation_key == "timed_out"
    assert (await newest(hass))["state"] == "pending"
    # But the charger has taken it.
    await approved_charger.status(1, "Reserved")
    assert (await newest(hass))["state"] == "active"


async def test_it_is_given_up(hass: HomeAssistant, approved_charger: Charger) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "cancel_reservation")
    assert error.value.translation_key == "no_reservation"
    numbers = [
        (await act(hass, "reserve_now", id_token="GUEST"))["reservation_id"]
        for _ in range(2)
    ]
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "cancel_reservation")
    assert error.value.translation_key == "reservation_required"
    response = await act(hass, "cancel_reservation", reservation_id=numbers[0])
    assert response["reservation_id"] == numbers[0]
    await act(hass, "cancel_reservation", connector=1)
    assert approved_charger.calls("CancelReservation") == [
        {"reservationId": number} for number in numbers
    ]
    found = (await act(hass, "get_reservations"))["reservations"]
    assert [one["state"] for one in found] == ["cancelled", "cancelled"]
    assert [one["reservation_id"] for one in found] == numbers[::-1]


async def test_what_the_charger_has_forgotten_is_over(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await act(hass, "reserve_now", id_token="GUEST")
    approved_charger.answers["CancelReservation"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "cancel_reservation")
    assert error.value.translation_key == "reservation_unknown"
    assert (await newest(hass))["state"] == "removed"


async def test_a_fault_ends_it(hass: HomeAssistant, approved_charger: Charger) -> None:
    await act(hass, "reserve_now", id_token="GUEST")
    await approved_charger.status(1, "Faulted", "GroundFailure")
    assert (await newest(hass))["state"] == "removed"


async def test_it_outlives_a_restart(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    made = await act(hass, "reserve_now", id_token="GUEST")
    await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert moment(state(hass, "sensor", UNTIL)) == moment(made["until"])
    charger = await charger_ws(IDENTITY)
    await charger.boot()
    await charger.start(id_tag="GUEST", reservationId=made["reservation_id"])
    assert (await newest(hass))["state"] == "used"


async def test_a_deleted_charger_takes_its_reservations_along(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await act(hass, "reserve_now", id_token="GUEST")
    hass.config_entries.async_remove_subentry(
        hub.entry, hub.stations[IDENTITY].subentry_id
    )
    await hass.async_block_till_done()
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    assert (await act(hass, "get_reservations"))["reservations"] == []
