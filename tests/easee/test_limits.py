"""Limits of a charger: the lowest of them holds, and it is known whose that is (S9)."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from .garage import Garage
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.limits import known_limits
from custom_components.ev_charger_hub.easee.readings import Observation, Readings, Value
from custom_components.ev_charger_hub.station.enums import LimitedBy
from simulators.easee_cloud import Vehicle
from simulators.easee_cloud.seed import EQUALIZER

ALL_DAY = {
    "enabled": True,
    "timezone": "UTC",
    "periods": [{"startTime": "00:00:00", "stopTime": "23:59:59", "maximumAmps": 9}],
}
BY_NIGHT = ALL_DAY | {
    "periods": [{"startTime": "22:00:00", "stopTime": "23:00:00", "maximumAmps": 9}]
}


async def _ours(garage: Garage) -> None:
    await garage.want(9)


def _dynamic(garage: Garage) -> None:
    garage.cloud.rogue(garage.charger.serial, dynamicChargerCurrent=9.0)


def _circuit_maximum(garage: Garage) -> None:
    garage.charger.circuit.maximum = [9.0] * 3


def _circuit_dynamic(garage: Garage) -> None:
    garage.charger.circuit.set_dynamic([20.0, 9.0, 32.0])


def _fuse(garage: Garage) -> None:
    garage.charger.circuit.rated = 9.0


def _maximum(garage: Garage) -> None:
    garage.charger.observe(47, 9.0)


def _schedule(garage: Garage) -> None:
    garage.charger.schedules.write("daily", ALL_DAY)


def _equalizer(garage: Garage) -> None:
    garage.cloud.equalizers[EQUALIZER].set_max_allocated(9)
    garage.cloud.equalizers[EQUALIZER].set_house([0.0, 0.0, 0.0])


def _cable(garage: Garage) -> None:
    garage.charger.observe(104, 9.0)


def _neighbor(garage: Garage) -> None:
    garage.charger.circuit.set_dynamic([18.0, 18.0, 18.0])
    garage.cloud.chargers["EH654321"].plug_in(Vehicle(maximum_current=32))


@pytest.mark.conformance("EASEE_S9")
@pytest.mark.parametrize("wanted", [None, 20])
@pytest.mark.parametrize(
    ("lower", "limited_by"),
    [
        (_dynamic, LimitedBy.EXTERNAL),
        (_circuit_maximum, LimitedBy.CIRCUIT),
        (_circuit_dynamic, LimitedBy.CIRCUIT),
        (_fuse, LimitedBy.CIRCUIT),
        (_maximum, LimitedBy.CHARGER_MAXIMUM),
        (_schedule, LimitedBy.SCHEDULE),
        (_equalizer, LimitedBy.EQUALIZER),
        (_cable, LimitedBy.CABLE),
        (_neighbor, LimitedBy.LOAD_BALANCING),
    ],
)
async def test_the_lowest_limit_holds_and_says_whose_it_is(
    garage: Garage,
    lower: Callable[[Garage], None],
    limited_by: LimitedBy,
    wanted: float | None,
) -> None:
    garage.charger.plug_in(Vehicle(maximum_current=32))
    await garage.pass_time(70)
    if wanted is not None:
        await garage.want(wanted)
        assert garage.shown() == (wanted, LimitedBy.OUR_LIMIT)
        if lower is _dynamic:
            # Somebody who insists on it: at first ours is made to hold again.
            for _ in range(3):
                lower(garage)
                await garage.pass_time(10)
    lower(garage)
    garage.charger.circuit.changed()
    await garage.pass_time(5)
    assert garage.shown() == (9, limited_by)
    assert garage.charger.offered == 9
    assert not garage.ignored()


async def test_a_vehicle_that_takes_less_is_named_for_as_long_as_it_does(
    garage: Garage,
) -> None:
    garage.charger.plug_in(Vehicle(maximum_current=13))
    for _ in range(30):
        await garage.pass_time(60)
        assert garage.shown() == (32, LimitedBy.VEHICLE)
    await _ours(garage)
    await garage.pass_time(2)
    assert garage.shown() == (9, LimitedBy.OUR_LIMIT)


@pytest.mark.conformance("EASEE_S9")
async def test_ours_is_the_lowest(garage: Garage) -> None:
    garage.charger.plug_in(Vehicle(maximum_current=32))
    garage.charger.circuit.set_dynamic([12.0] * 3)
    await garage.pass_time(10)
    await _ours(garage)
    await garage.pass_time(2)
    assert garage.shown() == (9, LimitedBy.OUR_LIMIT)
    await garage.want(None)
    await garage.pass_time(2)
    assert garage.shown() == (12, LimitedBy.CIRCUIT)


@pytest.mark.conformance("EASEE_S9")
@pytest.mark.parametrize(
    ("block", "limited_by"),
    [
        (lambda g: g.charger.circuit.set_dynamic([0.0] * 3), LimitedBy.CIRCUIT),
        (
            lambda g: g.charger.schedules.write("daily", BY_NIGHT),
            LimitedBy.SCHEDULE,
        ),
        (
            lambda g: g.cloud.equalizers[EQUALIZER].set_max_allocated(3),
            LimitedBy.EQUALIZER,
        ),
    ],
)
async def test_what_lets_nothing_flow_is_named(
    garage: Garage, block: Callable[[Garage], None], limited_by: LimitedBy
) -> None:
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(10)
    await garage.want(16)
    block(garage)
    garage.charger.circuit.changed()
    await garage.pass_time(5)
    limit, by = garage.shown()
    assert by is limited_by
    assert limit is not None
    assert limit < 6
    assert not garage.ignored()


# The pure function

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def known(**values: Value) -> dict[LimitedBy, float]:
    """Return the known limits by readings, which are named as in the list of ids."""
    readings = Readings()
    for name, value in values.items():
        number = Id[name.upper()]
        readings.take(Observation(serial="EH1", id=number, value=value, at=NOON))
    return {source: float(limit) for source, limit in known_limits(readings).items()}


def three(name: str, *amps: float) -> dict[str, Any]:
    """Return a reading for each phase."""
    return {f"{name}_p{phase}": one for phase, one in enumerate(amps, 1)}


def test_nothing_is_known_without_readings() -> None:
    assert known() == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"dynamic_charger_current": 16.0}, {LimitedBy.OUR_LIMIT: 16}),
        ({"max_charger_current": 20.0}, {LimitedBy.CHARGER_MAXIMUM: 20}),
        (three("circuit_max_current", 20, 25, 16), {LimitedBy.CIRCUIT: 16}),
        (
            three("circuit_max_current", 20, 25, 16)
            | three("dynamic_circuit_current", 32, 12, 32),
            {LimitedBy.CIRCUIT: 12},
        ),
        (three("eq_available_current", 9, 8, 7), {LimitedBy.EQUALIZER: 7}),
        # Of another phase than the one in use.
        (
            {"output_phase": 12} | three("eq_available_current", 9, 8, 7),
            {LimitedBy.EQUALIZER: 8},
        ),
        (
            {"phase_mode": 1} | three("circuit_max_current", 20, 25, 16),
            {LimitedBy.CIRCUIT: 20},
        ),
        (
            {"phase_mode": 1, "single_phase_number": 3}
            | three("circuit_max_current", 20, 25, 16),
            {LimitedBy.CIRCUIT: 16},
        ),
        # A circuit with one phase to give.
        (
            {"phase_mode": 2} | three("dynamic_circuit_current", 16, 0, 0),
            {LimitedBy.CIRCUIT: 16},
        ),
        (
            {"phase_mode": 3} | three("dynamic_circuit_current", 16, 0, 0),
            {LimitedBy.CIRCUIT: 0},
        ),
        ({"cable_rating": 0.0}, {}),
        ({"cable_rating": 20.0}, {LimitedBy.CABLE: 20}),
        ({"derating_active": False, "derated_current": 10.0}, {}),
        (
            {"derating_active": True, "derated_current": 10.0},
            {LimitedBy.DERATING: 10},
        ),
        (three("offline_max_circuit_current", 6, 6, 6), {}),
        (
            {"connected_to_cloud": False}
            | three("offline_max_circuit_current", 10, 6, 8),
            {LimitedBy.OFFLINE: 6},
        ),
        # Nonsense is nothing.
        ({"dynamic_charger_current": -1.0, "max_charger_current": "x"}, {}),
    ],
)
def test_what_single_readings_say(
    values: dict[str, Value], expected: dict[LimitedBy, float]
) -> None:
    assert known(**values) == expected


@pytest.mark.parametrize(
    ("reason", "limited_by"),
    [
        (25, LimitedBy.CIRCUIT),
        (26, LimitedBy.CIRCUIT),
        (27, LimitedBy.CIRCUIT),
        (28, LimitedBy.EQUALIZER),
        (29, LimitedBy.LOAD_BALANCING),
        (30, LimitedBy.OFFLINE),
        (75, LimitedBy.CABLE),
        (76, LimitedBy.SCHEDULE),
        (77, LimitedBy.CHARGER_MAXIMUM),
        (80, LimitedBy.DERATING),
    ],
)
def test_the_reason_names_whose_the_offered_current_is(
    reason: int, limited_by: LimitedBy
) -> None:
    found = known(
        charger_op_mode=3,
        reason_for_no_current=reason,
        output_current=11.0,
        dynamic_charger_current=16.0,
    )
    assert next(iter(found)) is limited_by
    assert found[limited_by] == 11


@pytest.mark.parametrize(
    ("reason", "limited_by"),
    [
        (1, LimitedBy.CIRCUIT),
        (3, LimitedBy.OFFLINE),
        (5, LimitedBy.LOAD_BALANCING),
        (9, LimitedBy.OFFLINE),
        (10, LimitedBy.EQUALIZER),
        (51, LimitedBy.CHARGER_MAXIMUM),
        (54, LimitedBy.SCHEDULE),
    ],
)
def test_the_reason_names_who_lets_nothing_flow(
    reason: int, limited_by: LimitedBy
) -> None:
    found = known(
        charger_op_mode=2, reason_for_no_current=reason, dynamic_charger_current=16.0
    )
    assert found[limited_by] == 0


@pytest.mark.parametrize(
    ("mode", "limited_by"),
    [
        (103, LimitedBy.LOAD_BALANCING),
        (106, LimitedBy.SCHEDULE),
        (108, LimitedBy.EQUALIZER),
        (158, LimitedBy.DERATING),
    ],
)
def test_some_modes_say_by_themselves_who_lets_nothing_flow(
    mode: int, limited_by: LimitedBy
) -> None:
    assert known(charger_op_mode=mode)[limited_by] == 0


def test_what_is_lower_than_what_is_offered_does_not_hold() -> None:
    found = known(
        charger_op_mode=3,
        output_current=16.0,
        max_charger_current=32.0,
        **three("eq_available_current", 7, 7, 7),
    )
    assert found == {LimitedBy.CHARGER_MAXIMUM: 32}


def test_unknown_modes_and_reasons_are_no_reason() -> None:
    assert known(charger_op_mode=99, reason_for_no_current=99) == {}
    assert known_limits(Readings()) == {}
    assert Decimal(0) not in known(charger_op_mode=2).values()
