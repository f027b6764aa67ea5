"""The rules of charging profiles, each by a profile that breaks it."""

from dataclasses import dataclass, replace
from decimal import Decimal
import json
from pathlib import Path
import re
from typing import Any

import pytest

from .make import after, installed, period, profile
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles import rules
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Installed,
    Kind,
    Period,
    ProfileSupport,
    Purpose,
    Recurrence,
)
from custom_components.ev_charger_hub.station.profiles.replacement import Dialect
from custom_components.ev_charger_hub.station.profiles.rules import (
    Violation,
    violations,
)

ROOT = Path(__file__).parents[3]
ENGLISH = ROOT / "custom_components/ev_charger_hub/translations/en.json"
ALL: tuple[Dialect, ...] = ("1.6", "2.0.1", "2.1")
NEW: tuple[Dialect, ...] = ("2.0.1", "2.1")
OLD: tuple[Dialect, ...] = ("1.6", "2.0.1")
SUPPORT = ProfileSupport(
    units=(RateUnit.AMPERE,),
    max_stack_level=9,
    max_periods=3,
    max_profiles=4,
    evses=2,
    phase_to_use=True,
)


@dataclass(kw_only=True)
class Sent:
    """A profile and how it is sent, by default where a transaction runs."""

    profile: ChargingProfile
    evse_id: int = 1
    others: tuple[Installed, ...] = ()
    running: str | None = "7"
    support: ProfileSupport | None = SUPPORT
    dialects: tuple[Dialect, ...] = ALL

    def violations(self, dialect: Dialect) -> tuple[Violation, ...]:
        """Return what is wrong with it."""
        return violations(
            self.profile,
            evse_id=self.evse_id,
            support=self.support,
            transaction_id=self.running,
            others=self.others,
            dialect=dialect,
        )


def sent(*periods: Period | str, **changes: Any) -> Sent:
    """Return a profile that is sent; arguments of Sent are told from the profile's."""
    of_sent = {
        name: changes.pop(name)
        for name in ("evse_id", "others", "running", "support", "dialects")
        if name in changes
    }
    return replace(Sent(profile=profile(*periods, **changes)), **of_sent)


TX: dict[str, Any] = {"purpose": Purpose.TX, "transaction_id": "7"}
RECURRING: dict[str, Any] = {"kind": Kind.RECURRING, "recurrence": Recurrence.DAILY}
STATION_MAX: dict[str, Any] = {"purpose": Purpose.STATION_MAX, "evse_id": 0}


def phase(to_use: int, phases: int | None = 1) -> Period:
    """Return a period that chooses a phase."""
    return Period(start=0, limit=Decimal(16), phases=phases, phase_to_use=to_use)


