"""What the entities of a charger share: subject, device, availability."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import ChildDeviceInfo, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .const import DOMAIN
from .hub import OcppHub
from .models import HubStation
from .station.channel import Channel, Listener
from .station.model import ChargingStation, Evse, Place

type Subject = ChargingStation | Place
"""What an entity shows: a station, one of its EVSEs, or (place 0) its whole."""


@dataclass(frozen=True, kw_only=True)
class HubEntityDescription[S: Subject](EntityDescription):
    """Describe an entity as a view of the model.

    `key` is unique over stations and places, because an identity may look like the
    identity and EVSE of another charger. `lazy_fn` tells when a change of an urgent
    channel may wait for the next interval.
    """

    always_available: bool = False
    channels_fn: Callable[[S], tuple[Channel[Any], ...]] = lambda _: ()
    exists_fn: Callable[[S], bool] = lambda _: True
    lazy_fn: Callable[[S], bool] = lambda _: False
    placeholders: Mapping[str, str] | None = None


def unique_id(subject: Subject, key: str) -> str:
    """Return the id of the entity that shows `key` of a subject, for ever."""
    if isinstance(subject, Place):
        return f"{subject.station.identity}_{subject.id}_{key}"
    return f"{subject.identity}_{key}"


def child_device_info(hub_station: HubStation, evse_id: int) -> ChildDeviceInfo:
    """Return the child device of an EVSE of a station with several."""
    return ChildDeviceInfo(
        identifiers={(DOMAIN, f"{hub_station.station.identity}_{evse_id}")},
        parent_device_id=hub_station.device_id,
        translation_key="connector",
        translation_placeholders={"number": str(evse_id)},
    )


class HubEntity[S: Subject](Entity):
    """An entity that shows, or acts on, one subject of the model."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    entity_description: HubEntityDescription[S]

    def __init__(
        self,
        hub: OcppHub,
        hub_station: HubStation,
        subject: S,
        description: HubEntityDescription[S],
    ) -> None:
        """Create the entity; it shows what is known now."""
        self.entity_description = description
        self.hub = hub
        self.hub_station = hub_station
        self.station = hub_station.station
        self.subject = subject
        self._attr_unique_id = unique_id(subject, description.key)
        if description.placeholders is not None:
            self._attr_translation_placeholders = description.placeholders
        self._followed: set[Channel[Any]] = set()
        self._shown: object = None
        self._refresh()

    @property
    @override
    def device_info(self) -> DeviceInfo | ChildDeviceInfo:
        """Return the charger, or the child device of an EVSE beside others."""
        if isinstance(self.subject, Evse) and len(self.station.evses) > 1:
            return child_device_info(self.hub_station, self.subject.id)
        return DeviceInfo(identifiers={(DOMAIN, self.station.identity)})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what the entity shows."""
        self._follow()
        self.async_on_remove(self._unfollow)
        if isinstance(self.subject, ChargingStation):
            self.async_on_remove(self.station.on_growth(self._follow))
        self._refresh()

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Do nothing, because nothing here depends on the entity id."""

    @callback
    def _follow(self) -> None:
        """Follow the channels that the entity shows and does not follow yet."""
        shown = self.entity_description.channels_fn(self.subject)
        for channel in (self.station.online, *shown):
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
        """Return whether the reading may be shown.

        After a start restored values are shown until the charger is, or can be, back.
        """
        return (
            self.entity_description.always_available
            or self.station.online.value
            or (
                self.hub.restoring and not self.hub_station.seen and reading is not None
            )
        )

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
        lazy = self.entity_description.lazy_fn(self.subject)
        self.hub.flusher.mark(self._write, urgent=not lazy)
