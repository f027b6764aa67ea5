"""Events, reservations and vendor messages of OCPP 2.x (N07, H04, P02)."""

from typing import Any

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.station.enums import ConnectorStatus
from custom_components.ev_charger_hub.station.events import SecurityEvent, VendorData
from custom_components.ev_charger_hub.station.model import Fault


async def notify(
    charger: Charger, component: str, variable: str, value: str, **fields: Any
) -> None:
    """Report one event of the connector of EVSE 1."""
    event = {
        "eventId": 1,
        "timestamp": charger.clock.text(),
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": component, "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": variable},
    } | fields
    payload = {"generatedAt": charger.clock.text(), "seqNo": 0, "eventData": [event]}
    assert charger.payload(await charger.call("NotifyEvent", payload)) == {}


@pytest.mark.conformance("TC_G_20_CSMS")
async def test_a_problem_is_a_fault_until_it_is_over(charger: Charger) -> None:
    lock = "ConnectorPlugRetentionLock"
    await notify(charger, lock, "Problem", "true", techCode="CX021")
    evse = charger.station.evses[1]
    assert evse.fault.value == Fault(
        error_code="ConnectorLockFailure", vendor_error_code="CX021", info=lock
    )
    charger.clock.tick(1)
    await notify(charger, lock, "Problem", "false")
    assert evse.fault.value is None


async def test_one_problem_of_two_remains(charger: Charger) -> None:
    await notify(charger, "EVSE", "Problem", "true", techInfo="hot")
    await notify(charger, "Connector", "Problem", "true", techInfo="wet")
    charger.clock.tick(1)
    await notify(charger, "Connector", "Problem", "true", cleared=True)
    fault = charger.station.evses[1].fault.value
    assert fault is not None
    assert (fault.error_code, fault.info) == ("OtherError", "hot")


async def test_a_status_may_come_as_an_event(charger: Charger) -> None:
    await notify(charger, "Connector", "AvailabilityState", "Unavailable")
    assert charger.shown() is ConnectorStatus.UNAVAILABLE
    await notify(charger, "Connector", "AvailabilityState", "Levitating")
    await notify(charger, "EVSE", "Humidity", "55")
    assert charger.shown() is ConnectorStatus.UNAVAILABLE


@pytest.mark.parametrize(
    ("data", "text"),
    [(None, None), ("text", "text"), ({"a": [1, "ü"]}, '{"a": [1, "ü"]}')],
)
async def test_vendor_data_is_passed_on(
    charger: Charger, data: Any, text: str | None
) -> None:
    payload = {"vendorId": "V", "messageId": "M", "data": data}
    answer = charger.payload(await charger.call("DataTransfer", payload))
    assert answer == {"status": "UnknownVendorId"}
    (passed,) = charger.events_of(VendorData)
    assert passed == VendorData(vendor_id="V", message_id="M", data=text)


async def test_a_security_event_is_told(charger: Charger) -> None:
    payload = {"type": "TamperDetectionActivated", "timestamp": charger.clock.text()}
    frame = await charger.call("SecurityEventNotification", payload)
    assert charger.payload(frame) == {}
    (told,) = charger.events_of(SecurityEvent)
    assert told.kind == "tamper_detection_activated"


@pytest.mark.parametrize("status", ["Expired", "Removed", "Dissolved"])
async def test_an_unknown_reservation_is_answered(
    charger: Charger, status: str
) -> None:
    payload = {"reservationId": 4, "reservationUpdateStatus": status}
    frame = await charger.call("ReservationStatusUpdate", payload)
    assert charger.payload(frame) == {}


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("FirmwareStatusNotification", {"status": "Downloading", "requestId": 1}),
        ("LogStatusNotification", {"status": "Uploading", "requestId": 1}),
    ],
)
async def test_progress_is_shown(
    charger: Charger, action: str, payload: dict[str, Any]
) -> None:
    assert charger.payload(await charger.call(action, payload)) == {}
    shown = charger.station.firmware_status.value or (
        charger.station.diagnostics_status.value
    )
    assert shown == payload["status"].lower()
