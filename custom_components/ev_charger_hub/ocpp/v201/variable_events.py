"""Variable events: what a station tells of its variables by itself (2.x N07, N08)."""

from collections import OrderedDict
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any

from ...station.clock import plausible
from ...station.model import Fault, Place
from ...station.monitoring import (
    LEAST_SEVERE,
    MOST_SEVERE,
    EventTrigger,
    Problem,
    VariableEvent,
    is_problem,
)
from ...station.secrets import names_secret
from .. import timestamps
from ..adapter import StationContext
from ..blocks import Answer
from ..oddities import Oddities
from ..rpc import Reply
from ..words import connector_status, snake
from .availability import FAULTED, Availability
from .device_model import DeviceModel
from .metering import MeterValues
from .monitors import Monitors, monitor_kind
from .names import VariableName, read_name

type Json = dict[str, Any]

_ERRORS = {
    "connectorplugretentionlock": "ConnectorLockFailure",
    "controlmetering": "PowerMeterFailure",
    "fiscalmetering": "PowerMeterFailure",
    "groundisolationprotection": "GroundFailure",
    "overcurrentprotection": "OverCurrentFailure",
    "powercontactor": "PowerSwitchFailure",
    "rcd": "GroundFailure",
    "temperaturesensor": "HighTemperature",
    "tokenreader": "ReaderFailure",
}
"""Components whose trouble OCPP 1.6 has a word for (7.6); all else is OtherError."""

# What variables measure that have a measurand of the same meaning (2.0.1 part 2, 3.2).
_MEASURED = {
    "accurrent": ("Current.Import", "A"),
    "acvoltage": ("Voltage", "V"),
    "current": ("Current.Import", "A"),
    "dccurrent": ("Current.Import", "A"),
    "dcvoltage": ("Voltage", "V"),
    "frequency": ("Frequency", "Hz"),
    "power": ("Power.Active.Import", "W"),
    "stateofcharge": ("SoC", "Percent"),
    "temperature": ("Temperature", "Celsius"),
    "voltage": ("Voltage", "V"),
}
_MEASURING = frozenset(
    {"chargingstation", "connectedev", "connector", "evse", "temperaturesensor"}
)
_PHASES = frozenset({"l1", "l2", "l3", "n", "l1-n", "l2-n", "l3-n"})

MAX_EVENTS = 200
"""No message has a reason to tell more; what comes above that is not looked at."""

_SEVERITIES = range(MOST_SEVERE, LEAST_SEVERE + 1)
_MAX_PROBLEMS = 32
_MAX_SEEN = 500
_MAX_TEXT = 255
_MAX_VALUE = 2500


