"""The websocket itself, and how much of it one address or charger may use."""

import asyncio
import contextlib
from contextlib import AsyncExitStack, suppress
from http import HTTPStatus
import logging
from typing import Any

from aiohttp import (
    ClientConnectionResetError,
    ClientSession,
    TCPConnector,
    WSMsgType,
    WSServerHandshakeError,
)
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant

from ..ha.charger import PATIENCE, Charger
from ..ha.conftest import IDENTITY, ChargerFactory
from .answers import sessions
from .wire import Wire, dialled
from custom_components.ev_charger_hub.const import CONF_PASSWORD_HASH, CONF_POLICY
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp import door, listener, transport
from custom_components.ev_charger_hub.station.journal import Journal

START = {
    "connectorId": 1,
    "idTag": "TAG12345",
    "meterStart": 0,
    "timestamp": "2026-11-20T10:00:00Z",
}


async def handshake(hub: OcppHub, path: str, **headers: str) -> tuple[int, str | None]:
    """Return the status of a handshake, and the subprotocol that was chosen."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    async with ClientSession() as session:
        try:
            async with session.ws_connect(
                f"ws://127.0.0.1:{hub.port}{path}", headers=named
            ) as ws:
                echoed = ws._response.headers.get("Sec-WebSocket-Protocol")
                return HTTPStatus.SWITCHING_PROTOCOLS, echoed
        except WSServerHandshakeError as err:
            return err.status, None


async def closed(wire: Wire) -> int:
    """Return the code that the server closes with."""
    async with asyncio.timeout(PATIENCE):
        while (message := await wire.ws.receive()).type is not WSMsgType.CLOSE:
            pass
    code: int = message.data
    return code


@pytest.mark.conformance("WS_01")
@pytest.mark.parametrize(
    ("offered", "status", "chosen"),
    [
        ("ocpp1.6", 101, "ocpp1.6"),
        ("ocpp9, ocpp1.6", 101, "ocpp1.6"),
        ("OCPP1.6", 101, "OCPP1.6"),
        ("ocpp2.0", 400, None),
        ("ocpp9", 400, None),
    ],
)
async def test_newest_common_version_is_echoed_and_no_other(
    hub: OcppHub, quiet: None, offered: str, status: int, chosen: str | None
) -> None:
    answer = await handshake(hub, f"/{IDENTITY}", Sec_WebSocket_Protocol=offered)
    assert answer == (status, chosen)


@pytest.mark.conformance("WS_03")
@pytest.mark.parametrize(
    ("path", "known"),
    [
        (f"/{IDENTITY}", True),
        (f"/any/thing/{IDENTITY}/", True),
        ("/%43P01", True),
        (f"/ocpp2.0.1/{IDENTITY}", True),
        ("/", False),
        ("/a:b", False),
        ("/" + "x" * 49, False),
    ],
)
async def test_identity_is_the_last_part_of_the_address(
    hub: OcppHub, quiet: None, path: str, known: bool
) -> None:
    status, chosen = await handshake(hub, path, Sec_WebSocket_Protocol="ocpp1.6")
    assert status == (101 if known else 404)
    assert chosen == ("ocpp1.6" if known else None)
    assert not hub.waiting


@pytest.mark.conformance("WS_04")
async def test_unknown_charger_controls_nothing(
    hass: HomeAssistant, hub: OcppHub, init_integration: MockConfigEntry
) -> None:
    async with dialled(hub.port, "UNKNOWN") as wire:
        boot = {"chargePointVendor": "Acme", "chargePointModel": "Wall"}
        assert (await wire.call("BootNotification", boot))[2]["status"] == "Pending"
        assert (await wire.call("StartTransaction", START))[2] == "SecurityError"
    assert [one.identity for one in hub.waiting] == ["UNKNOWN"]
    assert not hub.stations
    hass.config_entries.async_update_entry(
        init_integration, options={CONF_POLICY: "refuse"}
    )
    await hass.async_block_till_done()
    assert (await handshake(hub, "/UNKNOWN"))[0] == HTTPStatus.NOT_FOUND


@pytest.mark.conformance("WS_05")
async def test_newer_socket_of_a_charger_replaces_the_older(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    wire: Wire,
) -> None:
    async with dialled(hub.port) as newer:
        await newer.next_is_the_answer_to_a_heartbeat()
        assert await closed(wire) == 1000
        with contextlib.suppress(ClientConnectionResetError):
            await wire.send([2, "1", "StartTransaction", START])
        await newer.next_is_the_answer_to_a_heartbeat()
        assert await sessions(hass) == []
        assert hub.stations[IDENTITY].station.online.value
    found: Any = await get_diagnostics_for_config_entry(
        hass, hass_client, init_integration
    )
    (told,) = found["chargers"][0]["connection"]["replaced"]
    assert told["same_address"]


@pytest.mark.conformance("WS_06")
async def test_line_that_died_in_silence_is_noticed(
    hass: HomeAssistant, hub: OcppHub, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.central_system, "_ping_interval", 0.01)
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"ws://127.0.0.1:{hub.port}/{IDENTITY}",
            protocols=["ocpp1.6"],
            autoping=False,
        ) as ws,
    ):
        message = await ws.receive(timeout=PATIENCE)
        assert message.type is WSMsgType.PING
        async with asyncio.timeout(PATIENCE):
            while not ws.closed:
                await ws.receive()
    assert not hub.stations[IDENTITY].station.online.value


@pytest.mark.conformance("WS_07")
async def test_ping_is_answered(hub: OcppHub, quiet: None) -> None:
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"ws://127.0.0.1:{hub.port}/{IDENTITY}",
            protocols=["ocpp1.6"],
            autoping=False,
        ) as ws,
    ):
        await ws.ping(b"hello")
        message = await ws.receive(timeout=PATIENCE)
        assert (message.type, message.data) == (WSMsgType.PONG, b"hello")


@pytest.mark.conformance("WS_08")
async def test_frame_beyond_a_mebibyte_ends_the_connection(wire: Wire) -> None:
    await wire.send("x" * (transport.MAX_FRAME - 20))
    await wire.next_is_the_answer_to_a_heartbeat()
    await wire.send("x" * (transport.MAX_FRAME + 1))
    assert await closed(wire) == 1009


@pytest.mark.conformance("WS_10")
async def test_binary_frame_ends_the_connection(wire: Wire) -> None:
    await wire.ws.send_bytes(b'[2,"1","Heartbeat",{}]')
    assert await closed(wire) == 1003


@pytest.mark.conformance("WS_11")
async def test_handshake_that_never_ends_is_hung_up_on(
    hub: OcppHub, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HANDSHAKE_TIMEOUT", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(b"GET /CP01 HTTP/1.1\r\n")
    async with asyncio.timeout(PATIENCE):
        # If it hangs up before it has read that, the socket is reset.
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


@pytest.mark.conformance("WS_11")
async def test_silent_sockets_keep_no_charger_out(
    hub: OcppHub, quiet: None, charger_ws: ChargerFactory
) -> None:
    sockets = [
        await asyncio.open_connection("127.0.0.1", hub.port)
        for _ in range(listener._HALF_OPEN + 20)
    ]
    charger = await charger_ws(IDENTITY)
    assert (await charger.boot())["status"] == "Accepted"
    # The oldest gave way to it.
    async with asyncio.timeout(PATIENCE):
        with pytest.raises((ConnectionError, AssertionError)):
            assert await sockets[0][0].read(1) != b""
    for _, writer in sockets:
        writer.close()


@pytest.mark.conformance("WS_12")
async def test_end_of_home_assistant_is_told(
    hass: HomeAssistant, init_integration: MockConfigEntry, wire: Wire
) -> None:
    await hass.config_entries.async_unload(init_integration.entry_id)
    assert await closed(wire) == 1001


@pytest.mark.conformance("WS_12")
async def test_what_a_charger_just_said_is_not_lost_at_the_end(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    insert = Journal.insert

    async def later(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        await gate.wait()
        return await insert(*args, **kwargs)

    monkeypatch.setattr(Journal, "insert", later)
    await wire.send([2, "1", "StartTransaction", START])
    await begun.wait()
    unload = asyncio.create_task(
        hass.config_entries.async_unload(init_integration.entry_id)
    )
    assert await closed(wire) == 1001
    assert not unload.done()
    gate.set()
    assert await unload
    assert await hass.config_entries.async_setup(init_integration.entry_id)
    await hass.async_block_till_done()
    (session,) = await sessions(hass)
    assert (session["state"], session["id_token"]) == ("open", "TAG12345")


@pytest.mark.conformance("WS_13")
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1", 101),
        ("file://", 101),
    ],
)
async def test_web_page_of_another_site_is_refused(
    hub: OcppHub, quiet: None, origin: str, status: int
) -> None:
    answer = await handshake(
        hub, f"/{IDENTITY}", Sec_WebSocket_Protocol="ocpp1.6", Origin=origin
    )
    assert answer[0] == status


@pytest.mark.conformance("SEC_11")
async def test_flood_of_one_charger_is_answered_and_stops_no_other(
    hass: HomeAssistant, hub: OcppHub, wire: Wire
) -> None:
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    for number in range(220):
        await wire.send([2, f"f{number}", "Heartbeat", {}])
    async with dialled(hub.port, "CP02") as other:
        await other.next_is_the_answer_to_a_heartbeat()
    answers = [await wire.receive() for _ in range(220)]
    assert [one[1] for one in answers] == [f"f{number}" for number in range(220)]


@pytest.mark.conformance("SEC_11")
async def test_made_up_chargers_do_not_fill_the_waiting_room(
    hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(20):
            await stack.enter_async_context(dialled(hub.port, f"MADE-UP-{number}"))
        with pytest.raises(WSServerHandshakeError, match="503"):
            await charger_ws("MADE-UP-20")
        elsewhere = TCPConnector(local_addr=("127.0.0.2", 0))
        async with ClientSession(connector=elsewhere) as session:
            ws = await session.ws_connect(
                f"ws://127.0.0.1:{hub.port}/MINE", protocols=["ocpp1.6"]
            )
            await Wire(ws).next_is_the_answer_to_a_heartbeat()
            await ws.close()
    assert "MINE" in [one.identity for one in hub.waiting]
    assert len(hub.waiting) == 20


@pytest.mark.conformance("SEC_11")
async def test_endless_text_is_refused_and_endless_names_leave_no_trace(
    hub: OcppHub, wire: Wire
) -> None:
    answer = await wire.call("DataTransfer", {"vendorId": "x", "data": "d" * 70_000})
    assert answer[2] == "FormationViolation"
    for number in range(100):
        status = {
            "connectorId": 1 + number,
            "errorCode": "NoError",
            "status": "Faulted",
        }
        await wire.call("StatusNotification", status)
    assert len(hub.stations[IDENTITY].station.evses) <= 64


@pytest.mark.conformance("SEC_11")
async def test_guesses_of_passwords_are_slowed_down(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hub: OcppHub,
    quiet: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={CONF_PASSWORD_HASH: "scrypt$1$1$1$AAAA$AAAA"}
    )
    await hass.async_block_till_done()
    statuses = []
    for number in range(6):
        charger = Charger(
            identity=IDENTITY,
            url=f"ws://127.0.0.1:{hub.port}",
            password=f"guess-{number}",
        )
        with pytest.raises(WSServerHandshakeError) as error:
            await charger.connect()
        statuses.append(error.value.status)
    assert statuses == [401] * 4 + [429] * 2
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
