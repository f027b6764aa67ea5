"""The hub of an Easee account: between the cloud and Home Assistant."""

from collections.abc import Callable, Mapping
from functools import partial
import logging
import os
from typing import Any, Final, override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)

from .const import DOMAIN, SIGNAL_NEW_STATION
from .devices import async_identities
from .easee.account import Addresses, EaseeAccount
from .easee.catalog import Catalog
from .easee.const import API_URL, STREAM_URL
from .easee.products import ChargerInfo
from .easee.timing import RealTime, Time
from .easee.wear import Wear
from .easee_building import apply_settings, async_build_easee_charger, follow
from .easee_devices import async_register_account, async_register_site, site_identifier
from .easee_guests import Guests
from .easee_history import AccountHistory
from .easee_issues import AccountIssues
from .easee_local import LocalCharging
from .easee_products import EaseeProducts
from .easee_session import AccountSession
from .easee_settings import CONF_CHARGERS, LeftOut, charger_options
from .entries import is_easee
from .handover import async_known_by
from .hub_base import Hub
from .models import HubStation
from .settings import async_identity_taken
from .station.errors import JournalError
from .station.journal import Journal
from .station.secrets import shortened
from .storage import DATA

_LOGGER = logging.getLogger(__name__)

ENV_API: Final = "EV_CHARGER_HUB_EASEE_API"
ENV_STREAM: Final = "EV_CHARGER_HUB_EASEE_STREAM"


def easee_time() -> Time:
    """Return the time by which accounts live."""
    return RealTime()


def easee_addresses() -> Addresses:
    """Return where the cloud is; a developer may have a virtual one."""
    return Addresses(
        api=os.environ.get(ENV_API, API_URL),
        stream=os.environ.get(ENV_STREAM, STREAM_URL),
    )


