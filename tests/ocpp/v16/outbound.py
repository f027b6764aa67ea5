"""A charger that exists only as answers to our calls, and what it was asked."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from itertools import groupby
import json
from pathlib import Path
from typing import Any, cast

import jsonschema  # type: ignore[import-untyped]
import ocpp.v16

from custom_components.ev_charger_hub.ocpp.adapter import StationContext
from custom_components.ev_charger_hub.ocpp.errors import CallNotSent
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.ocpp.v16.setup import Setup
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.limiter.limiter import Limiter
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.model import (
    Booted,
    ChargingStation,
    SessionKnown,
    SessionSettled,
    StationInfo,
)
from custom_components.ev_charger_hub.station.outcome import Outcome
from custom_components.ev_charger_hub.station.profiles.ledger import Ledger
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)
from tests.memory_journal import MemoryJournal
from tests.virtual_time import VirtualTime

SCHEMAS = Path(ocpp.v16.__file__).parent / "schemas"

TEN = Limit(value=Decimal(10))
SIXTEEN = Limit(value=Decimal(16))
ENERGY = "Energy.Active.Import.Register"

type Answer = dict[str, Any] | Exception | Callable[[dict[str, Any]], Any]
type Call = tuple[str, dict[str, Any]]


def _schema(action: str) -> dict[str, Any]:
    text = (SCHEMAS / f"{action}.json").read_text("utf-8-sig")
    schema: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return schema


class Charger:
    """A charger with configuration keys and charging profiles.

    `answers` replaces what it says to an action: a payload, an exception to raise, or
    a function of the request.
    """

    def __init__(self, **settings: Any) -> None:
        """Create a charger that does all it is asked for."""
        self.keys: dict[str, tuple[str | None, bool]] = {
            "NumberOfConnectors": ("1", True),
            "SupportedFeatureProfiles": ("Core,SmartCharging,RemoteTrigger", True),
            "MeterValuesSampledData": ("Energy.Active.Import.Register", False),
            "MeterValueSampleInterval": ("60", False),
            "ClockAlignedDataInterval": ("0", False),
            "ChargeProfileMaxStackLevel": ("5", True),
            "ChargingScheduleAllowedChargingRateUnit": ("Current,Power", True),
        }
        self.profiles: dict[int, tuple[int, dict[str, Any]]] = {}
        self.refused_purposes: set[str] = set()
        self.answers: dict[str, Answer] = {}
        self.handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "ChangeConfiguration": self.change_configuration,
            "ClearChargingProfile": self._clear_charging_profile,
            "GetCompositeSchedule": self._get_composite_schedule,
            "GetConfiguration": self.get_configuration,
            "SetChargingProfile": self._set_charging_profile,
        }
        self.calls: list[Call] = []
        self.timeouts: list[float] = []
        self.online = True
        self.journal = MemoryJournal()
        self.tasks: list[asyncio.Task[None]] = []
        self.station = ChargingStation("CP1", StationSettings(name="CP", **settings))
        self.station.info.set(StationInfo(vendor="V", model="M", firmware="1.0"))
        self.station.evse(1)
        self.time = VirtualTime()
        self._connect_hub()

    def _connect_hub(self) -> None:
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
            authorizer=cast(Any, None),
            clock=self.time,
            call=self._call,
            connected=lambda: self.online,
            spawn=self._spawn,
        )
        self.link = V16Link(self.context)
        self.station.links = [self.link]
        self.setup = Setup(self.context, self.link)

    async def restart_hub(self) -> None:
        """Forget what only memory holds, as after a restart of Home Assistant."""
        self.limiter.close()
        self._connect_hub()
        await self.ledger.load()
        await self.limiter.load()

    async def limit(self, evse_id: int, limit: Limit | None) -> Outcome:
        """Want a limit after some quiet, so that nothing has to wait."""
        await self.time.advance(61)
        return await limits.request(self.station, evse_id, limit)

    def sent(self, action: str) -> list[dict[str, Any]]:
        """Return the payloads of all calls of an action."""
        return [payload for name, payload in self.calls if name == action]

    def profiles_sent(self) -> list[dict[str, Any]]:
        """Return the profiles of all SetChargingProfile calls."""
        return [one["csChargingProfiles"] for one in self.sent("SetChargingProfile")]

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

    async def learn(self) -> None:
        """Let the link know the configuration, and forget that it asked."""
        await self.link.get_configuration([])
        self.calls.clear()

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
        jsonschema.validate(json.loads(text, parse_float=Decimal), _schema(action))
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

    def get_configuration(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer with the keys asked for."""
        asked = payload.get("key", list(self.keys))
        entries = [
            {"key": key, "readonly": self.keys[key][1]}
            | ({} if (value := self.keys[key][0]) is None else {"value": value})
            for key in asked
            if key in self.keys
        ]
        unknown = [key for key in asked if key not in self.keys]
        return {"configurationKey": entries, "unknownKey": unknown}

    def change_configuration(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take any value of a key that is not read-only."""
        _, readonly = self.keys.get(payload["key"], (None, True))
        if payload["key"] not in self.keys:
            return {"status": "NotSupported"}
        if readonly:
            return {"status": "Rejected"}
        self.keys[payload["key"]] = (payload["value"], False)
        return {"status": "Accepted"}

    def _set_charging_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        profile = payload["csChargingProfiles"]
        if profile["chargingProfilePurpose"] in self.refused_purposes:
            return {"status": "Rejected"}
        self.profiles[profile["chargingProfileId"]] = (payload["connectorId"], profile)
        return {"status": "Accepted"}

    def _clear_charging_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        known = self.profiles.pop(payload["id"], None)
        return {"status": "Accepted" if known else "Unknown"}

    def _get_composite_schedule(self, payload: dict[str, Any]) -> dict[str, Any]:
        connector = payload["connectorId"]
        by_purpose: dict[str, float] = {}
        unit = "A"
        for where, profile in self.profiles.values():
            schedule = profile["chargingSchedule"]
            if where in {0, connector}:
                limit = schedule["chargingSchedulePeriod"][0]["limit"]
                by_purpose[profile["chargingProfilePurpose"]] = limit
                unit = schedule["chargingRateUnit"]
        if "TxProfile" in by_purpose:
            by_purpose.pop("TxDefaultProfile", None)
        if not by_purpose:
            return {"status": "Accepted", "connectorId": connector}
        period = {"startPeriod": 0, "limit": min(by_purpose.values())}
        schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": [period]}
        return {
            "status": "Accepted",
            "connectorId": connector,
            "chargingSchedule": schedule,
        }


async def ready(**settings: Any) -> Charger:
    """Return a charger whose configuration is known."""
    charger = Charger(**settings)
    await charger.learn()
    return charger


def purposes(charger: Charger) -> list[str]:
    """Return the purposes of all profiles sent."""
    return [profile["chargingProfilePurpose"] for profile in charger.profiles_sent()]


def ladder(charger: Charger) -> list[str]:
    """Return the purposes that were tried one after the other, in however many ways."""
    return [purpose for purpose, _ in groupby(purposes(charger))]


def amounts(charger: Charger) -> list[float]:
    """Return the limits of all profiles sent."""
    return [
        profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for profile in charger.profiles_sent()
    ]


def composite(limit: float | None, unit: str = "A") -> dict[str, Any]:
    """Return a composite schedule with a limit, or none."""
    periods = [] if limit is None else [{"startPeriod": 0, "limit": limit}]
    schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}
    return {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}


async def set_up(charger: Charger) -> dict[str, str]:
    """Run set-up to its end and return the findings."""
    charger.calls.clear()
    charger.setup.start()
    await charger.settle()
    return charger.station.findings


def written(charger: Charger) -> dict[str, list[str]]:
    """Return the values written to each configuration key."""
    values: dict[str, list[str]] = {}
    for payload in charger.sent("ChangeConfiguration"):
        values.setdefault(payload["key"], []).append(payload["value"])
    return values


def sampled(charger: Charger) -> list[str]:
    """Return the measurands that the charger samples."""
    return (charger.keys["MeterValuesSampledData"][0] or "").split(",")
