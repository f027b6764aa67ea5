"""Calls: our requests to one connection, one outstanding at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import logging
from typing import Any
from uuid import uuid4

from .errors import (
    CallError,
    CallInterrupted,
    CallNotSent,
    CallTimeout,
    InvalidAnswer,
    OcppError,
    parse,
)
from .frames import MessageType, encode
from .validation import Schemas, Violation

_LOGGER = logging.getLogger(__name__)

MAX_WAITING = 50
_MAX_WORD = 255


@dataclass(kw_only=True, slots=True)
class _Call:
    message_id: str
    action: str
    answer: asyncio.Future[dict[str, Any]]
    sent: float
    timer: asyncio.TimerHandle = field(init=False)


class Calls:
    """The outgoing half of a connection (OCPP 1.6J 4.1.1, 2.x part 4 4.1.1).

    The slot belongs to the CALL, not to its caller: a cancelled caller does not free
    it, because the station is still busy with the request.
    """

    def __init__(
        self,
        *,
        name: str,
        schemas: Schemas,
        write: Callable[[str], Awaitable[None]],
        on_latency: Callable[[float], None],
    ) -> None:
        """Send through `write`; report round trips in milliseconds."""
        self._name = name
        self._schemas = schemas
        self._write = write
        self._on_latency = on_latency
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._outstanding: _Call | None = None
        self._taken = False
        self._closed = False

    @property
    def pending(self) -> bool:
        """Return whether a CALL is outstanding or waits to be sent."""
        return self._taken

    async def call(
        self, action: str, payload: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        """Send a CALL in its turn and return the answer; see `Rpc.call`."""
        message_id = str(uuid4())
        ordered = self._schemas.ordered(action, payload)
        try:
            text = encode([MessageType.CALL, message_id, action, ordered])
        except TypeError as err:
            raise CallNotSent(f"{action}: the payload is no JSON") from err
        await self._turn()
        if self._closed:
            self._release()
            raise CallNotSent(action)
        call = self._open(message_id, action, timeout)
        try:
            await self._write(text)
        except OSError as err:
            self._settle(call)
            raise CallNotSent(action) from err
        return await call.answer

    def answered(self, message_id: object, payload: Any) -> Violation | None:
        """Take a CALLRESULT; return what is wrong with it."""
        if (call := self._match(message_id)) is None:
            return None
        latency = (asyncio.get_running_loop().time() - call.sent) * 1000
        try:
            answer = self._schemas.response(call.action, payload)
        except Violation as violation:
            reason = f"{call.action}: {violation} at {violation.where or 'payload'}"
            self._settle(call, InvalidAnswer(reason, payload))
            return violation
        self._settle(call, answer)
        self._on_latency(latency)
        return None

    def refused(self, message_id: object, details: list[Any]) -> None:
        """Take a CALLERROR; `details` follow the id and may be missing or null."""
        if (call := self._match(message_id)) is None:
            return
        code, description = ([*details, None, None])[:2]
        word = code[:_MAX_WORD] if isinstance(code, str) else ""
        text = description[:_MAX_WORD] if isinstance(description, str) else ""
        self._settle(call, CallError(parse(code), word, text))

    def close(self) -> None:
        """Fail what is outstanding and what waits, at once."""
        self._closed = True
        while self._waiting:
            _fail(self._waiting.popleft(), CallNotSent("the connection closed"))
        if (call := self._outstanding) is not None:
            self._settle(call, CallInterrupted(call.action))

    async def _turn(self) -> None:
        if self._closed or len(self._waiting) >= MAX_WAITING:
            raise CallNotSent("closed" if self._closed else "too many requests wait")
        if not self._taken:
            self._taken = True
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not turn.cancelled() and turn.exception() is None:
                self._release()
            raise

    def _open(self, message_id: str, action: str, timeout: float) -> _Call:
        loop = asyncio.get_running_loop()
        call = _Call(
            message_id=message_id,
            action=action,
            answer=loop.create_future(),
            sent=loop.time(),
        )
        call.timer = loop.call_later(timeout, self._settle, call, CallTimeout(action))
        # The caller may be gone when its answer fails: that is no news for the log.
        call.answer.add_done_callback(_look)
        self._outstanding = call
        return call

    def _match(self, message_id: object) -> _Call | None:
        call = self._outstanding
        if call is not None and call.message_id == message_id:
            return call
        _LOGGER.debug("%s: dropped an answer that nobody waits for", self._name)
        return None

    def _settle(
        self, call: _Call, result: dict[str, Any] | OcppError | None = None
    ) -> None:
        if self._outstanding is not call:
            return
        self._outstanding = None
        call.timer.cancel()
        if isinstance(result, OcppError):
            _fail(call.answer, result)
        elif result is not None and not call.answer.done():
            call.answer.set_result(result)
        self._release()

    def _release(self) -> None:
        while self._waiting:
            if not (turn := self._waiting.popleft()).done():
                turn.set_result(None)
                return
        self._taken = False


def _fail(future: asyncio.Future[Any], error: OcppError) -> None:
    if not future.done():
        future.set_exception(error)


def _look(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
