"""Charging profiles: the words that every OCPP version has for them."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeIs

from ..station.enums import RateUnit
from ..station.profiles.model import (
    CompositePeriod,
    CompositeSchedule,
    Period,
    ProfileCriteria,
    Purpose,
    Schedule,
)
from . import timestamps

MAX_PERIODS = 1000
"""More periods than this no station has; the rest of such an answer is not read."""


class Unspeakable(ValueError):
    """A profile that an OCPP version has no words for."""


def whole_seconds(moment: datetime | None) -> str | None:
    """Return a moment without fractions, which Easee and others do not read (row N8)."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}


def schedule_payload(schedule: Schedule) -> dict[str, Any]:
    """Return a ChargingSchedule (1.6 7.13, 2.0.1 2.12), without what is in 2.x only."""
    rate = schedule.minimum_rate
    optional = {
        "duration": schedule.duration,
        "startSchedule": whole_seconds(schedule.start),
        "minChargingRate": None if rate is None else number(rate),
    }
    return {
        **present(optional),
        "chargingRateUnit": schedule.unit.value,
        "chargingSchedulePeriod": [_period(one) for one in schedule.periods],
    }


def criteria_payload(
    criteria: ProfileCriteria, evse: str, purposes: dict[Purpose, str]
) -> dict[str, Any]:
    """Return criteria but for the id; `evse` is what the EVSE is called."""
    if criteria.purpose is not None and criteria.purpose not in purposes:
        raise Unspeakable(criteria.purpose)
    return present(
        {
            evse: criteria.evse_id,
            "chargingProfilePurpose": criteria.purpose and purposes[criteria.purpose],
            "stackLevel": criteria.stack_level,
        }
    )


def composite(
    schedule: dict[str, Any],
    start: object,
    *,
    evse_id: int,
    duration: int,
    unit: RateUnit,
    now: datetime,
) -> CompositeSchedule:
    """Return what a composite schedule tells, from `start` or else `now`.

    No schedule, an empty one and a negative limit (MicroOcpp) all mean that nothing
    limits. `unit` is assumed where the answer names none.
    """
    told = str(schedule.get("chargingRateUnit", unit)).strip().upper()
    length = schedule.get("duration")
    return CompositeSchedule(
        evse_id=evse_id,
        start=timestamps.parse(start if isinstance(start, str) else None) or now,
        duration=length if counts(length) else duration,
        unit=RateUnit(told) if told in {*RateUnit} else unit,
        periods=tuple(_periods(schedule.get("chargingSchedulePeriod"))),
    )


def counts(value: object) -> TypeIs[int]:
    """Return whether a value is a whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def amount(value: object) -> Decimal | None:
    """Return a number as it was written, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None


def number(value: Decimal) -> int | float:
    """Return a limit for a message."""
    # 16, not 16.0: some stations read whole numbers only.
    return int(value) if value == value.to_integral_value() else float(value)


def _period(period: Period) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "startPeriod": period.start,
        "limit": number(period.limit),
    }
    if period.phases is not None:
        payload["numberPhases"] = period.phases
    return payload


def _periods(told: object) -> Iterator[CompositePeriod]:
    for one in told[:MAX_PERIODS] if isinstance(told, list) else ():
        if not isinstance(one, dict) or not counts(start := one.get("startPeriod")):
            continue
        if (value := amount(one.get("limit"))) is None:
            continue
        phases = one.get("numberPhases")
        yield CompositePeriod(
            start=start,
            limit=None if value < 0 else Fraction(value),
            phases=phases if counts(phases) else None,
        )
