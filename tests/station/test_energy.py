"""Energy counters: no register, however odd, makes energy out of nothing."""

import json

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.station.energy import EnergyCounter

registers = st.integers(min_value=0, max_value=10**9)
readings = st.lists(registers, max_size=30)
deltas = st.lists(st.integers(min_value=0, max_value=10**6), max_size=30)


def counted(start: int | None, samples: list[int]) -> EnergyCounter:
    counter = EnergyCounter(start)
    for sample in samples:
        counter.sample(sample)
    return counter


def rising(start: int, steps: list[int]) -> list[int]:
    samples = []
    for step in steps:
        start += step
        samples.append(start)
    return samples


@given(st.none() | registers, readings, st.none() | registers)
def test_energy_is_never_negative(
    start: int | None, samples: list[int], stop: int | None
) -> None:
    counter = EnergyCounter(start)
    for sample in samples:
        counter.sample(sample)
        assert counter.energy >= 0
    assert counter.finish(stop) >= 0


@given(registers, deltas)
def test_a_rising_register_is_simply_subtracted(start: int, steps: list[int]) -> None:
    counter = EnergyCounter(start)
    before = 0
    for sample in rising(start, steps):
        counter.sample(sample)
        assert counter.energy >= before
        before = counter.energy
    assert counter.energy == sum(steps)
    assert not counter.restarted


@given(st.none() | registers, readings)
def test_a_repeated_reading_changes_nothing(
    start: int | None, samples: list[int]
) -> None:
    doubled = [sample for sample in samples for _ in range(2)]

    assert counted(start, doubled).energy == counted(start, samples).energy


@given(
    start=registers,
    before=deltas,
    glitch=st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=5),
    step=st.integers(min_value=0, max_value=10**6),
    after=deltas,
)
def test_a_glitch_counts_for_nothing(
    start: int, before: list[int], glitch: list[int], step: int, after: list[int]
) -> None:
    samples = rising(start, before)
    peak = samples[-1] if samples else start
    low = sorted((reading % (peak + 1) for reading in glitch), reverse=True)
    rest = rising(peak, [step, *after])

    with_glitch = counted(start, [*samples, *low, *rest])

    assert with_glitch.energy == counted(start, [*samples, *rest]).energy
    assert not with_glitch.restarted


@given(registers, readings, registers)
def test_the_stop_settles_it_when_it_makes_sense(
    start: int, samples: list[int], stop: int
) -> None:
    counter = counted(start, samples)

    energy = counter.finish(stop)

    if stop >= start:
        assert energy == stop - start == counter.energy
        assert not counter.restarted


@given(st.none() | registers, readings, readings)
def test_a_stored_counter_goes_on_as_if_nothing_had_happened(
    start: int | None, before: list[int], after: list[int]
) -> None:
    stored = json.loads(json.dumps(counted(start, before).dump()))
    restored = EnergyCounter.restore(stored)
    for sample in after:
        restored.sample(sample)

    assert restored == counted(start, before + after)


@pytest.mark.parametrize(
    ("start", "samples", "energy", "restarted"),
    [
        pytest.param(100, [110, 120], 20, False, id="plain"),
        pytest.param(None, [110, 120], 10, False, id="unknown start"),
        pytest.param(10_000_000, [0, 500, 1500], 1500, True, id="session register"),
        pytest.param(
            10_000_000,
            [0, 500, 0, 0, 600],
            600,
            True,
            id="glitch of a session register",
        ),
        pytest.param(0, [4000, 0, 3000, 5000], 9000, True, id="restart that outgrows"),
        pytest.param(1000, [2000, 0, 10, 2100], 1100, False, id="glitch with growth"),
        pytest.param(1000, [2000, 5, 6, 0, 2100], 1100, False, id="glitch in a glitch"),
        pytest.param(
            10_000, [10_010, 0, 10_020, 10, 10_030], 30, False, id="two registers mixed"
        ),
        pytest.param(50, [40, 30, 20], 0, True, id="only falling"),
    ],
)
def test_registers_that_fall(
    start: int | None, samples: list[int], energy: int, restarted: bool
) -> None:
    counter = counted(start, samples)

    assert counter.energy == energy
    assert counter.restarted is restarted


def test_a_saw_keeps_a_bounded_memory() -> None:
    counter = counted(10_000, [step for n in range(100, 0, -1) for step in (n, n + 1)])

    assert len(counter.drops) <= 8
    assert counter.energy == 100


def test_a_stop_below_the_start_is_one_more_reading() -> None:
    counter = counted(1_000_000, [0, 700])

    assert counter.finish(900) == 900
    assert counter.restarted


def test_no_stop_reading_leaves_what_was_counted() -> None:
    assert counted(100, [300]).finish(None) == 200
