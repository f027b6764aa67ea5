"""A central system on loopback for tests, with stand-ins for adapter and hub."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast, override

from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse, WSMsgType

from custom_components.ev_charger_hub.ocpp.adapter import (
    Adapter,
    AdapterFactory,
    Registration,
    StationContext,
)
from custom_components.ev_charger_hub.ocpp.credentials import hash_password
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.errors import RpcError
from custom_components.ev_charger_hub.ocpp.rpc import Reply
from custom_components.ev_charger_hub.ocpp.server import CentralSystem, Registrar
from custom_components.ev_charger_hub.ocpp.tls import Contexts
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy, Candidate
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.link import Capability, Link, LinkKind
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.settings import StationSettings

HOST = "127.0.0.1"
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
PASSWORD = "Kx7mPq2nRt9wYz4bCd6e"
HASH = hash_password(PASSWORD)
BOOT = {
    "chargePointVendor": "Acme",
    "chargePointModel": "Wall",
    "chargePointSerialNumber": "SN-0001",
    "firmwareVersion": "1.2.3",
}
PENDING = {
    "status": "Pending",
    "currentTime": "2026-11-20T10:00:00.000Z",
    "interval": 60,
}
ACCEPTED = {
    "status": "Accepted",
    "currentTime": "2026-11-20T10:00:00.000Z",
    "interval": 300,
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        """Start at a round hour."""
        self.now = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def advance(self, **by: float) -> None:
        """Move on by a timedelta."""
        self.now += timedelta(**by)


class StubLink:
    """As much of a link as a session asks for."""

    def __init__(self, context: StationContext) -> None:
        """Send through `context`."""
        self.kind = LinkKind.OCPP
        self._context = context

    @property
    def connected(self) -> bool:
        """Return whether the socket is up."""
        return self._context.connected()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Return that triggers are carried."""
        return frozenset({Capability.TRIGGER})

    async def trigger(self, message: str, evse_id: int | None) -> Outcome:
        """Send TriggerMessage."""
        if not self.connected:
            raise NotConnected
        answer = await self._context.call(
            "TriggerMessage", {"requestedMessage": message}, 30.0
        )
        return Outcome(status=OutcomeStatus.ACCEPTED, response=answer)


class StubAdapter(Adapter):
    """An adapter that accepts everything and writes a diary."""

    def __init__(self, context: StationContext) -> None:
        """Open the diary; `answers` replaces the answer to an action."""
        self.context = context
        self.link = cast(Link, StubLink(context))
        self.diary: list[str] = []
        self.handled: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}

    @override
    def handle(self, action: str, payload: dict[str, Any]) -> Reply | Awaitable[Reply]:
        self.handled.append((action, payload))
        if (answer := self.answers.get(action)) is not None:
            return cast("Reply | Awaitable[Reply]", answer(payload))
        if action == "BootNotification":
            return Reply(dict(ACCEPTED))
        if action == "Heartbeat":
            return Reply({"currentTime": ACCEPTED["currentTime"]})
        return Reply({})

    @override
    def attached(self) -> None:
        self.diary.append("attached")

    @override
    def detached(self) -> None:
        self.diary.append("detached")

    @override
    def settings_changed(self) -> None:
        self.diary.append("settings changed")

    @override
    async def close(self) -> None:
        self.diary.append("closed")


@dataclass
class StubRegistrar(Registrar):
    """A hub that knows what the test tells it."""

    policy: AdmissionPolicy = AdmissionPolicy.ASK
    stations: dict[str, ChargingStation] = field(default_factory=dict)
    further: dict[str, tuple[str, ...]] = field(default_factory=dict)
    turned_away: set[str] = field(default_factory=set)
    changes: list[Candidate] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    on_unknown: Callable[[Candidate], Awaitable[None]] | None = None
    certificates: dict[bytes, str] = field(default_factory=dict)
    no_more: bool = False
    incidents: list[tuple[str, ...]] = field(default_factory=list)

    def approve(self, identity: str, **settings: Any) -> ChargingStation:
        """Approve a charger, or change its settings."""
        wanted = StationSettings(name=identity, **settings)
        if (station := self.stations.get(identity)) is None:
            station = self.stations[identity] = ChargingStation(identity, wanted)
        station.settings = wanted
        return station

    @property
    @override
    def closed(self) -> bool:
        return self.no_more

    @override
    def intruded(self, identity: str, known: str, stranger: str) -> None:
        self.incidents.append(("intruded", identity, known, stranger))

    @override
    def shared(self, identity: str, addresses: Sequence[str]) -> None:
        self.incidents.append(("shared", identity, *addresses))

    @override
    def unguarded(self, identity: str) -> None:
        self.incidents.append(("unguarded", identity))

    @override
    def settings(self, identity: str) -> StationSettings | None:
        station = self.stations.get(identity)
        return station.settings if station is not None else None

    @override
    def further_hashes(self, identity: str) -> tuple[str, ...]:
        return self.further.get(identity, ())

    @override
    def trusts(self, identity: str, certificate: bytes) -> bool:
        return self.certificates.get(certificate) == identity

    @override
    def refused(self, identity: str) -> bool:
        return identity in self.turned_away

    @override
    def context(self, identity: str) -> Registration:
        nothing = cast(Any, None)
        return Registration(
            station=self.stations[identity],
            transactions=nothing,
            journal=nothing,
            authorizer=nothing,
        )

    @override
    async def accept_unknown(self, candidate: Candidate) -> None:
        if self.on_unknown is not None:
            await self.on_unknown(candidate)

    @override
    def candidate_changed(self, candidate: Candidate) -> None:
        self.changes.append(candidate)

    @override
    def candidate_forgotten(self, identity: str) -> None:
        self.forgotten.append(identity)


