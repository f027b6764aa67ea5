"""One end of a socket, and the tasks of a station, whatever it speaks."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Coroutine
import contextlib
import logging
from ssl import SSLContext
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse

from .rpc import TROUBLE, NotConnected

_LOGGER = logging.getLogger(__name__)


class Wire(ABC):
    """A station's socket of the moment, and all that it does beside."""

    identity: str

    def __init__(self) -> None:
        """Create a station's end without a socket."""
        self.reconnect = True
        self._socket: ClientWebSocketResponse | None = None
        self._session: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    @abstractmethod
    def address(self) -> str:
        """Return where to dial."""

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """Return what proves who is dialling."""

    @abstractmethod
    async def tls(self) -> SSLContext | None:
        """Return what TLS goes by; None without TLS."""

    @abstractmethod
    def turned_away(self, err: ClientError) -> None:
        """Take note that a connection did not come about."""

    @abstractmethod
    def arrived(self) -> None:
        """Take note that a connection came about."""

    @property
    def connected(self) -> bool:
        """Return whether the socket is open."""
        return self._socket is not None and not self._socket.closed

    async def send(self, text: str) -> None:
        """Put one frame on the wire, whatever it says."""
        if self._socket is None or self._socket.closed:
            raise NotConnected
        _LOGGER.debug("%s > %s", self.identity, text)
        try:
            await self._socket.send_str(text)
        except (ConnectionError, ClientError) as err:
            raise NotConnected from err

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something beside, as long as the station exists; trouble is its own."""

        async def run() -> None:
            with contextlib.suppress(*TROUBLE):
                await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())

    @abstractmethod
    async def connect(self) -> None:
        """Open the socket; raises ClientError if refused."""

    @abstractmethod
    async def disconnect(self) -> None:
        """Close the socket; what happens now is told after the next connect."""

    async def redial(self) -> None:
        """Hang up, and dial in again."""
        await self.disconnect()
        if self.reconnect:
            await self.connect()

    async def close(self) -> None:
        """Switch the station off for good."""
        self.reconnect = False
        await self.disconnect()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
