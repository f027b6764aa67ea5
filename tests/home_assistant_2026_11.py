"""Pytest plugin: lets the plugin made for Home Assistant 2026.10 run on 2026.11.

It is loaded with `-p` before all others, because Home Assistant replaces httpx and
voluptuous while it is imported. To be dropped with requirements_2026.11.txt.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers
from homeassistant.helpers import entity_registry as er, restore_state

logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # type: ignore[attr-defined]


class _RestoreStateData(restore_state.RestoreStateData):
    """What the plugin fills without knowing of ids in the entity registry."""

    @property  # type: ignore[explicit-override]
    def last_states(self) -> dict[str, restore_state.StoredState]:
        """Return what is kept of entities that are not registered yet."""
        return self.last_states_by_entity_id

    @last_states.setter
    def last_states(self, states: dict[str, restore_state.StoredState]) -> None:
        self.last_states_by_entity_id = states
        self.hass.bus.async_listen(
            er.EVENT_ENTITY_REGISTRY_UPDATED,
            self._async_entity_registry_entry_created,  # type: ignore[attr-defined]
            event_filter=restore_state._entity_registry_entry_created_filter,  # type: ignore[attr-defined]
        )


restore_state.RestoreStateData = _RestoreStateData  # type: ignore[misc]
