"""Charging profiles as they are kept, and why one is refused (block K)."""

from dataclasses import dataclass
from datetime import datetime
import math
from typing import TYPE_CHECKING, Any

from ..allowance import STATION_MAX
from ..schedules import Installed, parse
from .profiles_2_1 import newer_rules
from .values import Json, present

if TYPE_CHECKING:
    from .station import ChargingStation

EXTERNAL = "ChargingStationExternalConstraints"
GENERATION = "LocalGeneration"
NO_LIMIT = 1_000_000.0
"""What a period without a limit comes to."""
PRIMARY = "ChargingStationMaxProfile"
PRIORITY = "PriorityCharging"
TX = "TxProfile"
TX_DEFAULT = "TxDefaultProfile"
FIRST = "1970-01-01T00:00:00.000Z"
LAST = "2262-04-11T23:46:49.854Z"
"""Where the real library's time ends."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Stored:
    """A charging profile, where it was put, when and by whom."""

    evse_id: int
    profile: Json
    set_at: datetime
    source: str = "CSO"

    @property
    def purpose(self) -> str:
        """Return what it is for."""
        return str(self.profile["chargingProfilePurpose"])

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Return from when to when it is valid."""
        first = self.profile.get("validFrom", FIRST)
        last = self.profile.get("validTo", LAST)
        return parse(first), parse(last)

    def installed(self) -> Installed:
        """Return it in the words of the arithmetic, which are those of OCPP 1.6."""
        purpose = STATION_MAX if self.purpose == PRIMARY else self.purpose
        schedule = {
            "startSchedule": self.set_at.replace(microsecond=0).isoformat(),
            **self.profile["chargingSchedule"][0],
        }
        schedule["chargingSchedulePeriod"] = [
            {**period, "limit": _limit(period)}
            for period in schedule["chargingSchedulePeriod"]
        ]
        profile = {
            **self.profile,
            "chargingProfileId": self.profile["id"],
            "chargingProfilePurpose": purpose,
            "chargingSchedule": schedule,
        }
        return Installed(connector_id=self.evse_id, profile=profile, set_at=self.set_at)

    def wire(self) -> Json:
        """Return it as a report tells it: the library fills in what was left out."""
        schedules = [
            {
                **schedule,
                "chargingSchedulePeriod": [
                    {"numberPhases": 3, **period}
                    for period in schedule["chargingSchedulePeriod"]
                ],
            }
            for schedule in self.profile["chargingSchedule"]
        ]
        return {
            "validFrom": FIRST,
            "validTo": LAST,
            **self.profile,
            "chargingSchedule": schedules,
        }


