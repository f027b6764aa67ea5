"""SignalR: one connection to a hub, by its JSON protocol (HubProtocol.md of ASP.NET Core).

Pings, drops what is silent, calls and is called; who connects again is the stream.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType
import orjson

from ..station.clock import Timer
from .errors import StreamError
from .negotiation import PATIENCE, Admit, negotiate, websocket
from .oddities import Oddities
from .records import SEPARATOR, Records
from .timing import Time, limit

PING: Final = 10.0
"""Seconds from ping to ping; the hub drops who is silent for 30."""
SILENCE: Final = 30.0
"""Seconds without any record after which a connection is given up."""

type OnCall = Callable[[str, list[Any]], None]
type OnDone = Callable[[str | None], None]
"""Is told the error of an invocation, None if there was none."""


class Kind(IntEnum):
    """Kinds of messages."""

    INVOCATION = 1
    STREAM_ITEM = 2
    COMPLETION = 3
    STREAM_INVOCATION = 4
    CANCEL_INVOCATION = 5
    PING = 6
    CLOSE = 7
    ACK = 8
    SEQUENCE = 9


@dataclass(kw_only=True, slots=True, frozen=True)
class Farewell:
    """How a connection ended, and whether the hub likes us to come back."""

    reason: str
    welcome: bool = True


class Closed(Exception):
    """The other side has hung up."""


class Connection:
    """A connection to a hub, from the handshake to its end."""

    def __init__(
        self, socket: ClientWebSocketResponse, time: Time, oddities: Oddities
    ) -> None:
        """Speak over a socket that is open."""
        self._socket = socket
        self._time = time
        self._oddities = oddities
        self._records = Records()
        self._waiting: deque[str] = deque()
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._invoked: dict[str, OnDone] = {}
        self._numbers = count(1)
        self._beating: Timer | None = None

    async def shake_hands(self) -> None:
        """Agree upon JSON; raises StreamError if the hub does not."""
        try:
            async with limit(self._time, PATIENCE):
                await self._socket.send_str(_written(protocol="json", version=1))
                answer = orjson.loads(await self._next())
        except orjson.JSONDecodeError:
            raise StreamError("handshake: the answer is no JSON") from None
        except (ClientError, OSError, Closed) as err:
            raise StreamError(f"handshake: {type(err).__name__}") from None
        match answer:
            case {"error": error}:
                raise StreamError(f"handshake: {error!r:.100}")
            case dict() if "type" not in answer:
                return
        raise StreamError("handshake: the answer is none")

    def invoke(self, target: str, *arguments: Any, done: OnDone | None = None) -> None:
        """Call a method of the hub; `done` is told when it is through."""
        call: dict[str, Any] = {"type": Kind.INVOCATION}
        if done is not None:
            call["invocationId"] = number = str(next(self._numbers))
            self._invoked[number] = done
        self._send(**call, target=target, arguments=arguments)

    async def run(self, called: OnCall) -> Farewell:
        """Hand on what the hub calls until the connection ends; return how it did."""
        writer = asyncio.create_task(self._write(), name="Easee stream writes")
        self._rest()
        try:
            while True:
                if (farewell := self._receive(await self._heard(), called)) is not None:
                    return farewell
        except TimeoutError:
            return Farewell(reason="silence")
        except Closed as err:
            return Farewell(reason=str(err))
        finally:
            if self._beating is not None:
                self._beating.cancel()
            writer.cancel()
            await asyncio.wait([writer])

    async def _heard(self) -> str:
        """Return the next record; TimeoutError if none comes for too long."""
        if self._waiting:
            return self._waiting.popleft()
        async with limit(self._time, SILENCE):
            return await self._next()

    async def _next(self) -> str:
        while not self._waiting:
            self._waiting.extend(self._records.feed(await self._frame()))
            if self._records.dropped:
                self._records.dropped = 0
                self._oddities.note("a record that is too long")
        return self._waiting.popleft()

    async def _frame(self) -> str:
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                return str(message.data)
            if message.type is not WSMsgType.BINARY:
                raise Closed(f"closed ({self._socket.close_code})")
            self._oddities.note("a frame that is no text")

    def _receive(self, record: str, called: OnCall) -> Farewell | None:
        """Understand a record; return a farewell if it was one."""
        try:
            message = orjson.loads(record)
        except orjson.JSONDecodeError:
            self._oddities.note("a record that is no JSON")
            return None
        match message:
            case {"type": Kind.INVOCATION, "target": str(to), "arguments": list(what)}:
                called(to, what)
            case {"type": Kind.COMPLETION, "invocationId": str(number)}:
                self._completed(number, message.get("error"))
            case {"type": Kind.CLOSE}:
                return _farewell(message)
            case {"type": Kind.PING | Kind.ACK | Kind.SEQUENCE}:
                pass
            case {"type": int(kind)}:
                self._oddities.note(f"a record of type {kind}")
            case _:
                self._oddities.note("a record that is no message")
        return None

    def _completed(self, number: str, error: object) -> None:
        if (done := self._invoked.pop(number, None)) is None:
            self._oddities.note("an answer to nothing")
            return
        done(None if error is None else f"{error!s:.100}")

    def _rest(self) -> None:
        self._beating = self._time.call_later(PING, self._beat)

    def _beat(self) -> None:
        self._send(type=Kind.PING)
        self._rest()

    def _send(self, **message: Any) -> None:
        self._outgoing.put_nowait(_written(**message))

    async def _write(self) -> None:
        """Send what is to be sent; the reader sees it if nobody takes it."""
        while True:
            record = await self._outgoing.get()
            try:
                await self._socket.send_str(record)
            except ClientError, OSError:
                return


def _written(**message: Any) -> str:
    return orjson.dumps(message).decode() + SEPARATOR


def _farewell(message: dict[str, Any]) -> Farewell:
    """Return what the hub says in the end; silence on coming back means no."""
    error = message.get("error")
    return Farewell(
        reason=f"{error:.100}" if isinstance(error, str) else "farewell",
        welcome=message.get("allowReconnect") is True,
    )


@asynccontextmanager
async def connected(
    session: ClientSession,
    time: Time,
    url: str,
    token: str,
    oddities: Oddities,
    admit: Admit,
) -> AsyncGenerator[Connection]:
    """Connect to a hub and hang up in the end; raises StreamError or Refusal."""
    entrance = await negotiate(session, time, url, token, admit)
    async with websocket(session, time, entrance, admit) as socket:
        connection = Connection(socket, time, oddities)
        await connection.shake_hands()
        yield connection
