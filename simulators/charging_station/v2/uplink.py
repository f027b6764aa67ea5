"""The station's socket: dialling, frames in and out, and the order of answers."""

from abc import abstractmethod
import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import json
import logging
from socket import SHUT_RDWR
from typing import Any, override

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType
from ocpp.messages import get_validator

from ..wire import Wire
from .queue import MessageQueue
from .values import Json

_LOGGER = logging.getLogger(__name__)

NOBODY = "-1"
"""The message id of an error that belongs to no readable request."""
LONGEST_ID = 36
TOLERATED = {"additionalProperties", "maxItems", "maxLength", "minItems"}
"""What the real library does not look at in a request."""

type After = Callable[[], Awaitable[object]]


class CallError(Exception):
    """A request is answered with an error."""

    def __init__(self, code: str, description: str = "") -> None:
        """Answer with an error code of the real library."""
        super().__init__(code)
        self.code = code
        self.description = description


class Uplink(Wire):
    """One station's connection to a central system, over many sockets."""

    identity: str
    queue: MessageQueue

    def __init__(self) -> None:
        """Create an uplink that is down."""
        super().__init__()
        self.pings = False
        """Whether it pings, which goes by the clock on the wall."""
        self.version = "2.0.1"
        """The version that was agreed on last."""
        self.received: list[tuple[str, Json]] = []
        """Every request of the central system, oldest first."""
        self._working: asyncio.Task[None] | None = None
        self._answering = asyncio.Lock()
        self._after: list[After] = []

    @property
    @abstractmethod
    def subprotocols(self) -> tuple[str, ...]:
        """Return what is offered to the central system, best first."""

    @abstractmethod
    def lost(self) -> None:
        """Take note that the connection is gone."""

    @abstractmethod
    async def handle(self, action: str, payload: Json) -> Json | None:
        """Answer a request, not at all with None; raises CallError."""

    @property
    @abstractmethod
    def ping_interval(self) -> float | None:
        """Return how often to ping, in s; the pong has half of that."""

    @override
    async def connect(self) -> None:
        """Open the socket and start serving; raises ClientError if refused."""
        if self._session is None:
            self._session = ClientSession()
        try:
            socket = await self._session.ws_connect(
                self.address,
                protocols=self.subprotocols,
                headers=self.headers(),
                compress=0,
                heartbeat=self.ping_interval if self.pings else None,
                ssl=await self.tls() or True,
            )
        except ClientError as err:
            self.turned_away(err)
            raise
        self._socket = socket
        if socket.protocol is not None:
            self.version = socket.protocol.removeprefix("ocpp")
        self.later(self._read(socket))
        self._working = asyncio.get_running_loop().create_task(self.queue.work())
        self.arrived()

    def cut(self) -> None:
        """Lose the network: the connection ends without a word (close code 1006)."""
        if self._socket is not None:
            self._socket.get_extra_info("socket").shutdown(SHUT_RDWR)

    @override
    async def disconnect(self) -> None:
        """Close the socket; what happens now is told after the next connect."""
        if (socket := self._socket) is not None:
            await socket.close()
            self._gone(socket)

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        """Take frames until the socket closes."""
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                _LOGGER.debug("%s < %s", self.identity, message.data)
                self._take(message.data)
        self._gone(socket)

    def _gone(self, socket: ClientWebSocketResponse) -> None:
        if self._socket is not socket:
            return
        self._socket = None
        if self._working is not None:
            self._working.cancel()
            self._working = None
        self.queue.disconnected()
        self.lost()

    def _take(self, text: str) -> None:
        """Take one frame, and object to what is none as the real library does."""
        try:
            frame = json.loads(text)
        except ValueError:
            return self._object(NOBODY, CallError("FormationViolation"))
        match frame:
            case [2, str(unique), str(action), dict(payload)]:
                if len(unique) > LONGEST_ID:
                    return self._object(NOBODY, CallError("RpcFrameworkError"))
                # The next frame that goes out is the answer.
                self.queue.hold()
                self.later(self._answer(unique, action, payload))
            case [3, str(unique), dict(payload)]:
                self.queue.answered(unique, payload)
            case [4, str(unique), code, *_]:
                self.queue.refused(unique, str(code))
            case [int(kind), *_] if kind not in (2, 3, 4):
                self._object(NOBODY, CallError("MessageTypeNotSupported"))
            case _:
                self._object(NOBODY, CallError("RpcFrameworkError"))
        return None

    def _object(self, unique: str, error: CallError) -> None:
        frame = [4, unique, error.code, error.description, {}]
        self.later(self.send(json.dumps(frame, separators=(",", ":"))))

    async def _answer(self, unique: str, action: str, payload: Json) -> None:
        """Answer one request, and act on it only then."""
        async with self._answering:
            self._after.clear()
            try:
                answer = await self._checked(action, payload)
            except CallError as err:
                answer = {}
                known = err.code != "MessageTypeNotSupported"
                frame: list[Any] = [4, unique if known else NOBODY]
                frame += [err.code, err.description, {}]
            else:
                frame = [3, unique, answer]
            try:
                if answer is not None:
                    await self.send(json.dumps(frame, separators=(",", ":")))
            finally:
                after = [*self._after]
                self.queue.release()
            for act in after:
                await act()

    async def _checked(self, action: str, payload: Json) -> Json | None:
        """Return the answer to a request, once it is read like the real library does.

        None is no answer at all.
        """
        self.received.append((action, payload))
        for error in self._schema(action).iter_errors(payload):
            if error.validator not in TOLERATED:
                raise CallError("FormationViolation", error.message)
        return await self.handle(action, payload)

    def _schema(self, action: str) -> Any:
        """Return the schema of an action, of 2.1 where 2.0.1 has none."""
        for version in (self.version, "2.1"):
            with contextlib.suppress(OSError):
                return get_validator(2, action, version)
        raise CallError("MessageTypeNotSupported", action)

    def afterwards(self, act: After) -> None:
        """Do something once the request that is being handled is answered."""
        self._after.append(act)
