"""Guests: chargers of an Easee account that an OCPP server shows.

The cloud is their second way: what only it knows is shown with the rest, and it carries
commands while the charger is not connected to us.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN
from .easee.products import ChargerInfo
from .easee_building import build_cloud_side
from .entries import async_loaded_servers, is_easee
from .handover import COMING, async_coming_owners, async_take_device
from .models import CloudSide, HubStation
from .station.clock import Timer
from .station.link import LinkKind
from .station.registry import normal
from .storage import DATA

if TYPE_CHECKING:
    from .easee_hub import EaseeHub

GRACE: Final = timedelta(seconds=60)
"""So long a server that cannot be set up may still come, before the account shows it."""


class Guests:
    """The chargers of one account that are shown by others."""

    def __init__(self, hub: EaseeHub) -> None:
        """Start without any."""
        self._hub = hub
        self.stations: dict[str, HubStation] = {}
        """By serial number in upper case."""
        self._endings: dict[str, ExitStack] = {}
        self._failing_since: dict[str, datetime] = {}
        """Since when servers cannot be set up, by entry id."""
        self._timer: Timer | None = None
        self._timer_at: datetime | None = None

    def host_of(self, info: ChargerInfo) -> HubStation | None:
        """Return a charger as a server that runs has it."""
        names = {self._hub.identity_of(info), info.serial}
        wanted = {normal(one) for one in names}
        by_serial: HubStation | None = None
        for entry in async_loaded_servers(self._hub.hass):
            for hub_station in entry.runtime_data.stations.values():
                station = hub_station.station
                if normal(station.identity) in wanted:
                    return hub_station
                if normal(station.info.value.serial) == normal(info.serial):
                    by_serial = hub_station
        return by_serial

    def is_awaited(self, info: ChargerInfo) -> bool:
        """Return whether another who shows a charger is about to run, or to let go."""
        hub, now = self._hub, self._hub.clock()
        identity = hub.identity_of(info)
        if hub.hass.data[DATA].registry.find(identity=identity) is not None:
            # Another account has it, or somebody who has not let go of it yet.
            return not self._is_shown_by_account(identity)
        awaited = False
        for entry in async_coming_owners(hub.hass, hub.entry, identity):
            since = self._failing(entry, now)
            if since is None:
                awaited = True
            elif now < since + GRACE:
                awaited = True
                self._look_at(since + GRACE)
        return awaited

    def _failing(self, entry: ConfigEntry[Any], now: datetime) -> datetime | None:
        """Return since when an entry cannot be set up, None if it may come soon.

        An attempt that fails once more is no new beginning.
        """
        if entry.state not in COMING:
            return self._failing_since.setdefault(entry.entry_id, now)
        if entry.state is not ConfigEntryState.SETUP_IN_PROGRESS:
            self._failing_since.pop(entry.entry_id, None)
        return None

    def _is_shown_by_account(self, identity: str) -> bool:
        """Return whether an account that runs shows a charger."""
        return any(
            is_easee(entry) and identity in entry.runtime_data.stations
            for entry in self._hub.hass.config_entries.async_loaded_entries(DOMAIN)
        )

    def _look_at(self, moment: datetime) -> None:
        """Look again who shows what."""
        if self._timer is not None:
            if (
                self._timer_at is not None
                and self._hub.clock() < self._timer_at < moment
            ):
                return
            self._timer.cancel()
        self._timer_at = moment
        seconds = (moment - self._hub.clock()).total_seconds() + 1.0
        self._timer = self._hub.call_later(seconds, self._hub.look_again)

    @callback
    def join(self, info: ChargerInfo, host: HubStation) -> None:
        """Be the second way to a charger that a server shows."""
        hub, serial, station = self._hub, info.serial.upper(), host.station
        ending = ExitStack()
        charger = build_cloud_side(hub, info, station, host.transactions, ending)
        station.ways = {*station.ways, LinkKind.EASEE}
        self.stations[serial] = host
        self._endings[serial] = ending
        host.cloud.set(CloudSide(hub=hub, charger=charger))
        for end in self._ends(serial, host):
            ending.callback(end)
        host.ending.callback(self._host_ends, serial, charger)
        station.grow()

    def _ends(self, serial: str, host: HubStation) -> list[Callable[[], None]]:
        """Follow what belongs to the account; return what ends that."""
        hub, charger = self._hub, host.easee
        assert charger is not None
        ends = [*hub.products.follow_sessions(host)]
        hub.account.add_charger(charger)
        ends.append(hub.issues.follow_product(serial))
        return ends

    @callback
    def _host_ends(self, serial: str, charger: object) -> None:
        """Leave a charger whose server lets go of it."""
        host = self.stations.get(serial)
        if host is not None and host.easee is charger:
            self.leave(serial)
            self._hub.look_again()

    @callback
    def leave(self, serial: str) -> None:
        """Be no way to a charger any more."""
        host = self.stations.pop(serial)
        self._endings.pop(serial).close()
        self._hub.account.remove(serial)
        host.station.ways = host.station.ways - {LinkKind.EASEE}
        host.station.shared_circuit.set(None)
        host.cloud.set(None)
        if not self._hub.hass.is_stopping:
            host.station.remote.set(False)
            # Another account may have it.
            self._hub.hass.data[DATA].registry.tell()

    @callback
    def have_united(self, host: HubStation) -> None:
        """Have a server build a charger anew that was here by another name."""
        identity = host.station.identity
        for entry in async_loaded_servers(self._hub.hass):
            if entry.runtime_data.stations.get(identity) is host:
                entry.runtime_data.chargers.build_again(identity)

    @callback
    def keep_devices(self, entry: ConfigEntry[Any]) -> None:
        """Keep devices whose chargers the user has deleted just now at a server.

        Home Assistant removes their entities otherwise, and with them what others have
        made of these. The server lets go of its objects soon. From 2026.11 on it does
        so first, and restores them when the account shows them.
        """
        hub = self._hub
        registry = dr.async_get(hub.hass)
        for info in hub.account.catalog.value.chargers.values():
            identity = hub.identity_of(info)
            key = DOMAIN, identity
            device = registry.async_get_device_by_identifier(key, entry.entry_id)
            subentry_id = None if device is None else device.config_subentry_id
            if subentry_id is not None and subentry_id not in entry.subentries:
                async_take_device(hub.hass, hub.entry, None, identity)

    @callback
    def close(self) -> None:
        """Leave all of them."""
        if self._timer is not None:
            self._timer.cancel()
        for serial in tuple(self.stations):
            self.leave(serial)
