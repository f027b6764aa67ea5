"""A raw OCPP 1.6 charger for tests: frames in, frames out, nothing believed."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
from ssl import SSLContext
from typing import Any, Self
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from .planted import plant, plant_fields

PATIENCE = 60.0
"""Seconds after which a test hangs no longer; no test waits that long on purpose."""

BOOT = {
    "chargePointModel": "Wall One",
    "chargePointSerialNumber": "SN-0001-4711",
    "chargePointVendor": "Acme",
    "firmwareVersion": "1.2.3",
}

CONFIGURATION = {
    "AuthorizeRemoteTxRequests": "false",
    "ClockAlignedDataInterval": "0",
    "HeartbeatInterval": "300",
    "MeterValueSampleInterval": "60",
    "MeterValuesAlignedData": "Energy.Active.Import.Register",
    "MeterValuesSampledData": "Energy.Active.Import.Register",
    "NumberOfConnectors": "1",
    "StopTxnSampledData": "",
    "SupportedFeatureProfiles": "Core,RemoteTrigger,SmartCharging",
    "ChargeProfileMaxStackLevel": "8",
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargingScheduleMaxPeriods": "24",
    "MaxChargingProfilesInstalled": "8",
    "WebSocketPingInterval": "60",
}
READONLY = frozenset(
    {
        "ChargeProfileMaxStackLevel",
        "ChargingScheduleAllowedChargingRateUnit",
        "ChargingScheduleMaxPeriods",
        "MaxChargingProfilesInstalled",
        "NumberOfConnectors",
        "SupportedFeatureProfiles",
    }
)

ACCEPTED = {"status": "Accepted"}

type Payload = dict[str, Any]


@dataclass(kw_only=True, slots=True, frozen=True)
class Refusal(Exception):
    """A CALLERROR: raised when the server sends one, or to be sent as an answer."""

    code: str
    description: str = ""


@dataclass(kw_only=True, slots=True, frozen=True)
class Silence:
    """An answer that never comes."""


type Answer = Payload | Refusal | Silence | Callable[[Payload], Payload]
"""What a charger says to a CALL: always the same, or what a function returns."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Received:
    """One CALL that the server sent to the charger."""

    action: str
    payload: Payload
    message_id: str = field(default="", compare=False)


