"""Views: entities that show channels of the model, and write a state only if it is new."""

from collections.abc import Iterable, Mapping
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity

from .hub_base import Hub
from .station.channel import Channel, Listener


class View(Entity):
    """An entity that shows channels, and is written when one of them has changed it."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, hub: Hub[Any], unique_id: str, placeholders: Mapping[str, str] | None
    ) -> None:
        """Show nothing yet; `placeholders` are for its name."""
        self.hub = hub
        self._attr_unique_id = unique_id
        if placeholders is not None:
            self._attr_translation_placeholders = placeholders
        self._followed: set[Channel[Any]] = set()
        self._shown: object = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what the entity shows."""
        self._follow()
        self.async_on_remove(self._unfollow)
        self._refresh()

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Do nothing, because nothing here depends on the entity id."""

    def _channels(self) -> Iterable[Channel[Any]]:
        """Return the channels that the entity shows."""
        raise NotImplementedError

    @callback
    def _follow(self) -> None:
        """Follow the channels that the entity shows and does not follow yet."""
        for channel in self._channels():
            if channel not in self._followed:
                self._followed.add(channel)
                channel.subscribe(self._listener(channel))

    @callback
    def _unfollow(self) -> None:
        """Follow nothing any more.

        One call for all channels: there are thousands of entities, and the garbage
        collector visits whatever each of them keeps.
        """
        for channel in self._followed:
            channel.unsubscribe(self._listener(channel))
        self._followed.clear()
        self.hub.flusher.discard(self._write)

    def _listener(self, channel: Channel[Any]) -> Listener:
        """Return what hears of the changes of a channel."""
        return self._mark_urgent if channel.urgent else self._mark

    def _reading(self) -> object:
        """Return everything that the state is made of, to be compared."""
        return None

    def _show(self, reading: Any) -> None:
        """Take over a changed reading."""

    def _available(self, reading: object) -> bool:
        """Return whether the reading may be shown."""
        raise NotImplementedError

    def _is_lazy(self) -> bool:
        """Return whether changes of urgent channels may wait now."""
        return False

    def _refresh(self) -> bool:
        """Take over what changed; return whether anything did."""
        reading = self._reading()
        shown = (self._available(reading), reading)
        if shown == self._shown:
            return False
        self._shown = shown
        self._attr_available = shown[0]
        self._show(reading)
        return True

    @callback
    def _write(self) -> None:
        """Write the state if it differs from the one last written."""
        if self._refresh():
            self.async_write_ha_state()

    @callback
    def _mark(self) -> None:
        """Have the state written with the next interval."""
        self.hub.flusher.mark(self._write, urgent=False)

    @callback
    def _mark_urgent(self) -> None:
        """Have the state written at once."""
        self.hub.flusher.mark(self._write, urgent=not self._is_lazy())
