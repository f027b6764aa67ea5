"""Triggers: messages that a station is asked to send now (OCPP 2.x F06)."""

from typing import Any, Final

# What OCPP 1.6 calls it.
_MESSAGES: Final = {
    "DiagnosticsStatusNotification": "LogStatusNotification",
    "SignChargePointCertificate": "SignChargingStationCertificate",
}
_KNOWN: Final = frozenset(
    {
        "BootNotification",
        "CustomTrigger",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "PublishFirmwareStatusNotification",
        "SignChargingStationCertificate",
        "SignCombinedCertificate",
        "SignV2G20Certificate",
        "SignV2GCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)
"""MessageTriggerEnumType of 2.1."""


def trigger_payload(message: str, version: str | None) -> dict[str, Any]:
    """Return a TriggerMessage; 2.1 has room for what a vendor calls a message."""
    word = _MESSAGES.get(message, message)
    if version == "2.1" and word not in _KNOWN:
        return {"requestedMessage": "CustomTrigger", "customTrigger": word}
    return {"requestedMessage": word}
