"""Charging profiles in the words of OCPP 1.6 (5.5, 5.7, 5.16 and 7.8 to 7.14)."""

from datetime import datetime
from typing import Any

from ...station.enums import RateUnit
from ...station.profiles.model import (
    ChargingProfile,
    CompositeSchedule,
    Kind,
    ProfileCriteria,
    Purpose,
)
from .. import charging_profiles as common
from ..charging_profiles import Unspeakable, present, whole_seconds

PURPOSES = {
    Purpose.STATION_MAX: "ChargePointMaxProfile",
    Purpose.TX_DEFAULT: "TxDefaultProfile",
    Purpose.TX: "TxProfile",
}
KINDS = frozenset({Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE})


def set_request(evse_id: int, profile: ChargingProfile) -> dict[str, Any]:
    """Return the payload of SetChargingProfile; raises Unspeakable."""
    return {"connectorId": evse_id, "csChargingProfiles": profile_payload(profile)}


def profile_payload(profile: ChargingProfile) -> dict[str, Any]:
    """Return a ChargingProfile (7.8); raises Unspeakable."""
    if profile.purpose not in PURPOSES:
        raise Unspeakable(profile.purpose)
    if profile.kind not in KINDS:
        raise Unspeakable(profile.kind)
    number = profile.transaction_id
    if number is not None and not number.isdecimal():
        raise Unspeakable("transactionId")
    optional: dict[str, Any] = {
        "transactionId": None if number is None else int(number),
        "recurrencyKind": profile.recurrence,
        "validFrom": whole_seconds(profile.valid_from),
        "validTo": whole_seconds(profile.valid_to),
    }
    return {
        "chargingProfileId": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": PURPOSES[profile.purpose],
        "chargingProfileKind": profile.kind.value,
        **present(optional),
        "chargingSchedule": common.schedule_payload(profile.schedule),
    }


def clear_request(criteria: ProfileCriteria) -> dict[str, Any]:
    """Return the payload of ClearChargingProfile; raises Unspeakable."""
    chosen = common.criteria_payload(criteria, "connectorId", PURPOSES)
    return present({"id": criteria.id}) | chosen


def composite(
    answer: dict[str, Any], evse_id: int, duration: int, unit: RateUnit, now: datetime
) -> CompositeSchedule | None:
    """Return what a GetCompositeSchedule answer tells; None if it tells nothing."""
    if str(answer.get("status")).lower() != "accepted":
        return None
    schedule = answer.get("chargingSchedule")
    schedule = schedule if isinstance(schedule, dict) else {}
    start = answer.get("scheduleStart") or schedule.get("startSchedule")
    return common.composite(
        schedule, start, evse_id=evse_id, duration=duration, unit=unit, now=now
    )
