"""Local findings: what is known before a charger is moved to local OCPP."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .easee.ids import ChargerId
from .easee.local_problems import Check, Problem
from .models import EvChargerHubConfigEntry


class Subject(StrEnum):
    """What is looked at; each is well, or has one problem."""

    FIRMWARE = "firmware"
    WIFI = "wifi"
    ONLINE = "online"
    OPERATOR = "operator"
    CONFIGURATION = "configuration"
    SCHEDULE = "schedule"


SUBJECTS: Final[Mapping[Check, Subject]] = {
    Check.FIRMWARE_UNKNOWN: Subject.FIRMWARE,
    Check.FIRMWARE_TOO_OLD: Subject.FIRMWARE,
    Check.FIRMWARE_BETA: Subject.FIRMWARE,
    Check.NO_WIFI: Subject.WIFI,
    Check.WIFI_UNKNOWN: Subject.WIFI,
    Check.OFFLINE: Subject.ONLINE,
    Check.OTHER_OPERATOR: Subject.OPERATOR,
    Check.OPERATOR_UNKNOWN: Subject.OPERATOR,
    Check.FOREIGN_CONFIGURATION: Subject.CONFIGURATION,
    Check.SCHEDULE_ACTIVE: Subject.SCHEDULE,
}
"""Which subject a problem of a charger is about; those of addresses are of none."""


@dataclass(kw_only=True, slots=True, frozen=True)
class SuggestedUrl:
    """An address that a charger may dial, without its identity, and what is against it."""

    url: str
    problems: tuple[Problem, ...] = ()

    @property
    def possible(self) -> bool:
        """Return whether the user may insist on it."""
        return all(one.overridable for one in self.problems)


@dataclass(kw_only=True, slots=True, frozen=True)
class ServerChoice:
    """An OCPP server that a charger may be moved to, its best address first."""

    entry: EvChargerHubConfigEntry
    running: bool
    """Whether it runs now; a charger is only moved to one that does."""
    urls: tuple[SuggestedUrl, ...]
    has_charger: bool = False
    """Whether the charger is there already, as one that the user approved."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Consequences:
    """What will be different, as far as it depends on the charger."""

    operator: str | None = None
    """Who runs it if that is not Easee."""
    schedule: str | None = None
    """The kind of schedule of the cloud that is replaced."""
    session_open: bool = False
    """Whether it charges, or waits for that, just now."""
    settings_when_away: tuple[ChargerId, ...] = ()
    """What is changed so that it charges while Home Assistant is off."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Findings:
    """What was found out about a charger, and where it may be moved to."""

    serial: str
    name: str
    problems: tuple[Problem, ...]
    servers: tuple[ServerChoice, ...] = field(repr=False)
    consequences: Consequences

    @property
    def checks(self) -> dict[Subject, Problem | None]:
        """Return what is wrong with each subject, None for what is well."""
        return {
            subject: next(
                (one for one in self.problems if SUBJECTS.get(one.check) is subject),
                None,
            )
            for subject in Subject
        }

    @property
    def stops(self) -> tuple[Problem, ...]:
        """Return what the user cannot insist against."""
        return tuple(one for one in self.problems if not one.overridable)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Return what the user has to confirm."""
        return tuple(one for one in self.problems if one.overridable)

    @property
    def adoptable(self) -> bool:
        """Return whether somebody else's configuration is all that stops it."""
        return {one.check for one in self.stops} == {Check.FOREIGN_CONFIGURATION}


def unconfirmed(
    problems: Iterable[Problem], confirmed: Iterable[Check]
) -> tuple[Problem, ...]:
    """Return what still keeps a charger from being moved."""
    agreed = set(confirmed)
    return tuple(
        one for one in problems if not one.overridable or one.check not in agreed
    )
