"""Monitors: what is known of those that a station has, and of its streams (2.x N)."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from ...station.errors import JournalError
from ...station.monitoring import (
    EventStream,
    Monitor,
    MonitorKind,
    MonitorType,
    StreamParameters,
)
from ..adapter import StationContext
from ..words import snake
from .names import parse_name, read_name

FACT = "monitors"
"""The fact of the journal with the monitors, and the firmware they are of."""

MAX_MONITORS = 500
"""More are not kept: what they tell is taken all the same."""

MAX_STREAMS = 32


class Monitors:
    """The monitors and streams of a station, as far as is known.

    `ours` are those that we wanted of our own accord, `declined` the variables that
    the user has none of ours for. Known monitors are kept in the journal, because
    what a 2.0.1 station tells of one does not say how severe it is.
    """

    def __init__(self, context: StationContext) -> None:
        """Know nothing until `load`."""
        self._context = context
        self._known: dict[int, Monitor] = {}
        self._ours: set[int] = set()
        self._formerly: set[tuple[int, str]] = set()
        self.declined: set[str] = set()
        self.streams: dict[int, EventStream] = {}
        self.loaded = False
        self._loading = asyncio.Lock()
        self._stored: dict[str, Any] = {}

    def __iter__(self) -> Iterator[Monitor]:
        """Yield the monitors that are known."""
        return iter(tuple(self._known.values()))

    def get(self, monitor_id: object) -> Monitor | None:
        """Return a monitor, if it is known."""
        return self._known.get(monitor_id) if isinstance(monitor_id, int) else None

    def is_ours(self, monitor_id: int | None) -> bool:
        """Return whether nobody but we ourselves wanted a monitor."""
        return monitor_id in self._ours

    # What is learnt

    def add(self, monitor: Monitor, *, ours: bool = False) -> None:
        """Take note of a monitor."""
        if monitor.id in self._known or len(self._known) < MAX_MONITORS:
            self._known[monitor.id] = monitor
            if ours:
                self._ours.add(monitor.id)
                return
            self._ours.discard(monitor.id)
            if (found := parse_name(monitor.variable)) is not None:
                self.declined.discard(found.key)

    def reported(self, found: Iterable[Monitor]) -> None:
        """Take note of monitors that a station reports; ours stay ours."""
        for monitor in found:
            known = self._known.get(monitor.id)
            if monitor.kind is None and known is not None:
                # 2.0.1 has no field for it.
                monitor = replace(monitor, kind=known.kind)
            self.add(monitor, ours=self._was_ours(monitor))

    def _was_ours(self, monitor: Monitor) -> bool:
        """Return whether a monitor is one of ours, and not another of its number."""
        if (known := self._known.get(monitor.id)) is not None:
            same = known.variable.lower() == monitor.variable.lower()
            return same and monitor.id in self._ours
        return (monitor.id, monitor.variable.lower()) in self._formerly

    def remove(self, monitor_id: int) -> None:
        """Take note that a monitor is gone because the user wants it so."""
        monitor = self._known.pop(monitor_id, None)
        if monitor_id in self._ours and monitor is not None:
            self._ours.discard(monitor_id)
            if (found := parse_name(monitor.variable)) is not None:
                self.declined.add(found.key)

    def reset(self, *, welcome: bool) -> None:
        """Know no monitor any more; `welcome` says whether ours may come back."""
        for monitor_id in tuple(self._known):
            self.remove(monitor_id)
        if welcome:
            self.declined.clear()

    def keep_only(self, ids: Iterable[int]) -> None:
        """Forget the monitors that a station does not have any more."""
        there = set(ids)
        for monitor_id in self._known.keys() - there:
            del self._known[monitor_id]
            self._ours.discard(monitor_id)

    def opened(self, stream: EventStream) -> bool:
        """Take note of a stream; return whether there is room for it."""
        if stream.id not in self.streams and len(self.streams) >= MAX_STREAMS:
            return False
        self.streams[stream.id] = stream
        return True

    def streaming(self, found: Iterable[EventStream]) -> None:
        """Take note of all the streams that are open."""
        self.streams.clear()
        for stream in found:
            self.opened(stream)

    def flows(self, stream_id: int, pending: int) -> EventStream | None:
        """Take note of what a stream has yet to send; return it, if it is known."""
        if (stream := self.streams.get(stream_id)) is not None:
            self.streams[stream_id] = replace(stream, pending=pending)
        return stream

    # What is kept

    async def load(self) -> None:
        """Bring back what is kept, once; monitors are those of a firmware and version."""
        async with self._loading:
            if self.loaded:
                return
            identity = self._context.station.identity
            kept = await self._context.journal.load(identity, FACT)
            if isinstance(kept, dict):
                self._restore(kept, same=kept.get("of") == self._of)
            self.loaded = True

    def _restore(self, kept: dict[str, Any], *, same: bool) -> None:
        try:
            found = [_kept(one) for one in kept["monitors"][:MAX_MONITORS]]
            ours = {int(one) for one in kept["ours"]}
            self.declined |= {str(one) for one in kept["declined"]}
        except AttributeError, KeyError, TypeError, ValueError:
            return
        # Another firmware may number them otherwise: its report tells which are left.
        self._formerly = {
            (one.id, one.variable.lower()) for one in found if one.id in ours
        }
        if same:
            self._ours |= ours
            for monitor in found:
                self._known.setdefault(monitor.id, monitor)

    async def store(self) -> None:
        """Keep what is known; what cannot be kept is asked for again."""
        fact = {
            "of": self._of,
            "monitors": [asdict(one) for one in self],
            "ours": sorted(self._ours),
            "declined": sorted(self.declined),
        }
        if fact == self._stored:
            return
        try:
            await self._context.journal.store(
                self._context.station.identity, FACT, fact
            )
        except JournalError:
            return
        self._stored = fact

    @property
    def _of(self) -> list[str | None]:
        station = self._context.station
        return [station.info.value.firmware, station.version.value]


def read_monitors(told: object) -> list[Monitor]:
    """Return the monitors of a NotifyMonitoringReport (2.0.1 2.33)."""
    found = []
    for entry in told if isinstance(told, list) else ():
        if not isinstance(entry, dict) or (name := read_name(entry)) is None:
            continue
        found += [
            Monitor(
                id=one["id"],
                variable=str(name),
                type=monitor_type(one.get("type")),
                value=one["value"],
                severity=one["severity"],
                transaction=one.get("transaction") is True,
                kind=monitor_kind(one.get("eventNotificationType")),
            )
            for one in entry.get("variableMonitoring") or ()
        ]
    return found


def read_streams(told: object) -> list[EventStream]:
    """Return the streams of a list of ConstantStreamData (2.1 2.12)."""
    return [read_stream(one) for one in told] if isinstance(told, list) else []


def read_stream(told: dict[str, Any]) -> EventStream:
    """Return a ConstantStreamData (2.1 2.12)."""
    params = told.get("params") or {}
    return EventStream(
        id=told["id"],
        monitor_id=told["variableMonitoringId"],
        parameters=StreamParameters(
            interval=params.get("interval"), values=params.get("values")
        ),
    )


def monitor_type(word: object) -> MonitorType | None:
    """Return a MonitorEnumType, None for an invented word."""
    try:
        return MonitorType(snake(str(word)))
    except ValueError:
        return None


def monitor_kind(word: object) -> MonitorKind | None:
    """Return an EventNotificationEnumType, None for none or an invented word."""
    try:
        return MonitorKind(snake(str(word)))
    except ValueError:
        return None


def camel(word: str) -> str:
    """Return a word of ours as OCPP spells it."""
    return "".join(part.capitalize() for part in word.split("_"))


def _kept(one: dict[str, Any]) -> Monitor:
    kind, what = one["kind"], one["type"]
    return Monitor(
        **one
        | {
            "kind": None if kind is None else MonitorKind(kind),
            "type": None if what is None else MonitorType(what),
        }
    )
