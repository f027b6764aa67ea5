"""Event numbers: whatever the order, what is missing is counted, in bounded memory."""

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.station.event_numbers import (
    MAX_SPANS,
    EventNumbers,
)


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ([], 0),
        ([None], 0),
        ([-1, 2**31, 2**70], 0),
        ([7], 0),
        ([0, 1, 2, 3], 0),
        ([3, 0, 2, 1], 0),
        ([0, 0, 0], 0),
        ([0, 5], 4),
        ([0, 5, 3], 3),
        ([120, 122, 121, 125], 2),
    ],
)
def test_what_is_missing(numbers: list[int | None], missing: int) -> None:
    found = EventNumbers()
    for number in numbers:
        found.add(number)
    assert found.missing == missing
    assert EventNumbers.restore(found.dump()) == found


@given(st.lists(st.integers(min_value=0, max_value=60), min_size=1))
def test_it_is_what_counting_would_find(numbers: list[int]) -> None:
    found = EventNumbers()
    for number in numbers:
        found.add(number)
    told = set(numbers)
    assert found.missing == max(told) - min(told) + 1 - len(told)


def test_nobody_fills_the_memory_with_gaps() -> None:
    found = EventNumbers()
    for number in range(0, 10_000, 2):
        found.add(number)
    assert len(found.spans) == MAX_SPANS
    assert found.spans[0][0] == 0
    assert found.spans[-1] == [9998, 9998]
