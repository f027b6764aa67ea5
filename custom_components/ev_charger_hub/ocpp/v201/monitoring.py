"""Monitoring: reports of monitors and customers, and streams of values (2.x N)."""

from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any

from ...station.clock import plausible
from ...station.errors import NotConnected
from ...station.monitoring import EventStream
from .. import timestamps
from ..adapter import StationContext
from ..blocks import Answer
from ..oddities import Oddities
from ..rpc import Reply
from .monitoring_commands import MonitoringCommands
from .monitors import MAX_STREAMS, read_stream
from .names import parse_name
from .reports import Reports
from .variable_events import VariableEvents

type Json = dict[str, Any]


class MonitoringBlock:
    """The messages about monitors, customers and streams."""

    def __init__(
        self,
        context: StationContext,
        *,
        commands: MonitoringCommands,
        events: VariableEvents,
        oddities: Oddities,
        reports: Reports,
    ) -> None:
        """Bring the values of streams to `events`; ask by `commands` what they are."""
        self._context = context
        self._commands = commands
        self._monitors = commands.monitors
        self._events = events
        self._oddities = oddities
        self._reports = reports
        self._asked: set[int] = set()

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {
            "ClosePeriodicEventStream": self.close_stream,
            "NotifyCustomerInformation": self._reports.notify_customer_information,
            "NotifyMonitoringReport": self._reports.notify_monitoring_report,
            "NotifyPeriodicEventStream": self.stream,
            "OpenPeriodicEventStream": self.open_stream,
        }

    def open_stream(self, payload: Json) -> Reply:
        """Let a stream of values begin (2.1 N11), as long as there is room."""
        stream = read_stream(payload["constantStreamData"])
        if self._monitors.opened(stream):
            return Reply({"status": "Accepted"})
        self._oddities.note(f"more than {MAX_STREAMS} streams of values")
        info = {"reasonCode": "OutOfMemory"}
        return Reply({"status": "Rejected", "statusInfo": info})

    def close_stream(self, payload: Json) -> Reply:
        """Let a stream of values end (2.1 N13)."""
        self._monitors.streams.pop(payload["id"], None)
        return Reply({})

    def stream(self, payload: Json) -> Reply | Awaitable[Reply]:
        """Take the newest value of a stream (2.1 N15), which nobody answers."""
        if not self._monitors.loaded:
            return self._late(payload)
        return self._take(payload)

    async def _late(self, payload: Json) -> Reply:
        await self._monitors.load()
        return self._take(payload)

    def _take(self, payload: Json) -> Reply:
        stream = self._monitors.flows(payload["id"], payload["pending"])
        monitor = None if stream is None else self._monitors.get(stream.monitor_id)
        if monitor is None:
            self._ask(payload["id"], stream)
            return Reply({})
        name, data = parse_name(monitor.variable), payload.get("data") or ()
        newest = max(data, key=lambda one: one["t"], default=None)
        if name is not None and newest is not None:
            now, began = self._context.clock(), timestamps.parse(payload["basetime"])
            try:
                claimed = began and began + timedelta(seconds=newest["t"])
            except OverflowError, ValueError:
                claimed = None
            self._events.value(name, newest["v"], plausible(claimed, now))
        return Reply({})

    def _ask(self, stream_id: int, stream: EventStream | None) -> None:
        """Ask once what the values of a stream are of, as after a restart of ours."""
        quiet = self._context.station.settings.quiet
        if stream_id in self._asked or len(self._asked) >= MAX_STREAMS or quiet:
            self._oddities.note("values of a stream that nobody knows")
            return
        self._asked.add(stream_id)
        self._context.spawn(self._learn(known=stream is not None), "ask for streams")

    async def _learn(self, *, known: bool) -> None:
        try:
            if not known:
                await self._commands.get_streams()
            if any(
                self._monitors.get(one.monitor_id) is None
                for one in self._monitors.streams.values()
            ):
                await self._commands.get_monitors()
        except NotConnected:
            return
