"""F5 and F6: the charger's state machine, its limits, sessions and observations."""

from datetime import timedelta
import json

import pytest

from simulators.easee_cloud import (
    Charger,
    EaseeCloud,
    Equalizer,
    Mode,
    SimulatedTime,
    Vehicle,
    seeded,
)
from simulators.easee_cloud.answers import Invalid
from simulators.easee_cloud.orders import command, settings


@pytest.fixture
def time() -> SimulatedTime:
    return SimulatedTime()


@pytest.fixture
def cloud(time: SimulatedTime) -> EaseeCloud:
    """Return a cloud that does not serve: this is about what is behind it."""
    return seeded(time, second=True)


@pytest.fixture
def car(charger: Charger, time: SimulatedTime) -> Vehicle:
    """Return a car that charges."""
    vehicle = Vehicle()
    charger.plug_in(vehicle)
    time.advance(3)
    return vehicle


def order(charger: Charger, name: str, **body: object) -> None:
    """Carry out a command at once."""
    found = command(charger, name, body)
    assert found is not None
    found.act()


def change(charger: Charger, **body: object) -> None:
    """Carry out settings at once."""
    for found in settings(charger, body):
        found.act()


def test_plugging_in_waits_for_the_car_then_charges(
    charger: Charger, time: SimulatedTime
) -> None:
    assert (charger[109], charger[96], charger[100]) == (1, 50, "A")
    charger.plug_in(Vehicle())
    assert (charger[109], charger[114], charger[100]) == (6, 16, "B")
    time.advance(2)
    assert (charger[109], charger[96], charger[100]) == (3, 81, "C")
    assert charger[120] == 11.04
    assert [charger[number] for number in (183, 184, 185)] == [16, 16, 16]
    charger.unplug()
    assert (charger[109], charger[120], charger[114]) == (1, 0, 0)


def test_six_ampere_take_five_minutes(charger: Charger, time: SimulatedTime) -> None:
    change(charger, maxChargerCurrent=6)
    charger.plug_in(Vehicle())
    time.advance(299)
    assert charger[109] == Mode.AWAITING_START
    time.advance(1)
    assert (charger[109], charger[114]) == (Mode.CHARGING, 6)


def test_seven_ampere_end_the_wait(charger: Charger, time: SimulatedTime) -> None:
    charger.plug_in(Vehicle())
    order(charger, "set_dynamic_charger_current", amps=6, minutes=0)
    time.advance(60)
    assert charger[109] == Mode.AWAITING_START
    order(charger, "set_dynamic_charger_current", amps=7, minutes=0)
    assert charger[109] == Mode.CHARGING


def test_pause_and_resume_are_dynamic_limits(charger: Charger, car: Vehicle) -> None:
    order(charger, "set_dynamic_charger_current", amps=8, minutes=0)
    order(charger, "pause_charging")
    assert (charger[48], charger[109], charger[96]) == (0, 2, 52)
    order(charger, "resume_charging")
    assert charger[48] == 32


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"dynamicChargerCurrent": 5.0}, 52),
        ({"maxChargerCurrent": 5}, 51),
        ({"enabled": False}, 53),
    ],
)
def test_below_six_ampere_there_is_a_reason(
    charger: Charger, car: Vehicle, body: dict[str, object], reason: int
) -> None:
    change(charger, **body)
    assert (charger[109], charger[96], charger[114]) == (2, reason, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [({"dynamicChargerCurrent": 10.0}, 78), ({"maxChargerCurrent": 10}, 77)],
)
def test_the_lowest_limit_holds(
    charger: Charger, car: Vehicle, body: dict[str, object], reason: int
) -> None:
    change(charger, **body)
    assert (charger[109], charger[96], charger[114]) == (3, reason, 10)


