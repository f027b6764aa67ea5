"""Same session: whether a charger and the cloud of its maker mean one session.

Their ids have nothing in common. At one EVSE sessions follow one another, in time and
on the meter, which only grows: those that share some of both are the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .rows import Record
from .transaction import Transaction, TransactionState

AT_ONCE: Final = timedelta(seconds=2)
"""Moments that are no further apart may be the same: sessions are told in seconds."""

NEAR: Final = timedelta(minutes=1)
"""So far apart two tell of the same moment, if nothing speaks against it."""

SKEW: Final = timedelta(minutes=15)
"""So far apart clocks may be, if the meter says that it is the same session."""

WATT_HOURS: Final = 20
"""So far apart two may be who read the same meter: one of them rounds."""

_MOST_POWER: Final = 50_000
_SLACK: Final = 2_000
_HOUR: Final = timedelta(hours=1)
_SECOND: Final = timedelta(seconds=1)
_HARDLY: Final = 0.001
_ALL_BUT: Final = 0.9


@dataclass(kw_only=True, slots=True, frozen=True)
class Trace:
    """What somebody tells of a session; energy and registers in Wh, None: not told.

    One that is `open` goes on. `by_cloud` says that it is known from when the vehicle
    came; a station may tell of one that began while it was not asked.
    """

    started_at: datetime | None = None
    stopped_at: datetime | None = None
    open: bool = False
    meter_start: int | None = None
    meter_stop: int | None = None
    energy: int | None = None
    by_cloud: bool = False

    @property
    def reached(self) -> int | None:
        """Return the register that it ended with, None if that is not known."""
        if self.open or self.meter_stop is not None:
            return self.meter_stop
        if self.meter_start is None or self.energy is None:
            return None
        return self.meter_start + self.energy

    @property
    def delivered(self) -> bool | None:
        """Return whether it has moved the meter, None if it may still do so."""
        if self.energy is not None and self.energy > WATT_HOURS:
            return True
        return None if self.open or self.energy is None else False


def is_headless(session: Transaction) -> bool:
    """Return whether no more than the end of a session is known."""
    if session.state is not TransactionState.CLOSED:
        return session.state is TransactionState.ORPHAN
    ended = session.stopped_at is not None and session.stopped_at <= session.started_at
    return ended and session.meter_start is None and not session.cloud_only


def trace_of(session: Transaction) -> Trace:
    """Return what is known of a session."""
    headless = is_headless(session)
    # What was lost ended at some time after it was last heard of.
    vague = session.state is TransactionState.LOST and session.energy <= WATT_HOURS
    # A session that was noticed without its start is counted from 0.
    begin = (session.meter_start or None) if session.cloud_only else session.meter_start
    return Trace(
        started_at=None if headless else session.started_at,
        stopped_at=session.stopped_at,
        open=session.open,
        meter_start=begin,
        meter_stop=session.meter_stop if headless else None,
        energy=None if headless or vague else session.energy,
        by_cloud=session.cloud_only,
    )


def best(
    told: Trace, records: Iterable[Record], now: datetime, *, alive: bool = True
) -> Record | None:
    """Return which of some records is the session that is told of, if any is.

    `alive` says that what is open is known to go on.
    """
    rated = [
        (likeness(told, trace_of(one.transaction), now, alive=alive), one)
        for one in records
    ]
    likely = max(rated, key=lambda one: one[0], default=(0.0, None))
    return likely[1] if likely[0] > 0 else None


def likeness(told: Trace, known: Trace, now: datetime, *, alive: bool = True) -> float:
    """Return how likely it is that two traces are of one session, 0 if they are not."""
    gap = _gap(told.started_at, known.started_at)
    if gap is not None and gap <= AT_ONCE:
        return 4.0 - gap / _HOUR
    meter = _share_meter(told, known)
    if meter is False or (_came_later(told, known) and not (meter and known.delivered)):
        return 0.0
    shared = 0.0
    if alive or not (known.open or told.open) or gap is None or gap <= NEAR:
        shared = _share_time(told, known, now)
    if meter is None:
        return shared
    if told.delivered and known.delivered:
        return 3.0 + shared
    near = gap if gap is not None else _gap(told.stopped_at, known.stopped_at)
    moved = told.delivered is not False and known.delivered is not False
    if near is None or near <= (SKEW if moved else NEAR):
        return 2.0 + shared
    return 1.0 + shared if shared else 0.0


def _came_later(told: Trace, known: Trace) -> bool:
    """Return whether the cloud tells of a vehicle that came after the known one.

    A station tells of a session when its vehicle is there, or later.
    """
    if not told.by_cloud or known.by_cloud:
        return False
    if told.started_at is None or known.started_at is None:
        return False
    both_over = not (told.open or known.open)
    return told.started_at - known.started_at > (SKEW if both_over else NEAR)


def is_same(one: Trace, other: Trace) -> bool:
    """Return whether two traces are as good as equal: one list knows two numbers."""
    starts = _gap(one.started_at, other.started_at)
    stops = _gap(one.stopped_at, other.stopped_at)
    if starts is None or stops is None:
        return False
    return starts <= AT_ONCE and stops <= AT_ONCE


def _gap(one: datetime | None, other: datetime | None) -> timedelta | None:
    return None if one is None or other is None else abs(one - other)


# The meter


def same_meter(one: Trace, other: Trace) -> bool:
    """Return whether the registers of two traces can be of one meter."""
    if one.meter_start is None or other.meter_start is None:
        return False
    grown = other.meter_start - one.meter_start
    if abs(grown) <= WATT_HOURS:
        return True
    if one.started_at is None or other.started_at is None:
        return False
    passed = other.started_at - one.started_at
    if passed < timedelta():
        grown, passed = -grown, -passed
    return 0 <= grown <= _SLACK + _MOST_POWER * (passed / _HOUR)


def _share_meter(one: Trace, other: Trace) -> bool | None:
    """Return whether two traces begin, or else end, at the same register.

    None if that cannot be told: not all chargers tell everybody of the same meter.
    """
    if one.meter_start is None or other.meter_start is None:
        ends = one.reached, other.reached
        if ends[0] is None or ends[1] is None:
            return None
        return True if abs(ends[0] - ends[1]) <= WATT_HOURS else None
    if abs(one.meter_start - other.meter_start) <= WATT_HOURS:
        return True
    if not same_meter(one, other):
        return None
    first, second = sorted((one, other), key=lambda trace: trace.meter_start or 0)
    if (reached := first.reached) is not None and not first.open:
        begins_inside = (second.meter_start or 0) < reached - WATT_HOURS
        return None if begins_inside else False
    # A vehicle that came later is another one.
    return False if second.by_cloud else None


# The time


def _share_time(one: Trace, other: Trace, now: datetime) -> float:
    """Return how alike two times are: 0 if not at all, 1 if they are the same."""
    spans = _span(one, now), _span(other, now)
    if spans[0] is None or spans[1] is None:
        return _meet(one, other, now)
    shorter, longer = sorted((spans[0], spans[1]), key=lambda span: span[1] - span[0])
    if shorter[0] == shorter[1]:
        # Of a session no more than its start may be known.
        inside = longer[0] - NEAR <= shorter[0] < longer[1]
        return _HARDLY if inside else 0.0
    shared = min(longer[1], shorter[1]) - max(longer[0], shorter[0])
    if shared <= timedelta() or shared * 2 < shorter[1] - shorter[0]:
        return 0.0
    ends = *longer, *shorter
    return shared / (max(ends) - min(ends))


def _span(trace: Trace, now: datetime) -> tuple[datetime, datetime] | None:
    if trace.started_at is None:
        return None
    end = now + _SECOND if trace.open else trace.stopped_at
    return trace.started_at, max(end or trace.started_at, trace.started_at)


def _meet(one: Trace, other: Trace, now: datetime) -> float:
    """Return how well an end fits whose start is not known."""
    near = _gap(one.stopped_at, other.stopped_at)
    if near is not None:
        return _ALL_BUT if near <= NEAR else 0.0
    ending, whole = (one, other) if one.started_at is None else (other, one)
    if ending.stopped_at is None or whole.started_at is None or not whole.open:
        return 0.0
    return _HARDLY if whole.started_at <= ending.stopped_at else 0.0
