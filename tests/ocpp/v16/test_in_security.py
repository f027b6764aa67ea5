"""Security of OCPP 1.6, inbound: events, and requests for certificates."""

from datetime import UTC, datetime

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.station.events import SecurityEvent
from custom_components.ev_charger_hub.station.security.events import SecurityEventKind

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STAMP = "2026-11-20T09:00:00Z"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("StartupOfTheDevice", SecurityEventKind.STARTUP_OF_THE_DEVICE),
        ("TamperDetectionActivated", SecurityEventKind.TAMPER_DETECTION_ACTIVATED),
        ("invalidTLSVersion", SecurityEventKind.INVALID_TLS_VERSION),
        (
            "InvalidChargingStationCertificate",
            SecurityEventKind.INVALID_CHARGE_POINT_CERTIFICATE,
        ),
        ("AcmeDoorOpened", SecurityEventKind.OTHER),
    ],
)
async def test_security_event_is_told(
    charger: Charger, word: str, kind: SecurityEventKind
) -> None:
    payload = {"type": word, "timestamp": STAMP, "techInfo": "why"}
    frame = await charger.call("SecurityEventNotification", payload)
    assert frame[2] == {}
    assert charger.events == [SecurityEvent(kind=kind, word=word, info="why", at=AT)]


async def test_security_event_that_says_little_is_told_all_the_same(
    charger: Charger,
) -> None:
    payload = {"type": "MemoryExhaustion", "timestamp": "yesterday", "techInfo": ""}
    frame = await charger.call("SecurityEventNotification", payload)
    assert frame[2] == {}
    assert charger.events == [
        SecurityEvent(
            kind=SecurityEventKind.MEMORY_EXHAUSTION,
            word="MemoryExhaustion",
            info=None,
            at=None,
        )
    ]


async def test_certificate_is_not_signed_where_nobody_can(charger: Charger) -> None:
    frame = await charger.call("SignCertificate", {"csr": "-----BEGIN"})
    assert frame[2] == {"status": "Rejected"}


async def test_flood_of_events_is_answered_and_told_in_part(charger: Charger) -> None:
    for _ in range(50):
        payload = {"type": "InvalidMessages", "timestamp": STAMP}
        frame = await charger.call("SecurityEventNotification", payload)
        assert frame[2] == {}
    assert len(charger.events) == 20
    payload = {"type": "TamperDetectionActivated", "timestamp": STAMP}
    await charger.call("SecurityEventNotification", payload)
    assert len(charger.events) == 21
