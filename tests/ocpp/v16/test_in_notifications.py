"""Firmware, log, security and vendor messages of OCPP 1.6."""

import logging
from typing import Any

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.ocpp.oddities import Oddities
from custom_components.ev_charger_hub.station.events import VendorData


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("FirmwareStatusNotification", {"status": "DownloadFailed"}),
        (
            "SignedFirmwareStatusNotification",
            {"status": "DownloadFailed", "requestId": 3},
        ),
    ],
)
async def test_firmware_status_is_shown(
    charger: Charger, action: str, payload: dict[str, Any]
) -> None:
    assert (await charger.call(action, payload))[2] == {}
    assert charger.station.firmware_status.value == "download_failed"


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("DiagnosticsStatusNotification", {"status": "UploadFailed"}),
        ("LogStatusNotification", {"status": "UploadFailure", "requestId": 11}),
    ],
)
async def test_upload_status_is_shown(
    charger: Charger, action: str, payload: dict[str, Any]
) -> None:
    assert (await charger.call(action, payload))[2] == {}
    value = charger.station.diagnostics_status.value
    assert value is not None
    assert value.startswith("upload_fail")


async def test_chatty_station_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    oddities = Oddities("CP1")
    for number in range(150):
        oddities.note(f"oddity {number}")
    assert caplog.text.count("oddity") == 100


async def test_identity_is_shortened_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    Oddities("EH123456").note("it hums")
    assert "it hums" in caplog.text
    assert "EH123456" not in caplog.text


@pytest.mark.conformance("TC_064_CSMS")
async def test_data_of_a_vendor_is_passed_on_and_not_understood(
    charger: Charger,
) -> None:
    frame = await charger.call("DataTransfer", {"vendorId": "sap"})
    assert frame[2] == {"status": "UnknownVendorId"}
    payload = {"vendorId": "com.x", "messageId": "m", "data": "d"}
    await charger.call("DataTransfer", payload)
    assert charger.events == [
        VendorData(vendor_id="sap", message_id=None, data=None),
        VendorData(vendor_id="com.x", message_id="m", data="d"),
    ]
