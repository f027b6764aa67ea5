"""What Home Assistant shows of one charger, whoever shows it."""

from dataclasses import dataclass
from typing import Any

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION, STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.ev_charger_hub.const import DOMAIN

REMOVES_FIRST = (MAJOR_VERSION, MINOR_VERSION) >= (2026, 11)
"""Whether Home Assistant removes what is registered of a subentry before it tells us.

Then it restores what is shown again: all but what only the server shows.
"""

type Seen = dict[str, tuple[str, str]]
"""Entity id and registry id by what is shown, with the device."""


@dataclass
class Watched:
    """The registries: that a charger is there once, and that nothing of it is removed."""

    hass: HomeAssistant
    names: tuple[str, ...]
    """By what it may be known."""

    def __post_init__(self) -> None:
        """Watch from now on."""
        self.removed: list[str] = []
        """Entities that were removed."""
        self._known: set[str] = set()
        for one in er.async_get(self.hass).entities.values():
            self._learn(one)
        self.hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._changed)

    @callback
    def _changed(self, event: Event[Any]) -> None:
        entity_id = event.data["entity_id"]
        if event.data["action"] != "remove":
            one = er.async_get(self.hass).async_get(entity_id)
            assert one is not None
            self._learn(one)
        elif entity_id in self._known:
            self.removed.append(entity_id)

    def _learn(self, entity: er.RegistryEntry) -> None:
        if any(entity.unique_id.startswith(f"{name}_") for name in self.names):
            self._known.add(entity.entity_id)

    @property
    def device(self) -> dr.DeviceEntry:
        """Return its one device."""
        keys = {(DOMAIN, one) for one in self.names}
        devices = dr.async_get(self.hass).devices
        (found,) = [one for one in devices if keys & one.identifiers]
        return found

    @property
    def entities(self) -> list[er.RegistryEntry]:
        """Return its entities, which are all at its device."""
        device, registry = self.device, er.async_get(self.hass)
        found = [
            one
            for one in registry.entities.values()
            if any(one.unique_id.startswith(f"{name}_") for name in self.names)
        ]
        assert {one.device_id for one in found} == {device.id}
        assert {one.config_entry_id for one in found} == {device.config_entry_id}
        assert {one.config_subentry_id for one in found} == {device.config_subentry_id}
        return found

    def lost(self, seen: Seen) -> set[str]:
        """Return what of some entities was removed, be it for a moment."""
        return {entity_id for entity_id, _ in seen.values()} & {*self.removed}

    def seen(self) -> Seen:
        """Return what is registered, by what it shows."""
        keys = {self._key(one): (one.entity_id, one.id) for one in self.entities}
        assert len(keys) == len(self.entities)
        return keys | {"device": (self.device.id, "")}

    def _key(self, entity: er.RegistryEntry) -> str:
        for name in self.names:
            if entity.unique_id.startswith(f"{name}_"):
                return f"{entity.domain} {entity.unique_id.removeprefix(name)}"
        raise AssertionError(entity.unique_id)

    def named(self, key: str) -> er.RegistryEntry:
        """Return the entity that shows something, such as `sensor _1_status`."""
        return next(one for one in self.entities if self._key(one) == key)

    def state(self, key: str) -> str:
        """Return the state of the entity that shows something."""
        state = self.hass.states.get(self.named(key).entity_id)
        return STATE_UNAVAILABLE if state is None else state.state


def kept(before: Seen, after: Seen) -> bool:
    """Return whether everything is there that was, as it was."""
    lost = dict(before.items() - after.items())
    assert not lost, lost
    return True
