"""A websocket by hand: it can send what no library would, and read as it likes."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
import contextlib
from enum import IntEnum
import random
import socket
import struct
from typing import Self
from urllib.parse import quote

HOST = "127.0.0.1"
PATIENCE = 20.0
"""Seconds for a handshake."""


class Opcode(IntEnum):
    """What a frame of a websocket is (RFC 6455 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Refused(Exception):
    """The server did not open a websocket."""


def packed(
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bool = True,
) -> bytes:
    """Return the bytes of a frame, also of one that breaks the rules."""
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    flag = 0x80 if mask else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    # A mask of zeros is one, and costs nothing.
    return head + (b"\0\0\0\0" if mask else b"") + payload


def upgrade(identity: str, port: int, *more: str, protocol: str = "ocpp1.6") -> bytes:
    """Return the request for a websocket."""
    key = b64encode(random.randbytes(16)).decode()
    lines = [
        f"GET /ocpp/{quote(identity, safe='')} HTTP/1.1",
        f"Host: {HOST}:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Protocol: {protocol}",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def opened(
    port: int, source: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a TCP connection from an address of the loopback network."""
    return await asyncio.open_connection(HOST, port, local_addr=(source, 0))


class Wire:
    """One open websocket; what comes goes to `on_text` while `listen` runs."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Wrap a socket whose handshake is done."""
        self.on_text: Callable[[bytes], None] = lambda _: None
        self.ended = asyncio.Event()
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(
        cls,
        port: int,
        identity: str,
        source: str,
        *more: str,
        protocol: str = "ocpp1.6",
    ) -> Self:
        """Do a handshake; raises Refused or OSError."""
        reader, writer = await opened(port, source)
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(upgrade(identity, port, *more, protocol=protocol))
                answer = await reader.readuntil(b"\r\n\r\n")
        except (TimeoutError, EOFError, OSError) as err:
            writer.close()
            raise Refused("no answer") from err
        if not answer.startswith(b"HTTP/1.1 101"):
            writer.close()
            raise Refused(answer[:16].decode("latin-1"))
        return cls(reader, writer)

    async def send(self, data: bytes, opcode: int = Opcode.TEXT) -> None:
        """Send a well-formed frame."""
        await self.raw(packed(opcode, data))

    async def raw(self, data: bytes) -> None:
        """Send bytes; raises OSError once the server has hung up."""
        if self.ended.is_set():
            raise ConnectionResetError
        self._writer.write(data)
        await self._writer.drain()

    async def listen(self) -> None:
        """Read until the end, and answer pings."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                opcode, payload = await self._frame()
                if opcode == Opcode.TEXT:
                    self.on_text(payload)
                elif opcode == Opcode.PING:
                    self._writer.write(packed(Opcode.PONG, payload))
                elif opcode == Opcode.CLOSE:
                    break
        self.ended.set()

    async def _frame(self) -> tuple[int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            long = await self._reader.readexactly(2 if size == 126 else 8)
            size = int.from_bytes(long)
        return first & 0x0F, await self._reader.readexactly(size)

    def shrink(self) -> None:
        """Take as little as possible from the network, before reading nothing at all."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)

    def close(self, *, rudely: bool = False) -> None:
        """Hang up, rudely with a reset."""
        self.ended.set()
        if rudely:
            sock = self._writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            self._writer.transport.abort()
        else:
            self._writer.close()
