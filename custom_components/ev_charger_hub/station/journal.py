"""The journal: what must not be forgotten, in one SQLite file.

Other tools may read the file while we write (WAL). Tables: `transactions` (sessions,
one row each, see `rows`), `facts` (small JSON facts by station identity and name) and
`numbers` (counters). Nothing is ever pruned: a session takes about a kilobyte, so ten
sessions a day make four megabytes a year; `forget` removes a station for good.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
import json
import logging
from pathlib import Path
import sqlite3
from typing import Any, Self

from .clock import CallLater, Timer, call_later as loop_call_later
from .errors import JournalError
from .rows import (
    TRANSACTION_ID,
    Record,
    Row,
    Value,
    committed,
    from_row,
    migrate,
    stamp,
    to_row,
)
from .transaction import Transaction

_LOGGER = logging.getLogger(__name__)

SOON = 5.0
"""Seconds that a fact of `store_soon` may wait for others to be written with it."""

NO_IDS = frozenset({"", "-1", "0"})
"""What stations send instead of a transaction id (OCPP-J 1.6 errata 3.18)."""

_PROGRESS = ("energy", "meter_last", "meter_last_at", "meter_reset", "counter")
_END_OF_TIME = "~"
_NEWEST_FIRST = "ORDER BY started_at DESC, key DESC"


class Journal:
    """The durable record; every awaited write has reached the disk when it returns."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        executor: ThreadPoolExecutor,
        *,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Use `open` instead."""
        self._connection = connection
        self._executor = executor
        self._call_later = call_later
        self._facts: dict[tuple[str, str], Any] = {}
        self._progress: dict[int, Record] = {}
        self._timer: Timer | None = None
        self._flushing: set[asyncio.Task[None]] = set()
        self._taken: list[tuple[dict[tuple[str, str], Any], dict[int, Record]]] = []
        """What is being written: put back if that fails and nothing newer came."""

    @classmethod
    async def open(cls, path: Path, *, call_later: CallLater = loop_call_later) -> Self:
        """Open the journal, which is made if it does not exist."""
        executor = ThreadPoolExecutor(1, "ev_charger_hub_journal")
        loop = asyncio.get_running_loop()
        try:
            connection = await loop.run_in_executor(executor, _connect, path)
        except BaseException as err:
            executor.shutdown(wait=False)
            if isinstance(err, OSError | sqlite3.Error):
                raise JournalError(f"cannot open {path}: {err}") from err
            raise
        return cls(connection, executor, call_later=call_later)

    async def close(self) -> None:
        """Write what is pending and close the file."""
        try:
            if self._flushing:
                await asyncio.wait(self._flushing)
            await self.flush()
        finally:
            await self.run(sqlite3.Connection.close)
            # Its one thread is idle, so that this does not block.
            self._executor.shutdown()

    async def run[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` returns in the journal's thread; raises JournalError."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, work, self._connection)
        except (sqlite3.Error, OverflowError, UnicodeError) as err:
            raise JournalError(str(err)) from err

    # Facts and numbers

    async def load(self, identity: str, name: str) -> Any | None:
        """Return a fact about a station."""
        if (identity, name) in self._facts:
            return self._facts[identity, name]

        text = await self.run(partial(_load, identity=identity, name=name))
        return None if text is None else json.loads(text)

    async def store(self, identity: str, name: str, value: Any) -> None:
        """Store a fact about a station; `value` is anything that JSON can carry."""
        key = identity, name
        waiting: dict[tuple[str, str], Any] = {}
        for facts in (*(facts for facts, _ in self._taken), self._facts):
            if key in facts:
                waiting[key] = facts.pop(key)
        try:
            await self.run(partial(_write, facts={key: value}, progress={}))
        except JournalError:
            # What was to be written before is still true.
            if waiting:
                self._facts = waiting | self._facts
                self._flush_soon()
            raise

    def store_soon(self, identity: str, name: str, value: Any) -> None:
        """Store a fact within seconds, with others; `value` must not change any more."""
        self._facts[identity, name] = value
        self._flush_soon()

    async def next_number(self, name: str) -> int:
        """Return the next number of a series, from 1; none is ever given twice."""
        return await self.run(partial(_next_number, name=name))

    async def forget(self, identity: str) -> None:
        """Remove everything about a station; its numbers are not given again."""
        for facts, progress in (*self._taken, (self._facts, self._progress)):
            for key in [key for key in facts if key[0] == identity]:
                del facts[key]
            for number, record in list(progress.items()):
                if record.transaction.identity == identity:
                    del progress[number]
        await self.run(partial(_forget, identity=identity))

    # What is written soon

    def _flush_soon(self) -> None:
        if self._timer is None:
            self._timer = self._call_later(SOON, self._flush_now)

    def _flush_now(self) -> None:
        self._timer = None
        task = asyncio.create_task(self._flush_logged())
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def _flush_logged(self) -> None:
        try:
            await self.flush()
        except JournalError:
            _LOGGER.exception("Journal not written, will be tried again")
            self._flush_soon()

    async def flush(self) -> None:
        """Write now what was to be written soon."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._facts and not self._progress:
            return
        facts, self._facts = self._facts, {}
        progress, self._progress = self._progress, {}
        rows = {key: to_row(record) for key, record in progress.items()}
        taken = facts, progress
        self._taken.append(taken)
        try:
            await self.run(partial(_write, facts=dict(facts), progress=rows))
        except JournalError:
            self._facts = facts | self._facts
            self._progress = progress | self._progress
            raise
        finally:
            self._taken = [one for one in self._taken if one is not taken]

    # Transactions

    async def sessions(
        self,
        identity: str,
        *,
        limit: int = 50,
        open_only: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Transaction]:
        """Return the transactions of a station that began in a time, newest first."""
        records = await self.records(
            identity, limit=limit, open_only=open_only, since=since, until=until
        )
        return [record.transaction for record in records]

    async def records(
        self,
        identity: str,
        *,
        limit: int = 50,
        open_only: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Record]:
        """Return the transactions of a station as records, newest first."""
        await self.flush()
        condition = "AND state = 'open'" if open_only else ""
        return await self._select(
            f"identity = ? {condition} AND started_at >= ? AND started_at < ? "
            f"{_NEWEST_FIRST} LIMIT ?",
            *(identity, stamp(since) or "", stamp(until) or _END_OF_TIME, limit),
        )

    async def insert(
        self, record: Record, *, ended: Record | None = None, exclusive: bool = False
    ) -> Record | None:
        """Store a new transaction, and in the same step the end of another.

        An empty transaction id is replaced by a new one: positive, 31 bits, never
        given before to anyone. `exclusive` returns None, and stores nothing, if any
        station has ever used the transaction id.
        """
        work = partial(_insert, record=record, ended=ended, exclusive=exclusive)
        stored = await self.run(work)
        if stored is None:
            return None
        record.transaction.key, record.transaction.transaction_id = stored
        return record

    async def save(self, record: Record, *, ended: Record | None = None) -> None:
        """Store the state of a transaction, and in the same step the end of another."""
        records = [record] if ended is None else [record, ended]
        for one in records:
            self._progress.pop(one.transaction.key, None)
        rows = {one.transaction.key: to_row(one) for one in records}
        await self.run(partial(_save, rows=rows))

    def progress_soon(self, record: Record) -> None:
        """Store within seconds what an open transaction delivered so far."""
        self._progress[record.transaction.key] = record
        self._flush_soon()

    async def find(self, identity: str, transaction_id: str) -> Record | None:
        """Return the transaction that a station calls so, if we know its start."""
        found = await self._select(
            "identity = ? AND transaction_id = ? AND state != 'orphan' "
            "ORDER BY key DESC LIMIT 1",
            identity,
            transaction_id,
        )
        return found[0] if found else None

    async def find_start(
        self,
        identity: str,
        *,
        evse_id: int,
        id_token: str | None,
        claimed: str | None,
        meter_start: int | None,
    ) -> Record | None:
        """Return the last transaction that began with exactly this message."""
        found = await self._select(
            "identity = ? AND evse_id = ? AND id_token IS ? AND start_claimed IS ? "
            "AND meter_start IS ? AND state != 'orphan' ORDER BY key DESC LIMIT 1",
            *(identity, evse_id, id_token, claimed, meter_start),
        )
        return found[0] if found else None

    async def find_stop(
        self,
        identity: str,
        *,
        transaction_id: str,
        id_token: str | None,
        claimed: str | None,
        meter_stop: int | None,
    ) -> Record | None:
        """Return what ended with exactly this message, if it named no known id."""
        same_id = "" if transaction_id in NO_IDS else "AND transaction_id = ?"
        found = await self._select(
            "identity = ? AND stop_id_token IS ? AND stop_claimed IS ? "
            f"AND meter_stop IS ? AND state IN ('closed', 'orphan') {same_id} "
            "ORDER BY key DESC LIMIT 1",
            *(identity, id_token, claimed, meter_stop),
            *([transaction_id] if same_id else []),
        )
        return found[0] if found else None

    async def _select(self, condition: str, *parameters: Value) -> list[Record]:
        query = f"SELECT * FROM transactions WHERE {condition}"  # noqa: S608
        return await self.run(partial(_records, query=query, parameters=parameters))


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # It holds id tokens, which are as good as a key.
    path.touch(mode=0o600)
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


