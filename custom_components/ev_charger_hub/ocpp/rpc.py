"""RPC: the framing of OCPP-J on one connection, whatever carries it.

Rules: 1.6J and 2.x part 4, chapter 4. Frames of a station are handled in their order.
A handler that answers at once is answered within `receive`; one that takes time runs in
a worker, so that the answers to our own CALLs are still read meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
import logging
from typing import Any

import orjson

from ..station.errors import JournalError
from .calls import Calls
from .dialect import STATION_ACTIONS, Dialect
from .errors import ErrorCode, RpcError, spelled
from .frames import UNKNOWN_ID, FrameError, MessageType, cut, decode, encode, readable
from .redact import redacted
from .replies import Exchange, Handler, Reply, ReplyCache
from .validation import NEVER_REFUSED, Schemas, Violation

__all__ = ["Handler", "Reply", "ReplyCache", "Rpc"]

_LOGGER = logging.getLogger(__name__)

MAX_INBOX = 200
HANDLER_TIMEOUT = 60.0
# Errors of the moment: a retry deserves another try, or a transaction would be lost.
_PASSING = frozenset({ErrorCode.GENERIC, ErrorCode.INTERNAL, ErrorCode.SECURITY})

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


@dataclass(slots=True)
class _Inbound:
    """A CALL to be answered through its exchange, or a SEND, which has none."""

    message_id: str
    action: str
    payload: Any
    exchange: Exchange | None


class Rpc:
    """OCPP-J over one connection."""

    def __init__(
        self,
        *,
        name: str,
        dialect: Dialect,
        schemas: Schemas,
        send: Callable[[str], Awaitable[None]],
        handle: Handler,
        replies: ReplyCache,
        spawn: Spawn,
    ) -> None:
        """Write frames with `send`, which raises OSError once the socket is gone."""
        self.on_latency: Callable[[float], None] | None = None
        self._name = name
        self._dialect = dialect
        self._schemas = schemas
        self._actions = STATION_ACTIONS[dialect]
        self._send = send
        self._handle = handle
        self._replies = replies
        self._spawn = spawn
        self._calls = Calls(
            name=name, schemas=schemas, write=self._write, on_latency=self._measured
        )
        self._inbox: deque[_Inbound] = deque()
        self._not_kept: set[str] = set()
        self._working = False
        self._closed = False

    @property
    def pending(self) -> bool:
        """Return whether a CALL of ours is outstanding or waits to be sent."""
        return self._calls.pending

    async def call(
        self, action: str, payload: dict[str, Any], *, timeout: float = 30.0
    ) -> dict[str, Any]:
        """Send a CALL and return the payload of its answer, awaited `timeout` seconds.

        Raises CallError, CallTimeout, CallInterrupted, CallNotSent or InvalidAnswer.
        """
        return await self._calls.call(action, payload, timeout)

    def close(self) -> None:
        """Fail our CALLs at once and forget what no handler has seen.

        A handler that already runs is left to finish: its answer is kept for the retry
        of the station on its next socket.
        """
        self._closed = True
        self._calls.close()
        self._drop_inbox()

    async def receive(self, text: str | bytes) -> None:
        """Take one frame; whatever it holds, nothing is raised."""
        if self._closed:
            return
        try:
            await self._receive(text)
        except Exception:
            _LOGGER.exception("%s: a frame could not be processed", self._name)

    async def _receive(self, text: str | bytes) -> None:
        try:
            frame = decode(text)
        except FrameError as error:
            _LOGGER.debug("%s: <- %d characters, %s", self._name, len(text), error)
            await self._unfit(error, hash(text))
            return
        if _LOGGER.isEnabledFor(logging.DEBUG):
            _LOGGER.debug("%s: <- %s", self._name, redacted(frame))
        message_id = frame[1] if len(frame) > 1 else None
        match frame[0]:
            case MessageType.CALL:
                await self._called(frame, message_id, hash(text))
            case MessageType.CALLRESULT:
                await self._answered(frame, message_id)
            case MessageType.CALLERROR:
                self._calls.refused(message_id, frame[2:])
            case MessageType.CALLRESULTERROR if self._dialect is Dialect.V21:
                # About an answer of ours, or instead of one to us (2.1 part 4, 4.2.3).
                self._calls.refused(message_id, frame[2:])
            case MessageType.SEND if self._dialect is Dialect.V21:
                await self._told(frame)
            case _ if self._dialect is Dialect.V201 and readable(message_id):
                await self._error(
                    message_id, RpcError(ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED)
                )

    async def _called(
        self, frame: list[Any], message_id: Any, fingerprint: int
    ) -> None:
        if not readable(message_id):
            await self._unreadable()
            return
        if len(frame) < 4:
            await self._error(message_id, RpcError(ErrorCode.RPC_FRAMEWORK))
            return
        action = frame[2]
        if type(action) is not str or action not in self._actions:
            known = type(action) is str and action in self._schemas.actions
            code = ErrorCode.NOT_SUPPORTED if known else ErrorCode.NOT_IMPLEMENTED
            await self._error(message_id, RpcError(code))
            return
        key = (message_id, action)
        if (exchange := self._replies.find(key, fingerprint)) is not None:
            await self._repeated(exchange)
            return
        exchange = Exchange(key, fingerprint, self)
        self._replies.begin(exchange)
        await self._accept(_Inbound(message_id, action, frame[3], exchange))

    async def _told(self, frame: list[Any]) -> None:
        if len(frame) > 3 and type(frame[2]) is str and frame[2] in self._actions:
            await self._accept(_Inbound("", frame[2], frame[3], None))

    async def _repeated(self, exchange: Exchange) -> None:
        _LOGGER.debug("%s: %s was repeated", self._name, exchange.key[1])
        if exchange.answer:
            await self.deliver(exchange)
        else:
            exchange.by = self

    async def _accept(self, call: _Inbound) -> None:
        if self._working:
            self._inbox.append(call)
            if len(self._inbox) > MAX_INBOX:
                await self._refuse(self._inbox.popleft())
            return
        reply = self._attempt(call)
        if isinstance(reply, Reply | RpcError):
            await self._answer(call, reply)
            return
        self._working = True
        self._spawn(self._work(call, reply), f"{self._name} {call.action}")

    def _attempt(self, call: _Inbound) -> Reply | RpcError | Awaitable[Reply]:
        try:
            payload = self._schemas.request(call.action, call.payload)
            return self._handle(call.action, payload)
        except Exception as error:  # noqa: BLE001
            return self._failure(call, error)

    async def _work(
        self, call: _Inbound, reply: Reply | RpcError | Awaitable[Reply]
    ) -> None:
        """Answer a slow CALL and what came in behind it, then end."""
        try:
            while True:
                await self._finish(call, reply)
                if not self._inbox:
                    return
                call = self._inbox.popleft()
                reply = self._attempt(call)
        except asyncio.CancelledError:
            self._drop_inbox()
            raise
        finally:
            self._working = False

    async def _finish(
        self, call: _Inbound, reply: Reply | RpcError | Awaitable[Reply]
    ) -> None:
        try:
            if not isinstance(reply, Reply | RpcError):
                reply = await self._outcome(call, reply)
            await self._answer(call, reply)
        except Exception:
            _LOGGER.exception("%s: %s could not be answered", self._name, call.action)
        finally:
            if call.exchange is not None and not call.exchange.answer:
                self._replies.forget(call.exchange)

    async def _outcome(
        self, call: _Inbound, reply: Awaitable[Reply]
    ) -> Reply | RpcError:
        try:
            async with asyncio.timeout(HANDLER_TIMEOUT):
                result = await reply
        except Exception as error:  # noqa: BLE001
            return self._failure(call, error)
        self._not_kept.discard(call.action)
        return result

    def _failure(self, call: _Inbound, error: Exception) -> RpcError:
        if isinstance(error, RpcError):
            return error
        if isinstance(error, Violation):
            _LOGGER.debug("%s: %s: %s", self._name, call.action, error.where)
            return RpcError(error.code, error.where)
        if isinstance(error, JournalError):
            self._warn_once(call.action, error)
        else:
            _LOGGER.error("%s: %s failed", self._name, call.action, exc_info=error)
        return RpcError(ErrorCode.INTERNAL)

    def _warn_once(self, action: str, error: JournalError) -> None:
        """Tell that an action is not kept; its retries say nothing until it is."""
        if action not in self._not_kept:
            self._not_kept.add(action)
            _LOGGER.warning("%s: %s cannot be kept yet: %s", self._name, action, error)

    async def _answer(self, call: _Inbound, reply: Reply | RpcError) -> None:
        if (exchange := call.exchange) is None:
            return
        if isinstance(reply, Reply):
            try:
                text = encode([MessageType.CALLRESULT, call.message_id, reply.payload])
            except TypeError as error:
                reply = self._failure(call, error)
        if isinstance(reply, Reply):
            exchange.after = reply.after
            self._replies.finish(exchange, text, timed="currentTime" in reply.payload)
        else:
            text = self._error_text(call.message_id, reply)
            self._replies.finish(exchange, text, timed=False)
            if reply.code in _PASSING:
                self._replies.forget(exchange)
        await exchange.by.deliver(exchange)

    async def deliver(self, exchange: Exchange) -> None:
        """Send the answer of an exchange; what comes after it runs if it was sent."""
        if not await self._sent(exchange.answer):
            return
        if (after := exchange.after) is not None:
            exchange.after = None
            after()

    async def _answered(self, frame: list[Any], message_id: Any) -> None:
        # Without a payload element it is no CALLRESULT: an answer that is not valid.
        payload = frame[2] if len(frame) > 2 else ""
        violation = self._calls.answered(message_id, payload)
        if violation is not None and self._dialect is Dialect.V21:
            await self._error(
                message_id,
                RpcError(violation.code, violation.where),
                MessageType.CALLRESULTERROR,
            )

    async def _refuse(self, call: _Inbound) -> None:
        if call.exchange is not None:
            self._replies.forget(call.exchange)
            await self._error(
                call.message_id, RpcError(ErrorCode.INTERNAL, "too many requests")
            )

    def _drop_inbox(self) -> None:
        for call in self._inbox:
            if call.exchange is not None:
                self._replies.forget(call.exchange)
        self._inbox.clear()

    async def _unreadable(self) -> None:
        # 1.6 has no answer to what has no id (1.6J 4.2.3).
        if self._dialect is not Dialect.V16:
            await self._error(UNKNOWN_ID, RpcError(ErrorCode.RPC_FRAMEWORK))

    async def _unfit(self, error: FrameError, fingerprint: int) -> None:
        """Answer what is no frame, or a CALL that is beyond the bounds."""
        frame, message_id = error.frame, error.call
        if frame is None or message_id is None:
            await self._unreadable()
            return
        action = frame[2] if len(frame) > 3 else None
        if isinstance(action, str) and action in NEVER_REFUSED:
            await self._called([*frame[:3], cut(frame[3])], message_id, fingerprint)
            return
        # Silence would have it sent again and again.
        await self._error(
            message_id,
            RpcError(ErrorCode.FORMAT_VIOLATION, "longer or deeper than is read"),
        )

    async def _error(
        self,
        message_id: str,
        error: RpcError,
        kind: MessageType = MessageType.CALLERROR,
    ) -> None:
        await self._sent(self._error_text(message_id, error, kind))

    def _error_text(
        self,
        message_id: str,
        error: RpcError,
        kind: MessageType = MessageType.CALLERROR,
    ) -> str:
        code = spelled(error.code, self._dialect)
        return encode([kind, message_id, code, error.description, error.details])

    async def _sent(self, text: str) -> bool:
        """Return whether a frame could be handed to the socket."""
        if self._closed:
            return False
        try:
            await self._write(text)
        except OSError as error:
            _LOGGER.debug("%s: an answer was not sent: %s", self._name, error)
            return False
        return True

    async def _write(self, text: str) -> None:
        if _LOGGER.isEnabledFor(logging.DEBUG):
            _LOGGER.debug("%s: -> %s", self._name, redacted(orjson.loads(text)))
        await self._send(text)

    def _measured(self, milliseconds: float) -> None:
        if self.on_latency is not None:
            self.on_latency(milliseconds)
