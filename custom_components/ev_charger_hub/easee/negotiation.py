"""Negotiation: where a SignalR hub wants to be connected to, and how to get in.

ASP.NET Core, TransportProtocols.md; easee_cloud.md 1.6 steps 1 and 2.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, override

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
    ServerDisconnectedError,
    WSServerHandshakeError,
)
from yarl import URL

from .answers import ask, retry_after
from .errors import StreamError
from .timing import Time, limit

PATIENCE: Final = 15.0
"""Seconds that each step may take."""
MAX_HOPS: Final = 100
MAX_FRAME: Final = 4 * 1024 * 1024
LEAVING: Final = 2.0
"""Seconds to wait for the other side to hang up as well."""


type Admit = Callable[[], Awaitable[None]]
"""Waits until a request may be sent, and counts it; raises NotNow if it may not."""


class Refusal(StreamError):
    """The hub does not let us in: with what status, and how long to stay away."""

    @override
    def __init__(self, status: int, wait: timedelta | None = None) -> None:
        """Keep status and Retry-After of HTTP."""
        super().__init__(f"HTTP {status}")
        self.status = status
        self.wait = 0 if wait is None else wait.total_seconds()
        """Seconds."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Entrance:
    """Where to connect, as whom; the repr has no secrets."""

    url: URL
    token: str
    id: str

    @override
    def __repr__(self) -> str:
        return f"Entrance(host={self.url.host!r})"

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that lets us in."""
        return {"Authorization": f"Bearer {self.token}"}


async def negotiate(
    session: ClientSession, time: Time, url: str, token: str, admit: Admit
) -> Entrance:
    """Return the way into a hub; raises StreamError, Refusal with a status of HTTP."""
    place = URL(url)
    seen = set[URL]()
    while place not in seen and len(seen) <= MAX_HOPS:
        seen.add(place)
        await admit()
        answer = await _ask(session, time, place, token)
        match answer:
            case {"error": str(error)}:
                raise StreamError(f"negotiation: {error:.100}")
            case {"url": str(further)}:
                place = _elsewhere(place, further)
                if isinstance(other := answer.get("accessToken"), str):
                    token = other
            case {"connectionToken": str(identity)} | {"connectionId": str(identity)}:
                _check_transports(answer)
                return Entrance(url=place, token=token, id=identity)
            case _:
                raise StreamError("negotiation: the answer is no way in")
    raise StreamError("negotiation: it leads nowhere")


def _elsewhere(place: URL, further: str) -> URL:
    """Return where a redirect leads, unless it is no place to take a token to."""
    try:
        url = URL(further)
    except ValueError:
        raise StreamError("negotiation: it leads nowhere") from None
    if url.host is None or url.scheme not in {"https", place.scheme}:
        raise StreamError("negotiation: it leads to a place that is not safe")
    return url


def _check_transports(answer: dict[str, Any]) -> None:
    match answer.get("availableTransports"):
        case list(transports) if transports and not any(
            isinstance(one, dict) and one.get("transport") == "WebSockets"
            for one in transports
        ):
            raise StreamError("negotiation: there are no WebSockets")


async def _ask(session: ClientSession, time: Time, url: URL, token: str) -> Any:
    answer = await ask(
        session,
        time,
        "POST",
        str(url.with_query(None)),
        "/negotiate",
        token=token,
        params=url.update_query(negotiateVersion="1").query,
        timeout=PATIENCE,
    )
    if answer.blocked:
        raise answer.error(time())
    if not answer.good:
        raise Refusal(answer.status, answer.retry_after)
    return answer.body


@asynccontextmanager
async def websocket(
    session: ClientSession, time: Time, entrance: Entrance, admit: Admit
) -> AsyncGenerator[ClientWebSocketResponse]:
    """Open the WebSocket, and close it in the end; raises StreamError or Refusal."""
    try:
        socket = await _open(session, time, entrance, admit)
    except WSServerHandshakeError as err:
        raise Refusal(err.status, retry_after(err.headers or {})) from None
    except (ClientError, OSError, ValueError) as err:
        raise StreamError(f"connecting: {type(err).__name__}") from None
    try:
        yield socket
    finally:
        await socket.close()


async def _open(
    session: ClientSession, time: Time, entrance: Entrance, admit: Admit
) -> ClientWebSocketResponse:
    url = entrance.url.update_query(id=entrance.id)
    try:
        return await _connect(session, time, url, admit, entrance.headers)
    except WSServerHandshakeError as err:
        if err.status != 401:
            raise
    # Gateways that pass no such header on take the token here.
    url = url.update_query(access_token=entrance.token)
    return await _connect(session, time, url, admit)


async def _connect(
    session: ClientSession,
    time: Time,
    url: URL,
    admit: Admit,
    headers: dict[str, str] | None = None,
) -> ClientWebSocketResponse:
    await admit()
    try:
        async with limit(time, PATIENCE):
            return await session.ws_connect(
                url,
                headers=headers,
                max_msg_size=MAX_FRAME,
                timeout=ClientWSTimeout(ws_close=LEAVING),
            )
    except ClientConnectorError:
        raise
    except ClientOSError, ServerDisconnectedError:
        # That is told after the second time: aiohttp has sent it again by itself.
        await admit()
        raise
