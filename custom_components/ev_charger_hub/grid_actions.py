"""Actions about the grid: what the inverter of a charger is to do for it (OCPP 2.1)."""

from typing import Any, Final
from uuid import uuid4

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import ATTR_DURATION, DURATION, ActionGroup, Data, response
from .helpers import checked, invalid, translated_errors
from .station.errors import NotSupported
from .station.grid import (
    ALWAYS_DEFAULT,
    NO_UNIT,
    UNITS,
    GridControl,
    GridControlType,
    GridCriteria,
    GridLink,
    Parameters,
)
from .station.link import Capability
from .station.model import ChargingStation
from .targets import Target

ATTR_CONTROL_ID: Final = "control_id"
ATTR_CONTROL_TYPE: Final = "control_type"
ATTR_DEFAULT: Final = "default"
ATTR_PARAMETERS: Final = "parameters"
ATTR_PRIORITY: Final = "priority"
ATTR_START: Final = "start"

MAX_POINTS: Final = 10
MAX_PRIORITY: Final = 2**31 - 1

_NUMBER: Final = vol.All(vol.Coerce(float), vol.Range(min=-1e12, max=1e12))
_POINTS: Final = vol.All(
    [vol.Schema({vol.Required("x"): _NUMBER, vol.Required("y"): _NUMBER})],
    vol.Length(min=1, max=MAX_POINTS),
)
_HYSTERESIS: Final = vol.Schema(
    {
        vol.Optional(f"hysteresis_{name}"): _NUMBER
        for name in ("high", "low", "delay", "gradient")
    }
)
_REACTIVE: Final = vol.Schema(
    {
        vol.Optional("v_ref"): _NUMBER,
        vol.Optional("autonomous_v_ref_enable"): cv.boolean,
        vol.Optional("autonomous_v_ref_time_constant"): _NUMBER,
    }
)
_VOLTAGE: Final = vol.Schema(
    {
        vol.Optional("hv10_min_mean_value"): _NUMBER,
        vol.Optional("hv10_min_mean_trip_delay"): _NUMBER,
        vol.Optional("power_during_cessation"): vol.In(["Active", "Reactive"]),
    }
)


def _unit(kind: GridControlType) -> dict[Any, Any]:
    """Return the field for the unit of a control, without one where it has none."""
    name = "unit" if kind is GridControlType.FIXED_VAR else "y_unit"
    if (units := UNITS.get(kind)) is None:
        return {vol.Optional(name, default=NO_UNIT): vol.In([NO_UNIT])}
    return {vol.Required(name): vol.In(sorted(units))}


def _curve(kind: GridControlType) -> dict[Any, Any]:
    return {
        vol.Required("curve_data"): _POINTS,
        vol.Optional("hysteresis"): _HYSTERESIS,
        vol.Optional("reactive_power_params"): _REACTIVE,
        vol.Optional("response_time"): _NUMBER,
        vol.Optional("voltage_params"): _VOLTAGE,
        **_unit(kind),
    }


def _numbers(*required: str, optional: tuple[str, ...] = ()) -> dict[Any, Any]:
    return {
        **{vol.Required(one): _NUMBER for one in required},
        **{vol.Optional(one): _NUMBER for one in optional},
    }


_POWER_FACTOR: Final[dict[Any, Any]] = {
    vol.Required("displacement"): _NUMBER,
    vol.Required("excitation"): cv.boolean,
}
_PARAMETERS: Final[dict[GridControlType, dict[Any, Any]]] = {
    GridControlType.ENTER_SERVICE: _numbers(
        "high_voltage",
        "low_voltage",
        "high_freq",
        "low_freq",
        optional=("delay", "random_delay", "ramp_rate"),
    ),
    GridControlType.FIXED_PF_ABSORB: _POWER_FACTOR,
    GridControlType.FIXED_PF_INJECT: _POWER_FACTOR,
    GridControlType.FIXED_VAR: {
        **_numbers("setpoint"),
        **_unit(GridControlType.FIXED_VAR),
    },
    GridControlType.FREQ_DROOP: _numbers(
        "over_freq", "under_freq", "over_droop", "under_droop", "response_time"
    ),
    GridControlType.GRADIENTS: _numbers("gradient", "soft_gradient"),
    GridControlType.LIMIT_MAX_DISCHARGE: {
        **_numbers(optional=("pct_max_discharge_power",)),
        vol.Optional("power_monitoring_must_trip"): vol.Schema(
            {
                **_curve(GridControlType.POWER_MONITORING_MUST_TRIP),
                vol.Optional("priority", default=0): vol.Coerce(int),
            }
        ),
    },
}
"""What each kind of control says; all others are curves."""


