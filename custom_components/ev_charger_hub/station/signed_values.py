"""Signed meter values: proofs of a session, kept as the station sent them.

Nothing here reads them: a value is OCMF, a JSON text or whatever else a meter signs
(OCA, Signed Meter Values in OCPP), and is worth something only while every byte of it
is the same.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
import sqlite3

from .errors import StationError
from .journal import Journal
from .rows import committed, stamp
from .transaction import Transaction

type Words = tuple[str | None, str | None, str]
"""Time, context and value, as the station wrote them."""

MAX_LENGTH = 64 * 1024
"""The longest value that is kept, in bytes of UTF-8."""

MAX_VALUES = 1000
MAX_BYTES = 4 * 1024 * 1024
"""How many values, and how much, a session may have; the first and the newest stay."""

MAX_ASKED = 16 * 1024 * 1024
"""How much is returned at once, in characters."""


class TooMuch(StationError):
    """More signed values than are returned at once."""


@dataclass(kw_only=True, slots=True, frozen=True)
class SignedValue:
    """What a meter signed; time and context are the station's own words."""

    measured_at: str | None
    context: str | None
    value: str = field(repr=False)
    received_at: datetime | None = None
    """When it came; None before it is kept."""

    transaction_id: str | None = None
    """The session that the station named, if nobody knows that one."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Owner:
    """The session that values belong to; `key` None: its start is not known yet.

    An empty `transaction_id` is of what was signed between sessions.
    """

    identity: str
    transaction_id: str
    key: int | None

    @property
    def condition(self) -> tuple[str, tuple[str | int, ...]]:
        """Return how the values that count together are found.

        Those of no session that is known are one pool of the station: it could make up
        as many transaction ids as it likes.
        """
        if self.key is None:
            return "identity = ? AND transaction_key IS NULL", (self.identity,)
        return (
            "identity = ? AND transaction_id = ? AND transaction_key = ?",
            (self.identity, self.transaction_id, self.key),
        )


def fits(one: SignedValue) -> bool:
    """Return whether a value is short enough to be kept."""
    return len(one.value.encode()) <= MAX_LENGTH


async def keep(
    journal: Journal, owner: Owner, values: list[SignedValue], now: datetime
) -> None:
    """Archive what fits of what a station sent, durable when it returns; each once."""
    wanted = [one for one in values if fits(one)]
    if wanted:
        await journal.run(partial(_keep, owner=owner, values=wanted, now=now))


async def of_sessions(
    journal: Journal, sessions: list[Transaction]
) -> list[list[SignedValue]]:
    """Return the signed values of each session in the order in which they came.

    Raises TooMuch if that is more than `MAX_ASKED` characters.
    """
    return await journal.run(partial(_of_sessions, sessions=sessions))


async def of_nobody(journal: Journal, identity: str) -> list[SignedValue]:
    """Return what a station signed that belongs to no session, as it came.

    That is as much as one session may have.
    """
    return await journal.run(partial(_of_nobody, identity=identity))


async def owner_of(
    journal: Journal, identity: str, transaction_id: str
) -> Owner | None:
    """Return the session that a station calls so, however long ago it was."""
    return await journal.run(
        partial(_owner_of, identity=identity, transaction_id=transaction_id)
    )


async def counts(journal: Journal, identity: str) -> dict[int, int]:
    """Return how many signed values the sessions of a station have, by journal key."""
    return await journal.run(partial(_counts, identity=identity))


def _keep(
    connection: sqlite3.Connection,
    *,
    owner: Owner,
    values: list[SignedValue],
    now: datetime,
) -> None:
    with committed(connection):
        known = _known(connection, owner)
        new = dict.fromkeys((one.measured_at, one.context, one.value) for one in values)
        rows = [words for words in new if words not in known]
        if len(rows) > MAX_VALUES:
            del rows[1 : len(rows) - MAX_VALUES + 1]
        connection.executemany(
            "INSERT INTO signed_values (identity, transaction_id, transaction_key, "
            "received_at, measured_at, context, value) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (owner.identity, owner.transaction_id, owner.key, stamp(now), *words)
                for words in rows
            ],
        )
        if rows:
            _make_room(connection, owner)


def _known(connection: sqlite3.Connection, owner: Owner) -> set[Words]:
    """Return what is there already: a station repeats what was not answered."""
    found = connection.execute(
        "SELECT measured_at, context, value FROM signed_values "
        "WHERE identity = ? AND transaction_id = ?",
        (owner.identity, owner.transaction_id),
    )
    return {tuple(row) for row in found}


def _make_room(connection: sqlite3.Connection, owner: Owner) -> None:
    """Let go of the oldest values but the first, which began the session."""
    condition, parameters = owner.condition
    lengths: list[tuple[int, int]] = connection.execute(
        "SELECT key, length(CAST(value AS BLOB)) FROM signed_values "  # noqa: S608
        f"WHERE {condition} ORDER BY key",
        parameters,
    ).fetchall()
    number, size = len(lengths), sum(length for _, length in lengths)
    for key, length in lengths[1:-1]:
        if number <= MAX_VALUES and size <= MAX_BYTES:
            return
        connection.execute("DELETE FROM signed_values WHERE key = ?", (key,))
        number, size = number - 1, size - length


def _of_sessions(
    connection: sqlite3.Connection, *, sessions: list[Transaction]
) -> list[list[SignedValue]]:
    found: list[list[SignedValue]] = []
    size = 0
    for session in sessions:
        found.append([_from_row(row) for row in _rows(connection, session)])
        size += sum(len(one.value) for one in found[-1])
        if size > MAX_ASKED:
            raise TooMuch
    return found


def _rows(connection: sqlite3.Connection, session: Transaction) -> sqlite3.Cursor:
    return connection.execute(
        "SELECT measured_at, context, value, received_at FROM signed_values "
        "WHERE identity = ? AND transaction_id = ? "
        "AND (transaction_key IS NULL OR transaction_key = ?) ORDER BY key",
        (session.identity, session.transaction_id, session.key),
    )


def _of_nobody(connection: sqlite3.Connection, *, identity: str) -> list[SignedValue]:
    rows = connection.execute(
        "SELECT measured_at, context, value, received_at, transaction_id "
        "FROM signed_values s WHERE identity = ? AND transaction_key IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM transactions t WHERE t.identity = s.identity "
        "AND t.transaction_id = s.transaction_id) ORDER BY key",
        (identity,),
    )
    return [
        replace(_from_row(row), transaction_id=row["transaction_id"] or None)
        for row in rows
    ]


def _owner_of(
    connection: sqlite3.Connection, *, identity: str, transaction_id: str
) -> Owner | None:
    row = connection.execute(
        "SELECT key FROM transactions WHERE identity = ? AND transaction_id = ? "
        "ORDER BY key DESC LIMIT 1",
        (identity, transaction_id),
    ).fetchone()
    if row is None:
        return None
    return Owner(identity=identity, transaction_id=transaction_id, key=row["key"])


def _from_row(row: sqlite3.Row) -> SignedValue:
    return SignedValue(
        measured_at=row["measured_at"],
        context=row["context"],
        value=row["value"],
        received_at=datetime.fromisoformat(row["received_at"]),
    )


def _counts(connection: sqlite3.Connection, *, identity: str) -> dict[int, int]:
    rows = connection.execute(
        "SELECT t.key, count(*) FROM transactions t JOIN signed_values s "
        "ON s.identity = t.identity AND s.transaction_id = t.transaction_id "
        "AND (s.transaction_key IS NULL OR s.transaction_key = t.key) "
        "WHERE t.identity = ? GROUP BY t.key",
        (identity,),
    )
    return dict(map(tuple, rows))
