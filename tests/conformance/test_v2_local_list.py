"""The local authorization list of OCPP 2.x: asked for, sent whole and by differences."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger_v2 import Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act
from ..ha.tokens import add_token, remove_token


def card(id_token: str) -> dict[str, Any]:
    """Return the entry of a card that may charge."""
    token = {"idToken": id_token, "type": "Central"}
    return {"idToken": token, "idTokenInfo": {"status": "Accepted"}}


async def held(hass: HomeAssistant, charger: Charger2) -> None:
    """Have the charger hold a list with two cards, as version 1."""
    await add_token(hass, "CARD1")
    await add_token(hass, "CARD2")
    response = await act(hass, "send_local_list")
    assert response["version"] == 1
    charger.answers["GetLocalListVersion"] = {"versionNumber": 1}
    charger.received.clear()


@pytest.mark.conformance("TC_D_01_CSMS")
@pytest.mark.conformance("UC_D01")
async def test_a_whole_list_has_a_version_and_says_something_of_each_card(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await add_token(hass, "CARD1")
    await add_token(hass, "LOST", status="blocked")
    response = await act(hass, "send_local_list", full=True)
    blocked = card("LOST") | {"idTokenInfo": {"status": "Blocked"}}
    assert charger2.calls("SendLocalList") == [
        {
            "versionNumber": 1,
            "updateType": "Full",
            "localAuthorizationList": [card("CARD1"), blocked],
        }
    ]
    assert (response["answer"], response["tokens"]) == ("Accepted", 2)


@pytest.mark.conformance("TC_D_02_CSMS")
async def test_a_difference_has_a_higher_version_and_nothing_else(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await held(hass, charger2)
    await add_token(hass, "CARD3")
    response = await act(hass, "send_local_list")
    assert charger2.calls("SendLocalList") == [
        {
            "versionNumber": 2,
            "updateType": "Differential",
            "localAuthorizationList": [card("CARD3")],
        }
    ]
    assert (response["answer"], response["full"]) == ("Accepted", False)


@pytest.mark.conformance("TC_D_03_CSMS")
async def test_a_card_leaves_the_list_by_an_entry_that_says_nothing_of_it(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await held(hass, charger2)
    await remove_token(hass, "CARD2")
    response = await act(hass, "send_local_list")
    assert charger2.calls("SendLocalList") == [
        {
            "versionNumber": 2,
            "updateType": "Differential",
            "localAuthorizationList": [{"idToken": card("CARD2")["idToken"]}],
        }
    ]
    assert (response["answer"], response["tokens"]) == ("Accepted", 1)


@pytest.mark.conformance("TC_D_04_CSMS")
async def test_a_whole_list_without_cards_has_no_list(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await held(hass, charger2)
    await remove_token(hass, "CARD1")
    await remove_token(hass, "CARD2")
    response = await act(hass, "send_local_list", full=True)
    assert charger2.calls("SendLocalList") == [
        {"versionNumber": 2, "updateType": "Full"}
    ]
    assert (response["answer"], response["tokens"]) == ("Accepted", 0)


@pytest.mark.parametrize(
    ("version", "in_sync"),
    [
        pytest.param(
            1,
            True,
            marks=[
                pytest.mark.conformance("TC_D_08_CSMS"),
                pytest.mark.conformance("UC_D02"),
            ],
        ),
        pytest.param(0, False, marks=pytest.mark.conformance("TC_D_09_CSMS")),
    ],
)
async def test_the_version_is_read_and_0_is_no_list(
    hass: HomeAssistant, charger2: Charger2, version: int, in_sync: bool
) -> None:
    await held(hass, charger2)
    charger2.answers["GetLocalListVersion"] = {"versionNumber": version}
    response = await act(hass, "get_local_list_version")
    assert charger2.calls("GetLocalListVersion") == [{}]
    assert (response["version"], response["in_sync"]) == (version, in_sync)
    assert response["tokens"] == (2 if version else 0)


async def test_a_list_that_is_too_long_for_one_message_comes_in_several(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    variables = {
        "LocalAuthListCtrlr.Available": ("true", True),
        "LocalAuthListCtrlr.ItemsPerMessage": ("2", True),
    }
    charger = await charger2_ws(variables=variables)
    for id_token in ("CARD1", "CARD2", "CARD3"):
        await add_token(hass, id_token)
    response = await act(hass, "send_local_list", full=True)
    sent = charger.calls("SendLocalList")
    assert [one["updateType"] for one in sent] == ["Full", "Differential"]
    assert [len(one["localAuthorizationList"]) for one in sent] == [2, 1]
    assert sent[0]["versionNumber"] < sent[1]["versionNumber"] == response["version"]


async def test_a_charger_that_holds_another_version_is_sent_the_whole_list(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await held(hass, charger2)
    await add_token(hass, "CARD3")
    answers = iter(["VersionMismatch", "Accepted"])
    charger2.answers["SendLocalList"] = lambda _: {"status": next(answers)}
    response = await act(hass, "send_local_list")
    sent = charger2.calls("SendLocalList")
    assert [one["updateType"] for one in sent] == ["Differential", "Full"]
    assert (response["answer"], response["full"]) == ("Accepted", True)
    assert response["version"] == sent[1]["versionNumber"] > sent[0]["versionNumber"]
