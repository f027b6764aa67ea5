"""Redaction: what of a frame may be seen."""

import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.ocpp.redact import redacted
from custom_components.ev_charger_hub.station.secrets import names_secret, shortened


@pytest.mark.parametrize(
    ("token", "shown"),
    [("", "***"), ("abc", "***"), ("abcd", "***cd"), ("04AABBCC", "***BBCC")],
)
def test_a_token_shows_its_end(token: str, shown: str) -> None:
    assert shortened(token) == shown


SECRETS: list[Any] = [
    [2, "1", "StartTransaction", {"idTag": "SECRET-1234", "connectorId": 1}],
    [3, "1", {"idTagInfo": {"parentIdTag": "SECRET-1234", "status": "Accepted"}}],
    [2, "1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "SECRET"}],
    [2, "1", "ChangeConfiguration", {"key": "authorizationkey", "value": "SECRET"}],
    [3, "1", {"configurationKey": [{"key": "AuthorizationKey", "value": "SECRET"}]}],
    [3, "1", {"configurationKey": [{"key": "Vendor.WiFi_Psk2", "value": "SECRET"}]}],
    [
        2,
        "1",
        "SetVariables",
        {
            "setVariableData": [
                {"variable": {"name": "BasicAuthPassword"}, "attributeValue": "SECRET"}
            ]
        },
    ],
    [
        2,
        "1",
        "NotifyReport",
        {
            "reportData": [
                {
                    "variable": {"name": "BasicAuthPassword"},
                    "variableAttribute": [{"value": "SECRET"}],
                }
            ]
        },
    ],
    [2, "1", "Authorize", {"idToken": {"idToken": "SECRET-1234", "type": "ISO14443"}}],
    [
        2,
        "1",
        "BatterySwap",
        {
            "idToken": {
                "idToken": "SECRET-1234",
                "type": "Central",
                "additionalInfo": [{"additionalIdToken": "SECRET-1234", "type": "x"}],
            }
        },
    ],
    [3, "1", {"tariffAssignments": [{"idTokens": ["SECRET-1234"]}]}],
    [2, "1", "Get15118EVCertificate", {"prioritizedEMAIDs": ["SECRET-1234"]}],
    [2, "1", "NotifySettlement", {"receiptId": "SECRET", "vatNumber": "SECRET-1234"}],
    [2, "1", "NotifySettlement", {"receiptUrl": "https://pay.example/SECRET"}],
    [2, "1", "NotifySettlement", {"vatCompany": {"address1": "SECRET"}}],
    [3, "1", {"vatNumber": "SECRET-1234", "company": {"name": "SECRET"}}],
    [
        2,
        "1",
        "SetNetworkProfile",
        {"connectionData": {"vpn": {"server": "x", "key": "SECRET"}}},
    ],
    [
        2,
        "1",
        "NotifyEvent",
        {
            "eventData": [
                {
                    "component": {"name": "ConnectedEV"},
                    "variable": {"name": "VehicleId"},
                    "actualValue": "SECRET-1234",
                }
            ]
        },
    ],
    [2, "1", "SignCertificate", {"csr": "-----BEGIN SECRET"}],
    [2, "1", "CertificateSigned", {"certificateChain": "-----BEGIN SECRET"}],
    [2, "1", "DataTransfer", {"data": "-----BEGIN SECRET"}],
    [2, "1", "GetDiagnostics", {"location": "ftp://user:SECRET@host/path"}],
    [2, "1", "BootNotification", {"chargePointSerialNumber": "SECRET-1234"}],
    [2, "1", "BootNotification", {"meterSerialNumber": 5551234}],
    [2, "1", "Authorize", {"idTag": ["SECRET-1234"]}],
    [2, "1", "Authorize", {"idTag": {"value": ["SECRET-1234"], "length": 5551234}}],
    [
        2,
        "1",
        "MeterValues",
        {"sampledValue": [{"value": "OCMF|SECRET", "format": "SignedData"}]},
    ],
    [2, "1", "CustomerInformation", {"customerIdentifier": "SECRET-1234"}],
    [
        2,
        "1",
        "NotifyCustomerInformation",
        {"data": "SECRET", "generatedAt": "2026-01-01T00:00:00Z", "seqNo": 0},
    ],
    [
        2,
        "1",
        "NotifyEvent",
        {
            "eventData": [
                {"variable": {"name": "BasicAuthPassword"}, "actualValue": "SECRET"}
            ]
        },
    ],
]


@pytest.mark.parametrize("frame", SECRETS, ids=json.dumps)
def test_secrets_are_masked(frame: list[Any]) -> None:
    before = json.dumps(frame)
    text = redacted(frame)
    assert "SECRET" not in text
    assert "555" not in text
    assert "***" in text
    assert json.dumps(frame) == before


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("AuthorizationKey", True),
        ("authorization_key", True),
        ("BasicAuthPassword", True),
        ("Wifi-Passphrase", True),
        ("simPin", True),
        ("AuthorizeRemoteTxRequests", False),
        ("LocalAuthListEnabled", False),
        ("MeterValueSampleInterval", False),
        ("WebSocketPingInterval", False),
        ("", False),
    ],
)
def test_a_key_is_secret_by_its_name(key: str, secret: bool) -> None:
    assert names_secret(key) is secret


def test_the_kind_of_a_wrapped_token_stays_readable() -> None:
    wrapped = {"idToken": "SECRET-1234", "type": "ISO14443"}
    assert json.loads(redacted({"idToken": wrapped}))["idToken"] == {
        "idToken": "***1234",
        "type": "ISO14443",
    }
    assert json.loads(redacted({"idTag": None})) == {"idTag": None}


def test_the_rest_stays_readable() -> None:
    frame = [
        3,
        "1",
        {"key": "A", "value": "1", "list": [None, True, 1.5, "http://host/"]},
    ]
    assert json.loads(redacted(frame)) == frame


def test_long_and_deep_frames_are_cut() -> None:
    assert len(redacted(["x" * 10_000])) < 5000
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    assert "***" in redacted(deep)
    assert "***" in redacted({"idTag": deep})
    assert redacted({1: ({"a"},)}).startswith('{"1":')


@given(st.text(max_size=60))
def test_an_id_token_never_shows_more_than_four_characters(token: str) -> None:
    shown = json.loads(redacted({"idTag": token}))["idTag"].removeprefix("***")
    assert len(shown) <= 4
    assert token.endswith(shown)
