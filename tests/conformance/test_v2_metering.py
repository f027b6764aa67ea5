"""OCPP 2.x: meter values in and out of sessions (block J)."""

import json
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger import now
from ..ha.charger_v2 import ENERGY, Charger2
from ..ha.entities import act, flush, state
from .answers import sessions

POWER = "Power.Active.Import"
REGISTER = "CP01_1_energy_active_import_register"
SIGNED = {
    "signedMeterData": "T0NNRnx7IkZWIjoiMS4wIn18",
    "signingMethod": "ECDSA-secp256r1-SHA256",
    "encodingMethod": "OCMF",
    "publicKey": "b2NhLXB1YmxpYw==",
}


def sample(
    value: float, context: str, measurand: str | None = ENERGY, **more: Any
) -> dict[str, Any]:
    """Return a sampled value; the import register in Wh unless another is named."""
    named = {} if measurand is None else {"measurand": measurand}
    return {"value": value, "context": context, **named, **more}


def values(*samples: dict[str, Any], at: str | None = None) -> list[dict[str, Any]]:
    """Return a list of one MeterValue."""
    return [{"timestamp": at or now(), "sampledValue": list(samples)}]


async def metered(charger: Charger2, evse_id: int, *samples: dict[str, Any]) -> None:
    """Send MeterValues, which are of no session."""
    payload = {"evseId": evse_id, "meterValue": values(*samples)}
    assert await charger.call("MeterValues", payload) == {}


@pytest.mark.conformance("TC_J_01_CSMS")
@pytest.mark.peer("B-24")
async def test_clock_aligned_values_without_a_session(
    hass: HomeAssistant, entity_registry_enabled_by_default: None, charger2: Charger2
) -> None:
    await metered(
        charger2,
        1,
        sample(4711.0, "Sample.Clock"),
        sample(230.5, "Sample.Clock", "Voltage", phase="L1"),
    )
    await metered(charger2, 0, sample(9000.0, "Sample.Clock"))
    await flush(hass)
    assert state(hass, "sensor", REGISTER) == "4.711"
    assert state(hass, "sensor", "CP01_1_voltage_l1") == "230.5"
    assert state(hass, "sensor", "CP01_0_energy_active_import_register") == "9.0"
    assert await sessions(hass) == []


