"""Easee over OCPP: what it measures, signs and offers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.components.switch.const import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Charger, Payload, sampled
from ..ha.conftest import IDENTITY, ChargerFactory, set_up
from ..ha.entities import act, entity_id, exists, flush, state
from .conftest import EASEE
from custom_components.ev_charger_hub.hub import OcppHub

REGISTER = "Energy.Active.Import.Register"
SAMPLED = "MeterValuesSampledData"
SIGN = "SampledDataSignReadings"
SIGNED = "CP01_sign_readings"


async def dialled(
    hass: HomeAssistant, hub: OcppHub, charger: Charger, **configuration: str
) -> Charger:
    """Have an Easee charger with such a configuration boot, and wait for its set-up."""
    charger.configuration |= configuration
    await charger.boot(**EASEE)
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    return charger


def at(moment: datetime) -> str:
    """Return a moment in whole seconds, as these chargers tell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def register(
    charger: Charger, value: str, unit: str, moment: datetime, transaction_id: int
) -> None:
    """Send nothing but the register."""
    sample = {"value": value, "unit": unit, "measurand": REGISTER}
    payload = {
        "connectorId": 1,
        "transactionId": transaction_id,
        "meterValue": [{"timestamp": at(moment), "sampledValue": [sample]}],
    }
    assert await charger.call("MeterValues", payload) == {}


@pytest.mark.conformance("EASEE_S13")
async def test_all_measurands_that_are_taken_are_asked_for(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    """A list with what it cannot measure is refused as a whole, as with SoC."""
    known = {REGISTER, "Power.Active.Import", "Current.Import", "Voltage"}
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)

    def change(payload: Payload) -> Payload:
        key, value = payload["key"], payload["value"]
        if key == SAMPLED and not known.issuperset(value.split(",")):
            return {"status": "Rejected"}
        charger.configuration[key] = value
        return {"status": "Accepted"}

    charger.answers["ChangeConfiguration"] = change
    await dialled(hass, hub, charger)
    assert set(charger.configuration[SAMPLED].split(",")) == known

    # Whoever changes it: after the next restart it is what it was.
    charger.configuration[SAMPLED] = REGISTER
    charger.received.clear()
    hub.stations[IDENTITY].station.findings.clear()
    await charger.close()
    await charger.connect()
    await dialled(hass, hub, charger)
    assert set(charger.configuration[SAMPLED].split(",")) == known
    written = [
        one for one in charger.calls("ChangeConfiguration") if one["key"] == SAMPLED
    ]
    # What was learnt is not found out again.
    assert len(written) == 1


