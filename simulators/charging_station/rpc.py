"""OCPP-J from the station's side: one call at a time, checked by the ocpp package."""

import asyncio
from collections.abc import Awaitable, Callable
import json
import logging
from typing import Any
from uuid import uuid4

from aiohttp import ClientError
from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallResult, MessageType, validate_payload

_LOGGER = logging.getLogger(__name__)

type Send = Callable[[str], Awaitable[None]]
type Handle = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any] | None]]


class CallRefused(Exception):
    """The central system answered with a CALLERROR."""


class NotConnected(Exception):
    """The socket is gone."""


TROUBLE = (CallRefused, ClientError, NotConnected, TimeoutError)
"""What may go wrong with a central system."""


class StationRpc:
    """The station's end of one socket."""

    def __init__(
        self, send: Send, handle: Handle, *, version: str, strict: bool = True
    ) -> None:
        """Create the end; `handle` answers requests, None leaves one unanswered."""
        self._send = send
        self._handle = handle
        self._version = version
        self._strict = strict
        self._lock = asyncio.Lock()
        self._answering = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.violations: list[str] = []

    async def call(
        self,
        action: str,
        payload: dict[str, Any] | None,
        *,
        message_id: str | None = None,
        timeout: float = 30,
    ) -> dict[str, Any]:
        """Send a CALL and return its answer's payload."""
        async with self._lock:
            unique = message_id or str(uuid4())
            future = asyncio.get_running_loop().create_future()
            self._waiting[unique] = future
            try:
                await self._send(json.dumps([2, unique, action, payload]))
                answer: dict[str, Any] = await asyncio.wait_for(future, timeout)
            finally:
                self._waiting.pop(unique, None)
        if self._strict:
            await self._check(CallResult(unique, answer, action))
        return answer

    async def receive(self, text: str) -> None:
        """Take one frame from the central system."""
        frame = json.loads(text)
        match frame[0]:
            case MessageType.Call:
                async with self._answering:
                    await self._answer(frame[1], frame[2], frame[3])
            case MessageType.CallResult:
                if (future := self._waiting.get(frame[1])) and not future.done():
                    future.set_result(frame[2])
            case MessageType.CallError:
                if (future := self._waiting.get(frame[1])) and not future.done():
                    future.set_exception(CallRefused(frame[2]))

    async def _answer(self, unique: str, action: str, payload: dict[str, Any]) -> None:
        """Answer one request, with a CALLERROR where the handler raises one."""
        if self._strict:
            await self._check(Call(unique, action, payload))
        try:
            if (answer := await self._handle(action, payload)) is not None:
                await self._send(json.dumps([3, unique, answer]))
        except OCPPError as err:
            await self._send(
                json.dumps([4, unique, err.code, err.description, err.details])
            )

    async def _check(self, message: Call | CallResult) -> None:
        """Note what the schemas of the ocpp package say against a message."""
        try:
            await validate_payload(message, self._version)
        except OCPPError as err:
            _LOGGER.warning("%s: %s", message.action, err)
            self.violations.append(f"{message.action}: {err.code}")

    def close(self) -> None:
        """Fail every call that waits."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(NotConnected())
