"""Products of an Easee account that are no chargers: equalizers and sites, with costs."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .easee.catalog import Catalog
from .easee.costs import ChargerCosts, ChargersCosts, SiteCosts
from .easee.equalizer import Equalizer
from .easee.ids import EqualizerId
from .easee.products import EqualizerInfo, SiteInfo
from .easee.sites import Sites
from .easee_devices import async_register_equalizer, site_identifier
from .easee_product_entity import Make, Product, ProductEntityDescription, ProductGrowth
from .models import HubConfigEntry, HubStation
from .station.channel import Channel
from .station.model import Evse
from .station.transaction import Transaction

if TYPE_CHECKING:
    from .easee_hub import EaseeHub

type Descriptions[S: Equalizer | SiteCosts] = Iterable[ProductEntityDescription[S]]


class EaseeProducts:
    """The equalizers and sites of an account: what is known of them, and their devices.

    Who goes stays known, so that entities show it again should it come back.
    """

    def __init__(self, hub: EaseeHub) -> None:
        """Know of none yet."""
        self.equalizers: dict[str, Equalizer] = {}
        self.costs: dict[int, SiteCosts] = {}
        self.counted: dict[str, Channel[bool]] = {}
        """Whether a site counts what a charger costs, by serial."""
        self.changed: Channel[int] = Channel(0, urgent=True)
        """How often something came or went."""
        self._hub = hub
        self._sites = Sites(hub.account.requests)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._running = False
        self._costs: ChargersCosts = {}
        self._kept: Mapping[str, Any] = {}
        """The costs that were known before a restart, by site."""

    async def async_load(self) -> None:
        """Learn what was known before a restart."""
        self._kept = await self._hub.store.load_costs()

    @callback
    def follow(self, catalog: Catalog) -> None:
        """Bring all in line with what the account has."""
        for info in catalog.equalizers.values():
            if not self._is_taken(info.serial):
                self._meet(info)
        for serial in self.equalizers.keys() - catalog.equalizers.keys():
            self.equalizers[serial].lose()
        for site in catalog.sites:
            if not self._is_taken(site_identifier(site.id)):
                self._cost(site)
        for site_id in self.costs.keys() - {one.id for one in catalog.sites}:
            self.costs[site_id].listed.set(False)
            if (task := self._tasks.pop(site_id, None)) is not None:
                task.cancel()
        self._count()
        self.changed.set(self.changed.value + 1)

    @callback
    def forget(self, identifier: str) -> None:
        """Know no more of a product whose device the user has deleted, if it is one."""
        if (equalizer := self.equalizers.pop(identifier, None)) is not None:
            equalizer.stop()
        for site_id in tuple(self.costs):
            if site_identifier(site_id) == identifier:
                del self.costs[site_id]
        self.changed.set(self.changed.value + 1)

    @callback
    def start(self) -> None:
        """Begin to ask for costs."""
        self._running = True
        for costs in self.costs.values():
            if costs.listed.value:
                self._run(costs)

    async def async_stop(self) -> None:
        """Ask for nothing more."""
        self._running = False
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks.values())
        for equalizer in self.equalizers.values():
            equalizer.stop()

    @callback
    def follow_sessions(self, hub_station: HubStation) -> Iterator[Callable[[], None]]:
        """Ask for the costs of sessions of a charger; yield what ends that."""
        for evse in hub_station.station.evses.values():
            sessions = _Sessions(self, hub_station, evse)
            yield evse.session.subscribe(sessions.changed)

    def costs_at(self, serial: str) -> ChargerCosts:
        """Return what a charger costs, at whichever site."""
        counted = self.counted.setdefault(serial, Channel(False, urgent=True))
        return ChargerCosts(serial=serial, costs=self._costs, counted=counted)

    def costs_of(self, serial: str) -> SiteCosts | None:
        """Return the costs of the site of a charger."""
        for costs in self.costs.values():
            if costs.listed.value and serial in _serials(costs):
                return costs
        return None

    def _count(self) -> None:
        """Bring in line whose costs are counted, wherever they moved."""
        counted: set[str] = set()
        for costs in self.costs.values():
            if costs.listed.value:
                counted |= _serials(costs)
        for serial in counted | self.counted.keys():
            channel = self.counted.setdefault(serial, Channel(False, urgent=True))
            channel.set(serial in counted)

    def _is_taken(self, identifier: str) -> bool:
        """Return whether a product is shown by another account that is not disabled."""
        hass, entry = self._hub.hass, self._hub.entry
        others = {
            one.entry_id
            for one in hass.config_entries.async_entries(DOMAIN)
            if one is not entry and one.disabled_by is None
        }
        return any(
            one.config_entry_id in others
            and one.platform == DOMAIN
            and one.unique_id.startswith(f"{identifier}_")
            for one in er.async_get(hass).entities.values()
        )

    def _meet(self, info: EqualizerInfo) -> None:
        account, serial = self._hub.account, info.serial
        if (equalizer := self.equalizers.get(serial)) is None:
            equalizer = self.equalizers[serial] = Equalizer(
                info,
                account.time,
                commands=account.commands,
                requests=account.requests,
            )
            equalizer.readings.channel(EqualizerId.SOFTWARE_RELEASE).subscribe(
                partial(self._register, equalizer)
            )
        equalizer.info = info
        if serial not in account.equalizers:
            account.add_equalizer(equalizer)
        self._register(equalizer)

    @callback
    def _register(self, equalizer: Equalizer) -> None:
        """Bring the device of an equalizer up to date."""
        hub, site_id = self._hub, equalizer.info.site_id or 0
        via_id = hub.site_device_ids.get(site_id, hub.account_device_id)
        async_register_equalizer(hub.hass, hub.entry, equalizer, via_id)

    def _cost(self, site: SiteInfo) -> None:
        if (costs := self.costs.get(site.id)) is None:
            costs = self.costs[site.id] = SiteCosts(
                site,
                self._sites,
                self._hub.account.time,
                dt_util.get_default_time_zone,
                costs=self._costs,
            )
            costs.restore(self._kept.get(str(site.id), {}))
            costs.asked.subscribe(self._keep)
        costs.update(site)
        if self._running and site.id not in self._tasks:
            self._run(costs)

    @callback
    def _keep(self) -> None:
        """Keep the costs for the next start."""
        costs = {str(site_id): one.dump() for site_id, one in self.costs.items()}
        self._hub.entry.async_create_task(
            self._hub.hass, self._hub.store.save_costs(costs), "Easee costs"
        )

    def _run(self, costs: SiteCosts) -> None:
        site_id = costs.site.value.id
        self._tasks[site_id] = self._hub.entry.async_create_background_task(
            self._hub.hass, costs.run(), "Easee costs"
        )


def _serials(costs: SiteCosts) -> set[str]:
    """Return the chargers of a site."""
    return {one.serial for one in costs.site.value.chargers}


class _Sessions:
    """Notices when a session at an EVSE is over."""

    def __init__(
        self, products: EaseeProducts, hub_station: HubStation, evse: Evse
    ) -> None:
        """Begin with the session that is."""
        assert hub_station.easee is not None
        self._products = products
        self._serial = hub_station.easee.serial
        self._evse = evse
        self._open: Transaction | None = evse.transaction

    @callback
    def changed(self) -> None:
        """Have the costs asked for if a session is over."""
        before, self._open = self._open, self._evse.transaction
        if before is None or (self._open and self._open.key == before.key):
            return
        costs = self._products.costs_of(self._serial)
        if costs is not None:
            costs.session_ended(before.started_at)


@dataclass(kw_only=True, slots=True, frozen=True)
class ProductPlatform:
    """What one platform shows of products: each description with each such product.

    `entities` has the entity for each type of description.
    """

    platform: Platform
    entities: Mapping[type, Make]
    of_equalizer: Descriptions[Equalizer] = ()
    of_site: Descriptions[SiteCosts] = ()

    @callback
    def setup(
        self,
        hass: HomeAssistant,
        entry: HubConfigEntry,
        add: AddConfigEntryEntitiesCallback,
    ) -> None:
        """Add the entities of the products of an account, now and as they appear."""
        hub: Any = entry.runtime_data
        growth = ProductGrowth(hub, self.platform, self.entities, add)
        entry.async_on_unload(growth.close)
        follow = partial(self._follow, hub, growth)
        entry.async_on_unload(hub.products.changed.subscribe(follow))
        follow()

    @callback
    def _follow(self, hub: EaseeHub, growth: ProductGrowth) -> None:
        growth.keep({product.identifier for product, _ in self._products(hub)})
        for product, descriptions in self._products(hub):
            growth.follow(product, descriptions)

    def _products(
        self, hub: EaseeHub
    ) -> Iterator[tuple[Product[Any], Iterable[ProductEntityDescription[Any]]]]:
        for serial, equalizer in hub.products.equalizers.items():
            product = Product(
                subject=equalizer, identifier=serial, online=equalizer.online
            )
            yield product, self.of_equalizer
        for site_id, costs in hub.products.costs.items():
            identifier = site_identifier(site_id)
            site = Product(subject=costs, identifier=identifier, online=costs.listed)
            yield site, self.of_site
