"""A charger that exists only as answers to our calls, and what it was asked."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
import json
from pathlib import Path
from typing import Any, cast

import jsonschema

from custom_components.ev_charger_hub.ocpp.adapter import StationContext
from custom_components.ev_charger_hub.ocpp.errors import CallNotSent
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.events import (
    Booted,
    SessionKnown,
    SessionSettled,
)
from custom_components.ev_charger_hub.station.limiter.limiter import Limiter
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.model import ChargingStation, StationInfo
from custom_components.ev_charger_hub.station.outcome import Outcome
from custom_components.ev_charger_hub.station.profiles.ledger import Ledger
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)
from tests.memory_journal import MemoryJournal
from tests.virtual_time import VirtualTime

type Answer = dict[str, Any] | Exception | Callable[[dict[str, Any]], Any]
type Call = tuple[str, dict[str, Any]]


def load_schema(path: Path) -> dict[str, Any]:
    """Return a JSON schema whose numbers are exact."""
    schema: dict[str, Any] = json.loads(
        path.read_text("utf-8-sig"), parse_float=Decimal
    )
    return schema


class AnsweringCharger:
    """A charger of some OCPP version, and the hub that it is connected to.

    `answers` replaces what it says to an action: a payload, an exception to raise, or
    a function of the request.
    """

    authorizer: Any = None
    """Who decides about id tokens; most tests ask nobody."""

    def __init__(self, **settings: Any) -> None:
        """Create a charger that does all it is asked for."""
        self.profiles: dict[int, tuple[int, dict[str, Any]]] = {}
        self.refused_purposes: set[str] = set()
        self.answers: dict[str, Answer] = {}
        self.handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self.calls: list[Call] = []
        self.timeouts: list[float] = []
        self.online = True
        self.journal = MemoryJournal()
        self.tasks: list[asyncio.Task[None]] = []
        self.station = ChargingStation("CP1", StationSettings(name="CP", **settings))
        self.station.info.set(StationInfo(vendor="V", model="M", firmware="1.0"))
        self.station.evse(1)
        self.time = VirtualTime()
        self.connect_hub()

    def connect_hub(self) -> None:
        """Begin with a hub that knows nothing."""
        self.ledger = Ledger(self.station, cast(Any, self.journal))
        self.limiter = Limiter(
            self.station,
            cast(Any, self.journal),
            self.time,
            ledger=self.ledger,
            spawn=self._spawn,
            call_later=self.time.call_later,
        )
        self.context = StationContext(
            station=self.station,
            transactions=cast(Any, None),
            journal=cast(Any, self.journal),
            authorizer=self.authorizer,
            clock=self.time,
            call=self._call,
            connected=lambda: self.online,
            spawn=self._spawn,
        )
        self.connect_link()

    def connect_link(self) -> None:
        """Make the link of the OCPP version, and its set-up."""
        raise NotImplementedError

    def schema(self, action: str) -> dict[str, Any]:
        """Return the official schema of a call."""
        raise NotImplementedError

    async def restart_hub(self) -> None:
        """Forget what only memory holds, as after a restart of Home Assistant."""
        self.limiter.close()
        self.connect_hub()
        await self.ledger.load()
        await self.limiter.load()

    async def limit(self, evse_id: int, limit: Limit | None) -> Outcome:
        """Want a limit after some quiet, so that nothing has to wait."""
        await self.time.advance(61)
        return await limits.request(self.station, evse_id, limit)

    def sent(self, action: str) -> list[dict[str, Any]]:
        """Return the payloads of all calls of an action."""
        return [payload for name, payload in self.calls if name == action]

    def begin(self, transaction_id: str = "7", evse_id: int = 1) -> Transaction:
        """Let a transaction begin at an EVSE."""
        transaction = Transaction(
            key=hash(transaction_id),
            identity="CP1",
            transaction_id=transaction_id,
            evse_id=evse_id,
            id_token="TAG",
            started_at=self.time.now,
            received_at=self.time.now,
        )
        self.station.evse(evse_id).session.set(transaction)
        return transaction

    def end(self, evse_id: int = 1) -> None:
        """Let the transaction end; its TxProfile goes with it."""
        if (transaction := self.station.evse(evse_id).transaction) is not None:
            transaction.state = TransactionState.CLOSED
        self.station.evse(evse_id).session.notify()
        self.profiles.pop(3000 + evse_id, None)

    def start_answered(self, transaction: Transaction) -> None:
        """Let the station hear the id of a transaction."""
        known = SessionKnown(evse_id=transaction.evse_id, transaction=transaction)
        self.station.emit(known)

    def end_answered(self, transaction: Transaction) -> None:
        """Let the station hear that the end of a transaction is noted."""
        settled = SessionSettled(evse_id=transaction.evse_id, transaction=transaction)
        self.station.emit(settled)

    def reboot(self) -> None:
        """Let the station have restarted."""
        self.station.emit(Booted())

    def reboot_with(self, firmware: str) -> None:
        """Let the station have restarted with another firmware."""
        self.station.info.set(replace(self.station.info.value, firmware=firmware))
        self.reboot()

    async def settle(self) -> None:
        """Wait for everything that runs in the background."""
        while self.tasks:
            await asyncio.gather(*self.tasks, return_exceptions=True)
            self.tasks = [task for task in self.tasks if not task.done()]

    def _spawn(
        self, coroutine: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self.tasks.append(task)
        return task

    async def _call(
        self, action: str, payload: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        if not self.online:
            raise CallNotSent
        text = json.dumps(payload)
        jsonschema.validate(json.loads(text, parse_float=Decimal), self.schema(action))
        self.calls.append((action, json.loads(text)))
        self.timeouts.append(timeout)
        await asyncio.sleep(0)
        answer = self.answers.get(action)
        if answer is None:
            handler = self.handlers.get(action)
            answer = handler(payload) if handler else {"status": "Accepted"}
        if callable(answer):
            answer = answer(payload)
        if isinstance(answer, Exception):
            raise answer
        return cast(dict[str, Any], answer)
