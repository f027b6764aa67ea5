"""The door: sockets before the handshake, and garbage instead of one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
import logging
from typing import Any, override

import pytest

from .central import HOST, Central, Clock, running, until
from custom_components.ev_charger_hub.ocpp import door as door_module
from custom_components.ev_charger_hub.ocpp.door import Door, Knock
from custom_components.ev_charger_hub.ocpp.throttle import Pace

REQUEST = b"GET /CP01 HTTP/1.1\r\nHost: ha\r\n"


class Socket(asyncio.Transport):
    """A socket without a network."""

    def __init__(self, address: str) -> None:
        """Come from an address."""
        super().__init__({"peername": (address, 1)})
        self.aborted = False
        self.paused = 0

    @override
    def abort(self) -> None:
        self.aborted = True

    @override
    def close(self) -> None:
        """End at once."""

    @override
    def pause_reading(self) -> None:
        self.paused += 1

    @override
    def resume_reading(self) -> None:
        self.paused -= 1


@asynccontextmanager
async def raw(
    central: Central,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a TCP connection."""
    reader, writer = await asyncio.open_connection(HOST, central.system.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return what came before the other end hung up."""
    said = b""
    async with asyncio.timeout(60):
        try:
            while data := await reader.read(65536):
                said += data
        except ConnectionError:
            pass
    return said


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING
    ]


@pytest.mark.conformance("WS_11")
def test_flood_from_one_address_pushes_out_only_itself() -> None:
    door = Door(Clock(), capacity=10)
    good = Socket("10.0.0.1")
    assert door.knock(good)
    flood = [Socket("10.0.0.66") for _ in range(50)]
    assert all(door.knock(one) for one in flood)
    assert len(door) == 10
    assert not good.aborted
    assert [one.aborted for one in flood] == [True] * 41 + [False] * 9
    door.leave(good)
    door.leave(good)
    door.leave(None)
    assert len(door) == 9


@pytest.mark.conformance("SEC_11")
def test_address_that_is_always_refused_is_not_heard() -> None:
    clock = Clock()
    door = Door(clock)
    for _ in range(200):
        door.refused("10.0.0.66")
    assert not door.knock(Socket("10.0.0.66"))
    assert door.knock(Socket("10.0.0.1"))
    clock.advance(seconds=1)
    assert door.knock(Socket("10.0.0.66"))


def test_address_that_a_charger_came_from_is_always_heard() -> None:
    door = Door(Clock())
    door.welcome("10.0.0.1")
    for _ in range(300):
        door.refused("10.0.0.1")
    assert door.knock(Socket("10.0.0.1"))
    for number in range(1000):
        door.welcome(f"10.1.{number // 250}.{number % 250}")
    assert not door.knock(Socket("10.0.0.1"))


async def test_socket_that_is_not_heard_is_dropped(central: Central) -> None:
    for _ in range(300):
        central.system._door.refused(HOST)
    async with raw(central) as (reader, writer):
        writer.write(REQUEST + b"\r\n")
        assert await ended(reader) == b""
    assert not len(central.system._door)


@pytest.mark.conformance("WS_11")
async def test_half_open_sockets_keep_no_charger_out(central: Central) -> None:
    central.registrar.approve("CP01")
    central.system._door._capacity = 5
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(raw(central)) for _ in range(20)]
        for _, writer in sockets:
            writer.write(REQUEST)
        charger = await central.connect()
        assert (await charger.call("Heartbeat"))[0] == 3
        for reader, _ in sockets[:10]:
            assert await ended(reader) == b""
    await until(lambda: not len(central.system._door))


@pytest.mark.conformance("WS_11")
async def test_headers_that_never_end_are_waited_for_in_vain(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "HANDSHAKE_TIMEOUT", 0.05)
    async with raw(central) as (reader, writer):
        writer.write(REQUEST)
        assert await ended(reader) == b""


@pytest.mark.conformance("SEC_11")
@pytest.mark.parametrize(
    "request_text",
    [
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        REQUEST + b"X: " + b"x" * 9000 + b"\r\n\r\n",
        REQUEST + b"X: y\r\n" * 100 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        REQUEST + b"Content-Length: -1\r\n\r\n",
        b"\x00" * 20000,
    ],
    ids=["path", "header", "headers", "tls", "version", "length", "nothing"],
)
async def test_what_is_no_request_gets_400_and_no_line_in_the_log(
    central: Central, caplog: pytest.LogCaptureFixture, request_text: bytes
) -> None:
    async with raw(central) as (reader, writer):
        writer.write(request_text)
        assert (await ended(reader)).split()[1] == b"400"
    assert not errors(caplog)


async def test_error_of_ours_is_still_told(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise ValueError("ours")

    central.system.accept = fail  # type: ignore[assignment, method-assign]
    async with raw(central) as (reader, writer):
        writer.write(REQUEST + b"\r\n")
        assert (await ended(reader)).split()[1] == b"500"
    assert errors(caplog)


async def test_stream_of_bytes_that_is_no_message_is_slowed_down(
    central: Central,
) -> None:
    knock = central.system._web()
    assert isinstance(knock, Knock)
    socket = Socket("10.0.0.1")
    knock.connection_made(socket)
    knock.pace = Pace(rate=1000, burst=10, now=asyncio.get_running_loop().time())
    knock.data_received(REQUEST)
    assert socket.paused == 1
    # Already at rest: it is not paused twice.
    knock.data_received(b"X: y\r\n")
    assert socket.paused == 1
    await until(lambda: socket.paused == 0)
    knock.data_received(b"X: y\r\n")
    knock.connection_lost(None)
    await until(lambda: not knock._resting)
    assert socket.paused == 1


async def test_running_server_has_a_door(socket_enabled: None) -> None:
    async with running() as central:
        async with raw(central):
            await until(lambda: len(central.system._door) == 1)
        await until(lambda: not len(central.system._door))
