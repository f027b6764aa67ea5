"""Server: where chargers dial in."""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
import logging
from ssl import SSLObject

from aiohttp import WSCloseCode, web

from ..station.clock import Clock
from ..station.secrets import shortened
from .adapter import AdapterFactory, Registration
from .dialect import NEWEST_FIRST, Dialect
from .door import Door, Knock, Porter
from .ftp import FtpReceiver
from .handshake import Attempt, Gatekeeper, Refused, Registrar
from .listener import Listener
from .session import Session
from .signer import client_certificate
from .tasks import Tasks
from .tls import Contexts
from .transport import CLOSE_TIMEOUT, MAX_FRAME, Connection
from .turnstile import Turnstile
from .uploads import Uploads, origin
from .v16.adapter import V16Adapter
from .v201.adapter import V201Adapter
from .validation import Schemas
from .waiting import AdmissionPolicy, Candidate, WaitingAdapter, WaitingRoom

__all__ = ["DIALECTS", "CentralSystem", "Registrar", "Registration"]

_LOGGER = logging.getLogger(__name__)

PING_INTERVAL = 20.0
"""Seconds; the third tick without an answer ends a dead line, within a minute."""

_SHUTDOWN_TIMEOUT = 2.0
_SWEEP_EVERY = 3600.0


DIALECTS: dict[Dialect, AdapterFactory] = {
    Dialect.V16: V16Adapter,
    Dialect.V201: V201Adapter,
    Dialect.V21: V201Adapter,
}
"""The versions that work; only they are offered."""


