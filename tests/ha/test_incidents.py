"""Test what the user hears of others in the network, and what they can write there."""

from http import HTTPStatus
from typing import Any

from aiohttp import ClientSession, TCPConnector, WSServerHandshakeError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .charger import Charger
from .conftest import IDENTITY, ChargerFactory, device_of
from custom_components.ev_charger_hub.const import (
    CONF_MISSING_SUBPROTOCOL,
    CONF_NO_NEW_CONNECTIONS,
    CONF_PASSWORD_HASH,
    CONF_POLICY,
    DOMAIN,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.incidents import INTRUDER, SHARED
from custom_components.ev_charger_hub.issues import finding_issue_id, harmless, plain


async def intrude(hub: OcppHub) -> int:
    """Come from another address as the charger; return how that ends."""
    connector = TCPConnector(local_addr=("127.0.0.2", 0))
    async with ClientSession(connector=connector) as session:
        try:
            url = f"ws://127.0.0.1:{hub.port}/{IDENTITY}"
            await session.ws_connect(url, protocols=("ocpp1.6",))
        except WSServerHandshakeError as err:
            return err.status
    return HTTPStatus.SWITCHING_PROTOCOLS


@pytest.mark.conformance("WS_05")
async def test_second_device_is_refused_and_the_user_told(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """Test that a charger is not pushed out by somebody else, and who it was."""
    assert await intrude(hub) == HTTPStatus.CONFLICT
    await approved_charger.call("Heartbeat")
    issue_id = finding_issue_id(INTRUDER, IDENTITY)
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "known": "127.0.0.1",
        "name": "Garage",
        "stranger": "127.0.0.2",
    }
    # The user reads it and closes it.
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    flow = await response.json()
    assert flow["step_id"] == "confirm"
    response = await client.post(f"/api/repairs/issues/fix/{flow['flow_id']}", json={})
    assert (await response.json())["type"] == FlowResultType.CREATE_ENTRY
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None


async def test_password_settles_whose_the_identity_is(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Test that the message goes with its reason."""
    await intrude(hub)
    (subentry,) = init_integration.subentries.values()
    hass.config_entries.async_update_subentry(
        init_integration, subentry, data={CONF_PASSWORD_HASH: "scrypt$"}
    )
    await hass.async_block_till_done()
    issue_id = finding_issue_id(INTRUDER, IDENTITY)
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None


async def test_devices_that_share_an_identity_are_told(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Test the message with the addresses, and that it goes with the charger."""
    session = hub.central_system.sessions[IDENTITY]
    assert session.on_shared is not None
    session.on_shared(["10.0.0.1", "10.0.0.2"])
    issue_id = finding_issue_id(SHARED, IDENTITY)
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "addresses": "10.0.0.1, 10.0.0.2",
        "name": "Garage",
    }
    (subentry,) = init_integration.subentries.values()
    hass.config_entries.async_remove_subentry(init_integration, subentry.subentry_id)
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
    # Nothing is told of who is gone.
    hub.admission.intruded(IDENTITY, "10.0.0.1", "10.0.0.2")
    hub.admission.shared(IDENTITY, ["10.0.0.1"])
    hub.admission.unguarded(IDENTITY)
    assert not [one for one in issue_registry.issues if one[0] == DOMAIN]


async def test_user_may_refuse_new_connections(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    """Test the switch for an emergency: who is there stays, nobody else comes in."""
    options: dict[str, Any] = {CONF_NO_NEW_CONNECTIONS: True}
    hass.config_entries.async_update_entry(init_integration, options=options)
    await hass.async_block_till_done()
    await approved_charger.call("Heartbeat")
    with pytest.raises(WSServerHandshakeError, match="503"):
        await charger_ws("CP02")
    hass.config_entries.async_update_entry(init_integration, options={})
    await hass.async_block_till_done()
    await (await charger_ws("CP02")).boot()


@pytest.mark.conformance("WS_02")
async def test_charger_that_names_no_version_is_refused_if_the_user_says_so(
    hass: HomeAssistant, init_integration: MockConfigEntry, hub: OcppHub
) -> None:
    """Test the compatibility switch of one charger."""
    subentry = hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = Charger(identity=IDENTITY, url=f"ws://127.0.0.1:{hub.port}")
    await charger.connect(protocols=())
    await charger.close()
    hass.config_entries.async_update_subentry(
        init_integration, subentry, data={CONF_MISSING_SUBPROTOCOL: False}
    )
    await hass.async_block_till_done()
    with pytest.raises(WSServerHandshakeError, match="400"):
        await charger.connect(protocols=())


async def test_name_that_a_stranger_chose_is_no_markdown(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
) -> None:
    """Test that an identity becomes a name of which no text makes a link."""
    hass.config_entries.async_update_entry(
        init_integration, options={CONF_POLICY: "accept"}
    )
    await hass.async_block_till_done()
    await (await charger_ws("[www.a](%2F%2Fb)")).boot()
    await hass.async_block_till_done()
    device = device_of(hass, init_integration, "[www.a](//b)")
    assert device is not None
    assert device.name == "www a b"


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("CP_01-Garage", "CP_01-Garage"),
        ("Wallböx 2", "Wallböx 2"),
        ("<img src=x>", "img src x"),
        ("[a](b)", "a b"),
        ("![]()", "Charger"),
    ],
)
def test_harmless_names(identity: str, name: str) -> None:
    """Test what is left of an identity."""
    assert harmless(identity) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`[a](b)`", "[a](b)"),
        ("a\n\n# b", "a  # b"),
        ("a\u202eb\x00", "a b"),
        (None, "?"),
        ("`", "?"),
        ("x" * 500, "x" * 200),
    ],
)
def test_text_between_backticks_stays_there(text: str | None, shown: str) -> None:
    """Test that nothing a stranger says ends the code span that it stands in."""
    assert plain(text) == shown