def test_circuit_limits_hold_too(charger: Charger, car: Vehicle) -> None:
    circuit = charger.circuit
    circuit.set_dynamic([12.9, 12.9, 12.9])
    assert (charger[114], charger[96], charger[111]) == (12, 27, 12)
    circuit.apply({f"maxCircuitCurrentP{phase}": 11 for phase in (1, 2, 3)})
    assert (charger[114], charger[96], charger[22]) == (11, 26, 11)
    circuit.apply({"dynamicCircuitCurrentP1": 5, "maxCircuitCurrentP1": 4})
    assert (charger[114], charger[96]) == (0, 1)


def test_a_dynamic_limit_expires_into_the_offline_one(
    charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    charger.circuit.apply({f"offlineMaxCircuitCurrentP{n}": 9 for n in (1, 2, 3)})
    charger.circuit.set_dynamic([14, 14, 14], minutes=2)
    time.advance(119)
    assert charger[111] == 14
    time.advance(1)
    assert (charger[111], charger[114]) == (9, 9)
    order(charger, "set_dynamic_charger_current", amps=15, minutes=1)
    time.advance(60)
    assert charger[48] == 9


def test_two_cars_share_a_circuit(
    cloud: EaseeCloud, charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    second = cloud.chargers["EH654321"]
    charger.circuit.set_dynamic([20, 20, 20])
    second.plug_in(Vehicle())
    time.advance(3)
    assert (charger[114], charger[96], second[114]) == (10, 29, 10)
    charger.circuit.set_dynamic([8, 8, 8])
    assert (charger[114], second[114], second[96]) == (8, 0, 5)
    assert charger[73] == 8


def test_authorization_starts_and_ends_a_session(
    charger: Charger, time: SimulatedTime
) -> None:
    change(charger, authorizationRequired=True)
    charger.plug_in(Vehicle())
    assert (charger[109], charger[96], charger[46]) == (7, 55, 25)
    assert not charger.has(223)
    charger.swipe("AF18EE01")
    time.advance(3600)
    assert charger[109] == 3
    assert (charger[128], charger[108]) == ("AF18EE01", "01EE18AF")
    started = json.loads(str(charger[223]))
    assert started["Auth"] == "AF18EE01"
    order(charger, "stop_charging")
    assert charger[109] == 8
    ended = json.loads(str(charger[129]))
    assert ended["Id"] == started["Id"]
    assert ended["EnergyKwh"] == pytest.approx(11.04, rel=0.01)
    assert ended["MeterValueStop"] - ended["MeterValueStart"] == pytest.approx(
        ended["EnergyKwh"]
    )
    time.advance(3)
    assert charger[109] == 7
    order(charger, "start_charging")
    time.advance(3)
    assert charger[109] == 3
    assert json.loads(str(charger[223]))["Id"] == started["Id"] + 1


def test_energy_counts_and_the_register_comes_by_the_hour(
    charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    register = charger[124]
    time.advance(1800)
    assert charger[121] == pytest.approx(5.52, rel=0.01)
    assert charger[124] == register
    time.advance(1800)
    assert charger[124] == pytest.approx(float(register) + 11.04, rel=0.01)
    assert charger[122] == pytest.approx(11.04, rel=0.01)


def test_a_full_car_is_completed(charger: Charger, time: SimulatedTime) -> None:
    charger.plug_in(Vehicle(capacity=50, stored=49))
    time.advance(3600)
    assert (charger[109], charger[96], charger[120]) == (4, 79, 0)
    assert charger[121] == 1


def test_a_paused_car_is_completed_and_goes_on(
    charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    charger.pause_car(True)
    assert charger[109] == 4
    charger.pause_car(False)
    time.advance(3)
    assert charger[109] == 3


def test_phase_mode_waits_for_the_next_start(
    charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    change(charger, phaseMode=1)
    assert charger[110] == 30
    order(charger, "pause_charging")
    order(charger, "resume_charging")
    time.advance(3)
    assert (charger[110], charger[184], charger[120]) == (10, 0, 3.68)


def test_a_circuit_switches_phases_at_once(charger: Charger, car: Vehicle) -> None:
    charger.circuit.set_dynamic([16, 0, 0])
    assert (charger[109], charger[110], charger[185]) == (3, 10, 0)
    charger.circuit.set_dynamic([16, 16, 16])
    assert charger[110] == 30


def test_an_error_and_its_end(charger: Charger, car: Vehicle) -> None:
    charger.fail(110, "Ground fault")
    assert (charger[109], charger[96], charger[118]) == (5, 56, "Ground fault")
    charger.fail(0)
    assert (charger[109], charger[118]) == (6, "")


def test_a_reboot_resets_what_is_volatile(
    cloud: EaseeCloud, charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    change(charger, dynamicChargerCurrent=8.0)
    charger.circuit.set_dynamic([9, 9, 9])
    order(charger, "reboot")
    assert (charger[250], charger.known[109].value) == (False, 0)
    time.advance(180)
    assert (charger[250], charger[48], charger[111]) == (True, 32, 80)
    assert charger[89] == 1 << 20
    second = cloud.chargers["EH654321"]
    second.plug_in(Vehicle())
    assert second[48] == 40


def test_an_update_brings_the_firmware(charger: Charger, time: SimulatedTime) -> None:
    charger.latest_firmware = 350
    order(charger, "update_firmware")
    time.advance(180)
    assert charger[80] == 350


def test_what_happens_offline_is_told_later_with_its_own_time(
    charger: Charger, time: SimulatedTime
) -> None:
    told: list[tuple[int, object]] = []
    charger.listeners.append(lambda product, seen: told.append((seen.id, seen.at)))
    charger.go_offline()
    told.clear()
    time.advance(60)
    plugged = time()
    charger.plug_in(Vehicle())
    time.advance(600)
    assert told == []
    assert charger.known[109].value == 0
    charger.go_online()
    assert (103, plugged) in told
    assert charger.known[250].at == time()
    assert charger[109] == 3


def test_offline_the_offline_limit_holds(charger: Charger, car: Vehicle) -> None:
    charger.go_offline()
    assert charger.offered == 6


def test_a_charge_max_signs_its_sessions(
    cloud: EaseeCloud, charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    charger.product_code = 3
    time.advance(3600)
    charger.unplug()
    scheme, data, signature = str(charger[60]).split("|")
    readings = json.loads(data)["RD"]
    assert scheme == "OCMF"
    assert readings[1]["RV"] - readings[0]["RV"] == pytest.approx(11.04, rel=0.01)
    assert json.loads(signature)["SD"]


def test_toggling_depends_on_what_is(
    charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    order(charger, "toggle_charging")
    assert charger[48] == 0
    order(charger, "toggle_charging")
    assert charger[48] == 32
    change(charger, authorizationRequired=True)
    assert charger[109] == 7
    order(charger, "toggle_charging")
    assert charger[109] == 6
    order(charger, "toggle_charging")
    assert charger[109] == 8


def test_polls_tell_what_is_known(charger: Charger, time: SimulatedTime) -> None:
    time.advance(10)
    order(charger, "poll_lifetimeenergy")
    order(charger, "poll_chargeropmode")
    assert charger.known[124].at == charger.known[109].at == time()


def test_a_cable_is_locked_and_phases_are_limited(charger: Charger) -> None:
    order(charger, "lock_state", state=True)
    assert charger[30] is True
    order(charger, "set_phase_mode", phaseMode=3)
    assert charger[38] == 3
    change(charger, limitToSinglePhaseCharging=True)
    assert charger[38] == 1


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("lock_state", {}),
        ("set_phase_mode", {"phaseMode": 4}),
        ("set_dynamic_charger_current", {"amps": "10"}),
    ],
)
def test_a_command_without_sense_is_invalid(
    charger: Charger, name: str, body: dict[str, object]
) -> None:
    with pytest.raises(Invalid):
        command(charger, name, body)


def test_pairing_tells_the_token(charger: Charger) -> None:
    order(charger, "set_rfid_pairing_mode_async")
    charger.swipe("AF18EE01")
    assert charger[69] == "AF18EE01"


def test_an_idle_charger_speaks_every_quarter_of_an_hour(
    charger: Charger, time: SimulatedTime
) -> None:
    told: list[int] = []
    charger.listeners.append(lambda product, seen: told.append(seen.id))
    time.advance(3599)
    assert told.count(150) == 3
    assert 120 not in told


def test_a_schedule_decides(
    charger: Charger, car: Vehicle, time: SimulatedTime
) -> None:
    night = {"startTime": "22:00:00", "stopTime": "06:30:00", "maximumAmps": 10}
    charger.schedules.write(
        "daily", {"enabled": True, "timezone": "Europe/Oslo", "periods": [night]}
    )
    charger.circuit.changed()
    assert (charger[109], charger[96]) == (2, 54)
    assert json.loads(str(charger[62]))["RecurrencyKind"] == "Daily"
    # 22:00 in Oslo is 20:00 UTC in October.
    time.advance(14 * 3600 - 10)
    assert charger[109] == 2
    time.advance(130)
    assert (charger[109], charger[96], charger[114]) == (3, 76, 10)


def test_a_schedule_can_be_overridden_once(charger: Charger, car: Vehicle) -> None:
    charger.schedules.write(
        "delayed", {"enabled": True, "timezone": "UTC", "startTime": "23:00:00"}
    )
    charger.circuit.changed()
    assert charger[96] == 54
    order(charger, "override_schedule")
    assert charger[109] == 6
    charger.unplug()
    charger.plug_in(Vehicle())
    assert charger[96] == 54


def test_the_equalizer_limits_and_counts(
    charger: Charger, equalizer: Equalizer, car: Vehicle, time: SimulatedTime
) -> None:
    assert equalizer[31] == 18
    equalizer.set_house([53, 50, 50])
    assert (charger[114], charger[96], charger[230]) == (10, 28, 10)
    assert (equalizer[87], equalizer[105]) == (10, 10)
    imported = float(equalizer[45]) if equalizer.has(45) else 12_345.0
    power = float(equalizer[40])
    time.advance(3600)
    assert equalizer[45] == pytest.approx(imported + power, rel=0.001)
    equalizer.set_max_allocated(40)
    assert (charger[109], charger[96]) == (2, 10)
    assert json.loads(str(equalizer[20]))["maxAllocatedCurrent"] == 40


def test_surplus_is_what_the_roof_leaves(
    charger: Charger, equalizer: Equalizer
) -> None:
    charger.plug_in(Vehicle())
    charging = {"eligible": True, "maximumImportAddedCurrent": 6}
    equalizer.set_surplus(
        {"mode": "chargingWithImport", "chargingWithImport": charging}
    )
    assert equalizer.available() == [6, 6, 6]
    equalizer.set_house([2, 2, 2], solar=6.9)
    assert equalizer.available() == [14, 14, 14]
    assert equalizer[41] == pytest.approx(5.52)
    assert json.loads(str(equalizer[115])) == {
        "mode": "chargingWithImport",
        "standbycurrent": 6,
    }


def test_the_clock_of_the_cloud_stamps(cloud: EaseeCloud, charger: Charger) -> None:
    cloud.clock.skew = timedelta(minutes=-5)
    charger.observe(40, 1)
    update = charger.known[40].update(charger.serial)
    assert update["timestamp"] == "2026-10-01T05:55:00.0000000Z"


async def test_everything_is_deterministic() -> None:
    async def story() -> list[dict[str, object]]:
        time = SimulatedTime()
        cloud = seeded(time)
        charger = cloud.chargers["EH123456"]
        told: list[dict[str, object]] = []
        charger.listeners.append(lambda one, seen: told.append(seen.update(one.serial)))
        charger.plug_in(Vehicle())
        time.advance(5000)
        cloud.rogue("EH123456", dynamicChargerCurrent=9.0)
        time.advance(5000)
        return told

    assert await story() == await story()
