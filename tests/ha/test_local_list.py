"""Local lists: the tokens that the user added get to the charger, and stay there."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .charger import PATIENCE, Charger
from .conftest import IDENTITY, ChargerFactory
from .entities import act, device_id, exists, flush, state
from .test_subentry_flow import SETTINGS, assert_changed, change
from .tokens import LIST_KEYS, add_token, remove_token, with_list
from custom_components.ev_charger_hub.const import CONF_LOCAL_LIST, CONF_QUIET
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station import local_list
from tests.underway import rest, until

SIZE = f"{IDENTITY}_local_list"
ACCEPTED = {"status": "Accepted"}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gather no changes of tokens."""
    monkeypatch.setattr(local_list, "SOON", 0)


async def arrive(hass: HomeAssistant, hub: OcppHub, charger: Charger) -> None:
    """Let a charger that uses its list restart, and be set up."""
    charger.configuration |= LIST_KEYS
    charger.received.clear()
    await act(hass, "reset")
    hub.stations[IDENTITY].station.findings.clear()
    await charger.boot()
    await listed(hub, charger)


async def listed(hub: OcppHub, charger: Charger) -> None:
    """Wait until set-up has come to the list."""
    findings = hub.stations[IDENTITY].station.findings
    await until(lambda: "local_list" in findings)


async def shows(hass: HomeAssistant, charger: Charger, size: str) -> None:
    """Wait until the sensor shows so many tokens."""
    async with asyncio.timeout(PATIENCE):
        while not exists(hass, "sensor", SIZE) or state(hass, "sensor", SIZE) != size:
            await rest()
            await flush(hass)


async def settings(hass: HomeAssistant, hub: OcppHub, **data: Any) -> None:
    """Change settings of the charger."""
    subentry_id = hub.stations[IDENTITY].subentry_id
    subentry = hub.entry.subentries[subentry_id]
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, **data}
    )
    await hass.async_block_till_done()


@pytest.mark.usefixtures("at_once")
async def test_tokens_get_to_the_charger_by_themselves(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await with_list(hass, approved_charger)
    assert not exists(hass, "sensor", SIZE)
    await add_token(hass, "04A2B3", name="Anna", group="FAMILY")
    assert await approved_charger.expect("SendLocalList") == {
        "listVersion": 1,
        "updateType": "Full",
        "localAuthorizationList": [
            {
                "idTag": "04A2B3",
                "idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"},
            }
        ],
    }
    approved_charger.answers["GetLocalListVersion"] = {"listVersion": 1}
    await add_token(hass, "04A2B3", status="blocked")
    await approved_charger.expect("SendLocalList", 2)
    approved_charger.answers["GetLocalListVersion"] = {"listVersion": 2}
    await shows(hass, approved_charger, "1")
    await remove_token(hass, "04A2B3")
    await approved_charger.expect("SendLocalList", 3)
    assert approved_charger.calls("SendLocalList")[1:] == [
        {
            "listVersion": 2,
            "updateType": "Differential",
            "localAuthorizationList": [
                {"idTag": "04A2B3", "idTagInfo": {"status": "Blocked"}}
            ],
        },
        {
            "listVersion": 3,
            "updateType": "Differential",
            "localAuthorizationList": [{"idTag": "04A2B3"}],
        },
    ]
    await shows(hass, approved_charger, "0")


