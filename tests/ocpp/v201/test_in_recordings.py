"""Recorded sessions of real OCPP 2.x charge points, as the adapter takes them."""

from datetime import datetime
import json
from pathlib import Path

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.enums import ConnectorStatus, Measurand
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import TransactionState

TRACES = Path(__file__).parents[2] / "traces"
NOT_SERVED = {
    ("CustomOperation", "NotImplemented"),
    ("Get15118EVCertificate", "NotSupported"),
    ("NotifyCustomerInformation", "NotSupported"),
    ("NotifyEVChargingNeeds", "NotSupported"),
}


@pytest.fixture
def settings() -> StationSettings:
    """Return settings that let a recording speak alone."""
    return StationSettings(name="Charger", quiet=True)


async def _replay(charger: Charger, name: str) -> set[tuple[str, str]]:
    """Send what the station said; return what was refused, and how."""
    refused = set()
    for line in (TRACES / name).read_text("utf-8").splitlines():
        record = json.loads(line)
        moment = datetime.fromisoformat(record["t"])
        charger.clock.tick((moment - charger.clock.now).total_seconds())
        if record.get("event") == "connect":
            charger.connect()
        if record.get("from") != "station" or record["frame"][0] != 2:
            continue
        _, message_id, action, payload = record["frame"]
        frame = await charger.call(action, payload, message_id=message_id)
        if frame[0] != 3:
            refused.add((action, frame[2]))
    await charger.settle()
    return refused


@pytest.mark.parametrize(
    ("name", "vendor", "energies", "register"),
    [
        ("libocpp-2.0.1.jsonl", "LabVendor", [16, 21, 43], 1080),
        ("microocpp-2.0.1.jsonl", "MicroOcpp", [10, 37], 68),
        ("ocpp-cp-simulator-2.1.jsonl", "Shiv3", [155, 1503, 47], 1705),
        ("sap-simulator-2.0.1.jsonl", "Keba AG", [11, 0, 4937], 11),
        ("virtual-charge-point-2.0.1.jsonl", "Solidstudio", [0, 493], 4200),
    ],
)
async def test_recorded_session(
    charger: Charger, name: str, vendor: str, energies: list[int], register: int
) -> None:
    charger.disconnect()
    if "-2.1" in name:
        charger.dialect = Dialect.V21
        charger.schemas = Schemas.load(Dialect.V21)
    assert await _replay(charger, name) <= NOT_SERVED
    station = charger.station
    assert station.info.value.vendor == vendor
    sessions = await charger.transactions.sessions()
    assert [one.energy for one in sessions] == energies
    assert {one.state for one in sessions} == {TransactionState.CLOSED}
    assert {one.evse_id for one in sessions} == {1}
    assert charger.value(Measurand.ENERGY_ACTIVE_IMPORT_REGISTER) == register
    assert station.evses[1].transaction is None
    assert {evse.status.value for evse in station.evses.values()} <= {
        ConnectorStatus.AVAILABLE,
        ConnectorStatus.UNAVAILABLE,
    }
