"""Sessions: one actor per identity, whichever socket it comes by."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
import logging
from typing import Any

from aiohttp import WSCloseCode

from ..station.clock import Clock
from ..station.errors import NotConnected
from ..station.model import ChargingStation
from ..station.secrets import shortened
from .adapter import Adapter, AdapterFactory, Registration, StationContext
from .dialect import Dialect
from .errors import CallNotSent, ErrorCode, RpcError
from .recorder import Direction, Recorder
from .rpc import Reply, ReplyCache, Rpc
from .tasks import Tasks
from .transport import CHARGER, Connection, Listeners
from .turnstile import Turnstile
from .validation import Schemas
from .waiting import WaitingAdapter

_LOGGER = logging.getLogger(__name__)

FIRST_FRAME = 60.0
"""Seconds within which a charger that waits has to say something."""

_DRAIN = 3.0
_ADAPTER_TIMEOUT = 10.0
HEARTBEAT_EVERY = timedelta(seconds=1)
"""How often it is noted that a station was heard of."""
_FLAPPING = 6
_FLAPPING_WITHIN = timedelta(minutes=1)


class SessionState(StrEnum):
    """How far a charger got."""

    OFFLINE = "offline"
    AUTHENTICATED = "authenticated"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


_STATES = {
    "Accepted": SessionState.ACCEPTED,
    "Pending": SessionState.PENDING,
    "Rejected": SessionState.REJECTED,
}


@dataclass(kw_only=True, slots=True, frozen=True)
class Takeover:
    """A socket that replaced another one of the same identity."""

    at: datetime
    old_remote: str
    new_remote: str


class Session:
    """One identity over all its sockets, of which the newest counts.

    The newest socket owns the session: what comes over an older one changes nothing,
    and its end is no end of the session.
    """

    def __init__(
        self,
        identity: str,
        *,
        clock: Clock,
        schemas: Mapping[Dialect, Schemas],
        adapters: Mapping[Dialect, AdapterFactory],
        ping_interval: float,
        setups: Turnstile | None = None,
    ) -> None:
        """Start offline and unapproved; `ping_interval` in seconds.

        `setups` is shared by all stations of a server.
        """
        self.identity = identity
        self.name = shortened(identity)
        """The identity as it may be logged."""
        self.state = SessionState.OFFLINE
        self.adapter: Adapter | None = None
        self.takeovers: deque[Takeover] = deque(maxlen=20)
        """The last replacements of one open socket by another, for diagnostics."""
        self.waiting: WaitingAdapter | None = None
        self.recorder = Recorder(clock)
        """The last frames in both directions, for diagnostics."""
        self.on_shared: Callable[[list[str]], None] | None = None
        """Hears of the addresses that replace each other's socket again and again."""
        self._probe: asyncio.Task[bool] | None = None
        self._clock = clock
        self._schemas = schemas
        self._adapters = adapters
        self._ping_interval = ping_interval
        self._setups = setups or Turnstile()
        self._registration: Registration | None = None
        self._connection: Connection | None = None
        self._rpc: Rpc | None = None
        self._replies = ReplyCache()
        self._changing = asyncio.Lock()
        self._handlers = Tasks()
        self._background = Tasks()
        self._adapter_dialect: Dialect | None = None
        self._seen_before = False
        self._flapping = False
        self._closed = False

    @property
    def connection(self) -> Connection | None:
        """Return the socket that counts."""
        return self._connection

    @property
    def connected(self) -> bool:
        """Return whether a socket is up."""
        return self._connection is not None

    @property
    def remote(self) -> str | None:
        """Return the address that the charger is connected from."""
        return self._connection.remote if self._connection else None

    @property
    def dialect(self) -> Dialect | None:
        """Return the OCPP version of the socket."""
        return self._connection.dialect if self._connection else None

    @property
    def station(self) -> ChargingStation | None:
        """Return the model of an approved charger, None for one that waits."""
        return self._registration.station if self._registration else None

    async def call(
        self, action: str, payload: dict[str, Any], timeout: float = 30.0
    ) -> dict[str, Any]:
        """Send one CALL and return its answer; raises as `Rpc.call`."""
        if self._rpc is None:
            raise CallNotSent("not connected")
        return await self._rpc.call(action, payload, timeout=timeout)

    async def disconnect(self, code: int = WSCloseCode.OK) -> None:
        """Close the socket, if there is one."""
        if (connection := self._connection) is not None:
            self._detach()
            await connection.close(code)

    async def answers(self) -> bool:
        """Return whether the socket that counts is alive; raises nothing.

        All who ask at the same time wait for the same ping.
        """
        if (connection := self._connection) is None:
            return False
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(
                connection.alive(ping=self._wants_ping()), name=f"{self.name} probe"
            )
        return await asyncio.shield(self._probe) and connection is self._connection

    async def admit(self, registration: Registration) -> None:
        """Bind an approved station, live if a socket is up, and ask it to boot."""
        async with self._changing:
            if self._registration is not None:
                return
            self._registration = registration
            self.waiting = None
            if self._connection is not None:
                self._connection.hurry(CHARGER)
                adapter = self._present(self._connection, registration)
                if not registration.station.settings.quiet:
                    self._background.spawn(
                        self._ask_to_boot(adapter), f"{self.name} admission"
                    )

    async def close(self, code: int) -> None:
        """End the session: the socket, what is being handled, and the adapter."""
        self._closed = True
        await self.disconnect(code)
        await self._handlers.drain(_DRAIN)
        async with self._changing:
            await self._close_adapter()

    async def serve(self, connection: Connection) -> None:
        """Live on a new socket until it ends; an older one is superseded at once."""
        async with self._changing:
            if self._closed:
                await connection.close(WSCloseCode.POLICY_VIOLATION)
                return
            if self._adapter_dialect not in {None, connection.dialect}:
                await self._close_adapter()
            rpc = self._attach(connection)
        try:
            if self._registration is not None:
                connection.hurry(CHARGER)
                self._present(connection, self._registration)
            await connection.run(
                Listeners(
                    frame=partial(self._received, rpc),
                    alive=partial(self._heard, connection),
                    latency=partial(self._measured, connection),
                ),
                wants_ping=self._wants_ping,
                ping_interval=self._ping_interval,
                first_frame=FIRST_FRAME if self._registration is None else None,
            )
        finally:
            rpc.close()
            if self._connection is connection:
                self._detach()

    def _received(self, rpc: Rpc, frame: bytes) -> Awaitable[None]:
        self.recorder.note(Direction.FROM_CHARGER, frame)
        return rpc.receive(frame)

    def _send(self, connection: Connection, frame: str) -> Awaitable[None]:
        self.recorder.note(Direction.TO_CHARGER, frame)
        return connection.send(frame)

    def _attach(self, connection: Connection) -> Rpc:
        """Make a socket the one that counts."""
        old, self._connection = self._connection, connection
        if self._rpc is not None:
            self._rpc.close()
        rpc = self._rpc = Rpc(
            name=self.name,
            dialect=connection.dialect,
            schemas=self._schemas[connection.dialect],
            send=partial(self._send, connection),
            handle=partial(self._handle, connection),
            replies=self._replies,
            spawn=self._handlers.spawn,
        )
        rpc.on_latency = partial(self._called, connection)
        self.state = SessionState.AUTHENTICATED
        if old is None:
            _LOGGER.info(
                "Charger %s connected from %s (%s)",
                self.name,
                connection.remote,
                connection.dialect,
            )
        else:
            self._supersede(old, connection)
        return rpc

    def _supersede(self, old: Connection, new: Connection) -> None:
        _LOGGER.debug("%s: newer socket from %s", self.name, new.remote)
        now = self._clock()
        self.takeovers.append(
            Takeover(at=now, old_remote=old.remote, new_remote=new.remote)
        )
        self._background.spawn(old.close(WSCloseCode.OK, "replaced"), self.name)
        recent = [one for one in self.takeovers if now - one.at < _FLAPPING_WITHIN]
        addresses = {one.old_remote for one in recent} | {
            one.new_remote for one in recent
        }
        flapping = len(recent) > _FLAPPING and len(addresses) > 1
        if flapping and not self._flapping:
            _LOGGER.warning(
                "Two chargers seem to share the identity of charger %s: %s replace "
                "each other's connection; give each charger its own identity",
                self.name,
                ", ".join(sorted(addresses)),
            )
            if self.on_shared is not None:
                self.on_shared(sorted(addresses))
        self._flapping = flapping

    def _present(self, connection: Connection, registration: Registration) -> Adapter:
        """Show in the model that an approved station is there."""
        station = registration.station
        adapter = self.adapter or self._build_adapter(registration, connection.dialect)
        if self._seen_before:
            station.reconnects.set(station.reconnects.value + 1)
        self._seen_before = True
        station.speak(connection.dialect.version)
        station.connected_since.set(self._clock())
        if station.security is not None:
            station.security.attached(
                connection.profile, connection.proof, connection.certificate
            )
        adapter.attached()
        station.local.set(True)
        return adapter

    def _detach(self) -> None:
        """Show that nobody is there."""
        if self._rpc is not None:
            self._rpc.close()
        self._connection = self._rpc = None
        self.state = SessionState.OFFLINE
        _LOGGER.info("Charger %s disconnected", self.name)
        if (station := self.station) is None:
            return
        station.connected_since.set(None)
        station.latency.set(None)
        station.local.set(False)
        if self.adapter is not None:
            self.adapter.detached()

    def _build_adapter(self, registration: Registration, dialect: Dialect) -> Adapter:
        adapter = self._adapters[dialect](
            StationContext(
                station=registration.station,
                transactions=registration.transactions,
                journal=registration.journal,
                authorizer=registration.authorizer,
                clock=self._clock,
                call=self.call,
                connected=lambda: self.connected,
                spawn=self._background.spawn,
                setups=self._setups,
            )
        )
        # The local link before any cloud: the order is the order of preference.
        registration.station.links.insert(0, adapter.link)
        self.adapter = adapter
        self._adapter_dialect = dialect
        return adapter

    async def _close_adapter(self) -> None:
        adapter, self.adapter = self.adapter, None
        self._adapter_dialect = None
        if adapter is not None and (station := self.station) is not None:
            station.links = [one for one in station.links if one is not adapter.link]
            try:
                async with asyncio.timeout(_ADAPTER_TIMEOUT):
                    await adapter.close()
            except Exception:
                _LOGGER.exception("%s: the adapter could not be closed", self.name)
        await self._background.cancel()

    async def _ask_to_boot(self, adapter: Adapter) -> None:
        """Ask for the BootNotification that was answered Pending, or never sent."""
        try:
            await adapter.link.trigger("BootNotification", None)
        except NotConnected:
            _LOGGER.debug("%s: gone before it was asked to boot", self.name)

    def _handle(
        self, connection: Connection, action: str, payload: dict[str, Any]
    ) -> Reply | Awaitable[Reply]:
        handler = self.adapter or self.waiting
        if connection is not self._connection or handler is None:
            raise RpcError(ErrorCode.GENERIC, "this connection is replaced")
        reply = handler.handle(action, payload)
        if action != "BootNotification":
            return reply
        if isinstance(reply, Reply):
            return self._booted(connection, reply)
        return self._boot(connection, reply)

    async def _boot(self, connection: Connection, reply: Awaitable[Reply]) -> Reply:
        return self._booted(connection, await reply)

    def _booted(self, connection: Connection, reply: Reply) -> Reply:
        if connection is self._connection:
            status = reply.payload.get("status", "")
            self.state = _STATES.get(status, self.state)
        return reply

    def _heard(self, connection: Connection) -> None:
        if connection is not self._connection or (station := self.station) is None:
            return
        last, now = station.heartbeat.value, self._clock()
        # Once a second will do: this runs for every frame.
        if last is None or not timedelta() <= now - last < HEARTBEAT_EVERY:
            station.heartbeat.set(now)

    def _measured(self, connection: Connection, milliseconds: float) -> None:
        if connection is self._connection and (station := self.station) is not None:
            station.latency.set(milliseconds)

    def _called(self, connection: Connection, milliseconds: float) -> None:
        # A call takes the station's own time too: it stands in where pings are off.
        if not self._wants_ping():
            self._measured(connection, milliseconds)

    def _wants_ping(self) -> bool:
        return (station := self.station) is None or station.settings.ping
