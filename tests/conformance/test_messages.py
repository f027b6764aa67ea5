"""The matrix of OCPP 1.6 with its security extension: 14 messages in, 26 out."""

from typing import Any

import pytest

from .rows import HERE
from .wire import Wire

NOW = "2026-11-20T10:00:00Z"

FROM_CHARGER: dict[str, dict[str, Any]] = {
    "Authorize": {"idTag": "TAG12345"},
    "BootNotification": {"chargePointVendor": "Acme", "chargePointModel": "Wall One"},
    "DataTransfer": {"vendorId": "com.example"},
    "DiagnosticsStatusNotification": {"status": "Uploaded"},
    "FirmwareStatusNotification": {"status": "Installed"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Uploaded", "requestId": 1},
    "MeterValues": {
        "connectorId": 1,
        "meterValue": [{"timestamp": NOW, "sampledValue": [{"value": "1"}]}],
    },
    "SecurityEventNotification": {"type": "StartupOfTheDevice", "timestamp": NOW},
    "SignCertificate": {"csr": "-----BEGIN CERTIFICATE REQUEST-----"},
    "SignedFirmwareStatusNotification": {"status": "Installed", "requestId": 1},
    "StartTransaction": {
        "connectorId": 1,
        "idTag": "TAG12345",
        "meterStart": 0,
        "timestamp": NOW,
    },
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Available",
    },
    "StopTransaction": {"transactionId": 1, "meterStop": 1, "timestamp": NOW},
}
TO_CHARGER = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DataTransfer",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "InstallCertificate",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SignedUpdateFirmware",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    }
)


def test_the_matrix_is_whole() -> None:
    assert len(FROM_CHARGER) + len(TO_CHARGER) == 40


@pytest.mark.parametrize(("action", "payload"), FROM_CHARGER.items())
async def test_every_message_of_a_charger_is_answered(
    wire: Wire, action: str, payload: dict[str, Any]
) -> None:
    assert (await wire.call(action, payload))[0] == 3
    await wire.next_is_the_answer_to_a_heartbeat()


def test_every_message_of_ours_is_in_a_conformance_test() -> None:
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for path in HERE.glob("test_*.py")
        if path.name != "test_messages.py"
    )
    assert [one for one in sorted(TO_CHARGER) if f'"{one}"' not in tests] == []
