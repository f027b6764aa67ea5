"""Chargers: how the approved ones of a hub come, change and go."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .building import async_build_charger
from .const import SIGNAL_NEW_STATION
from .devices import async_refresh_charger
from .incidents import INTRUDER, UNGUARDED, async_delete_incidents
from .issues import async_delete_finding_issues
from .log_files import async_remove_files
from .models import HubStation
from .ocpp.authority import AuthorityError
from .security_issues import (
    async_delete_security_issues,
    async_forget_security_events,
    async_security_event,
    async_update_security_issues,
)
from .settings import async_chargers, station_settings
from .station import limits
from .station.clock import utc_now
from .station.errors import JournalError
from .station.free_charging import FreeCharging
from .station.limiter.watch import Watch
from .station.secrets import shortened
from .storage import DATA

if TYPE_CHECKING:
    from .hub import OcppHub

_LOGGER = logging.getLogger(__name__)

type Applied = tuple[str, Mapping[str, Any]]
"""What of a subentry is in force: its title and data."""


class Chargers:
    """The life of the chargers of one hub, from approval to deletion."""

    def __init__(self, hub: OcppHub) -> None:
        """Start with no charger."""
        self._hub = hub
        self._shared = hub.hass.data[DATA]
        self._unsubscribes: dict[str, list[Callable[[], None]]] = {}
        self._arrivals: dict[str, asyncio.Task[None]] = {}
        self._applied: dict[str, Applied] = {}

    async def async_prepare(self) -> None:
        """Build the approved chargers with what was last known of them."""
        for identity, subentry in async_chargers(self._hub.entry).items():
            await self._async_build(identity, subentry)

    async def async_apply(self) -> None:
        """Bring the chargers in line with the subentries, which have changed."""
        stations = self._hub.stations
        chargers = async_chargers(self._hub.entry)
        known = stations.keys() | self._arrivals.keys()
        for identity in (known - chargers.keys()) | self._replaced(chargers):
            await self._async_remove(identity)
        await asyncio.gather(
            *(
                self.async_arrive(identity, chargers[identity])
                for identity in chargers.keys() - stations.keys()
            )
        )
        for identity, subentry in chargers.items():
            applied = self._applied.get(identity)
            if applied is not None and applied != _content(subentry):
                await self._async_update(identity, subentry)

    async def async_arrive(self, identity: str, subentry: ConfigSubentry) -> None:
        """Let in a charger that was approved just now: once, whoever asks for it."""
        if (arrival := self._arrivals.get(identity)) is None:
            arrival = self._arrivals[identity] = self._hub.entry.async_create_task(
                self._hub.hass,
                self._async_try_to_add(identity, subentry),
                f"arrival of {shortened(identity)}",
            )
            arrival.add_done_callback(lambda _: self._arrivals.pop(identity))
        await asyncio.shield(arrival)

    async def async_settle(self) -> None:
        """Wait for the chargers that are just coming."""
        if self._arrivals:
            await asyncio.wait(self._arrivals.values())

    async def async_close(self) -> None:
        """Let go of every charger; what is known of them is kept."""
        # One at a time: the user may delete another meanwhile.
        while stations := self._hub.stations:
            identity = next(iter(stations))
            try:
                await self._async_release(identity)
            except JournalError:
                # Its sessions are in the journal already, and others come after it.
                _LOGGER.exception("Charger %s is not saved", shortened(identity))

    def _replaced(self, chargers: Mapping[str, ConfigSubentry]) -> set[str]:
        """Return the chargers that were deleted and added anew meanwhile."""
        return {
            identity
            for identity, subentry in chargers.items()
            if (known := self._hub.stations.get(identity)) is not None
            and known.subentry_id != subentry.subentry_id
        }

    async def _async_build(self, identity: str, subentry: ConfigSubentry) -> HubStation:
        """Build a charger from its settings and what the journal kept of it."""
        hub_station = await async_build_charger(self._hub, identity, subentry)
        self._hub.stations[identity] = hub_station
        self._applied[identity] = _content(subentry)
        self._shared.registry.add(hub_station.station)
        self._unsubscribes[identity] = self._follow(hub_station)
        return hub_station

    def _follow(self, hub_station: HubStation) -> list[Callable[[], None]]:
        """Do what follows from what a charger does; return what ends that."""
        hub, station = self._hub, hub_station.station
        return [
            station.info.subscribe(
                partial(async_refresh_charger, hub.hass, hub_station.device_id, station)
            ),
            *hub.snapshots.follow(hub_station),
            Watch(station, hub_station.limiter, utc_now).close,
            station.on_event(partial(async_security_event, hub.hass, station)),
            hub_station.security.upgrade.subscribe(
                partial(async_update_security_issues, hub.hass, station)
            ),
            self._shared.tokens.subscribe(hub_station.local_list.changed),
            hub_station.local_list.close,
            self._shared.desk.follow(hub.entry.entry_id, hub_station),
            FreeCharging(
                station,
                hub.own_id_token,
                spawn=partial(hub.entry.async_create_background_task, hub.hass),
                clock=utc_now,
            ).close,
        ]

    async def _async_try_to_add(self, identity: str, subentry: ConfigSubentry) -> None:
        """Build a charger, whose trouble keeps no other out."""
        try:
            await self._async_add(identity, subentry)
        except HomeAssistantError, JournalError:
            # The registry takes nothing of a charger that was deleted meanwhile.
            if subentry.subentry_id in self._hub.entry.subentries:
                _LOGGER.exception("Charger %s cannot be let in", shortened(identity))

    async def _async_add(self, identity: str, subentry: ConfigSubentry) -> None:
        """Build a charger and show it."""
        hub = self._hub
        hub_station = await self._async_build(identity, subentry)
        hub.admission.let_in(identity)
        async_dispatcher_send(
            hub.hass, SIGNAL_NEW_STATION.format(hub.entry.entry_id), hub_station
        )
        await hub.central_system.admit(identity)

    async def _async_update(self, identity: str, subentry: ConfigSubentry) -> None:
        """Apply the settings of a charger if they have changed."""
        hub = self._hub
        self._applied[identity] = _content(subentry)
        hub_station = hub.stations[identity]
        station = hub_station.station
        if (settings := station_settings(subentry)) == station.settings:
            return
        station.settings = settings
        if settings.password_hash is not None:
            async_delete_incidents(hub.hass, identity, (UNGUARDED, INTRUDER))
        hub_station.security.settings_changed()
        async_refresh_charger(hub.hass, hub_station.device_id, station)
        limits.clamp(station)
        station.online.notify()
        await hub.central_system.refresh(identity)

    async def _async_remove(self, identity: str) -> None:
        """Turn out a charger that the user has deleted, and forget it."""
        if (arrival := self._arrivals.get(identity)) is not None:
            await asyncio.wait([arrival])
        await self._hub.central_system.expel(identity)
        if identity in self._hub.stations:
            await self._async_release(identity, keep=False)
        try:
            await self._shared.authority.async_revoke(identity)
        except AuthorityError:
            _LOGGER.exception("Certificates of %s stay valid", shortened(identity))
        await self._hub.journal.forget(identity)
        async_delete_incidents(self._hub.hass, identity)
        async_forget_security_events(self._hub.hass, identity)

    async def _async_release(self, identity: str, *, keep: bool = True) -> None:
        """Let go of a charger; what is known of it is kept for the next start."""
        hub_station = self._hub.stations.pop(identity)
        del self._applied[identity]
        for unsubscribe in self._unsubscribes.pop(identity):
            unsubscribe()
        self._shared.registry.discard(hub_station.station)
        async_delete_finding_issues(self._hub.hass, hub_station.station)
        async_delete_security_issues(self._hub.hass, hub_station.station)
        hub_station.limiter.close()
        hub_station.firmware.close()
        hub_station.log_files.close()
        hub_station.security.close()
        await hub_station.reservations.close()
        await hub_station.transactions.close()
        if keep:
            await self._hub.snapshots.async_store(hub_station)
        else:
            await async_remove_files(self._hub.hass, hub_station.subentry_id)


def _content(subentry: ConfigSubentry) -> Applied:
    """Return what can change in a subentry; Home Assistant keeps the object."""
    return subentry.title, subentry.data
