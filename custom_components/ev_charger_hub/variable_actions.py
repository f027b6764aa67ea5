"""Actions about the variables of OCPP 2.x: reports, and several written at once."""

from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import ActionGroup, Data, response
from .helpers import checked, translated_errors
from .station.errors import NotSupported
from .station.link import Capability
from .station.outcome import Outcome, OutcomeStatus
from .station.variables import (
    Criterion,
    DeviceVariable,
    Report,
    ReportBase,
    ReportsLink,
)
from .targets import Target

ATTR_CRITERIA: Final = "criteria"
ATTR_REPORT: Final = "report"
ATTR_VALUES: Final = "values"
ATTR_VARIABLES: Final = "variables"

NAME_LENGTH: Final = 200
VALUE_LENGTH: Final = 2500
"""The longest value that a charger may take (2.1 SetVariables)."""

MAX_NAMES: Final = 500

NAME: Final = vol.All(cv.string, vol.Length(min=1, max=NAME_LENGTH))


def text_value(value: object) -> str:
    """Return a value as chargers write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cv.string(value)


VALUE: Final = vol.All(text_value, vol.Length(max=VALUE_LENGTH))

_BASES: Final = {base.name.lower(): base for base in ReportBase}
_NAMES: Final = vol.All(cv.ensure_list, [NAME], vol.Length(max=MAX_NAMES))


def _reports(target: Target) -> ReportsLink:
    """Return what reports; raises NotSupported for a charger of OCPP 1.6."""
    reports = target.station.link(Capability.REPORTS).reports
    if reports is None:
        raise NotSupported
    return reports


async def _get_base_report(target: Target, data: Data) -> JsonObjectType:
    with translated_errors(target.station):
        reports = _reports(target)
        outcome, report = await reports.base_report(_BASES[data[ATTR_REPORT]])
    return _reported(target, outcome, report)


async def _get_report(target: Target, data: Data) -> JsonObjectType:
    criteria = [Criterion[one.upper()] for one in data[ATTR_CRITERIA]]
    with translated_errors(target.station):
        reports = _reports(target)
        outcome, report = await reports.report(criteria, data[ATTR_VARIABLES])
    return _reported(target, outcome, report)


async def _set_variables(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        outcomes = await _reports(target).set_variables(data[ATTR_VALUES])
    refused = [name for name, outcome in outcomes.items() if not outcome.ok]
    if len(refused) == len(outcomes):
        checked(station, outcomes[refused[0]])
    return {
        "refused": [*refused],
        "restart_required": any(
            outcome.status is OutcomeStatus.REBOOT_REQUIRED
            for outcome in outcomes.values()
        ),
        "variables": {
            name: {
                "status": outcome.status,
                "answer": outcome.answer,
                "detail": outcome.detail,
            }
            for name, outcome in outcomes.items()
        },
    }


def _reported(target: Target, outcome: Outcome, report: Report) -> JsonObjectType:
    """Return what a report told; the answer of the charger has only its status."""
    variables: list[JsonValueType] = [_variable(one) for one in report.variables]
    return {
        **response(checked(target.station, outcome)),
        "complete": report.complete,
        "variables": variables,
    }


def _variable(variable: DeviceVariable) -> JsonObjectType:
    return {
        "name": variable.name,
        "value": variable.value,
        "readonly": not variable.writable,
        "data_type": variable.data_type,
        "unit": variable.unit,
        "minimum": variable.minimum,
        "maximum": variable.maximum,
        "options": [*variable.options],
    }


_REPORT: dict[Any, Any] = {vol.Optional(ATTR_REPORT, default="full"): vol.In([*_BASES])}
_CRITERIA: dict[Any, Any] = {
    vol.Optional(ATTR_CRITERIA, default=list): vol.All(
        cv.ensure_list, [vol.In([one.name.lower() for one in Criterion])]
    ),
    vol.Optional(ATTR_VARIABLES, default=list): _NAMES,
}
_VALUES: dict[Any, Any] = {
    vol.Required(ATTR_VALUES): vol.All({NAME: VALUE}, vol.Length(min=1, max=MAX_NAMES))
}

ACTIONS: Final = ActionGroup(
    commands={"set_variables": (_set_variables, _VALUES)},
    queries={
        "get_base_report": (_get_base_report, _REPORT),
        "get_report": (_get_report, _CRITERIA),
    },
)
