"""Token types: told once, kept, bounded, and nothing but words."""

from typing import Any

import pytest

from custom_components.ev_charger_hub.station.token_types import TokenTypes


def test_a_token_is_known_however_it_is_spelled() -> None:
    types = TokenTypes()
    types.note("card7", "ISO15693")
    assert types.find(" CARD7") == "ISO15693"
    assert types.find("CARD8") is None


def test_only_news_is_kept() -> None:
    kept: list[Any] = []
    types = TokenTypes()
    types.keep = kept.append
    for kind in ("Local", "Local", "KeyCode"):
        types.note("1234", kind)
    assert kept == [{"1234": "Local"}, {"1234": "KeyCode"}]
    again = TokenTypes()
    again.restore(kept[-1])
    assert again.find("1234") == "KeyCode"


@pytest.mark.parametrize("kind", ["", "a b", "x" * 21, "Größe", "<b>"])
def test_what_is_no_word_is_no_type(kind: str) -> None:
    types = TokenTypes()
    types.note("1234", kind)
    assert types.find("1234") is None


@pytest.mark.parametrize("kept", [None, [], "x"])
def test_what_was_never_kept_is_nothing(kept: object) -> None:
    types = TokenTypes()
    types.restore(kept)
    assert types.find("1234") is None


def test_the_oldest_give_way() -> None:
    types = TokenTypes()
    for number in range(1000):
        types.note(f"card{number}", "Local")
    assert types.find("card0") is None
    assert types.find("card999") == "Local"
