"""Tokens of OCPP 2.x (C01, C02, C07)."""

from typing import Any

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.events import TokenPresented

CONTRACT = [
    {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "00",
        "issuerKeyHash": "00",
        "serialNumber": "1",
        "responderURL": "http://ocsp.invalid",
    }
]


async def authorize(charger: Charger, **fields: Any) -> dict[str, Any]:
    """Ask about a token."""
    payload = {"idToken": {"idToken": "TAG1", "type": "ISO14443"}} | fields
    return charger.payload(await charger.call("Authorize", payload))


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (AuthorizationStatus.ACCEPTED, "Accepted"),
        (AuthorizationStatus.INVALID, "Invalid"),
        (AuthorizationStatus.BLOCKED, "Blocked"),
        (AuthorizationStatus.EXPIRED, "Expired"),
    ],
)
@pytest.mark.conformance("TC_C_02_CSMS", "TC_C_06_CSMS", "TC_C_07_CSMS")
async def test_a_token_is_judged_and_told_of(
    charger: Charger, status: AuthorizationStatus, word: str
) -> None:
    charger.authorizer.statuses["TAG1"] = status
    assert await authorize(charger) == {"idTokenInfo": {"status": word}}
    (presented,) = charger.events_of(TokenPresented)
    assert (presented.id_token, presented.status) == ("TAG1", status)


async def test_where_no_token_is_needed_nobody_is_told_of(charger: Charger) -> None:
    nobody = {"idToken": "", "type": "NoAuthorization"}
    answer = await authorize(charger, idToken=nobody)
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert charger.events_of(TokenPresented) == []


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (AuthorizationStatus.ACCEPTED, "Accepted"),
        (AuthorizationStatus.INVALID, "CertChainError"),
    ],
)
async def test_a_contract_is_worth_what_its_token_is(
    charger: Charger, status: AuthorizationStatus, word: str
) -> None:
    charger.authorizer.statuses["TAG1"] = status
    answer = await authorize(charger, iso15118CertificateHashData=CONTRACT)
    assert answer["certificateStatus"] == word


@pytest.mark.parametrize("text", ["", "  "])
async def test_a_blank_card_is_none_that_anybody_knows(
    charger: Charger, text: str
) -> None:
    charger.authorizer.statuses[""] = AuthorizationStatus.INVALID
    blank = {"idToken": text, "type": "ISO14443"}
    answer = charger.payload(await charger.call("Authorize", {"idToken": blank}))
    assert answer["idTokenInfo"]["status"] == "Invalid"
    answer = await charger.event("Started", "T1", 0, evse={"id": 1}, idToken=blank)
    assert answer["idTokenInfo"]["status"] == "Invalid"
    assert charger.events_of(TokenPresented) == []
