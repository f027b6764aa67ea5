"""One connection of the stream: records, frames, pings, subscriptions."""

import asyncio
from enum import StrEnum
import json
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web

from .clock import Cancellable
from .tokens import Account

if TYPE_CHECKING:
    from .hub import Hub

SEPARATOR = "\x1e"
INVOCATION = 1
COMPLETION = 3
PING = 6
CLOSE = 7
HUB_ERROR = "An unexpected error occurred invoking '{}' on the server."


class Framing(StrEnum):
    """How records are spread over frames."""

    SINGLE = "single"
    """One record in a frame."""
    JOINED = "joined"
    """All that is there in one frame."""
    SPLIT = "split"
    """All that is there in two frames, cut in the middle of a record."""


def record(message: dict[str, Any]) -> str:
    """Return a message as it is written."""
    return json.dumps(message, separators=(",", ":")) + SEPARATOR


class Connection:
    """A client that listens."""

    def __init__(
        self,
        hub: Hub,
        socket: web.WebSocketResponse,
        request: web.Request,
        account: Account,
    ) -> None:
        """Serve a socket that is open."""
        self.hub = hub
        self.account = account
        self.subscriptions: set[str] = set()
        self.silent = False
        self._socket = socket
        self._request = request
        self._waiting: list[str] = []
        self._frames: asyncio.Queue[str | int] = asyncio.Queue()
        """What is to be sent, and in the end the code to close with."""
        self._scheduled = False
        self._shaken = False
        self._heard = hub.clock.true
        self._ping: Cancellable | None = None

    async def run(self) -> None:
        """Listen until the connection ends."""
        writer = asyncio.create_task(self._write())
        self._beat()
        text = ""
        try:
            async for message in self._socket:
                if message.type is not WSMsgType.TEXT or self.silent:
                    continue
                self._heard = self.hub.clock.true
                *records, text = (text + message.data).split(SEPARATOR)
                for one in records:
                    self.hub.journal.client(one + SEPARATOR)
                    self._receive(json.loads(one))
        finally:
            if self._ping is not None:
                self._ping.cancel()
            writer.cancel()
            await asyncio.wait([writer])

    def _beat(self) -> None:
        """Ping, and drop a client that has been silent for too long."""
        if (interval := self.hub.ping_interval) is None:
            return
        self._ping = self.hub.clock.call_later(interval, self._beat)
        if self.silent:
            return
        quiet = (self.hub.clock.true - self._heard).total_seconds()
        if quiet > self.hub.client_timeout:
            self.close("Client timeout", reconnect=True)
        elif self._shaken:
            self.send({"type": PING})

    def _receive(self, message: dict[str, Any]) -> None:
        if not self._shaken:
            self._handshake(message)
        elif message.get("type") == INVOCATION:
            self._invoked(message)
        elif message.get("type") == CLOSE:
            self._frames.put_nowait(WSCloseCode.OK)

    def _handshake(self, message: dict[str, Any]) -> None:
        error = self.hub.handshake_error
        if error is None and message != {"protocol": "json", "version": 1}:
            error = f"The protocol '{message.get('protocol')}' is not supported."
        if error is not None:
            self.send({"error": error})
            self._flush()
            self._frames.put_nowait(WSCloseCode.OK)
            return
        self._shaken = True
        self.send({})
        if self.hub.handshake_with_data:
            self.send({"type": PING})
        self._flush()

    def _invoked(self, message: dict[str, Any]) -> None:
        target = str(message.get("target"))
        error = None
        match target.casefold(), message.get("arguments"):
            case "subscribewithcurrentstate", [str() as serial, bool() as replay]:
                error = self._subscribe(serial, replay=replay)
            case "unsubscribe", [str() as serial]:
                self.subscriptions.discard(serial)
            case _:
                error = f"Unknown hub method '{target}'"
        if (number := message.get("invocationId")) is None:
            return
        answer: dict[str, Any] = {"type": COMPLETION, "invocationId": number}
        self.send(answer | ({"result": None} if error is None else {"error": error}))

    def _subscribe(self, serial: str, *, replay: bool) -> str | None:
        if (error := self.hub.subscribe_error) is not None:
            self.hub.subscribe_error = None
            return error
        product = self.hub.directory.product_of(self.account, serial)
        if product is None:
            return HUB_ERROR.format("SubscribeWithCurrentState")
        self.subscriptions.add(serial)
        for observation in self.hub.replay(product) if replay else ():
            update = observation.update(serial)
            self.send({"type": 1, "target": "ProductUpdate", "arguments": [update]})
        return None

    def send(self, message: dict[str, Any]) -> None:
        """Send a record, together with what else is sent at the same moment."""
        self._waiting.append(record(message))
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def send_raw(self, text: str) -> None:
        """Send a frame as it is."""
        self._flush()
        self._frames.put_nowait(text)

    def _flush(self) -> None:
        self._scheduled = False
        records, self._waiting = self._waiting, []
        if not records:
            return
        whole = "".join(records)
        match self.hub.framing:
            case Framing.SINGLE:
                frames = records
            case Framing.JOINED:
                frames = [whole]
            case Framing.SPLIT:
                middle = len(whole) - len(records[-1]) // 2 - 1
                frames = [whole[:middle], whole[middle:]]
        for frame in frames:
            self._frames.put_nowait(frame)

    async def _write(self) -> None:
        while isinstance(frame := await self._frames.get(), str):
            if self.silent:
                continue
            self.hub.journal.server(frame)
            try:
                await self._socket.send_str(frame)
            except ConnectionError, RuntimeError:
                return
        await self._socket.close(code=frame)

    def close(self, error: str | None, *, reconnect: bool) -> None:
        """Take leave of the client."""
        message: dict[str, Any] = {"type": CLOSE}
        if error is not None:
            message["error"] = error
        self.send(message | {"allowReconnect": reconnect})
        self._flush()
        self._frames.put_nowait(WSCloseCode.OK)

    def hang_up(self, code: int) -> None:
        """Close with a code and without a word."""
        self._flush()
        self._frames.put_nowait(code)

    def drop(self) -> None:
        """Cut the connection."""
        if self._request.transport is not None:
            self._request.transport.abort()
