"""Twins: finds the record of a session that somebody else has told of before."""

from datetime import datetime, timedelta

from . import joining
from .journal import NO_IDS
from .keeper import Keeper
from .rows import Record
from .same_session import Trace, best, is_same, trace_of
from .settlement import Stop
from .transaction_events import EventKind, TransactionEvent

_AROUND = timedelta(days=1)
"""So long before a session the one began that it may be a part of."""

_MOST = 200


class Twins(Keeper):
    """Looks through the sessions of one station."""

    async def of_cloud(self, event: TransactionEvent) -> tuple[Record | None, int]:
        """Return which session the cloud tells of, if it is known.

        With it comes what others that are known had of it, in Wh.
        """
        now, name = self._clock(), event.transaction_id
        records = await self._records(
            joining.trace_of_event(event, now), evse_id=event.evse_id
        )
        named = await self._named(name)
        if named is None:
            named = self._unnamed(event, records, now)
        elif event.kind is EventKind.ENDED and not named.unsettled:
            named = _rest(event, records, now) or named
        others = sum(
            one.transaction.energy
            for one in records
            if one is not named
            and not one.transaction.cloud_only
            and joining.overlap(one.transaction, event, now)
        )
        return named, others

    async def _named(self, name: str) -> Record | None:
        found = await self._journal.find(self._station.identity, name)
        return None if found is None else self._sessions.live(found)

    def _unnamed(
        self, event: TransactionEvent, records: list[Record], now: datetime
    ) -> Record | None:
        trace = joining.trace_of_event(event, now)
        free = [one for one in records if one.transaction.cloud_name is None]
        if (found := best(trace, free, now)) is not None:
            return found
        # The list of sessions knows them by other numbers than the charger.
        return next(
            (
                one
                for one in records
                if one not in free and is_same(trace, trace_of(one.transaction))
            ),
            None,
        )

    async def of_start(self, new: Record, claimed_at: datetime | None) -> Record | None:
        """Return the session that begins, if the cloud has told of it."""
        now = self._clock()
        trace = joining.trace_of_start(
            new,
            trusted=joining.is_trusted(claimed_at, now),
            live=now - new.transaction.started_at <= joining.LIVE,
        )
        return await self._of_station(trace, new.transaction.evse_id)

    async def of_stop(self, stop: Stop) -> Record | None:
        """Return the session that ends, if the cloud has told of it."""
        trace = joining.trace_of_stop(stop, self._clock())
        return await self._of_station(trace, stop.evse_id or 0)

    async def of_event(self, event: TransactionEvent) -> Record | None:
        """Return the session of an event, if the cloud has told of it."""
        trace = joining.trace_of_event(event, self._clock())
        return await self._of_station(trace, event.evse_id)

    async def _of_station(self, trace: Trace, evse_id: int) -> Record | None:
        records = [
            one
            for one in await self._records(trace, evse_id=evse_id)
            if one.transaction.cloud_only
        ]
        alive = self._station.remote.value
        return best(trace, records, self._clock(), alive=alive)

    async def can_be(self, transaction_id: str) -> bool:
        """Return whether a session may get an id: one that nobody has used."""
        return transaction_id not in NO_IDS and not await self._journal.is_used(
            transaction_id
        )

    async def _records(self, trace: Trace, *, evse_id: int) -> list[Record]:
        """Return the sessions that may be one that is told of, newest first."""
        moments = [
            one for one in (trace.started_at, trace.stopped_at) if one is not None
        ]
        known = await self._journal.records(
            self._station.identity,
            limit=_MOST,
            since=min(moments) - _AROUND if moments else None,
            until=max(moments) + _AROUND if moments else None,
        )
        # What runs may have begun long ago.
        known += [*self._sessions.running.values()]
        records = {one.transaction.key: self._sessions.live(one) for one in known}
        return [
            one
            for one in records.values()
            if not evse_id or one.transaction.evse_id in {0, evse_id}
        ]


def _rest(
    event: TransactionEvent, records: list[Record], now: datetime
) -> Record | None:
    """Return what began, and has no end, within what the cloud takes for one session.

    A vehicle may charge more than once before it leaves.
    """
    trace = joining.trace_of_event(event, now)
    if trace.started_at is None or trace.stopped_at is None:
        return None
    return next(
        (
            one
            for one in records
            if one.unsettled
            and not one.transaction.cloud_only
            and one.transaction.cloud_name in {None, event.transaction_id}
            and trace.started_at <= one.transaction.started_at <= trace.stopped_at
        ),
        None,
    )