@dataclass(kw_only=True, slots=True)
class Charger:
    """One charger on one websocket at a time.

    `answers` maps an action of the server to what the charger says; what is not there
    is answered like a good charger does. `received` is the journal of those CALLs.
    """

    identity: str
    url: str
    password: str | None = None
    tls: SSLContext | None = None
    boot_info: Payload = field(default_factory=lambda: dict(BOOT))
    configuration: dict[str, str] = field(default_factory=lambda: dict(CONFIGURATION))
    answers: dict[str, Answer] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    statuses: dict[int, str] = field(default_factory=dict)
    strays: list[list[Any]] = field(default_factory=list)
    """Answers of the server to what was no CALL."""
    close_code: int | None = None
    _session: ClientSession | None = None
    _ws: ClientWebSocketResponse | None = None
    _reader: asyncio.Task[None] | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _pending: dict[str, asyncio.Future[Payload]] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(
        self,
        *,
        protocols: tuple[str, ...] = ("ocpp1.6",),
        headers: Payload | None = None,
    ) -> Self:
        """Dial in; raises WSServerHandshakeError when turned away."""
        headers = dict(headers or {})
        plant(self.identity, self.password)
        if self.password is not None:
            credentials = b64encode(f"{self.identity}:{self.password}".encode())
            headers["Authorization"] = f"Basic {credentials.decode()}"
        self._session = ClientSession()
        try:
            self._ws = await self._session.ws_connect(
                f"{self.url}/{self.identity}",
                protocols=protocols,
                headers=headers,
                ssl=self.tls or True,
            )
        except BaseException:
            await self._session.close()
            raise
        self.close_code = None
        self._reader = asyncio.create_task(self._read(self._ws))
        return self

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._ws is not None:
            await self._ws.close()
        if self._reader is not None:
            await self._reader
            self._reader = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def rest(self) -> None:
        """Wait until what it says by itself has been answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def call(self, action: str, payload: Payload | None = None) -> Payload:
        """Send one CALL and return its answer; raises Refusal."""
        assert self._ws is not None
        plant_fields(payload)
        message_id = str(uuid4())
        future = self._pending[message_id] = asyncio.get_running_loop().create_future()
        await self._ws.send_str(json.dumps([2, message_id, action, payload or {}]))
        try:
            async with asyncio.timeout(PATIENCE):
                answer: Payload = await future
                return answer
        finally:
            self._pending.pop(message_id, None)

    async def send_raw(self, text: str) -> None:
        """Send a frame as it is."""
        assert self._ws is not None
        await self._ws.send_str(text)

    async def boot(self, **info: Any) -> Payload:
        """Send a BootNotification."""
        self.boot_info |= info
        return await self.call("BootNotification", self.boot_info)

    async def status(
        self, connector: int, status: str, error: str = "NoError", **more: Any
    ) -> None:
        """Send a StatusNotification."""
        self.statuses[connector] = status
        answer = await self.call(
            "StatusNotification",
            {"connectorId": connector, "status": status, "errorCode": error, **more},
        )
        assert answer == {}

    async def start(
        self,
        connector: int = 1,
        id_tag: str = "TAG12345",
        meter: int = 1000,
        **more: Any,
    ) -> int:
        """Start a transaction now and return its id."""
        answer = await self.call(
            "StartTransaction",
            {
                "connectorId": connector,
                "idTag": id_tag,
                "meterStart": meter,
                "timestamp": now(),
                **more,
            },
        )
        transaction_id: int = answer["transactionId"]
        return transaction_id

    async def stop(self, transaction_id: int, meter: int, **more: Any) -> Payload:
        """Stop a transaction now."""
        return await self.call(
            "StopTransaction",
            {
                "meterStop": meter,
                "timestamp": now(),
                "transactionId": transaction_id,
                **more,
            },
        )

    async def meter(
        self, connector: int, values: list[Payload], transaction_id: int | None = None
    ) -> None:
        """Send MeterValues with these sampled values, taken now."""
        payload: Payload = {
            "connectorId": connector,
            "meterValue": [{"timestamp": now(), "sampledValue": values}],
        }
        if transaction_id is not None:
            payload["transactionId"] = transaction_id
        assert await self.call("MeterValues", payload) == {}

    async def answer_now(self, action: str, answer: Payload) -> None:
        """Answer the last CALL of an action, which `answers` says nothing to."""
        last = [one for one in self.received if one.action == action][-1]
        await self.send_raw(json.dumps([3, last.message_id, answer]))

    def calls(self, action: str) -> list[Payload]:
        """Return the payloads of every CALL of an action so far."""
        return [one.payload for one in self.received if one.action == action]

    async def expect(self, action: str, count: int = 1) -> Payload:
        """Wait until the server has sent an action `count` times; return the last."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.calls(action)) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    async def closed(self) -> int | None:
        """Wait until the server hangs up; return its close code."""
        assert self._reader is not None
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reader)
        return self.close_code

    async def _read(self, ws: ClientWebSocketResponse) -> None:
        """Take what the server sends until it, or we, hang up."""
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                continue
            match json.loads(message.data):
                case [2, str(message_id), str(action), dict(payload)]:
                    await self._answer(ws, message_id, action, payload)
                case [3, str(message_id), dict(payload)]:
                    if (future := self._waiting(message_id)) is not None:
                        future.set_result(payload)
                    elif message_id not in self._pending:
                        self.strays.append([3, message_id, payload])
                case [4, str(message_id), str(code), str(description), _]:
                    if (future := self._waiting(message_id)) is not None:
                        future.set_exception(
                            Refusal(code=code, description=description)
                        )
                    elif message_id not in self._pending:
                        self.strays.append([4, message_id, code])
                case [5, str(message_id), str(code), *_]:
                    self.strays.append([5, message_id, code])
        self.close_code = ws.close_code
        for future in self._pending.values():
            future.cancel()

    def _waiting(self, message_id: str) -> asyncio.Future[Payload] | None:
        """Return what waits for an answer, if it still does."""
        future = self._pending.get(message_id)
        return None if future is None or future.done() else future

    async def _answer(
        self,
        ws: ClientWebSocketResponse,
        message_id: str,
        action: str,
        payload: Payload,
    ) -> None:
        """Answer one CALL as `answers` says, or else as a good charger does."""
        plant_fields(payload)
        self.received.append(
            Received(action=action, payload=payload, message_id=message_id)
        )
        self._news.set()
        answer = self.answers.get(action, self._default)
        match answer:
            case Silence():
                return
            case Refusal():
                frame = [4, message_id, answer.code, answer.description, {}]
            case dict():
                frame = [3, message_id, answer]
            case _ if answer == self._default:
                frame = [3, message_id, self._default(payload, action)]
            case _:
                frame = [3, message_id, answer(payload)]
        await ws.send_str(json.dumps(frame))
        if action == "TriggerMessage" and frame[2] == ACCEPTED:
            self._triggered(payload)

    def _default(self, payload: Payload, action: str = "") -> Payload:
        """Return what a good charger says."""
        match action:
            case "GetConfiguration":
                return self._get_configuration(payload.get("key") or [])
            case "ChangeConfiguration":
                return self._change_configuration(payload["key"], payload["value"])
            case "UnlockConnector":
                return {"status": "Unlocked"}
            case "GetLocalListVersion":
                return {"listVersion": 0}
            case "GetDiagnostics" | "UpdateFirmware":
                return {}
            case "TriggerMessage" if payload["requestedMessage"] not in (
                "BootNotification",
                "Heartbeat",
                "StatusNotification",
            ):
                return {"status": "NotImplemented"}
        return dict(ACCEPTED)

    def _get_configuration(self, keys: list[str]) -> Payload:
        known = [key for key in self.configuration if not keys or key in keys]
        return {
            "configurationKey": [
                {
                    "key": key,
                    "readonly": key in READONLY,
                    "value": self.configuration[key],
                }
                for key in known
            ],
            "unknownKey": [key for key in keys if key not in self.configuration],
        }

    def _change_configuration(self, key: str, value: str) -> Payload:
        if key not in self.configuration:
            return {"status": "NotSupported"}
        if key in READONLY:
            return {"status": "Rejected"}
        self.configuration[key] = value
        return dict(ACCEPTED)

    def _triggered(self, payload: Payload) -> None:
        """Send what the server asked for."""
        match payload["requestedMessage"]:
            case "BootNotification":
                self._spawn("BootNotification", self.boot_info)
            case "Heartbeat":
                self._spawn("Heartbeat", {})
            case "StatusNotification":
                for connector, status in self.statuses.items():
                    if payload.get("connectorId") in (None, connector):
                        self._spawn(
                            "StatusNotification",
                            {
                                "connectorId": connector,
                                "errorCode": "NoError",
                                "status": status,
                            },
                        )

    async def _say(self, action: str, payload: Payload) -> None:
        """Send a message of the charger's own, unless it is hung up meanwhile."""
        with contextlib.suppress(ConnectionError):
            await self.call(action, payload)

    def later(self, action: str, payload: Payload) -> None:
        """Send a CALL as soon as what is being answered is answered."""
        self._spawn(action, payload)

    def _spawn(self, action: str, payload: Payload) -> None:
        task = asyncio.create_task(self._say(action, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def sampled(
    value: float | str, measurand: str, unit: str, phase: str | None = None
) -> Payload:
    """Return one sampled value of MeterValues."""
    sample = {"value": str(value), "measurand": measurand, "unit": unit}
    return sample if phase is None else {**sample, "phase": phase}


def now() -> str:
    """Return this moment as chargers spell it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
