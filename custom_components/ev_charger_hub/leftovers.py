"""Leftovers: entities of a charger that nobody can fill any more, as one left it for good.

Their history stays, and who comes back finds them again.
"""

from collections.abc import Callable, Iterator

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.loader import async_get_integration

from .const import DOMAIN, PLATFORMS
from .easee.link import EVSE
from .entity import of_server
from .growth import HubPlatform

type Names = set[tuple[str, str]]
"""Entities by platform and unique id."""


async def async_forget_easee(hass: HomeAssistant, identity: str) -> None:
    """Forget the entities of what only the Easee cloud tells of a charger."""
    registry = er.async_get(hass)
    for platform, unique_id in await _async_names(hass, identity, _of_cloud):
        entity_id = registry.async_get_entity_id(platform, DOMAIN, unique_id)
        if entity_id is not None:
            registry.async_remove(entity_id)


async def async_forget_server(
    hass: HomeAssistant, device_id: str, identity: str
) -> None:
    """Forget the entities of a charger that no Easee account shows."""
    shown = await _async_names(hass, identity, _of_account)
    registry = er.async_get(hass)
    for entity in tuple(_entities(hass, device_id)):
        if entity.platform == DOMAIN and (entity.domain, entity.unique_id) not in shown:
            registry.async_remove(entity.entity_id)


async def _async_names(
    hass: HomeAssistant, identity: str, keys: Callable[[HubPlatform], Iterator[str]]
) -> Names:
    """Return the entities of a charger that have some keys."""
    integration = await async_get_integration(hass, DOMAIN)
    modules = await integration.async_get_platforms(PLATFORMS)
    names: Names = set()
    for module in modules.values():
        platform: HubPlatform = module.async_setup_entry.__self__
        names |= {
            (Platform(platform.platform), f"{identity}_{key}") for key in keys(platform)
        }
    return names


def _of_cloud(platform: HubPlatform) -> Iterator[str]:
    """Yield the keys of what only the Easee cloud tells."""
    yield from (one.key for one in platform.of_easee)


def _of_account(platform: HubPlatform) -> Iterator[str]:
    """Yield the keys of what an account can show of a charger that no server has."""
    yield from (one.key for one in platform.of_easee if not of_server(one))
    yield from (one.key for one in platform.of_station if not of_server(one))
    yield from (f"0_{one.key}" for one in platform.of_whole if not of_server(one))
    yield from (f"{EVSE}_{one.key}" for one in platform.of_evse if not of_server(one))
    yield from (f"{EVSE}_{key}" for key in platform.told)


@callback
def _entities(hass: HomeAssistant, device_id: str) -> Iterator[er.RegistryEntry]:
    """Yield the entities of a charger and its connectors, also those of others."""
    devices, entities = dr.async_get(hass), er.async_get(hass)
    children = dr.async_entries_for_parent_device(devices, device_id)
    for one in (device_id, *(child.id for child in children)):
        yield from er.async_entries_for_device(
            entities, one, include_disabled_entities=True
        )
