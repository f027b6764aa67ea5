"""MeterValues of OCPP 1.6."""

import logging
from typing import Any

from hypothesis import given, strategies as st
import pytest

from .conftest import Charger, FakeClock
from custom_components.ev_charger_hub.ocpp.metering import Meter
from custom_components.ev_charger_hub.ocpp.oddities import Oddities
from custom_components.ev_charger_hub.station.enums import Location, Measurand, Phase
from custom_components.ev_charger_hub.station.metering import Metering
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.settings import StationSettings

REGISTER = Measurand.ENERGY_ACTIVE_IMPORT_REGISTER
POWER = Measurand.POWER_ACTIVE_IMPORT


@pytest.mark.parametrize(
    ("sample", "measurand", "value"),
    [
        ({"value": "1234"}, REGISTER, 1234),
        ({"value": "1234", "unit": "Wh"}, REGISTER, 1234),
        ({"value": "1234.56", "unit": "Wh"}, REGISTER, 1235),
        ({"value": "12.345", "unit": "kWh"}, REGISTER, 12345),
        ({"value": "1.001", "unit": "kWh"}, REGISTER, 1001),
        ({"value": "1.234e3", "unit": "Wh"}, REGISTER, 1234),
        ({"value": " 17 ", "unit": "Wh"}, REGISTER, 17),
        (
            {"value": "1", "measurand": "Energy.Active.Export.Register", "unit": "kWh"},
            Measurand.ENERGY_ACTIVE_EXPORT_REGISTER,
            1000,
        ),
        (
            {"value": "2.5", "measurand": "Energy.Reactive.Import.Register"}
            | {"unit": "kvarh"},
            Measurand.ENERGY_REACTIVE_IMPORT_REGISTER,
            2500,
        ),
        (
            {"value": "0.25", "measurand": "Energy.Active.Import.Interval"}
            | {"unit": "kWh"},
            Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL,
            250,
        ),
        ({"value": "11012.3", "measurand": "Power.Active.Import"}, POWER, 11012.3),
        (
            {"value": "1.001", "measurand": "Power.Active.Import", "unit": "kW"},
            POWER,
            1001.0,
        ),
        (
            {"value": "2", "measurand": "Power.Offered", "unit": "kW"},
            Measurand.POWER_OFFERED,
            2000.0,
        ),
        (
            {"value": "16.1", "measurand": "Current.Offered", "unit": "A"},
            Measurand.CURRENT_OFFERED,
            16.1,
        ),
        ({"value": "230", "measurand": "Voltage", "unit": "V"}, Measurand.VOLTAGE, 230),
        ({"value": "49.98", "measurand": "Frequency"}, Measurand.FREQUENCY, 49.98),
        (
            {"value": "50", "measurand": "Frequency", "unit": "Hz"},
            Measurand.FREQUENCY,
            50,
        ),
        (
            {"value": "42", "measurand": "SoC", "unit": "Percent"},
            Measurand.SOC,
            42,
        ),
        (
            {"value": "98", "measurand": "Power.Factor", "unit": "Percent"},
            Measurand.POWER_FACTOR,
            0.98,
        ),
        ({"value": "1200", "measurand": "RPM"}, Measurand.RPM, 1200),
        *(
            (
                {"value": value, "measurand": "Temperature", "unit": unit},
                Measurand.TEMPERATURE,
                25.0,
            )
            for value, unit in (
                ("25", "Celsius"),
                ("25", "Celcius"),
                ("298.15", "K"),
                ("77", "Fahrenheit"),
            )
        ),
        ({"value": "5", "measurand": "voltage", "unit": "v"}, Measurand.VOLTAGE, 5),
        ({"value": "6", "measurand": "Voltage", "unit": "?"}, Measurand.VOLTAGE, 6),
    ],
)
async def test_samples_come_in_base_units(
    charger: Charger, sample: dict[str, Any], measurand: Measurand, value: float
) -> None:
    await charger.meter(sample)
    shown = charger.value(measurand)
    assert shown == value
    if measurand.startswith("energy"):
        assert type(shown) is int


@pytest.mark.peer("B-12")
@pytest.mark.parametrize(
    "sample",
    [
        {"value": ""},
        {"value": "abc"},
        {"value": "NaN"},
        {"value": "Infinity"},
        {"value": "-inf"},
        {"value": "1_000"},
        {"value": "12,5"},
        {"value": "1e999999999"},
        {"value": "9" * 5000},
        {"value": "²"},
        {"value": "x", "unit": "kWh"},
        {"value": "77", "format": "SignedData"},
        {"value": "T0NNRnw=", "format": "SignedData", "unit": "kWh"},
        *(
            {"value": value, "measurand": name, "unit": unit}
            for name, unit in (
                ("Power.Active.Import", "W"),
                ("Power.Active.Import", "kW"),
                ("Power.Factor", "Percent"),
                ("Temperature", "K"),
                ("Temperature", "Fahrenheit"),
            )
            for value in ("", "nan", "inf", "1_0", "1e30")
        ),
    ],
)
async def test_what_is_no_number_changes_nothing(
    charger: Charger, sample: dict[str, Any]
) -> None:
    await charger.meter({"value": "5000"})
    charger.clock.tick(1)
    await charger.meter(sample)
    assert charger.value(REGISTER) == 5000
    assert len(charger.station.evses[1].measurements) == 1


