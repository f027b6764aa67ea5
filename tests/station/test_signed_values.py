"""Signed values: how much of a session, and of a station, is kept."""

from sqlite3 import Connection

import pytest

from .conftest import NOON, Hall
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.signed_values import Owner, SignedValue
from custom_components.ev_charger_hub.station.transaction import Transaction


def value(text: str) -> SignedValue:
    """Return a value with nothing else to tell it from others."""
    return SignedValue(measured_at=None, context=None, value=text)


def owner(transaction_id: str = "1", key: int | None = 1) -> Owner:
    """Return a session of CP1."""
    return Owner(identity="CP1", transaction_id=transaction_id, key=key)


def session(transaction_id: str = "1", key: int = 1) -> Transaction:
    """Return the same session as it is asked for."""
    return Transaction(
        key=key,
        identity="CP1",
        transaction_id=transaction_id,
        evse_id=1,
        started_at=NOON,
        received_at=NOON,
    )


async def kept(hall: Hall, *sessions: Transaction) -> list[str]:
    """Return the values of sessions, one after the other."""
    found = await signed_values.of_sessions(hall.journal, list(sessions))
    return [one.value for values in found for one in values]


async def test_of_too_many_values_the_first_and_the_newest_stay(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_values, "MAX_VALUES", 3)
    for number in range(6):
        await signed_values.keep(hall.journal, owner(), [value(str(number))], NOON)
    await signed_values.keep(hall.journal, owner("2", 2), [value("other")], NOON)
    assert await kept(hall, session(), session("2", 2)) == ["0", "4", "5", "other"]


async def test_of_too_large_values_the_first_and_the_newest_stay(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_values, "MAX_BYTES", 10)
    texts = ["begin", "ää", "b", "ending"]
    await signed_values.keep(hall.journal, owner(), [value(one) for one in texts], NOON)
    assert await kept(hall, session()) == ["begin", "ending"]


async def test_sessions_that_nobody_knows_share_their_room(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_values, "MAX_VALUES", 3)
    for number in range(100, 110):
        name = str(number)
        await signed_values.keep(hall.journal, owner(name, None), [value(name)], NOON)
    sessions = [session(str(number), number) for number in range(100, 110)]
    assert await kept(hall, *sessions) == ["100", "108", "109"]
    assert await kept(hall, session()) == []


async def test_a_message_with_more_values_than_are_kept_takes_no_longer(
    hall: Hall,
) -> None:
    """It is searched once for what is known, and not once for each of its values."""
    texts = [str(number) for number in range(30_000)]
    statements: list[str] = []

    def watch(connection: Connection) -> None:
        connection.set_trace_callback(statements.append)

    await hall.journal.run(watch)
    await signed_values.keep(hall.journal, owner(), [value(one) for one in texts], NOON)
    assert await kept(hall, session()) == ["0", *texts[-999:]]
    assert len(statements) < 1100
