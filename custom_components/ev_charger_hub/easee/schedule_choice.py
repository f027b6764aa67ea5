"""Schedule choice: which of its stored schedules a charger follows.

At most one is; which ones are stored is kept by the cloud (easee_cloud.md 3.4).
"""

from enum import StrEnum
from typing import Final
from urllib.parse import quote

from ..station.outcome import Outcome, OutcomeStatus
from .command_ids import CommandId
from .commands import Commands
from .requests import Requests


class ScheduleKind(StrEnum):
    """What a charger may follow."""

    NONE = "none"
    DELAYED = "delayed"
    DAILY = "daily"
    WEEKLY = "weekly"


DIRECT: Final = "ocpp.direct"
"""Schedules are set by OCPP; the cloud must not set others."""

BECOMES: Final = (
    CommandId.ADD_SCHEDULE,
    CommandId.CLEAR_SCHEDULE,
    CommandId.GET_SCHEDULE,
    CommandId.PURGE_SCHEDULE,
)
"""What a charger may be told when its schedules change."""

CONFLICT: Final = Outcome(
    status=OutcomeStatus.REJECTED, answer="schedules are set by OCPP"
)
NO_CHANGE: Final = Outcome(status=OutcomeStatus.CONFIRMED, answer="no change")


def _path(serial: str) -> str:
    return f"/api/chargers/{quote(serial, safe='')}/schedules"


async def active_schedule(requests: Requests, serial: str) -> str | None:
    """Return which schedule a charger follows, by the cloud's word for it."""
    reply = await requests.request("GET", _path(serial))
    match reply.body:
        case {"enabled": str() as enabled}:
            return enabled.lower()
    return None


async def follow_schedule(
    commands: Commands, serial: str, wanted: ScheduleKind, active: str | None
) -> Outcome:
    """Have a charger follow another of its stored schedules, or none.

    NOT_SUPPORTED says that there is no such schedule. Raises EaseeError.
    """
    if active == DIRECT:
        return CONFLICT
    if active == wanted:
        return NO_CHANGE
    outcome = NO_CHANGE
    if wanted is not ScheduleKind.NONE:
        outcome = await _tell(commands, serial, wanted, "enable")
    # To enable one does not always disable the other.
    if outcome.ok and active in set(ScheduleKind) - {ScheduleKind.NONE}:
        outcome = await _tell(commands, serial, ScheduleKind(active), "disable")
    return outcome


async def _tell(
    commands: Commands, serial: str, kind: ScheduleKind, verb: str
) -> Outcome:
    commands.expect(serial, *BECOMES)
    return await commands.send(serial, "POST", f"{_path(serial)}/{kind}/{verb}")
