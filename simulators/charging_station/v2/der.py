"""Distributed energy: what the grid wants of the station's inverter (block R)."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..clock import stamp
from ..schedules import parse
from .uplink import CallError
from .values import Json, present

if TYPE_CHECKING:
    from .station import ChargingStation

MOST = 64
"""How many controls are kept."""
PER_REPORT = 4
"""How many controls of a kind one report tells; 24 is what OCPP allows."""
FIELDS = {
    "EnterService": "enterService",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "FreqDroop": "freqDroop",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
"""Where a control is described; all others are curves."""
REPORTED = {"fixedPFAbsorb": "fixedPF", "fixedPFInject": "fixedPF"}
"""What the report calls a description, where that is another name."""
UNITS = {
    "FreqWatt": {"PctMaxW", "PctWAvail"},
    "VoltVar": {"PctMaxVar", "PctVarAvail"},
    "VoltWatt": {"PctMaxW", "PctWAvail"},
    "WattVar": {"PctMaxVar", "PctVarAvail"},
}
"""What the y axis of a curve may be; all others have no unit (R04.FR.50 to 55)."""
ONLY_DEFAULT = {"EnterService", "Gradients"}


class Control:
    """One control, as it was set."""

    def __init__(self, request: Json) -> None:
        """Take a request that was looked at."""
        self.request = request
        self.superseded = False
        self.running = False
        """Whether it was told to have started."""

    @property
    def id(self) -> str:
        """Return the name that the central system gave it."""
        return str(self.request["controlId"])

    @property
    def kind(self) -> str:
        """Return what it controls."""
        return str(self.request["controlType"])

    @property
    def default(self) -> bool:
        """Return whether it counts where nothing is scheduled."""
        return bool(self.request["isDefault"])

    @property
    def field(self) -> str:
        """Return where it is described."""
        return FIELDS.get(self.kind, "curve")

    @property
    def description(self) -> Json:
        """Return what it says."""
        described: Json = self.request[self.field]
        return described

    @property
    def priority(self) -> int:
        """Return how much it counts; the lowest number counts most."""
        return int(self.description["priority"])

    @property
    def start(self) -> datetime | None:
        """Return when it begins; None if it is not scheduled."""
        told = self.description.get("startTime")
        return None if told is None else parse(told)

    @property
    def end(self) -> datetime | None:
        """Return when it ends; None if it does not."""
        start, seconds = self.start, self.description.get("duration")
        if start is None or seconds is None:
            return None
        return start + timedelta(seconds=seconds)

    def wire(self) -> Json:
        """Return it as a report tells it."""
        told: Json = {
            "id": self.id,
            REPORTED.get(self.field, self.field): self.description,
        }
        if self.kind not in ONLY_DEFAULT:
            told |= {"isDefault": self.default, "isSuperseded": self.superseded}
        if self.field == "curve":
            told["curveType"] = self.kind
        return told


class DistributedEnergy:
    """The part of a station that keeps to what the grid wants."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station without controls."""
        self._station = station
        self.controls: dict[str, Control] = {}
        self.handlers = {
            "ClearDERControl": self._clear,
            "GetDERControl": self._get,
            "SetDERControl": self._set,
        }

    def _available(self) -> None:
        if not any(
            self._station.model.flag(f"{name}.Available", evse)
            for name in ("DCDERCtrlr", "ACDERCtrlr")
            for evse in range(1, len(self._station.evses) + 1)
        ):
            raise CallError("NotImplemented")

    def _supports(self, kind: str) -> bool:
        return any(
            kind in self._station.model.members(f"{name}.ModesSupported", evse)
            for name in ("DCDERCtrlr", "ACDERCtrlr")
            for evse in range(1, len(self._station.evses) + 1)
        )

    # What the central system asks for

    async def _set(self, payload: Json) -> Json:
        """OCPP 2.1 R04: of the same kind, the lowest number of priority counts."""
        self._available()
        if not self._supports(payload["controlType"]):
            return {"status": "NotSupported"}
        if (problem := self._problem(payload)) is not None:
            return {"status": "Rejected", "statusInfo": problem}
        new = Control(payload)
        superseded = self._supersede(new)
        self.controls[new.id] = new
        self._station.remember()
        self._station.afterwards(self.advance)
        return present(status="Accepted", supersededIds=superseded or None)

    def _problem(self, payload: Json) -> Json | None:
        """Return what is wrong with a control (R04.FR.13 to 17, 50 to 56)."""
        kind, default = payload["controlType"], payload["isDefault"]
        told = {*payload} - {"controlId", "controlType", "customData", "isDefault"}
        if told != {FIELDS.get(kind, "curve")}:
            return {"reasonCode": "InvalidValue", "additionalInfo": "WrongField"}
        control = Control(payload)
        timed = {"startTime", "duration"} & {*control.description}
        if timed if default else kind in ONLY_DEFAULT:
            return {"reasonCode": "InvalidValue", "additionalInfo": "WrongSchedule"}
        if control.field == "curve":
            unit = control.description["yUnit"]
            if unit not in UNITS.get(kind, {"Not_Applicable"}):
                return {"reasonCode": "InvalidValue", "additionalInfo": "WrongUnit"}
        if len(self.controls) >= MOST and control.id not in self.controls:
            return {"reasonCode": "InvalidValue", "additionalInfo": "TooMany"}
        return None

    def _supersede(self, new: Control) -> list[str]:
        """Return what does not count any more, which may be the new one itself."""
        found = []
        for one in self.controls.values():
            same = one.kind == new.kind and one.default == new.default
            if not same or one.superseded or one.id == new.id:
                continue
            if new.priority < one.priority:
                one.superseded = True
                found.append(one.id)
            elif new.priority > one.priority:
                new.superseded = True
        return [new.id] if new.superseded else found

    async def _get(self, payload: Json) -> Json:
        """OCPP 2.1 R04, with a report that follows in parts."""
        self._available()
        found = self._matching(payload)
        if not found:
            return {"status": "NotFound"}
        request_id = payload["requestId"]

        async def send() -> None:
            parts = [
                found[first : first + PER_REPORT]
                for first in range(0, len(found), PER_REPORT)
            ]
            for number, part in enumerate(parts, 1):
                told: Json = {}
                for one in part:
                    told.setdefault(one.field, []).append(one.wire())
                told |= {"requestId": request_id, "tbc": number < len(parts)}
                self._station.queue.post("ReportDERControl", told, asked=True)

        self._station.afterwards(send)
        return {"status": "Accepted"}

    async def _clear(self, payload: Json) -> Json:
        """OCPP 2.1 R04.FR.40 and what follows."""
        self._available()
        if not (found := self._matching(payload)):
            return {"status": "NotFound"}
        for one in found:
            del self.controls[one.id]
        self._station.remember()

        async def stop() -> None:
            for one in found:
                if one.running:
                    self._tell(one, started=False)

        self._station.afterwards(stop)
        return {"status": "Accepted"}

    def _matching(self, payload: Json) -> list[Control]:
        default = payload.get("isDefault")
        wanted, kind = payload.get("controlId"), payload.get("controlType")
        return [
            one
            for one in self.controls.values()
            if wanted in (None, one.id)
            and kind in (None, one.kind)
            and (wanted is not None or default in (None, one.default))
        ]

    # Time

    async def advance(self) -> None:
        """Begin and end what is scheduled, and tell of it (R04.FR.20, 21)."""
        now = self._station.clock()
        for one in [*self.controls.values()]:
            if one.end is not None and one.end <= now:
                del self.controls[one.id]
                if one.running:
                    self._tell(one, started=False)
            elif one.start is not None and one.start <= now and not one.running:
                if not one.superseded:
                    one.running = True
                    self._tell(one, started=True)

    def _tell(self, control: Control, *, started: bool) -> None:
        self._station.queue.post(
            "NotifyDERStartStop",
            {
                "controlId": control.id,
                "started": started,
                "timestamp": stamp(self._station.clock()),
            },
        )

    async def alarm(
        self, kind: str, *, ended: bool = False, fault: str | None = None
    ) -> None:
        """Tell that the grid does something that a control has to deal with (R05)."""
        payload = present(
            alarmEnded=ended,
            controlType=kind,
            gridEventFault=fault,
            timestamp=stamp(self._station.clock()),
        )
        await self._station.queue.post("NotifyDERAlarm", payload)

    # Memory

    def dump(self) -> list[Any]:
        """Return what survives a loss of power."""
        return [
            [one.request, one.superseded, one.running] for one in self.controls.values()
        ]

    def load(self, kept: list[Any]) -> None:
        """Take what survived."""
        for request, superseded, running in kept:
            control = Control(request)
            control.superseded, control.running = superseded, running
            self.controls[control.id] = control