class Charger:
    """The other end of a websocket."""

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        """Speak over `ws`."""
        self.ws = ws
        self._id = 0

    async def call(self, action: str, payload: dict[str, Any] | None = None) -> Any:
        """Send a CALL and return the frame that answers it."""
        self._id += 1
        await self.ws.send_json([2, f"m{self._id}", action, payload or {}])
        return await self.receive()

    async def receive(self) -> Any:
        """Return the next frame."""
        async with asyncio.timeout(60):
            return await self.ws.receive_json()

    async def closed(self) -> int | None:
        """Wait for the end and return the code of the close frame, if one came."""
        async with asyncio.timeout(60):
            while True:
                message = await self.ws.receive()
                if message.type is WSMsgType.CLOSE:
                    return int(message.data)
                if message.type in {
                    WSMsgType.CLOSED,
                    WSMsgType.CLOSING,
                    WSMsgType.ERROR,
                }:
                    return None


class Central:
    """A running central system with everything a test wants to reach."""

    def __init__(
        self,
        *,
        contexts: Contexts | None = None,
        port: int = 0,
        dialects: tuple[Dialect, ...] = (Dialect.V16,),
        **options: Any,
    ) -> None:
        """Prepare a server with `options` of CentralSystem."""
        self.clock = Clock()
        self.registrar = StubRegistrar()
        self.adapters: list[StubAdapter] = []
        self.scheme = "http" if contexts is None else "https"
        self.http = ClientSession()
        self._sockets: list[ClientWebSocketResponse] = []
        self.system = CentralSystem(
            host=HOST,
            port=port,
            contexts=contexts,
            registrar=self.registrar,
            clock=self.clock,
            adapters=dict.fromkeys(dialects, cast(AdapterFactory, self._build)),
            **options,
        )

    def _build(self, context: StationContext) -> StubAdapter:
        adapter = StubAdapter(context)
        self.adapters.append(adapter)
        return adapter

    @property
    def adapter(self) -> StubAdapter:
        """The newest adapter."""
        return self.adapters[-1]

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"{self.scheme}://{HOST}:{self.system.port}/{path}"

    async def connect(
        self,
        path: str = "CP01",
        *,
        protocols: tuple[str, ...] = ("ocpp1.6",),
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Charger:
        """Open a websocket as a charger does."""
        ws = await self.http.ws_connect(
            self.url(path), protocols=protocols, headers=headers, **options
        )
        self._sockets.append(ws)
        return Charger(ws)

    async def attempt(
        self,
        path: str = "CP01",
        *,
        headers: dict[str, str] | None = None,
        protocol: str | None = "ocpp1.6",
    ) -> ClientResponse:
        """Ask for an upgrade that is expected to be refused."""
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        if protocol is not None:
            upgrade["Sec-WebSocket-Protocol"] = protocol
        async with self.http.get(
            self.url(path), headers=upgrade | (headers or {})
        ) as response:
            return response

    async def stop(self) -> None:
        """Stop the server, then the chargers."""
        await self.system.stop()
        for ws in self._sockets:
            await ws.close()
        await self.http.close()


@asynccontextmanager
async def running(**options: Any) -> AsyncGenerator[Central]:
    """Run a central system for the time of a test."""
    central = Central(**options)
    await central.system.start()
    try:
        yield central
    finally:
        await central.stop()


def basic(user: str, password: str | bytes) -> dict[str, str]:
    """Return the Authorization header of HTTP Basic."""
    secret = password.encode() if isinstance(password, str) else password
    encoded = b64encode(user.encode() + b":" + secret).decode()
    return {"Authorization": f"Basic {encoded}"}


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until a condition holds."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


def refuse(error: RpcError) -> Callable[[dict[str, Any]], Reply]:
    """Return an answer that raises."""

    def answer(_: dict[str, Any]) -> Reply:
        raise error

    return answer
