"""The grammar of OCPP 2.x: every message that a station may send, made up by its schema."""

from collections.abc import Callable
from functools import cache
import json
from pathlib import Path
import random
from typing import Any

import ocpp

type Schema = dict[str, Any]

SCHEMAS = Path(ocpp.__file__).parent
FOLDERS = {"2.0.1": "v201", "2.1": "v21"}
ACTIONS: dict[str, tuple[str, ...]] = {
    "2.0.1": (
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "DataTransfer",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    ),
}
ACTIONS["2.1"] = (
    *ACTIONS["2.0.1"],
    "BatterySwap",
    "ClosePeriodicEventStream",
    "GetCertificateChainStatus",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPriorityCharging",
    "NotifySettlement",
    "OpenPeriodicEventStream",
    "PullDynamicScheduleUpdate",
    "ReportDERControl",
    "VatNumberValidation",
)
SENDS = ("NotifyPeriodicEventStream",)
"""What is sent and never answered (2.1)."""

MOMENTS = (
    "2026-11-21T10:00:00Z",
    "2026-11-21T10:00:00.123+01:00",
    "2030-01-01T00:00:00Z",
)
NUMBERS = (0, 1, 2, 3, 7, 16, 230, 1000)
WORDS = ("tx-1", "tx-2", "TAG12345", "ISO14443", "1.2.3", "EVSE", "Connector", "true")


@cache
def schema_of(version: str, name: str) -> Schema:
    """Return a schema of the ocpp package."""
    path = SCHEMAS / FOLDERS[version] / "schemas" / f"{name}.json"
    schema: Schema = json.loads(path.read_text(encoding="utf-8-sig"))
    return schema


def frame(version: str, chance: random.Random, unique: str) -> list[Any]:
    """Return a message that a station may send, with random but valid values."""
    if version == "2.1" and chance.random() < 0.1:
        action = chance.choice(SENDS)
        return [6, unique, action, payload(version, action, chance)]
    action = chance.choice(ACTIONS[version])
    return [2, unique, action, payload(version, f"{action}Request", chance)]


def payload(version: str, name: str, chance: random.Random) -> Any:
    """Return a payload that a schema allows."""
    schema = schema_of(version, name)
    return _made(schema, schema.get("definitions", {}), chance, depth=0)


def _made(schema: Schema, shared: Schema, chance: random.Random, depth: int) -> Any:
    if "$ref" in schema:
        schema = shared[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kinds: dict[str, Callable[[], Any]] = {
        "array": lambda: _array(schema, shared, chance, depth),
        "boolean": lambda: chance.random() < 0.5,
        "integer": lambda: _number(schema, chance),
        "number": lambda: _number(schema, chance) - chance.choice((0, 0.5)),
        "object": lambda: _object(schema, shared, chance, depth),
        "string": lambda: _text(schema, chance),
    }
    make = kinds.get(schema.get("type", ""))
    return make() if make is not None else {"anything": 1}


def _object(schema: Schema, shared: Schema, chance: random.Random, depth: int) -> Any:
    required = schema.get("required", [])
    return {
        name: _made(one, shared, chance, depth + 1)
        for name, one in schema.get("properties", {}).items()
        if name in required
        or (name != "customData" and chance.random() < 0.5 / (depth + 1))
    }


def _array(schema: Schema, shared: Schema, chance: random.Random, depth: int) -> Any:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 5)
    count = chance.randint(least, max(least, min(most, 5)))
    return [_made(schema["items"], shared, chance, depth + 1) for _ in range(count)]


def _number(schema: Schema, chance: random.Random) -> int:
    low, high = schema.get("minimum", 0), schema.get("maximum")
    # One more than the least: half of one may be taken away from it.
    number = max(chance.choice(NUMBERS), int(low) + 1)
    if high is not None:
        number = min(number, int(high))
    return number


def _text(schema: Schema, chance: random.Random) -> str:
    if schema.get("format") == "date-time":
        return chance.choice(MOMENTS)
    return chance.choice(WORDS)[: schema.get("maxLength", 50)]
