"""Registers: what a meter counts, however it stutters, is neither lost nor made up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.easee.register import Register

START = datetime(2026, 10, 1, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

STEPS = st.lists(st.integers(0, 2_000), min_size=1, max_size=40)
GLITCHES = st.dictionaries(
    st.integers(0, 39),
    st.one_of(st.just(0), st.integers(-5_000, 10**9)),
    max_size=10,
)


def told(*values: int, every: timedelta = MINUTE) -> Register:
    """Return a register to which a meter has told values, one a minute."""
    register = Register()
    for minute, value in enumerate(values):
        register.take(value, START + minute * every)
    return register


def test_a_register_begins_with_what_the_meter_shows() -> None:
    assert Register().total is None
    assert told(12_345_000).total == 12_345_000
    assert told(12_345_000, 12_345_678).total == 12_345_678


@pytest.mark.parametrize("stutter", [0, 999_000, 1_000_499, 2_000_000_000])
def test_a_stutter_changes_nothing(stutter: int) -> None:
    assert told(1_000_000, 1_000_500, stutter).total == 1_000_500
    assert told(1_000_000, 1_000_500, stutter, 1_001_000).total == 1_001_000


def test_a_meter_that_starts_again_goes_on_from_where_it_was() -> None:
    values = [1_000_000, *(100 * minute for minute in range(20))]
    assert told(*values).total == 1_000_000 + 100 * 19


def test_another_meter_goes_on_from_where_the_old_one_was() -> None:
    values = [1_000_000, *(80_000_000 + 100 * minute for minute in range(20))]
    assert told(*values).total == 1_000_000 + 100 * 19


def test_a_level_is_believed_after_ten_minutes_and_not_before() -> None:
    values = [1_000_000, *(100 * minute for minute in range(10))]
    assert told(*values).total == 1_000_000
    assert told(*values, 1_000).total == 1_001_000


def test_two_meters_at_once_are_not_believed() -> None:
    assert told(1_000_000, *[0, 70_000_000] * 30).total == 1_000_000


def test_what_was_counted_while_nobody_listened_counts() -> None:
    week = timedelta(days=7)
    assert told(1_000_000, 1_900_000, every=week).total == 1_900_000


def test_a_register_goes_on_after_a_restart() -> None:
    values = [1_000_000, *(100 * minute for minute in range(20))]
    before = told(*values)
    kept = before.dump()
    assert kept is not None
    after = Register()
    after.take(2_400, START + timedelta(minutes=25))
    assert after.total == 2_400
    after.restore(kept)
    assert after.total == (before.total or 0) + 500
    later = Register()
    later.restore(kept)
    assert later.total == before.total
    assert later.dump() == kept


def test_nothing_counted_is_nothing_to_keep() -> None:
    assert Register().dump() is None


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"total": 1, "level": 1},
        {"total": None, "level": 1, "at": "2026-10-01T06:00:00+00:00"},
        {"total": 1, "level": 1, "at": "yesterday"},
    ],
)
def test_what_is_unreadable_is_no_register(kept: dict[str, object]) -> None:
    register = told(1_000)
    with pytest.raises(ValueError):
        register.restore(kept)
    assert register.total == 1_000


@given(steps=STEPS, glitches=GLITCHES, restarts=st.sets(st.integers(0, 39)))
def test_single_glitches_neither_count_nor_lose_anything(
    steps: list[int], glitches: dict[int, int], restarts: set[int]
) -> None:
    """However the meter stutters in between, the sum is what it counted."""
    register, value, at = Register(), 5_000_000, START
    register.take(value, at)
    for number, step in enumerate(steps):
        value, at = value + step, at + MINUTE
        shown = register.total or 0
        if number in glitches and not value <= glitches[number] <= value + 20_000:
            register.take(glitches[number], at)
            assert register.total == shown
        register.take(value, at)
        assert (register.total or 0) >= shown
        if number in restarts and (kept := register.dump()) is not None:
            register = Register()
            register.restore(kept)
    assert register.total == value


@given(values=st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_a_register_never_falls_nor_jumps(values: list[int]) -> None:
    """Not even if the meter tells nonsense all the time."""
    register, total = Register(), None
    for minute, value in enumerate(values):
        register.take(value, START + minute * MINUTE)
        if total is not None and register.total is not None:
            assert 0 <= register.total - total <= 2_000 + minute * 1_000_000 / 60
        total = register.total
