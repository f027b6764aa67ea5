"""OCPP 2.x, block P: data of vendors, and data that nobody knows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger_v2 import BOOT, ENERGY, Charger2
from ..ha.entities import act, flush, state
from .answers import sessions

CUSTOM = {"vendorId": "org.example", "anything": {"deep": [1, None, "two"]}}


@pytest.mark.conformance("UC_P01")
async def test_vendor_data_is_sent(hass: HomeAssistant, charger2: Charger2) -> None:
    charger2.answers["DataTransfer"] = {"status": "Accepted", "data": {"done": 1}}
    answer = await act(
        hass, "data_transfer", vendor_id="org.example", message_id="m", data="d"
    )
    asked = {"vendorId": "org.example", "messageId": "m", "data": "d"}
    assert charger2.calls("DataTransfer") == [asked]
    assert answer["response"]["data"] == {"done": 1}


@pytest.mark.conformance("TC_P_02_CSMS")
@pytest.mark.conformance("UC_P02")
@pytest.mark.parametrize(
    "data",
    [
        {"vendorId": "com.example"},
        {"vendorId": "com.example", "messageId": "what", "data": {"any": ["JSON"]}},
        {"vendorId": "v" * 255, "data": "x" * 5000},
    ],
)
async def test_vendor_data_that_nobody_knows_is_answered_so(
    charger2: Charger2, data: dict[str, Any]
) -> None:
    answer = await charger2.call("DataTransfer", data)
    assert answer["status"] in {"Rejected", "UnknownVendorId", "UnknownMessageId"}


@pytest.mark.conformance("TC_P_03_CSMS")
async def test_custom_data_is_accepted_wherever_it_is(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    now = datetime.now(UTC).isoformat()
    boot = {**BOOT, "customData": CUSTOM, "modem": {"customData": CUSTOM}}
    answer = await charger2.call(
        "BootNotification",
        {"reason": "PowerUp", "chargingStation": boot, "customData": CUSTOM},
    )
    assert answer["status"] == "Accepted"
    status = {
        "timestamp": now,
        "connectorStatus": "Occupied",
        "evseId": 1,
        "connectorId": 1,
        "customData": CUSTOM,
    }
    assert await charger2.call("StatusNotification", status) == {}
    assert "currentTime" in await charger2.call("Heartbeat", {"customData": CUSTOM})
    sample = {"value": 1000.0, "measurand": ENERGY, "customData": CUSTOM}
    value = {"timestamp": now, "sampledValue": [sample], "customData": CUSTOM}
    token = {"idToken": "TAG12345", "type": "ISO14443", "customData": CUSTOM}
    answer = await charger2.call(
        "TransactionEvent",
        {
            "eventType": "Started",
            "timestamp": now,
            "triggerReason": "Authorized",
            "seqNo": 0,
            "transactionInfo": {
                "transactionId": "tx-1",
                "chargingState": "Charging",
                "customData": CUSTOM,
            },
            "evse": {"id": 1, "connectorId": 1, "customData": CUSTOM},
            "idToken": token,
            "meterValue": [value],
            "customData": CUSTOM,
        },
    )
    assert answer["idTokenInfo"]["status"] == "Accepted"
    values = {"evseId": 1, "meterValue": [value], "customData": CUSTOM}
    assert await charger2.call("MeterValues", values) == {}
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "charging"
    (session,) = await sessions(hass)
    assert session["state"] == "open"
