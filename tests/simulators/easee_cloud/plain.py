"""A client of the cloud that trusts nothing and helps with nothing."""

import asyncio
from collections.abc import Callable
import json
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from simulators.easee_cloud import EaseeCloud
from simulators.easee_cloud.seed import CHARGER, EMAIL, PASSWORD

SEPARATOR = "\x1e"


class PlainClient:
    """Requests, and one stream."""

    def __init__(self, cloud: EaseeCloud) -> None:
        """Talk to a cloud."""
        self.cloud = cloud
        self.session = ClientSession()
        self.tokens: dict[str, Any] = {}
        self.socket: ClientWebSocketResponse | None = None
        self.frames: list[str] = []
        self.records: list[dict[str, Any]] = []
        self.closed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Return the header with the access token."""
        token = self.tokens.get("accessToken")
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, body (JSON if it is such) and headers of an answer."""
        async with self.session.request(
            method, self.cloud.url + path, json=body, headers=self.headers
        ) as response:
            text = await response.text()
            try:
                read = json.loads(text)
            except ValueError:
                read = text or None
            return response.status, read, dict(response.headers)

    async def get(self, path: str) -> Any:
        """Return the body of an answer that is a success."""
        status, body, _ = await self.ask("GET", path)
        assert status == 200, (path, status, body)
        return body

    async def post(self, path: str, body: object = None) -> Any:
        """Return the body of an answer that is a success."""
        status, answer, _ = await self.ask("POST", path, body)
        assert status in {200, 201, 202, 204}, (path, status, answer)
        return answer

    async def login(self, name: str = EMAIL, password: str = PASSWORD) -> int:
        """Log in, and return the status."""
        status, body, _ = await self.ask(
            "POST", "/api/accounts/login", {"userName": name, "password": password}
        )
        if status == 200:
            self.tokens = body
        return status

    async def refresh(self, tokens: dict[str, Any] | None = None) -> int:
        """Refresh, and return the status."""
        used = tokens or self.tokens
        status, body, _ = await self.ask(
            "POST",
            "/api/accounts/refresh_token",
            {key: used[key] for key in ("accessToken", "refreshToken")},
        )
        if status == 200:
            self.tokens = body
        return status

    async def negotiate(self) -> Any:
        """Return the answer to a negotiation."""
        return await self.post("/hubs/chargers/negotiate?negotiateVersion=1")

    async def connect(self, identity: str | None = None) -> None:
        """Open the stream, and shake hands."""
        if identity is None:
            identity = (await self.negotiate())["connectionId"]
        self.socket = await self.session.ws_connect(
            f"{self.cloud.hub_url}?id={identity}", headers=self.headers
        )
        self.frames.clear()
        self.records.clear()
        self.closed.clear()
        self._reader = asyncio.create_task(self._read(self.socket))
        await self.socket.send_str('{"protocol":"json","version":1}' + SEPARATOR)
        await self.cloud.until(lambda: bool(self.frames) or self.closed.is_set())

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        text = ""
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.frames.append(message.data)
                *records, text = (text + message.data).split(SEPARATOR)
                self.records += [json.loads(record) for record in records]
        self.closed.set()

    async def subscribe(self, serial: str = CHARGER, number: str = "1") -> Any:
        """Listen to a product, and return the completion."""
        assert self.socket is not None
        message = {
            "type": 1,
            "invocationId": number,
            "target": "SubscribeWithCurrentState",
            "arguments": [serial, True],
        }
        await self.socket.send_str(json.dumps(message) + SEPARATOR)
        await self.until(lambda: bool(self.of_type(3, number)))
        return self.of_type(3, number)[0]

    async def listen(self, *serials: str) -> None:
        """Log in and listen to products, whose replay is thrown away."""
        await self.login()
        await self.connect()
        for index, serial in enumerate(serials or (CHARGER,)):
            await self.subscribe(serial, str(index))
        self.records.clear()

    def of_type(self, kind: int, number: str | None = None) -> list[dict[str, Any]]:
        """Return the messages of a type that came."""
        return [
            record
            for record in self.records
            if record.get("type") == kind
            and number in {None, record.get("invocationId")}
        ]

    def of_target(self, target: str) -> list[dict[str, Any]]:
        """Return the arguments of what was invoked here."""
        return [
            one["arguments"][0] for one in self.of_type(1) if one["target"] == target
        ]

    def values(self, number: int) -> list[str]:
        """Return the values of an observation that came, in their order."""
        return [
            one["value"]
            for one in self.of_target("ProductUpdate")
            if one["id"] == number
        ]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that needs no time to pass."""
        await self.cloud.until(condition)

    async def saw(self, number: int, value: str) -> None:
        """Wait until an observation has a value."""
        await self.until(lambda: self.values(number)[-1:] == [value])

    async def close(self) -> None:
        """Hang up."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        if self.socket is not None:
            await self.socket.close()
        await self.session.close()
