"""A charging station over an in-memory transport, with the real thing at our end."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from custom_components.ev_charger_hub.ocpp.adapter import StationContext
from custom_components.ev_charger_hub.ocpp.blocks import BlockAdapter
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.errors import CallNotSent
from custom_components.ev_charger_hub.ocpp.rpc import ReplyCache, Rpc
from custom_components.ev_charger_hub.ocpp.timestamps import render
from custom_components.ev_charger_hub.ocpp.v16.adapter import V16Adapter
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.authorization import Bearer, Verdict
from custom_components.ev_charger_hub.station.enums import (
    AuthorizationStatus,
    Location,
    Measurand,
    Phase,
)
from custom_components.ev_charger_hub.station.events import StationEvent
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.model import (
    ChargingStation,
    MeasurementKey,
)
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transactions import Transactions

type Answer = dict[str, Any] | tuple[str, str] | str | None
"""A CALLRESULT, a CALLERROR (code, description), DROP, or silence."""

DROP = "drop"
"""The station closes the socket instead of answering."""

IDENTITY = "CP1"
PATIENCE = 60


class FakeClock:
    """A clock that moves when told to, and the timers that hang on it."""

    def __init__(self) -> None:
        """Start on a fixed morning."""
        self.now = datetime(2026, 11, 21, 10, tzinfo=UTC)
        self._timers: list[FakeTimer] = []

    def __call__(self) -> datetime:
        """Return the present."""
        return self.now

    def text(self, seconds: float = 0) -> str:
        """Return a moment relative to the present as OCPP writes it."""
        return render(self.now + timedelta(seconds=seconds))

    def call_later(self, delay: float, callback: Callable[[], None]) -> FakeTimer:
        """Call `callback` when the clock has moved on by `delay` seconds."""
        timer = FakeTimer(self.now + timedelta(seconds=delay), callback)
        self._timers.append(timer)
        return timer

    def tick(self, seconds: float) -> None:
        """Move on, and call what is due."""
        self.now += timedelta(seconds=seconds)
        due = [timer for timer in self._timers if timer.at <= self.now]
        self._timers = [timer for timer in self._timers if timer.at > self.now]
        for timer in due:
            timer.fire()


class FakeTimer:
    """A timer of a FakeClock."""

    def __init__(self, at: datetime, callback: Callable[[], None]) -> None:
        """Wait for `at`."""
        self.at = at
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Do not call."""
        self._callback = None

    def fire(self) -> None:
        """Call, unless cancelled."""
        if self._callback is not None:
            self._callback()


class FakeAuthorizer:
    """Accepts every id tag but those in `statuses`."""

    def __init__(self) -> None:
        """Accept everybody."""
        self.statuses: dict[str, AuthorizationStatus] = {}
        self.asked: list[tuple[str, int | None]] = []

    def authorize(
        self, identity: str, id_token: str, evse_id: int | None = None
    ) -> Verdict:
        """Return the status of an id tag."""
        self.asked.append((id_token, evse_id))
        accepted = AuthorizationStatus.ACCEPTED
        return Verdict(status=self.statuses.get(id_token, accepted))

    def bearer(self, identity: str, id_token: str) -> Bearer:
        """Return somebody without a name."""
        return Bearer()


