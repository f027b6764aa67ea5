"""Charging profiles in the words of people: as they write them, and as we answer."""

from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
import re

import probatio as vol

from homeassistant.const import WEEKDAYS
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .profile_schedule import SECOND, Start
from .station.profiles.ledger import Entry
from .station.profiles.model import CompositeSchedule, Installed, Purpose, Schedule

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SPAN = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)")
_PURPOSES_OF_16 = {"chargepointmaxprofile": Purpose.STATION_MAX}


# What people write


def one_of[E: StrEnum](words: type[E]) -> Callable[[object], E]:
    """Return a validator of a word, whatever its case."""
    known = {word.value.casefold(): word for word in words}

    def validate(value: object) -> E:
        if (word := known.get(str(value).casefold())) is None:
            raise vol.Invalid(f"expected one of {', '.join(words)}")
        return word

    return validate


def purpose(value: object) -> Purpose:
    """Return a purpose, also by its name in OCPP 1.6."""
    known = _PURPOSES_OF_16.get(str(value).casefold())
    return known or one_of(Purpose)(value)


def start(value: object) -> Start:
    """Return when a period starts: seconds, hh:mm by the clock, or after hh:mm:ss."""
    match value:
        case time() | timedelta():
            return value
        case dict():
            span: timedelta = cv.positive_time_period_dict(value)
            return span
    text = str(value).strip()
    if not isinstance(value, bool) and text.isdecimal():
        return int(text)
    if found := _CLOCK.fullmatch(text):
        hour, minute = map(int, found.groups())
        return time(hour, minute)
    if found := _SPAN.fullmatch(text):
        hours, minutes, seconds = map(int, found.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    raise vol.Invalid(f"expected a time such as 22:00 or 01:30:00, not {text}")


def weekdays(value: object) -> tuple[int, ...]:
    """Return days of the week by their names; Monday is 0."""
    named = [str(day).strip().casefold()[:3] for day in cv.ensure_list(value)]
    if not named or not set(named) <= set(WEEKDAYS):
        raise vol.Invalid(f"expected some of {', '.join(WEEKDAYS)}")
    return tuple(WEEKDAYS.index(day) for day in dict.fromkeys(named))


def moment(value: object) -> datetime:
    """Return a moment, which is told in the time zone of the house if in none."""
    told = cv.datetime(value)
    if not MINYEAR < told.year < MAXYEAR:
        # In another time zone it may be none that Python knows.
        raise vol.Invalid("expected a moment of this age")
    zone = told.tzinfo or dt_util.get_default_time_zone()
    return dt_util.as_utc(told.replace(tzinfo=zone))


# What we answer


def told_profile(entry: Entry) -> JsonObjectType:
    """Return a profile that we sent, and whether the charger accepted it."""
    return {**told_installed(entry.installed), "confirmed": entry.sure}


def told_installed(installed: Installed) -> JsonObjectType:
    """Return a profile; times by the clock of the house, periods in seconds."""
    profile, schedule = installed.profile, installed.profile.schedule
    return {
        "id": profile.id,
        "connector": installed.evse_id,
        "purpose": profile.purpose,
        "kind": profile.kind.lower(),
        "recurrence": profile.recurrence and profile.recurrence.lower(),
        "stack_level": profile.stack_level,
        "transaction_id": profile.transaction_id,
        "valid_from": _local(profile.valid_from),
        "valid_to": _local(profile.valid_to),
        "unit": schedule.unit,
        "start": _local(schedule.start),
        "duration": schedule.duration,
        "periods": told_periods(schedule),
        "source": installed.source,
    }


def told_periods(schedule: Schedule) -> list[JsonValueType]:
    """Return the periods of a schedule, in seconds from its start."""
    return [
        {"start": one.start, "limit": _amount(one.limit), "phases": one.phases}
        for one in schedule.periods
    ]


def told_schedule(schedule: CompositeSchedule) -> JsonObjectType:
    """Return a composite schedule; a limit of null is no limit."""
    periods: list[JsonValueType] = [
        {
            "start": _local(schedule.start + one.start * SECOND),
            "limit": None if one.limit is None else _amount(one.limit),
            "phases": one.phases,
            "purpose": one.purpose,
            "profile_id": one.profile_id,
        }
        for one in schedule.periods
    ]
    return {
        "connector": schedule.evse_id,
        "unit": schedule.unit,
        "start": _local(schedule.start),
        "duration": schedule.duration,
        "periods": periods,
    }


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else dt_util.as_local(moment).isoformat()


def _amount(value: Decimal | Fraction) -> float:
    """Return a limit for a response, which knows no exact numbers."""
    return int(value) if value == int(value) else round(float(value), 3)
