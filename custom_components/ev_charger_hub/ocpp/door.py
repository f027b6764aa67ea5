"""Door: the sockets of the server before anybody is let in, and how fast they send.

What happens here is cheap for us whoever knocks: no password is checked, nothing is
logged, and nobody holds a place that somebody else needs.
"""

import asyncio
from collections import Counter, OrderedDict
from datetime import timedelta
from http import HTTPStatus
from typing import Any, override

from aiohttp import web

from ..station.clock import Clock
from .throttle import Buckets, Pace, neighborhood

HANDSHAKE_TIMEOUT = 10.0
"""Seconds within which a socket has to send a whole request."""

MAX_LINE = 2048
MAX_FIELD = 4096
MAX_HEADERS = 64

_CAPACITY = 512
_REFUSALS = 200
_REFUSAL_EVERY = timedelta(seconds=1)
_REMEMBERED = 1000


class Door:
    """Sockets that are not let in yet, and addresses that are refused all the time.

    If there are too many, the address with the most of them gives way with its oldest:
    whoever floods pushes out nobody but itself. An address that somebody was let in
    from is always heard, because chargers may share it (NAT, a proxy).
    """

    def __init__(self, clock: Clock, *, capacity: int = _CAPACITY) -> None:
        """Open a door at which nobody stands."""
        self._capacity = capacity
        self._refusals = Buckets(clock, burst=_REFUSALS, refill=_REFUSAL_EVERY)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._outside: dict[asyncio.Transport, str] = {}
        self._crowd: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many stand outside."""
        return len(self._outside)

    def knock(self, transport: asyncio.Transport) -> bool:
        """Let a new socket stand outside; return False if it is not worth a word."""
        address = _address(transport)
        if address not in self._known and self._refusals.empty(address):
            return False
        self._outside[transport] = address
        self._crowd[address] += 1
        if len(self._outside) > self._capacity:
            self._thin_out()
        return True

    def leave(self, transport: asyncio.Transport | None) -> None:
        """Let a socket in, or forget one that is gone."""
        if transport is None or (address := self._outside.pop(transport, None)) is None:
            return
        self._crowd[address] -= 1
        if not self._crowd[address]:
            del self._crowd[address]

    def refused(self, remote: str) -> None:
        """Count a refusal."""
        self._refusals.take(neighborhood(remote))

    def welcome(self, remote: str) -> None:
        """Remember that an approved charger was let in from there."""
        address = neighborhood(remote)
        self._known[address] = None
        self._known.move_to_end(address)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _thin_out(self) -> None:
        (greediest, _), *_ = self._crowd.most_common(1)
        for transport, address in self._outside.items():
            if address == greediest:
                self.leave(transport)
                transport.abort()
                return


class Knock(web.RequestHandler):
    """The HTTP of one socket: what aiohttp does, with bounds.

    `pace` counts bytes. It is what a stream of fragments is caught by, which is never
    a message for anybody to count.
    """

    __slots__ = ("_door", "_resting", "_socket", "pace")

    def __init__(self, manager: web.Server, door: Door, **options: Any) -> None:
        """Stand at `door`."""
        super().__init__(manager, **options)
        self.pace: Pace | None = None
        self._door = door
        self._resting = False
        self._socket: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        # Unlike `transport`, which aiohttp forgets when it closes it.
        self._socket = transport
        if self._door.knock(transport):
            super().connection_made(transport)
        else:
            transport.abort()

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._door.leave(self._socket)
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.pace is not None and data:
            now = self._loop.time()
            if (rest := self.pace.take(now, len(data))) and not self._resting:
                self._rest(rest)

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP without the traceback that aiohttp would log."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or request.writer.output_size:
            return super().handle_error(request, status, exc, message)
        self._door.refused(request.remote or "")
        response = web.Response(status=status)
        response.force_close()
        return response

    def _rest(self, seconds: float) -> None:
        if self.transport is not None:
            self._resting = True
            self.transport.pause_reading()
            self._loop.call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._resting = False
        # aiohttp may hold the socket for reasons of its own, and lets it go itself.
        if self.transport is not None and not self._reading_paused:
            self.transport.resume_reading()


class Porter(web.Server):
    """Makes the HTTP of each socket that comes to a door."""

    def __init__(self, handler: Any, door: Door) -> None:
        """Answer requests with `handler`."""
        super().__init__(handler)
        self._door = door

    @override
    def __call__(self) -> Knock:
        return Knock(
            self,
            self._door,
            loop=self._loop,
            access_log=None,
            # Files are kept as they come, and nothing else has a body worth reading.
            auto_decompress=False,
            keepalive_timeout=HANDSHAKE_TIMEOUT,
            lingering_time=1.0,
            max_field_size=MAX_FIELD,
            max_headers=MAX_HEADERS,
            max_line_size=MAX_LINE,
        )


def _address(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return neighborhood(str(peer[0])) if isinstance(peer, tuple) else ""
