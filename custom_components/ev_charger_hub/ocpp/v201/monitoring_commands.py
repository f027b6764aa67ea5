"""Monitoring commands: what a station is to watch, and what it watches (2.x N02 to N14)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...station.monitoring import (
    TARGETS,
    EventStream,
    Monitor,
    MonitoringBase,
    MonitoringCriterion,
    MonitorKind,
    MonitorRequest,
    MonitorResult,
    StreamParameters,
)
from ...station.outcome import Outcome, OutcomeStatus
from ..adapter import StationContext
from ..dialect import Dialect
from ..errors import ErrorCode, parse
from ..link import unspeakable
from .chunks import chunks
from .monitors import Monitors, camel, monitor_type, read_streams
from .names import VariableName, parse_component, parse_name, read_name
from .reports import Reports
from .sender import Sender, reason
from .variables import MOST_ITEMS

AVAILABLE = "MonitoringCtrlr.Available"
SET_ITEMS = "MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]"
SET_BYTES = "MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]"
CLEAR_ITEMS = "MonitoringCtrlr.ItemsPerMessage[ClearVariableMonitoring]"
CLEAR_BYTES = "MonitoringCtrlr.BytesPerMessage[ClearVariableMonitoring]"

_TOO_MANY = frozenset(
    {
        ErrorCode.FORMAT_VIOLATION,
        ErrorCode.OCCURRENCE,
        ErrorCode.PROPERTY,
        ErrorCode.TYPE,
    }
)
_NONE = "emptyresultset"


class MonitoringCommands(Sender):
    """The part of a link that has a station watch its variables."""

    def __init__(self, context: StationContext, reports: Reports) -> None:
        """Carry commands over `context.call`; what they ask for comes to `reports`."""
        super().__init__(context, reports)
        self.monitors = Monitors(context)
        """What is known of the monitors of the station."""

    @property
    def _version(self) -> str:
        return self._context.station.version.value or ""

    @property
    def _is_21(self) -> bool:
        """Return whether the version knows streams, and targets of variables."""
        return self._version == Dialect.V21.version

    @property
    def known_monitors(self) -> list[Monitor]:
        """Return the monitors that are known, without asking."""
        return list(self.monitors)

    @property
    def known_streams(self) -> list[EventStream]:
        """Return the open streams that are known, without asking."""
        return list(self.monitors.streams.values())

    # N04

    async def set_monitors(
        self, requests: Sequence[MonitorRequest], *, ours: bool = False
    ) -> tuple[Outcome, list[MonitorResult]]:
        """Send SetVariableMonitoring (N04), in as many messages as it takes."""
        names = [self._name(one.variable) for one in requests]
        asked = [
            _request(name, request)
            for name, request in zip(names, requests, strict=True)
            if name is not None
        ]
        if len(asked) < len(requests):
            return _UNNAMED, []
        if (unknown := self._unspeakable(requests)) is not None:
            return unknown, []
        await self.monitors.load()
        most = self.device_model.number(SET_ITEMS) or MOST_ITEMS
        room = self.device_model.number(SET_BYTES)
        outcome, told = await self._send_all(
            "SetVariableMonitoring",
            "setMonitoringData",
            list(chunks(asked, most, room)),
        )
        results = _matched(asked, requests, told)
        for result in results:
            self._note(result, ours=ours)
        await self.monitors.store()
        return outcome, results

    def _unspeakable(self, requests: Sequence[MonitorRequest]) -> Outcome | None:
        """Return why a wish has no words in the version that is spoken."""
        if self._is_21:
            return None
        for one in requests:
            if one.stream is not None or one.type in TARGETS:
                err = ValueError(camel(one.type)) if one.stream is None else _NO_STREAMS
                return unspeakable(self._version, err)
        return None

    def _name(self, variable: str) -> VariableName | None:
        """Return the variable that is meant, as the station spells it."""
        known = self.device_model.get(variable)
        return parse_name(variable) if known is None else known.name

    def _note(self, result: MonitorResult, *, ours: bool) -> None:
        request = result.request
        monitor_id = result.monitor_id or request.monitor_id
        if result.ok and monitor_id is not None:
            monitor = Monitor(
                id=monitor_id,
                variable=str(self._name(request.variable) or request.variable),
                type=request.type,
                value=request.value,
                severity=request.severity,
                transaction=request.transaction,
                kind=MonitorKind.CUSTOM_MONITOR,
            )
            self.monitors.add(monitor, ours=ours)

    # N06

    async def clear_monitors(
        self, ids: Sequence[int]
    ) -> tuple[Outcome, dict[int, str]]:
        """Send ClearVariableMonitoring (N06), in as many messages as it takes."""
        await self.monitors.load()
        most = self.device_model.number(CLEAR_ITEMS) or MOST_ITEMS
        room = self.device_model.number(CLEAR_BYTES)
        outcome, told = await self._send_all(
            "ClearVariableMonitoring",
            "id",
            list(chunks(list(dict.fromkeys(ids)), most, room)),
        )
        answers = {
            number: str(one.get("status"))
            for one in told
            if isinstance(number := one.get("id"), int)
        }
        for number, word in answers.items():
            if word.lower() in {"accepted", "notfound"}:
                self.monitors.remove(number)
        await self.monitors.store()
        return outcome, answers

    # N02

    async def get_monitors(
        self,
        criteria: Sequence[MonitoringCriterion] = (),
        variables: Sequence[str] = (),
    ) -> tuple[Outcome, list[Monitor]]:
        """Send GetMonitoringReport (N02) and return what the reports bring."""
        places = [self._place(one) for one in variables]
        if None in places:
            return _UNNAMED, []
        await self.monitors.load()
        request_id = await self._reports.next_id()
        payload: dict[str, Any] = {"requestId": request_id}
        if criteria:
            words = [f"{camel(one)}Monitoring" for one in criteria]
            payload["monitoringCriteria"] = words
        if places:
            payload["componentVariable"] = places
        with self._reports.monitors(request_id) as parts:
            outcome = await self.send("GetMonitoringReport", payload)
            if outcome.answer.lower() == _NONE:
                outcome = replace(outcome, status=OutcomeStatus.ACCEPTED)
                complete = True
            elif outcome.ok:
                complete = await parts.complete()
            else:
                return outcome, []
            found = list({one.id: one for one in parts.items}.values())
        self.monitors.reported(found)
        if complete and not criteria and not variables:
            self._compare(found)
        await self.monitors.store()
        if complete:
            return outcome, found
        if not found:
            detail = "the reports that it announced never came"
            return replace(outcome, status=OutcomeStatus.TIMED_OUT, detail=detail), []
        return replace(outcome, detail="not all reports came"), found

    def _compare(self, found: list[Monitor]) -> None:
        """Forget what a whole report does not have, where it may be whole."""
        # libocpp leaves out what comes after the tenth.
        if len(found) < MOST_REPORTED:
            self.monitors.keep_only(one.id for one in found)

    def _place(self, text: str) -> dict[str, Any] | None:
        """Return the ComponentVariable that is meant, of a component alone all of it."""
        known = self.device_model.get(text)
        return parse_component(text) if known is None else known.name.payload

    # N03, N05

    async def set_monitoring_base(self, base: MonitoringBase) -> Outcome:
        """Send SetMonitoringBase (N03); what we wanted of our own accord is gone then."""
        await self.monitors.load()
        outcome = await self.send("SetMonitoringBase", {"monitoringBase": camel(base)})
        if outcome.ok:
            every = base is MonitoringBase.ALL
            if every:
                self.monitors.declined.clear()
            else:
                self.monitors.reset(welcome=False)
            await self.monitors.store()
        return outcome

    async def set_monitoring_level(self, severity: int) -> Outcome:
        """Send SetMonitoringLevel (N05)."""
        return await self.send("SetMonitoringLevel", {"severity": severity})

    # N12, N14

    async def get_streams(self) -> tuple[Outcome, list[EventStream]]:
        """Send GetPeriodicEventStream (2.1 N12)."""
        if not self._is_21:
            return unspeakable(self._version, _NO_STREAMS), []
        outcome = await self.send("GetPeriodicEventStream", {})
        if not outcome.ok:
            return outcome, []
        pending = {one.id: one.pending for one in self.monitors.streams.values()}
        found = [
            replace(one, pending=pending.get(one.id, 0))
            for one in read_streams(outcome.response.get("constantStreamData"))
        ]
        self.monitors.streaming(found)
        return outcome, found

    async def adjust_stream(
        self, stream_id: int, parameters: StreamParameters
    ) -> Outcome:
        """Send AdjustPeriodicEventStream (2.1 N14)."""
        if not self._is_21:
            return unspeakable(self._version, _NO_STREAMS)
        payload = {"id": stream_id, "params": _parameters(parameters)}
        outcome = await self.send("AdjustPeriodicEventStream", payload)
        known = self.monitors.streams.get(stream_id)
        if outcome.ok and known is not None:
            self.monitors.opened(replace(known, parameters=parameters))
        return outcome

    # What they are made of

    async def _send_all(
        self, action: str, field: str, messages: list[list[Any]]
    ) -> tuple[Outcome, list[dict[str, Any]]]:
        """Send a list in several messages; return what is said of its members.

        What was said before a message that failed counts.
        """
        name = f"{action[0].lower()}{action[1:]}"
        result = f"{name.replace('Variable', '')}Result"
        told: list[dict[str, Any]] = []
        while messages:
            message = messages.pop(0)
            outcome = await self.send(action, {field: message})
            listed = outcome.response.get(result)
            if isinstance(listed, list) and listed:
                told += [one for one in listed if isinstance(one, dict)]
                continue
            if len(message) > 1 and parse(outcome.answer) in _TOO_MANY:
                middle = len(message) // 2
                messages[:0] = [message[:middle], message[middle:]]
                continue
            if not outcome.ok:
                return outcome, told
        response = {result: told}
        return Outcome(status=OutcomeStatus.ACCEPTED, response=response), told


MOST_REPORTED = 10
"""Reports of so many monitors may not be whole."""

_NO_STREAMS = ValueError("event streams")
_UNNAMED = Outcome(
    status=OutcomeStatus.NOT_SUPPORTED,
    detail="a variable is named Component.Variable; nothing was sent",
)


def _parameters(parameters: StreamParameters) -> dict[str, int]:
    told = {"interval": parameters.interval, "values": parameters.values}
    return {name: value for name, value in told.items() if value is not None}


def _request(name: VariableName, request: MonitorRequest) -> dict[str, Any]:
    """Return a SetMonitoringData (2.0.1 2.47)."""
    told: dict[str, Any] = {
        "value": request.value,
        "type": camel(request.type),
        "severity": request.severity,
        **name.payload,
    }
    if request.monitor_id is not None:
        told["id"] = request.monitor_id
    if request.transaction:
        told["transaction"] = True
    if request.stream is not None:
        told["periodicEventStream"] = _parameters(request.stream)
    return told


def _matched(
    asked: list[dict[str, Any]],
    requests: Sequence[MonitorRequest],
    told: list[dict[str, Any]],
) -> list[MonitorResult]:
    """Return what is said of each wish: stations answer in the order they like."""
    left = list(told)
    results = []
    for payload, request in zip(asked, requests, strict=True):
        answer = next((one for one in left if _same(payload, one)), None)
        if answer is None and len(asked) == len(told) == 1:
            answer = told[0]
        if answer is None:
            results.append(MonitorResult(request=request, status=""))
            continue
        if answer in left:
            left.remove(answer)
        number = answer.get("id")
        results.append(
            MonitorResult(
                request=request,
                status=str(answer.get("status")),
                monitor_id=number if isinstance(number, int) else None,
                detail=reason(answer.get("statusInfo")),
            )
        )
    return results


def _same(asked: dict[str, Any], told: dict[str, Any]) -> bool:
    """Return whether a result is about a wish."""
    meant, found = read_name(asked), read_name(told)
    return (
        meant is not None
        and found is not None
        and meant.key == found.key
        and monitor_type(asked["type"]) is monitor_type(told.get("type"))
        and told.get("severity") in {asked["severity"], None}
        and told.get("id") in {asked.get("id", told.get("id")), None}
    )
