"""Local checks: whether a charger is fit for dialing in the house (easee_cloud.md 3.6)."""

from typing import Final

from .details import Operator, operator_of
from .enums import Rat
from .errors import Forbidden, NotFound
from .ids import ChargerId
from .local_address import host_of
from .local_details import Details
from .local_ocpp import LocalOcpp
from .local_problems import Check, Problem
from .readings import Readings
from .requests import Requests
from .schedule_choice import DIRECT, ScheduleKind, active_schedule

OLDEST: Final = 328
"""The first firmware that can, as a beta."""
GOOD: Final = 344
"""The first that is finished."""
EASEE: Final = "easee"
"""The only operator whose chargers their owners may have dial somewhere."""


async def examine(
    serial: str, *, requests: Requests, readings: Readings, ours: Details | None = None
) -> tuple[Problem, ...]:
    """Return what stands against having a charger dial us; raises EaseeError.

    A configuration that is `ours` is none of somebody else.
    """
    found = (
        _firmware(readings),
        _radio(readings),
        _online(readings),
        await _operator(serial, requests),
        await _configuration(serial, requests, ours),
        await _schedule(serial, requests),
    )
    return tuple(one for one in found if one is not None)


async def other_operator(serial: str, requests: Requests) -> str | None:
    """Return who runs a charger if that is not Easee; raises EaseeError.

    None says that it is Easee, or that nobody knows.
    """
    operator = await _known_operator(serial, requests)
    return None if operator is None or _is_easee(operator) else _name(operator)


async def _known_operator(serial: str, requests: Requests) -> Operator | None:
    try:
        return await operator_of(requests, serial)
    except Forbidden, NotFound:
        return None


def _is_easee(operator: Operator) -> bool:
    return EASEE in (operator.name or "").lower().split()


def _name(operator: Operator) -> str:
    return operator.name or str(operator.id)


def _firmware(readings: Readings) -> Problem | None:
    firmware = readings.number(ChargerId.CHARGER_FIRMWARE)
    if firmware is None:
        return Problem(check=Check.FIRMWARE_UNKNOWN, overridable=True)
    detail = f"{firmware:.0f}"
    if firmware < OLDEST:
        return Problem(check=Check.FIRMWARE_TOO_OLD, detail=detail)
    if firmware < GOOD:
        return Problem(check=Check.FIRMWARE_BETA, overridable=True, detail=detail)
    return None


def _radio(readings: Readings) -> Problem | None:
    match Rat.of(readings.value(ChargerId.CHARGER_RAT)):
        case Rat.WIFI:
            return None
        case None:
            return Problem(check=Check.WIFI_UNKNOWN, overridable=True)
    return Problem(check=Check.NO_WIFI)


def _online(readings: Readings) -> Problem | None:
    online = readings.flag(ChargerId.CONNECTED_TO_CLOUD)
    return None if online else Problem(check=Check.OFFLINE)


async def _operator(serial: str, requests: Requests) -> Problem | None:
    operator = await _known_operator(serial, requests)
    if operator is None:
        return Problem(check=Check.OPERATOR_UNKNOWN, overridable=True)
    if _is_easee(operator):
        return None
    return Problem(check=Check.OTHER_OPERATOR, detail=_name(operator))


async def _configuration(
    serial: str, requests: Requests, ours: Details | None
) -> Problem | None:
    stored = await LocalOcpp(requests).read(serial)
    if stored is None or not stored.details.active:
        return None
    if ours is not None and stored.details.fingerprint.matches(ours.fingerprint):
        return None
    detail = host_of(stored.details.url)
    return Problem(check=Check.FOREIGN_CONFIGURATION, detail=detail)


async def _schedule(serial: str, requests: Requests) -> Problem | None:
    try:
        schedule = await active_schedule(requests, serial)
    except NotFound:
        return None
    if schedule in {None, ScheduleKind.NONE, DIRECT}:
        return None
    return Problem(check=Check.SCHEDULE_ACTIVE, overridable=True, detail=schedule or "")
