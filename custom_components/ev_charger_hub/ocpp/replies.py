"""Replies: what we answered to a station, kept so that a retry hears the same.

The errata of 1.6J (2025-04, 3.1), 2.0.1 (4.6) and 2.1 (4.1.4) let a station repeat a
message under its id, also on a new socket. A handler must not run for it again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

MAX_REPLIES = 100
KEPT = 600.0
# Stations set their clock by answers that carry the time: never by an old one.
KEPT_IF_TIMED = 10.0


@dataclass(slots=True)
class Reply:
    """The answer to a CALL; `after` runs once the answer is handed to the socket."""

    payload: dict[str, Any]
    after: Callable[[], None] | None = None


type Handler = Callable[[str, dict[str, Any]], Reply | Awaitable[Reply]]


class Deliverer(Protocol):
    """A connection that answers go out by."""

    async def deliver(self, exchange: Exchange) -> None:
        """Send the answer of an exchange."""


@dataclass(slots=True)
class Exchange:
    """One CALL of a station and our answer, on whichever socket.

    `by` is the newest connection that asked; `answer` is the frame, empty
    while the handler runs. `fingerprint` tells a retry from another message under a
    reused id: simple firmware counts its ids from 1 after every boot.
    """

    key: tuple[str, str]
    fingerprint: int
    by: Deliverer
    answer: str = ""
    after: Callable[[], None] | None = None
    expires: float = 0.0


class ReplyCache:
    """The last exchanges of one identity; outlives its connections."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Start empty; `clock` counts seconds."""
        self._clock = clock
        self._exchanges: dict[tuple[str, str], Exchange] = {}

    def __len__(self) -> int:
        """Return how many exchanges are kept."""
        return len(self._exchanges)

    def find(self, key: tuple[str, str], fingerprint: int) -> Exchange | None:
        """Return the exchange that this message repeats, running or answered."""
        exchange = self._exchanges.get(key)
        if exchange is None or exchange.fingerprint != fingerprint:
            return None
        if exchange.answer and exchange.expires < self._clock():
            return None
        return exchange

    def begin(self, exchange: Exchange) -> None:
        """Remember an exchange whose handler is about to run."""
        self._exchanges.pop(exchange.key, None)
        self._exchanges[exchange.key] = exchange
        if len(self._exchanges) > MAX_REPLIES:
            self._drop_oldest()

    def finish(self, exchange: Exchange, answer: str, *, timed: bool) -> None:
        """Store the answer; `timed` if it carries the time."""
        exchange.answer = answer
        exchange.expires = self._clock() + (KEPT_IF_TIMED if timed else KEPT)

    def forget(self, exchange: Exchange) -> None:
        """Let the next copy of this message be handled as new."""
        if self._exchanges.get(exchange.key) is exchange:
            del self._exchanges[exchange.key]

    def _drop_oldest(self) -> None:
        # Those that run stay: their number is bounded by the queue of the connection.
        for key, exchange in self._exchanges.items():
            if exchange.answer:
                del self._exchanges[key]
                return
