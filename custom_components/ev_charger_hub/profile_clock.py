"""Recurring charging profiles follow the clock of the house.

OCPP 1.6 repeats them in UTC, so that they are sent again when daylight saving time has
begun or ended.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .models import HubStation
from .profile_schedule import LENGTHS, recurring_start
from .station.clock import utc_now
from .station.errors import NotConnected, NotSupported
from .station.link import Capability
from .station.profiles.ledger import UNANSWERED, Entry
from .station.profiles.model import Installed
from .station.secrets import shortened

_LOGGER = logging.getLogger(__name__)

AT_ONCE: Final = 20
"""How many chargers are written to at the same time."""

INTERVAL: Final = timedelta(minutes=15)


@callback
def async_setup_profile_clock(hass: HomeAssistant) -> None:
    """Look every quarter of an hour whether the clock of the house has changed."""

    async def async_check(_now: datetime) -> None:
        turns = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(
            *(
                _async_follow(hub_station, turns)
                for entry in hass.config_entries.async_loaded_entries(DOMAIN)
                for hub_station in entry.runtime_data.stations.values()
            )
        )

    async_track_time_interval(
        hass, async_check, INTERVAL, name=f"{DOMAIN} clock", cancel_on_shutdown=True
    )


async def _async_follow(hub_station: HubStation, turns: asyncio.Semaphore) -> None:
    """Send again what has not followed the clock of the house, if it can be sent."""
    if hub_station.station.settings.quiet:
        return
    for entry in hub_station.ledger.entries:
        if (moved := _moved(entry, utc_now())) is None:
            continue
        try:
            async with turns:
                await _async_send(hub_station, entry, moved)
        except Exception:  # no charger keeps another back
            _LOGGER.exception(
                "%s: charging profile %s has not followed the clock",
                shortened(hub_station.station.identity),
                moved.installed.profile.id,
            )


def _moved(entry: Entry, now: datetime) -> Entry | None:
    """Return a profile as it has to be now, if the clock has changed since it was set.

    One that was set for a time after the change is right already.
    """
    installed, zone = entry.installed, dt_util.get_default_time_zone()
    profile, recurrence = installed.profile, installed.profile.recurrence
    if entry.wall_start is None or recurrence is None or profile.schedule.start is None:
        return None
    if _offset(installed.set_at) == _offset(now):
        return None
    start = recurring_start(entry.wall_start, recurrence, now, zone)
    if (start - profile.schedule.start) % LENGTHS[recurrence] == timedelta():
        return None
    schedule = replace(profile.schedule, start=start)
    moved = Installed(
        evse_id=installed.evse_id,
        profile=replace(profile, schedule=schedule),
        set_at=now,
    )
    return replace(entry, installed=moved)


def _offset(moment: datetime) -> timedelta | None:
    """Return how far the clock of the house is from UTC at a moment."""
    return moment.astimezone(dt_util.get_default_time_zone()).utcoffset()


async def _async_send(hub_station: HubStation, old: Entry, new: Entry) -> None:
    """Send a profile; one that is refused is left as it is, and not tried again."""
    station, ledger = hub_station.station, hub_station.ledger
    try:
        outcome = await ledger.install(station.link(Capability.PROFILES), new)
    except NotConnected, NotSupported:
        return
    if outcome.status in UNANSWERED:
        await ledger.note(replace(old, sure=False))
    elif not outcome.ok:
        _LOGGER.warning(
            "%s refused charging profile %s after the clock has changed; it is off by"
            " the difference until it is set again: %s",
            shortened(station.identity),
            new.installed.profile.id,
            outcome.answer or outcome.detail,
        )
        await ledger.note(replace(old, wall_start=None))
