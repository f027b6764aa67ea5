"""What the entities of a charger share: subject, device, availability."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, override

from homeassistant.helpers.device_registry import ChildDeviceInfo, DeviceInfo
from homeassistant.helpers.entity import EntityDescription

from .const import DOMAIN
from .hub_base import Hub
from .models import HubStation
from .station.channel import Channel
from .station.link import LinkKind
from .station.model import ChargingStation, Evse, Place
from .view import View

if TYPE_CHECKING:
    from .easee.charger import EaseeCharger

type Subject = ChargingStation | Place | EaseeCharger
"""What an entity shows: a station, one of its EVSEs, or (place 0) its whole.

Or what only the Easee cloud tells of it.
"""


@dataclass(frozen=True, kw_only=True)
class HubEntityDescription[S: Subject](EntityDescription):
    """Describe an entity as a view of the model.

    `key` is unique over stations and places, because an identity may look like the
    identity and EVSE of another charger. `lazy_fn` tells when a change of an urgent
    channel may wait for the next interval. `local` is for what only a charger that is
    connected to us tells, or does; `by_server` for what else exists only for one that may.
    """

    always_available: bool = False
    by_server: bool = False
    channels_fn: Callable[[S], tuple[Channel[Any], ...]] = lambda _: ()
    exists_fn: Callable[[S], bool] = lambda _: True
    lazy_fn: Callable[[S], bool] = lambda _: False
    local: bool = False
    of_circuit: bool = False
    """It tells whether other chargers are on the circuit, which lowers it."""
    placeholders: Mapping[str, str] | None = None


def dials_in(subject: ChargingStation | Place) -> bool:
    """Return whether a station may connect to us, and not only to a cloud."""
    station = subject if isinstance(subject, ChargingStation) else subject.station
    return LinkKind.OCPP in station.ways


def of_server(description: HubEntityDescription[Any]) -> bool:
    """Return whether an entity is none of a charger that only an account has."""
    return (
        description.local or description.by_server or description.exists_fn is dials_in
    )


def unique_id(subject: Subject, key: str) -> str:
    """Return the id of the entity that shows `key` of a subject, for ever."""
    if isinstance(subject, Place):
        return f"{subject.station.identity}_{subject.id}_{key}"
    if isinstance(subject, ChargingStation):
        return f"{subject.identity}_{key}"
    return f"{subject.station.identity}_{key}"


def child_device_info(hub_station: HubStation, evse_id: int) -> ChildDeviceInfo:
    """Return the child device of an EVSE of a station with several."""
    return ChildDeviceInfo(
        identifiers={(DOMAIN, f"{hub_station.station.identity}_{evse_id}")},
        parent_device_id=hub_station.device_id,
        translation_key="connector",
        translation_placeholders={"number": str(evse_id)},
    )


class HubEntity[S: Subject](View):
    """An entity that shows, or acts on, one subject of the model."""

    entity_description: HubEntityDescription[S]

    def __init__(
        self,
        hub: Hub[Any],
        hub_station: HubStation,
        subject: S,
        description: HubEntityDescription[S],
    ) -> None:
        """Create the entity; it shows what is known now."""
        super().__init__(
            hub, unique_id(subject, description.key), description.placeholders
        )
        self.entity_description = description
        self.hub_station = hub_station
        self.station = hub_station.station
        self.subject = subject
        self._refresh()

    @property
    @override
    def device_info(self) -> DeviceInfo | ChildDeviceInfo:
        """Return the charger, or the child device of an EVSE beside others."""
        if isinstance(self.subject, Evse) and len(self.station.evses) > 1:
            return child_device_info(self.hub_station, self.subject.id)
        return DeviceInfo(identifiers={(DOMAIN, self.station.identity)})

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return whether other chargers take part of a current, where that is known."""
        shared = self.station.shared_circuit.value
        if shared is None or not self.entity_description.of_circuit:
            return super().extra_state_attributes
        return {"shared_circuit": shared}

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what the entity shows."""
        if self.entity_description.of_circuit:
            circuit = self.station.shared_circuit
            self.async_on_remove(circuit.subscribe(self.async_write_ha_state))
        if isinstance(self.subject, ChargingStation):
            self.async_on_remove(self.station.on_growth(self._follow))
        await super().async_added_to_hass()

    @override
    def _channels(self) -> tuple[Channel[Any], ...]:
        shown = self.entity_description.channels_fn(self.subject)
        return (self._reached, *shown)

    @property
    def _reached(self) -> Channel[bool]:
        """Return whether the charger is there to be shown, by the way that it takes."""
        if not isinstance(self.subject, ChargingStation | Place):
            return self.station.remote
        local = self.entity_description.local
        return self.station.local if local else self.station.online

    @override
    def _available(self, reading: object) -> bool:
        """Return whether the reading may be shown.

        After a start restored values are shown until the charger is, or can be, back.
        """
        return (
            self.entity_description.always_available
            or self._reached.value
            or (
                self.hub.restoring and not self.hub_station.seen and reading is not None
            )
        )

    @override
    def _is_lazy(self) -> bool:
        return self.entity_description.lazy_fn(self.subject)
