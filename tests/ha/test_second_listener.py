"""Test chargers that come by Home Assistant's own HTTP port."""

from base64 import b64encode
from http import HTTPStatus
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir

from .charger import BOOT
from .conftest import IDENTITY, ChargerFactory
from .secured import act
from custom_components.ev_charger_hub.const import (
    CONF_HOME_ASSISTANT_PORT,
    CONF_PASSWORD_HASH,
    CONF_POLICY,
    DOMAIN,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.incidents import UNGUARDED
from custom_components.ev_charger_hub.issues import finding_issue_id
from custom_components.ev_charger_hub.ocpp.credentials import hash_password
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy

PASSWORD = "Kx7mPq2nRt9wYz4bCd6e"
PATH = f"/api/{DOMAIN}/ocpp/"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


type Client = TestClient[Any, Any]


def basic(password: str = PASSWORD, user: str = IDENTITY) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {
        "Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    }


@pytest.fixture
async def client(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    hass_client_no_auth: ClientSessionGenerator,
) -> Client:
    """Return a client of Home Assistant's port, where one charger is let in."""
    hub.approve(
        IDENTITY, "Garage", await hass.async_add_executor_job(hash_password, PASSWORD)
    )
    switch(hass, init_integration, True)
    await hass.async_block_till_done()
    client: Client = await hass_client_no_auth()
    return client


def switch(hass: HomeAssistant, entry: MockConfigEntry, on: bool) -> None:
    """Switch the listener."""
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_HOME_ASSISTANT_PORT: on}
    )


async def boot(ws: ClientWebSocketResponse) -> str:
    """Send a BootNotification; return the status of the answer."""
    await ws.send_json([2, "boot", "BootNotification", BOOT])
    while (answer := await ws.receive_json(timeout=60))[1] != "boot":
        pass
    status: str = answer[2]["status"]
    return status


async def status(
    client: Client, headers: dict[str, str] | None = None, who: str = IDENTITY
) -> int:
    """Return the status that a handshake is refused with."""
    response = await client.get(f"{PATH}{who}", headers=UPGRADE | (headers or {}))
    return response.status


async def test_charger_with_its_password_is_let_in(
    hass: HomeAssistant, hub: OcppHub, client: Client
) -> None:
    """Test that a charger boots, answers and is shown as at the other port."""
    async with client.ws_connect(
        f"{PATH}{IDENTITY}", protocols=["ocpp1.6"], headers=basic()
    ) as ws:
        assert ws.protocol == "ocpp1.6"
        assert await boot(ws) == "Accepted"
        assert hub.stations[IDENTITY].station.online.value
    await hass.async_block_till_done()


async def test_nobody_else_is_let_in(
    init_integration: MockConfigEntry, hass: HomeAssistant, client: Client
) -> None:
    """Test wrong passwords, none, and strangers, whatever the policy is."""
    assert await status(client, basic("wrong")) == HTTPStatus.UNAUTHORIZED
    assert await status(client) == HTTPStatus.UNAUTHORIZED
    assert await status(client, basic(), "CP02") == HTTPStatus.NOT_FOUND
    assert await status(client, basic(), "a%3Ab") == HTTPStatus.NOT_FOUND
    hass.config_entries.async_update_entry(
        init_integration,
        options={**init_integration.options, CONF_POLICY: AdmissionPolicy.ACCEPT},
    )
    await hass.async_block_till_done()
    assert await status(client, basic(), "CP02") == HTTPStatus.NOT_FOUND
    assert list(init_integration.runtime_data.stations) == [IDENTITY]


async def test_guesses_are_locked_out(
    freezer: FrozenDateTimeFactory, client: Client
) -> None:
    """Test that passwords cannot be tried as fast as somebody likes."""
    for _ in range(4):
        assert await status(client, basic("wrong")) == HTTPStatus.UNAUTHORIZED
    assert await status(client, basic("wrong")) == HTTPStatus.TOO_MANY_REQUESTS


async def test_listener_is_off_unless_it_is_switched_on(
    hass: HomeAssistant, init_integration: MockConfigEntry, client: Client
) -> None:
    """Test that nobody is answered there without the user's will."""
    switch(hass, init_integration, False)
    await hass.async_block_till_done()
    assert await status(client, basic()) == HTTPStatus.NOT_FOUND


async def test_charger_without_password_is_refused_and_the_user_told(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    client: Client,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Test that nobody passes without a password, and that setting one settles it."""
    subentry = hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    assert await status(client, basic(user="CP02"), "CP02") == HTTPStatus.FORBIDDEN
    issue_id = finding_issue_id(UNGUARDED, "CP02")
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {"name": "Carport"}
    hass.config_entries.async_update_subentry(
        init_integration, subentry, data={CONF_PASSWORD_HASH: "scrypt$"}
    )
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None


async def test_both_ports_are_one_server(
    hass: HomeAssistant,
    hub: OcppHub,
    client: Client,
    charger_ws: ChargerFactory,
) -> None:
    """Test that a charger which moves to the other port is still one charger."""
    charger = await charger_ws(IDENTITY, password=PASSWORD)
    await charger.boot()
    async with client.ws_connect(
        f"{PATH}{IDENTITY}", protocols=["ocpp1.6"], headers=basic()
    ) as ws:
        assert await boot(ws) == "Accepted"
        assert await charger.closed() == 1000
        assert hub.stations[IDENTITY].station.online.value
    await hass.async_block_till_done()


async def test_stopped_server_says_goodbye(
    hass: HomeAssistant, init_integration: MockConfigEntry, client: Client
) -> None:
    """Test that a charger at Home Assistant's port hears of the end as the others do."""
    ws = await client.ws_connect(
        f"{PATH}{IDENTITY}", protocols=["ocpp1.6"], headers=basic()
    )
    await boot(ws)
    await hass.config_entries.async_unload(init_integration.entry_id)
    while (message := await ws.receive(timeout=60)).type is WSMsgType.TEXT:
        pass
    assert message.type is WSMsgType.CLOSE
    assert message.data == 1001
    assert await status(client, basic()) == HTTPStatus.NOT_FOUND


async def test_security_profile_is_not_changed_at_this_port(
    hass: HomeAssistant, init_integration: MockConfigEntry, client: Client
) -> None:
    async with client.ws_connect(
        f"{PATH}{IDENTITY}", headers=basic(), protocols=["ocpp1.6"]
    ) as ws:
        await boot(ws)
        with pytest.raises(ServiceValidationError) as err:
            await act(hass, init_integration, "set_security_profile", profile=2)
    assert err.value.translation_key == "profile_at_home_assistant"
