"""Statements: what the journal does in its own thread, in SQL."""

from contextlib import suppress
import json
from pathlib import Path
import sqlite3
from typing import Any

from .rows import (
    TRANSACTION_ID,
    Record,
    Row,
    Value,
    committed,
    from_row,
    migrate,
    to_row,
)

_PROGRESS = ("energy", "meter_last", "meter_last_at", "meter_reset", "counter")
_TABLES = ("transactions", "facts", "reservations", "signed_values")
"""Those with rows of stations."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the journal, which is made if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # It holds id tokens, which are as good as a key, and passwords of chargers.
    path.touch(mode=0o600)
    _make_private(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """Keep others out of files that are there already, as from a backup."""
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        with suppress(OSError):
            # Not everybody may, and not every disk can.
            one.chmod(0o600)


def records(
    connection: sqlite3.Connection,
    *,
    query: str,
    parameters: tuple[Value, ...],
) -> list[Record]:
    """Return the transactions that a query finds."""
    return [from_row(row) for row in connection.execute(query, parameters)]


def load(connection: sqlite3.Connection, *, identity: str, name: str) -> str | None:
    """Return a fact about a station, as JSON."""
    row = connection.execute(
        "SELECT value FROM facts WHERE identity = ? AND name = ?", (identity, name)
    ).fetchone()
    return None if row is None else row["value"]


def write(
    connection: sqlite3.Connection,
    *,
    facts: dict[tuple[str, str], Any],
    progress: dict[int, Row],
) -> None:
    """Store facts, and what open transactions delivered so far, in one step."""
    with committed(connection):
        connection.executemany(
            "INSERT OR REPLACE INTO facts VALUES (?, ?, ?)",
            [(*key, json.dumps(value)) for key, value in facts.items()],
        )
        for key, row in progress.items():
            # An end that was stored in the meantime is the last word.
            _update(connection, key, {name: row[name] for name in _PROGRESS}, "open")


def _update(
    connection: sqlite3.Connection,
    key: int,
    row: Row,
    state: str | None = None,
) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in row)
    condition = "" if state is None else " AND state = :_state"
    connection.execute(
        f"UPDATE transactions SET {columns} WHERE key = :_key{condition}",  # noqa: S608
        row | {"_key": key, "_state": state},
    )


def save(connection: sqlite3.Connection, *, rows: dict[int, Row]) -> None:
    """Store the state of transactions by their key, in one step."""
    with committed(connection):
        for key, row in rows.items():
            _update(connection, key, row)


def next_number(connection: sqlite3.Connection, *, name: str) -> int:
    """Return the next number of a series, from 1."""
    with committed(connection):
        return _number(connection, name)


def _number(connection: sqlite3.Connection, name: str) -> int:
    (number,) = connection.execute(
        "INSERT INTO numbers VALUES (?, 1) "
        "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        (name,),
    ).fetchone()
    return int(number)


def used(connection: sqlite3.Connection, transaction_id: str) -> bool:
    """Return whether any station has ever used a transaction id."""
    query = "SELECT 1 FROM transactions WHERE transaction_id = ? LIMIT 1"
    return connection.execute(query, (transaction_id,)).fetchone() is not None


def _new_id(connection: sqlite3.Connection) -> str:
    # A station may have brought an id along that we were about to give.
    while used(connection, number := str(_number(connection, TRANSACTION_ID))):
        pass
    return number


def insert(
    connection: sqlite3.Connection,
    *,
    record: Record,
    ended: Record | None,
    exclusive: bool,
) -> tuple[int, str] | None:
    """Store a new transaction and the end of another; return its key and its id.

    `exclusive` stores nothing, and returns None, if the id was ever used.
    """
    row = to_row(record)
    with committed(connection):
        if exclusive and used(connection, record.transaction.transaction_id):
            return None
        transaction_id = record.transaction.transaction_id or _new_id(connection)
        row["transaction_id"] = transaction_id
        cursor = connection.execute(
            f"INSERT INTO transactions ({', '.join(row)}) "  # noqa: S608
            f"VALUES ({', '.join(f':{name}' for name in row)})",
            row,
        )
        if ended is not None:
            _update(connection, ended.transaction.key, to_row(ended))
    return int(cursor.lastrowid or 0), transaction_id


def adopt(
    connection: sqlite3.Connection, *, record: Record, ended: Record | None
) -> str:
    """Store a transaction under another id, with all of it; return that id."""
    row, key = to_row(record), record.transaction.key
    with committed(connection):
        transaction_id = record.transaction.transaction_id or _new_id(connection)
        _update(connection, key, row | {"transaction_id": transaction_id})
        connection.execute(
            "UPDATE signed_values SET transaction_id = ? "
            "WHERE identity = ? AND transaction_key = ?",
            (transaction_id, record.transaction.identity, key),
        )
        if ended is not None:
            _update(connection, ended.transaction.key, to_row(ended))
    return transaction_id


def rename(connection: sqlite3.Connection, *, identity: str, new: str) -> None:
    """Have what is known of a station known by another name."""
    with committed(connection):
        for table in _TABLES:
            query = f"UPDATE OR IGNORE {table} SET identity = ? WHERE identity = ?"  # noqa: S608
            connection.execute(query, (new, identity))
        connection.execute("DELETE FROM facts WHERE identity = ?", (identity,))


def knows(connection: sqlite3.Connection, *, identity: str) -> bool:
    """Return whether anything is known of a station."""
    return any(
        connection.execute(
            f"SELECT 1 FROM {table} WHERE identity = ? LIMIT 1",  # noqa: S608
            (identity,),
        ).fetchone()
        for table in _TABLES
    )


def forget(connection: sqlite3.Connection, *, identity: str) -> None:
    """Remove everything about a station."""
    with committed(connection):
        for table in _TABLES:
            query = f"DELETE FROM {table} WHERE identity = ?"  # noqa: S608
            connection.execute(query, (identity,))
