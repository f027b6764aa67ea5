"""The local authorization list: asked for, sent whole and by differences."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Charger
from ..ha.conftest import IDENTITY
from ..ha.entities import act
from ..ha.tokens import add_token
from custom_components.ev_charger_hub.hub import OcppHub


def card(id_tag: str) -> dict[str, Any]:
    """Return the entry of a card that may charge."""
    return {"idTag": id_tag, "idTagInfo": {"status": "Accepted"}}


@pytest.mark.conformance("TC_042_1_CSMS")
async def test_a_charger_without_a_list_says_so(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    quiet_charger.answers["GetLocalListVersion"] = {"listVersion": -1}
    response = await act(hass, "get_local_list_version")
    assert quiet_charger.calls("GetLocalListVersion") == [{}]
    assert (response["supported"], response["version"]) == (False, None)
    await add_token(hass, "CARD")
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "send_local_list")
    assert error.value.translation_key == "not_supported_by_charger"
    assert quiet_charger.calls("SendLocalList") == []


@pytest.mark.conformance("TC_042_2_CSMS")
async def test_version_0_is_an_empty_list(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    quiet_charger.answers["GetLocalListVersion"] = {"listVersion": 0}
    response = await act(hass, "get_local_list_version")
    assert quiet_charger.calls("GetLocalListVersion") == [{}]
    assert (response["supported"], response["version"], response["tokens"]) == (
        True,
        0,
        0,
    )
    assert response["in_sync"]


@pytest.mark.conformance("TC_043_1_CSMS")
async def test_a_charger_that_takes_no_list_is_left_alone(
    hass: HomeAssistant, hub: OcppHub, quiet_charger: Charger
) -> None:
    await add_token(hass, "CARD")
    quiet_charger.answers["SendLocalList"] = {"status": "NotSupported"}
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "send_local_list")
    assert error.value.translation_key == "not_supported_by_charger"
    (sent,) = quiet_charger.calls("SendLocalList")
    assert sent["updateType"] == "Full"
    findings = hub.stations[IDENTITY].station.findings
    assert findings["local_list"] == "not_supported"


@pytest.mark.conformance("TC_043_3_CSMS")
async def test_a_failed_list_is_sent_once_more_as_a_whole(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await add_token(hass, "CARD")
    answers = iter(["Failed", "Accepted"])
    quiet_charger.answers["SendLocalList"] = lambda _: {"status": next(answers)}
    response = await act(hass, "send_local_list")
    assert quiet_charger.calls("SendLocalList") == [
        {
            "listVersion": version,
            "updateType": "Full",
            "localAuthorizationList": [card("CARD")],
        }
        for version in (1, 2)
    ]
    assert (response["answer"], response["version"]) == ("Accepted", 2)


@pytest.mark.conformance("TC_043_4_CSMS")
async def test_a_whole_list_has_a_version_and_says_something_of_each_card(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    for id_tag in ("CARD1", "CARD2"):
        await add_token(hass, id_tag)
    await add_token(hass, "LOST", status="blocked")
    response = await act(hass, "send_local_list", full=True)
    assert quiet_charger.calls("SendLocalList") == [
        {
            "listVersion": 1,
            "updateType": "Full",
            "localAuthorizationList": [
                card("CARD1"),
                card("CARD2"),
                {"idTag": "LOST", "idTagInfo": {"status": "Blocked"}},
            ],
        }
    ]
    assert response["answer"] == "Accepted"


@pytest.mark.conformance("TC_043_5_CSMS")
async def test_a_difference_has_a_higher_version_and_nothing_else(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await add_token(hass, "CARD1")
    await act(hass, "send_local_list")
    quiet_charger.answers["GetLocalListVersion"] = {"listVersion": 1}
    await add_token(hass, "CARD2")
    quiet_charger.received.clear()
    await act(hass, "send_local_list")
    assert [(one.action, one.payload) for one in quiet_charger.received] == [
        ("GetLocalListVersion", {}),
        (
            "SendLocalList",
            {
                "listVersion": 2,
                "updateType": "Differential",
                "localAuthorizationList": [card("CARD2")],
            },
        ),
    ]