def _records(
    connection: sqlite3.Connection,
    *,
    query: str,
    parameters: tuple[Value, ...],
) -> list[Record]:
    return [from_row(row) for row in connection.execute(query, parameters)]


def _load(connection: sqlite3.Connection, *, identity: str, name: str) -> str | None:
    row = connection.execute(
        "SELECT value FROM facts WHERE identity = ? AND name = ?", (identity, name)
    ).fetchone()
    return None if row is None else row["value"]


def _write(
    connection: sqlite3.Connection,
    *,
    facts: dict[tuple[str, str], Any],
    progress: dict[int, Row],
) -> None:
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


def _save(connection: sqlite3.Connection, *, rows: dict[int, Row]) -> None:
    with committed(connection):
        for key, row in rows.items():
            _update(connection, key, row)


def _next_number(connection: sqlite3.Connection, *, name: str) -> int:
    with committed(connection):
        return _number(connection, name)


def _number(connection: sqlite3.Connection, name: str) -> int:
    (number,) = connection.execute(
        "INSERT INTO numbers VALUES (?, 1) "
        "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        (name,),
    ).fetchone()
    return int(number)


def _used(connection: sqlite3.Connection, transaction_id: str) -> bool:
    query = "SELECT 1 FROM transactions WHERE transaction_id = ? LIMIT 1"
    return connection.execute(query, (transaction_id,)).fetchone() is not None


def _new_id(connection: sqlite3.Connection) -> str:
    # A station may have brought an id along that we were about to give.
    while _used(connection, number := str(_number(connection, TRANSACTION_ID))):
        pass
    return number


def _insert(
    connection: sqlite3.Connection,
    *,
    record: Record,
    ended: Record | None,
    exclusive: bool,
) -> tuple[int, str] | None:
    row = to_row(record)
    with committed(connection):
        if exclusive and _used(connection, record.transaction.transaction_id):
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


def _forget(connection: sqlite3.Connection, *, identity: str) -> None:
    with committed(connection):
        for table in ("transactions", "facts", "reservations", "signed_values"):
            query = f"DELETE FROM {table} WHERE identity = ?"  # noqa: S608
            connection.execute(query, (identity,))
