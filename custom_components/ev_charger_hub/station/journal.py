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

from . import statements
from .clock import CallLater, Timer, call_later as loop_call_later
from .errors import JournalError
from .rows import Record, Value, stamp, to_row
from .transaction import CLOUD, Transaction

_LOGGER = logging.getLogger(__name__)

SOON = 5.0
"""Seconds that a fact of `store_soon` may wait for others to be written with it."""

NO_IDS = frozenset({"", "-1", "0"})
"""What stations send instead of a transaction id (OCPP-J 1.6 errata 3.18)."""

_BY_STATION = f"transaction_id NOT LIKE '{CLOUD}%'"
"""What the station itself has told of, and not only the cloud of its maker."""


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
            connection = await loop.run_in_executor(executor, statements.connect, path)
        except (OSError, sqlite3.Error) as err:
            executor.shutdown()
            raise JournalError(f"cannot open {path}: {err}") from err
        except BaseException:
            # Its thread may still be at it.
            executor.shutdown(wait=False)
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

        text = await self.run(partial(statements.load, identity=identity, name=name))
        return None if text is None else json.loads(text)

    async def store(self, identity: str, name: str, value: Any) -> None:
        """Store a fact about a station; `value` is anything that JSON can carry."""
        key = identity, name
        waiting: dict[tuple[str, str], Any] = {}
        for facts in (*(facts for facts, _ in self._taken), self._facts):
            if key in facts:
                waiting[key] = facts.pop(key)
        try:
            await self.run(partial(statements.write, facts={key: value}, progress={}))
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
        return await self.run(partial(statements.next_number, name=name))

    async def forget(self, identity: str) -> None:
        """Remove everything about a station; its numbers are not given again."""
        for facts, progress in (*self._taken, (self._facts, self._progress)):
            for key in [key for key in facts if key[0] == identity]:
                del facts[key]
            for number, record in list(progress.items()):
                if record.transaction.identity == identity:
                    del progress[number]
        await self.run(partial(statements.forget, identity=identity))

    async def rename(self, identity: str, new: str) -> None:
        """Have what is known of a station known by another name, in one step.

        A fact that is known by the other name already stays as it is.
        """
        await self.flush()
        await self.run(partial(statements.rename, identity=identity, new=new))

    async def knows(self, identity: str) -> bool:
        """Return whether anything is known of a station."""
        await self.flush()
        return await self.run(partial(statements.knows, identity=identity))

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
            await self.run(partial(statements.write, facts=dict(facts), progress=rows))
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
        work = partial(
            statements.insert, record=record, ended=ended, exclusive=exclusive
        )
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
        await self.run(partial(statements.save, rows=rows))

    async def adopt(self, record: Record, *, ended: Record | None = None) -> None:
        """Store a transaction under the id that it has from now on, with all of it.

        An empty one is replaced by a new one, as in `insert`.
        """
        for one in (record, ended):
            if one is not None:
                self._progress.pop(one.transaction.key, None)
        work = partial(statements.adopt, record=record, ended=ended)
        record.transaction.transaction_id = await self.run(work)

    async def is_used(self, transaction_id: str) -> bool:
        """Return whether any station has ever used a transaction id."""
        return await self.run(partial(statements.used, transaction_id=transaction_id))

    def progress_soon(self, record: Record) -> None:
        """Store within seconds what an open transaction delivered so far."""
        self._progress[record.transaction.key] = record
        self._flush_soon()

    async def find(self, identity: str, transaction_id: str) -> Record | None:
        """Return the transaction that a station, or its cloud, calls so.

        It is one of which we know the start.
        """
        found = await self._select(
            "identity = ? AND (transaction_id = ? OR cloud_id = ?) "
            "AND state != 'orphan' ORDER BY transaction_id = ? DESC, key DESC LIMIT 1",
            *(identity, transaction_id, transaction_id, transaction_id),
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
            f"AND meter_start IS ? AND state != 'orphan' AND {_BY_STATION} "
            "ORDER BY key DESC LIMIT 1",
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
            f"AND {_BY_STATION} ORDER BY key DESC LIMIT 1",
            *(identity, id_token, claimed, meter_stop),
            *([transaction_id] if same_id else []),
        )
        return found[0] if found else None

    async def _select(self, condition: str, *parameters: Value) -> list[Record]:
        query = f"SELECT * FROM transactions WHERE {condition}"  # noqa: S608
        return await self.run(
            partial(statements.records, query=query, parameters=parameters)
        )