KEPT = {
    "default": sent(),
    "default of the station": sent(evse_id=0),
    "maximum of the station": sent(**STATION_MAX),
    "recurring maximum": sent(**STATION_MAX, **RECURRING),
    "of the transaction": sent(**TX),
    "of whichever transaction": sent(purpose=Purpose.TX, dialects=("1.6",)),
    "relative": sent(**TX, kind=Kind.RELATIVE),
    "weekly": sent(kind=Kind.RECURRING, recurrence=Recurrence.WEEKLY),
    "pause": sent("0"),
    "a tenth": sent("6.1"),
    "zeros behind the point": sent("6.100"),
    "hundredths": sent("6.15", dialects=("2.1",)),
    "the most there may be": sent(
        "6", period("8", 1), period("9", 2), stack_level=9, evse_id=2
    ),
    "single-phase": sent(period("16", phases=1)),
    "on a chosen phase": sent(phase(3), dialects=NEW),
    "dynamic": sent(kind=Kind.DYNAMIC, dialects=("2.1",)),
    "priority": sent(purpose=Purpose.PRIORITY, dialects=("2.1",)),
    "local generation": sent(purpose=Purpose.LOCAL_GENERATION, dialects=("2.1",)),
    "local time": sent(**RECURRING, use_local_time=True, dialects=("2.1",)),
    "valid for a second": sent(valid_from=after(0), valid_to=after(1)),
    "a minimum rate": sent(minimum_rate=Decimal("6.5")),
    "the same id again": sent(others=(installed("6", stack_level=4),)),
    "in the place of another": sent(others=(installed(id=2),), dialects=("1.6",)),
    "after another": sent(
        valid_from=after(60), others=(installed(id=2, valid_to=after(60)),)
    ),
    "on another level": sent(stack_level=1, others=(installed(id=2),)),
    "of another purpose": sent(**STATION_MAX, others=(installed(id=2, evse_id=0),)),
    "at another EVSE": sent(others=(installed(id=2, evse_id=2),)),
    "of another transaction": sent(
        **TX, others=(installed(id=2, **TX | {"transaction_id": "6"}),)
    ),
    "in the place of one of many": sent(
        others=tuple(installed(id=one, stack_level=one) for one in (1, 2, 3, 4))
    ),
    "where nothing is known": sent(
        "8000",
        period("9", 1),
        period("9", 2),
        period("9", 3),
        unit=RateUnit.WATT,
        stack_level=99,
        evse_id=5,
        support=None,
    ),
}

