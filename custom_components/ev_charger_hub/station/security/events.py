"""Security events: what stations tell of their own security (OCPP 1.6 Security 3)."""

from enum import StrEnum


class SecurityEventKind(StrEnum):
    """What a security event is about; values are translation keys."""

    ATTEMPTED_REPLAY_ATTACKS = "attempted_replay_attacks"
    CENTRAL_SYSTEM_FAILED_TO_AUTHENTICATE = "central_system_failed_to_authenticate"
    FAILED_TO_AUTHENTICATE_AT_CENTRAL_SYSTEM = (
        "failed_to_authenticate_at_central_system"
    )
    FIRMWARE_UPDATED = "firmware_updated"
    INVALID_CENTRAL_SYSTEM_CERTIFICATE = "invalid_central_system_certificate"
    INVALID_CHARGE_POINT_CERTIFICATE = "invalid_charge_point_certificate"
    INVALID_FIRMWARE_SIGNATURE = "invalid_firmware_signature"
    INVALID_FIRMWARE_SIGNING_CERTIFICATE = "invalid_firmware_signing_certificate"
    INVALID_MESSAGES = "invalid_messages"
    INVALID_TLS_CIPHER_SUITE = "invalid_tls_cipher_suite"
    INVALID_TLS_VERSION = "invalid_tls_version"
    MEMORY_EXHAUSTION = "memory_exhaustion"
    RECONFIGURATION_OF_SECURITY_PARAMETERS = "reconfiguration_of_security_parameters"
    RESET_OR_REBOOT = "reset_or_reboot"
    SECURITY_LOG_WAS_CLEARED = "security_log_was_cleared"
    SETTING_SYSTEM_TIME = "setting_system_time"
    STARTUP_OF_THE_DEVICE = "startup_of_the_device"
    TAMPER_DETECTION_ACTIVATED = "tamper_detection_activated"
    OTHER = "other"
    """What only the station's vendor knows."""


_BY_WORD = {kind.replace("_", ""): kind for kind in SecurityEventKind} | {
    # As OCPP 2.x calls them, which some 1.6 stations do too.
    "csmsfailedtoauthenticate": (
        SecurityEventKind.CENTRAL_SYSTEM_FAILED_TO_AUTHENTICATE
    ),
    "failedtoauthenticateatcsms": (
        SecurityEventKind.FAILED_TO_AUTHENTICATE_AT_CENTRAL_SYSTEM
    ),
    "invalidcsmscertificate": SecurityEventKind.INVALID_CENTRAL_SYSTEM_CERTIFICATE,
    "invalidchargingstationcertificate": (
        SecurityEventKind.INVALID_CHARGE_POINT_CERTIFICATE
    ),
}

CRITICAL = frozenset(
    {
        SecurityEventKind.FIRMWARE_UPDATED,
        SecurityEventKind.MEMORY_EXHAUSTION,
        SecurityEventKind.RESET_OR_REBOOT,
        SecurityEventKind.SECURITY_LOG_WAS_CLEARED,
        SecurityEventKind.SETTING_SYSTEM_TIME,
        SecurityEventKind.STARTUP_OF_THE_DEVICE,
        SecurityEventKind.TAMPER_DETECTION_ACTIVATED,
    }
)
"""What the standard calls critical: that it has to be told, not that it is bad."""

ALARMING = frozenset(
    {
        SecurityEventKind.ATTEMPTED_REPLAY_ATTACKS,
        SecurityEventKind.INVALID_CENTRAL_SYSTEM_CERTIFICATE,
        SecurityEventKind.INVALID_CHARGE_POINT_CERTIFICATE,
        SecurityEventKind.INVALID_FIRMWARE_SIGNATURE,
        SecurityEventKind.INVALID_FIRMWARE_SIGNING_CERTIFICATE,
        SecurityEventKind.MEMORY_EXHAUSTION,
        SecurityEventKind.SECURITY_LOG_WAS_CLEARED,
        SecurityEventKind.TAMPER_DETECTION_ACTIVATED,
    }
)
"""What somebody has to look into: every restart is critical, and these are rare."""


def event_kind(word: str) -> SecurityEventKind:
    """Return what a station's word for a security event means."""
    plain = "".join(one for one in word.lower() if one.isalnum())
    return _BY_WORD.get(plain, SecurityEventKind.OTHER)
