"""The virtual station measures what a charger measures, each in its unit and place."""

from typing import Any

import pytest

from .central import PlainCentralSystem
from .conftest import FakeClock
from simulators.charging_station import VENDORS, ChargingStation16, Vehicle
from simulators.charging_station.vendors import ALL_MEASURANDS

# What 10 A on three phases lead to: value, unit, phase, location.
CHARGING: dict[str, list[tuple[str, str | None, str | None, str | None]]] = {
    "Current.Import": [("10.00", "A", phase, None) for phase in ("L1", "L2", "L3")],
    "Current.Offered": [("32.0", "A", None, None)],
    "Frequency": [("50.00", None, None, None)],
    "Power.Active.Import": [("6900.0", "W", None, None)],
    "SoC": [("50", "Percent", None, "EV")],
    "Temperature": [("27.0", "Celsius", None, "Body")],
    "Voltage": [("230.0", "V", f"{phase}-N", None) for phase in ("L1", "L2", "L3")],
}


async def _measured(central: PlainCentralSystem, *measurands: str) -> list[Any]:
    """Have connector 1 measure now, and return its sampled values."""
    key, value = "MeterValuesSampledData", ",".join(measurands)
    answer = await central.ask("ChangeConfiguration", key=key, value=value)
    assert answer[2] == {"status": "Accepted"}
    before = len(central.of("MeterValues"))
    await central.ask("TriggerMessage", requestedMessage="MeterValues", connectorId=1)
    await central.count("MeterValues", before + 1)
    values: list[Any] = central.of("MeterValues")[-1]["meterValue"][0]["sampledValue"]
    return values


async def _charge(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Charge a half full vehicle with 10 A."""
    vehicle = Vehicle(maximum_current=10, stored=30_000, phases=station.vendor.phases)
    await station.plug_in(1, vehicle)
    await station.swipe("TAG1")
    await central.status("Charging")
    for _ in range(10):
        clock.tick(1)
        await station.advance(1)


@pytest.mark.parametrize("measurand", CHARGING)
async def test_each_measurand_comes_in_its_unit_phase_and_location(
    station: ChargingStation16,
    central: PlainCentralSystem,
    clock: FakeClock,
    measurand: str,
) -> None:
    await _charge(station, central, clock)
    values = await _measured(central, measurand)
    assert {one["measurand"] for one in values} == {measurand}
    assert {one["context"] for one in values} == {"Trigger"}
    assert CHARGING[measurand] == [
        (one["value"], one.get("unit"), one.get("phase"), one.get("location"))
        for one in values
    ]


async def test_the_register_is_the_energy_that_flowed(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    await _charge(station, central, clock)
    first = await _measured(central, "Energy.Active.Import.Register")
    for _ in range(60):
        clock.tick(1)
        await station.advance(1)
    await station.settle()  # the samples of this minute are not the one asked for
    second = await _measured(central, "Energy.Active.Import.Register")
    assert [one["unit"] for one in (*first, *second)] == ["Wh", "Wh"]
    # A minute of 6.9 kW, and rounding.
    assert int(second[0]["value"]) - int(first[0]["value"]) in (115, 116)


async def test_all_measurands_come_in_one_message_in_the_order_asked_for(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    await _charge(station, central, clock)
    asked = tuple(reversed(ALL_MEASURANDS))
    values = await _measured(central, *asked)
    assert tuple(dict.fromkeys(one["measurand"] for one in values)) == asked


async def test_without_a_vehicle_there_is_no_battery_and_no_current(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    values = await _measured(central, "SoC", "Current.Import", "Power.Active.Import")
    assert {one["measurand"] for one in values} == {
        "Current.Import",
        "Power.Active.Import",
    }
    assert {float(one["value"]) for one in values} == {0}


async def test_a_charger_with_one_phase_measures_one(
    central: PlainCentralSystem, clock: FakeClock
) -> None:
    station = ChargingStation16(
        f"ws://127.0.0.1:{central.port}/ocpp",
        "CP1",
        vendor=VENDORS["single-phase"],
        clock=clock,
    )
    await station.connect()
    await _charge(station, central, clock)
    values = await _measured(
        central, "Current.Import", "Voltage", "Power.Active.Import"
    )
    assert [(one["value"], one.get("phase")) for one in values] == [
        ("10.00", "L1"),
        ("230.0", "L1-N"),
        ("2300.0", None),
    ]
    await station.close()
