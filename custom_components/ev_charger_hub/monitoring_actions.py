"""Actions about monitoring: what a charger is to watch, and what it watches."""

from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import ActionGroup, Data, response
from .helpers import checked, failed, translated_errors
from .station.errors import NotSupported
from .station.link import Capability
from .station.model import ChargingStation
from .station.monitoring import (
    LEAST_SEVERE,
    MOST_SEVERE,
    EventStream,
    Monitor,
    MonitoringBase,
    MonitoringCriterion,
    MonitoringLink,
    MonitorRequest,
    MonitorResult,
    MonitorType,
    StreamParameters,
)
from .targets import Target

ATTR_BASE: Final = "base"
ATTR_CRITERIA: Final = "criteria"
ATTR_INTERVAL: Final = "interval"
ATTR_MONITOR_ID: Final = "monitor_id"
ATTR_MONITOR_IDS: Final = "monitor_ids"
ATTR_MONITORS: Final = "monitors"
ATTR_SEVERITY: Final = "severity"
ATTR_STREAM: Final = "stream"
ATTR_STREAM_INTERVAL: Final = "stream_interval"
ATTR_STREAM_VALUES: Final = "stream_values"
ATTR_TRANSACTION: Final = "transaction"
ATTR_TYPE: Final = "type"
ATTR_VALUE: Final = "value"
ATTR_VALUES: Final = "values"
ATTR_VARIABLE: Final = "variable"
ATTR_VARIABLES: Final = "variables"

MAX_AT_ONCE: Final = 100
MAX_ID: Final = 2**31 - 1
MAX_NAME: Final = 200

_ID: Final = vol.All(vol.Coerce(int), vol.Range(min=0, max=MAX_ID))
_COUNT: Final = vol.All(vol.Coerce(int), vol.Range(min=1, max=MAX_ID))
_NAME: Final = vol.All(cv.string, vol.Length(min=1, max=MAX_NAME))
_SEVERITY: Final = vol.All(
    vol.Coerce(int), vol.Range(min=MOST_SEVERE, max=LEAST_SEVERE)
)
_NUMBER: Final = vol.All(vol.Coerce(float), vol.Range(min=-1e15, max=1e15))

_MONITOR: Final = vol.Schema(
    {
        vol.Required(ATTR_VARIABLE): _NAME,
        vol.Required(ATTR_TYPE): vol.All(
            vol.In([str(one) for one in MonitorType]), vol.Coerce(MonitorType)
        ),
        vol.Required(ATTR_VALUE): _NUMBER,
        vol.Optional(ATTR_SEVERITY, default=8): _SEVERITY,
        vol.Optional(ATTR_TRANSACTION, default=False): cv.boolean,
        vol.Optional(ATTR_MONITOR_ID): _ID,
        vol.Optional(ATTR_STREAM_INTERVAL): _COUNT,
        vol.Optional(ATTR_STREAM_VALUES): _COUNT,
    }
)


def _commands(station: ChargingStation) -> MonitoringLink:
    """Return what monitors are asked for by; raise if no connection carries it."""
    with translated_errors(station):
        if (commands := station.link(Capability.MONITORING).monitoring) is None:
            raise NotSupported
    return commands


