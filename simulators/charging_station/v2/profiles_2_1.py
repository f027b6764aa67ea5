"""What OCPP 2.1 adds to the rules of charging profiles."""

from typing import TYPE_CHECKING, Any

from .v2x import DEFAULT_MODE, PURPOSES, fits
from .values import Json

if TYPE_CHECKING:
    from .station import ChargingStation

ADDITIONAL = {"LocalGeneration", "PriorityCharging"}


def newer_rules(
    station: ChargingStation, evse_id: int, profile: Json
) -> list[tuple[Any, str, str]]:
    """Return what can be wrong with what only OCPP 2.1 knows, and whether it is."""
    purpose, schedules = profile["chargingProfilePurpose"], profile["chargingSchedule"]
    model = station.model
    known = model.members("SmartChargingCtrlr.SupportedAdditionalPurposes")
    dynamic = profile["chargingProfileKind"] == "Dynamic"
    count = sum(len(one["chargingSchedulePeriod"]) for one in schedules)
    first = model.number("SmartChargingCtrlr.MaxExternalConstraintsId", -1)
    return [
        (
            purpose in ADDITIONAL and purpose not in known,
            "UnsupportedPurpose",
            "ChargingProfileUnsupportedPurpose",
        ),
        (
            purpose == "PriorityCharging"
            and any("duration" in one for one in schedules),
            "InvalidSchedule",
            "ChargingSchedulePriorityExtranousDuration",
        ),
        (
            purpose == "LocalGeneration" and evse_id != 0,
            "InvalidValue",
            "LocalGenerationEvseIdGreaterThanZero",
        ),
        (
            dynamic and (len(schedules), count) != (1, 1),
            "InvalidSchedule",
            "ChargingProfileDynamicNotOnePeriod",
        ),
        (
            0 <= profile["id"] <= first,
            "InvalidProfileId",
            "ChargingProfileIdReservedForExternalConstraints",
        ),
        *_features(station, schedules),
        *_modes(station, evse_id, purpose, schedules),
    ]


def _features(
    station: ChargingStation, schedules: list[Json]
) -> list[tuple[Any, str, str]]:
    """Return what the schedules ask for that the station does not offer."""
    supports = station.charging.supports
    wanted = {
        "limitAtSoC": ("LimitAtSoC", "ChargingScheduleUnsupportedLimitAtSoC"),
        "randomizedDelay": (
            "RandomizedDelay",
            "ChargingScheduleUnsupportedRandomizedDelay",
        ),
        "useLocalTime": ("UseLocalTime", "ChargingScheduleUnsupportedLocalTime"),
    }
    return [
        (
            any(field in one for one in schedules) and not supports(feature),
            "InvalidSchedule",
            problem,
        )
        for field, (feature, problem) in wanted.items()
    ]


def _modes(
    station: ChargingStation, evse_id: int, purpose: str, schedules: list[Json]
) -> list[tuple[Any, str, str]]:
    """Return what is wrong with the operation modes (Q)."""
    evses = [evse_id] if evse_id else [*range(1, len(station.evses) + 1)]
    known = {
        mode
        for one in evses
        for mode in station.model.members(
            "V2XChargingCtrlr.SupportedOperationModes", one
        )
    }
    known &= PURPOSES.get(purpose, known)
    periods = [one for some in schedules for one in some["chargingSchedulePeriod"]]
    told = [one for one in periods if "operationMode" in one]
    return [
        (
            any(one["operationMode"] not in known | {DEFAULT_MODE} for one in told),
            "InvalidSchedule",
            "ChargingSchedulePeriodUnsupportedOperationMode",
        ),
        (
            any(not fits(one["operationMode"], one) for one in told),
            "InvalidSchedule",
            "ChargingSchedulePeriodUnsupportedLimitSetpoint",
        ),
        (
            any("setpoint" in one and "operationMode" not in one for one in periods),
            "InvalidSchedule",
            "ChargingSchedulePeriodUnsupportedLimitSetpoint",
        ),
    ]
