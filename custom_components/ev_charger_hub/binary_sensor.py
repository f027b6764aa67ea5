"""Binary sensors of chargers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory, Platform

from .easee_binary_sensors import (
    EASEE_BINARY_SENSORS,
    EaseeBinarySensor,
    EaseeBinarySensorDescription,
)
from .easee_equalizer_binary_sensors import (
    EQUALIZER_BINARY_SENSORS,
    EqualizerBinarySensor,
    EqualizerBinarySensorDescription,
)
from .easee_products import ProductPlatform
from .entity import HubEntity, HubEntityDescription, Subject
from .growth import HubPlatform, by_description
from .station.enums import VEHICLE_CONNECTED, ConnectorStatus
from .station.model import ChargingStation, Evse, Place

PARALLEL_UPDATES = 0

type Reading = tuple[bool, dict[str, Any] | None] | None
"""Whether it is so and what more is known of it; None if nobody can tell."""

_SAYS_NOTHING = {None, ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE}
"""Statuses that do not tell whether a vehicle is connected."""


@dataclass(frozen=True, kw_only=True)
class HubBinarySensorDescription[S: Subject](
    BinarySensorEntityDescription, HubEntityDescription[S]
):
    """Describe a binary sensor."""

    attributes_fn: Callable[[S], dict[str, Any] | None] = lambda _: None
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


def _problems(place: Place) -> dict[str, Any] | None:
    """Return everything that is wrong, in the charger's words (OCPP 2.x)."""
    if not place.problems.value:
        return None
    return {
        "problems": [
            {
                "variable": one.variable,
                "code": one.code,
                "info": one.info,
                "severity": one.severity,
                "since": one.at.isoformat(),
            }
            for one in place.problems.value
        ]
    }


def _alarms(station: ChargingStation) -> dict[str, Any] | None:
    """Return what the grid does that is not right, in the charger's words."""
    if not (alarms := station.grid_support.alarms.value):
        return None
    return {
        "problems": [
            {
                "control_type": one.type,
                "fault": one.fault,
                "info": one.info,
                "since": one.at.isoformat(),
            }
            for one in alarms
        ]
    }


STATION_SENSORS: tuple[HubBinarySensorDescription[ChargingStation], ...] = (
    HubBinarySensorDescription(
        key="grid_alarm",
        attributes_fn=_alarms,
        by_server=True,
        channels_fn=lambda station: (station.grid_support.alarms,),
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: station.grid_support.alarms.value is not None,
        translation_key="grid_alarm",
        value_fn=lambda station: bool(station.grid_support.alarms.value),
    ),
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
        attributes_fn=_problems,
        by_server=True,
        channels_fn=lambda place: (place.status, place.fault, place.problems),
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
        key="priority_charging",
        by_server=True,
        channels_fn=lambda evse: (evse.priority,),
        exists_fn=lambda evse: evse.priority.value is not None,
        translation_key="priority_charging",
        value_fn=lambda evse: bool(evse.priority.value),
    ),
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
        attributes_fn=_problems,
        channels_fn=lambda evse: (evse.status, evse.fault, evse.problems),
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_problem,
    ),
    _not_followed("limit_not_followed"),
)


class HubBinarySensor[S: Subject](HubEntity[S], BinarySensorEntity):
    """Something at a charger that is so or not."""

    entity_description: HubBinarySensorDescription[S]

    _unrecorded_attributes = frozenset({"problems"})

    @override
    def _reading(self) -> Reading:
        value = self.entity_description.value_fn(self.subject)
        attributes = self.entity_description.attributes_fn(self.subject)
        return None if value is None else (value, attributes)

    @override
    def _show(self, reading: Reading) -> None:
        self._attr_is_on, attributes = (None, None) if reading is None else reading
        self._attr_extra_state_attributes = attributes or {}


async_setup_entry = HubPlatform(
    platform=Platform.BINARY_SENSOR,
    entity=by_description(
        HubBinarySensor, {EaseeBinarySensorDescription: EaseeBinarySensor}
    ),
    of_easee=EASEE_BINARY_SENSORS,
    of_station=STATION_SENSORS,
    of_whole=WHOLE_SENSORS,
    of_evse=EVSE_SENSORS,
    products=ProductPlatform(
        platform=Platform.BINARY_SENSOR,
        entities={EqualizerBinarySensorDescription: EqualizerBinarySensor},
        of_equalizer=EQUALIZER_BINARY_SENSORS,
    ).setup,
).async_setup_entry
