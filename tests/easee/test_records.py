"""Records: the same ones, wherever they are cut."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.easee.records import SEPARATOR, Records


def cut(text: str, places: list[int]) -> list[str]:
    """Return a text in pieces."""
    ends = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(ends)]


@given(
    st.lists(st.text(st.characters(exclude_characters=SEPARATOR), max_size=12)),
    st.text(st.characters(exclude_characters=SEPARATOR), max_size=5),
    st.lists(st.integers(min_value=0, max_value=200)),
)
def test_any_chunking_gives_the_same_records(
    texts: list[str], rest: str, places: list[int]
) -> None:
    records = Records(8)
    whole = "".join(text + SEPARATOR for text in texts) + rest
    seen = [one for piece in cut(whole, places) for one in records.feed(piece)]
    assert seen == [text for text in texts if 0 < len(text) <= 8]
    assert records.dropped == sum(len(text) > 8 for text in texts)


def test_what_is_too_long_is_not_kept() -> None:
    records = Records(1000)
    for _ in range(100):
        assert records.feed("x" * 999) == []
        assert sum(map(len, records._parts)) <= 1000
    assert records.feed(SEPARATOR + "a" + SEPARATOR) == ["a"]
    assert records.dropped == 1


@pytest.mark.parametrize(("longer", "records"), [(0, 1), (1, 0)])
def test_a_record_may_have_a_mebibyte(longer: int, records: int) -> None:
    text = "x" * (1024 * 1024 + longer)
    assert len(Records().feed(text + SEPARATOR)) == records