class CentralSystem:
    """An OCPP central system on one port."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        registrar: Registrar,
        clock: Clock,
        contexts: Contexts | None = None,
        plain: bool = False,
        ping_interval: float = PING_INTERVAL,
        adapters: Mapping[Dialect, AdapterFactory] = DIALECTS,
        challenge: bool = False,
    ) -> None:
        """Prepare a server that does not listen yet; intervals in seconds.

        With `contexts` it speaks TLS, and `plain` does not hinder it from taking
        connections without.
        """
        self.sessions: dict[str, Session] = {}
        """Who is or was connected, by identity; of those who wait only the present."""
        self.waiting = WaitingRoom(clock, self._gave_way)
        self.uploads = Uploads(clock)
        self.ftp = FtpReceiver(host, clock)
        self.setups = Turnstile()
        """What all stations pass that are to be set up."""
        self._registrar = registrar
        self._clock = clock
        self._ping_interval = ping_interval
        self._adapters = adapters
        self._schemas: dict[Dialect, Schemas] = {}
        self._gatekeeper = Gatekeeper(
            registrar=registrar,
            waiting=self.waiting,
            clock=clock,
            dialects=[one for one in NEWEST_FIRST if one in adapters],
            challenge=challenge,
        )
        self._door = Door(clock)
        self._web = Porter(self._handle, self._door)
        self._listener = Listener(
            self._web, host=host, port=port, contexts=contexts, plain=plain
        )
        self._tasks = Tasks()
        self._stopping = False

    @property
    def port(self) -> int:
        """Return the port, which is the real one once it listens."""
        return self._listener.port

    @property
    def contexts(self) -> Contexts | None:
        """Return how TLS is spoken, None if it is not."""
        return self._listener.contexts

    def use(self, contexts: Contexts) -> None:
        """Speak TLS so from the next connection on."""
        self._listener.contexts = contexts

    async def reserve(self) -> None:
        """Have the port, without listening yet; raises OSError when it is taken."""
        await self._listener.reserve()

    async def start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        for dialect in self._adapters:
            self._schemas[dialect] = await asyncio.to_thread(Schemas.load, dialect)
        await self._listener.start()
        self._tasks.spawn(self._sweep(), "OCPP waiting room")

    async def stop(self) -> None:
        """Say goodbye to every charger (1001) and stop listening."""
        self._stopping = True
        await self._listener.close()
        await self._tasks.cancel()
        await self.ftp.stop()
        sessions = tuple(self.sessions.values())
        self.sessions.clear()
        await asyncio.gather(*(one.close(WSCloseCode.GOING_AWAY) for one in sessions))
        await self._web.shutdown(_SHUTDOWN_TIMEOUT)

    def origin(self, identity: str) -> str | None:
        """Return how a charger that is connected addresses us."""
        session = self.sessions.get(identity)
        connection = session.connection if session is not None else None
        return connection.origin if connection is not None else None

    async def admit(self, identity: str) -> None:
        """Let a charger in that has just been approved.

        If it is connected but has not proved the password that it has now, it has to
        come again with it.
        """
        self.waiting.leave(identity)
        session = self.sessions.get(identity)
        if session is None or (connection := session.connection) is None:
            return
        if self._qualifies(identity, connection):
            await session.admit(self._registrar.context(identity))
        else:
            await session.disconnect(WSCloseCode.POLICY_VIOLATION)

    async def expel(self, identity: str) -> None:
        """Throw a charger out whose approval is withdrawn, or that is refused."""
        self.waiting.leave(identity)
        if (session := self.sessions.pop(identity, None)) is not None:
            await session.close(WSCloseCode.POLICY_VIOLATION)

    async def refresh(self, identity: str) -> None:
        """Apply new settings; a socket that they would not let in is closed."""
        session = self.sessions.get(identity)
        if session is None or (connection := session.connection) is None:
            return
        if not self._qualifies(identity, connection):
            await session.disconnect(WSCloseCode.POLICY_VIOLATION)
        elif session.adapter is not None:
            session.adapter.settings_changed()

    def _qualifies(self, identity: str, connection: Connection) -> bool:
        settings = self._registrar.settings(identity)
        return settings is not None and self._gatekeeper.qualifies(
            identity,
            settings,
            connection.dialect,
            connection.proof,
            connection.profile,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request at our own port."""
        if self.uploads.wants(request):
            response = await self.uploads.handle(request, self._door.leave)
            if response.status == HTTPStatus.NOT_FOUND:
                self._door.refused(request.remote or "")
            return response
        response = await self.accept(request)
        if not isinstance(response, web.WebSocketResponse):
            self._door.refused(request.remote or "")
        return response

    async def accept(
        self, request: web.BaseRequest, *, guarded: bool = False
    ) -> web.StreamResponse:
        """Answer a request for a socket; whatever happens stays with its charger.

        `guarded` is where the whole world may knock: only a password lets in there.
        """
        attempt = Attempt(
            path=request.raw_path,
            remote=request.remote or "",
            headers=request.headers,
            secure=request.secure,
            certificate=_client_certificate(request),
            guarded=guarded,
        )
        if self._stopping:
            return _refusal(attempt, Refused(HTTPStatus.SERVICE_UNAVAILABLE))
        try:
            await self._gatekeeper.check(attempt)
            ws = self._socket(request, attempt)
            await self._contest(attempt)
            _check_presence(request)
            self._gatekeeper.seat(attempt)
        except Refused as refused:
            return _refusal(attempt, refused)
        await self._live(request, attempt, ws)
        return ws

    def _socket(
        self, request: web.BaseRequest, attempt: Attempt
    ) -> web.WebSocketResponse[bool]:
        """Return a websocket that the request can become; raises Refused."""
        ws = web.WebSocketResponse(
            autoping=False,
            compress=attempt.dialect is not Dialect.V16,
            decode_text=False,
            max_msg_size=MAX_FRAME,
            protocols=(attempt.subprotocol,) if attempt.subprotocol else (),
            timeout=CLOSE_TIMEOUT,
        )
        if not ws.can_prepare(request):
            raise Refused(HTTPStatus.BAD_REQUEST)
        return ws

    async def _contest(self, attempt: Attempt) -> None:
        """Refuse who comes as a charger that is there, unless one of them is known.

        Who proved a password replaces any other. Without one the older socket stays,
        if it is alive and the newer one comes from elsewhere.
        """
        session = self.sessions.get(attempt.identity)
        if attempt.credentialed or session is None:
            return
        known = session.remote
        if known is None or known == attempt.remote or not await session.answers():
            return
        if attempt.settings is not None:
            self._registrar.intruded(attempt.identity, known, attempt.remote)
        raise Refused(HTTPStatus.CONFLICT)

    async def _live(
        self,
        request: web.BaseRequest,
        attempt: Attempt,
        ws: web.WebSocketResponse[bool],
    ) -> None:
        """Open a socket, and live on it until it ends."""
        transport, knock = request.transport, request.protocol
        self._door.leave(transport)
        if attempt.settings is not None:
            self._door.welcome(attempt.remote)
        try:
            await ws.prepare(request)
        except ConnectionError:
            _LOGGER.debug("%s: gone before it was let in", shortened(attempt.identity))
            return
        connection = Connection(
            ws,
            transport,
            name=shortened(attempt.identity),
            remote=attempt.remote,
            dialect=attempt.dialect,
            proof=attempt.proof,
            profile=attempt.profile,
            knock=knock if isinstance(knock, Knock) else None,
        )
        connection.origin = origin(request, within=attempt.guarded)
        if attempt.certified and attempt.certificate is not None:
            connection.certificate = client_certificate(attempt.certificate)
        try:
            await self._serve(attempt.identity, attempt.candidate, connection)
        except Exception:
            _LOGGER.exception("%s: the connection failed", connection.name)
            await connection.close(WSCloseCode.INTERNAL_ERROR)

    async def _serve(
        self, identity: str, candidate: Candidate | None, connection: Connection
    ) -> None:
        if candidate is not None:
            await self._introduce(candidate)
        # What was true when the handshake began need not be true any more.
        approved = self._registrar.settings(identity) is not None
        if self._stopping:
            await connection.close(WSCloseCode.GOING_AWAY)
        elif approved and self._qualifies(identity, connection):
            session = self._session(identity)
            await session.admit(self._registrar.context(identity))
            await session.serve(connection)
        elif not approved and self.waiting.get(identity) is candidate is not None:
            await self._keep_waiting(candidate, connection)
        else:
            await connection.close(WSCloseCode.POLICY_VIOLATION)

    async def _keep_waiting(self, candidate: Candidate, connection: Connection) -> None:
        session = self._session(candidate.identity)
        session.waiting = WaitingAdapter(
            candidate, self._clock, self._registrar.candidate_changed
        )
        try:
            await session.serve(connection)
        finally:
            if session.station is None and not session.connected:
                self._drop(session)

    async def _introduce(self, candidate: Candidate) -> None:
        """Tell the hub of a charger that it does not know."""
        if self._registrar.policy is AdmissionPolicy.ACCEPT:
            await self._registrar.accept_unknown(candidate)
        else:
            self._registrar.candidate_changed(candidate)

    def _session(self, identity: str) -> Session:
        if (session := self.sessions.get(identity)) is None:
            session = self.sessions[identity] = Session(
                identity,
                clock=self._clock,
                schemas=self._schemas,
                adapters=self._adapters,
                ping_interval=self._ping_interval,
                setups=self.setups,
            )
            session.on_shared = partial(self._registrar.shared, identity)
        return session

    def _gave_way(self, candidate: Candidate) -> None:
        """Turn out who lost the seat to another."""
        self._registrar.candidate_forgotten(candidate.identity)
        self._tasks.spawn(self.expel(candidate.identity), "OCPP waiting room")

    def _drop(self, session: Session) -> None:
        if self.sessions.get(session.identity) is session:
            del self.sessions[session.identity]

    async def _sweep(self) -> None:
        """Forget, every hour, who was not heard of for a day."""
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            await self.forget_candidates()

    async def forget_candidates(self) -> None:
        """Forget those who wait and were not heard of for a day."""
        for identity in self.waiting.expired():
            await self.expel(identity)
            self._registrar.candidate_forgotten(identity)


def _check_presence(request: web.BaseRequest) -> None:
    """Refuse who hung up while its password was looked at."""
    if request.transport is None:
        raise Refused(HTTPStatus.BAD_REQUEST)


def _refusal(attempt: Attempt, refused: Refused) -> web.Response:
    _LOGGER.debug(
        "%s: %s refused: %s",
        shortened(attempt.identity),
        attempt.remote,
        refused.status.phrase,
    )
    response = web.Response(
        status=refused.status, text=refused.status.phrase, headers=refused.headers
    )
    response.force_close()
    return response


def _client_certificate(request: web.BaseRequest) -> bytes | None:
    """Return the certificate (DER) that a charger showed in the TLS handshake."""
    transport = request.transport
    tls = transport.get_extra_info("ssl_object") if transport is not None else None
    return tls.getpeercert(binary_form=True) if isinstance(tls, SSLObject) else None
