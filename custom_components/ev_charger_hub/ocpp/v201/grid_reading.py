"""Grid support in the words of OCPP 2.1 (R): kinds of control, and what they say."""

from collections.abc import Iterator, Mapping
from datetime import datetime
import re
from typing import Any

from ...station.grid import GridControl, GridControlType
from ..timestamps import render

type Json = dict[str, Any]

MAX_ID = 36
MAX_INFO = 200
MAX_CONTROLS = 24
"""How many controls of a kind one report has room for (2.1 ReportDERControl)."""

_DEPTH = 5
_WORDS = {one.replace("_", ""): one for one in GridControlType}
_FIELDS = {
    GridControlType.ENTER_SERVICE: "enterService",
    GridControlType.FIXED_PF_ABSORB: "fixedPFAbsorb",
    GridControlType.FIXED_PF_INJECT: "fixedPFInject",
    GridControlType.FIXED_VAR: "fixedVar",
    GridControlType.FREQ_DROOP: "freqDroop",
    GridControlType.GRADIENTS: "gradient",
    GridControlType.LIMIT_MAX_DISCHARGE: "limitMaxDischarge",
}
_CURVE = "curve"
"""The field of all other kinds of control."""
_TYPES = {field: kind for kind, field in _FIELDS.items()}
# What a report calls a description where that is another name.
_REPORTED = {"fixedPFAbsorb": "fixedPF", "fixedPFInject": "fixedPF"}
_UNITS = {
    "not_applicable": "Not_Applicable",
    "pct_effective_v": "PctEffectiveV",
    "pct_max_var": "PctMaxVar",
    "pct_max_w": "PctMaxW",
    "pct_var_avail": "PctVarAvail",
    "pct_w_avail": "PctWAvail",
}
_UNIT_WORDS = {word: unit for unit, word in _UNITS.items()}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ACRONYMS = ("HF", "HV", "LF", "LV", "PF")


def type_word(kind: GridControlType) -> str:
    """Return what OCPP calls a kind of control."""
    parts = kind.split("_")
    return "".join(
        part.upper() if part.upper() in _ACRONYMS else part.capitalize()
        for part in parts
    )


def control_type(word: str) -> GridControlType | None:
    """Return a DERControlEnumType, None for an invented word."""
    return _WORDS.get(word.lower())


def read_controls(payload: Json) -> list[GridControl]:
    """Return the controls of one ReportDERControl, without what nobody can read."""
    return [
        control
        for field in (_CURVE, *_FIELDS.values())
        for one in _listed(payload.get(field))
        if (control := _control(field, one)) is not None
    ]


def _listed(told: object) -> list[Any]:
    return told[:MAX_CONTROLS] if isinstance(told, list) else []


def _control(field: str, told: object) -> GridControl | None:
    if not isinstance(told, dict):
        return None
    kind = _TYPES.get(field) or control_type(str(told.get("curveType")))
    described = told.get(_REPORTED.get(field, field))
    if kind is None or not isinstance(described, dict):
        return None
    return GridControl(
        id=str(told.get("id"))[:MAX_ID],
        type=kind,
        parameters=_snaked(described),
        default=told.get("isDefault", True) is True,
        superseded=told.get("isSuperseded") is True,
    )


def ids(told: object) -> Iterator[str]:
    """Yield the ids of controls that a message names."""
    for one in told[:MAX_CONTROLS] if isinstance(told, list) else ():
        if isinstance(one, str):
            yield one[:MAX_ID]


def described(control: GridControl) -> Json:
    """Return the field of a control that says what it is to do."""
    return {_FIELDS.get(control.type, _CURVE): _camelled(control.parameters)}


def camel(name: str) -> str:
    """Return a name as OCPP spells it."""
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)


def snake(name: str) -> str:
    """Return a name of OCPP in snake case."""
    return _HUMP.sub("_", name).lower()


def _camelled(value: Any) -> Any:
    match value:
        case Mapping():
            return {camel(name): _camelled(one) for name, one in value.items()}
        case list() | tuple():
            return [_camelled(one) for one in value]
        case str():
            return _UNITS.get(value, value)
        case datetime():
            return render(value)
        case _:
            return value


def _snaked(value: Any, depth: int = _DEPTH) -> Any:
    """Return what a report says in our names, cut where it is longer than can be."""
    match value:
        case dict() if depth:
            return {
                snake(name)[:MAX_ID]: _snaked(one, depth - 1)
                for name, one in [*value.items()][:MAX_CONTROLS]
                if name != "customData"
            }
        case list() if depth:
            return [_snaked(one, depth - 1) for one in value[:MAX_CONTROLS]]
        case str():
            return _UNIT_WORDS.get(value, value[:MAX_INFO])
        case bool() | int() | float():
            return value
        case _:
            return None
