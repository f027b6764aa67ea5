"""Binary sensors of chargers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory, Platform

from .entity import HubEntity, HubEntityDescription, Subject
from .growth import HubPlatform
from .station.enums import VEHICLE_CONNECTED, ConnectorStatus
from .station.model import ChargingStation, Evse, Place

PARALLEL_UPDATES = 0

_SAYS_NOTHING = {None, ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE}
"""Statuses that do not tell whether a vehicle is connected."""


@dataclass(frozen=True, kw_only=True)
class HubBinarySensorDescription[S: Subject](
    BinarySensorEntityDescription, HubEntityDescription[S]
):
    """Describe a binary sensor."""

    value_fn: Callable[[S], bool | None]


def _vehicle_connected(evse: Evse) -> bool | None:
    """Return whether a vehicle is connected, None if nobody can tell."""
    if evse.transaction is None and evse.status.value in _SAYS_NOTHING:
        return None
    return evse.transaction is not None or evse.status.value in VEHICLE_CONNECTED


def _charging(evse: Evse) -> bool | None:
    """Return whether energy flows."""
    if (status := evse.status.value) is None:
        return None
    return status is ConnectorStatus.CHARGING


def _problem(place: Place) -> bool | None:
    """Return whether a place is out of order or reports an error."""
    if place.fault.value is not None:
        return True
    if (status := place.status.value) is None:
        return None
    return status is ConnectorStatus.FAULTED


STATION_SENSORS: tuple[HubBinarySensorDescription[ChargingStation], ...] = (
    HubBinarySensorDescription(
        key="connectivity",
        always_available=True,
        channels_fn=lambda station: (station.online,),
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda station: station.online.value,
    ),
)


def _not_followed[P: Place](key: str) -> HubBinarySensorDescription[P]:
    """Return the sensor of limits that are accepted and not followed."""
    return HubBinarySensorDescription(
        key="limit_not_followed",
        channels_fn=lambda place: (place.limit_ignored,),
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda place: place.limit_ignored.value is not None,
        translation_key=key,
        value_fn=lambda place: place.limit_ignored.value,
    )


WHOLE_SENSORS: tuple[HubBinarySensorDescription[Place], ...] = (
    HubBinarySensorDescription(
        key="problem",
        channels_fn=lambda place: (place.status, place.fault),
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda place: _problem(place) is not None,
        translation_key="station_problem",
        value_fn=_problem,
    ),
    _not_followed("station_limit_not_followed"),
)

EVSE_SENSORS: tuple[HubBinarySensorDescription[Evse], ...] = (
    HubBinarySensorDescription(
        key="vehicle_connected",
        channels_fn=lambda evse: (evse.status, evse.session),
        device_class=BinarySensorDeviceClass.PLUG,
        translation_key="vehicle_connected",
        value_fn=_vehicle_connected,
    ),
    HubBinarySensorDescription(
        key="charging",
        channels_fn=lambda evse: (evse.status,),
        device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
        translation_key="charging",
        value_fn=_charging,
    ),
    HubBinarySensorDescription(
        key="problem",
        channels_fn=lambda evse: (evse.status, evse.fault),
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_problem,
    ),
    _not_followed("limit_not_followed"),
)


class HubBinarySensor[S: Subject](HubEntity[S], BinarySensorEntity):
    """Something at a charger that is so or not."""

    entity_description: HubBinarySensorDescription[S]

    @override
    def _reading(self) -> bool | None:
        return self.entity_description.value_fn(self.subject)

    @override
    def _show(self, reading: bool | None) -> None:
        self._attr_is_on = reading


async_setup_entry = HubPlatform(
    platform=Platform.BINARY_SENSOR,
    entity=HubBinarySensor,
    of_station=STATION_SENSORS,
    of_whole=WHOLE_SENSORS,
    of_evse=EVSE_SENSORS,
).async_setup_entry
