"""Grid support: controls of the station's inverter, and what it tells of them (2.1 R)."""

from collections.abc import Mapping
from typing import Any

from ...station.clock import plausible
from ...station.grid import (
    GridAlarm,
    GridControl,
    GridControlRun,
    GridCriteria,
    GridReport,
)
from ...station.outcome import Outcome
from ..adapter import StationContext
from ..blocks import Answer
from ..link import unspeakable
from ..rpc import Reply
from ..timestamps import parse
from .grid_reading import (
    MAX_ID,
    MAX_INFO,
    control_type,
    described,
    ids,
    snake,
    type_word,
)
from .sender import Sender

type Json = dict[str, Any]


class GridCommands(Sender):
    """The part of a link that says what the grid wants."""

    async def set_control(
        self, control: GridControl
    ) -> tuple[Outcome, tuple[str, ...]]:
        """Send SetDERControl (R04)."""
        payload: Json = {
            "isDefault": control.default,
            "controlId": control.id,
            "controlType": type_word(control.type),
            **described(control),
        }
        outcome = await self._ask("SetDERControl", payload)
        told = outcome.response.get("supersededIds")
        return outcome, tuple(ids(told))

    async def clear_controls(self, criteria: GridCriteria) -> Outcome:
        """Send ClearDERControl (R04); without a default or not it means the scheduled."""
        payload = {"isDefault": False, **_criteria(criteria)}
        return await self._ask("ClearDERControl", payload)

    async def get_controls(
        self, criteria: GridCriteria
    ) -> tuple[Outcome, GridReport | None]:
        """Send GetDERControl (R04) and return what the reports bring."""
        request_id = await self._reports.next_id()
        payload = {"requestId": request_id, **_criteria(criteria)}
        with self._reports.controls(request_id) as parts:
            outcome = await self._ask("GetDERControl", payload)
            if not outcome.ok:
                return outcome, None
            complete = await parts.complete()
            controls = tuple(parts.items)
        return outcome, GridReport(controls=controls, complete=complete)

    async def _ask(self, action: str, payload: Json) -> Outcome:
        if self.dialect != "2.1":
            return unspeakable(self.dialect, ValueError(action))
        return await self.send(action, payload)


class GridBlock:
    """What a station tells of its inverter."""

    def __init__(self, context: StationContext) -> None:
        """Feed the station of `context`."""
        self._context = context

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {
            "NotifyDERAlarm": self.alarm,
            "NotifyDERStartStop": self.start_stop,
        }

    def alarm(self, payload: Json) -> Reply:
        """Take note of an alarm of the grid, or of its end (R05)."""
        now = self._context.clock()
        alarm = GridAlarm(
            type=control_type(payload["controlType"]),
            fault=snake(str(payload.get("gridEventFault") or ""))[:MAX_ID],
            info=str(payload.get("extraInfo") or "")[:MAX_INFO],
            ended=payload.get("alarmEnded") is True,
            at=plausible(parse(payload["timestamp"]), now),
        )
        station = self._context.station
        station.grid_support.alarm(alarm)
        station.emit(alarm)
        return Reply({})

    def start_stop(self, payload: Json) -> Reply:
        """Take note that a control counts now, or does not any more (R04.FR.20, 21)."""
        now = self._context.clock()
        run = GridControlRun(
            control_id=payload["controlId"][:MAX_ID],
            started=payload["started"] is True,
            superseded=tuple(ids(payload.get("supersededIds"))),
            at=plausible(parse(payload["timestamp"]), now),
        )
        station = self._context.station
        station.grid_support.run(run)
        station.emit(run)
        return Reply({})


def _criteria(criteria: GridCriteria) -> Json:
    told = {
        "isDefault": criteria.default,
        "controlType": criteria.type and type_word(criteria.type),
        "controlId": criteria.id,
    }
    return {name: value for name, value in told.items() if value is not None}
