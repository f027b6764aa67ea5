"""The SignalR hub: negotiation, connections, and who is told what."""

import asyncio
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Iterable
import hashlib
from itertools import count
from random import Random
from typing import Any, Protocol

from aiohttp import web

from .answers import NotFound, Refused
from .clock import CloudClock
from .connection import Connection, Framing
from .journal import Journal
from .observations import Observation
from .products import Product
from .tokens import Account

PATH = "/hubs/chargers"
REGION = "/region" + PATH
"""Where a redirect leads to."""


class Directory(Protocol):
    """Who knows all products."""

    def product_of(self, account: Account, serial: str) -> Product | None:
        """Return a product, if it is there and the account may see it."""
        ...


class Hub:
    """All connections of the stream."""

    def __init__(
        self, clock: CloudClock, journal: Journal, directory: Directory
    ) -> None:
        """Start without connections."""
        self.clock = clock
        self.journal = journal
        self.directory = directory
        self.random = Random(1)
        """Shuffles replays; seed it anew for another order."""
        self.framing = Framing.JOINED
        self.camel_case = False
        """Whether methods of clients are called `productUpdate` and not `ProductUpdate`."""
        self.handshake_with_data = True
        self.handshake_error: str | None = None
        self.negotiate_version = 0
        self.negotiations: deque[dict[str, Any]] = deque()
        """What the next negotiations are answered with."""
        self.subscribe_error: str | None = None
        """What the next subscription fails with."""
        self.ping_interval: float | None = 15.0
        self.client_timeout = 30.0
        self.connections: list[Connection] = []
        self.opened = 0
        """How many connections there ever were."""
        self._numbers = count(1)
        self._expected: dict[str, Account] = {}
        self._stream_tokens: dict[str, Account] = {}

    def negotiate(self, account: Account, base: str) -> dict[str, Any]:
        """Return the answer to a negotiation."""
        if self.negotiations:
            answer = self.negotiations.popleft()
            if answer.get("url") == "":
                token = f"stream-token-{next(self._numbers)}"
                self._stream_tokens[token] = account
                return {"url": base + REGION, "accessToken": token}
            return answer
        digest = hashlib.sha256(f"connection {next(self._numbers)}".encode()).digest()
        identity = urlsafe_b64encode(digest[:16]).decode().rstrip("=")
        answer = {
            "negotiateVersion": self.negotiate_version,
            "connectionId": identity,
            "availableTransports": [
                {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
                {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
                {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
            ],
        }
        if self.negotiate_version:
            identity = f"token-{identity}"
            answer["connectionToken"] = identity
        self._expected[identity] = account
        return answer

    def redirect_next(self) -> None:
        """Send the next negotiation to another address, with a token of its own."""
        self.negotiations.append({"url": ""})

    def whose(self, token: str | None) -> Account | None:
        """Return whose token of a redirect this is."""
        return self._stream_tokens.get(token or "")

    async def serve(self, request: web.Request, account: Account) -> web.StreamResponse:
        """Serve one connection until it ends."""
        identity = request.query.get("id", "")
        if (expected := self._expected.pop(identity, None)) is None:
            raise NotFound
        if expected is not account:
            raise Refused(401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.journal.server("101")
        connection = Connection(self, socket, request, account)
        self.connections.append(connection)
        self.opened += 1
        try:
            await connection.run()
        finally:
            self.connections.remove(connection)
        return socket

    def replay(self, product: Product) -> list[Observation]:
        """Return all that is known of a product, in any order, with its own times."""
        known = [*product.known.values()]
        self.random.shuffle(known)
        return known

    def observed(self, product: Product, observation: Observation) -> None:
        """Tell all subscribers an observation."""
        update = observation.update(product.serial)
        self.tell(product.serial, "ProductUpdate", update)

    def responded(self, serial: str, response: dict[str, Any]) -> None:
        """Tell all subscribers what became of a command."""
        self.tell(serial, "CommandResponse", response)

    def _listeners(self, serial: str) -> list[Connection]:
        return [one for one in self.connections if serial in one.subscriptions]

    def _invoke(
        self, connections: Iterable[Connection], target: str, argument: dict[str, Any]
    ) -> None:
        if self.camel_case:
            target = target[0].lower() + target[1:]
        for connection in connections:
            connection.send({"type": 1, "target": target, "arguments": [argument]})

    def tell(self, serial: str, target: str, argument: dict[str, Any]) -> None:
        """Invoke any method at all subscribers of a product."""
        self._invoke(self._listeners(serial), target, argument)

    def raw(self, text: str) -> None:
        """Send any text as a frame of its own, whatever it is."""
        for connection in self.connections:
            connection.send_raw(text)

    def subscriptions(self) -> list[str]:
        """Return the serial numbers that somebody listens to, as often as it is so."""
        return sorted(
            serial for one in self.connections for serial in one.subscriptions
        )

    def close(
        self, error: str | None = "server shutdown", *, reconnect: bool = True
    ) -> None:
        """Take leave of all clients."""
        for connection in self.connections:
            connection.close(error, reconnect=reconnect)

    def hang_up(self, code: int = 1012) -> None:
        """Close all connections with a code and without a word, as a restart does."""
        for connection in self.connections:
            connection.hang_up(code)

    def drop(self) -> None:
        """Cut all connections."""
        for connection in [*self.connections]:
            connection.drop()

    def fall_silent(self) -> None:
        """Leave all connections open and say nothing more, nor listen."""
        for connection in self.connections:
            connection.silent = True

    async def stop(self) -> None:
        """End all connections, and wait until they are gone."""
        self.drop()
        while self.connections:
            await asyncio.sleep(0)