BROKEN: list[tuple[str, str, str, Sent]] = [
    (
        "K01.FR.03",
        "transaction_id",
        "profile_transaction_missing",
        sent(purpose=Purpose.TX, dialects=NEW),
    ),
    (
        "K01.FR.05",
        "id",
        "profile_id_external",
        sent(others=(installed(purpose=Purpose.EXTERNAL, evse_id=0),)),
    ),
    (
        "K01.FR.06",
        "stack_level",
        "profile_stack_level_taken",
        sent(others=(installed(id=2, valid_from=after(60)),), dialects=NEW),
    ),
    (
        "K01.FR.09",
        "purpose",
        "profile_tx_without_transaction",
        sent(**TX, running=None),
    ),
    ("K01.FR.16", "evse_id", "profile_tx_evse", sent(**TX, evse_id=0)),
    (
        "K01.FR.19",
        "phase_to_use",
        "profile_phase_to_use_phases",
        sent(phase(2, phases=3), dialects=NEW),
    ),
    (
        "K01.FR.19",
        "phase_to_use",
        "profile_phase_to_use_phases",
        sent(phase(2, phases=None), dialects=NEW),
    ),
    (
        "K01.FR.20",
        "phase_to_use",
        "profile_phase_to_use_unsupported",
        sent(phase(2), support=ProfileSupport()),
    ),
    (
        "K01.FR.20",
        "phase_to_use",
        "profile_phase_to_use_unsupported",
        sent(phase(2), dialects=("1.6",)),
    ),
    (
        "K01.FR.22",
        "purpose",
        "profile_purpose_external",
        sent(purpose=Purpose.EXTERNAL),
    ),
    (
        "K01.FR.26",
        "unit",
        "profile_unit_unsupported",
        sent("8000", unit=RateUnit.WATT),
    ),
    ("K01.FR.28", "evse_id", "profile_evse_unknown", sent(evse_id=3)),
    ("K01.FR.28", "evse_id", "profile_evse_unknown", sent(evse_id=-1)),
    ("K01.FR.31", "periods", "profile_first_period", sent(period("6", 60))),
    (
        "K01.FR.33",
        "transaction_id",
        "profile_transaction_unknown",
        sent(**TX, running="8"),
    ),
    (
        "K01.FR.35",
        "periods",
        "profile_periods_order",
        sent("6", period("8", 120), period("10", 60)),
    ),
    ("K01.FR.35", "periods", "profile_periods_order", sent("6", "8")),
    (
        "K01.FR.38",
        "kind",
        "profile_station_max_relative",
        sent(**STATION_MAX, kind=Kind.RELATIVE),
    ),
    (
        "K01.FR.39",
        "stack_level",
        "profile_stack_level_taken",
        # Not even if they are never valid at the same time.
        sent(
            **TX,
            valid_from=after(60),
            others=(installed(id=2, valid_to=after(60), **TX),),
            dialects=NEW,
        ),
    ),
    ("K01.FR.40", "start", "profile_start_missing", sent(start=None)),
    ("K01.FR.40", "start", "profile_start_missing", sent(**RECURRING, start=None)),
    (
        "K01.FR.41",
        "start",
        "profile_start_extraneous",
        sent(kind=Kind.RELATIVE, start=after(0)),
    ),
    ("K01.FR.45", "phases", "profile_phases_unknown", sent(period("6", phases=4))),
    ("K01.FR.45", "phases", "profile_phases_unknown", sent(period("6", phases=0))),
    (
        "K01.FR.52",
        "stack_level",
        "profile_stack_level_taken",
        sent(evse_id=0, others=(installed(id=2),), dialects=NEW),
    ),
    (
        "K01.FR.53",
        "stack_level",
        "profile_stack_level_taken",
        sent(others=(installed(id=2, evse_id=0),), dialects=NEW),
    ),
    (
        "K01.FR.70",
        "duration",
        "profile_priority_duration",
        sent(purpose=Purpose.PRIORITY, duration=60, dialects=("2.1",)),
    ),
    (
        "K01.FR.120",
        "purpose",
        "profile_purpose_unknown",
        sent(purpose=Purpose.PRIORITY, dialects=OLD),
    ),
    (
        "K01.FR.120",
        "purpose",
        "profile_purpose_unknown",
        sent(purpose=Purpose.LOCAL_GENERATION, dialects=OLD),
    ),
    (
        "K01.FR.121",
        "kind",
        "profile_kind_unknown",
        sent(kind=Kind.DYNAMIC, dialects=OLD),
    ),
    (
        "K01.FR.123",
        "use_local_time",
        "profile_local_time_unknown",
        sent(**RECURRING, use_local_time=True, dialects=OLD),
    ),
    (
        "K04.FR.03",
        "evse_id",
        "profile_station_max_evse",
        sent(purpose=Purpose.STATION_MAX),
    ),
    (
        "K28.FR.01",
        "periods",
        "profile_dynamic_periods",
        sent("6", period("8", 60), kind=Kind.DYNAMIC, dialects=("2.1",)),
    ),
    (
        "ChargingProfileType.recurrencyKind",
        "recurrence",
        "profile_recurrence_missing",
        sent(kind=Kind.RECURRING),
    ),
    (
        "ChargingProfileType.recurrencyKind",
        "recurrence",
        "profile_recurrence_extraneous",
        sent(recurrence=Recurrence.DAILY),
    ),
    (
        "ChargingProfileType.stackLevel",
        "stack_level",
        "profile_stack_level_negative",
        sent(stack_level=-1),
    ),
    (
        "ChargingProfileType.transactionId",
        "transaction_id",
        "profile_transaction_extraneous",
        sent(transaction_id="7"),
    ),
    (
        "ChargingProfileType.validTo",
        "valid_to",
        "profile_validity_empty",
        sent(valid_from=after(60), valid_to=after(60)),
    ),
    (
        "ChargingSchedulePeriodType.limit",
        "limit",
        "profile_decimals",
        sent("6", period("6.15", 60), dialects=OLD),
    ),
    (
        "ChargingSchedulePeriodType.limit",
        "limit",
        "profile_negative",
        sent("-0.1"),
    ),
    (
        "ChargingSchedulePeriodType.limit",
        "limit",
        "profile_not_a_number",
        sent("NaN"),
    ),
    (
        "ChargingSchedulePeriodType.limit",
        "limit",
        "profile_not_a_number",
        sent("Infinity"),
    ),
    (
        "ChargingSchedulePeriodType.phaseToUse",
        "phase_to_use",
        "profile_phase_to_use_unknown",
        sent(phase(4), dialects=NEW),
    ),
    (
        "ChargingScheduleType.chargingSchedulePeriod",
        "periods",
        "profile_periods_missing",
        sent(periods=()),
    ),
    (
        "ChargingScheduleType.duration",
        "duration",
        "profile_duration_not_positive",
        sent(duration=0),
    ),
    (
        "ChargingScheduleType.minChargingRate",
        "minimum_rate",
        "profile_negative",
        sent(minimum_rate=Decimal(-6)),
    ),
    (
        "ProfileSupport.only_absolute",
        "kind",
        "profile_only_absolute",
        sent(**RECURRING, support=ProfileSupport(only_absolute=True)),
    ),
    (
        "SmartChargingCtrlr.Entries",
        "id",
        "profile_too_many",
        sent(others=tuple(installed(id=one, stack_level=one) for one in (2, 3, 4, 5))),
    ),
    (
        "SmartChargingCtrlr.PeriodsPerSchedule",
        "periods",
        "profile_periods_too_many",
        sent("6", period("7", 1), period("8", 2), period("9", 3)),
    ),
    (
        "SmartChargingCtrlr.ProfileStackLevel",
        "stack_level",
        "profile_stack_level_too_high",
        sent(stack_level=10),
    ),
    (
        "OCPP 2.1",
        "max_offline",
        "profile_field_unknown",
        sent(max_offline=600, dialects=OLD),
    ),
    (
        "OCPP 2.1",
        "invalid_after_offline",
        "profile_field_unknown",
        sent(invalid_after_offline=True, dialects=OLD),
    ),
    (
        "K01.FR.122",
        "update_interval",
        "profile_not_dynamic",
        sent(update_interval=30, dialects=("2.1",)),
    ),
    (
        "K01.FR.80",
        "id",
        "profile_id_for_others",
        sent(support=replace(SUPPORT, max_external_id=10_000), dialects=("2.1",)),
    ),
]

