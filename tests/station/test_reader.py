"""The token reader: which start is the first that is heard of its token."""

from datetime import UTC, datetime, timedelta

from custom_components.ev_charger_hub.station.reader import WINDOW, TokenReader

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_a_token_that_was_shown_is_no_news_for_a_while() -> None:
    reader = TokenReader()
    assert reader.is_news("A", NOW, 1)
    reader.note("a", NOW)
    assert not reader.is_news("A", NOW + WINDOW, 2)
    reader.note("a", NOW)
    assert reader.is_news("A", NOW + WINDOW + timedelta(seconds=1), 3)


def test_every_transaction_is_news_once() -> None:
    reader = TokenReader()
    assert reader.is_news("A", NOW, 1)
    assert not reader.is_news("a", NOW, 1)
    assert reader.is_news("A", NOW, 2)


def test_only_the_last_tokens_are_remembered() -> None:
    reader = TokenReader()
    for number in range(1000):
        reader.note(f"T{number}", NOW)
        reader.note("KEPT", NOW)
    assert not reader.is_news("KEPT", NOW, 1)
    assert not reader.is_news("T999", NOW, 2)
    assert reader.is_news("T900", NOW, 3)
