"""Transport: one websocket of a charger, read, written and watched."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from dataclasses import dataclass
import logging

from aiohttp import WSCloseCode, WSMsgType, web

from .dialect import Dialect

_LOGGER = logging.getLogger(__name__)

MAX_FRAME = 1024 * 1024
CLOSE_TIMEOUT = 5.0
_MISSED_PINGS = 2
# Without pings, four heartbeats of 5 minutes that do not come mean a dead line.
_MAX_SILENCE = 1200.0


@dataclass(kw_only=True, slots=True, frozen=True)
class Listeners:
    """Who hears of a socket: frames, signs of life, round trips in milliseconds."""

    frame: Callable[[bytes], Awaitable[None]]
    alive: Callable[[], None]
    latency: Callable[[float], None]


class Connection:
    """One websocket; `proof` is the password hash that its user knew."""

    def __init__(
        self,
        ws: web.WebSocketResponse[bool],
        transport: asyncio.WriteTransport | None,
        *,
        name: str,
        remote: str,
        dialect: Dialect,
        proof: str | None = None,
    ) -> None:
        """Wrap an open websocket."""
        self.name = name
        self.remote = remote
        self.dialect = dialect
        self.proof = proof
        self._ws = ws
        self._transport = transport
        self._heard_at = 0.0
        self._unanswered = 0
        self._pinged_at: float | None = None

    async def send(self, text: str) -> None:
        """Write a text frame; raises OSError once the socket is gone."""
        await self._ws.send_str(text)

    async def close(self, code: int, reason: str = "") -> None:
        """Close the socket within bounded time, whatever the other end does."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._ws.close(code=code, message=reason.encode())
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Drop the socket without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def run(
        self,
        listeners: Listeners,
        *,
        wants_ping: Callable[[], bool],
        ping_interval: float,
        first_frame: float | None,
    ) -> None:
        """Read until the socket ends.

        Every `ping_interval` seconds a ping goes out, if `wants_ping`; a socket that
        is silent for two of them is dropped, and so is one whose first frame does not
        come within `first_frame` seconds.
        """
        self._heard_at = asyncio.get_running_loop().time()
        watch = asyncio.create_task(
            self._watch(wants_ping, ping_interval), name=f"{self.name} ping"
        )
        try:
            async with asyncio.timeout(first_frame) as patience:
                await self._read(listeners, patience)
        except TimeoutError:
            _LOGGER.debug("%s: no frame came, closing", self.name)
            await self.close(WSCloseCode.POLICY_VIOLATION, "no frame")
        finally:
            watch.cancel()

    async def _read(self, listeners: Listeners, patience: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        async for message in self._ws:
            self._heard_at = loop.time()
            self._unanswered = 0
            listeners.alive()
            match message.type:
                case WSMsgType.TEXT:
                    if patience.when() is not None:
                        patience.reschedule(None)
                    await listeners.frame(message.data)
                case WSMsgType.PING:
                    # What came last may be read after the socket is gone.
                    with contextlib.suppress(OSError):
                        await self._ws.pong(message.data)
                case WSMsgType.PONG:
                    self._ponged(listeners)
                case WSMsgType.BINARY:
                    _LOGGER.debug("%s: binary frame, closing", self.name)
                    await self.close(WSCloseCode.UNSUPPORTED_DATA, "text only")
                    return
                case _:
                    _LOGGER.debug("%s: %s", self.name, message.data)
                    return

    def _ponged(self, listeners: Listeners) -> None:
        if self._pinged_at is not None:
            passed = asyncio.get_running_loop().time() - self._pinged_at
            self._pinged_at = None
            listeners.latency(round(passed * 1000, 1))

    async def _watch(self, wants_ping: Callable[[], bool], interval: float) -> None:
        """Ping, and drop a half-open socket, whose end nobody will ever announce."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(interval)
            silent = loop.time() - self._heard_at
            if self._unanswered >= _MISSED_PINGS or silent > _MAX_SILENCE:
                _LOGGER.debug("%s: no answer, dropping the socket", self.name)
                self.abort()
                return
            if not wants_ping():
                self._unanswered = 0
                continue
            self._unanswered += 1
            self._pinged_at = loop.time()
            # A full buffer blocks the ping; the silence counts all the same.
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(interval):
                    await self._ws.ping()
