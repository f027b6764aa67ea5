"""Reservations in the journal: kept for ever, like sessions."""

from dataclasses import fields
from datetime import datetime
from functools import partial
import sqlite3

from .journal import Journal
from .reservation import OPEN_STATES, Reservation, ReservationState
from .rows import Row, committed, stamp

SERIES = "reservation_id"
"""The numbers behind the ids: no station ever hears one that another has heard."""

_COLUMNS = {field.name: field.name for field in fields(Reservation)} | {
    "group": "id_group"
}
_TIMES = ("created_at", "expires_at", "ended_at")
ALL = -1
"""As many as there are (SQLite)."""

_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN_STATES))


async def new_id(journal: Journal) -> int:
    """Return an id that no reservation ever had."""
    return await journal.next_number(SERIES)


async def insert(journal: Journal, reservation: Reservation) -> None:
    """Store a new reservation, durable when it returns."""
    await journal.run(partial(_insert, row=_to_row(reservation)))


async def update(journal: Journal, reservation: Reservation) -> None:
    """Store what became of a reservation, unless it was forgotten meanwhile."""
    await journal.run(partial(_update, row=_to_row(reservation)))


async def delete(journal: Journal, reservation_id: int) -> None:
    """Remove a reservation that was never sent."""
    await journal.run(partial(_delete, reservation_id=reservation_id))


async def find(
    journal: Journal, identity: str, reservation_id: int
) -> Reservation | None:
    """Return a reservation of a station by its id."""
    found = await journal.run(
        partial(
            _select,
            condition="identity = ? AND reservation_id = ?",
            parameters=(identity, reservation_id),
        )
    )
    return found[0] if found else None


async def newest(
    journal: Journal, identity: str, *, limit: int, open_only: bool = False
) -> list[Reservation]:
    """Return the reservations of a station, newest first."""
    only = f"AND state IN ({_OPEN}) " if open_only else ""
    return await journal.run(
        partial(
            _select,
            condition=f"identity = ? {only}ORDER BY reservation_id DESC LIMIT ?",
            parameters=(identity, limit),
        )
    )


def _to_row(reservation: Reservation) -> Row:
    row: Row = {}
    for name, column in _COLUMNS.items():
        value = getattr(reservation, name)
        row[column] = stamp(value) if isinstance(value, datetime) else value
    return row


def _from_row(row: sqlite3.Row) -> Reservation:
    values = {name: row[column] for name, column in _COLUMNS.items()}
    for name in _TIMES:
        values[name] = values[name] and datetime.fromisoformat(values[name])
    return Reservation(**values | {"state": ReservationState(values["state"])})


def _insert(connection: sqlite3.Connection, *, row: Row) -> None:
    query = (
        f"INSERT INTO reservations ({', '.join(row)}) "  # noqa: S608
        f"VALUES ({', '.join(f':{name}' for name in row)})"
    )
    with committed(connection):
        connection.execute(query, row)


def _update(connection: sqlite3.Connection, *, row: Row) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in row)
    query = f"UPDATE reservations SET {columns} WHERE reservation_id = :reservation_id"  # noqa: S608
    with committed(connection):
        connection.execute(query, row)


def _delete(connection: sqlite3.Connection, *, reservation_id: int) -> None:
    with committed(connection):
        connection.execute(
            "DELETE FROM reservations WHERE reservation_id = ?", (reservation_id,)
        )


def _select(
    connection: sqlite3.Connection, *, condition: str, parameters: tuple[str | int, ...]
) -> list[Reservation]:
    query = f"SELECT * FROM reservations WHERE {condition}"  # noqa: S608
    return [_from_row(row) for row in connection.execute(query, parameters)]
