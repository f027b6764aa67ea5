"""Streams: values of a variable that are sent and never answered (N11 to N15)."""

from dataclasses import dataclass, field
from datetime import datetime
import json
from typing import TYPE_CHECKING
from uuid import uuid4

from ..clock import stamp
from ..rpc import TROUBLE
from .uplink import CallError
from .values import Json

if TYPE_CHECKING:
    from .station import ChargingStation

SEND = 6
"""The kind of a message that nobody answers (OCPP 2.1 part 4, 4.2.4)."""


@dataclass(kw_only=True, slots=True)
class Stream:
    """One stream of a monitored variable."""

    id: int
    monitor_id: int
    interval: int | None = None
    """The longest time between two messages, in s."""
    values: int | None = None
    """The most values of a message."""
    sent_at: datetime
    taken: list[tuple[datetime, str]] = field(default_factory=list)

    def wire(self) -> Json:
        """Return it as OpenPeriodicEventStream tells it (constantStreamData)."""
        told = {"interval": self.interval, "values": self.values}
        return {
            "id": self.id,
            "params": {name: one for name, one in told.items() if one is not None},
            "variableMonitoringId": self.monitor_id,
        }

    def due(self, now: datetime) -> bool:
        """Return whether it is time to send what was taken."""
        if not self.taken:
            return False
        if self.values is not None and len(self.taken) >= self.values:
            return True
        waited = (now - self.sent_at).total_seconds()
        return waited >= (self.interval or 0)


class Streams:
    """The part of a station that sends values without asking for an answer."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station without streams."""
        self._station = station
        self.open: dict[int, Stream] = {}
        """The streams that the central system takes, by their number."""
        self.handlers = {
            "AdjustPeriodicEventStream": self._adjust,
            "GetPeriodicEventStream": self._get,
        }

    @property
    def _most(self) -> int:
        return self._station.model.number("MonitoringCtrlr.MaxPeriodicEventStreams")

    def _available(self) -> None:
        if not self._most:
            raise CallError("NotImplemented")

    def of(self, monitor_id: int) -> Stream | None:
        """Return the stream of a monitor."""
        found = (one for one in self.open.values() if one.monitor_id == monitor_id)
        return next(found, None)

    # Opening and closing

    def offer(self, monitor_id: int, params: Json) -> None:
        """Offer to send what a monitor sees, once the request is answered (N11)."""
        station = self._station
        if station.version != "2.1" or len(self.open) >= self._most:
            return
        number = next(one for one in range(1, self._most + 1) if one not in self.open)
        stream = Stream(
            id=number,
            monitor_id=monitor_id,
            interval=params.get("interval"),
            values=params.get("values"),
            sent_at=station.clock(),
        )

        async def begin() -> None:
            station.later(self._open(stream))

        station.afterwards(begin)

    async def _open(self, stream: Stream) -> None:
        payload = {"constantStreamData": stream.wire()}
        try:
            answer = await self._station.queue.post("OpenPeriodicEventStream", payload)
        except TROUBLE:
            return
        if answer["status"] == "Accepted":
            self.open[stream.id] = stream

    def end(self, monitor_id: int) -> None:
        """Close the stream of a monitor that is gone (N12)."""
        if (stream := self.of(monitor_id)) is None:
            return
        del self.open[stream.id]
        self._station.queue.post("ClosePeriodicEventStream", {"id": stream.id})

    # What is sent

    async def take(self, stream: Stream, value: str) -> None:
        """Take a value, and send what was taken if it is time."""
        stream.taken.append((self._station.clock(), value))
        if stream.due(self._station.clock()):
            await self.send(stream)

    async def send(self, stream: Stream) -> None:
        """Send what was taken; nobody answers, so no call has to wait for it."""
        (base, _), *_ = stream.taken
        payload = {
            "basetime": stamp(base),
            "data": [
                {"t": (at - base).total_seconds(), "v": value}
                for at, value in stream.taken
            ],
            "id": stream.id,
            "pending": 0,
        }
        stream.taken, stream.sent_at = [], self._station.clock()
        frame = [SEND, str(uuid4()), "NotifyPeriodicEventStream", payload]
        await self._station.send(json.dumps(frame, separators=(",", ":")))

    # What the central system asks for

    async def _adjust(self, payload: Json) -> Json:
        """OCPP 2.1 N13."""
        self._available()
        if (stream := self.open.get(payload["id"])) is None:
            return {"status": "Rejected"}
        stream.interval = payload["params"].get("interval")
        stream.values = payload["params"].get("values")
        return {"status": "Accepted"}

    async def _get(self, payload: Json) -> Json:
        """OCPP 2.1 N14."""
        self._available()
        if not self.open:
            return {}
        return {"constantStreamData": [one.wire() for one in self.open.values()]}
