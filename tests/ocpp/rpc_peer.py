"""The other end of an Rpc, for tests: frames in, frames out, no socket."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import json
from typing import Any

from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.rpc import Reply, ReplyCache, Rpc
from custom_components.ev_charger_hub.ocpp.validation import Schemas

type Handle = Callable[[str, dict[str, Any]], Reply | Awaitable[Reply]]

HEARTBEAT_ANSWER = {"currentTime": "2026-11-20T10:00:00.000Z"}


class Peer:
    """One connection of a station, and what our end did with it."""

    def __init__(
        self,
        handle: Handle | None = None,
        *,
        dialect: Dialect = Dialect.V16,
        replies: ReplyCache | None = None,
    ) -> None:
        """Answer with `handle`, or with what every station is content with."""
        self.handle = handle or self.accept
        self.handled: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[list[Any]] = []
        self.texts: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.broken: Exception | None = None
        self.before_send: Callable[[], None] | None = None
        self.rpc = Rpc(
            name="CP1",
            dialect=dialect,
            schemas=Schemas.load(dialect),
            send=self._send,
            handle=self._handle,
            replies=ReplyCache() if replies is None else replies,
            spawn=self._spawn,
        )

    def accept(self, action: str, _payload: dict[str, Any]) -> Reply:
        """Answer anything."""
        return Reply(dict(HEARTBEAT_ANSWER) if action == "Heartbeat" else {})

    async def receive(self, frame: object) -> None:
        """Let our end receive a frame (or a raw text), and let its tasks run."""
        raw = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        await self.rpc.receive(raw)
        await settle()

    async def called(self) -> list[Any]:
        """Return the CALL that our end sends next."""
        await settle()
        return self.sent[-1]

    @property
    def answers(self) -> list[list[Any]]:
        """Return what was sent, CALLs of ours left out."""
        return [frame for frame in self.sent if frame[0] != 2]

    async def _send(self, text: str) -> None:
        if self.before_send is not None:
            self.before_send()
        if self.broken is not None:
            raise self.broken
        self.texts.append(text)
        self.sent.append(json.loads(text))

    def _handle(self, action: str, payload: dict[str, Any]) -> Reply | Awaitable[Reply]:
        self.handled.append((action, payload))
        return self.handle(action, payload)

    def _spawn(self, work: Coroutine[Any, Any, None], _name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.get_running_loop().create_task(work))
        return self.tasks[-1]


async def settle() -> None:
    """Let everything run that can run now."""
    for _ in range(10):
        await asyncio.sleep(0)