class Charger:
    """Plays one station: `call` sends a CALL, `answers` says how it takes ours.

    `calls` are the CALLs that it got; `answers` maps an action to an answer or to a
    function of the payload that returns one.
    """

    dialect = Dialect.V16

    def __init__(
        self,
        *,
        clock: FakeClock,
        journal: Journal,
        schemas: Schemas,
        settings: StationSettings,
    ) -> None:
        """Build station, transactions and adapter; nothing is connected."""
        self.clock = clock
        self.journal = journal
        self.authorizer = FakeAuthorizer()
        self.station = ChargingStation(IDENTITY, settings)
        self.events: list[StationEvent] = []
        self.station.on_event(self.events.append)
        self.transactions = Transactions(
            self.station, journal, clock, call_later=clock.call_later
        )
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Answer | Callable[[dict[str, Any]], Answer]] = {
            "GetConfiguration": {"configurationKey": [], "unknownKey": []}
        }
        self.schemas = schemas
        self._replies = ReplyCache()
        self._rpc: Rpc | None = None
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.context = StationContext(
            station=self.station,
            transactions=self.transactions,
            journal=journal,
            authorizer=self.authorizer,
            clock=clock,
            call=self._call_station,
            connected=lambda: self._rpc is not None,
            spawn=self.spawn,
        )
        self.adapter = self.build_adapter()
        self.station.links.append(self.adapter.link)

    def build_adapter(self) -> BlockAdapter:
        """Return the adapter of the version that the station speaks."""
        return V16Adapter(self.context, call_later=self.clock.call_later)

    # The station's side

    def connect(self) -> None:
        """Open a new socket, which closes the one before."""
        self.disconnect()
        self._rpc = Rpc(
            name=IDENTITY,
            dialect=self.dialect,
            schemas=self.schemas,
            send=self._send,
            handle=self.adapter.handle,
            replies=self._replies,
            spawn=self.spawn,
        )
        self.adapter.attached()

    def disconnect(self) -> None:
        """Close the socket."""
        if self._rpc is not None:
            self._rpc.close()
            self._rpc = None
            self.adapter.detached()

    async def call(
        self, action: str, payload: Any, *, message_id: str | None = None
    ) -> list[Any]:
        """Send a CALL and return the whole frame that answers it."""
        assert self._rpc is not None
        message_id = message_id or str(uuid4())
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = answer
        await self._rpc.receive(json.dumps([2, message_id, action, payload]))
        return await asyncio.wait_for(answer, PATIENCE)

    async def boot(self, **fields: str) -> dict[str, Any]:
        """Boot, and wait until the central system has said all it wants to say."""
        payload = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
        frame = await self.call("BootNotification", payload | fields)
        await self.settle()
        return self.payload(frame)

    async def status(
        self, status: str, connector_id: int = 1, **fields: Any
    ) -> dict[str, Any]:
        """Report the status of a connector."""
        payload = {"connectorId": connector_id, "errorCode": "NoError"}
        payload |= {"status": status} | fields
        return self.payload(await self.call("StatusNotification", payload))

    async def start(
        self,
        *,
        connector_id: int = 1,
        id_tag: str = "TAG1",
        meter_start: int = 0,
        timestamp: str | None = None,
    ) -> int:
        """Start a transaction and return its id."""
        payload = {
            "connectorId": connector_id,
            "idTag": id_tag,
            "meterStart": meter_start,
            "timestamp": timestamp or self.clock.text(),
        }
        answer = self.payload(await self.call("StartTransaction", payload))
        transaction_id: int = answer["transactionId"]
        return transaction_id

    async def stop(
        self,
        transaction_id: int,
        meter_stop: int,
        *,
        timestamp: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Stop a transaction."""
        payload = {
            "transactionId": transaction_id,
            "meterStop": meter_stop,
            "timestamp": timestamp or self.clock.text(),
        }
        return self.payload(await self.call("StopTransaction", payload | fields))

    async def meter(
        self,
        *samples: dict[str, Any],
        connector_id: int = 1,
        transaction_id: int | None = None,
        timestamp: str | None = None,
    ) -> None:
        """Send one meter value with these samples."""
        payload: dict[str, Any] = {
            "connectorId": connector_id,
            "meterValue": [
                {
                    "timestamp": timestamp or self.clock.text(),
                    "sampledValue": list(samples),
                }
            ],
        }
        if transaction_id is not None:
            payload["transactionId"] = transaction_id
        assert self.payload(await self.call("MeterValues", payload)) == {}

    # What is seen

    @staticmethod
    def payload(frame: list[Any]) -> dict[str, Any]:
        """Return the payload of a CALLRESULT."""
        assert frame[0] == 3, frame
        payload: dict[str, Any] = frame[2]
        return payload

    def called(self, action: str) -> list[dict[str, Any]]:
        """Return the payloads of the CALLs of one action that the station got."""
        return [payload for name, payload in self.calls if name == action]

    def events_of[T](self, kind: type[T]) -> list[T]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def value(
        self,
        measurand: Measurand,
        phase: Phase | None = None,
        location: Location | None = None,
        *,
        connector_id: int = 1,
    ) -> int | float | None:
        """Return what is shown of a measurement; KeyError if it does not exist."""
        key = MeasurementKey(measurand=measurand, phase=phase, location=location)
        return self.station.place(connector_id).measurements[key].value

    async def settle(self) -> None:
        """Wait until all background work of the station is done."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.sleep(0)
            while self._tasks:
                await asyncio.wait(self._tasks)
                await asyncio.sleep(0)
            await self.transactions.sessions()

    # The transport

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start background work of the station."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Take everything down."""
        self.disconnect()
        await self.adapter.close()
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transactions.close()

    async def _call_station(
        self, action: str, payload: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        if self._rpc is None:
            raise CallNotSent
        return await self._rpc.call(action, payload, timeout=timeout)

    async def _send(self, text: str) -> None:
        frame = json.loads(text)
        if frame[0] == 2:
            self.calls.append((frame[2], frame[3]))
            self.spawn(self._answer(*frame[1:]), "answer of the station")
        elif (answer := self._waiting.pop(frame[1], None)) is not None:
            answer.set_result(frame)

    async def _answer(
        self, message_id: str, action: str, payload: dict[str, Any]
    ) -> None:
        answer = self.answers.get(action, {"status": "Accepted"})
        if callable(answer):
            answer = answer(payload)
        if self._rpc is None or answer is None:
            return
        if answer == DROP:
            self.disconnect()
        elif isinstance(answer, tuple):
            await self._rpc.receive(json.dumps([4, message_id, *answer, {}]))
        else:
            await self._rpc.receive(json.dumps([3, message_id, answer]))


@pytest.fixture
def clock() -> FakeClock:
    """Return everybody's clock."""
    return FakeClock()


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """Return the compiled schemas of OCPP 1.6."""
    return Schemas.load(Dialect.V16)


@pytest.fixture
def settings() -> StationSettings:
    """Return the settings of the station; override it for others."""
    return StationSettings(name="Charger")


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(journal_path: Path, clock: FakeClock) -> AsyncGenerator[Journal]:
    """Return an empty journal."""
    journal = await Journal.open(journal_path, call_later=clock.call_later)
    yield journal
    await journal.close()


@pytest.fixture
async def charger(
    clock: FakeClock, journal: Journal, schemas: Schemas, settings: StationSettings
) -> AsyncGenerator[Charger]:
    """Return a connected station that has not booted."""
    charger = Charger(clock=clock, journal=journal, schemas=schemas, settings=settings)
    await charger.transactions.load()
    charger.connect()
    yield charger
    await charger.close()