@pytest.mark.conformance("EASEE_S13B")
async def test_an_interval_of_0_is_one_without_meter_values_and_is_changed(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await dialled(
        hass, hub, await charger_ws(IDENTITY), MeterValueSampleInterval="0"
    )
    assert {"key": "MeterValueSampleInterval", "value": "30"} in charger.calls(
        "ChangeConfiguration"
    )


@pytest.mark.conformance("EASEE_S13B")
async def test_between_sessions_the_energy_stays_and_no_power_flows(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, easee: Charger
) -> None:
    """It measures in sessions only: an hour of silence is no loss of anything."""
    transaction_id = await easee.start(meter=1000)
    await easee.status(1, "Charging")
    values = [sampled(1500, REGISTER, "Wh"), sampled(7000, "Power.Active.Import", "W")]
    await easee.meter(1, values, transaction_id)
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_power_active_import")) == 7000
    await easee.stop(transaction_id, 1600)
    await easee.status(1, "Available")
    for _ in range(12):
        freezer.tick(timedelta(minutes=5))
        await easee.call("Heartbeat")
    await flush(hass)
    energy = float(state(hass, "sensor", "CP01_1_energy_active_import_register"))
    assert energy == 1.6
    assert float(state(hass, "sensor", "CP01_1_power_active_import")) == 0


@pytest.mark.conformance("EASEE_S13C")
@pytest.mark.parametrize(
    ("unit", "readings"),
    [("Wh", ("10000", "10060", "10180")), ("kWh", ("10", "10.06", "10.18"))],
)
async def test_where_only_energy_is_measured_power_follows_from_it(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    easee: Charger,
    unit: str,
    readings: tuple[str, ...],
) -> None:
    """60 Wh and 120 Wh in 30 s each are 7.2 kW and 14.4 kW."""
    transaction_id = await easee.start(meter=10_000)
    await easee.status(1, "Charging")
    for reading, power in zip(readings, (None, 7200, 14400), strict=True):
        await register(easee, reading, unit, datetime.now(UTC), transaction_id)
        await flush(hass)
        if power is not None:
            shown = state(hass, "sensor", "CP01_1_power_active_import")
            assert float(shown) == pytest.approx(power, rel=0.05)
        freezer.tick(30)
    energy = float(state(hass, "sensor", "CP01_1_energy_active_import_register"))
    assert energy == 10.18
    # What it does not measure does not exist, and is not 0.
    for quantity in ("current_import", "voltage", "current_import_l1"):
        assert not exists(hass, "sensor", f"CP01_1_{quantity}")
    await easee.status(1, "SuspendedEV")
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_power_active_import")) == 0


@pytest.mark.conformance("EASEE_S13C")
async def test_the_power_that_is_measured_is_the_power_that_is_shown(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, easee: Charger
) -> None:
    transaction_id = await easee.start(meter=10_000)
    await easee.status(1, "Charging")
    for reading in (10_060, 10_120):
        values = [
            sampled(reading, REGISTER, "Wh"),
            sampled(6900, "Power.Active.Import", "W"),
        ]
        await easee.meter(1, values, transaction_id)
        freezer.tick(30)
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_power_active_import")) == 6900


@pytest.mark.conformance("EASEE_S13D")
@pytest.mark.parametrize(
    "key", ["MeterValuesInTxnSampledData", "metervaluesintxnsampleddata"]
)
async def test_a_key_that_is_no_more_is_not_written(
    hass: HomeAssistant, easee: Charger, key: str
) -> None:
    sent = [one["key"] for one in easee.calls("ChangeConfiguration")]
    assert "MeterValuesInTxnSampledData" not in sent
    easee.received.clear()
    with pytest.raises(HomeAssistantError, match=SAMPLED) as caught:
        await act(hass, "set_configuration", key=key, value=REGISTER)
    assert caught.value.translation_key == "not_supported_by_charger"
    assert easee.received == []


@pytest.mark.conformance("EASEE_S14")
async def test_readings_are_signed_if_the_user_wants_it_and_the_charger_can(
    hass: HomeAssistant, easee: Charger
) -> None:
    assert not exists(hass, "switch", SIGNED)
    easee.configuration[SIGN] = "false"
    await act(hass, "get_configuration")
    await hass.async_block_till_done()
    assert state(hass, "switch", SIGNED) == STATE_OFF
    for service, value, shown in (
        (SERVICE_TURN_ON, "true", STATE_ON),
        (SERVICE_TURN_OFF, "false", STATE_OFF),
    ):
        await hass.services.async_call(
            SWITCH_DOMAIN,
            service,
            {ATTR_ENTITY_ID: entity_id(hass, "switch", SIGNED)},
            blocking=True,
        )
        assert easee.calls("ChangeConfiguration")[-1] == {"key": SIGN, "value": value}
        assert state(hass, "switch", SIGNED) == shown


OCMF = (
    "OCMF|"
    '{"FV":"1.0","GS":"EH123456","RD":[{"RV":12345.678}]}'
    '|{"SA":"ECDSA-secp256r1-SHA256","SD":"3045022100"}'
)
WRAPPED = (
    '{"signedMeterValue":"' + "QUJD" * 1000 + '","encodingMethod":"OCMF",'
    '"publicKey":"MFkw"}'
)


def ended(value: str, **more: Any) -> list[Payload]:
    """Return the data of a session whose meter signed its end, as a Charge Max does."""
    end: Payload = {
        "value": "12345678",
        "context": "Transaction.End",
        "measurand": REGISTER,
        "unit": "Wh",
    }
    return [
        {"timestamp": "2026-10-01T09:00:00.1234567Z", "sampledValue": [end]},
        {
            "timestamp": "2026-10-01T09:00:00.1234567Z",
            "sampledValue": [{"value": value, "format": "SignedData", **more}],
        },
    ]


@pytest.mark.conformance("EASEE_S23")
@pytest.mark.parametrize(
    ("value", "more"),
    [
        (OCMF, {"context": "Transaction.End"}),
        (OCMF, {}),
        (WRAPPED, {"context": "Transaction.End"}),
        ("OCMF|" + "x" * 60_000 + "|y", {"context": "SomethingNew"}),
    ],
)
async def test_the_signature_of_a_session_is_kept_as_it_came(
    hass: HomeAssistant, easee: Charger, value: str, more: Payload
) -> None:
    transaction_id = await easee.start(meter=12_340_000)
    answer = await easee.stop(
        transaction_id,
        12_345_678,
        idTag="AF18EE010486FF3E",
        reason="EVDisconnected",
        transactionData=ended(value, **more),
    )
    assert "idTagInfo" in answer
    (session,) = (await act(hass, "get_sessions", signed=True))["sessions"]
    (signed,) = session["signed_values"]
    assert signed["value"] == value
    assert session["transaction_id"] == str(transaction_id)
    assert (session["meter_stop"], session["energy"]) == (12_345_678, 5678)
    await flush(hass)
    energy = float(state(hass, "sensor", "CP01_1_energy_active_import_register"))
    assert energy == 12345.678


@pytest.mark.conformance("EASEE_N1")
async def test_what_is_measured_at_the_inlet_is_what_the_vehicle_takes(
    hass: HomeAssistant, easee: Charger
) -> None:
    transaction_id = await easee.start(meter=1000)
    await easee.status(1, "Charging")
    values = [
        {**sampled(7.2, "Power.Active.Import", "kW"), "location": "Inlet"},
        *(
            {**sampled(10.4, "Current.Import", "A", phase), "location": "Inlet"}
            for phase in ("L1", "L2", "L3")
        ),
        {**sampled(1200, REGISTER, "Wh"), "location": "Inlet"},
    ]
    await easee.meter(1, values, transaction_id)
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_power_active_import")) == 7200
    assert float(state(hass, "sensor", "CP01_1_current_import")) == 10.4
    assert float(state(hass, "sensor", "CP01_1_session_energy")) == 0.2
    assert not exists(hass, "sensor", "CP01_1_power_active_import_inlet")


@pytest.mark.conformance("EASEE_N2")
@pytest.mark.parametrize(("power", "unit"), [("7200", "W"), ("7.2", "kW")])
async def test_power_without_phases_currents_and_voltages_with_them(
    hass: HomeAssistant, easee: Charger, power: str, unit: str
) -> None:
    transaction_id = await easee.start(meter=1000)
    await easee.status(1, "Charging")
    phases = ("L1", "L2", "L3")
    values = [
        sampled(power, "Power.Active.Import", unit),
        *(sampled(10 + n, "Current.Import", "A", one) for n, one in enumerate(phases)),
        *(sampled(230 + n, "Voltage", "V", f"{one}-N") for n, one in enumerate(phases)),
    ]
    await easee.meter(1, values, transaction_id)
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_power_active_import")) == 7200
    assert float(state(hass, "sensor", "CP01_1_current_import")) == 12
    assert float(state(hass, "sensor", "CP01_1_voltage")) == 231
    for phase in ("l1", "l2", "l3"):
        assert exists(hass, "sensor", f"CP01_1_current_import_{phase}")
        assert exists(hass, "sensor", f"CP01_1_voltage_{phase}_n")


@pytest.mark.conformance("EASEE_S10")
async def test_less_than_the_limit_is_load_balancing_and_no_failure(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, easee: Charger
) -> None:
    """Another charger of the circuit begins to take the rest: of 16 A 10 A are left."""
    easee.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "connectorId": 1,
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
        },
    }
    transaction_id = await easee.start()
    await easee.status(1, "Charging")
    await act(hass, "set_charging_limit", limit=16)
    sent = len(easee.calls("SetChargingProfile"))
    for offered in (16, *[10] * 20):
        freezer.tick(30)
        values = [
            sampled(offered, "Current.Offered", "A"),
            sampled(offered - 0.2, "Current.Import", "A"),
        ]
        await easee.meter(1, values, transaction_id)
        await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_effective_limit")) == 10
    assert state(hass, "sensor", "CP01_1_limited_by") == "external"
    assert state(hass, "binary_sensor", "CP01_1_limit_not_followed") == STATE_OFF
    assert len(easee.calls("SetChargingProfile")) == sent
