"""Sender: one call to a station, and what became of it."""

from typing import Any

from ..station.errors import NotConnected
from ..station.outcome import Outcome, OutcomeStatus
from .adapter import StationContext
from .errors import (
    CallError,
    CallInterrupted,
    CallNotSent,
    CallTimeout,
    ErrorCode,
    InvalidAnswer,
)

TIMEOUT = 30.0

_MAX_WORD = 255

_GOOD_ANSWERS = {
    "accepted": OutcomeStatus.ACCEPTED,
    "acceptedcanceled": OutcomeStatus.ACCEPTED,
    "rebootrequired": OutcomeStatus.REBOOT_REQUIRED,
    "scheduled": OutcomeStatus.SCHEDULED,
    "unlocked": OutcomeStatus.ACCEPTED,
    "notimplemented": OutcomeStatus.NOT_SUPPORTED,
    "notsupported": OutcomeStatus.NOT_SUPPORTED,
}
_NOT_SUPPORTED = frozenset({ErrorCode.NOT_IMPLEMENTED, ErrorCode.NOT_SUPPORTED})


def judged(response: dict[str, Any]) -> Outcome:
    """Return what an answer means, by its status."""
    answer = response.get("status")
    if not isinstance(answer, str):
        return Outcome(status=OutcomeStatus.ACCEPTED, response=response)
    # Every word that is not one of agreement refuses (UnlockFailed, UnknownVendorId).
    status = _GOOD_ANSWERS.get(answer.lower(), OutcomeStatus.REJECTED)
    return Outcome(status=status, answer=answer[:_MAX_WORD], response=response)


class CallSender:
    """What all commands of a station are sent by."""

    def __init__(self, context: StationContext) -> None:
        """Carry commands over `context.call`."""
        self._context = context

    @staticmethod
    def concealed(answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of a station with what is secret in it masked."""
        return answer

    async def send(
        self, action: str, payload: dict[str, Any], timeout: float = TIMEOUT
    ) -> Outcome:
        """Send one call and return what became of it; NotConnected if nothing was."""
        try:
            response = await self._context.call(action, payload, timeout)
        except CallNotSent as err:
            raise NotConnected from err
        except CallTimeout as err:
            return Outcome(status=OutcomeStatus.TIMED_OUT, detail=str(err))
        except CallInterrupted as err:
            return Outcome(status=OutcomeStatus.NO_ANSWER, detail=str(err))
        except InvalidAnswer as err:
            raw = self.concealed(err.raw) if isinstance(err.raw, dict) else {}
            return Outcome(
                status=OutcomeStatus.REJECTED,
                detail=f"invalid answer: {err}",
                response=raw,
            )
        except CallError as err:
            unsupported = err.code in _NOT_SUPPORTED
            return Outcome(
                status=OutcomeStatus.NOT_SUPPORTED
                if unsupported
                else OutcomeStatus.REJECTED,
                answer=err.raw_code or err.code,
                detail=err.description,
            )
        return judged(self.concealed(response))
