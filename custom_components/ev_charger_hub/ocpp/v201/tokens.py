"""Tokens: id tokens and what is said of them, in the words of OCPP 2.x."""

import re
from typing import Any

from ...station.authorization import Verdict
from ..adapter import StationContext
from ..timestamps import render
from ..words import AUTHORIZATIONS

CENTRAL = "Central"
"""A token that nobody holds in the hand (2.0.1 IdTokenEnumType)."""

_TYPES = frozenset(
    {
        CENTRAL,
        "eMAID",
        "ISO14443",
        "ISO15693",
        "KeyCode",
        "Local",
        "MacAddress",
    }
)
"""IdTokenEnumType of 2.0.1; 2.1 has an open list."""

_HEX = re.compile(r"[0-9A-Fa-f]+")
_EMAID = re.compile(r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?[Cc][A-Za-z0-9]{8}(-?[A-Za-z0-9])?")
# Cards are known by 4, 7 or 10 bytes (ISO 14443) or 8 (ISO 15693), cars by 6.
_BY_LENGTH = {
    8: "ISO14443",
    12: "MacAddress",
    14: "ISO14443",
    16: "ISO15693",
    20: "ISO14443",
}


def id_token_info(verdict: Verdict) -> dict[str, Any]:
    """Return an IdTokenInfo (2.0.1 2.26)."""
    info: dict[str, Any] = {"status": AUTHORIZATIONS[verdict.status]}
    if verdict.expires is not None:
        info["cacheExpiryDateTime"] = render(verdict.expires)
    if verdict.group is not None:
        info["groupIdToken"] = group_payload(verdict.group)
    if verdict.language is not None:
        info["language1"] = verdict.language
    return info


def group_payload(group: str) -> dict[str, str]:
    """Return the IdToken of a group, which only we know (C09)."""
    return {"idToken": group, "type": CENTRAL}


def token_type(context: StationContext, id_token: str) -> str:
    """Return the type of a token: as the station told it, or else as it looks."""
    if context.authorizer.bearer(context.station.identity, id_token).nobody:
        return CENTRAL
    told = context.station.token_types.find(id_token)
    if told and (told in _TYPES or context.station.version.value == "2.1"):
        return told
    text = id_token.strip()
    if _HEX.fullmatch(text) and (kind := _BY_LENGTH.get(len(text))) is not None:
        return kind
    return "eMAID" if _EMAID.fullmatch(text) else CENTRAL


def token_payload(context: StationContext, id_token: str) -> dict[str, Any]:
    """Return an IdToken (2.0.1 2.25)."""
    return {"idToken": id_token, "type": token_type(context, id_token)}