@pytest.mark.conformance("TC_J_02_CSMS")
async def test_clock_aligned_values_in_a_session(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin(energy=1000)
    told = values(
        sample(1.5, "Sample.Clock", unitOfMeasure={"unit": "kWh"}),
        sample(74, "Sample.Clock", POWER, unitOfMeasure={"unit": "W", "multiplier": 2}),
    )
    answer = await charger2.event(
        "Updated", number=1, trigger="MeterValueClock", meterValue=told
    )
    assert answer == {}
    await flush(hass)
    assert state(hass, "sensor", REGISTER) == "1.5"
    assert state(hass, "sensor", "CP01_1_power_active_import") == "7400.0"
    (session,) = await sessions(hass)
    assert session["energy"] == 500


@pytest.mark.conformance("TC_J_03_CSMS")
async def test_an_end_that_carries_all_clock_aligned_values(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin(energy=1000)
    told = [
        *values(sample(1000.0, "Transaction.Begin"), at="2026-11-21T10:00:00Z"),
        *values(sample(1250.0, "Sample.Clock"), at="2026-11-21T10:15:00Z"),
        *values(sample(1500.0, "Sample.Clock"), at="2026-11-21T10:30:00Z"),
        *values(sample(1600.0, "Transaction.End")),
    ]
    end = await charger2.event("Ended", number=1, meterValue=told)
    assert end == {}
    (session,) = await sessions(hass)
    assert (session["meter_stop"], session["energy"]) == (1600, 600)


async def _kept(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return what was signed in the only session."""
    (session,) = (await act(hass, "get_sessions", signed=True))["sessions"]
    return [json.loads(one["value"]) for one in session["signed_values"]]


@pytest.mark.parametrize(
    ("context", "trigger"),
    [
        pytest.param(
            "Sample.Clock",
            "MeterValueClock",
            marks=pytest.mark.conformance("TC_J_04_CSMS"),
        ),
        pytest.param(
            "Sample.Periodic",
            "MeterValuePeriodic",
            marks=pytest.mark.conformance("TC_J_11_CSMS"),
        ),
    ],
)
async def test_what_is_signed_is_kept_as_it_is(
    hass: HomeAssistant, charger2: Charger2, context: str, trigger: str
) -> None:
    await charger2.begin(energy=1000)
    told = values(sample(1500.0, context, signedMeterValue=SIGNED))
    answer = await charger2.event("Updated", number=1, trigger=trigger, meterValue=told)
    assert answer == {}
    end = values(sample(2000.0, "Transaction.End", signedMeterValue=SIGNED))
    assert await charger2.event("Ended", number=2, meterValue=end) == {}
    assert await _kept(hass) == [SIGNED, SIGNED]
    (session,) = await sessions(hass)
    assert session["energy"] == 1000


@pytest.mark.conformance("TC_J_07_CSMS")
@pytest.mark.peer("B-21")
async def test_values_of_the_begin_at_a_known_place(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-1", energy=1000)
    assert await charger2.event("Ended", "tx-1", 1, energy=7000) == {}
    told = values(sample(7000.0, "Transaction.Begin"))
    await charger2.event(
        "Started", "tx-2", evse={"id": 1, "connectorId": 1}, meterValue=told
    )
    await charger2.event("Updated", "tx-2", 1, energy=7250)
    newest, _ = await sessions(hass)
    # Each begins where it begins, not where the one before began.
    assert (newest["meter_start"], newest["energy"]) == (7000, 250)


@pytest.mark.peer("B-21")
async def test_a_begin_without_a_value_has_nothing_of_the_session_before(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-1", energy=1000)
    await charger2.event("Ended", "tx-1", 1, energy=7000)
    await charger2.event("Started", "tx-2", evse={"id": 1, "connectorId": 1})
    await charger2.event("Updated", "tx-2", 1, energy=7100)
    await charger2.event("Updated", "tx-2", 2, energy=7300)
    newest, _ = await sessions(hass)
    assert newest["energy"] == 200


@pytest.mark.conformance("TC_J_08_CSMS")
async def test_values_of_the_begin_at_an_unknown_place(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.connector_status("Available", 2)
    told = values(sample(1000.0, "Transaction.Begin"))
    answer = await charger2.event("Started", trigger="Authorized", meterValue=told)
    assert answer == {}
    await charger2.event("Updated", number=1, evse={"id": 2, "connectorId": 1})
    (session,) = await sessions(hass)
    assert (session["meter_start"], session["connector"]) == (1000, 2)


@pytest.mark.conformance("TC_J_09_CSMS")
async def test_values_on_the_way(
    hass: HomeAssistant, entity_registry_enabled_by_default: None, charger2: Charger2
) -> None:
    await charger2.begin(energy=1000)
    told = values(
        sample(1300.0, "Sample.Periodic"),
        sample(16.0, "Sample.Periodic", "Current.Import", phase="L1"),
    )
    answer = await charger2.event(
        "Updated", number=1, trigger="MeterValuePeriodic", meterValue=told
    )
    assert answer == {}
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_current_import_l1") == "16.0"
    (session,) = await sessions(hass)
    assert session["energy"] == 300


@pytest.mark.conformance("TC_J_10_CSMS")
async def test_values_of_the_end(hass: HomeAssistant, charger2: Charger2) -> None:
    await charger2.begin(energy=1000)
    told = [
        *values(sample(1000.0, "Transaction.Begin"), at="2026-11-21T10:00:00Z"),
        *values(sample(1800.0, "Transaction.End")),
    ]
    assert await charger2.event("Ended", number=1, meterValue=told) == {}
    (session,) = await sessions(hass)
    assert (session["state"], session["meter_stop"]) == ("closed", 1800)
    assert session["energy"] == 800
