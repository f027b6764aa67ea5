"""Recorded sessions of real charge points, as the adapter takes them."""

from datetime import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    Measurand,
    StopReason,
)
from custom_components.ev_charger_hub.station.transaction import TransactionState

TRACES = Path(__file__).parents[2] / "traces"


async def _replay(charger: Charger, name: str) -> list[list[Any]]:
    """Send what the station said; return the frames that refuse something."""
    lines = (TRACES / name).read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    numbers: dict[int, int] = {}
    answered = {
        record["frame"][1]: record["frame"][2]
        for record in records
        if record.get("from") == "server" and record["frame"][0] == 3
    }
    refused = []
    for record in records:
        moment = datetime.fromisoformat(record["t"])
        charger.clock.tick((moment - charger.clock.now).total_seconds())
        if record.get("event") == "connect":
            charger.connect()
        if record.get("from") != "station" or record["frame"][0] != 2:
            continue
        _, message_id, action, payload = record["frame"]
        if isinstance(payload, dict) and "transactionId" in payload:
            number = payload["transactionId"]
            payload["transactionId"] = numbers.get(number, number)
        frame = await charger.call(action, payload, message_id=message_id)
        if action == "StartTransaction":
            numbers[answered[message_id]["transactionId"]] = frame[2]["transactionId"]
        if frame[0] != 3:
            refused.append([action, *frame[2:]])
    await charger.settle()
    return refused


@pytest.mark.parametrize(
    ("name", "vendor", "energies", "register"),
    [
        ("microocpp-1.6.jsonl", "MicroOcpp", [32, 49], 81),
        ("ocpp-cp-simulator-1.6.jsonl", "Shiv3", [2000, 13287, 85], 15372),
        ("sap-simulator-1.6.jsonl", "Keba AG", [17, 0, 5], 17),
    ],
)
async def test_recorded_session(
    charger: Charger, name: str, vendor: str, energies: list[int], register: int
) -> None:
    charger.disconnect()
    refused = await _replay(charger, name)
    assert {tuple(one[:2]) for one in refused} <= {
        ("CustomOperation", "NotImplemented")
    }
    station = charger.station
    assert station.info.value.vendor == vendor
    sessions = await charger.transactions.sessions()
    assert [one.energy for one in sessions] == energies
    assert {one.state for one in sessions} <= {
        TransactionState.CLOSED,
        TransactionState.LOST,
    }
    assert all(one.stop_reason is not StopReason.OTHER for one in sessions)
    assert charger.value(Measurand.ENERGY_ACTIVE_IMPORT_REGISTER) == register
    assert charger.value(Measurand.POWER_ACTIVE_IMPORT) == 0
    assert station.evses[1].status.value in {
        ConnectorStatus.AVAILABLE,
        ConnectorStatus.UNAVAILABLE,
    }
    assert station.evses[1].transaction is None
