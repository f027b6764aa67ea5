"""Outcomes: what answers and responses of the Easee cloud mean for a command."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ..station.outcome import Outcome, OutcomeStatus
from .command_ids import UNFINISHED, ResultCode
from .errors import EaseeError, Forbidden, NotFound, Refused, Unavailable
from .responses import CommandResponse

ACCEPTED: Final = Outcome(status=OutcomeStatus.ACCEPTED, answer="accepted")
"""The cloud has taken it, and tells no more."""
DONE: Final = Outcome(status=OutcomeStatus.CONFIRMED, answer="done")
"""The cloud did it by itself."""
NO_CHANGE: Final = Outcome(status=OutcomeStatus.CONFIRMED, answer="no change")
"""Everything was like that already, and nothing was sent."""
FORBIDDEN: Final = "forbidden"
"""The answer of a cloud that does not let us (403)."""
TIMED_OUT: Final = Outcome(status=OutcomeStatus.TIMED_OUT)
"""Nobody knows: who wants to has to read the present state."""


def refusal(error: EaseeError) -> Outcome | None:
    """Return what an error says of a command, None if it says nothing of it."""
    match error:
        case Refused():
            answer = error.title or "refused"
            return Outcome(status=OutcomeStatus.REJECTED, answer=answer)
        case Forbidden():
            return Outcome(
                status=OutcomeStatus.REJECTED, answer=FORBIDDEN, detail=error.title
            )
        case NotFound():
            return Outcome(status=OutcomeStatus.NOT_SUPPORTED, answer="not found")
    return None


def nobody_knows(error: Unavailable) -> Outcome:
    """Return the outcome of a command to a cloud that does not answer."""
    return Outcome(status=OutcomeStatus.TIMED_OUT, detail=error.title, cause=error)


def told(
    serial: str,
    number: int | None,
    ticks: int | None,
    item: Mapping[str, Any],
    at: datetime,
) -> CommandResponse:
    """Return what REST says of a command, as the stream would."""
    result = whole(item.get("resultCode"))
    return CommandResponse(
        serial=serial,
        id=number,
        ticks=ticks,
        # What has yet to reach the product is accepted by nobody, nor refused.
        accepted=bool(item.get("wasAccepted")) or result in UNFINISHED,
        result=result,
        comment=str(item.get("comment") or ""),
        at=at,
    )


def together(responses: Sequence[CommandResponse]) -> Outcome:
    """Return what responses to commands of one request mean: the worst of them counts."""
    worst = min(responses, key=_goodness)
    facts = {"result": worst.result, "comment": worst.comment}
    status, answer, detail = OutcomeStatus.ACCEPTED, "accepted", ""
    if worst.result == ResultCode.EXPIRED:
        status, answer = OutcomeStatus.REJECTED, "expired"
    elif _rejected(worst):
        status, answer, detail = OutcomeStatus.REJECTED, "rejected", _why(worst)
    elif worst.result == ResultCode.EXECUTED:
        status, answer = OutcomeStatus.CONFIRMED, "executed"
    elif worst.result in UNFINISHED:
        answer = "sent"
    return Outcome(status=status, answer=answer, detail=detail, response=facts)


def whole(value: Any) -> int | None:
    """Return a whole number, also if it comes as text; None for anything else."""
    try:
        return None if value is None else int(value)
    except TypeError, ValueError:
        return None


def _rejected(response: CommandResponse) -> bool:
    return not response.accepted or response.result == ResultCode.REJECTED


def _goodness(response: CommandResponse) -> int:
    if response.result == ResultCode.EXPIRED:
        return 1
    if _rejected(response):
        return 0
    return 3 if response.result == ResultCode.EXECUTED else 2


def _why(response: CommandResponse) -> str:
    if response.result in (None, ResultCode.REJECTED):
        return response.comment
    return f"{response.comment} (result code {response.result})".strip()
