"""Local progress: how far a charger is on its way to us or back, as it is written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from .ids import ChargerId
from .local_details import Details, Fingerprint, Stored, Version
from .readings import Value

FACT: Final = "easee_local_ocpp"
"""Under which name the journal keeps it."""
GRACE: Final = timedelta(minutes=5)
"""How long a charger may take until it has dialed."""
AGAIN: Final = (timedelta(minutes=15), timedelta(minutes=60))
"""When it is told once more, counted from the first time."""
MOST: Final = 1 + len(AGAIN)


class Goal(StrEnum):
    """Where a charger is to get."""

    ON = "on"
    OFF = "off"


class Stage(StrEnum):
    """How far it is; what a stage is about to do may have been done already."""

    PLANNED = "planned"
    """Nothing is stored yet for this goal."""
    PREPARED = "prepared"
    """It will charge when nobody is there."""
    STORED = "stored"
    APPLYING = "applying"
    """It is being told, for the time that `attempts` says."""
    APPLIED = "applied"
    CONNECTED = "connected"
    """It has dialed, with its password, and told of itself."""
    VERIFIED = "verified"
    """And the cloud still has it so."""


class Trouble(StrEnum):
    """Why nothing more is done until somebody decides."""

    FOREIGN = "foreign"
    """Somebody else had it dial somewhere; that is never overwritten."""
    LOST = "lost"
    """The cloud has forgotten what we stored, as when another operator comes."""
    OTHER_OPERATOR = "other_operator"
    """What is stored will not last."""
    NOT_CONNECTED = "not_connected"
    """It was told, and told again, and does not come."""
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    OFFLINE_BEHAVIOR = "offline_behavior"
    """It does not take what would have it charge when nobody is there."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Progress:
    """How far a charger is; `details` are those by which it dials us."""

    goal: Goal = Goal.ON
    stage: Stage = Stage.PLANNED
    details: Details
    charge_when_away: bool = True
    settings: Mapping[ChargerId, Value | None] = field(default_factory=dict)
    """What was set of the behavior when nobody is there, before we changed it."""
    before: Fingerprint | None = None
    """What was stored, and off, before we came."""
    version: Version | None = None
    attempts: int = 0
    first_applied: datetime | None = None
    applied: datetime | None = None
    """When it was told last: only what it says since then counts."""
    late: bool = False
    """Whether it takes longer than usual."""
    trouble: Trouble | None = None
    detail: str = ""
    """What the cloud says of the trouble, or who the operator is."""

    def is_ours(self, stored: Stored) -> bool:
        """Return whether this is what we have stored."""
        return stored.details.fingerprint.matches(self.details.fingerprint)

    def was_there(self, stored: Stored) -> bool:
        """Return whether this is what was stored before we came."""
        return stored.details.fingerprint.matches(self.before)

    def overdue_at(self, resumed: datetime) -> datetime:
        """Return when a charger that was told has taken too long.

        After a restart at `resumed` it gets as much time as it needs to dial again.
        """
        return max(self.applied or resumed, resumed) + GRACE

    def again_at(self, resumed: datetime) -> datetime | None:
        """Return when a charger is told once more, None if never."""
        if self.attempts >= MOST or self.first_applied is None:
            return None
        wait = AGAIN[max(self.attempts, 1) - 1]
        return max(self.first_applied + wait, self.overdue_at(resumed))

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, secrets included."""
        return {
            "goal": self.goal,
            "stage": self.stage,
            "details": self.details.as_dict(),
            "charge_when_away": self.charge_when_away,
            "settings": {str(int(one)): was for one, was in self.settings.items()},
            "before": None if self.before is None else self.before.as_dict(),
            "version": self.version,
            "attempts": self.attempts,
            "first_applied": _stamp(self.first_applied),
            "applied": _stamp(self.applied),
            "late": self.late,
            "trouble": self.trouble,
            "detail": self.detail,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `as_dict` made JSON of; ValueError, KeyError or TypeError if not."""
        before, trouble = kept["before"], kept["trouble"]
        return cls(
            goal=Goal(kept["goal"]),
            stage=Stage(kept["stage"]),
            details=Details.from_dict(kept["details"]),
            charge_when_away=kept["charge_when_away"],
            settings={
                ChargerId(int(one)): was for one, was in kept["settings"].items()
            },
            before=None if before is None else Fingerprint.from_dict(before),
            version=kept["version"],
            attempts=kept["attempts"],
            first_applied=_moment(kept["first_applied"]),
            applied=_moment(kept["applied"]),
            late=kept["late"],
            trouble=None if trouble is None else Trouble(trouble),
            detail=kept["detail"],
        )


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(stamp: str | None) -> datetime | None:
    return None if stamp is None else datetime.fromisoformat(stamp).astimezone(UTC)
