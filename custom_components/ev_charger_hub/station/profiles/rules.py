"""The rules that a charging profile has to keep, looked at before it is sent.

They are named as in OCPP 2.x, K01 and its neighbours, whatever the version: those of
1.6 say the same without numbers (3.13, 5.16, 7.8 to 7.14). A rule that only the
definition of a data type contains is named `type.field`, a bound that the station told
by the variable that tells it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from .model import ChargingProfile, Installed, Kind, ProfileSupport, Purpose
from .replacement import Dialect, overlapping, replaces, same_place
from .timeline import seconds

ONLY_IN_21 = frozenset({Purpose.LOCAL_GENERATION, Purpose.PRIORITY})
PHASES = range(1, 4)


@dataclass(kw_only=True, slots=True, frozen=True)
class Violation:
    """A rule that a profile breaks, and the field of the profile that breaks it.

    `key` is that of the translated message, which takes the placeholders.
    """

    rule: str
    field: str
    key: str
    placeholders: Mapping[str, str]


@dataclass(kw_only=True, slots=True, frozen=True)
class _Case:
    """A profile, and all that its rules depend on."""

    profile: ChargingProfile
    evse_id: int
    support: ProfileSupport
    transaction_id: str | None
    others: tuple[Installed, ...]
    dialect: Dialect


def violations(
    profile: ChargingProfile,
    *,
    evse_id: int,
    support: ProfileSupport | None,
    transaction_id: str | None,
    others: Iterable[Installed] = (),
    dialect: Dialect,
) -> tuple[Violation, ...]:
    """Return which rules a profile would break at an EVSE (0: the station).

    `transaction_id` is that of the transaction that runs there, `others` are the
    profiles that the station holds. What is not known to be forbidden is allowed.
    """
    case = _Case(
        profile=profile,
        evse_id=evse_id,
        support=support or ProfileSupport(),
        transaction_id=transaction_id,
        others=tuple(others),
        dialect=dialect,
    )
    checks = (_purpose, _kind, _place, _transaction, _start, _time, _newer)
    found = [one for check in checks for one in check(case)]
    found += [one for check in (_periods, _rates, _phases) for one in check(case)]
    return (*found, *_conflicts(case))


def _broken(rule: str, field: str, key: str, **placeholders: object) -> Violation:
    words = {name: str(value) for name, value in placeholders.items()}
    return Violation(rule=rule, field=field, key=key, placeholders=words)


def _purpose(case: _Case) -> Iterator[Violation]:
    purpose = case.profile.purpose
    if purpose is Purpose.EXTERNAL:
        yield _broken("K01.FR.22", "purpose", "profile_purpose_external")
    if purpose in ONLY_IN_21 and case.dialect != "2.1":
        yield _broken(
            "K01.FR.120",
            "purpose",
            "profile_purpose_unknown",
            purpose=purpose,
            version=case.dialect,
        )


def _kind(case: _Case) -> Iterator[Violation]:
    kind, recurrence = case.profile.kind, case.profile.recurrence
    if kind is Kind.DYNAMIC and case.dialect != "2.1":
        yield _broken(
            "K01.FR.121",
            "kind",
            "profile_kind_unknown",
            kind=kind,
            version=case.dialect,
        )
    # Easee takes nothing else (row S4).
    if case.support.only_absolute and kind is not Kind.ABSOLUTE:
        yield _broken(
            "ProfileSupport.only_absolute", "kind", "profile_only_absolute", kind=kind
        )
    if case.profile.purpose is Purpose.STATION_MAX and kind is Kind.RELATIVE:
        yield _broken("K01.FR.38", "kind", "profile_station_max_relative")
    rule = "ChargingProfileType.recurrencyKind"
    if kind is Kind.RECURRING and recurrence is None:
        yield _broken(rule, "recurrence", "profile_recurrence_missing")
    if kind is not Kind.RECURRING and recurrence is not None:
        yield _broken(rule, "recurrence", "profile_recurrence_extraneous", kind=kind)


def _place(case: _Case) -> Iterator[Violation]:
    evse_id, purpose = case.evse_id, case.profile.purpose
    level, highest = case.profile.stack_level, case.support.max_stack_level
    evses = case.support.evses
    if evse_id < 0 or (evses is not None and evse_id > evses):
        yield _broken("K01.FR.28", "evse_id", "profile_evse_unknown", evse_id=evse_id)
    if purpose is Purpose.STATION_MAX and evse_id != 0:
        yield _broken("K04.FR.03", "evse_id", "profile_station_max_evse")
    if purpose is Purpose.TX and evse_id == 0:
        yield _broken("K01.FR.16", "evse_id", "profile_tx_evse")
    if level < 0:
        yield _broken(
            "ChargingProfileType.stackLevel",
            "stack_level",
            "profile_stack_level_negative",
        )
    if highest is not None and level > highest:
        yield _broken(
            "SmartChargingCtrlr.ProfileStackLevel",
            "stack_level",
            "profile_stack_level_too_high",
            maximum=highest,
        )


def _transaction(case: _Case) -> Iterator[Violation]:
    named = case.profile.transaction_id
    if case.profile.purpose is not Purpose.TX:
        if named is not None:
            yield _broken(
                "ChargingProfileType.transactionId",
                "transaction_id",
                "profile_transaction_extraneous",
            )
        return
    if case.transaction_id is None:
        yield _broken("K01.FR.09", "purpose", "profile_tx_without_transaction")
    elif named not in (None, case.transaction_id):
        yield _broken(
            "K01.FR.33",
            "transaction_id",
            "profile_transaction_unknown",
            transaction_id=named,
        )
    # OCPP 1.6 may leave it out (7.8).
    if named is None and case.dialect != "1.6":
        yield _broken("K01.FR.03", "transaction_id", "profile_transaction_missing")


def _start(case: _Case) -> Iterator[Violation]:
    kind, schedule = case.profile.kind, case.profile.schedule
    if kind in (Kind.ABSOLUTE, Kind.RECURRING) and schedule.start is None:
        yield _broken("K01.FR.40", "start", "profile_start_missing", kind=kind)
    if kind is Kind.RELATIVE and schedule.start is not None:
        yield _broken("K01.FR.41", "start", "profile_start_extraneous")
    if schedule.use_local_time and case.dialect != "2.1":
        yield _broken(
            "K01.FR.123",
            "use_local_time",
            "profile_local_time_unknown",
            version=case.dialect,
        )


def _time(case: _Case) -> Iterator[Violation]:
    profile, duration = case.profile, case.profile.schedule.duration
    if duration is not None and duration <= 0:
        yield _broken(
            "ChargingScheduleType.duration", "duration", "profile_duration_not_positive"
        )
    if duration is not None and profile.purpose is Purpose.PRIORITY:
        yield _broken("K01.FR.70", "duration", "profile_priority_duration")
    since, until = profile.valid_from, profile.valid_to
    if since is not None and until is not None and seconds(since) >= seconds(until):
        yield _broken(
            "ChargingProfileType.validTo", "valid_to", "profile_validity_empty"
        )


def _newer(case: _Case) -> Iterator[Violation]:
    """Yield what only 2.1 knows, and what is asked of it."""
    profile, schedule = case.profile, case.profile.schedule
    told = {
        "max_offline": profile.max_offline is not None,
        "invalid_after_offline": profile.invalid_after_offline,
        "update_interval": profile.update_interval is not None,
        "random_delay": schedule.random_delay is not None,
        "limit_at_soc": schedule.limit_at_soc is not None,
    }
    if case.dialect != "2.1":
        for field in (name for name, used in told.items() if used):
            yield _broken(
                "OCPP 2.1",
                field,
                "profile_field_unknown",
                name=field,
                version=case.dialect,
            )
    if told["update_interval"] and profile.kind is not Kind.DYNAMIC:
        yield _broken("K01.FR.122", "update_interval", "profile_not_dynamic")
    reserved = case.support.max_external_id
    if reserved is not None and 0 <= profile.id <= reserved:
        yield _broken("K01.FR.80", "id", "profile_id_for_others", maximum=reserved)


def _periods(case: _Case) -> Iterator[Violation]:
    starts = [period.start for period in case.profile.schedule.periods]
    most = case.support.max_periods
    if not starts:
        yield _broken(
            "ChargingScheduleType.chargingSchedulePeriod",
            "periods",
            "profile_periods_missing",
        )
    elif starts[0] != 0:
        yield _broken("K01.FR.31", "periods", "profile_first_period", start=starts[0])
    if any(before >= after for before, after in pairwise(starts)):
        yield _broken("K01.FR.35", "periods", "profile_periods_order")
    if case.profile.kind is Kind.DYNAMIC and len(starts) > 1:
        yield _broken("K28.FR.01", "periods", "profile_dynamic_periods")
    elif most is not None and len(starts) > most:
        yield _broken(
            "SmartChargingCtrlr.PeriodsPerSchedule",
            "periods",
            "profile_periods_too_many",
            maximum=most,
        )


def _rates(case: _Case) -> Iterator[Violation]:
    schedule, units = case.profile.schedule, case.support.units
    if units is not None and schedule.unit not in units:
        yield _broken(
            "K01.FR.26",
            "unit",
            "profile_unit_unsupported",
            unit=schedule.unit,
            units=", ".join(units),
        )
    limits = [period.limit for period in schedule.periods]
    yield from _amounts(case, "limit", limits)
    if schedule.minimum_rate is not None:
        yield from _amounts(case, "minimum_rate", [schedule.minimum_rate])


def _amounts(case: _Case, field: str, amounts: list[Decimal]) -> Iterator[Violation]:
    rule = {
        "limit": "ChargingSchedulePeriodType.limit",
        "minimum_rate": "ChargingScheduleType.minChargingRate",
    }[field]
    for amount in amounts:
        if not amount.is_finite():
            yield _broken(rule, field, "profile_not_a_number", name=field)
        elif amount < 0:
            yield _broken(rule, field, "profile_negative", name=field, amount=amount)
        # 2.1 lifts this.
        elif case.dialect != "2.1" and _decimals(amount) > 1:
            yield _broken(rule, field, "profile_decimals", name=field, amount=amount)
        else:
            continue
        return


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _phases(case: _Case) -> Iterator[Violation]:
    periods = case.profile.schedule.periods
    chosen = [one for one in periods if one.phase_to_use is not None]
    if any(one.phases is not None and one.phases not in PHASES for one in periods):
        yield _broken("K01.FR.45", "phases", "profile_phases_unknown")
    if any(one.phase_to_use not in PHASES for one in chosen):
        yield _broken(
            "ChargingSchedulePeriodType.phaseToUse",
            "phase_to_use",
            "profile_phase_to_use_unknown",
        )
    if any(one.phases != 1 for one in chosen):
        yield _broken("K01.FR.19", "phase_to_use", "profile_phase_to_use_phases")
    if chosen and (case.dialect == "1.6" or not case.support.phase_to_use):
        yield _broken("K01.FR.20", "phase_to_use", "profile_phase_to_use_unsupported")


def _conflicts(case: _Case) -> Iterator[Violation]:
    profile, most = case.profile, case.support.max_profiles
    # When it would be installed matters to nothing here.
    new = Installed(
        evse_id=case.evse_id, profile=profile, set_at=datetime.min.replace(tzinfo=UTC)
    )
    taken = [one for one in case.others if one.profile.id == profile.id]
    if any(one.profile.purpose is Purpose.EXTERNAL for one in taken):
        yield _broken("K01.FR.05", "id", "profile_id_external", id=profile.id)
    kept = [one for one in case.others if not replaces(new, one, case.dialect)]
    if most is not None and len(kept) >= most:
        yield _broken(
            "SmartChargingCtrlr.Entries",
            "id",
            "profile_too_many",
            maximum=most,
        )
    # OCPP 1.6 replaces what 2.x refuses.
    if case.dialect != "1.6":
        for other in kept:
            if rule := _conflict(new, other):
                yield _broken(
                    rule,
                    "stack_level",
                    "profile_stack_level_taken",
                    stack_level=profile.stack_level,
                    id=other.profile.id,
                )
                return


def _conflict(new: Installed, old: Installed) -> str | None:
    """Return the rule by which a profile may not be put beside another one."""
    mine, theirs = new.profile, old.profile
    if same_place(new, old):
        if mine.purpose is Purpose.TX:
            return "K01.FR.39"
        return "K01.FR.06" if overlapping(mine, theirs) else None
    if mine.purpose is theirs.purpose is Purpose.TX_DEFAULT:
        if mine.stack_level == theirs.stack_level and 0 in (new.evse_id, old.evse_id):
            return "K01.FR.52" if new.evse_id == 0 else "K01.FR.53"
    return None
