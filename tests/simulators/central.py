"""The plainest central system there is, to test the virtual station against."""

import asyncio
from collections.abc import Callable
import json
from ssl import SSLContext
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

NOW = "2026-11-21T10:00:00Z"


class PlainCentralSystem:
    """Answers everything, keeps everything, sends what it is told to send."""

    def __init__(self) -> None:
        """Create a system that accepts every token."""
        self.calls: list[tuple[str, Any]] = []
        self.raw: list[str] = []
        self.message_ids: list[str] = []
        self.boot_status = "Accepted"
        self.token_status = "Accepted"
        self.authorization: str | None = None
        self.certificate: dict[str, Any] | None = None
        """What the station showed of itself in the TLS handshake."""
        self.refuse = False
        self.port = 0
        self._transaction = 0
        self._answers: dict[str, asyncio.Future[list[Any]]] = {}
        self._socket: web.WebSocketResponse | None = None
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()

    async def start(self, tls: SSLContext | None = None) -> None:
        """Listen on a free port, or on the one it had before."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def connected(self) -> bool:
        """Return whether the station's socket is open."""
        return self._socket is not None and not self._socket.closed

    async def drop(self) -> None:
        """Close the station's socket."""
        if self._socket is not None:
            await self._socket.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.authorization = request.headers.get("Authorization")
        self.certificate = request.get_extra_info("peercert")
        if self.refuse:
            raise web.HTTPUnauthorized
        socket = web.WebSocketResponse(protocols=("ocpp1.6",))
        await socket.prepare(request)
        self._socket = socket
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            self.raw.append(message.data)
            try:
                frame = json.loads(message.data)
                kind, unique = frame[0], frame[1]
            except ValueError, LookupError, TypeError:
                continue
            if kind == 2 and isinstance(frame[2], str):
                self.calls.append((frame[2], frame[3]))
                self.message_ids.append(unique)
                await socket.send_str(json.dumps([3, unique, self._reply(frame[2])]))
                self._changed.set()
            elif unique in self._answers:
                self._answers[unique].set_result(frame)
        return socket

    def _reply(self, action: str) -> dict[str, Any]:
        info = {"idTagInfo": {"status": self.token_status}}
        match action:
            case "BootNotification":
                return {
                    "status": self.boot_status,
                    "currentTime": NOW,
                    "interval": 300,
                }
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize":
                return info
            case "SignCertificate":
                return {"status": "Accepted"}
            case "StartTransaction":
                self._transaction += 1
                return {"transactionId": self._transaction, **info}
            case _:
                return {}

    async def ask(self, action: str, **payload: Any) -> list[Any]:
        """Send a request and return the whole answering frame."""
        assert self._socket is not None
        unique = str(uuid4())
        self._answers[unique] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(json.dumps([2, unique, action, payload]))
        return await self._answers[unique]

    async def seen(self, test: Callable[[str, Any], bool]) -> Any:
        """Wait for a call that passes a test, and return its payload."""
        while True:
            for action, payload in self.calls:
                if test(action, payload):
                    return payload
            self._changed.clear()
            await self._changed.wait()

    async def count(self, action: str, number: int) -> None:
        """Wait until an action was called so often."""
        await self.seen(lambda *_: len(self.of(action)) >= number)

    async def status(self, status: str) -> Any:
        """Wait until a connector reported a status."""
        return await self.seen(
            lambda action, payload: (
                action == "StatusNotification"
                and payload["status"] == status
                and payload["connectorId"] != 0
            )
        )

    def of(self, action: str) -> list[Any]:
        """Return the payloads of every call of one action."""
        return [payload for name, payload in self.calls if name == action]
