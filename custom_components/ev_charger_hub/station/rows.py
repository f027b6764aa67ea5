"""Rows: how the journal's tables look, and transactions as rows and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
import json
import sqlite3
from typing import Any

from .energy import EnergyCounter
from .enums import StopReason
from .errors import JournalError
from .event_numbers import EventNumbers
from .transaction import Transaction, TransactionState

type Value = str | int | None
type Row = dict[str, Value]

TRANSACTION_ID = "transaction_id"
"""The number behind OCPP 1.6 transaction ids."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE transactions (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            identity TEXT NOT NULL,        -- of the station
            transaction_id TEXT NOT NULL,  -- what the station calls it
            evse_id INTEGER NOT NULL,      -- 0: unknown
            connector_id INTEGER NOT NULL,
            id_token TEXT,
            started_at TEXT NOT NULL,      -- all times: ISO 8601, UTC, microseconds
            received_at TEXT NOT NULL,     -- when its first message came
            meter_start INTEGER,           -- all energies: Wh
            state TEXT NOT NULL,           -- open, closed, lost, orphan
            energy INTEGER NOT NULL,       -- delivered so far
            meter_last INTEGER,
            meter_last_at TEXT,
            meter_reset INTEGER NOT NULL,  -- 1: energy comes from the samples
            stopped_at TEXT,
            meter_stop INTEGER,
            stop_reason TEXT,
            stop_id_token TEXT,
            reservation_id INTEGER,
            values_start TEXT NOT NULL,    -- JSON, as the station sent them
            values_stop TEXT NOT NULL,
            start_claimed TEXT,            -- the times that the station claimed
            stop_claimed TEXT,
            counter TEXT NOT NULL          -- JSON, state of the energy count
        )""",
        "CREATE INDEX transactions_by_id ON transactions (transaction_id)",
        "CREATE INDEX transactions_by_start ON transactions (identity, started_at)",
        "CREATE INDEX transactions_open ON transactions (identity) WHERE state = 'open'",
        """CREATE TABLE facts (
            identity TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,           -- JSON
            PRIMARY KEY (identity, name)
        )""",
        """CREATE TABLE numbers (
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL         -- the last one given away
        )""",
        # Nine digits at random: neither the small ids of the central system before us
        # nor those made of seconds since 1970 are mistaken for ours (CVE-2026-28230).
        f"""INSERT INTO numbers VALUES
            ('{TRANSACTION_ID}', abs(random() % 800000000) + 100000000)""",  # noqa: S608
    ),
    (
        """CREATE TABLE reservations (
            reservation_id INTEGER PRIMARY KEY,
            identity TEXT NOT NULL,        -- of the station
            evse_id INTEGER NOT NULL,      -- 0: any of the station
            id_token TEXT NOT NULL,
            id_group TEXT,
            created_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            state TEXT NOT NULL,
            ended_at TEXT,
            transaction_id TEXT            -- of the session that used it
        )""",
        "CREATE INDEX reservations_by_station ON reservations (identity)",
        """CREATE TABLE signed_values (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            identity TEXT NOT NULL,        -- of the station
            transaction_id TEXT NOT NULL,  -- what the station calls it; empty: none
            transaction_key INTEGER,       -- NULL: came before we knew of its start
            received_at TEXT NOT NULL,
            measured_at TEXT,              -- these three as the station sent them
            context TEXT,
            value TEXT NOT NULL
        )""",
        """CREATE INDEX signed_values_by_session
            ON signed_values (identity, transaction_id)""",
        """CREATE INDEX signed_values_of_nobody
            ON signed_values (identity) WHERE transaction_key IS NULL""",
    ),
    # What kind of token it is (OCPP 2.x IdTokenEnumType).
    ("ALTER TABLE transactions ADD COLUMN token_type TEXT",),
    # Which kind of connector is kept (OCPP 2.x ReserveNow).
    ("ALTER TABLE reservations ADD COLUMN connector_type TEXT",),
    # What events of OCPP 2.x tell: their numbers, and what they say of a transaction.
    (
        "ALTER TABLE transactions ADD COLUMN events_missing INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE transactions ADD COLUMN event_numbers TEXT",
        "ALTER TABLE transactions ADD COLUMN remote_start_id INTEGER",
        "ALTER TABLE transactions ADD COLUMN charging_time INTEGER",
    ),
    # What the cloud of a maker calls a session that the station told of as well.
    (
        "ALTER TABLE transactions ADD COLUMN cloud_id TEXT",
        """CREATE INDEX transactions_by_cloud_id
            ON transactions (cloud_id) WHERE cloud_id IS NOT NULL""",
    ),
    # What the cloud of a maker says that a session cost (JSON).
    ("ALTER TABLE transactions ADD COLUMN cloud_cost TEXT",),
)
"""The statements that lead from each schema version (user_version) to the next."""


@dataclass(kw_only=True, slots=True)
class Record:
    """A transaction with what only the journal needs to know of it."""

    transaction: Transaction
    counter: EnergyCounter
    start_claimed: str | None = None
    stop_claimed: str | None = None
    numbers: EventNumbers = field(default_factory=EventNumbers)

    @property
    def unsettled(self) -> bool:
        """Return whether the station's own word of the end is still missing.

        What the cloud says of an end holds only until then.
        """
        match self.transaction.state:
            case TransactionState.OPEN | TransactionState.LOST:
                return True
            case TransactionState.CLOSED:
                return self.transaction.cloud_id is not None and not self.stop_claimed
        return False


def stamp(moment: datetime | None) -> str | None:
    """Return a moment as text that sorts by time."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@contextmanager
def committed(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make everything inside durable at the end, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, step by step."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise JournalError(
            f"the journal has version {version}, newer than {len(MIGRATIONS)}"
        )
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with committed(connection):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _encoded(value: Any) -> Value:
    match value:
        case datetime():
            return stamp(value)
        case dict():
            return json.dumps(value)
        case str() | int():
            return value
    return None


def to_row(record: Record) -> Row:
    """Return the columns of a record, all but its key."""
    row = {
        one.name: _encoded(getattr(record.transaction, one.name))
        for one in fields(Transaction)
        if one.name != "key"
    }
    return row | {
        "start_claimed": record.start_claimed,
        "stop_claimed": record.stop_claimed,
        "counter": json.dumps(record.counter.dump()),
        "event_numbers": json.dumps(record.numbers.dump()),
    }


def from_row(row: sqlite3.Row) -> Record:
    """Return the record of a row."""
    values = dict(row)
    start_claimed = values.pop("start_claimed")
    stop_claimed = values.pop("stop_claimed")
    counter = EnergyCounter.restore(json.loads(values.pop("counter")))
    numbers = EventNumbers.restore(json.loads(values.pop("event_numbers") or "[]"))
    for name in ("started_at", "received_at", "meter_last_at", "stopped_at"):
        values[name] = values[name] and datetime.fromisoformat(values[name])
    for name in ("values_start", "values_stop"):
        values[name] = json.loads(values[name])
    cost = values["cloud_cost"]
    values["cloud_cost"] = None if cost is None else json.loads(cost)
    values["state"] = TransactionState(values["state"])
    values["stop_reason"] = values["stop_reason"] and StopReason(values["stop_reason"])
    values["meter_reset"] = bool(values["meter_reset"])
    return Record(
        transaction=Transaction(**values),
        counter=counter,
        start_claimed=start_claimed,
        stop_claimed=stop_claimed,
        numbers=numbers,
    )