@pytest.mark.usefixtures("at_once")
async def test_a_token_of_another_charger_is_none_of_this(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await with_list(hass, approved_charger)
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    await add_token(hass, "THERE", chargers=[device_id(hass, "CP02")])
    await add_token(hass, "HERE", chargers=[device_id(hass, IDENTITY)])
    sent = await approved_charger.expect("SendLocalList")
    assert [one["idTag"] for one in sent["localAuthorizationList"]] == ["HERE"]


async def test_a_restarted_charger_is_asked_what_it_holds(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await add_token(hass, "CARD")
    await arrive(hass, hub, approved_charger)
    assert len(approved_charger.calls("SendLocalList")) == 1
    findings = hub.stations[IDENTITY].station.findings
    assert findings["local_list"] == "ok: 1 tokens"
    approved_charger.answers["GetLocalListVersion"] = {"listVersion": 1}
    await arrive(hass, hub, approved_charger)
    assert len(approved_charger.calls("GetLocalListVersion")) == 1
    assert approved_charger.calls("SendLocalList") == []


async def test_a_charger_without_a_list_is_not_bothered(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await add_token(hass, "CARD")
    approved_charger.configuration |= {"LocalAuthListEnabled": "false"}
    await act(hass, "get_configuration")
    hub.stations[IDENTITY].local_list.changed()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert approved_charger.calls("GetLocalListVersion") == []


@pytest.mark.usefixtures("at_once")
async def test_a_list_is_switched_on_if_the_user_wants_it(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    approved_charger.configuration |= LIST_KEYS | {"LocalAuthListEnabled": "false"}
    await act(hass, "get_configuration")
    connection = {**SETTINGS["connection"], CONF_LOCAL_LIST: "enable"}
    assert_changed(await change(hass, init_integration, connection=connection))
    await until(
        lambda: approved_charger.configuration["LocalAuthListEnabled"] == "true"
    )
    assert approved_charger.calls("SendLocalList") == []
    await add_token(hass, "CARD")
    await approved_charger.expect("SendLocalList")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("wish", [{CONF_LOCAL_LIST: "off"}, {CONF_QUIET: True}])
async def test_a_list_that_is_to_be_left_alone_is(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger, wish: dict[str, Any]
) -> None:
    await with_list(hass, approved_charger)
    await settings(hass, hub, **wish)
    await add_token(hass, "CARD")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert approved_charger.calls("SendLocalList") == []
    await act(hass, "send_local_list")
    assert len(approved_charger.calls("SendLocalList")) == 1


async def test_the_list_is_sent_on_request(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    for number in range(7):
        await add_token(hass, f"CARD{number}")
    await with_list(hass, approved_charger)
    response = await act(hass, "send_local_list")
    assert response == {
        "status": "accepted",
        "answer": "Accepted",
        "detail": "",
        "response": ACCEPTED,
        "sent": True,
        "full": True,
        "version": 2,
        "tokens": 7,
        "left_out": 0,
    }
    approved_charger.answers["GetLocalListVersion"] = {"listVersion": 2}
    response = await act(hass, "send_local_list")
    assert (response["sent"], response["version"]) == (False, 2)
    response = await act(hass, "send_local_list", full=True)
    assert (response["sent"], response["version"]) == (True, 4)
    assert [
        (one["updateType"], one["listVersion"], len(one["localAuthorizationList"]))
        for one in approved_charger.calls("SendLocalList")
    ] == [
        ("Full", 1, 5),
        ("Differential", 2, 2),
        ("Full", 3, 5),
        ("Differential", 4, 2),
    ]


async def test_a_list_that_is_refused_is_told(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await add_token(hass, "CARD")
    approved_charger.answers["SendLocalList"] = {"status": "Failed"}
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "send_local_list")
    assert error.value.translation_key == "rejected"
    assert hub.stations[IDENTITY].station.findings["local_list"] == "refused: Failed"


async def test_what_the_charger_holds_is_told(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await with_list(hass, approved_charger)
    await add_token(hass, "CARD")
    response = await act(hass, "get_local_list_version")
    wanted = response.pop("wanted_hash")
    empty = response.pop("hash")
    assert empty != wanted
    assert response == {
        "supported": True,
        "enabled": True,
        "version": 0,
        "tokens": 0,
        "in_sync": False,
        "wanted_tokens": 1,
        "max_tokens": 10,
        "max_tokens_per_message": 5,
    }
    await act(hass, "send_local_list")
    approved_charger.answers["GetLocalListVersion"] = {"listVersion": 1}
    response = await act(hass, "get_local_list_version")
    assert response["in_sync"]
    assert (response["tokens"], response["hash"]) == (1, wanted)
    # Somebody else has written it.
    approved_charger.answers["GetLocalListVersion"] = {"listVersion": 99}
    response = await act(hass, "get_local_list_version")
    assert (response["version"], response["tokens"], response["in_sync"]) == (
        99,
        None,
        False,
    )


async def test_what_was_sent_is_known_after_a_restart(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    await add_token(hass, "CARD")
    await act(hass, "send_local_list")
    await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    hub: OcppHub = init_integration.runtime_data
    hub.stations[IDENTITY].station.findings.clear()
    charger = await charger_ws(IDENTITY)
    charger.configuration |= LIST_KEYS
    charger.answers["GetLocalListVersion"] = {"listVersion": 1}
    await charger.boot()
    await listed(hub, charger)
    assert len(charger.calls("GetLocalListVersion")) == 1
    assert charger.calls("SendLocalList") == []
    assert state(hass, "sensor", SIZE) == "1"
