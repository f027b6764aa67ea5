"""The socket of a charger, frame by frame: what is sent is what the test wrote."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse

from ..ha.charger import PATIENCE
from ..ha.conftest import IDENTITY

type Frame = list[Any]


class Wire:
    """One socket of a charger that has no manners of its own."""

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        """Speak on an open socket."""
        self.ws = ws

    async def send(self, frame: object) -> None:
        """Send a text as it is, or anything else as JSON."""
        await self.ws.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def receive(self) -> Frame:
        """Return the next frame of the server."""
        async with asyncio.timeout(PATIENCE):
            frame: Frame = json.loads(await self.ws.receive_str())
            return frame

    async def ask(self, frame: object) -> Frame:
        """Send a frame and return the next one of the server."""
        await self.send(frame)
        return await self.receive()

    async def call(
        self, action: str, payload: object, message_id: str | None = None
    ) -> Frame:
        """Send a CALL and return the frame that answers it."""
        message_id = message_id or str(uuid4())
        frame = await self.ask([2, message_id, action, payload])
        assert frame[1] == message_id
        return frame

    async def next_is_the_answer_to_a_heartbeat(self) -> None:
        """Assert that the socket is well and that nothing else was sent before."""
        frame = await self.call("Heartbeat", {})
        assert frame[0] == 3
        assert set(frame[2]) == {"currentTime"}


@asynccontextmanager
async def dialled(port: int, identity: str = IDENTITY) -> AsyncGenerator[Wire]:
    """Yield a new socket of a charger."""
    url = f"ws://127.0.0.1:{port}/ocpp/{identity}"
    async with (
        ClientSession() as session,
        session.ws_connect(url, protocols=["ocpp1.6"]) as ws,
    ):
        yield Wire(ws)
