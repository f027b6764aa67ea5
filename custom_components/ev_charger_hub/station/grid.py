"""Grid support: what the inverter of a station is told to do for the grid (OCPP 2.1 R)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from .channel import Channel
from .outcome import Outcome

type Parameters = Mapping[str, Any]
"""What a control says, by its names in snake case: numbers, words, points of a curve."""

MAX_RUNNING = 64
"""How many controls of one station are known to run."""


class GridControlType(StrEnum):
    """What a control is about (OCPP 2.1 DERControlEnumType)."""

    ENTER_SERVICE = "enter_service"
    FREQ_DROOP = "freq_droop"
    FREQ_WATT = "freq_watt"
    FIXED_PF_ABSORB = "fixed_pf_absorb"
    FIXED_PF_INJECT = "fixed_pf_inject"
    FIXED_VAR = "fixed_var"
    GRADIENTS = "gradients"
    HF_MUST_TRIP = "hf_must_trip"
    HF_MAY_TRIP = "hf_may_trip"
    HV_MUST_TRIP = "hv_must_trip"
    HV_MOM_CESS = "hv_mom_cess"
    HV_MAY_TRIP = "hv_may_trip"
    LIMIT_MAX_DISCHARGE = "limit_max_discharge"
    LF_MUST_TRIP = "lf_must_trip"
    LV_MUST_TRIP = "lv_must_trip"
    LV_MOM_CESS = "lv_mom_cess"
    LV_MAY_TRIP = "lv_may_trip"
    POWER_MONITORING_MUST_TRIP = "power_monitoring_must_trip"
    VOLT_VAR = "volt_var"
    VOLT_WATT = "volt_watt"
    WATT_PF = "watt_pf"
    WATT_VAR = "watt_var"


ALWAYS_DEFAULT = frozenset({GridControlType.ENTER_SERVICE, GridControlType.GRADIENTS})
"""What cannot be scheduled (R04.FR.15)."""

NO_UNIT = "not_applicable"
UNITS: Mapping[GridControlType, frozenset[str]] = {
    GridControlType.FIXED_VAR: frozenset({"pct_max_var", "pct_var_avail"}),
    GridControlType.FREQ_WATT: frozenset({"pct_max_w", "pct_w_avail"}),
    GridControlType.VOLT_VAR: frozenset({"pct_max_var", "pct_var_avail"}),
    GridControlType.VOLT_WATT: frozenset({"pct_max_w", "pct_w_avail"}),
    GridControlType.WATT_VAR: frozenset({"pct_max_var", "pct_var_avail"}),
}
"""What the y axis of a control is in (R04.FR.50 to 55); all others have no unit."""


@dataclass(kw_only=True, slots=True, frozen=True)
class GridControl:
    """One control of a station's inverter; the lowest `priority` counts most.

    A default counts where nothing is scheduled. A superseded one does not count now.
    """

    id: str
    type: GridControlType
    parameters: Parameters
    default: bool
    superseded: bool = False


@dataclass(kw_only=True, slots=True, frozen=True)
class GridCriteria:
    """Which controls are meant: every criterion that is given has to fit."""

    id: str | None = None
    type: GridControlType | None = None
    default: bool | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class GridReport:
    """The controls of a station, as far as they came."""

    controls: tuple[GridControl, ...]
    complete: bool


@dataclass(kw_only=True, slots=True, frozen=True)
class GridAlarm:
    """The grid does what a control has to deal with; `fault` and `info` may be empty."""

    type: GridControlType | None
    fault: str
    info: str
    ended: bool
    at: datetime


@dataclass(kw_only=True, slots=True, frozen=True)
class GridControlRun:
    """A control began to count, or ceased to; `superseded` do not count any more."""

    control_id: str
    started: bool
    superseded: tuple[str, ...]
    at: datetime


class GridSupport:
    """What a station tells of what it does for the grid."""

    def __init__(self) -> None:
        """Know of nothing."""
        self.alarms: Channel[tuple[GridAlarm, ...] | None] = Channel(None, urgent=True)
        """What is wrong now, one of each kind; None if nothing was ever told."""
        self.running: Channel[tuple[str, ...] | None] = Channel(None, urgent=True)
        """The ids of the controls that count now; None if nothing was ever told."""

    def alarm(self, alarm: GridAlarm) -> None:
        """Take note of an alarm, or of its end."""
        others = tuple(
            one for one in self.alarms.value or () if one.type is not alarm.type
        )
        self.alarms.set(others if alarm.ended else (*others, alarm))

    def run(self, run: GridControlRun) -> None:
        """Take note that a control counts, or does not any more."""
        gone = {run.control_id, *run.superseded}
        left = tuple(one for one in self.running.value or () if one not in gone)
        if run.started:
            left = (*left, run.control_id)[-MAX_RUNNING:]
        self.running.set(left)


class GridLink(Protocol):
    """A link that carries what the grid wants (OCPP 2.1 R04)."""

    async def set_control(
        self, control: GridControl
    ) -> tuple[Outcome, tuple[str, ...]]:
        """Set a control; return the ids of those that do not count any more."""

    async def clear_controls(self, criteria: GridCriteria) -> Outcome:
        """Remove controls; that there are none of these is rejected."""

    async def get_controls(
        self, criteria: GridCriteria
    ) -> tuple[Outcome, GridReport | None]:
        """Return the controls that a station has."""
