"""One device: what the registries have of a charger, by several names and entries.

Ids, names, areas, and whatever users and other integrations tied to them stay: devices
and entities are moved and renamed, not made anew.
"""

from collections.abc import Collection, Iterator
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import DOMAIN

type Named = tuple[dr.DeviceEntry, str]
"""A device, and the name by which it is known."""


@callback
def async_unite(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    subentry_id: str | None,
    names: tuple[str, ...],
    entries: Collection[str],
) -> None:
    """Have one device of a charger, in an entry, which is called by the first name.

    Of several the oldest stays; what the others show besides is moved there.
    """
    registry = dr.async_get(hass)
    found: list[Named] = []
    for name in names:
        for entry_id in entries:
            key = DOMAIN, name
            if device := registry.async_get_device_by_identifier(key, entry_id):
                found.append((device, name))
    if not found:
        return
    oldest, *newer = sorted(found, key=lambda one: one[0].created_at)
    _Union(hass, entry, subentry_id, names[0]).make(oldest, newer)


class _Union:
    """Brings devices of one charger together."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        subentry_id: str | None,
        identity: str,
    ) -> None:
        """Prepare to bring them to an entry."""
        self._devices = dr.async_get(hass)
        self._entities = er.async_get(hass)
        self._entry_id = entry.entry_id
        self._subentry_id = subentry_id
        self._identity = identity

    def make(self, oldest: Named, newer: list[Named]) -> None:
        """Keep the oldest device, with what the newer ones have besides."""
        kept, name = oldest
        if not newer and self._is_here(kept, name):
            return
        for entity in tuple(self._of(kept)):
            self._move(entity, name)
        for device, other in newer:
            self._take_over(device, other, kept)
        self._devices.async_update_device(
            kept.id,
            new_config_entry_id=self._entry_id,
            new_config_subentry_id=self._subentry_id,
            new_identifiers={(DOMAIN, self._identity)},
        )
        for child in dr.async_entries_for_parent_device(self._devices, kept.id):
            self._devices.async_update_child_device(
                child.id,
                new_identifiers={
                    (domain, self._renamed(value, name))
                    for domain, value in child.identifiers
                },
            )

    def _is_here(self, device: dr.DeviceEntry, name: str) -> bool:
        """Return whether nothing is to be done."""
        return (
            name == self._identity
            and device.config_entry_id == self._entry_id
            and device.config_subentry_id == self._subentry_id
        )

    def _of(self, device: dr.DeviceEntry) -> Iterator[er.RegistryEntry]:
        """Yield the entities of a device and its connectors, also those of others."""
        children = dr.async_entries_for_parent_device(self._devices, device.id)
        for one in (device, *children):
            yield from er.async_entries_for_device(
                self._entities, one.id, include_disabled_entities=True
            )

    def _take_over(
        self, device: dr.DeviceEntry, name: str, kept: dr.DeviceEntry
    ) -> None:
        """Move what only a newer device has to the one that is kept."""
        for entity in tuple(self._of(device)):
            if entity.platform != DOMAIN:
                self._entities.async_update_entity(entity.entity_id, device_id=kept.id)
            elif self._is_known(entity, name):
                self._entities.async_remove(entity.entity_id)
            else:
                self._move(entity, name, device_id=kept.id)
        self._devices.async_remove_device(device.id)
        self._devices.async_update_device(
            kept.id,
            area_id=kept.area_id or device.area_id,
            labels=kept.labels | device.labels,
            name_by_user=kept.name_by_user or device.name_by_user,
        )

    def _is_known(self, entity: er.RegistryEntry, name: str) -> bool:
        """Return whether another entity shows the same."""
        unique_id = self._renamed(entity.unique_id, name)
        found = self._entities.async_get_entity_id(entity.domain, DOMAIN, unique_id)
        return found is not None and found != entity.entity_id

    def _move(self, entity: er.RegistryEntry, name: str, **more: Any) -> None:
        """Move an entity of ours to the entry, under its new name."""
        if entity.platform != DOMAIN:
            return
        unique_id = self._renamed(entity.unique_id, name)
        if unique_id != entity.unique_id:
            key = entity.domain, DOMAIN, unique_id
            if (newer := self._entities.async_get_entity_id(*key)) is not None:
                self._entities.async_remove(newer)
            more["new_unique_id"] = unique_id
        self._entities.async_update_entity(
            entity.entity_id,
            config_entry_id=self._entry_id,
            config_subentry_id=self._subentry_id,
            **more,
        )

    def _renamed(self, value: str, name: str) -> str:
        """Return an id under the new name."""
        if value.startswith(f"{name}_"):
            return f"{self._identity}{value.removeprefix(name)}"
        return value
