"""Charging profiles in the words of OCPP 2.0.1 and 2.1 (K01, K08, K09, K10)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ...station.enums import RateUnit
from ...station.profiles.model import (
    OURS,
    ChargingProfile,
    CompositeSchedule,
    Installed,
    Kind,
    Period,
    ProfileCriteria,
    Purpose,
    Recurrence,
    Schedule,
)
from ...station.profiles.replacement import Dialect
from ...station.transaction import CLOUD
from .. import charging_profiles as common, timestamps
from ..charging_profiles import MAX_PERIODS, Unspeakable, present, whole_seconds
from .two_way import period_fields, read_period

_MAX_PROFILES = 1000
_MOST = 10**9
_LONGEST = 2**31
_END_OF_TIME = 2200


@dataclass(kw_only=True, slots=True, frozen=True)
class _Words:
    """What a version of OCPP can say."""

    purposes: tuple[Purpose, ...]
    kinds: tuple[Kind, ...]
    newer: bool

    @property
    def by_purpose(self) -> dict[Purpose, str]:
        return {one: one.value for one in (*self.purposes, Purpose.EXTERNAL)}


_V201 = _Words(
    purposes=(Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX),
    kinds=(Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE),
    newer=False,
)
_V21 = _Words(
    purposes=(*_V201.purposes, Purpose.PRIORITY, Purpose.LOCAL_GENERATION),
    kinds=(*_V201.kinds, Kind.DYNAMIC),
    newer=True,
)


def _words(dialect: Dialect) -> _Words:
    return _V21 if dialect == "2.1" else _V201


def set_request(
    evse_id: int, profile: ChargingProfile, dialect: Dialect
) -> dict[str, Any]:
    """Return the payload of SetChargingProfile; raises Unspeakable."""
    return {"evseId": evse_id, "chargingProfile": profile_payload(profile, dialect)}


def profile_payload(profile: ChargingProfile, dialect: Dialect) -> dict[str, Any]:
    """Return a ChargingProfile (2.0.1 2.11); raises Unspeakable."""
    words = _words(dialect)
    if profile.purpose not in words.purposes:
        raise Unspeakable(profile.purpose)
    if profile.kind not in words.kinds:
        raise Unspeakable(profile.kind)
    if (profile.transaction_id or "").startswith(CLOUD):
        # Only the cloud of its maker calls it so.
        raise Unspeakable("transactionId")
    optional = {
        "recurrencyKind": profile.recurrence,
        "validFrom": whole_seconds(profile.valid_from),
        "validTo": whole_seconds(profile.valid_to),
        "transactionId": profile.transaction_id,
        **_newer(profile),
    }
    if dialect != "2.1" and (unknown := _unknown(profile)) is not None:
        raise Unspeakable(unknown)
    return {
        "id": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": profile.purpose.value,
        "chargingProfileKind": profile.kind.value,
        **present(optional),
        "chargingSchedule": [_schedule(profile)],
    }


def _newer(profile: ChargingProfile) -> dict[str, Any]:
    """Return what only OCPP 2.1 says of a profile itself."""
    return {
        "maxOfflineDuration": profile.max_offline,
        "invalidAfterOfflineDuration": profile.invalid_after_offline or None,
        "dynUpdateInterval": profile.update_interval,
    }


def _unknown(profile: ChargingProfile) -> str | None:
    """Return what OCPP 2.0.1 does not know of a profile."""
    schedule, newer = profile.schedule, present(_newer(profile))
    words = {
        "useLocalTime": schedule.use_local_time,
        "randomizedDelay": schedule.random_delay is not None,
        "limitAtSoC": schedule.limit_at_soc is not None,
    }
    if any(one.two_way is not None for one in profile.schedule.periods):
        return "operationMode"
    used = [word for word, is_used in words.items() if is_used]
    return next(iter([*used, *newer]), None)


def clear_requests(criteria: ProfileCriteria, dialect: Dialect) -> list[dict[str, Any]]:
    """Return the payloads of ClearChargingProfile; raises Unspeakable.

    Something has to be said of what is to go (K10.FR.02): for everything, that is one
    message for each purpose.
    """
    if criteria.id is not None:
        # Whatever else is said is not heeded (K10.FR.03).
        return [{"chargingProfileId": criteria.id}]
    if criteria.purpose is Purpose.EXTERNAL:
        # K10.FR.06: what others have set is not ours to clear.
        raise Unspeakable(criteria.purpose)
    words = _words(dialect)
    every = [replace(criteria, purpose=purpose) for purpose in words.purposes]
    all_of_them = criteria == ProfileCriteria()
    return [
        {
            "chargingProfileCriteria": common.criteria_payload(
                one, "evseId", words.by_purpose
            )
        }
        for one in (every if all_of_them else [criteria])
    ]


def get_request(
    request_id: int, criteria: ProfileCriteria, dialect: Dialect
) -> dict[str, Any]:
    """Return the payload of GetChargingProfiles; raises Unspeakable."""
    chosen = common.criteria_payload(criteria, "evseId", _words(dialect).by_purpose)
    place = present({"evseId": chosen.pop("evseId", None)})
    if criteria.id is not None:
        chosen["chargingProfileId"] = [criteria.id]
    if criteria.source is not None:
        chosen["chargingLimitSource"] = [criteria.source]
    return {"requestId": request_id, **place, "chargingProfile": chosen}


def composite(
    answer: dict[str, Any],
    evse_id: int,
    duration: int,
    unit: RateUnit,
    now: datetime,
    *,
    defaults: Mapping[RateUnit, Fraction],
) -> CompositeSchedule | None:
    """Return what a GetCompositeSchedule answer tells; None if it tells nothing.

    `defaults` are what the station says where nothing limits (libocpp: 48 A).
    """
    if str(answer.get("status")).lower() != "accepted":
        return None
    schedule = answer.get("schedule")
    schedule = schedule if isinstance(schedule, dict) else {}
    told = common.composite(
        schedule,
        schedule.get("scheduleStart"),
        evse_id=evse_id,
        duration=duration,
        unit=unit,
        now=now,
    )
    default = defaults.get(told.unit)
    periods = tuple(
        replace(one, limit=None)
        if default is not None and one.limit == default
        else one
        for one in told.periods
    )
    return replace(told, periods=periods)


def parse_profiles(payload: dict[str, Any], now: datetime) -> list[Installed]:
    """Return what a ReportChargingProfiles tells, leaving out what nobody can read."""
    told, source = payload.get("chargingProfile"), payload.get("chargingLimitSource")
    profiles = told[:_MAX_PROFILES] if isinstance(told, list) else []
    return [
        Installed(
            evse_id=payload["evseId"],
            profile=profile,
            set_at=now,
            source=None if source == OURS else str(source)[:20],
        )
        for one in profiles
        if isinstance(one, dict) and (profile := _profile(one)) is not None
    ]


def _schedule(profile: ChargingProfile) -> dict[str, Any]:
    schedule = profile.schedule
    payload = {"id": profile.id, **common.schedule_payload(schedule)}
    if schedule.use_local_time:
        payload["useLocalTime"] = True
    if schedule.random_delay is not None:
        payload["randomizedDelay"] = schedule.random_delay
    if schedule.limit_at_soc is not None:
        soc, limit = schedule.limit_at_soc
        payload["limitAtSoC"] = {"soc": soc, "limit": common.number(limit)}
    for told, period in zip(
        payload["chargingSchedulePeriod"], schedule.periods, strict=True
    ):
        if period.phase_to_use is not None:
            told["phaseToUse"] = period.phase_to_use
        if period.two_way is not None:
            del told["limit"]
            told |= period_fields(period.two_way)
    return payload


def _profile(told: dict[str, Any]) -> ChargingProfile | None:
    schedules, recurrence = told.get("chargingSchedule"), told.get("recurrencyKind")
    # Some know one schedule only, as in 1.6.
    first = schedules[0] if isinstance(schedules, list) and schedules else schedules
    try:
        return ChargingProfile(
            id=int(told["id"]),
            purpose=Purpose(told["chargingProfilePurpose"]),
            kind=Kind(told["chargingProfileKind"]),
            stack_level=int(told["stackLevel"]),
            schedule=parse_schedule(first),
            recurrence=None if recurrence is None else Recurrence(recurrence),
            valid_from=_moment(told.get("validFrom")),
            valid_to=_moment(told.get("validTo")),
            transaction_id=told.get("transactionId"),
            max_offline=told.get("maxOfflineDuration"),
            invalid_after_offline=told.get("invalidAfterOfflineDuration") is True,
            update_interval=told.get("dynUpdateInterval"),
        )
    except AttributeError, KeyError, TypeError, ValueError:
        return None


def parse_schedule(told: Any) -> Schedule:
    """Return a ChargingSchedule (2.0.1 2.12); KeyError, TypeError, ValueError if none."""
    return Schedule(
        unit=RateUnit(told["chargingRateUnit"]),
        periods=tuple(_periods(told["chargingSchedulePeriod"][:MAX_PERIODS])),
        start=_moment(told.get("startSchedule")),
        duration=told.get("duration"),
        minimum_rate=common.amount(told.get("minChargingRate")),
        use_local_time=told.get("useLocalTime") is True,
        random_delay=told.get("randomizedDelay"),
        limit_at_soc=_limit_at_soc(told.get("limitAtSoC")),
    )


def _periods(told: list[dict[str, Any]]) -> Iterator[Period]:
    for one in told:
        two_way, limit = read_period(one), common.amount(one.get("limit"))
        if two_way is not None:
            limit = two_way.most
        start = int(one["startPeriod"])
        if limit is None or abs(limit) > _MOST or not 0 <= start <= _LONGEST:
            raise ValueError("period")
        yield Period(
            start=start,
            limit=limit,
            phases=one.get("numberPhases"),
            phase_to_use=one.get("phaseToUse"),
            two_way=two_way,
        )


def _limit_at_soc(told: Any) -> tuple[int, Decimal] | None:
    if not isinstance(told, dict) or (limit := common.amount(told["limit"])) is None:
        return None
    return int(told["soc"]), limit


def _moment(told: object) -> datetime | None:
    moment = timestamps.parse(told if isinstance(told, str) else None)
    # libocpp says 1970 and 2262 where nothing bounds.
    if moment is None or not 1970 < moment.year < _END_OF_TIME:
        return None
    return moment
