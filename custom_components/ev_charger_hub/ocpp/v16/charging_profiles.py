"""Charging profiles in the words of OCPP 1.6 (5.5, 5.7, 5.16 and 7.8 to 7.14)."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeIs

from ...station.enums import RateUnit
from ...station.profiles.model import (
    ChargingProfile,
    CompositePeriod,
    CompositeSchedule,
    Kind,
    Period,
    ProfileCriteria,
    Purpose,
    Schedule,
)
from .. import timestamps

MAX_PERIODS = 1000
"""More periods than this no station has; the rest of such an answer is not read."""

PURPOSES = {
    Purpose.STATION_MAX: "ChargePointMaxProfile",
    Purpose.TX_DEFAULT: "TxDefaultProfile",
    Purpose.TX: "TxProfile",
}
KINDS = frozenset({Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE})


class Unspeakable(ValueError):
    """A profile that OCPP 1.6 has no words for."""


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
        "validFrom": _whole_seconds(profile.valid_from),
        "validTo": _whole_seconds(profile.valid_to),
    }
    return {
        "chargingProfileId": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": PURPOSES[profile.purpose],
        "chargingProfileKind": profile.kind.value,
        **{key: value for key, value in optional.items() if value is not None},
        "chargingSchedule": _schedule(profile.schedule),
    }


def clear_request(criteria: ProfileCriteria) -> dict[str, Any]:
    """Return the payload of ClearChargingProfile; raises Unspeakable."""
    if criteria.purpose is not None and criteria.purpose not in PURPOSES:
        raise Unspeakable(criteria.purpose)
    optional = {
        "id": criteria.id,
        "connectorId": criteria.evse_id,
        "chargingProfilePurpose": criteria.purpose and PURPOSES[criteria.purpose],
        "stackLevel": criteria.stack_level,
    }
    return {key: value for key, value in optional.items() if value is not None}


def composite(
    answer: dict[str, Any], evse_id: int, duration: int, unit: RateUnit, now: datetime
) -> CompositeSchedule | None:
    """Return what a GetCompositeSchedule answer tells; None if it tells nothing.

    Accepted without a schedule, an empty schedule and a negative limit (MicroOcpp) all
    mean that nothing limits. `unit` is assumed where the answer names none, and `now`
    is its start unless it tells one.
    """
    if str(answer.get("status")).lower() != "accepted":
        return None
    schedule = answer.get("chargingSchedule")
    schedule = schedule if isinstance(schedule, dict) else {}
    told = str(schedule.get("chargingRateUnit", unit)).strip().upper()
    start = answer.get("scheduleStart") or schedule.get("startSchedule")
    length = schedule.get("duration")
    return CompositeSchedule(
        evse_id=evse_id,
        start=timestamps.parse(start) or now,
        duration=length if _counts(length) else duration,
        unit=RateUnit(told) if told in {*RateUnit} else unit,
        periods=tuple(_periods(schedule.get("chargingSchedulePeriod"))),
    )


def _whole_seconds(moment: datetime | None) -> str | None:
    # Easee and others read no fractions here (row N8).
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(value: Decimal) -> int | float:
    # 16, not 16.0: some stations read whole numbers only.
    return int(value) if value == value.to_integral_value() else float(value)


def _schedule(schedule: Schedule) -> dict[str, Any]:
    rate = schedule.minimum_rate
    optional = {
        "duration": schedule.duration,
        "startSchedule": _whole_seconds(schedule.start),
        "minChargingRate": None if rate is None else _number(rate),
    }
    return {
        **{key: value for key, value in optional.items() if value is not None},
        "chargingRateUnit": schedule.unit.value,
        "chargingSchedulePeriod": [_period(one) for one in schedule.periods],
    }


def _period(period: Period) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "startPeriod": period.start,
        "limit": _number(period.limit),
    }
    if period.phases is not None:
        payload["numberPhases"] = period.phases
    return payload


def _counts(value: object) -> TypeIs[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _periods(told: object) -> Iterator[CompositePeriod]:
    for one in told[:MAX_PERIODS] if isinstance(told, list) else ():
        if not isinstance(one, dict) or not _counts(start := one.get("startPeriod")):
            continue
        limit = one.get("limit")
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            continue
        value = Decimal(str(limit))
        if not value.is_finite():
            continue
        phases = one.get("numberPhases")
        yield CompositePeriod(
            start=start,
            limit=None if value < 0 else Fraction(value),
            phases=phases if _counts(phases) else None,
        )