class EaseeHub(Hub[HubStation]):
    """One account of the Easee cloud, with its chargers and equalizers."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        *,
        journal: Journal,
        session: AccountSession,
    ) -> None:
        """Prepare a hub that has no charger yet and sends nothing."""
        time, addresses = easee_time(), easee_addresses()
        super().__init__(
            hass, entry, journal=journal, clock=time, call_later=time.call_later
        )
        self.session = session
        self.store = session.store
        self.account_device_id = ""
        """The device of the account."""
        self.site_device_ids: dict[int, str] = {}
        """The devices of the sites."""
        web = async_get_clientsession(hass)
        authenticator, budget = session.begin(entry, web, time, addresses.api)
        self.account = EaseeAccount(
            web,
            time,
            authenticator=authenticator,
            budget=budget,
            wear=Wear(time, self.store.load_wear, self.store.save_wear),
            spawn=partial(entry.async_create_background_task, hass),
            addresses=addresses,
        )
        left_out = LeftOut.of(entry.options)
        self.account.exclude(left_out.sites, left_out.products)
        self.products = EaseeProducts(self)
        self.history = AccountHistory(self)
        self.issues = AccountIssues(self)
        self._shared = hass.data[DATA]
        self._ends: list[Callable[[], None]] = []
        self.guests = Guests(self)
        """Those of its chargers that OCPP servers show."""
        self.local = LocalCharging(self)
        """How its chargers are moved to OCPP servers here, and back."""
        self._lock = self._shared.ownership
        self._shadowed: set[str] = set()
        """Chargers that are left to another account, which had them first."""
        self._looks = False
        """Whether they are to be looked through soon."""
        self._united: set[tuple[str, str]] = set()
        """Names of chargers for which servers were asked to go on, with theirs."""

    @property
    def chargers(self) -> tuple[HubStation, ...]:
        """Return the chargers of the account, whichever entry shows them."""
        return (*self.stations.values(), *self.guests.stations.values())

    def identity_of(self, info: ChargerInfo) -> str:
        """Return what a charger is known by: what a server called it, or its serial."""
        serial = info.serial.upper()
        return self.store.identities.get(serial, serial)

    # What the user decides

    @override
    @callback
    def change_charger(self, identity: str, changes: Mapping[str, Any]) -> None:
        """Change settings of a charger, now and for the next start."""
        hub_station = self.stations.get(identity)
        charger = None if hub_station is None else hub_station.easee
        serial = identity if charger is None else charger.serial.upper()
        chosen = {**charger_options(self.entry, serial), **changes}
        chargers = {**self.entry.options.get(CONF_CHARGERS, {}), serial: chosen}
        self.hass.config_entries.async_update_entry(
            self.entry, options={**self.entry.options, CONF_CHARGERS: chargers}
        )
        if hub_station is not None:
            apply_settings(self, hub_station)

    # Life

    async def async_prepare(self) -> None:
        """Build what is known of the account with what was last known of it."""
        self.account_device_id = async_register_account(self.hass, self.entry)
        self._remove_left_out()
        await self.products.async_load()
        await self._async_build_catalog()
        await self.snapshots.async_begin()

    @callback
    def start(self) -> None:
        """Begin to listen to the cloud; nothing of it has to be there."""
        self.restore_for_a_while()
        self._ends = [
            self.account.catalog.subscribe(self.look_again),
            self.account.listed.subscribe(self._keep_listed),
            self._shared.registry.changed.subscribe(self.look_again),
            async_dispatcher_connect(
                self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
            ),
            *self.issues.follow(),
        ]
        self._keep_listed()
        self.account.start()
        self.products.start()
        self.history.start()
        self.local.start()
        # Servers may have come since the chargers were built.
        self.look_again()

    async def async_stop(self) -> None:
        """Hang up, and write down what is known."""
        if self.stopped:
            return
        self.stopped = True
        self.snapshots.close()
        self.cancel_restoring()
        self.turns.close()
        for end in self._ends:
            end()
        self.issues.close()
        await self.local.async_stop()
        await self.history.async_stop()
        await self.products.async_stop()
        await self.account.stop()
        await self.session.async_rest()
        self.flusher.close()
        async with self._lock:
            self.guests.close()
            while self.stations:
                await self._async_part_with(next(iter(self.stations)))

    async def async_give_up(self, *names: str) -> None:
        """Show a charger no longer, because a server is about to."""
        async with self._lock:
            for identity in names:
                await self.async_let_go(identity)

    async def async_let_go(self, identity: str) -> None:
        """Let go of a charger, if it is here; the ownership is decided just now."""
        if identity in self.stations:
            await self._async_part_with(identity)

    async def async_forget(self, identity: str) -> None:
        """Forget a product whose device the user has deleted."""
        self.products.forget(identity)
        async with self._lock:
            await self.async_let_go(identity)
            if not async_identity_taken(self.hass, identity):
                await self.journal.forget(identity)
        # Another account may have it.
        self._shared.registry.tell()

    def owns(self, device: dr.AnyDeviceEntry) -> bool:
        """Return whether a device is something that the account still has."""
        catalog = self.account.catalog.value
        known = {
            self.entry.entry_id,
            *(one.upper() for one in catalog.serials),
            *(self.identity_of(one) for one in catalog.chargers.values()),
            *(site_identifier(site.id) for site in catalog.sites),
        }
        identities = async_identities(device)
        owners = {one.rpartition("_")[0] for one in identities}
        return not known.isdisjoint(identities | owners)

    def via_device(self, info: ChargerInfo) -> str:
        """Return the device below which a charger is: its site, or the account."""
        return self.site_device_ids.get(info.site_id or 0, self.account_device_id)

    # The catalog

    @callback
    def _entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look who shows what, now that another entry comes, changes or goes."""
        if entry.domain == DOMAIN and entry is not self.entry:
            self.guests.keep_devices(entry)
            self.look_again()

    @callback
    def _keep_listed(self) -> None:
        """Keep what the account has for a start without the cloud."""
        if (listed := self.account.listed.value) is not None:
            self.entry.async_create_task(
                self.hass, self.store.save_catalog(listed), "Easee products"
            )

    @callback
    def look_again(self) -> None:
        """Bring devices and entities in line with what the account has."""
        if self.stopped or self._looks:
            return
        self._looks = True
        self.entry.async_create_task(
            self.hass,
            self._async_follow_catalog(),
            "Easee products have changed",
            eager_start=False,
        )

    async def _async_follow_catalog(self) -> None:
        try:
            await self._async_build_catalog()
        except JournalError:
            _LOGGER.exception("The chargers of an Easee account cannot be built")

    async def _async_build_catalog(self) -> None:
        """Build what came to the account, and listen no more to what went."""
        async with self._lock:
            self._looks = False
            if self.stopped:
                return
            catalog = self.account.catalog.value
            for site in catalog.sites:
                self.site_device_ids[site.id] = async_register_site(
                    self.hass, self.entry, site, self.account_device_id
                )
            for info in catalog.chargers.values():
                await self._async_meet(info)
            self._lose_others(catalog)
            self.products.follow(catalog)
            for hub_station in self.chargers:
                if (charger := hub_station.easee) is not None:
                    shared = catalog.shares_circuit(charger.serial)
                    hub_station.station.shared_circuit.set(shared)
            await self.local.async_follow()

    async def _async_meet(self, info: ChargerInfo) -> None:
        """Build a charger, or take note of what has changed about it."""
        serial = info.serial.upper()
        if (host := self.guests.host_of(info)) is not None:
            await self._async_join(info, host)
            return
        if (named := async_known_by(self.hass, serial)) is not None:
            await self._async_call(info, named)
        identity = self.identity_of(info)
        if (hub_station := self.stations.get(identity)) is None:
            if not self.guests.is_awaited(info):
                await self._async_add(identity, info)
            return
        assert hub_station.easee is not None
        hub_station.easee.update(info)
        apply_settings(self, hub_station)
        dr.async_get(self.hass).async_update_device(
            hub_station.device_id, via_device_id=self.via_device(info)
        )
        if serial not in self.account.chargers:
            self.account.add_charger(hub_station.easee)
            hub_station.station.remote.set(hub_station.easee.reachable)

    async def _async_call(self, info: ChargerInfo, identity: str) -> None:
        """Know a charger by another name from now on."""
        if (before := self.identity_of(info)) != identity:
            await self.async_let_go(before)
            await self.store.save_identity(info.serial, identity)

    async def _async_join(self, info: ChargerInfo, host: HubStation) -> None:
        """Be the second way to a charger that a server shows."""
        serial, identity = info.serial.upper(), host.station.identity
        before = self.identity_of(info)
        if before != identity and await self._async_has_known(before):
            if (before, identity) not in self._united:
                self._united.add((before, identity))
                self.guests.have_united(host)
                return
        await self._async_call(info, identity)
        known = self.guests.stations.get(serial)
        if known is not None and known is not host:
            self.guests.leave(serial)
            known = None
        if known is not None:
            assert known.easee is not None
            known.easee.update(info)
        elif host.cloud.value is None:
            self.guests.join(info, host)

    async def _async_has_known(self, identity: str) -> bool:
        """Return whether a charger was here by some name."""
        registry, key = dr.async_get(self.hass), (DOMAIN, identity)
        return (
            identity in self.stations
            or registry.async_get_device_by_identifier(key, self.entry.entry_id)
            is not None
            or await self.journal.knows(identity)
        )

    async def _async_add(self, identity: str, info: ChargerInfo) -> None:
        """Build a charger that nobody else has, and show it."""
        if await self._async_is_taken(identity, info):
            if identity not in self._shadowed:
                _LOGGER.warning(
                    "Charger %s is here already, and left to the entry that has it",
                    shortened(identity),
                )
            self._shadowed.add(identity)
            return
        try:
            hub_station = await async_build_easee_charger(self, info)
        except JournalError:
            raise
        except Exception:  # of one charger, whatever it is
            _LOGGER.exception("Charger %s cannot be built", shortened(identity))
            return
        assert hub_station.easee is not None
        self._shadowed.discard(identity)
        self.stations[identity] = hub_station
        self._shared.registry.add(hub_station.station)
        for end in follow(self, hub_station):
            hub_station.ending.callback(end)
        for end in self.products.follow_sessions(hub_station):
            hub_station.ending.callback(end)
        self.account.add_charger(hub_station.easee)
        hub_station.ending.callback(self.issues.follow_product(info.serial.upper()))
        async_dispatcher_send(
            self.hass, SIGNAL_NEW_STATION.format(self.entry.entry_id), hub_station
        )

    async def _async_is_taken(self, identity: str, info: ChargerInfo) -> bool:
        """Return whether another account shows a charger, and still has it."""
        for other in self.hass.config_entries.async_loaded_entries(DOMAIN):
            if other is self.entry or not is_easee(other):
                continue
            hub: EaseeHub = other.runtime_data
            if identity not in hub.stations:
                continue
            if info.serial.upper() in hub.account.chargers:
                return True
            await hub.async_let_go(identity)
        return False

    def _lose_others(self, catalog: Catalog) -> None:
        """Listen no more to what the account has no longer; the user may delete it."""
        known = {one.upper() for one in catalog.serials}
        account = self.account
        for serial in {*account.chargers, *account.equalizers} - known:
            if serial in self.guests.stations:
                self.guests.leave(serial)
                continue
            charger = account.chargers.get(serial)
            account.remove(serial)
            if charger is not None:
                charger.station.remote.set(False)
                # Another account may have it.
                self._shared.registry.tell()

    async def _async_part_with(self, identity: str) -> None:
        """Let go of a charger; what is known of it is kept."""
        hub_station = self.stations.pop(identity)
        assert hub_station.easee is not None
        self.account.remove(hub_station.easee.serial.upper())
        self._shared.registry.discard(hub_station.station)
        try:
            await hub_station.ending.aclose()
            await self.snapshots.async_store(hub_station)
        except JournalError:
            # Its sessions are in the journal already, and others come after it.
            _LOGGER.exception("Charger %s is not saved", shortened(identity))

    @callback
    def _remove_left_out(self) -> None:
        """Remove the devices of what the user does not want to see any more."""
        left_out = LeftOut.of(self.entry.options)
        unwanted = {one.upper() for one in left_out.products} | {
            site_identifier(one) for one in left_out.sites
        }
        listed = self.account.listed.value
        for site in () if listed is None else listed.sites:
            if site.id in left_out.sites:
                unwanted |= {one.serial.upper() for one in site.chargers}
                unwanted |= {one.serial.upper() for one in site.equalizers}
        named = self.store.identities
        unwanted |= {named[one] for one in unwanted & named.keys()}
        registry = dr.async_get(self.hass)
        for device in dr.async_entries_for_config_entry(registry, self.entry.entry_id):
            if not unwanted.isdisjoint(async_identities(device)):
                registry.async_remove_device(device.id)
