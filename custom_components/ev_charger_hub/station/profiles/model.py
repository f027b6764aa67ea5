"""Charging profiles of every OCPP version, as values without floats."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from ..enums import RateUnit
from .two_way import TwoWay

VOLTAGE = Decimal(230)
"""Nominal voltage between phase and neutral, for conversion of A and W."""

OURS = "CSO"
"""Who set the profiles that a central system sets (ChargingLimitSourceEnumType)."""

DEFAULT_PHASES = 3
"""The number of phases of a period that names none (OCPP 1.6 7.14, 2.0.1 2.9)."""


class Purpose(StrEnum):
    """What a profile is for (OCPP 2.1 ChargingProfilePurposeEnumType; 1.6 7.11)."""

    EXTERNAL = "ChargingStationExternalConstraints"
    LOCAL_GENERATION = "LocalGeneration"
    PRIORITY = "PriorityCharging"
    STATION_MAX = "ChargingStationMaxProfile"
    TX = "TxProfile"
    TX_DEFAULT = "TxDefaultProfile"


class Kind(StrEnum):
    """What the start of a schedule means (OCPP 2.1 ChargingProfileKindEnumType)."""

    ABSOLUTE = "Absolute"
    DYNAMIC = "Dynamic"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class Recurrence(StrEnum):
    """How often a recurring schedule starts anew (OCPP 1.6 7.35)."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


@dataclass(kw_only=True, slots=True, frozen=True)
class Period:
    """A limit from `start` s after the schedule's start until the next period.

    `limit` is A per phase or W of all phases. `phases` None means three.
    """

    start: int
    limit: Decimal
    phases: int | None = None
    phase_to_use: int | None = None
    two_way: TwoWay | None = None
    """What it says of energy in both directions (2.1); `limit` follows from it."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Schedule:
    """The limits of a profile; `duration` in s, None without an end.

    `start` is None for relative schedules. With `use_local_time` (2.1) recurrences
    keep the wall clock of the station when daylight saving time begins or ends.
    """

    unit: RateUnit
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration: int | None = None
    minimum_rate: Decimal | None = None
    use_local_time: bool = False
    random_delay: int | None = None
    """Within how many seconds each change happens at random (2.1)."""
    limit_at_soc: tuple[int, Decimal] | None = None
    """From which percentage of charge on which limit holds (2.1)."""


@dataclass(kw_only=True, slots=True, frozen=True)
class ChargingProfile:
    """A charging profile (OCPP 1.6 7.8, 2.0.1 2.11)."""

    id: int
    purpose: Purpose
    kind: Kind
    stack_level: int
    schedule: Schedule
    recurrence: Recurrence | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: str | None = None
    max_offline: int | None = None
    """For how many s without us it counts (2.1); None for ever."""
    invalid_after_offline: bool = False
    """Whether it is gone for good after that time (2.1)."""
    update_interval: int | None = None
    """How often a dynamic one is to be asked for, in s (2.1 K28); None not at all."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Installed:
    """A profile at an EVSE (0: the station), and when it was put there.

    `source` None is us; otherwise who else set it, in the station's words.
    """

    evse_id: int
    profile: ChargingProfile
    set_at: datetime
    source: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class ProfileCriteria:
    """Which profiles are meant: every criterion that is given has to fit.

    `source` is who set them, in the words of OCPP; only questions can name it.
    """

    id: int | None = None
    evse_id: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None
    source: str | None = None

    def fits(self, one: Installed) -> bool:
        """Return whether a profile is meant."""
        return (
            self.id in (None, one.profile.id)
            and self.evse_id in (None, one.evse_id)
            and self.purpose in (None, one.profile.purpose)
            and self.stack_level in (None, one.profile.stack_level)
            and self.source in (None, one.source or OURS)
        )


@dataclass(kw_only=True, slots=True, frozen=True)
class ProfileSupport:
    """What a station says, or is known, to support; None where it says nothing."""

    units: tuple[RateUnit, ...] | None = None
    max_stack_level: int | None = None
    max_periods: int | None = None
    max_profiles: int | None = None
    evses: int | None = None
    """The number of EVSEs."""
    phase_switching: bool = False
    phase_to_use: bool = False
    replaces_by_clearing: bool = False
    """A profile is replaced only by clearing the old one first (Easee, row S3)."""
    only_absolute: bool = False
    """Relative and recurring profiles are refused (Easee, row S4)."""
    default_caps: bool = False
    """A lower TxDefaultProfile keeps a TxProfile down (Easee, row S6)."""
    clears_loosely: bool = False
    """A profile may stay although it is told to be cleared (Easee, row S53)."""
    dynamic: bool = False
    """Whether the limit of a profile can be changed without a new one (2.1 K28)."""
    max_offline: bool = False
    """Whether a profile may stop to count while we are away (2.1)."""
    max_external_id: int | None = None
    """The highest id that is kept for the limits of others (2.1 K01.FR.80)."""
    settling: int = 60
    """How many seconds it may take until an accepted profile is followed (row S8)."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Circumstances:
    """What a composite schedule depends on besides the profiles.

    `transaction_id` None means that no transaction runs. A relative profile starts
    with the transaction, or with its installation when none is known. `zone` is where
    recurrences of local time happen.
    """

    phases: int = DEFAULT_PHASES
    voltage: Decimal = VOLTAGE
    transaction_id: str | None = None
    transaction_started_at: datetime | None = None
    priority: bool = False
    """Whether priority charging is activated (2.1 K21)."""
    zone: tzinfo = UTC


@dataclass(kw_only=True, slots=True, frozen=True)
class CompositePeriod:
    """What holds from `start` s on; `limit` None is no limit, `purpose` who sets it."""

    start: int
    limit: Fraction | None
    phases: int | None = None
    phase_to_use: int | None = None
    purpose: Purpose | None = None
    profile_id: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class CompositeSchedule:
    """All profiles together at one EVSE (0: the station), from `start` for `duration` s."""

    evse_id: int
    start: datetime
    duration: int
    unit: RateUnit
    periods: tuple[CompositePeriod, ...]
