"""Products: what the entities of equalizers and sites share: subject, device, growth."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .easee.costs import SiteCosts
from .easee.equalizer import Equalizer
from .station.channel import Channel
from .view import View

if TYPE_CHECKING:
    from .easee_hub import EaseeHub


type Subject = Equalizer | SiteCosts


@dataclass(kw_only=True, slots=True, frozen=True)
class Product[S: Subject]:
    """Something of an account that has entities: by what its device is known.

    `online` tells whether what it reports may be shown; None if nobody has to report.
    """

    subject: S
    identifier: str
    online: Channel[bool] | None = None


@dataclass(frozen=True, kw_only=True)
class ProductEntityDescription[S: Subject](EntityDescription):
    """Describe an entity as a view of a product."""

    always_available: bool = False
    channels_fn: Callable[[S], tuple[Channel[Any], ...]]
    exists_fn: Callable[[S], bool] = lambda _: True
    placeholders: Mapping[str, str] | None = None


type Make = Callable[..., ProductEntity[Any]]
"""Makes an entity of hub, product and description."""


class ProductEntity[S: Subject](View):
    """An entity that shows, or acts on, one product."""

    entity_description: ProductEntityDescription[S]
    hub: EaseeHub

    def __init__(
        self,
        hub: EaseeHub,
        product: Product[S],
        description: ProductEntityDescription[S],
    ) -> None:
        """Create the entity; it shows what is known now."""
        super().__init__(
            hub, f"{product.identifier}_{description.key}", description.placeholders
        )
        self.entity_description = description
        self.product = product
        self.subject = product.subject
        self._refresh()

    @property
    @override
    def device_info(self) -> DeviceInfo:
        """Return the device, which is registered."""
        return DeviceInfo(identifiers={(DOMAIN, self.product.identifier)})

    @override
    def _channels(self) -> tuple[Channel[Any], ...]:
        shown = self.entity_description.channels_fn(self.subject)
        return shown if self.product.online is None else (self.product.online, *shown)

    @override
    def _available(self, reading: object) -> bool:
        online = self.product.online
        always = self.entity_description.always_available
        return always or online is None or online.value


@dataclass(kw_only=True, slots=True, frozen=True)
class _Waiting:
    """An entity that does not exist yet, and what ends the waiting for it."""

    product: Product[Any]
    description: ProductEntityDescription[Any]
    ends: tuple[Callable[[], None], ...]


class ProductGrowth:
    """The entities of one platform at the products of an account, as they appear.

    What existed before a restart exists, even if its data does not come again.
    """

    def __init__(
        self,
        hub: EaseeHub,
        platform: Platform,
        entities: Mapping[type, Make],
        add: AddConfigEntryEntitiesCallback,
    ) -> None:
        """Start without entities, each of which is made by the type of description."""
        self._hub = hub
        self._platform = platform
        self._entities = entities
        self._add = add
        self._known: defaultdict[str, set[str]] = defaultdict(set)
        """Those that exist or are waited for, by the identifier of their product."""
        self._waiting: dict[str, _Waiting] = {}

    @callback
    def follow(
        self,
        product: Product[Any],
        descriptions: Iterable[ProductEntityDescription[Any]],
    ) -> None:
        """Add what exists of a product and is not there yet, now or when it comes."""
        if self._unloading():
            return
        self._add(
            [
                self._made(product, description)
                for description in descriptions
                if self._is_new(product, description)
            ]
        )

    @callback
    def keep(self, identifiers: Collection[str]) -> None:
        """Forget the entities of products that are known no more: they may come back."""
        for identifier in self._known.keys() - identifiers:
            for key in self._known.pop(identifier):
                if (waiting := self._waiting.pop(key, None)) is not None:
                    for end in waiting.ends:
                        end()

    @callback
    def close(self) -> None:
        """Wait for nothing more."""
        for waiting in self._waiting.values():
            for end in waiting.ends:
                end()
        self._waiting.clear()

    def _unloading(self) -> bool:
        """Return whether the platforms go: nobody would take a later entity away."""
        return self._hub.entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS

    def _is_new(
        self, product: Product[Any], description: ProductEntityDescription[Any]
    ) -> bool:
        key = f"{product.identifier}_{description.key}"
        known = self._known[product.identifier]
        if key in known:
            return False
        known.add(key)
        registry = er.async_get(self._hub.hass)
        if description.exists_fn(product.subject) or registry.async_get_entity_id(
            self._platform, DOMAIN, key
        ):
            return True
        look = partial(self._look, key)
        self._waiting[key] = _Waiting(
            product=product,
            description=description,
            ends=tuple(
                channel.subscribe(look)
                for channel in description.channels_fn(product.subject)
            ),
        )
        return False

    @callback
    def _look(self, key: str) -> None:
        """Add an entity if its data has come."""
        waiting = self._waiting.get(key)
        if waiting is None or self._unloading():
            return
        if not waiting.description.exists_fn(waiting.product.subject):
            return
        del self._waiting[key]
        for end in waiting.ends:
            end()
        self._add([self._made(waiting.product, waiting.description)])

    def _made(
        self, product: Product[Any], description: ProductEntityDescription[Any]
    ) -> ProductEntity[Any]:
        return self._entities[type(description)](self._hub, product, description)
