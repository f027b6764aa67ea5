"""Outcomes: what became of a command, as a value."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .errors import StationError


class OutcomeStatus(StrEnum):
    """How far a command got."""

    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REBOOT_REQUIRED = "reboot_required"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"
    NOT_SUPPORTED = "not_supported"
    TIMED_OUT = "timed_out"
    NO_ANSWER = "no_answer"
    SUPERSEDED = "superseded"


GOOD = frozenset(
    {
        OutcomeStatus.ACCEPTED,
        OutcomeStatus.CONFIRMED,
        OutcomeStatus.REBOOT_REQUIRED,
        OutcomeStatus.SCHEDULED,
    }
)


@dataclass(kw_only=True, slots=True, frozen=True)
class Outcome:
    """The answer to one command.

    `NO_ANSWER` means that the station dropped the connection instead of answering,
    as a hard reset does. `answer` is the station's own word (`Accepted`, `Locked`,
    or the code of its error), `response` its whole payload. `cause` is why nothing
    was sent, or why nobody knows what became of it if it is not the station that gave no
    answer.
    """

    status: OutcomeStatus
    answer: str = ""
    detail: str = ""
    response: dict[str, Any] = field(default_factory=dict)
    cause: StationError | None = field(default=None, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        """Return whether the station agreed."""
        return self.status in GOOD
