"""OCPP 2.x: remote start, unlocking, and messages on demand (block F)."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.cards import CARD, keep, strangers
from ..ha.charger import now
from ..ha.charger_v2 import ENERGY, Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, flush, state
from .answers import sessions
from custom_components.ev_charger_hub.station.tokens import UnknownTokens

STATUS = "CP01_1_status"
TAG = {"idToken": CARD, "type": "ISO14443"}
EVSE = {"id": 1, "connectorId": 1}


@pytest.fixture(autouse=True)
def known_card(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    """Let one card charge, and no other."""
    keep(hass, init_integration)
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    charger2.received.clear()


async def asked_to_start(hass: HomeAssistant, charger: Charger2) -> int:
    """Have a session begin from afar and return the number of the start."""
    await act(hass, "start_charging", connector=1, id_token=CARD)
    (start,) = charger.calls("RequestStartTransaction")
    number: int = start.pop("remoteStartId")
    assert start == {"idToken": TAG, "evseId": 1}
    assert number > 0
    return number


async def begun(charger: Charger2, number: int, **more: Any) -> dict[str, Any]:
    """Begin the session of a remote start."""
    return await charger.event(
        "Started",
        energy=1000,
        trigger="RemoteStart",
        info={"remoteStartId": number},
        evse=EVSE,
        **more,
    )


@pytest.mark.conformance("TC_F_01_CSMS")
async def test_remote_start_with_the_cable_plugged_in(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.connector_status("Occupied")
    number = await asked_to_start(hass, charger2)
    answer = await begun(charger2, number, idToken=TAG, state="Charging")
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "charging"
    (session,) = await sessions(hass)
    assert (session["id_token"], session["remote_start_id"]) == (CARD, number)


async def test_a_card_starts_for_its_group(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    keep(hass, init_integration, group="FAMILY")
    await act(hass, "start_charging", connector=1, id_token=CARD)
    (start,) = charger2.calls("RequestStartTransaction")
    assert start["groupIdToken"] == {"idToken": "FAMILY", "type": "Central"}


@pytest.mark.conformance("TC_F_02_CSMS")
async def test_remote_start_first_and_the_charger_asks_about_the_card(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    number = await asked_to_start(hass, charger2)
    answer = await charger2.call("Authorize", {"idToken": TAG})
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await charger2.connector_status("Occupied")
    answer = await begun(charger2, number, idToken=TAG)
    assert answer["idTokenInfo"]["status"] == "Accepted"


@pytest.mark.conformance("TC_F_03_CSMS")
async def test_remote_start_first_and_the_charger_does_not_ask(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    number = await asked_to_start(hass, charger2)
    await charger2.connector_status("Occupied")
    # Whose session it is, its number says.
    assert await begun(charger2, number, state="EVConnected") == {}
    (session,) = await sessions(hass)
    assert (session["state"], session["id_token"]) == ("open", CARD)


@pytest.mark.conformance("TC_F_04_CSMS")
async def test_a_remote_start_that_no_vehicle_came_for(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    number = await asked_to_start(hass, charger2)
    await begun(charger2, number, idToken=TAG, state="Idle")
    end = await charger2.event(
        "Ended",
        number=1,
        energy=1000,
        trigger="EVConnectTimeout",
        info={"stoppedReason": "Timeout"},
    )
    assert end == {}
    (session,) = await sessions(hass)
    assert (session["stop_reason"], session["energy"]) == ("timeout", 0)


async def test_a_start_is_known_by_its_number_after_a_restart(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    number = await asked_to_start(hass, charger2)
    await charger2.close()
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    charger2.url = f"ws://127.0.0.1:{init_integration.runtime_data.port}/ocpp"
    await charger2.connect()
    await charger2.boot()
    assert await begun(charger2, number) == {}
    (session,) = await sessions(hass)
    assert (session["id_token"], session["remote_start_id"]) == (CARD, number)


@pytest.mark.conformance("TC_F_06_CSMS")
@pytest.mark.peer("B-26")
async def test_a_plug_is_unlocked(hass: HomeAssistant, charger2: Charger2) -> None:
    answer = await act(hass, "unlock_connector", connector=1)
    assert charger2.calls("UnlockConnector") == [{"evseId": 1, "connectorId": 1}]
    assert answer["answer"] == "Unlocked"


async def test_a_plug_that_stays_locked_is_told(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["UnlockConnector"] = {"status": "OngoingAuthorizedTransaction"}
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "unlock_connector", connector=1)
    assert err.value.translation_key == "rejected"


def meter_values(evse_id: int) -> tuple[str, dict[str, Any]]:
    """Return MeterValues of an EVSE."""
    sample = {"value": 4711.0, "measurand": ENERGY, "context": "Trigger"}
    value = {"timestamp": "", "sampledValue": [sample]}
    return "MeterValues", {"evseId": evse_id, "meterValue": [value]}


def transaction_event(evse_id: int) -> tuple[str, dict[str, Any]]:
    """Return the TransactionEvent of an EVSE."""
    return "TransactionEvent", {
        "eventType": "Updated",
        "timestamp": now(),
        "triggerReason": "Trigger",
        "seqNo": 1,
        "transactionInfo": {"transactionId": f"tx-{evse_id}"},
    }


def asking(
    mark: pytest.MarkDecorator, message: str, evse_id: int | None, *told: Any
) -> Any:
    """Return a message that is asked for, and what the charger then sends."""
    return pytest.param(message, evse_id, told, id=mark.args[0], marks=mark)


@pytest.mark.parametrize(
    ("message", "evse_id", "told"),
    [
        asking(
            pytest.mark.conformance("TC_F_11_CSMS"), "MeterValues", 1, meter_values(1)
        ),
        asking(
            pytest.mark.conformance("TC_F_12_CSMS"),
            "MeterValues",
            None,
            meter_values(1),
            meter_values(2),
        ),
        asking(
            pytest.mark.conformance("TC_F_13_CSMS"),
            "TransactionEvent",
            1,
            transaction_event(1),
        ),
        asking(
            pytest.mark.conformance("TC_F_14_CSMS"),
            "TransactionEvent",
            None,
            transaction_event(1),
            transaction_event(2),
        ),
        asking(
            pytest.mark.conformance("TC_F_15_CSMS"),
            "LogStatusNotification",
            None,
            ("LogStatusNotification", {"status": "Idle"}),
        ),
        asking(
            pytest.mark.conformance("TC_F_18_CSMS"),
            "FirmwareStatusNotification",
            None,
            ("FirmwareStatusNotification", {"status": "Idle"}),
        ),
        asking(
            pytest.mark.conformance("TC_F_20_CSMS"),
            "Heartbeat",
            None,
            ("Heartbeat", {}),
        ),
    ],
)
async def test_a_message_is_asked_for(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    charger2: Charger2,
    message: str,
    evse_id: int | None,
    told: tuple[tuple[str, dict[str, Any]], ...],
) -> None:
    await charger2.connector_status("Available", 2)
    for number in (1, 2):
        await charger2.begin(f"tx-{number}", number, token=CARD)
    charger2.answers["TriggerMessage"] = {"status": "Accepted"}
    fields = {} if evse_id is None else {"connector": evse_id}
    answer = await act(hass, "trigger_message", message=message, **fields)
    asked = {"requestedMessage": message}
    wanted = asked if evse_id is None else asked | {"evse": {"id": evse_id}}
    assert charger2.calls("TriggerMessage") == [wanted]
    assert answer["answer"] == "Accepted"
    for action, payload in told:
        for value in payload.get("meterValue", ()):
            value["timestamp"] = now()
        given = await charger2.call(action, payload)
        assert given == {} or set(given) == {"currentTime"}
    await flush(hass)
    if message == "MeterValues":
        # What comes of it is seen (Wh to kWh).
        assert (
            float(state(hass, "sensor", "CP01_1_energy_active_import_register"))
            == 4.711
        )


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Available", marks=pytest.mark.conformance("TC_F_23_CSMS")),
        pytest.param("Occupied", marks=pytest.mark.conformance("TC_F_24_CSMS")),
    ],
)
async def test_a_status_is_asked_for_of_a_plug(
    hass: HomeAssistant, charger2: Charger2, status: str
) -> None:
    charger2.connector_statuses[1, 1] = status
    await act(hass, "trigger_message", message="StatusNotification", connector=1)
    assert charger2.calls("TriggerMessage") == [
        {"requestedMessage": "StatusNotification", "evse": EVSE}
    ]
    await charger2.call("Heartbeat")
    await flush(hass)
    shown = {"Available": "available", "Occupied": "preparing"}[status]
    assert state(hass, "sensor", STATUS) == shown


@pytest.mark.conformance("TC_F_27_CSMS")
async def test_a_message_that_the_charger_does_not_know_is_told(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["TriggerMessage"] = {"status": "NotImplemented"}
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "trigger_message", message="SignV2GCertificate")
    assert err.value.translation_key == "not_supported_by_charger"


@pytest.mark.conformance("TC_F_100_CSMS")
async def test_a_message_of_the_vendor_is_asked_for_by_its_name(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws("CP21", version="2.1")
    charger.received.clear()
    charger.answers["TriggerMessage"] = {"status": "NotImplemented"}
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "trigger_message", "CP21", message="SelfTest")
    assert err.value.translation_key == "not_supported_by_charger"
    assert charger.calls("TriggerMessage") == [
        {"requestedMessage": "CustomTrigger", "customTrigger": "SelfTest"}
    ]
