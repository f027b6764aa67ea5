"""Firmware and logs of OCPP 1.6: exactly one message out, an outcome back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from .outbound import Charger
from custom_components.ev_charger_hub.ocpp.errors import CallError, ErrorCode
from custom_components.ev_charger_hub.station.commands import (
    FirmwareRequest,
    LogKind,
    LogRequest,
)
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
TEXT = "2026-11-20T10:00:00.000Z"
PLAIN = FirmwareRequest(request_id=7, location="ftp://a/b", retrieve_at=AT)
SIGNED = replace(PLAIN, certificate="-----BEGIN", signature="c2ln")
DIAGNOSTICS = LogRequest(request_id=7, kind=LogKind.DIAGNOSTICS, location="http://a/")
SECURITY = replace(DIAGNOSTICS, kind=LogKind.SECURITY)
RETRIES: dict[str, Any] = {"retries": 3, "retry_interval": 60}

UPDATES: list[tuple[FirmwareRequest, str, dict[str, Any]]] = [
    (PLAIN, "UpdateFirmware", {"location": "ftp://a/b", "retrieveDate": TEXT}),
    (
        # The message has no room for a time of installation.
        replace(PLAIN, install_at=AT, **RETRIES),
        "UpdateFirmware",
        {
            "location": "ftp://a/b",
            "retrieveDate": TEXT,
            "retries": 3,
            "retryInterval": 60,
        },
    ),
    (
        replace(SIGNED, install_at=AT, **RETRIES),
        "SignedUpdateFirmware",
        {
            "requestId": 7,
            "retries": 3,
            "retryInterval": 60,
            "firmware": {
                "location": "ftp://a/b",
                "retrieveDateTime": TEXT,
                "installDateTime": TEXT,
                "signingCertificate": "-----BEGIN",
                "signature": "c2ln",
            },
        },
    ),
]

LOGS: list[tuple[LogRequest, str, dict[str, Any]]] = [
    (DIAGNOSTICS, "GetDiagnostics", {"location": "http://a/"}),
    (
        replace(DIAGNOSTICS, since=AT, until=AT, **RETRIES),
        "GetDiagnostics",
        {
            "location": "http://a/",
            "startTime": TEXT,
            "stopTime": TEXT,
            "retries": 3,
            "retryInterval": 60,
        },
    ),
    (
        SECURITY,
        "GetLog",
        {
            "log": {"remoteLocation": "http://a/"},
            "logType": "SecurityLog",
            "requestId": 7,
        },
    ),
    (
        replace(SECURITY, since=AT, until=AT, **RETRIES),
        "GetLog",
        {
            "log": {
                "remoteLocation": "http://a/",
                "oldestTimestamp": TEXT,
                "latestTimestamp": TEXT,
            },
            "logType": "SecurityLog",
            "requestId": 7,
            "retries": 3,
            "retryInterval": 60,
        },
    ),
]


@pytest.mark.parametrize(("request_", "action", "payload"), UPDATES)
async def test_update_is_one_message(
    request_: FirmwareRequest, action: str, payload: dict[str, Any]
) -> None:
    charger = Charger()
    charger.answers = {
        "SignedUpdateFirmware": {"status": "Accepted"},
        "UpdateFirmware": {},
    }
    outcome = await charger.link.update_firmware(request_)
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert charger.calls == [(action, payload)]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": "AcceptedCanceled"}, OutcomeStatus.ACCEPTED),
        ({"status": "Rejected"}, OutcomeStatus.REJECTED),
        ({"status": "InvalidCertificate"}, OutcomeStatus.REJECTED),
        ({"status": "RevokedCertificate"}, OutcomeStatus.REJECTED),
        (
            CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", ""),
            OutcomeStatus.NOT_SUPPORTED,
        ),
    ],
)
async def test_answers_to_a_signed_update(
    answer: dict[str, Any] | Exception, status: OutcomeStatus
) -> None:
    charger = Charger()
    charger.answers["SignedUpdateFirmware"] = answer
    assert (await charger.link.update_firmware(SIGNED)).status is status


@pytest.mark.parametrize(("request_", "action", "payload"), LOGS)
async def test_log_is_one_message(
    request_: LogRequest, action: str, payload: dict[str, Any]
) -> None:
    charger = Charger()
    charger.answers = {
        "GetDiagnostics": {"fileName": "a.log"},
        "GetLog": {"status": "Accepted", "filename": "a.log"},
    }
    outcome, name = await charger.link.get_log(request_)
    assert (outcome.status, name) == (OutcomeStatus.ACCEPTED, "a.log")
    assert charger.calls == [(action, payload)]


@pytest.mark.parametrize("answer", [{}, {"fileName": ""}, {"fileName": None}])
async def test_a_charger_need_not_name_its_file(answer: dict[str, Any]) -> None:
    charger = Charger()
    charger.answers["GetDiagnostics"] = answer
    outcome, name = await charger.link.get_log(DIAGNOSTICS)
    assert (outcome.ok, name) == (True, None)


@pytest.mark.parametrize(
    ("value", "transfers"),
    [
        ("FTP,HTTP", {"FTP", "HTTP"}),
        (" ftps , https ", {"FTPS", "HTTPS"}),
        ("", None),
        (None, None),
    ],
)
async def test_a_charger_may_say_how_it_uploads(
    value: str | None, transfers: set[str] | None
) -> None:
    charger = Charger()
    charger.keys["SupportedFileTransferProtocols"] = value, True
    await charger.link.get_configuration([])
    assert charger.link.file_transfers == transfers
