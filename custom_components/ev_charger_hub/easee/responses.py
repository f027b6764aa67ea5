"""Responses: what became of a command, as the stream tells it (easee_cloud.md 1.4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from .reading_values import Unreadable, moment

EXECUTED: Final = 3
"""The result code of what was done."""


@dataclass(kw_only=True, slots=True, frozen=True)
class CommandResponse:
    """What a product says of a command that somebody sent to it.

    `ticks` names the command (.NET ticks; other ticks than the request was answered with
    are possible), `id` its kind; each is None where the cloud does not tell. `result` is
    the result code (1 sent, 2 expired, 3 executed, 4 rejected), `at` the moment of it by
    the cloud's time.
    """

    serial: str
    id: int | None
    ticks: int | None
    accepted: bool
    result: int | None
    comment: str
    at: datetime


def response_of(payload: object, now: datetime) -> CommandResponse:
    """Return what a CommandResponse tells, Unreadable if it does not tell of whom."""
    serial = payload.get("serialNumber") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(serial, str) or not serial:
        raise Unreadable("a command response of nobody")
    result = _number(payload.get("resultCode"))
    accepted = payload.get("wasAccepted")
    comment = payload.get("comment")
    return CommandResponse(
        serial=serial,
        id=_number(payload.get("id")),
        ticks=_number(payload.get("ticks")),
        accepted=accepted if isinstance(accepted, bool) else result == EXECUTED,
        result=result,
        comment=comment if isinstance(comment, str) else "",
        at=moment(payload.get("timestamp"), now) or now,
    )


def _number(value: object) -> int | None:
    """Return a whole number, None if it is none."""
    return value if type(value) is int else None
