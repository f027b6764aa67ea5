"""Transport: one websocket of a charger, read, written and watched."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from dataclasses import dataclass
import logging

from aiohttp import WSCloseCode, WSMsgType, web

from ..station.security.kept import ClientCertificate
from .dialect import Dialect
from .door import Knock
from .throttle import Pace

_LOGGER = logging.getLogger(__name__)

MAX_FRAME = 1024 * 1024
CLOSE_TIMEOUT = 5.0
PROBE = 3.0
"""Seconds within which a living socket answers a ping."""

# A frame of a mebibyte takes as long to read as 65 small ones.
_FRAME_SIZE = 16 * 1024
_MISSED_PINGS = 2
# Without pings, four heartbeats of 5 minutes that do not come mean a dead line.
_MAX_SILENCE = 1200.0
_RECENT = 60.0


@dataclass(kw_only=True, slots=True, frozen=True)
class Tempo:
    """How fast somebody is read, in frames and in bytes per second.

    Who is faster than it is patient for is closed instead of being read later.
    """

    frames: float
    frames_at_once: float
    octets: float
    octets_at_once: float
    patient: bool = True


CHARGER = Tempo(
    frames=50,
    frames_at_once=200,
    octets=256 * 1024,
    octets_at_once=4 * MAX_FRAME,
)
"""Several times what the busiest charger sends, also when it tells of a week at once."""

STRANGER = Tempo(
    frames=2,
    frames_at_once=60,
    octets=16 * 1024,
    octets_at_once=256 * 1024,
    patient=False,
)
"""More than anybody has to say who is not let in yet."""


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
        profile: int = 0,
        knock: Knock | None = None,
    ) -> None:
        """Wrap an open websocket of a stranger; `knock` is its HTTP if that is ours."""
        self.name = name
        self.remote = remote
        self.dialect = dialect
        self.proof = proof
        self.profile = profile
        """The security profile (OCPP 1.6 Security 2) it came with."""
        self.origin: str | None = None
        """How the charger addresses us, such as "http://192.168.1.2:9000"."""
        self.certificate: ClientCertificate | None = None
        """The certificate that proved who it is."""
        self._ws = ws
        self._transport = transport
        self._knock = knock
        self._heard_at = asyncio.get_running_loop().time()
        self._heard = asyncio.Event()
        self._dropped = False
        self._rested: asyncio.Future[None] | None = None
        self._unanswered = 0
        self._pinged_at: float | None = None
        self.hurry(STRANGER)

    def hurry(self, tempo: Tempo) -> None:
        """Read at another tempo from now on."""
        now = asyncio.get_running_loop().time()
        self._patient = tempo.patient
        self._pace = Pace(rate=tempo.frames, burst=tempo.frames_at_once, now=now)
        if self._knock is not None:
            self._knock.pace = Pace(
                rate=tempo.octets, burst=tempo.octets_at_once, now=now
            )

    async def alive(self, *, ping: bool) -> bool:
        """Return whether the other end is still there.

        Without `ping` only what it sent within the last minute can tell.
        """
        if not ping:
            return asyncio.get_running_loop().time() - self._heard_at < _RECENT
        self._heard.clear()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(PROBE):
                await self._ws.ping()
                await self._heard.wait()
        return self._heard.is_set()

    async def send(self, text: str) -> None:
        """Write a text frame; raises OSError once the socket is gone."""
        await self._ws.send_str(text)

    async def close(self, code: int, reason: str = "") -> None:
        """Close the socket within bounded time, whatever the other end does."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                if self._pace.overdrawn:
                    await self._drop(code, reason)
                else:
                    await self._ws.close(code=code, message=reason.encode())
        except TimeoutError:
            self.abort()

    async def _drop(self, code: int, reason: str) -> None:
        """Close without reading first what came too fast, which takes its time."""
        with contextlib.suppress(OSError):
            said = code.to_bytes(2) + reason.encode()
            await self._ws.send_frame(said, WSMsgType.CLOSE)
        self._dropped = True
        self._wake()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop the socket without a word."""
        self._dropped = True
        self._wake()
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
            self._heard_at = now = loop.time()
            self._heard.set()
            self._unanswered = 0
            listeners.alive()
            size = 0
            match message.type:
                case WSMsgType.TEXT:
                    if patience.when() is not None:
                        patience.reschedule(None)
                    size = len(message.data)
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
            if rest := self._pace.take(now, 1 + size // _FRAME_SIZE):
                if not self._patient:
                    _LOGGER.debug("%s: too fast for a stranger", self.name)
                    await self.close(WSCloseCode.POLICY_VIOLATION, "too fast")
                    return
                await self._rest(rest)
                if self._dropped:
                    return
            elif self._pace.hurried:
                # What is here already is read without a pause, so that others wait.
                await asyncio.sleep(0)

    async def _rest(self, seconds: float) -> None:
        """Read nothing for a while, or until the socket is dropped.

        A timeout would leave an exception in a cycle behind, fifty times a second.
        """
        loop = asyncio.get_running_loop()
        rested = self._rested = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await rested
        finally:
            timer.cancel()
            self._rested = None

    def _wake(self) -> None:
        if self._rested is not None and not self._rested.done():
            self._rested.set_result(None)

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
