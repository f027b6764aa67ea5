"""Actions about the schedules that an Easee charger keeps in its cloud."""

from datetime import datetime, time
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .easee.ids import ChargerId
from .easee.outcomes import NO_CHANGE
from .easee.schedule_choice import ScheduleKind
from .easee.schedule_keeper import KINDS, ScheduleKeeper
from .easee.schedules import DAYS, Period, Schedule, Window, daily, delayed, weekly
from .easee.writing import Order
from .easee_targets import EaseeTarget, async_resolve_easee
from .fields import ActionGroup, Data
from .helpers import invalid
from .profile_words import moment, one_of, weekdays
from .station.outcome import Outcome

ATTR_CURRENT: Final = "current"
ATTR_DELETE: Final = "delete"
ATTR_KIND: Final = "kind"
ATTR_PERIODS: Final = "periods"
ATTR_START: Final = "start"
ATTR_STOP: Final = "stop"
ATTR_WEEKDAY: Final = "weekday"

USUAL: Final = 32
"""The current in A of a schedule that names none, at a charger that says nothing."""


def amps(value: object) -> int:
    """Return a current in whole A at which a vehicle can charge."""
    read: float = vol.All(vol.Coerce(float), vol.Range(min=6, max=80))(value)
    if not read.is_integer():
        raise vol.Invalid("expected whole ampere")
    return int(read)


def _wall(value: object) -> time:
    """Return what the clock shows, in whole minutes."""
    if isinstance(value, int):
        raise vol.Invalid("put the time in quotes")
    wall: time = cv.time(value)
    if wall.second or wall.microsecond:
        raise vol.Invalid("expected whole minutes")
    return wall


def _start(value: object) -> time | datetime:
    """Return when something starts: what the clock shows, or a moment."""
    if isinstance(value, datetime) or "-" in str(value):
        return moment(value).replace(second=0, microsecond=0)
    return _wall(value)


_PERIOD: Final = vol.Schema(
    {
        vol.Required(ATTR_START): _wall,
        vol.Required(ATTR_STOP): _wall,
        vol.Optional(ATTR_CURRENT): amps,
        vol.Optional(ATTR_WEEKDAY): weekdays,
    }
)


def _keeper(target: EaseeTarget) -> ScheduleKeeper:
    account = target.account
    return ScheduleKeeper(
        account.requests, account.commands, account.time, target.charger.serial
    )


async def _set_schedule(target: EaseeTarget, data: Data) -> JsonObjectType:
    keeper, kind = _keeper(target), ScheduleKind(data[ATTR_KIND])
    with target.errors():
        wanted = _wanted(target, kind, data)
        if wanted is None:
            outcome = await keeper.follow(kind)
        else:
            outcome = await keeper.store(wanted)
    _look_again(target)
    told = None if wanted is None else _told(wanted)
    return target.response(outcome, schedule=told)


def _wanted(target: EaseeTarget, kind: ScheduleKind, data: Data) -> Schedule | None:
    """Return the schedule that is meant, None for the one that is stored."""
    starts, periods = ATTR_START in data, ATTR_PERIODS in data
    if (periods if kind is ScheduleKind.DELAYED else starts) or (
        ATTR_CURRENT in data and not (starts or periods)
    ):
        raise invalid("easee_schedule_fields")
    usual = data.get(ATTR_CURRENT) or _maximum(target)
    zone_name = target.hub.hass.config.time_zone
    if starts:
        zone, now = dt_util.get_default_time_zone(), target.account.time()
        return delayed(zone_name, zone, data[ATTR_START], usual, now)
    if not periods:
        return None
    if kind is ScheduleKind.DAILY:
        if any(ATTR_WEEKDAY in one for one in data[ATTR_PERIODS]):
            raise invalid("easee_schedule_fields")
        return daily(zone_name, [_window(one, usual) for one in data[ATTR_PERIODS]])
    return weekly(zone_name, [_window(one, usual) for one in data[ATTR_PERIODS]])