class Rules:
    """What the real library looks at before it takes a profile."""

    def __init__(self, station: ChargingStation, profiles: dict[int, Stored]) -> None:
        """Look at a new profile beside those that are there."""
        self._station = station
        self._profiles = profiles

    def problem(
        self, evse_id: int, profile: Json, *, starting: bool = False
    ) -> Json | None:
        """Return why a profile is refused, in the words of the real library."""
        if not 0 <= evse_id <= len(self._station.evses):
            return _info("InvalidValue", "EvseDoesNotExist")
        rules = (
            *newer_rules(self._station, evse_id, profile),
            *self._schedule_rules(profile),
            *self._purpose_rules(evse_id, profile, starting=starting),
            *self._conflicts(evse_id, profile),
        )
        return next((_info(*why) for broken, *why in rules if broken), None)

    def _schedule_rules(self, profile: Json) -> list[tuple[Any, str, str]]:
        """Return what can be wrong with the schedules, and whether it is."""
        model = self._station.model
        kind = profile["chargingProfileKind"]
        units = model.members("SmartChargingCtrlr.RateUnit")
        most = model.number("SmartChargingCtrlr.PeriodsPerSchedule", 42)
        phases = model.number("ChargingStation.SupplyPhases", 3)
        schedules = profile["chargingSchedule"]
        rules: list[tuple[Any, str, str]] = [
            (
                kind == "Dynamic"
                and not self._station.charging.supports("DynamicProfiles"),
                "UnsupportedKind",
                "ChargingProfileUnsupportedKind",
            ),
            (
                not schedules,
                "InvalidSchedule",
                "ChargingProfileNoChargingSchedulePeriods",
            ),
        ]
        for schedule in schedules:
            periods = schedule["chargingSchedulePeriod"]
            starts = [one["startPeriod"] for one in periods]
            relative, dynamic = kind == "Relative", kind == "Dynamic"
            rules += [
                (
                    schedule["chargingRateUnit"] not in units,
                    "UnsupportedRateUnit",
                    "ChargingScheduleChargingRateUnitUnsupported",
                ),
                (
                    not periods,
                    "InvalidSchedule",
                    "ChargingProfileNoChargingSchedulePeriods",
                ),
                (
                    starts[:1] != [0],
                    "InvalidSchedule",
                    "ChargingProfileFirstStartScheduleIsNotZero",
                ),
                (
                    starts != sorted({*starts}),
                    "InvalidSchedule",
                    "ChargingSchedulePeriodsOutOfOrder",
                ),
                (
                    len(periods) > most,
                    "InvalidSchedule",
                    "ChargingSchedulePeriodsTooMany",
                ),
                (
                    any(math.isnan(one.get("limit", 0)) for one in periods),
                    "InvalidSchedule",
                    "ChargingSchedulePeriodInvalidLimit",
                ),
                (
                    not (relative or dynamic) and "startSchedule" not in schedule,
                    "InvalidSchedule",
                    "ChargingProfileMissingRequiredStartSchedule",
                ),
                (
                    relative and "startSchedule" in schedule,
                    "InvalidSchedule",
                    "ChargingProfileExtraneousStartSchedule",
                ),
                (
                    any(one.get("numberPhases", 0) > phases for one in periods),
                    "InvalidSchedule",
                    "ChargingSchedulePeriodUnsupportedNumberPhases",
                ),
                (
                    any("phaseToUse" in one for one in periods)
                    and not model.flag("SmartChargingCtrlr.ACPhaseSwitchingSupported"),
                    "InvalidSchedule",
                    "ChargingSchedulePeriodPhaseToUseACPhaseSwitchingUnsupported",
                ),
            ]
        return rules

    def _purpose_rules(
        self, evse_id: int, profile: Json, *, starting: bool
    ) -> list[tuple[Any, str, str]]:
        """Return what can be wrong with where a profile goes, and whether it is."""
        model = self._station.model
        purpose = profile["chargingProfilePurpose"]
        transaction_id = profile.get("transactionId")
        running = self._station.transactions.running.get(evse_id)
        highest = model.number("SmartChargingCtrlr.ProfileStackLevel", 42)
        in_transaction = purpose == TX and not starting
        return [
            (
                profile["stackLevel"] > highest,
                "InvalidStackLevel",
                "ChargingProfileStackLevelTooHigh",
            ),
            (
                purpose == EXTERNAL,
                "InvalidValue",
                "ChargingStationExternalConstraintsInSetChargingProfileRequest",
            ),
            (
                purpose == PRIMARY and evse_id != 0,
                "InvalidValue",
                "ChargingStationMaxProfileEvseIdGreaterThanZero",
            ),
            (
                purpose == PRIMARY and profile["chargingProfileKind"] == "Relative",
                "InvalidValue",
                "ChargingStationMaxProfileCannotBeRelative",
            ),
            (
                purpose == TX and evse_id == 0,
                "InvalidValue",
                "TxProfileEvseIdNotGreaterThanZero",
            ),
            (
                in_transaction and transaction_id is None,
                "MissingParam",
                "TxProfileMissingTransactionId",
            ),
            (
                in_transaction and running is None,
                "TxNotFound",
                "TxProfileEvseHasNoActiveTransaction",
            ),
            (
                in_transaction and running is not None and transaction_id != running.id,
                "TxNotFound",
                "TxProfileTransactionNotOnEvse",
            ),
        ]

    def _conflicts(self, evse_id: int, profile: Json) -> list[tuple[Any, str, str]]:
        """Return how a profile can collide with others, and whether it does."""
        new = Stored(evse_id=evse_id, profile=profile, set_at=self._station.clock())
        others = [
            one
            for number, one in self._profiles.items()
            if number != profile["id"]
            and one.purpose == new.purpose
            and one.profile["stackLevel"] == profile["stackLevel"]
        ]
        there = [one for one in others if one.evse_id == evse_id]
        across = [
            one
            for one in others
            if one.evse_id != evse_id and 0 in (one.evse_id, evse_id)
        ]
        transaction_id = profile.get("transactionId")
        return [
            (
                new.purpose == TX
                and any(
                    one.profile.get("transactionId") == transaction_id for one in there
                ),
                "InvalidStackLevel",
                "TxProfileConflictingStackLevel",
            ),
            (
                new.purpose != TX and any(_overlap(one, new) for one in there),
                "DuplicateProfile",
                "DuplicateProfileValidityPeriod",
            ),
            (
                new.purpose == TX_DEFAULT and across,
                "DuplicateProfile",
                "DuplicateTxDefaultProfileFound",
            ),
        ]


def _limit(period: Json) -> float:
    """Return how much a period lets flow; a setpoint is what is to flow."""
    if period.get("operationMode") == "Idle":
        return 0.0
    limit = float(period.get("limit", NO_LIMIT))
    if (setpoint := period.get("setpoint")) is not None:
        limit = min(limit, max(float(setpoint), 0.0))
    return limit


def _info(reason_code: str, additional_info: str) -> Json:
    return present(reasonCode=reason_code, additionalInfo=additional_info)


def _overlap(one: Stored, other: Stored) -> bool:
    """Return whether two profiles are valid at the same time."""
    return one.span[0] < other.span[1] and other.span[0] < one.span[1]
