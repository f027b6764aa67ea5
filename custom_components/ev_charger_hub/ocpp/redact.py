"""Redaction: frames as they may be logged and shown, without their secrets."""

import re
from typing import Any

import orjson

from ..station.secrets import MASK, names_secret, shortened

_MAX_TEXT = 4096
_MAX_DEPTH = 40

# Shown by their end only: enough to tell one card or device from another.
_SHORTENED = frozenset(
    {
        "additionalIdToken",
        "chargeBoxSerialNumber",
        "chargePointSerialNumber",
        "customerIdentifier",
        "emaid",
        "evInverterSerialNumber",
        "iccid",
        "idTag",
        "idToken",
        "idTokens",
        "imsi",
        "meterSerialNumber",
        "parentIdTag",
        "prioritizedEMAIDs",
        "pspRef",
        "serialNumber",
        "vatNumber",
    }
)
_HIDDEN = frozenset(
    {
        "apnPassword",
        "apnUserName",
        "basicAuthPassword",
        "certificate",
        "certificateChain",
        "company",
        "csr",
        "exiRequest",
        "exiResponse",
        "ocspResult",
        "password",
        "receiptId",
        "receiptUrl",
        "signedMeterData",
        "signingCertificate",
        "simPin",
        "user",
        "vatCompany",
        "vpn",
        "vpnKey",
    }
)
# The signed data of a meter names the id token.
_SIGNED = "SignedData"
# A car is let in by it as by a card (ConnectedEV, 2.0.1 part 2, 3.1.5).
_VEHICLE = "vehicleid"
# What a station knows of somebody (NotifyCustomerInformation); no other data is dated.
_CUSTOMER = {"data", "generatedAt"}
_NAMES = ("key", "name")
_VALUES = ("actualValue", "attributeValue", "value", "variableAttribute")
_USER_INFO = re.compile(r"//[^/@\s]+@")
# Whoever knows the path may upload.
_UPLOAD = re.compile(r"(?<=/upload/)[0-9a-f]{32}")
_PEM = re.compile(r"-----BEGIN")


def redacted(frame: object) -> str:
    """Return a frame, or any part of one, as JSON text without secrets.

    Id tokens and serial numbers keep their last characters; passwords, certificates
    and the credentials within URLs go. Long text is cut.
    """
    text = orjson.dumps(_clean(frame, _MAX_DEPTH), default=str).decode()
    if len(text) > _MAX_TEXT:
        return f"{text[:_MAX_TEXT]}... ({len(text)} characters)"
    return text


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if not isinstance(value, dict | list | tuple):
        return value
    if not depth:
        return MASK
    if isinstance(value, dict):
        return _clean_object(value, depth - 1)
    return [_clean(item, depth - 1) for item in value]


def _clean_object(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    cleaned = {
        str(key): _clean_field(str(key), item, depth) for key, item in value.items()
    }
    if _names_a_secret(value) or value.get("format") == _SIGNED:
        cleaned |= {key: MASK for key in _VALUES if key in cleaned}
    if cleaned.keys() >= _CUSTOMER and cleaned["data"]:
        cleaned["data"] = MASK
    return cleaned


def _clean_field(key: str, item: Any, depth: int) -> Any:
    if key in _HIDDEN and item:
        return MASK
    if key in _SHORTENED:
        return _ends(item, depth)
    return _clean(item, depth)


def _ends(value: Any, depth: int) -> Any:
    """Return the end of a token, also where one is wrapped, by 2.x or by mistake."""
    if isinstance(value, dict | list) and not depth:
        return MASK
    if isinstance(value, dict):
        return {
            str(key): item if key == "type" else _ends(item, depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_ends(item, depth - 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return shortened(str(value))


def _names_a_secret(value: dict[Any, Any]) -> bool:
    # 1.6 {"key": "AuthorizationKey", "value": ...}; 2.x {"variable": {"name": ...},
    # "attributeValue": ...}, or the list of values within a report.
    holders = (value, value.get("variable"))
    return any(
        isinstance(name := holder.get(key), str)
        and (names_secret(name) or name.lower() == _VEHICLE)
        for holder in holders
        if isinstance(holder, dict)
        for key in _NAMES
    )


def _clean_text(text: str) -> str:
    if "//" in text:
        return _USER_INFO.sub(f"//{MASK}@", _UPLOAD.sub(MASK, text))
    return MASK if _PEM.match(text) else text
