"""Gauges, derived totals and guarded registers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.station.enums import Location, Measurand, Phase
from custom_components.ev_charger_hub.station.metering import Metering, idle
from custom_components.ev_charger_hub.station.model import (
    ChargingStation,
    Evse,
    MeasurementKey,
)
from custom_components.ev_charger_hub.station.settings import StationSettings

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
REGISTER = Measurand.ENERGY_ACTIVE_IMPORT_REGISTER
LINES = (Phase.L1, Phase.L2, Phase.L3)


@pytest.fixture
def evse() -> Evse:
    """Return an EVSE of which nothing is known."""
    return ChargingStation("CP1", StationSettings(name="Charger")).evse(1)


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _read(
    metering: Metering,
    evse: Evse,
    measurand: Measurand,
    phases: dict[Phase | None, float],
    seconds: float = 0,
) -> float | None:
    """Read one moment and return the total that is shown."""
    for phase, value in phases.items():
        key = MeasurementKey(measurand=measurand, phase=phase)
        metering.sample(evse, key, value, _at(seconds))
    metering.settle()
    return _shown(evse, measurand)


def _shown(evse: Evse, measurand: Measurand) -> float | None:
    channel = evse.measurements.get(MeasurementKey(measurand=measurand))
    return None if channel is None else channel.value


@pytest.mark.parametrize(
    ("measurand", "phases", "total"),
    [
        (REGISTER, dict.fromkeys(LINES, 1000), 3000),
        (Measurand.POWER_ACTIVE_IMPORT, dict.fromkeys(LINES, 0.1), 0.3),
        (Measurand.POWER_ACTIVE_IMPORT, {Phase.L1: 3600}, 3600),
        (Measurand.POWER_ACTIVE_IMPORT, {Phase.L1_N: 1, Phase.L2_N: 2}, 3),
        (Measurand.CURRENT_IMPORT, {Phase.L1: 16, Phase.L2: 10, Phase.L3: 0}, 16),
        (Measurand.CURRENT_IMPORT, {Phase.L1: 16, Phase.N: 20}, 16),
        (Measurand.CURRENT_IMPORT, {Phase.N: 20}, None),
        (Measurand.VOLTAGE, {Phase.L1_N: 228, Phase.L2_N: 232, Phase.L3_N: 230}, 230),
        (Measurand.VOLTAGE, {Phase.L1: 231, Phase.L2: 0, Phase.L3: 0}, 231),
        (Measurand.VOLTAGE, {Phase.L1: 0, Phase.L2: 0}, 0),
        (Measurand.VOLTAGE, {Phase.L1_L2: 400, Phase.L2_L3: 400}, 230.94),
        (Measurand.POWER_FACTOR, {Phase.L1: 0.9, Phase.L2: 0.8}, 0.85),
        (Measurand.TEMPERATURE, {Phase.L1: 30, Phase.L2: 35}, 35),
    ],
)
def test_phases_make_a_total(
    evse: Evse,
    measurand: Measurand,
    phases: dict[Phase | None, float],
    total: float | None,
) -> None:
    shown = _read(Metering(), evse, measurand, phases)
    assert shown == (None if total is None else pytest.approx(total, abs=0.01))


def test_total_of_integer_registers_is_an_integer(evse: Evse) -> None:
    assert type(_read(Metering(), evse, REGISTER, dict.fromkeys(LINES, 7))) is int


def test_explicit_total_is_not_overwritten(evse: Evse) -> None:
    metering = Metering()
    power = Measurand.POWER_ACTIVE_IMPORT
    phases: dict[Phase | None, float] = {Phase.L1: 10, Phase.L2: 20}
    assert _read(metering, evse, power, phases) == 30
    assert _read(metering, evse, power, {None: 31, **phases}, 30) == 31
    assert _read(metering, evse, power, phases, 60) == 31


def test_total_is_derived_again_when_the_station_stops_sending_it(evse: Evse) -> None:
    metering = Metering()
    power = Measurand.POWER_ACTIVE_IMPORT
    _read(metering, evse, power, {None: 5})
    assert _read(metering, evse, power, {Phase.L1: 10}, 3600) == 10


def test_phase_that_is_not_sent_any_more_leaves_the_total(evse: Evse) -> None:
    metering = Metering()
    power = Measurand.POWER_ACTIVE_IMPORT
    _read(metering, evse, power, dict.fromkeys(LINES, 10))
    assert _read(metering, evse, power, {Phase.L1: 10}, 61) == 10


def test_phase_register_that_is_not_sent_any_more_stays_in_the_total(
    evse: Evse,
) -> None:
    metering = Metering()
    _read(metering, evse, REGISTER, dict.fromkeys(LINES, 1000))
    assert _read(metering, evse, REGISTER, {Phase.L1: 1500}, 3600) == 3500


def test_phases_that_have_to_be_told_anew_make_no_total(evse: Evse) -> None:
    """Test that what was kept before a kill lowers nothing that is told phase by phase."""
    for phase in LINES:
        channel = evse.measurement(MeasurementKey(measurand=REGISTER, phase=phase))
        channel.set(1000, _at(-60))
        channel.outdated = True
    total = evse.measurement(MeasurementKey(measurand=REGISTER))
    total.set(3000, _at(-60))
    total.outdated = True
    metering = Metering()
    for phase in (Phase.L1, Phase.L2):
        _read(metering, evse, REGISTER, {phase: 1200})
        assert total.outdated
    assert _read(metering, evse, REGISTER, {Phase.L3: 1200}) == 3600
    assert not total.outdated


def test_phases_at_different_places_are_not_added(evse: Evse) -> None:
    metering = Metering()
    power = Measurand.POWER_ACTIVE_IMPORT
    key = MeasurementKey(measurand=power, phase=Phase.L2, location=Location.INLET)
    metering.sample(evse, key, 99, NOON)
    assert _read(metering, evse, power, {Phase.L1: 10}) == 10


def test_register_that_drops_once_is_not_believed(evse: Evse) -> None:
    metering = Metering()
    shown = [
        _read(metering, evse, REGISTER, {None: value}, seconds)
        for seconds, value in enumerate((1000, 0, 1001, 999, 1002))
    ]
    assert shown == [1000, 1000, 1001, 1001, 1002]


def test_register_that_starts_anew_is_believed_with_the_second_reading(
    evse: Evse,
) -> None:
    metering = Metering()
    shown = [
        _read(metering, evse, REGISTER, {None: value}, seconds)
        for seconds, value in enumerate((1000, 5, 10))
    ]
    assert shown == [1000, 1000, 10]


def test_register_that_falls_and_falls_is_not_believed(evse: Evse) -> None:
    metering = Metering()
    shown = [
        _read(metering, evse, REGISTER, {None: value}, seconds)
        for seconds, value in enumerate((1000, 900, 800, 850))
    ]
    assert shown == [1000, 1000, 1000, 850]


def test_same_reading_twice_is_no_proof(evse: Evse) -> None:
    metering = Metering()
    _read(metering, evse, REGISTER, {None: 1000})
    for _ in range(2):
        assert _read(metering, evse, REGISTER, {None: 0}, 30) == 1000


def test_restored_register_is_guarded(evse: Evse) -> None:
    evse.measurement(MeasurementKey(measurand=REGISTER)).set(1000, NOON)
    assert _read(Metering(), evse, REGISTER, {None: 0}, 30) == 1000


def test_restored_phases_count_in_a_register_from_the_first_reading(
    evse: Evse,
) -> None:
    before = Metering()
    _read(before, evse, REGISTER, dict.fromkeys(LINES, 1000))
    after = Metering()
    for seconds, phase in enumerate(LINES, 30):
        shown = _read(after, evse, REGISTER, {phase: 1010}, seconds)
        assert shown == 3000 + 10 * (seconds - 29)


def test_history_is_no_drop(evse: Evse) -> None:
    metering = Metering()
    _read(metering, evse, REGISTER, {None: 1000})
    for seconds in (-60, -30):
        assert _read(metering, evse, REGISTER, {None: 500}, seconds) == 1000
    gauge = metering.gauge(evse, MeasurementKey(measurand=REGISTER))
    assert (gauge.value, gauge.at) == (500, _at(-30))


def test_power_may_drop(evse: Evse) -> None:
    metering = Metering()
    power = Measurand.POWER_ACTIVE_IMPORT
    _read(metering, evse, power, {None: 1000})
    assert _read(metering, evse, power, {None: 0}, 1) == 0


def test_register_reaches_up_and_never_down(evse: Evse) -> None:
    gauge = Metering().gauge(evse, MeasurementKey(measurand=REGISTER))
    for seconds, (value, shown) in enumerate(((10, 10), (5, 10), (20, 20))):
        gauge.reach(value, _at(seconds))
        assert _shown(evse, REGISTER) == shown
    assert not gauge.fresh


def test_nothing_flows_when_idle(evse: Evse) -> None:
    metering = Metering()
    for measurand in (
        Measurand.POWER_ACTIVE_IMPORT,
        Measurand.VOLTAGE,
        Measurand.CURRENT_OFFERED,
    ):
        _read(metering, evse, measurand, {None: 16})
    evse.measurement(MeasurementKey(measurand=Measurand.CURRENT_IMPORT))
    idle(evse, _at(1))
    assert _shown(evse, Measurand.POWER_ACTIVE_IMPORT) == 0
    assert _shown(evse, Measurand.VOLTAGE) == 16
    assert _shown(evse, Measurand.CURRENT_OFFERED) == 16
    assert _shown(evse, Measurand.CURRENT_IMPORT) is None


def test_channel_appears_with_its_first_reading(evse: Evse) -> None:
    metering = Metering()
    metering.gauge(evse, MeasurementKey(measurand=REGISTER))
    assert evse.measurements == {}
    grown: list[None] = []
    evse.station.on_growth(lambda: grown.append(None))
    for seconds in range(3):
        _read(metering, evse, REGISTER, {None: 1}, seconds)
    assert len(grown) == 1


@given(
    st.lists(st.integers(0, 100), min_size=1, max_size=30),
    st.sets(st.integers(0, 29), max_size=5),
)
def test_lone_glitches_never_lower_a_growing_register(
    steps: list[int], glitches: set[int]
) -> None:
    evse = ChargingStation("CP1", StationSettings(name="Charger")).evse(1)
    metering = Metering()
    register = 1000
    seen: list[float | None] = []
    glitched = False
    for seconds, step in enumerate(steps):
        register += step
        glitched = seconds in glitches and seconds > 0 and not glitched
        value = 0 if glitched else register
        seen.append(_read(metering, evse, REGISTER, {None: value}, seconds))
    assert all(
        before is not None and after is not None and before <= after
        for before, after in pairwise(seen)
    )