@pytest.mark.parametrize(
    "sample",
    [
        {"value": "1", "measurand": "Moon.Phase"},
        {"value": "1", "measurand": "Voltage", "phase": "L4"},
        {"value": "1", "measurand": "Moon.L1"},
    ],
)
async def test_invented_words_make_no_measurement(
    charger: Charger, sample: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        await charger.meter(sample)
    assert charger.station.evses[1].measurements == {}
    assert caplog.text.count("unknown") == 1


async def test_phase_may_be_glued_to_the_measurand(charger: Charger) -> None:
    await charger.meter({"value": "231", "measurand": "Voltage.L2-N"})
    assert charger.value(Measurand.VOLTAGE, Phase.L2_N) == 231


async def test_places_other_than_the_outlet_are_kept_apart(charger: Charger) -> None:
    await charger.meter(
        {"value": "1", "measurand": "Temperature", "location": "Body"},
        {"value": "2", "measurand": "Temperature", "location": "EV"},
        {"value": "3", "measurand": "Temperature", "location": "Outlet"},
    )
    assert charger.value(Measurand.TEMPERATURE, location=Location.BODY) == 1
    assert charger.value(Measurand.TEMPERATURE, location=Location.EV) == 2
    assert charger.value(Measurand.TEMPERATURE) == 3


CONTEXTS = (
    "Transaction.Begin",
    "Interruption.Begin",
    "Sample.Clock",
    "Sample.Periodic",
    "Transaction.End",
)


@given(order=st.permutations(CONTEXTS), count=st.integers(1, 5))
def test_best_context_wins_in_any_order(order: list[str], count: int) -> None:
    evse = ChargingStation("CP1", StationSettings(name="Charger")).evse(1)
    meter = Meter(evse, Metering(), Oddities("CP1"))
    ranks = [CONTEXTS.index(context) for context in order[:count]]
    register = meter.read(
        [{"value": str(rank), "context": CONTEXTS[rank]} for rank in ranks],
        FakeClock().now,
    )
    assert register == max(ranks)


async def test_trigger_and_no_context_count_as_periodic(charger: Charger) -> None:
    for context in ({"context": "Trigger"}, {}):
        charger.clock.tick(1)
        await charger.meter(
            {"value": "10", "measurand": "Voltage", "context": "Sample.Clock"},
            {"value": "11", "measurand": "Voltage"} | context,
        )
        assert charger.value(Measurand.VOLTAGE) == 11


async def test_better_context_without_a_number_does_not_win(charger: Charger) -> None:
    await charger.meter(
        {"value": "10", "context": "Sample.Clock"},
        {"value": "", "context": "Transaction.End"},
    )
    assert charger.value(REGISTER) == 10


async def test_history_does_not_move_the_present(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.meter({"value": "5000"})
    await charger.meter({"value": "4000"}, timestamp=clock.text(-7200))
    assert charger.value(REGISTER) == 5000


async def test_several_meter_values_in_one_frame(
    charger: Charger, clock: FakeClock
) -> None:
    payload = {
        "connectorId": "1",
        "meterValue": [
            {"timestamp": clock.text(-20), "sampledValue": [{"value": "1"}]},
            {"timestamp": clock.text(-10), "sampledValue": []},
            {"timestamp": clock.text(), "sampledValue": [{"value": "3"}]},
        ],
    }
    frame = await charger.call("MeterValues", payload)
    assert frame[2] == {}
    assert charger.value(REGISTER) == 3


async def test_connector_0_is_the_station(charger: Charger) -> None:
    await charger.meter({"value": "9000"}, connector_id=0)
    assert charger.value(REGISTER, connector_id=0) == 9000
    assert charger.station.evses == {}


@pytest.mark.peer("B-34")
async def test_phases_of_connector_0_stay_with_the_station(charger: Charger) -> None:
    await charger.meter(
        {"value": "16", "measurand": "Current.Import", "phase": "L1"}, connector_id=0
    )
    assert charger.value(Measurand.CURRENT_IMPORT, Phase.L1, connector_id=0) == 16
    assert charger.station.evses == {}


@pytest.mark.parametrize("connector_id", [-1, 9, 10**12])
async def test_impossible_connector_is_answered_and_makes_nothing(
    charger: Charger, connector_id: int
) -> None:
    await charger.meter({"value": "9000"}, connector_id=connector_id)
    assert charger.station.evses == {}


async def test_phases_alone_make_a_total(charger: Charger) -> None:
    await charger.meter(
        *(
            {"value": value, "measurand": "Power.Active.Import", "phase": phase}
            for phase, value in (("L1", "1000.5"), ("L2", "1.5"), ("L3", "0"))
        ),
        *(
            {"value": value, "measurand": "Current.Import", "phase": phase}
            for phase, value in (("L1", "16"), ("L2", "10"), ("L3", "0"), ("N", "20"))
        ),
    )
    assert charger.value(POWER) == 1002
    assert charger.value(Measurand.CURRENT_IMPORT) == 16
    assert charger.value(Measurand.CURRENT_IMPORT, Phase.N) == 20


async def test_total_of_the_station_is_not_derived(charger: Charger) -> None:
    for value in ("900", "901"):
        charger.clock.tick(30)
        await charger.meter(
            {"value": value, "measurand": "Power.Active.Import"},
            {"value": "400", "measurand": "Power.Active.Import", "phase": "L1"},
            {"value": "400", "measurand": "Power.Active.Import", "phase": "L2"},
        )
        assert charger.value(POWER) == int(value)


@pytest.mark.conformance("TX_06")
async def test_meter_values_of_an_unknown_transaction_adopt_it_while_charging(
    charger: Charger,
) -> None:
    await charger.status("Charging")
    await charger.meter({"value": "5000"}, transaction_id=4711)
    await charger.settle()
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.transaction_id == "4711"
    await charger.meter({"value": "5500"}, transaction_id=4711)
    assert transaction.energy == 500


async def test_meter_values_of_an_unknown_transaction_alone_make_none(
    charger: Charger,
) -> None:
    await charger.status("Available")
    await charger.meter({"value": "5000"}, transaction_id=4711)
    await charger.settle()
    assert charger.station.evses[1].session.value is None


@pytest.mark.parametrize("transaction_id", [None, 0, -1])
async def test_meter_values_without_an_id_count_for_the_open_transaction(
    charger: Charger, transaction_id: int | None
) -> None:
    await charger.start(meter_start=1000)
    await charger.meter({"value": "1700"}, transaction_id=transaction_id)
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 700


async def test_main_meter_counts_only_for_a_transaction_it_names(
    charger: Charger,
) -> None:
    transaction_id = await charger.start(meter_start=1000)
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    await charger.meter({"value": "90000"}, connector_id=0)
    assert transaction.energy == 0
    charger.clock.tick(1)
    await charger.meter({"value": "90001"}, connector_id=0, transaction_id=5)
    assert transaction.energy == 0
    charger.clock.tick(1)
    # Some stations with one connector report their transaction there.
    await charger.meter(
        {"value": "90200"}, connector_id=0, transaction_id=transaction_id
    )
    assert transaction.meter_last == 90200


async def test_register_elsewhere_counts_if_there_is_none_at_the_outlet(
    charger: Charger,
) -> None:
    await charger.start(meter_start=100)
    await charger.meter({"value": "150", "location": "Inlet"})
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 50
    charger.clock.tick(1)
    await charger.meter({"value": "160"}, {"value": "999", "location": "Inlet"})
    charger.clock.tick(1)
    await charger.meter({"value": "1000", "location": "Inlet"})
    assert transaction.energy == 60


@pytest.mark.peer("B-13")
async def test_energy_of_phases_alone_feeds_the_session(charger: Charger) -> None:
    transaction_id = await charger.start(meter_start=3000)
    for step in (1100, 1200):
        charger.clock.tick(30)
        await charger.meter(
            *(
                {"value": str(step), "phase": phase, "unit": "Wh"}
                for phase in ("L1", "L2", "L3")
            ),
            transaction_id=transaction_id,
        )
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 600
    assert charger.value(REGISTER) == 3600


@pytest.mark.peer("B-12")
async def test_single_zero_of_a_register_is_not_believed(charger: Charger) -> None:
    transaction_id = await charger.start(meter_start=5000)
    for value in ("6000", "0", "6100"):
        charger.clock.tick(30)
        await charger.meter({"value": value}, transaction_id=transaction_id)
        assert charger.value(REGISTER) in {6000, 6100}
    answered = charger.station.evses[1].transaction
    assert answered is not None
    assert answered.energy == 1100
    assert not answered.meter_reset


@pytest.mark.peer("B-35")
async def test_meter_values_outside_transactions_start_none(charger: Charger) -> None:
    await charger.meter({"value": "5000"})
    charger.clock.tick(60)
    await charger.start(meter_start=5200)
    await charger.meter({"value": "5300"})
    transaction = charger.station.evses[1].transaction
    assert transaction is not None
    assert transaction.energy == 100


async def test_memory_for_words_is_bounded(charger: Charger) -> None:
    await charger.meter(
        *({"value": "1", "measurand": f"Invented.{number}"} for number in range(2000))
    )
    await charger.meter({"value": "230", "measurand": "Voltage"})
    assert charger.value(Measurand.VOLTAGE) == 230


async def test_endless_words_are_not_kept(charger: Charger) -> None:
    place = charger.station.evse(1)
    meter = Meter(place, Metering(), Oddities(charger.station.identity))
    at = charger.clock()
    meter.read([{"value": "1", "unit": "Wh" + " " * 1_000_000}], at)
    assert not meter._meanings
    assert meter.read([{"value": "2", "unit": "Wh"}], at) == 2
    assert len(meter._meanings) == 1
