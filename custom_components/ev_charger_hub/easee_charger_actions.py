"""Actions about the settings of an Easee charger: who may use it, and how it behaves."""

from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .easee.account import EaseeAccount
from .easee.details import Operator, operator_of
from .easee.enums import AccessLevel, PhaseMode
from .easee.errors import NotFound
from .easee.ids import ChargerId
from .easee.outcomes import NO_CHANGE
from .easee.ownership import set_access, set_operator
from .easee.readings import Value
from .easee.writing import write
from .easee_targets import EaseeTarget, async_resolve_easee
from .fields import ActionGroup, Data
from .profile_words import one_of

MOST: Final = 2**31 - 1
"""Easee's numbers are not larger."""

ATTR_ACCESS: Final = "access"
ATTR_BRIGHTNESS: Final = "brightness"
ATTR_ENABLED: Final = "enabled"
ATTR_MODE: Final = "mode"
ATTR_OPERATOR_ID: Final = "operator_id"


async def _write(
    target: EaseeTarget, number: ChargerId, value: Value
) -> JsonObjectType:
    """Change a setting; the response tells what the charger reports afterwards."""
    charger = target.charger
    with target.errors():
        outcome = await write(target.account, charger, number, value)
    return target.response(outcome)


async def _set_led(target: EaseeTarget, data: Data) -> JsonObjectType:
    number = ChargerId.LED_STRIP_BRIGHTNESS
    return await _write(target, number, data[ATTR_BRIGHTNESS])


async def _set_smart_charging(target: EaseeTarget, data: Data) -> JsonObjectType:
    return await _write(target, ChargerId.SMART_CHARGING, data[ATTR_ENABLED])


async def _set_phase_mode(target: EaseeTarget, data: Data) -> JsonObjectType:
    return await _write(target, ChargerId.PHASE_MODE, data[ATTR_MODE].number)


async def _set_access(target: EaseeTarget, data: Data) -> JsonObjectType:
    charger, level = target.charger, data[ATTR_ACCESS]
    with target.errors():
        outcome = await set_access(target.account.commands, charger.serial, level)
    if outcome.ok:
        charger.access.set(level)
    return target.response(outcome)


async def _set_operator(target: EaseeTarget, data: Data) -> JsonObjectType:
    account, serial = target.account, target.charger.serial
    wanted: int = data[ATTR_OPERATOR_ID]
    with target.errors():
        operator = await _operator(account, serial)
        if operator is not None and operator.id == wanted:
            return target.response(NO_CHANGE, operator=_told(operator))
        outcome = await set_operator(account.commands, serial, wanted)
        if outcome.ok:
            operator = await _operator(account, serial)
    return target.response(outcome, operator=_told(operator))


async def _operator(account: EaseeAccount, serial: str) -> Operator | None:
    """Return who runs a charger, None for nobody."""
    try:
        return await operator_of(account.requests, serial)
    except NotFound:
        return None


def _told(operator: Operator | None) -> JsonObjectType | None:
    return None if operator is None else {"id": operator.id, "name": operator.name}


def _percent(value: object) -> int:
    read: int = vol.All(vol.Coerce(int), vol.Range(min=0, max=100))(value)
    return read


_OPERATOR: Final[dict[Any, Any]] = {
    vol.Required(ATTR_OPERATOR_ID): vol.All(vol.Coerce(int), vol.Range(min=1, max=MOST))
}

ACTIONS: Final = ActionGroup(
    commands={
        "easee_set_access": (
            _set_access,
            {vol.Required(ATTR_ACCESS): one_of(AccessLevel)},
        ),
        "easee_set_led": (_set_led, {vol.Required(ATTR_BRIGHTNESS): _percent}),
        "easee_set_phase_mode": (
            _set_phase_mode,
            {vol.Required(ATTR_MODE): one_of(PhaseMode)},
        ),
        "easee_set_smart_charging": (
            _set_smart_charging,
            {vol.Required(ATTR_ENABLED): cv.boolean},
        ),
    },
    admin_commands={"easee_set_operator": (_set_operator, _OPERATOR)},
    resolve=async_resolve_easee,
)