CASES = [
    pytest.param(rule, field, key, one, dialect, id=f"{rule}-{field}-{dialect}")
    for rule, field, key, one in BROKEN
    for dialect in one.dialects
]


@pytest.mark.parametrize("name", KEPT)
def test_a_proper_profile_breaks_no_rule(name: str) -> None:
    one = KEPT[name]
    for dialect in one.dialects:
        assert one.violations(dialect) == ()


@pytest.mark.parametrize(("rule", "field", "key", "one", "dialect"), CASES)
def test_a_broken_rule_is_named_and_no_other(
    rule: str, field: str, key: str, one: Sent, dialect: Dialect
) -> None:
    found = one.violations(dialect)
    assert [(each.rule, each.field, each.key) for each in found] == [(rule, field, key)]


def test_every_broken_rule_is_named() -> None:
    one = sent("-1", stack_level=10, kind=Kind.RELATIVE, purpose=Purpose.STATION_MAX)
    assert [each.rule for each in one.violations("2.1")] == [
        "K01.FR.38",
        "K04.FR.03",
        "SmartChargingCtrlr.ProfileStackLevel",
        "ChargingSchedulePeriodType.limit",
    ]


def test_a_rule_that_many_periods_break_is_named_once() -> None:
    one = sent("-1", period("-2", 60), period("-3", 120))
    assert len(one.violations("1.6")) == 1


def test_users_read_which_field_is_wrong_and_how() -> None:
    texts = json.loads(ENGLISH.read_text(encoding="utf-8"))["exceptions"]
    labels = {"evse_id": "connector"}
    used = set()
    for _, field, key, one in BROKEN:
        (found,) = one.violations(one.dialects[0])
        message = texts[key]["message"]
        used.add(key)
        assert set(re.findall(r"\{(\w+)\}", message)) <= set(found.placeholders), key
        told = message.format(**found.placeholders)
        assert f'"{labels.get(field, field)}"' in told
    code = Path(rules.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'"(profile_\w+)"', code)) == used
