"""Chargers: how the approved ones of a hub come, change and go."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .building import async_build_charger
from .const import SIGNAL_NEW_STATION, SNAPSHOT
from .devices import async_refresh_charger
from .handover import async_claim, async_known_elsewhere
from .incidents import INTRUDER, UNGUARDED, async_delete_incidents
from .issues import async_delete_finding_issues
from .log_files import async_remove_files
from .models import OcppStation
from .monitoring_issues import async_forget_alerts, async_variable_event
from .ocpp.authority import AuthorityError
from .restart_issues import (
    async_delete_restart_issue,
    async_follow_restarts,
    async_update_restart_issue,
)
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
from .station.refresher import Refresher
from .station.secrets import shortened
from .storage import DATA

if TYPE_CHECKING:
    from .hub import OcppHub

_LOGGER = logging.getLogger(__name__)

type Applied = tuple[str, Mapping[str, Any]]
"""What of a subentry is in force: its title and data."""


class Chargers:
    """The life of the chargers of one hub, from approval to deletion.

    The trouble of one charger keeps no other from coming, changing or going.
    """

    def __init__(self, hub: OcppHub) -> None:
        """Start with no charger."""
        self._hub = hub
        self._shared = hub.hass.data[DATA]
        self._arrivals: dict[tuple[str, str], asyncio.Task[None]] = {}
        """Who is just coming, by identity and subentry."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._applied: dict[str, Applied] = {}
        self.failed: set[str] = set()
        """Those that cannot be built, until it is tried again: an account may show them."""

    async def async_prepare(self) -> None:
        """Build the approved chargers with what was last known of them."""
        for identity, subentry in async_chargers(self._hub.entry).items():
            try:
                await self._async_build(identity, subentry)
            except JournalError:
                raise
            except Exception:  # of one charger, whatever it is
                self.failed.add(identity)
                _LOGGER.exception("Charger %s cannot be built", shortened(identity))

    async def async_apply(self) -> None:
        """Bring the chargers in line with the subentries, which have changed."""
        entry, stations = self._hub.entry, self._hub.stations
        for identity in set(self._outdated()):
            await _async_logged(identity, self._async_remove(identity))
        await asyncio.gather(
            *(
                self.async_arrive(identity, subentry)
                for identity, subentry in async_chargers(entry).items()
                if identity not in stations
            )
        )
        for identity, subentry in async_chargers(entry).items():
            applied = self._applied.get(identity)
            if applied is not None and applied != _content(subentry):
                await _async_logged(identity, self._async_update(identity, subentry))

    async def async_arrive(self, identity: str, subentry: ConfigSubentry) -> None:
        """Let in a charger that was approved just now: once, whoever asks for it."""
        key = identity, subentry.subentry_id
        if (arrival := self._arrivals.get(key)) is None:
            arrival = self._arrivals[key] = self._hub.entry.async_create_task(
                self._hub.hass,
                self._async_try_to_add(identity, subentry),
                f"arrival of {shortened(identity)}",
            )
            arrival.add_done_callback(lambda _: self._arrivals.pop(key))
        await asyncio.shield(arrival)

    @callback
    def build_again(self, identity: str) -> None:
        """Build a charger anew, which turned out to be known by another name as well.

        It has to dial in again.
        """
        known = self._hub.stations[identity]
        key = identity, known.subentry_id
        if key in self._arrivals:
            return
        rebuilding = self._arrivals[key] = self._hub.entry.async_create_task(
            self._hub.hass,
            self._async_build_again(identity, known),
            f"{shortened(identity)} by another name",
            eager_start=False,
        )
        rebuilding.add_done_callback(lambda _: self._arrivals.pop(key))

    async def _async_build_again(self, identity: str, known: OcppStation) -> None:
        """Let go of a charger and build it, if it is still wanted then."""
        hub = self._hub
        async with self._lock(identity):
            if hub.stopped or hub.stations.get(identity) is not known:
                return
            self._part_with(identity)
            await hub.central_system.expel(identity)
            await _async_logged(identity, known.ending.aclose())
            await _async_logged(identity, hub.snapshots.async_store(known))
        if (subentry := hub.entry.subentries.get(known.subentry_id)) is not None:
            await self._async_try_to_add(identity, subentry)

    async def async_settle(self) -> None:
        """Wait for the chargers that are just coming."""
        if self._arrivals:
            await asyncio.wait(self._arrivals.values())

    async def async_close(self) -> None:
        """Let go of every charger; what is known of them is kept."""
        # One at a time: the user may delete another meanwhile.
        while stations := self._hub.stations:
            identity = next(iter(stations))
            hub_station = self._part_with(identity)
            try:
                await hub_station.ending.aclose()
                await self._hub.snapshots.async_store(hub_station)
            except JournalError:
                # Its sessions are in the journal already, and others come after it.
                _LOGGER.exception("Charger %s is not saved", shortened(identity))

    def _lock(self, identity: str) -> asyncio.Lock:
        """Return what lets a charger come or go, one at a time."""
        return self._locks.setdefault(identity, asyncio.Lock())

    def _exists(self, subentry_id: str) -> bool:
        """Return whether the user has not deleted a charger."""
        return subentry_id in self._hub.entry.subentries

    def _outdated(self) -> Iterator[str]:
        """Yield the chargers that were deleted, even if they were added anew."""
        for identity, known in self._hub.stations.items():
            if not self._exists(known.subentry_id):
                yield identity
        for identity, subentry_id in self._arrivals:
            if not self._exists(subentry_id):
                yield identity

    async def _async_build(
        self, identity: str, subentry: ConfigSubentry
    ) -> OcppStation:
        """Build a charger from its settings and what the journal kept of it."""
        self.failed.discard(identity)
        await async_claim(
            self._hub.hass,
            self._hub.entry,
            subentry.subentry_id,
            identity,
            serial=await self._async_serial(identity),
            journal=self._hub.journal,
        )
        hub_station = await async_build_charger(self._hub, identity, subentry)
        self._hub.stations[identity] = hub_station
        self._applied[identity] = _content(subentry)
        self._shared.registry.add(hub_station.station)
        for end in self._follow(hub_station):
            hub_station.ending.callback(end)
        # Also of one that stays away.
        async_update_security_issues(self._hub.hass, hub_station.station)
        async_update_restart_issue(self._hub.hass, hub_station.station)
        return hub_station

    async def _async_serial(self, identity: str) -> str | None:
        """Return the serial number of a charger, if it told us before it was here."""
        for candidate in self._hub.waiting:
            if candidate.identity == identity and candidate.serial:
                return candidate.serial
        kept = await self._hub.journal.load(identity, SNAPSHOT) or {}
        serial = (kept.get("info") or {}).get("serial")
        return serial if isinstance(serial, str) else None

    def _follow(self, hub_station: OcppStation) -> tuple[Callable[[], None], ...]:
        """Do what follows from what a charger does; return what ends that."""
        hub, station = self._hub, hub_station.station
        return (
            station.info.subscribe(
                partial(async_refresh_charger, hub.hass, hub_station.device_id, station)
            ),
            *async_follow_restarts(hub.hass, station),
            *hub.snapshots.follow(hub_station),
            Watch(station, hub_station.limiter, utc_now).close,
            Refresher(
                station,
                partial(hub.entry.async_create_background_task, hub.hass),
            ).close,
            station.on_event(partial(async_security_event, hub.hass, station)),
            station.on_event(partial(async_variable_event, hub.hass, station)),
            hub_station.security.upgrade.subscribe(
                partial(async_update_security_issues, hub.hass, station)
            ),
            hub_station.security.certificate.subscribe(
                partial(async_update_security_issues, hub.hass, station)
            ),
            self._shared.tokens.subscribe(hub_station.local_list.changed),
            self._shared.desk.follow(hub.entry.entry_id, hub_station),
            FreeCharging(
                station,
                hub.own_id_token,
                spawn=partial(hub.entry.async_create_background_task, hub.hass),
                clock=utc_now,
            ).close,
        )

    async def _async_try_to_add(self, identity: str, subentry: ConfigSubentry) -> None:
        """Build a charger, if that is still wanted when its turn comes."""
        hub = self._hub
        try:
            async with self._lock(identity):
                gone = hub.stopped or not self._exists(subentry.subentry_id)
                if not gone and identity not in hub.stations:
                    await self._async_add(identity, subentry)
        except Exception:  # the top of a task
            # The registry takes nothing of a charger that was deleted meanwhile.
            if self._exists(subentry.subentry_id):
                _LOGGER.exception("Charger %s cannot be let in", shortened(identity))
                if identity not in hub.stations:
                    self.failed.add(identity)
                    self._shared.registry.tell()

    async def _async_add(self, identity: str, subentry: ConfigSubentry) -> None:
        """Build a charger and show it."""
        hub = self._hub
        hub_station = await self._async_build(identity, subentry)
        await hub.snapshots.async_begin()
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
        before, station.settings = station.settings, settings
        if settings.password_hash is not None:
            async_delete_incidents(hub.hass, identity, (UNGUARDED, INTRUDER))
        await hub_station.security.settings_changed(before)
        async_refresh_charger(hub.hass, hub_station.device_id, station)
        limits.clamp(station)
        station.online.notify()
        await hub.central_system.refresh(identity)

    async def _async_remove(self, identity: str) -> None:
        """Turn out a charger that the user has deleted, and forget it."""
        async with self._lock(identity):
            known = self._hub.stations.get(identity)
            if known is not None and self._exists(known.subentry_id):
                # Another has taken its place before there was anything to forget.
                return
            if known is None:
                await self._hub.central_system.expel(identity)
                await self._async_forget(identity, "")
                return
            # A stranger from now on: who dials in meanwhile is not let in as it.
            self._lose(identity)
            try:
                await self._async_end(identity, known)
            finally:
                # An account may have it from now on, which goes on from what is kept.
                self._shared.registry.discard(known.station)

    async def _async_end(self, identity: str, known: OcppStation) -> None:
        """Turn out a charger, with a last word for who goes on with it, and forget it."""
        hub = self._hub
        await hub.central_system.expel(identity)
        await _async_logged(identity, known.ending.aclose())
        await _async_logged(identity, hub.snapshots.async_store(known))
        await async_remove_files(hub.hass, known.subentry_id)
        await self._async_forget(identity, known.station.info.value.serial or "")

    def _part_with(self, identity: str) -> OcppStation:
        """Return a charger that anybody else may have now, and is still to be ended."""
        hub_station = self._lose(identity)
        self._shared.registry.discard(hub_station.station)
        return hub_station

    def _lose(self, identity: str) -> OcppStation:
        """Return a charger that is none of ours any more."""
        hub_station = self._hub.stations.pop(identity)
        del self._applied[identity]
        async_delete_finding_issues(self._hub.hass, hub_station.station)
        async_delete_security_issues(self._hub.hass, hub_station.station)
        async_delete_restart_issue(self._hub.hass, identity)
        return hub_station

    async def _async_forget(self, identity: str, serial: str) -> None:
        """Forget everything about a charger that the user has deleted."""
        try:
            await self._shared.authority.async_revoke(identity)
        except AuthorityError:
            _LOGGER.exception("Certificates of %s stay valid", shortened(identity))
        hub = self._hub
        # An account that has it goes on with its sessions.
        if not await async_known_elsewhere(hub.hass, hub.entry, identity, serial):
            await hub.journal.forget(identity)
        async_delete_incidents(self._hub.hass, identity)
        async_forget_security_events(self._hub.hass, identity)
        async_forget_alerts(self._hub.hass, identity)


async def _async_logged(identity: str, change: Awaitable[None]) -> None:
    """Wait for the change of a charger, whatever becomes of it."""
    try:
        await change
    except Exception:  # of one charger, whatever it is
        _LOGGER.exception("Charger %s is not as it should be", shortened(identity))


def _content(subentry: ConfigSubentry) -> Applied:
    """Return what can change in a subentry; Home Assistant keeps the object."""
    return subentry.title, subentry.data
