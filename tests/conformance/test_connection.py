"""Connections: passwords and versions at the handshake, through the integration."""

from base64 import b64encode
from http import HTTPStatus
from typing import Any

from aiohttp import ClientSession, WSServerHandshakeError
from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger import BOOT
from ..ha.conftest import IDENTITY
from .wire import Wire
from custom_components.ev_charger_hub.const import CONF_PASSWORD_HASH, CONF_QUIET
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.credentials import hash_password

PASSWORD = "Kx7mPq2nRt9wYz4bCd6e"
KEY = bytes(range(32, 52))


async def approve(hass: HomeAssistant, hub: OcppHub, password: str | None) -> None:
    """Approve the charger with a password, and send it nothing unasked."""
    hub.approve(IDENTITY, "Garage", None)
    (subentry,) = hub.entry.subentries.values()
    data: dict[str, Any] = {**subentry.data, CONF_QUIET: True}
    if password is not None:
        hashed = await hass.async_add_executor_job(hash_password, password)
        data[CONF_PASSWORD_HASH] = hashed
    hass.config_entries.async_update_subentry(hub.entry, subentry, data=data)
    await hass.async_block_till_done()


async def boots(
    hub: OcppHub,
    *,
    protocols: tuple[str, ...] = ("ocpp1.6",),
    user: str = IDENTITY,
    password: str | None = None,
) -> tuple[str | None, str]:
    """Return the version of a new connection, and the answer to a boot on it."""
    headers = {}
    if password is not None:
        pair = f"{user}:{password}".encode("latin-1")
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"ws://127.0.0.1:{hub.port}/ocpp/{IDENTITY}",
            protocols=protocols,
            headers=headers,
        ) as ws,
    ):
        answer = await Wire(ws).call("BootNotification", BOOT)
        return ws.protocol, answer[2]["status"]


@pytest.mark.conformance("TC_085_CSMS")
@pytest.mark.conformance("SEC_03")
@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        (PASSWORD, PASSWORD),
        (PASSWORD, PASSWORD.encode().hex()),
        (PASSWORD.encode().hex(), PASSWORD),
        (PASSWORD.encode().hex().upper(), PASSWORD.encode().hex()),
        (KEY.hex(), KEY.decode("latin-1")),
    ],
    ids=["text", "sent as hex", "configured as hex", "hex", "bytes"],
)
async def test_charger_with_the_right_password_is_accepted(
    hass: HomeAssistant, hub: OcppHub, configured: str, sent: str
) -> None:
    """The password counts, however either end writes it."""
    await approve(hass, hub, configured)
    assert await boots(hub, password=sent) == ("ocpp1.6", "Accepted")


@pytest.mark.conformance("SEC_02")
@pytest.mark.parametrize(
    ("user", "password"),
    [(IDENTITY, None), (IDENTITY, "wrong"), ("CP99", PASSWORD), (IDENTITY, "")],
)
async def test_charger_without_the_right_password_is_refused(
    hass: HomeAssistant, hub: OcppHub, user: str, password: str | None
) -> None:
    """User and password have to be right, and nothing is upgraded before."""
    await approve(hass, hub, PASSWORD)
    with pytest.raises(WSServerHandshakeError) as error:
        await boots(hub, user=user, password=password)
    assert error.value.status == HTTPStatus.UNAUTHORIZED
    # With it libwebsockets, which many chargers have, waits 30 s.
    assert "WWW-Authenticate" not in (error.value.headers or {})
    assert PASSWORD not in str(
        [dict(one.data) for one in hub.entry.subentries.values()]
    )
    assert await boots(hub, password=PASSWORD) == ("ocpp1.6", "Accepted")


@pytest.mark.conformance("SEC_02")
async def test_guesses_are_locked_out(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, hub: OcppHub
) -> None:
    """After some failures nobody is even asked, for a second at first."""
    await approve(hass, hub, PASSWORD)
    statuses = []
    for _ in range(5):
        with pytest.raises(WSServerHandshakeError) as error:
            await boots(hub, password="wrong")
        statuses.append(error.value.status)
    assert statuses == [HTTPStatus.UNAUTHORIZED] * 4 + [HTTPStatus.TOO_MANY_REQUESTS]
    freezer.tick(1)
    assert await boots(hub, password=PASSWORD) == ("ocpp1.6", "Accepted")


@pytest.mark.conformance("TC_088_CSMS")
async def test_version_is_negotiated(hass: HomeAssistant, hub: OcppHub) -> None:
    """Of what is offered, what we speak is chosen; of nothing, nothing."""
    await approve(hass, hub, None)
    known = await boots(hub, protocols=("ocpp0.1", "ocpp1.6"))
    assert known == ("ocpp1.6", "Accepted")
    with pytest.raises(WSServerHandshakeError) as error:
        await boots(hub, protocols=("ocpp0.1",))
    assert error.value.status == HTTPStatus.BAD_REQUEST
    assert "Sec-WebSocket-Protocol" not in (error.value.headers or {})
