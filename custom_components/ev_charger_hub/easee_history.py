"""History: what the cloud knows of the past of chargers, brought in once."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.util import dt as dt_util

from .easee.errors import EaseeError
from .easee.history import PAST, hourly_usage, import_sessions
from .easee.requests import Lane
from .easee_statistics import async_energy_sensor, async_import_usage, async_statistics
from .models import HubStation
from .station.clock import Timer
from .station.errors import JournalError
from .station.secrets import shortened

if TYPE_CHECKING:
    from .easee_hub import EaseeHub

_LOGGER = logging.getLogger(__name__)

FACT: Final = "easee_statistics"
"""The fact that tells from which hour on statistics were brought in."""

SETTLE: Final = 120.0
"""Seconds after the start that belong to the present."""

RETRY: Final = 3600.0
DAILY: Final = 86_400.0

ADDED_UP: Final = timedelta(minutes=5)
"""So long after an hour the recorder has its statistics, those of all sensors at once."""


class AccountHistory:
    """Brings in the sessions and the usage of the chargers of one account.

    At the start, and once a day what is new: sessions that nobody saw. The trouble of
    one charger keeps no other from its past.
    """

    def __init__(self, hub: EaseeHub) -> None:
        """Bring in nothing before `start`."""
        self._hub = hub
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, once the present has been told."""
        self._again(SETTLE)

    async def async_stop(self) -> None:
        """Bring in nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _again(self, seconds: float) -> None:
        self._timer = self._hub.account.time.call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = self._hub.entry.async_create_background_task(
            self._hub.hass, self._async_run(), "Easee history"
        )

    async def _async_run(self) -> None:
        """Bring in what there is, and come back."""
        done = True
        for hub_station in self._hub.chargers:
            done &= await self._async_try(hub_station)
        self._again(DAILY if done else RETRY)

    async def _async_try(self, hub_station: HubStation) -> bool:
        """Bring in the past of one charger; return whether that is done."""
        name = shortened(hub_station.station.identity)
        try:
            if not hub_station.transactions.closed:
                await self._async_sessions(hub_station)
            if hub_station.transactions.closed:
                # It was let go of meanwhile, and has to be looked at where it is now.
                return False
            return await self._async_usage(hub_station)
        except EaseeError as err:
            _LOGGER.debug("%s: the past is not to be had: %r", name, err)
        except JournalError:
            _LOGGER.warning("%s: the past cannot be kept", name)
        except Exception:  # of one charger, whatever it is
            _LOGGER.exception("%s: the past cannot be brought in", name)
        return False

    async def _async_sessions(self, hub_station: HubStation) -> None:
        if (charger := hub_station.easee) is not None:
            account = self._hub.account
            await import_sessions(
                account.requests,
                hub_station.transactions,
                self._hub.journal,
                hub_station.station.identity,
                charger.serial,
                now=account.time(),
            )

    async def _async_usage(self, hub_station: HubStation) -> bool:
        """Bring in the usage by the hour, unless it is there already.

        The recorder does not tell when it has taken something in: the next time we look.
        """
        hass, station = self._hub.hass, hub_station.station
        if (charger := hub_station.easee) is None or not (evse := station.evses.get(1)):
            return True
        if (entity_id := async_energy_sensor(hass, evse)) is None:
            return True
        now = self._hub.account.time()
        kept = await self._hub.journal.load(station.identity, FACT) or {}
        if kept.get("seen"):
            return True
        this_hour = _hour_of(now)
        begun = dt_util.parse_datetime(kept.get("from") or "") or this_hour - PAST
        there = await async_statistics(hass, entity_id)
        if there.first is not None and there.first <= begun:
            await self._hub.journal.store(
                station.identity, FACT, {**kept, "seen": True}
            )
            return True
        usage = await hourly_usage(
            self._hub.account.requests,
            charger.serial,
            this_hour - PAST,
            now,
            Lane.PAST,
        )
        # A row that the recorder is about to add would cost everybody theirs.
        before = there.first or _hour_of(now - ADDED_UP)
        first = async_import_usage(hass, evse, entity_id, usage, before, there.unit)
        fact = {"from": first.isoformat()} if first is not None else {"seen": True}
        await self._hub.journal.store(station.identity, FACT, fact)
        return first is None


def _hour_of(moment: datetime) -> datetime:
    """Return when the hour of a moment began."""
    return moment.replace(minute=0, second=0, microsecond=0)
