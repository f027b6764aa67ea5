"""Meter values of OCPP 2.x (J01, J02)."""

import json
from typing import Any

import pytest

from .conftest import Charger, Sample, sample
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.enums import Location, Measurand, Phase

REGISTER = Measurand.ENERGY_ACTIVE_IMPORT_REGISTER
POWER = "Power.Active.Import"
SIGNED = {
    "signedMeterData": "T0NNRnx7IkZWIjoiMS4wIn18eyJTRCI6IvCfkoMifQ==",
    "signingMethod": "",
    "encodingMethod": "OCMF",
    "publicKey": "b2theTpiYXNlMTY6YXNuMQ==",
}


async def meter(charger: Charger, *samples: Sample, evse_id: int = 1) -> None:
    """Send MeterValues, which belong to no transaction."""
    value = {"timestamp": charger.clock.text(), "sampledValue": list(samples)}
    payload: dict[str, Any] = {"evseId": evse_id, "meterValue": [value]}
    assert charger.payload(await charger.call("MeterValues", payload)) == {}


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1006.1333618164062, {"unit": "Wh"}, 1006),
        (12345678, {}, 12345678),
        (1.55, {"unit": "kWh"}, 1550),
        (123, {"unit": "Wh", "multiplier": 2}, 12300),
        (12345, {"unit": "kWh", "multiplier": -3}, 12345),
        (5, {"multiplier": 99}, 5),
    ],
)
@pytest.mark.conformance("TC_J_01_CSMS")
async def test_units_and_powers_of_ten(
    charger: Charger, value: float, unit: dict[str, Any], expected: int
) -> None:
    await meter(charger, sample(value, unitOfMeasure=unit))
    assert charger.value(REGISTER) == expected


async def test_quantities_phases_and_places(charger: Charger) -> None:
    await meter(
        charger,
        sample(7360.5, POWER),
        sample(231.5, "Voltage", phase="L1-N"),
        sample(42, "SoC", location="EV"),
    )
    await meter(charger, sample(5, "Current.Import", phase="L1"), evse_id=0)
    assert charger.value(Measurand.POWER_ACTIVE_IMPORT) == 7360.5
    assert charger.value(Measurand.VOLTAGE, Phase.L1_N) == 231.5
    assert charger.value(Measurand.SOC, location=Location.EV) == 42
    current = charger.value(Measurand.CURRENT_IMPORT, Phase.L1, connector_id=0)
    assert current == 5


@pytest.mark.parametrize("unit", ["W", "kW"])
async def test_nothing_has_no_sign(charger: Charger, unit: str) -> None:
    await meter(charger, sample(-0.0, POWER, unitOfMeasure={"unit": unit}))
    assert str(charger.value(Measurand.POWER_ACTIVE_IMPORT)) == "0.0"


async def test_values_between_events_count_for_the_session(charger: Charger) -> None:
    await charger.event("Started", "T1", 0, sample(1000), evse={"id": 1})
    charger.clock.tick(60)
    await meter(charger, sample(1400))
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 400


@pytest.mark.parametrize(
    "phases", [("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N")], ids=["L1", "L1-N"]
)
async def test_a_session_of_phases_is_their_sum(
    charger: Charger, phases: tuple[str, ...]
) -> None:
    name = "Energy.Active.Import.Register"
    for kind, register in (("Started", 100), ("Ended", 300)):
        samples = [sample(register, name, phase=phase) for phase in phases]
        await charger.event(kind, "T1", 0, *samples, evse={"id": 1})
        charger.clock.tick(60)
    (session,) = await charger.transactions.sessions()
    assert session.energy == 600


async def test_a_register_that_begins_at_0_in_each_session(charger: Charger) -> None:
    for transaction_id in ("A", "B"):
        await charger.event("Started", transaction_id, 0, sample(0), evse={"id": 1})
        for number in (1, 2):
            charger.clock.tick(60)
            await charger.event("Updated", transaction_id, number, sample(number * 400))
        charger.clock.tick(60)
        await charger.event("Ended", transaction_id, 3, sample(900))
        charger.clock.tick(60)
    assert [one.energy for one in await charger.transactions.sessions()] == [900, 900]


@pytest.mark.conformance("TC_J_04_CSMS", "TC_J_11_CSMS")
async def test_what_is_signed_is_kept_to_the_byte(charger: Charger) -> None:
    signed = sample(1000, context="Transaction.Begin", signedMeterValue=SIGNED)
    await charger.event("Started", "T1", 0, signed, evse={"id": 1})
    await charger.event("Started", "T1", 0, signed, evse={"id": 1})
    charger.clock.tick(60)
    await meter(charger, sample(1200, signedMeterValue=SIGNED))
    sessions = await charger.transactions.sessions()
    (kept,) = await signed_values.of_sessions(charger.journal, sessions)
    assert [json.loads(one.value) for one in kept] == [SIGNED, SIGNED]
    assert kept[0].context == "Transaction.Begin"
    assert charger.value(REGISTER) == 1200
