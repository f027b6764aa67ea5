"""Targets: which charger, and which of its EVSEs, an action is for."""

from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service import async_get_device_and_config_entry

from .const import DOMAIN
from .helpers import invalid, not_supported
from .hub import OcppHub
from .hub_base import Hub
from .models import HubStation, OcppStation
from .station.link import LinkKind
from .station.model import ChargingStation, Evse


@dataclass(kw_only=True, slots=True, frozen=True)
class Target:
    """The charger that an action is for; `named` is the EVSE that the user named."""

    hub: Hub[Any]
    hub_station: HubStation
    named: int | None

    @property
    def station(self) -> ChargingStation:
        """Return the station."""
        return self.hub_station.station

    @property
    def server(self) -> OcppHub:
        """Return the OCPP server of the charger; raise if it has none."""
        if isinstance(self.hub, OcppHub):
            return self.hub
        raise not_supported(self.station)

    @property
    def dialed(self) -> OcppStation:
        """Return the charger as its OCPP server has it; raise if it has none."""
        if isinstance(self.hub_station, OcppStation):
            return self.hub_station
        raise not_supported(self.station)

    @property
    def evse_id(self) -> int | None:
        """Return the EVSE meant: the named one, or the only one, or None."""
        if not self.named and len(self.station.evses) == 1:
            return next(iter(self.station.evses))
        return self.named

    @property
    def evse(self) -> Evse | None:
        """Return what is known of the EVSE meant."""
        return self.station.evses.get(self.evse_id or 0)

    def required_evse_id(self) -> int:
        """Return the EVSE meant; raise if the user has to name one."""
        if (evse_id := self.evse_id) is None:
            raise invalid("connector_required", charger=self.station.settings.name)
        return evse_id

    def session_evse(self, without: str = "no_session") -> Evse:
        """Return the EVSE meant by its open session; raise if it is not clear.

        `without` is the error to raise if no session is open.
        """
        evses = self.station.evses.values() if self.evse_id is None else (self.evse,)
        busy = [evse for evse in evses if evse is not None and evse.transaction]
        if not busy:
            raise invalid(without, charger=self.station.settings.name)
        if len(busy) > 1:
            raise invalid("connector_required", charger=self.station.settings.name)
        return busy[0]


@callback
def async_resolve(hass: HomeAssistant, device_id: str, named: int | None) -> Target:
    """Return the charger of a device; a child device names its EVSE, if none is."""
    device, entry = async_get_device_and_config_entry(hass, DOMAIN, device_id)
    hub: Hub[Any] = entry.runtime_data
    for hub_station in hub.stations.values():
        if device.id == hub_station.device_id:
            return _target(hub, hub_station, named)
        if (
            isinstance(device, dr.ChildDeviceEntry)
            and device.parent_device_id == hub_station.device_id
        ):
            if named is None:
                named = _evse_id(device, hub_station.station)
            return _target(hub, hub_station, named)
    raise invalid("not_a_charger", device=device.name_by_user or device.name or "")


def _target(hub: Hub[Any], hub_station: HubStation, named: int | None) -> Target:
    """Return what a user means; raise if there is certainly no such connector."""
    station = hub_station.station
    # Who speaks OCPP may tell of its connectors later than it takes commands.
    if station.ways == {LinkKind.EASEE} and named and named not in station.evses:
        raise invalid("limit_unknown_evse", charger=station.settings.name)
    return Target(hub=hub, hub_station=hub_station, named=named)


def _evse_id(device: dr.ChildDeviceEntry, station: ChargingStation) -> int:
    """Return the EVSE that a child device stands for."""
    identifier = next(value for domain, value in device.identifiers if domain == DOMAIN)
    return int(identifier.removeprefix(f"{station.identity}_"))