def _maximum(target: EaseeTarget) -> int:
    """Return what the charger may offer at most in A."""
    known = target.charger.readings.number(ChargerId.MAX_CHARGER_CURRENT)
    return max(int(known or USUAL), 6)


def _window(period: dict[str, Any], usual: int) -> Window:
    return Window(
        start=period[ATTR_START],
        stop=period[ATTR_STOP],
        amps=period.get(ATTR_CURRENT, usual),
        days=frozenset(period.get(ATTR_WEEKDAY, range(7))),
    )


async def _get_schedule(target: EaseeTarget, data: Data) -> JsonObjectType:
    with target.errors():
        stored = await _keeper(target).read()
    return {
        "active": stored.active,
        "schedules": [
            _told(stored.schedules[one]) if one in stored.schedules else _unread(one)
            for one in sorted(stored.kinds)
        ],
    }


async def _clear_schedule(target: EaseeTarget, data: Data) -> JsonObjectType:
    keeper, kind = _keeper(target), data.get(ATTR_KIND)
    with target.errors():
        if data[ATTR_DELETE]:
            outcome = await keeper.remove(kind)
        else:
            outcome = await _disable(keeper, kind)
    _look_again(target)
    return target.response(outcome)


async def _disable(keeper: ScheduleKeeper, kind: ScheduleKind | None) -> Outcome:
    """Have no schedule followed, or at least not one of a kind."""
    if kind is not None and (await keeper.read()).active != kind:
        return NO_CHANGE
    return await keeper.follow(ScheduleKind.NONE)


async def _override_schedule(target: EaseeTarget, data: Data) -> JsonObjectType:
    charger = target.charger
    with target.errors():
        outcome = await target.account.commands.command(
            charger.serial, Order.OVERRIDE_SCHEDULE
        )
    return target.response(outcome)


def _look_again(target: EaseeTarget) -> None:
    """Have whoever shows schedules ask for them: not every change is reported."""
    target.charger.readings.channel(ChargerId.CHARGING_SCHEDULE).notify()


def _told(schedule: Schedule) -> JsonObjectType:
    """Return a schedule for a response; times by the clock of its time zone."""
    return {
        "kind": schedule.kind,
        "timezone": schedule.timezone,
        "periods": [_told_period(one) for one in schedule.periods],
    }


def _unread(kind: ScheduleKind) -> JsonObjectType:
    """Return a schedule for a response that has more to it than is known here."""
    return {"kind": kind, "timezone": None, "periods": None}


def _told_period(period: Period) -> JsonObjectType:
    told: JsonObjectType = {"start": f"{period.start:%H:%M}"}
    if period.stop is not None:
        told["stop"] = f"{period.stop:%H:%M}"
    if period.start_day is not None and period.stop_day is not None:
        told["start_day"] = DAYS[period.start_day]
        told["stop_day"] = DAYS[period.stop_day]
    return {**told, "current": period.amps}


_KIND: Final = vol.All(one_of(ScheduleKind), vol.In(KINDS))

ACTIONS: Final = ActionGroup(
    commands={
        "easee_clear_schedule": (
            _clear_schedule,
            {
                vol.Optional(ATTR_KIND): _KIND,
                vol.Optional(ATTR_DELETE, default=True): cv.boolean,
            },
        ),
        "easee_override_schedule": (_override_schedule, {}),
        "easee_set_schedule": (
            _set_schedule,
            {
                vol.Required(ATTR_KIND): _KIND,
                vol.Optional(ATTR_PERIODS): vol.All(cv.ensure_list, [_PERIOD]),
                vol.Optional(ATTR_START): _start,
                vol.Optional(ATTR_CURRENT): amps,
            },
        ),
    },
    queries={"easee_get_schedule": (_get_schedule, {})},
    resolve=async_resolve_easee,
)