async def _set_grid_control(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    control = _control(data)
    with translated_errors(station):
        outcome, superseded = await _commands(station).set_control(control)
    return {
        **response(checked(station, outcome)),
        ATTR_CONTROL_ID: control.id,
        "superseded": list(superseded),
    }


def _control(data: Data) -> GridControl:
    """Return the control that is wanted; raise if it makes no sense."""
    kind: GridControlType = data[ATTR_CONTROL_TYPE]
    default: bool = data[ATTR_DEFAULT]
    timed = ATTR_START in data or ATTR_DURATION in data
    if default and timed:
        raise invalid("grid_control_default_timed")
    if not default and (kind in ALWAYS_DEFAULT or ATTR_START not in data):
        raise invalid("grid_control_not_timed", control_type=kind)
    try:
        described = vol.Schema(_PARAMETERS.get(kind) or _curve(kind))(
            data[ATTR_PARAMETERS]
        )
    except vol.Invalid as err:
        raise invalid("grid_control_parameters", reason=str(err)) from err
    return GridControl(
        id=data.get(ATTR_CONTROL_ID) or str(uuid4()),
        type=kind,
        parameters=described | {"priority": data[ATTR_PRIORITY]} | _times(data),
        default=default,
    )


def _times(data: Data) -> Parameters:
    """Return when a control begins, and how many seconds it lasts."""
    times: dict[str, Any] = {}
    if ATTR_START in data:
        times["start_time"] = dt_util.as_utc(data[ATTR_START])
    if ATTR_DURATION in data:
        times["duration"] = data[ATTR_DURATION].total_seconds()
    return times


async def _clear_grid_controls(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        outcome = await _commands(station).clear_controls(_criteria(data))
    return response(checked(station, outcome))


async def _get_grid_controls(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        outcome, report = await _commands(station).get_controls(_criteria(data))
    if outcome.answer.lower() == "notfound":
        return {**response(outcome), "controls": [], "complete": True}
    checked(station, outcome)
    controls: list[JsonValueType] = [
        _told(one) for one in (() if report is None else report.controls)
    ]
    return {
        **response(outcome),
        "controls": controls,
        "complete": report is not None and report.complete,
    }


def _told(control: GridControl) -> JsonObjectType:
    return {
        ATTR_CONTROL_ID: control.id,
        ATTR_CONTROL_TYPE: control.type,
        ATTR_DEFAULT: control.default,
        "superseded": control.superseded,
        ATTR_PARAMETERS: dict(control.parameters),
    }


def _criteria(data: Data) -> GridCriteria:
    return GridCriteria(
        id=data.get(ATTR_CONTROL_ID),
        type=data.get(ATTR_CONTROL_TYPE),
        default=data.get(ATTR_DEFAULT),
    )


def _commands(station: ChargingStation) -> GridLink:
    """Return what says what the grid wants; raises if no connection carries it."""
    if (commands := station.link(Capability.GRID).grid) is None:
        raise NotSupported
    return commands


_ID: Final = vol.All(cv.string, vol.Length(min=1, max=36))
_TYPE: Final = vol.All(
    vol.In([str(one) for one in GridControlType]), vol.Coerce(GridControlType)
)

ACTIONS: Final = ActionGroup(
    admin_commands={
        "clear_grid_controls": (
            _clear_grid_controls,
            {
                vol.Optional(ATTR_DEFAULT, default=False): cv.boolean,
                vol.Optional(ATTR_CONTROL_TYPE): _TYPE,
                vol.Optional(ATTR_CONTROL_ID): _ID,
            },
        ),
        "set_grid_control": (
            _set_grid_control,
            {
                vol.Required(ATTR_CONTROL_TYPE): _TYPE,
                vol.Required(ATTR_PARAMETERS): dict,
                vol.Optional(ATTR_DEFAULT, default=True): cv.boolean,
                vol.Optional(ATTR_CONTROL_ID): _ID,
                vol.Optional(ATTR_PRIORITY, default=0): vol.All(
                    vol.Coerce(int), vol.Range(min=0, max=MAX_PRIORITY)
                ),
                vol.Optional(ATTR_START): cv.datetime,
                vol.Optional(ATTR_DURATION): DURATION,
            },
        ),
    },
    queries={
        "get_grid_controls": (
            _get_grid_controls,
            {
                vol.Optional(ATTR_DEFAULT): cv.boolean,
                vol.Optional(ATTR_CONTROL_TYPE): _TYPE,
                vol.Optional(ATTR_CONTROL_ID): _ID,
            },
        ),
    },
)
