"""Snapshots: what was last known of the chargers of a hub, kept for its next start."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later

from .const import SNAPSHOT
from .issues import async_update_finding_issues
from .models import HubStation
from .ocpp.session import HEARTBEAT_EVERY
from .security_issues import async_update_security_issues
from .station.errors import JournalError
from .station.secrets import shortened
from .station.snapshot import dump

if TYPE_CHECKING:
    from .hub_base import Hub

_LOGGER = logging.getLogger(__name__)

SNAPSHOT_DELAY: Final = timedelta(seconds=30)


class Snapshots:
    """Keeps what is known of chargers that had news, and tells of their findings."""

    def __init__(self, hub: Hub[Any]) -> None:
        """Start without news."""
        self._hub = hub
        self._changed: set[str] = set()
        self._cancel_save: CALLBACK_TYPE | None = None
        self._closed = False

    @callback
    def follow(self, hub_station: HubStation) -> tuple[Callable[[], None], ...]:
        """Keep what is known of a charger; return what ends that."""
        station = hub_station.station
        mark = partial(self._mark, station.identity)
        # What was its last word is so no longer.
        self._hub.journal.store_soon(station.identity, SNAPSHOT, dump(station))
        return (
            # Every frame moves the heartbeat, so this sees whatever changes.
            station.heartbeat.subscribe(mark),
            # The cloud tells late of what moves no heartbeat any more.
            *(evse.session.subscribe(mark) for evse in station.evses.values()),
            station.online.subscribe(partial(self._online_changed, hub_station)),
            station.info.subscribe(partial(self._introduced, hub_station)),
            partial(self._changed.discard, station.identity),
        )

    async def async_begin(self) -> None:
        """Have it on disk that what is known of those that are followed moves now."""
        try:
            await self._hub.journal.flush()
        except JournalError:
            # They charge without a journal, too.
            _LOGGER.exception("What is known of chargers is not saved")

    async def async_store(self, hub_station: HubStation) -> None:
        """Keep what is known of a charger that is let go of; raises JournalError."""
        station = hub_station.station
        last_word = dump(station, rested=True)
        await self._hub.journal.store(station.identity, SNAPSHOT, last_word)

    @callback
    def close(self) -> None:
        """Keep nothing later."""
        self._closed = True
        if self._cancel_save is not None:
            self._cancel_save()
            self._cancel_save = None

    @callback
    def _mark(self, identity: str) -> None:
        """Remember that a charger has news to be kept."""
        self._changed.add(identity)
        if self._cancel_save is None and not self._closed:
            self._cancel_save = async_call_later(
                self._hub.hass,
                SNAPSHOT_DELAY,
                HassJob(self._save_changed, cancel_on_shutdown=True),
            )

    @callback
    def _online_changed(self, hub_station: HubStation) -> None:
        """Remember that a charger has been here: it may not be shown as restored."""
        hub_station.seen = hub_station.seen or hub_station.station.online.value
        self._mark(hub_station.station.identity)

    @callback
    def _introduced(self, hub_station: HubStation) -> None:
        """Keep at once who a charger is: its requests for certificates are judged by it.

        It introduces itself once, and not again when only we start anew.
        """
        self._hub.entry.async_create_background_task(
            self._hub.hass,
            self._async_keep(hub_station),
            f"{shortened(hub_station.station.identity)} introduced",
        )

    async def _async_keep(self, hub_station: HubStation) -> None:
        """Keep what is known of a charger, or say that it could not be kept."""
        station = hub_station.station
        try:
            if self._hub.stations.get(station.identity) is hub_station:
                await self._hub.journal.store(station.identity, SNAPSHOT, dump(station))
        except JournalError:
            _LOGGER.exception("Charger %s is not saved", shortened(station.identity))

    @callback
    def _save_changed(self, _now: datetime) -> None:
        """Keep what is known of the chargers that had news."""
        self._cancel_save = None
        changed = tuple(self._changed)
        self._changed.clear()
        for identity in changed:
            self._hub.turns.add(partial(self._save_one, identity))

    @callback
    def _save_one(self, identity: str) -> None:
        """Keep what is known of a charger, if it is still one of ours."""
        if (hub_station := self._hub.stations.get(identity)) is None:
            return
        station = hub_station.station
        self._hub.journal.store_soon(identity, SNAPSHOT, dump(station))
        heard = station.heartbeat.value
        if heard is not None and self._hub.clock() - heard < HEARTBEAT_EVERY:
            # What it says in the rest of this second moves no heartbeat.
            self._mark(identity)
        async_update_finding_issues(self._hub.hass, station)
        async_update_security_issues(self._hub.hass, station)
