"""Growth: entities appear when what they show does, each once."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN, SIGNAL_NEW_STATION
from .entity import (
    HubEntity,
    HubEntityDescription,
    child_device_info,
    dials_in,
    of_server,
    unique_id,
)
from .entries import is_easee
from .handover import async_server_of
from .hub_base import Hub
from .models import HubConfigEntry, HubStation
from .station.clock import utc_now
from .station.model import ChargingStation, Evse, Place

if TYPE_CHECKING:
    from .easee.charger import EaseeCharger

AT_ONCE: Final = 5
"""Entities that are added without a pause: a few milliseconds."""

JUST_CREATED: Final = timedelta(minutes=5)
"""So long after an entity came its id may still change with its device."""

type Make = Callable[..., HubEntity[Any]]
type ProductsSetup = Callable[
    [HomeAssistant, HubConfigEntry, AddConfigEntryEntitiesCallback], None
]
"""Adds the entities of what is no charger: equalizers, sites, circuits."""

type Candidate = tuple[Any, HubEntityDescription[Any]]


def by_description(usual: Make, others: Mapping[type, Make]) -> Make:
    """Return what makes an entity by the type of its description."""

    def make(*subject: Any) -> HubEntity[Any]:
        description = subject[-1]
        return others.get(type(description), usual)(*subject)

    return make


@dataclass(kw_only=True, slots=True, frozen=True)
class HubPlatform:
    """What one platform shows of chargers: each description with each such subject.

    `more` yields what depends on what a charger sends. `of_easee` is for what only the
    Easee cloud tells of a charger, `products` adds the entities of its other products.
    `told` are the keys of what it measures by `more`, too. `prompt` says that an entity
    which comes late has missed something.
    """

    platform: Platform
    entity: Make
    of_station: Iterable[HubEntityDescription[ChargingStation]] = ()
    of_whole: Iterable[HubEntityDescription[Place]] = ()
    of_evse: Iterable[HubEntityDescription[Evse]] = ()
    of_easee: Iterable[HubEntityDescription[EaseeCharger]] = ()
    more: Callable[[ChargingStation], Iterable[Candidate]] = lambda _: ()
    told: Iterable[str] = ()
    products: ProductsSetup | None = None
    prompt: bool = False

    def candidates(self, hub_station: HubStation) -> Iterator[Candidate]:
        """Yield what may be an entity of a station."""
        station = hub_station.station
        if (easee := hub_station.easee) is not None:
            yield from ((easee, description) for description in self.of_easee)
        yield from ((station, description) for description in self.of_station)
        yield from ((station.whole, description) for description in self.of_whole)
        for evse in station.evses.values():
            yield from ((evse, description) for description in self.of_evse)
        yield from self.more(station)

    async def async_setup_entry(
        self,
        hass: HomeAssistant,
        entry: HubConfigEntry,
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        """Add the entities of the chargers of a server, now and as they appear."""
        follow = partial(self._follow, hass, entry, async_add_entities)
        if self.products is not None and is_easee(entry):
            self.products(hass, entry, async_add_entities)
        for hub_station in tuple(entry.runtime_data.stations.values()):
            follow(hub_station, prompt=True)
            await asyncio.sleep(0)
        entry.async_on_unload(
            async_dispatcher_connect(
                hass,
                SIGNAL_NEW_STATION.format(entry.entry_id),
                partial(follow, prompt=self.prompt),
            )
        )

    @callback
    def _follow(
        self,
        hass: HomeAssistant,
        entry: HubConfigEntry,
        async_add_entities: AddConfigEntryEntitiesCallback,
        hub_station: HubStation,
        *,
        prompt: bool,
    ) -> None:
        """Add the entities of one charger, now or soon, and as they appear."""
        add = partial(async_add_entities, config_subentry_id=hub_station.subentry_id)
        growth = Growth(hass, entry.runtime_data, hub_station, self, add)
        hub_station.ending.push_async_callback(growth.async_end)
        growth.follow(prompt=prompt)


class Growth:
    """The entities of one platform at one charger, as far as they exist."""

    def __init__(
        self,
        hass: HomeAssistant,
        hub: Hub[Any],
        hub_station: HubStation,
        platform: HubPlatform,
        add: Callable[[list[HubEntity[Any]]], None],
    ) -> None:
        """Start without entities."""
        self._hass = hass
        self._hub = hub
        self._hub_station = hub_station
        self._station = hub_station.station
        self._platform = platform
        self._add = add
        self._made: dict[str, HubEntity[Any]] = {}
        """The entities by their ids, also those that are about to be added."""
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._unsubscribe: Callable[[], None] | None = None
        self._scheduled = False

    @callback
    def follow(self, *, prompt: bool) -> None:
        """Add what exists, and follow what will."""
        ends = (
            self._station.on_growth(self._schedule),
            self._hub_station.cloud.subscribe(self._cloud_changed),
        )

        def unsubscribe() -> None:
            for end in ends:
                end()

        self._unsubscribe = unsubscribe
        if prompt:
            self._add_some(self._new())
        else:
            self._schedule()

    async def async_end(self) -> None:
        """Take the entities away: another may show the charger, and them, from now on.

        What is in the registries stays.
        """
        self._close()
        if self._hub.stopped:
            # Home Assistant has taken them away, or ends.
            return
        for entity in tuple(self._made.values()):
            if entity.hass is not None:
                await entity.async_remove()

    @callback
    def _close(self) -> None:
        """Follow the charger no longer."""
        if self._unsubscribe is None:
            return
        self._unsubscribe()
        self._unsubscribe = None
        for key in tuple(self._waiting):
            self._stop_waiting(key)

    @callback
    def _cloud_changed(self) -> None:
        """Take away what shows an account that is gone; another may come.

        What a charger tells and its cloud tells better gives way to that.
        """
        if self._hass.is_stopping:
            # All of it is to be there at the next start.
            return
        current = self._hub_station.easee
        better = set()
        if current is not None:
            better = {unique_id(current, one.key) for one in self._platform.of_easee}
        for key, entity in tuple(self._made.items()):
            of_cloud = not isinstance(entity.subject, ChargingStation | Place)
            if entity.subject is not current and (of_cloud or key in better):
                self._take_away(entity, key)
        if current is None:
            for key in tuple(self._waiting):
                self._stop_waiting(key)
        self._schedule()

    @callback
    def _take_away(self, entity: HubEntity[Any], key: str) -> None:
        """Take an entity away that another may replace."""
        del self._made[key]
        if entity.hass is not None:
            self._hass.async_create_task(entity.async_remove(), "Easee account")

    @callback
    def _schedule(self) -> None:
        """Have everything that one frame brings added together."""
        if self._scheduled:
            return
        self._scheduled = True
        if self._platform.prompt:
            self._hass.loop.call_soon(self._sync)
        else:
            self._hub.turns.add(self._sync)

    @callback
    def _sync(self) -> None:
        """Add what exists now and did not."""
        self._scheduled = False
        if not self._current():
            self._close()
            return
        new = self._new()
        if self._platform.prompt:
            self._add_some(new)
            return
        for some in batched(new, AT_ONCE, strict=False):
            self._hub.turns.add(partial(self._add_some, list(some)))

    @callback
    def _add_some(self, new: list[HubEntity[Any]]) -> None:
        """Add a few entities, if there is still a use for them."""
        # Some may have been taken away meanwhile, and made anew for another account.
        new = [one for one in new if self._made.get(one.unique_id or "") is one]
        if new and self._current():
            self._add(new)

    def _current(self) -> bool:
        """Return whether the charger is still followed, and the same."""
        # The platforms go first: nobody would take a later entity away.
        if self._hub.entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS:
            return False
        known = self._hub.stations.get(self._station.identity)
        return self._unsubscribe is not None and known is self._hub_station

    def _new(self) -> list[HubEntity[Any]]:
        """Return the entities that exist now and did not."""
        async_split_evses(self._hass, self._hub_station)
        new: dict[str, HubEntity[Any]] = {}
        alone = self._alone
        for subject, description in self._platform.candidates(self._hub_station):
            if alone and of_server(description):
                continue
            key = unique_id(subject, description.key)
            if key not in new and self._is_new(key, subject, description):
                new[key] = self._platform.entity(
                    self._hub, self._hub_station, subject, description
                )
        self._made |= new
        return list(new.values())

    def _is_new(
        self, key: str, subject: Any, description: HubEntityDescription[Any]
    ) -> bool:
        """Return whether an entity is to be added.

        What existed before a restart exists, even if its data does not come again.
        """
        if key in self._made:
            return False
        if not description.exists_fn(subject):
            registry = er.async_get(self._hass)
            platform = self._platform.platform
            known = registry.async_get_entity_id(platform, DOMAIN, key) is not None
            # An account that stands in for a server cannot do what only that can.
            if not known or description.exists_fn is dials_in:
                self._wait(key, subject, description)
                return False
        self._stop_waiting(key)
        return True

    @property
    def _alone(self) -> bool:
        """Return whether an account shows a charger that no server has."""
        if dials_in(self._station):
            return False
        return async_server_of(self._hass, self._station.identity) is None

    def _wait(
        self, key: str, subject: Any, description: HubEntityDescription[Any]
    ) -> None:
        """Look again when the data of an entity changes."""
        if key not in self._waiting:
            self._waiting[key] = [
                channel.subscribe(self._schedule)
                for channel in description.channels_fn(subject)
            ]

    def _stop_waiting(self, key: str) -> None:
        """Look no longer."""
        for unsubscribe in self._waiting.pop(key, ()):
            unsubscribe()


@callback
def async_split_evses(hass: HomeAssistant, hub_station: HubStation) -> None:
    """Move the entities of each EVSE to a child device once there are several.

    Their ids and so their history stay, unless nobody can have used them yet: a new
    charger tells of its EVSEs one by one.
    """
    station = hub_station.station
    if len(station.evses) < 2:
        return
    devices = dr.async_get(hass)
    entities = er.async_get(hass)
    if (parent := devices.async_get(hub_station.device_id)) is None:
        return
    on_parent = er.async_entries_for_device(
        entities, parent.id, include_disabled_entities=True
    )
    for evse in station.evses.values():
        prefix = unique_id(evse, "")
        moved = [one for one in on_parent if one.unique_id.startswith(prefix)]
        if not moved:
            continue
        child = devices.async_get_or_create_child(
            config_entry_id=parent.config_entry_id,
            config_subentry_id=hub_station.subentry_id,
            **child_device_info(hub_station, evse.id),
        )
        for one in moved:
            one = entities.async_update_entity(one.entity_id, device_id=child.id)
            if utc_now() - one.created_at < JUST_CREATED:
                named = entities.async_regenerate_entity_id(one)
                entities.async_update_entity(one.entity_id, new_entity_id=named)