async def _set_variable_monitoring(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    requests = [_request(one) for one in data[ATTR_MONITORS]]
    commands = _commands(station)
    with translated_errors(station):
        outcome, results = await commands.set_monitors(requests)
    if not any(one.ok for one in results):
        checked(station, outcome)
        answers = {one.status or "no answer" for one in results}
        raise failed(
            "rejected",
            answer=", ".join(sorted(answers)),
            charger=station.settings.name,
        )
    return {**response(outcome), "monitors": [_result(one) for one in results]}


def _request(told: Data) -> MonitorRequest:
    """Return what the user wants to be watched."""
    interval, values = told.get(ATTR_STREAM_INTERVAL), told.get(ATTR_STREAM_VALUES)
    streams = interval is not None or values is not None
    return MonitorRequest(
        variable=told[ATTR_VARIABLE],
        type=told[ATTR_TYPE],
        value=told[ATTR_VALUE],
        severity=told[ATTR_SEVERITY],
        transaction=told[ATTR_TRANSACTION],
        monitor_id=told.get(ATTR_MONITOR_ID),
        stream=StreamParameters(interval=interval, values=values) if streams else None,
    )


def _result(result: MonitorResult) -> JsonObjectType:
    """Return what became of a monitor, in the charger's word."""
    request = result.request
    return {
        ATTR_VARIABLE: request.variable,
        ATTR_TYPE: request.type,
        ATTR_MONITOR_ID: result.monitor_id,
        "accepted": result.ok,
        "answer": result.status,
        "detail": result.detail,
    }


async def _clear_variable_monitoring(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    commands = _commands(station)
    with translated_errors(station):
        outcome, answers = await commands.clear_monitors(data[ATTR_MONITOR_IDS])
    good = {"accepted", "notfound"}
    if not any(word.lower() in good for word in answers.values()):
        checked(station, outcome)
        words = sorted(set(answers.values())) or ["no answer"]
        raise failed("rejected", answer=", ".join(words), charger=station.settings.name)
    monitors: list[JsonValueType] = [
        {ATTR_MONITOR_ID: number, "answer": answers.get(number, "")}
        for number in dict.fromkeys(data[ATTR_MONITOR_IDS])
    ]
    return {**response(outcome), "monitors": monitors}


async def _get_monitoring_report(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    commands = _commands(station)
    with translated_errors(station):
        outcome, found = await commands.get_monitors(
            data[ATTR_CRITERIA], data[ATTR_VARIABLES]
        )
    checked(station, outcome)
    return {**response(outcome), "monitors": [_monitor(one) for one in found]}


def _monitor(monitor: Monitor) -> JsonObjectType:
    """Return what a charger watches."""
    return {
        ATTR_MONITOR_ID: monitor.id,
        ATTR_VARIABLE: monitor.variable,
        ATTR_TYPE: monitor.type,
        ATTR_VALUE: monitor.value,
        ATTR_SEVERITY: monitor.severity,
        ATTR_TRANSACTION: monitor.transaction,
        "kind": monitor.kind,
    }


async def _set_monitoring_base(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    commands = _commands(station)
    with translated_errors(station):
        outcome = await commands.set_monitoring_base(MonitoringBase(data[ATTR_BASE]))
    return response(checked(station, outcome))


async def _set_monitoring_level(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    commands = _commands(station)
    with translated_errors(station):
        outcome = await commands.set_monitoring_level(data[ATTR_SEVERITY])
    return response(checked(station, outcome))


async def _get_event_streams(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    commands = _commands(station)
    with translated_errors(station):
        outcome, found = await commands.get_streams()
    checked(station, outcome)
    return {**response(outcome), "streams": [_stream(one) for one in found]}


def _stream(stream: EventStream) -> JsonObjectType:
    """Return a stream of values."""
    return {
        ATTR_STREAM: stream.id,
        ATTR_MONITOR_ID: stream.monitor_id,
        ATTR_INTERVAL: stream.parameters.interval,
        ATTR_VALUES: stream.parameters.values,
        "pending": stream.pending,
    }


async def _adjust_event_stream(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    parameters = StreamParameters(
        interval=data.get(ATTR_INTERVAL), values=data.get(ATTR_VALUES)
    )
    commands = _commands(station)
    with translated_errors(station):
        outcome = await commands.adjust_stream(data[ATTR_STREAM], parameters)
    return response(checked(station, outcome))


def _some(member: Any) -> Any:
    """Return a validator of a list that is not empty, nor endless."""
    return vol.All(cv.ensure_list, [member], vol.Length(min=1, max=MAX_AT_ONCE))


_SET: Final[dict[Any, Any]] = {vol.Required(ATTR_MONITORS): _some(_MONITOR)}
_CLEAR: Final[dict[Any, Any]] = {vol.Required(ATTR_MONITOR_IDS): _some(_ID)}
_REPORT: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CRITERIA, default=list): vol.All(
        cv.ensure_list,
        [
            vol.All(
                vol.In([str(one) for one in MonitoringCriterion]),
                vol.Coerce(MonitoringCriterion),
            )
        ],
    ),
    vol.Optional(ATTR_VARIABLES, default=list): vol.All(
        cv.ensure_list, [_NAME], vol.Length(max=MAX_AT_ONCE)
    ),
}
_BASE: Final[dict[Any, Any]] = {
    vol.Required(ATTR_BASE): vol.In([str(one) for one in MonitoringBase])
}
_LEVEL: Final[dict[Any, Any]] = {vol.Required(ATTR_SEVERITY): _SEVERITY}
_ADJUST: Final[dict[Any, Any]] = {
    vol.Required(ATTR_STREAM): _ID,
    vol.Optional(ATTR_INTERVAL): _COUNT,
    vol.Optional(ATTR_VALUES): _COUNT,
}

ACTIONS: Final = ActionGroup(
    commands={
        "adjust_event_stream": (_adjust_event_stream, _ADJUST),
        "clear_variable_monitoring": (_clear_variable_monitoring, _CLEAR),
        "set_monitoring_base": (_set_monitoring_base, _BASE),
        "set_monitoring_level": (_set_monitoring_level, _LEVEL),
        "set_variable_monitoring": (_set_variable_monitoring, _SET),
    },
    queries={
        "get_event_streams": (_get_event_streams, {}),
        "get_monitoring_report": (_get_monitoring_report, _REPORT),
    },
)
