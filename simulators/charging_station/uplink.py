"""The station's uplink: its socket, its patience, and the messages it must not lose."""

from abc import abstractmethod
import asyncio
from collections import deque
import logging
from typing import Any, override
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

from .connector import LocalTransaction
from .misbehaviour import Misbehaviour
from .rpc import CallRefused, NotConnected, StationRpc
from .wire import Wire

_LOGGER = logging.getLogger(__name__)


class Uplink(Wire):
    """One station's connection to a central system, over many sockets."""

    subprotocol: str
    version: str

    def __init__(self, url: str, identity: str, password: str | None) -> None:
        """Create an uplink that is down."""
        super().__init__()
        self.url = f"{url.rstrip('/')}/{identity}"
        self.identity = identity
        self.password = password
        self.misbehaviours: set[Misbehaviour] = set()
        self.rpc: StationRpc | None = None
        self.booted = asyncio.Event()
        self.strict = True
        """Whether frames of the central system are checked against the schemas."""
        self._booted_once = False
        self._queue: deque[tuple[str, dict[str, Any], LocalTransaction]] = deque()
        self._queued = asyncio.Event()
        self._dialling = asyncio.Lock()

    @abstractmethod
    async def boot(self) -> None:
        """Introduce the station, and set `booted` when it was accepted."""

    @abstractmethod
    async def handle(
        self, action: str, payload: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Answer a request; None leaves it unanswered."""

    @abstractmethod
    async def started(
        self, transaction: LocalTransaction, answer: dict[str, Any]
    ) -> None:
        """Take the answer to the start of a transaction."""

    @abstractmethod
    async def resumed(self) -> None:
        """Go on after a connection that needed no boot."""

    @property
    def listened_to(self) -> bool:
        """Return whether the central system takes any message now."""
        return self.connected and self.booted.is_set()

    @property
    def pending(self) -> int:
        """Return how many transaction messages wait to be sent."""
        return len(self._queue)

    @override
    async def connect(self) -> None:
        """Open the socket, boot, and start serving; raises ClientError if refused."""
        waited = self._dialling.locked()
        async with self._dialling:
            if waited and self.connected:
                return
            socket = self._socket = await self._dial()
            rpc = self.rpc = StationRpc(
                self.send, self.handle, version=self.version, strict=self.strict
            )
        self.arrived()
        self.later(self._read(socket, rpc))
        self.later(self._drain(rpc))
        if (
            self._booted_once
            and Misbehaviour.NO_BOOT_ON_RECONNECT in self.misbehaviours
        ):
            self.accepted()
            await self.resumed()
        else:
            await self.boot()

    async def _dial(self) -> ClientWebSocketResponse:
        """Return a new socket."""
        if self._session is None:
            self._session = ClientSession()
        try:
            return await self._session.ws_connect(
                self.address,
                protocols=(self.subprotocol,),
                headers=self.headers(),
                compress=0,
                ssl=await self.tls() or True,
            )
        except ClientError as err:
            self.turned_away(err)
            raise

    def accepted(self) -> None:
        """Go on with what waited for the central system's consent."""
        self._booted_once = True
        self.booted.set()
        self._queued.set()

    async def boot_again(self, delay: float) -> None:
        """Try to boot once more after the time the central system asked for."""
        await asyncio.sleep(delay)
        if self.connected and not self.booted.is_set():
            await self.boot()

    @override
    async def disconnect(self) -> None:
        """Close the socket; what happens now is told after the next connect."""
        if self._socket is not None:
            await self._socket.close()
        if self.rpc is not None:
            self.rpc.close()
        self.booted.clear()

    async def _read(self, socket: ClientWebSocketResponse, rpc: StationRpc) -> None:
        """Take frames until the socket closes."""
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                _LOGGER.debug("%s < %s", self.identity, message.data)
                self.later(rpc.receive(message.data))
        rpc.close()
        if socket is self._socket:
            self.booted.clear()

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send one request now and return the answer."""
        if self.rpc is None:
            raise NotConnected
        body: dict[str, Any] | None = payload
        if Misbehaviour.STRING_NUMBERS in self.misbehaviours:
            if "connectorId" in payload:
                body = payload | {"connectorId": str(payload["connectorId"])}
        if Misbehaviour.NULL_PAYLOAD in self.misbehaviours and action == "Heartbeat":
            body = None
        return await self.rpc.call(action, body)

    def enqueue(
        self, action: str, payload: dict[str, Any], transaction: LocalTransaction
    ) -> None:
        """Queue a transaction message, which is kept while offline (OCPP 1.6 4.8)."""
        self._queue.append((action, payload, transaction))
        self._queued.set()

    async def _drain(self, rpc: StationRpc) -> None:
        """Send what is queued, in order, each until it is answered."""
        while rpc is self.rpc:
            await self._queued.wait()
            await self.booted.wait()
            if rpc is not self.rpc:
                return
            if not self._queue:
                self._queued.clear()
                continue
            action, payload, transaction = self._queue[0]
            body = dict(payload)
            if action != "StartTransaction":
                # OCPP 1.6 errata 3.18: -1 while no answer gave an id.
                body["transactionId"] = -1 if transaction.id is None else transaction.id
            answer = await self._deliver(rpc, action, body)
            self._queue.popleft()
            if action == "StartTransaction" and answer is not None:
                await self.started(transaction, answer)

    async def _deliver(
        self, rpc: StationRpc, action: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Send one transaction message, twice where the station is so inclined."""
        unique = str(uuid4())
        try:
            answer = await rpc.call(action, body, message_id=unique)
            if Misbehaviour.DUPLICATE_MESSAGES in self.misbehaviours:
                answer = await rpc.call(action, body, message_id=unique)
            if Misbehaviour.RETRY_WITH_NEW_ID in self.misbehaviours:
                answer = await rpc.call(action, body)
        except CallRefused:
            return None
        return answer

    async def settle(self) -> None:
        """Wait until every queued transaction message was answered."""
        while self._queue and self.connected:
            await asyncio.sleep(0)
