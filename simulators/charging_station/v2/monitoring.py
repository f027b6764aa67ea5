"""Monitors: variables that tell when they change (block N)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..clock import stamp
from .device_model import Address, Variable
from .uplink import CallError
from .values import EventData, Json

if TYPE_CHECKING:
    from .station import ChargingStation

MOST_REPORTED = 10
"""The real library loses what comes after so many in a monitoring report."""
PERIODIC = {"Periodic", "PeriodicClockAligned"}


@dataclass(kw_only=True, slots=True)
class Monitor:
    """One monitor of a variable."""

    id: int
    address: Json
    type: str
    value: float
    severity: int
    last: str | None
    """What the variable was when something was told last."""
    over: bool = False
    """Whether a threshold is passed."""
    told_at: str = ""


class Monitoring:
    """The part of a station that watches its own variables."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that watches nothing."""
        self._station = station
        self.monitors: dict[int, Monitor] = {}
        self._events = 0
        self.level = 9
        self.on = station.model.flag("MonitoringCtrlr.Enabled")
        """Whether monitors tell anything; the variable counts from the start on."""
        self._offline: list[EventData] = []
        self.handlers = {
            "ClearVariableMonitoring": self._clear,
            "GetMonitoringReport": self._report,
            "SetMonitoringBase": self._set_base,
            "SetMonitoringLevel": self._set_level,
            "SetVariableMonitoring": self._set,
        }

    def _available(self) -> None:
        if not self._station.model.flag("MonitoringCtrlr.Available"):
            raise CallError("NotImplemented")

    # What is told

    async def advance(self) -> None:
        """Look at every watched variable, and tell what happened."""
        if not self.on:
            return
        streams = self._station.streams
        found: list[EventData] = []
        for monitor in self.monitors.values():
            variable = self._station.model.variables.get(Address.read(monitor.address))
            if variable is None or not self._fires(monitor, variable.value):
                continue
            if (stream := streams.of(monitor.id)) is not None:
                if self._station.listened_to:
                    await streams.take(stream, variable.value or "")
            else:
                found.append(self._event(monitor, variable.value or ""))
        self.tell(found)

    def _fires(self, monitor: Monitor, value: str | None) -> bool:
        """Return whether a monitor has something to tell."""
        before, now = monitor.last, self._station.clock()
        match monitor.type:
            case "Delta":
                fires = value != before and _differs(value, before, monitor.value)
            case "UpperThreshold" | "LowerThreshold":
                number = _number(value) or 0.0
                upper = monitor.type == "UpperThreshold"
                over = number > monitor.value if upper else number < monitor.value
                fires, monitor.over = over != monitor.over, over
            case _:
                since = now - datetime.fromisoformat(monitor.told_at)
                fires = since.total_seconds() >= monitor.value
        if fires:
            monitor.last, monitor.told_at = value, now.isoformat()
        return fires

    def _event(self, monitor: Monitor, value: str) -> EventData:
        self._events += 1
        trigger = {"Delta": "Delta"}.get(monitor.type, "Alerting")
        threshold = monitor.type.endswith("Threshold")
        return EventData(
            event_id=self._events - 1,
            timestamp=self._station.clock(),
            component=monitor.address["component"],
            variable=monitor.address["variable"],
            actual_value=value,
            trigger="Periodic" if monitor.type in PERIODIC else trigger,
            event_notification_type="CustomMonitor",
            cleared=not monitor.over if threshold else None,
            monitor_id=monitor.id,
        )

    def tell(self, events: list[EventData]) -> None:
        """Tell of events now, or after the next connect where they are grave enough."""
        station = self._station
        if not events:
            return
        if station.listened_to:
            self._send(events)
            return
        gravest = station.model.number("MonitoringCtrlr.OfflineQueuingSeverity")
        for event in events:
            monitor = self.monitors.get(event.monitor_id or 0)
            if monitor is not None and monitor.severity <= gravest:
                self._offline.append(event)

    def reconnected(self) -> None:
        """Tell what happened meanwhile."""
        events, self._offline = self._offline, []
        if events:
            self._send(events)

    def _send(self, events: list[EventData]) -> None:
        self._station.queue.post(
            "NotifyEvent",
            {
                "eventData": [one.wire() for one in events],
                "generatedAt": stamp(self._station.clock()),
                "seqNo": 0,
            },
        )

    # What the central system asks for

    async def _set(self, payload: Json) -> Json:
        """OCPP 2.0.1 N04."""
        self._available()
        results = [self._set_one(one) for one in payload["setMonitoringData"]]
        self._station.remember()
        return {"setMonitoringResult": results}

    def _set_one(self, item: Json) -> Json:
        address = Address.read(item)
        variable, status = self._station.model.find(address)
        result = {
            "severity": item["severity"],
            "status": status,
            "type": item["type"],
            **address.wire(),
        }
        if variable is None:
            return result
        if not self._suits(item, variable):
            return result | {"status": "UnsupportedMonitorType"}
        number = item.get("id")
        if number is not None and number not in self.monitors:
            return result | {"status": "Rejected"}
        if number is None:
            number = max(self.monitors, default=0) + 1
        self.monitors[number] = Monitor(
            id=number,
            address=address.wire(),
            type=item["type"],
            value=item["value"],
            severity=item["severity"],
            last=variable.value,
            told_at=self._station.clock().isoformat(),
        )
        if (params := item.get("periodicEventStream")) is not None:
            self._station.streams.offer(number, params)
        return result | {"id": number}

    def _suits(self, item: Json, variable: Variable) -> bool:
        numeric = variable.type in ("integer", "decimal")
        threshold = item["type"].endswith("Threshold")
        return variable.monitoring and (numeric or not threshold)

    async def _clear(self, payload: Json) -> Json:
        """OCPP 2.0.1 N06."""
        self._available()
        results = []
        for number in payload["id"]:
            found = self.monitors.pop(number, None)
            self._station.streams.end(number)
            status = "NotFound" if found is None else "Accepted"
            results.append({"id": number, "status": status})
        self._station.remember()
        return {"clearMonitoringResult": results}

    async def _report(self, payload: Json) -> Json:
        """OCPP 2.0.1 N02."""
        self._available()
        wanted = payload.get("componentVariable", [])
        found = [
            monitor
            for monitor in self.monitors.values()
            if not wanted
            or Address.read(monitor.address) in self._station.model.matching([], wanted)
        ][:MOST_REPORTED]
        if not found:
            return {"status": "EmptyResultSet"}
        request_id = payload["requestId"]

        async def send() -> None:
            self._station.queue.post(
                "NotifyMonitoringReport",
                {
                    "generatedAt": stamp(self._station.clock()),
                    "monitor": [self._wire(one) for one in found],
                    "requestId": request_id,
                    "seqNo": 0,
                    "tbc": False,
                },
                asked=True,
            )

        self._station.afterwards(send)
        return {"status": "Accepted"}

    def _wire(self, monitor: Monitor) -> Json:
        """Return a monitor as a report tells it."""
        told = {
            "id": monitor.id,
            "severity": monitor.severity,
            "transaction": False,
            "type": monitor.type,
            "value": monitor.value,
        }
        if self._station.version == "2.1":
            told["eventNotificationType"] = "CustomMonitor"
        return {**monitor.address, "variableMonitoring": [told]}

    async def _set_base(self, payload: Json) -> Json:
        """OCPP 2.0.1 N03: nothing is hard-wired, and the factory watches nothing."""
        self._available()
        if payload["monitoringBase"] != "All":
            self.monitors.clear()
            self._station.remember()
        return {"status": "Accepted"}

    async def _set_level(self, payload: Json) -> Json:
        """OCPP 2.0.1 N05."""
        self._available()
        if not 0 <= payload["severity"] <= 9:
            return {"status": "Rejected"}
        self.level = payload["severity"]
        return {"status": "Accepted"}

    # Memory

    def dump(self) -> list[Any]:
        """Return what survives a loss of power."""
        return [asdict(one) for one in self.monitors.values()]

    def load(self, kept: list[Any]) -> None:
        """Take what survived."""
        self.monitors = {one["id"]: Monitor(**one) for one in kept}


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _differs(text: str | None, before: str | None, least: float) -> bool:
    """Return whether a change is large enough; one of words always is."""
    number, last = _number(text), _number(before)
    if number is None or last is None:
        return True
    return abs(number - last) >= least
