"""Uniting: sessions of a charger that two have kept account of under different names."""

from datetime import datetime
from functools import partial
import sqlite3

from . import joining
from .enums import StopReason
from .journal import Journal
from .rows import Record, Row, committed, to_row
from .same_session import best
from .transaction import Transaction
from .transaction_events import Bound, EventKind, Reading, TransactionEvent

_MOST = 1000


async def unite(journal: Journal, identity: str, now: datetime) -> int:
    """Make one of each session that the station and its cloud both told of.

    That is for a station that nobody is loaded for. Return how many there were.
    """
    records = await journal.records(identity, limit=_MOST)
    local = [one for one in records if not one.transaction.cloud_only]
    united = 0
    for record in records:
        if not record.transaction.cloud_only or record.transaction.open:
            continue
        event = _told(record.transaction)
        free = [one for one in local if one.transaction.cloud_name is None]
        trace = joining.trace_of_event(event, now)
        if (twin := best(trace, free, now)) is None:
            continue
        whole = joining.enriched(twin, event, now, 0)
        await journal.run(
            partial(_replace, whole=to_row(whole), kept=twin, gone=record)
        )
        twin.transaction = whole.transaction
        united += 1
    return united


def _told(session: Transaction) -> TransactionEvent:
    """Return a session that only the cloud told of as it told it."""
    begin, readings = session.meter_start, tuple[Reading, ...]()
    if begin:
        readings = (Reading(at=session.started_at, register=begin, bound=Bound.BEGIN),)
    return TransactionEvent(
        kind=EventKind.ENDED,
        transaction_id=session.transaction_id,
        claimed_at=session.stopped_at or session.started_at,
        recorded=True,
        evse_id=session.evse_id,
        id_token=session.id_token,
        token_type=session.token_type,
        reason=session.stop_reason or StopReason.OTHER,
        readings=readings,
        values_start=session.values_start,
        values_stop=session.values_stop,
        started_at=session.started_at,
        energy=session.energy,
        cost=session.cloud_cost,
    )


def _replace(
    connection: sqlite3.Connection, *, whole: Row, kept: Record, gone: Record
) -> None:
    columns = ", ".join(f"{name} = :{name}" for name in whole)
    key = kept.transaction.key
    with committed(connection):
        connection.execute(
            f"UPDATE transactions SET {columns} WHERE key = :_key",  # noqa: S608
            whole | {"_key": key},
        )
        connection.execute(
            "UPDATE signed_values SET transaction_key = ?, transaction_id = ? "
            "WHERE transaction_key = ?",
            (key, kept.transaction.transaction_id, gone.transaction.key),
        )
        connection.execute(
            "DELETE FROM transactions WHERE key = ?", (gone.transaction.key,)
        )
