"""Listener: one port for chargers with and without TLS, told apart by the first byte."""

import asyncio
from collections import Counter
from collections.abc import Callable
import errno
import logging
import os
from socket import AI_PASSIVE, MSG_PEEK, SOCK_STREAM, create_server, socket
from ssl import SSLCertVerificationError, SSLContext
from typing import Any

from .throttle import neighborhood
from .tls import Contexts

_LOGGER = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds for the first byte, and again for the TLS handshake (WS_11)."""

_TLS_HANDSHAKE = b"\x16"
_BACKLOG = 512
# More would keep those who are in waiting.
_AT_ONCE = 8
_HALF_OPEN = 512
_SPARED = 100
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_REST = 1.0
_CLOSE_TIMEOUT = 5.0


class Listener:
    """Accepts sockets on one port and hands them to a protocol, encrypted or not.

    Sockets that have not said what they want are bounded: if there are too many, the
    address with the most of them gives way with its oldest.
    """

    def __init__(
        self,
        factory: Callable[[], asyncio.Protocol],
        *,
        host: str,
        port: int,
        contexts: Contexts | None,
        plain: bool,
        timeout: float = TIMEOUT,
        half_open: int = _HALF_OPEN,
    ) -> None:
        """Prepare to listen; `plain` lets sockets without TLS in beside those with it."""
        self.contexts = contexts
        """For sockets from now on; may be replaced at any time."""
        self.port = port
        self._factory = factory
        self._host = host
        self._plain = plain or contexts is None
        self._timeout = timeout
        self._capacity = half_open
        self._sockets: list[socket] = []
        self._opening: dict[asyncio.Task[None], str] = {}
        self._spared: dict[str, None] = {}

    def __len__(self) -> int:
        """Return how many sockets have not said what they want, or are in a handshake."""
        return len(self._opening)

    async def reserve(self) -> None:
        """Have the port, where sockets wait now; raises OSError when it is taken."""
        if self._sockets:
            return
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            self._host or None, self.port, type=SOCK_STREAM, flags=AI_PASSIVE
        )
        try:
            for family, address in dict.fromkeys((one[0], one[4]) for one in found):
                self._bind(family, address)
        except OSError:
            await self.close()
            raise
        if not self._sockets:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        self.port = self._sockets[0].getsockname()[1]

    async def start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        await self.reserve()
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.add_reader(one, self._accept, one)

    def _bind(self, family: int, address: Any) -> None:
        try:
            one = create_server(address, family=family, backlog=_BACKLOG)
        except OSError as err:
            # A name may stand for IPv6 too where there is none.
            if err.errno != errno.EADDRNOTAVAIL:
                raise
            return
        one.setblocking(False)
        self._sockets.append(one)

    async def close(self) -> None:
        """Stop listening, and drop who has not finished a handshake."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.remove_reader(one)
            one.close()
        self._sockets.clear()
        opening = tuple(self._opening)
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)

    def _accept(self, listening: socket) -> None:
        """Accept what waits, but not without end."""
        for _ in range(_AT_ONCE):
            try:
                accepted, peer = listening.accept()
            except BlockingIOError, InterruptedError:
                return
            except OSError as err:
                if err.errno in _EXHAUSTED:
                    self._rest(listening, err)
                return
            accepted.setblocking(False)
            self._welcome(accepted, neighborhood(str(peer[0])))

    def _rest(self, listening: socket, err: OSError) -> None:
        """Wait until there is room for sockets again, instead of turning in circles."""
        loop = asyncio.get_running_loop()
        _LOGGER.debug("no room for another connection: %s", err)
        loop.remove_reader(listening)

        def resume() -> None:
            if listening in self._sockets:
                loop.add_reader(listening, self._accept, listening)

        loop.call_later(_REST, resume)

    def _welcome(self, accepted: socket, address: str) -> None:
        # A task that is cancelled before it begins would close no socket.
        task = asyncio.create_task(
            self._open(accepted, address),
            name="OCPP connection opens",
            eager_start=True,
        )
        self._opening[task] = address
        task.add_done_callback(lambda done: self._opening.pop(done, None))
        if len(self._opening) > self._capacity:
            self._thin_out()

    def _thin_out(self) -> None:
        (greediest, _), *_ = Counter(self._opening.values()).most_common(1)
        for task, address in self._opening.items():
            if address == greediest:
                del self._opening[task]
                task.cancel()
                return

    async def _open(self, accepted: socket, address: str) -> None:
        """Find out what a socket wants, and give it that."""
        try:
            context = await self._choose(accepted, address)
        except OSError as err:
            _LOGGER.debug("%s: says nothing: %s", address, err)
            accepted.close()
            return
        except asyncio.CancelledError:
            accepted.close()
            raise
        try:
            await self._connect(accepted, context)
        except SSLCertVerificationError as err:
            _LOGGER.debug("%s: certificate refused: %s", address, err.verify_message)
            self._spare(address)
        except OSError as err:
            _LOGGER.debug("%s: no connection: %s", address, err)

    async def _choose(self, accepted: socket, address: str) -> SSLContext | None:
        """Return the context for a new socket, None without TLS; raises OSError."""
        if (contexts := self.contexts) is None:
            return None
        if self._plain:
            async with asyncio.timeout(self._timeout):
                if await _first_byte(accepted) != _TLS_HANDSHAKE:
                    return None
        spared = address in self._spared
        self._spared.pop(address, None)
        return contexts.choose(spared=spared)

    async def _connect(self, accepted: socket, context: SSLContext | None) -> None:
        tls = context is not None
        await asyncio.get_running_loop().connect_accepted_socket(
            self._factory,
            accepted,
            ssl=context,
            ssl_handshake_timeout=self._timeout if tls else None,
            ssl_shutdown_timeout=_CLOSE_TIMEOUT if tls else None,
        )

    def _spare(self, address: str) -> None:
        """Ask the next socket of an address for no certificate.

        Some chargers send a certificate of their maker to whoever asks, or one that has
        ended. They get as far as they would without it, which is up to the handshake.
        """
        self._spared[address] = None
        if len(self._spared) > _SPARED:
            del self._spared[next(iter(self._spared))]


async def _first_byte(accepted: socket) -> bytes:
    """Return the first byte that comes, and leave it there; raises OSError."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(accepted, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(accepted)
    if first := accepted.recv(1, MSG_PEEK):
        return first
    raise ConnectionResetError("closed at once")