class VariableEvents:
    """What a station tells of its variables: problems, statuses, measured values."""

    def __init__(
        self,
        context: StationContext,
        *,
        availability: Availability,
        device_model: DeviceModel,
        metering: MeterValues,
        monitors: Monitors,
        oddities: Oddities,
    ) -> None:
        """Feed the station of `context`, and what is known of its variables."""
        self._context = context
        self._availability = availability
        self._device_model = device_model
        self._metering = metering
        self._monitors = monitors
        self._oddities = oddities
        self._seen: OrderedDict[int, None] = OrderedDict()

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {"NotifyEvent": self.notify_event}

    def notify_event(self, payload: Json) -> Reply | Awaitable[Reply]:
        """Take events (N07), whatever they are: nothing in them is worth refusing."""
        if not self._monitors.loaded:
            return self._late(payload)
        return self._take_all(payload)

    async def _late(self, payload: Json) -> Reply:
        """Take the first events, whose monitors have to be looked up."""
        await self._monitors.load()
        return self._take_all(payload)

    def _take_all(self, payload: Json) -> Reply:
        events = payload.get("eventData") or ()
        if len(events) > MAX_EVENTS:
            self._oddities.note(f"more than {MAX_EVENTS} events in one message")
        for event in events[:MAX_EVENTS]:
            if (name := read_name(event)) is None:
                self._oddities.note("an event of nothing")
            elif not self._believes(name):
                self._oddities.note(f"event of EVSE {name.evse_id} ignored")
            elif self._is_news(name, event):
                self._take(name, event)
        return Reply({})

    def restarted(self) -> None:
        """Take note of a restart: what is still wrong will be told anew."""
        station = self._context.station
        for place in (station.whole, *station.evses.values()):
            if place.problems.value:
                self._show(place, (), self._context.clock())

    def value(self, name: VariableName, value: str, at: datetime) -> None:
        """Take what a variable is, as told by whatever tells it without an alarm."""
        if not self._believes(name):
            return
        if value and self._device_model.get(str(name)) is not None:
            self._device_model.told(name, value[:_MAX_VALUE])
        if name.variable.lower() == "availabilitystate":
            self._status(name, value, at)
        elif (measured := self._measured(name)) is not None:
            self._measure(name, measured, value, at)

    # One event

    def _believes(self, name: VariableName) -> bool:
        return self._context.station.believes(name.evse_id or 0, name.connector_id or 0)

    def _is_news(self, name: VariableName, event: Json) -> bool:
        """Return whether an event was not taken already.

        Stations repeat under another message id, and number the events of different
        sources alike, so that the number alone does not tell.
        """
        number, stamp = event.get("eventId"), event.get("timestamp")
        if number is None or stamp is None:
            return True
        monitor, over = event.get("variableMonitoringId"), event.get("cleared")
        # A hash, because what is told may be long.
        told = hash((number, stamp, monitor, over, event.get("actualValue"), name.key))
        if told in self._seen:
            return False
        self._seen[told] = None
        if len(self._seen) > _MAX_SEEN:
            self._seen.popitem(last=False)
        return True

    def _take(self, name: VariableName, told: Json) -> None:
        event = self._event(name, told)
        self.value(name, event.value, event.at)
        if is_problem(str(name)) or event.trigger is EventTrigger.ALERTING:
            self._problem(name, event)
        self._context.station.emit(event)

    def _event(self, name: VariableName, told: Json) -> VariableEvent:
        now = self._context.clock()
        severity, number = told.get("severity"), told.get("variableMonitoringId")
        monitor, secret = self._monitors.get(number), names_secret(name.variable)
        if severity is None and monitor is not None:
            # Only 2.1 says so with every event.
            severity = monitor.severity
        return VariableEvent(
            variable=str(name),
            evse_id=name.evse_id or 0,
            at=plausible(timestamps.parse(told.get("timestamp")), now),
            trigger=_trigger(told.get("trigger")),
            value="" if secret else (told.get("actualValue") or "")[:_MAX_VALUE],
            kind=monitor_kind(told.get("eventNotificationType")),
            severity=severity if severity in _SEVERITIES else None,
            monitor_id=number,
            cleared=told.get("cleared") is True,
            tech_code=(told.get("techCode") or "")[:_MAX_TEXT] or None,
            tech_info=(told.get("techInfo") or "")[:_MAX_TEXT] or None,
            transaction_id=told.get("transactionId"),
            ours=self._monitors.is_ours(number),
        )

    # Problems

    def _problem(self, name: VariableName, event: VariableEvent) -> None:
        """Show a problem until it is over; the newest of several."""
        place = self._context.station.place(event.evse_id)
        own = is_problem(str(name))
        source = (str(name).lower(), None if own else event.monitor_id)
        known = place.problems.value
        if any(_source(one) == source and event.at < one.at for one in known):
            # It is history.
            return
        others = tuple(one for one in known if _source(one) != source)
        if not _is_wrong(name, event):
            if own or len(others) < len(known):
                self._show(place, others, event.at)
            return
        problem = Problem(
            component=name.component,
            variable=str(name),
            monitor_id=source[1],
            at=event.at,
            code=event.tech_code,
            info=event.tech_info,
            severity=event.severity,
        )
        if len(others) < _MAX_PROBLEMS:
            self._show(place, (*others, problem), event.at)

    def _show(self, place: Place, problems: tuple[Problem, ...], at: datetime) -> None:
        """Show what is wrong with a place now."""
        place.problems.set(problems)
        fault = _fault(problems[-1]) if problems else self._availability.fault_of(place)
        # One problem may be told of later than another, which is newer.
        place.fault.set(fault, max(at, place.fault.at or at))

    # Statuses and measured values

    def _status(self, name: VariableName, value: str, at: datetime) -> None:
        """Take the status of a connector, or of the only one of an EVSE."""
        if (status := connector_status(value)) is None:
            return
        evse_id = name.evse_id or 0
        match name.component.lower():
            case "connector" if evse_id:
                connector_id = name.connector_id or 0
                self._availability.reported(evse_id, connector_id, status, at)
            case "evse" if evse_id and self._is_single(evse_id):
                self._availability.reported(evse_id, 0, status, at)
            case "chargingstation" if not evse_id:
                self._availability.reported(0, 0, status, at)

    def _is_single(self, evse_id: int) -> bool:
        evse = self._context.station.evses.get(evse_id)
        return evse is None or len(evse.connector_ids) == 1

    @staticmethod
    def _measured(name: VariableName) -> tuple[str, str] | None:
        """Return the measurand and unit of a variable, None if it measures nothing."""
        if name.component.lower() not in _MEASURING:
            return None
        return _MEASURED.get(name.variable.lower())

    def _measure(
        self,
        name: VariableName,
        measured: tuple[str, str],
        value: str,
        at: datetime,
    ) -> None:
        """Take a measured value as if it were a meter value."""
        measurand, unit = measured
        known = self._device_model.get(str(name))
        phase = name.variable_instance or name.component_instance
        sample = {
            "value": value,
            "measurand": measurand,
            "phase": phase if (phase or "").lower() in _PHASES else None,
            "unit": (known.unit if known is not None else None) or unit,
        }
        values = [{"timestamp": timestamps.render(at), "sampledValue": [sample]}]
        self._metering.take(name.evse_id or 0, None, values)


def _trigger(word: object) -> EventTrigger:
    """Return an EventTriggerEnumType; what is no word of it may be an alarm."""
    try:
        return EventTrigger(snake(str(word)))
    except ValueError:
        return EventTrigger.ALERTING


def _is_wrong(name: VariableName, event: VariableEvent) -> bool:
    """Return whether an event says that something is wrong, and still is."""
    if is_problem(str(name)):
        return event.value.strip().lower() == "true" and not event.cleared
    return event.grave and event.active


def _source(problem: Problem) -> tuple[str, int | None]:
    """Return what tells of a problem, and that it is over."""
    return problem.variable.lower(), problem.monitor_id


def _fault(problem: Problem) -> Fault:
    return Fault(
        error_code=_ERRORS.get(problem.component.lower(), FAULTED.error_code),
        vendor_error_code=problem.code,
        info=problem.info or problem.component,
    )
