"""The plainest central system there is for OCPP 2.0.1 and 2.1."""

import json
from typing import Any, override

from aiohttp import WSMsgType, web
from ocpp.messages import get_validator

from tests.simulators.central import NOW, PlainCentralSystem

DEVIATIONS = {"NotifyEVChargingNeeds"}
"""Where the real library does not keep to the schemas."""


class CentralSystem2(PlainCentralSystem):
    """Answers everything it is not told to leave unanswered, and reads strictly."""

    def __init__(self) -> None:
        """Create a system that speaks both versions and accepts every token."""
        super().__init__()
        self.versions: tuple[str, ...] = ("ocpp2.1", "ocpp2.0.1")
        self.offered: str | None = None
        self.interval = 300
        self.silent: set[str] = set()
        """Actions that are never answered."""
        self.broken: set[str] = set()
        """Actions that are answered with an error."""
        self.pulled: dict[str, Any] = {"status": "Rejected"}
        """What is answered to PullDynamicScheduleUpdate."""
        self.transaction_limit: dict[str, float] | None = None
        """What is answered to the start of a transaction."""
        self.violations: list[str] = []
        self.frames: list[list[Any]] = []
        """All that the station sent, in order."""
        self.close_codes: list[int | None] = []

    @override
    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.authorization = request.headers.get("Authorization")
        self.offered = request.headers.get("Sec-WebSocket-Protocol")
        if self.refuse:
            raise web.HTTPUnauthorized
        socket = web.WebSocketResponse(protocols=self.versions)
        await socket.prepare(request)
        self._socket = socket
        self._changed.set()
        version = (socket.ws_protocol or "ocpp2.0.1").removeprefix("ocpp")
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._take(socket, json.loads(message.data), version)
        self.close_codes.append(socket.close_code)
        self._changed.set()
        return socket

    async def _take(
        self, socket: web.WebSocketResponse, frame: list[Any], version: str
    ) -> None:
        self.frames.append(frame)
        if frame[0] != 2:
            if frame[1] in self._answers:
                self._answers[frame[1]].set_result(frame)
            self._changed.set()
            return
        _, unique, action, payload = frame
        self.calls.append((action, payload))
        self.message_ids.append(unique)
        if action not in DEVIATIONS:
            errors = get_validator(2, action, version).iter_errors(payload)
            self.violations += [f"{action}: {error.message}" for error in errors]
        if action in self.broken:
            await socket.send_str(json.dumps([4, unique, "InternalError", "", {}]))
        elif action not in self.silent:
            await socket.send_str(json.dumps([3, unique, self._answer(frame)]))
        self._changed.set()

    def _answer(self, frame: list[Any]) -> dict[str, Any]:
        _, _, action, payload = frame
        info = {"idTokenInfo": {"status": self.token_status}}
        match action:
            case "BootNotification":
                return {
                    "status": self.boot_status,
                    "currentTime": NOW,
                    "interval": self.interval,
                }
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize":
                return info
            case "TransactionEvent":
                answer: dict[str, Any] = info if "idToken" in payload else {}
                if self.transaction_limit and payload["eventType"] == "Started":
                    return answer | {"transactionLimit": self.transaction_limit}
                return answer
            case "PullDynamicScheduleUpdate":
                return self.pulled
            case "OpenPeriodicEventStream":
                return {"status": "Accepted"}
            case "Get15118EVCertificate":
                return {"status": "Accepted", "exiResponse": "RESPONSE"}
            case "DataTransfer":
                return {"status": "UnknownVendorId"}
            case "NotifyEVChargingNeeds" | "SignCertificate":
                return {"status": "Accepted"}
            case _:
                return {}

    async def tell(self, text: str) -> None:
        """Send any frame."""
        assert self._socket is not None
        await self._socket.send_str(text)

    async def request(self, action: str, **payload: Any) -> dict[str, Any]:
        """Send a request and return what is answered; an error fails the test."""
        frame = await self.ask(action, **payload)
        assert frame[0] == 3, frame
        answer: dict[str, Any] = frame[2]
        return answer

    async def error(self, action: str, **payload: Any) -> str:
        """Send a request and return the code of the error that answers it."""
        frame = await self.ask(action, **payload)
        assert frame[0] == 4, frame
        return str(frame[2])

    def events(self, transaction_id: str | None = None) -> list[dict[str, Any]]:
        """Return the transaction events, of one transaction where named."""
        return [
            one
            for one in self.of("TransactionEvent")
            if transaction_id in (None, one["transactionInfo"]["transactionId"])
        ]

    async def status_of(self, status: str) -> Any:
        """Wait until a connector reported a status."""
        return await self.seen(
            lambda action, payload: (
                action == "StatusNotification" and payload["connectorStatus"] == status
            )
        )

    @property
    def statuses(self) -> list[str]:
        """Return what the connectors reported, one after the other."""
        return [one["connectorStatus"] for one in self.of("StatusNotification")]
