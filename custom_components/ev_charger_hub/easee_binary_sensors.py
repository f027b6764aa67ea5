"""Easee binary sensors: what is so or not at a charger, by the Easee cloud."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory

from .easee.charger import EaseeCharger
from .easee.ids import ChargerId
from .entity import HubEntity, HubEntityDescription


@dataclass(frozen=True, kw_only=True)
class EaseeBinarySensorDescription(
    BinarySensorEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe what a charger reports as yes or no under a number."""

    number: ChargerId
    read: Callable[[bool], bool] = lambda value: value


def _flag(
    key: str,
    number: ChargerId,
    read: Callable[[bool], bool] = lambda value: value,
    *,
    device_class: BinarySensorDeviceClass | None,
    enabled: bool = True,
) -> EaseeBinarySensorDescription:
    """Return the binary sensor of a reading."""
    return EaseeBinarySensorDescription(
        key=key,
        channels_fn=lambda charger: (charger.readings.channel(number),),
        device_class=device_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        exists_fn=lambda charger: number in charger.readings,
        number=number,
        read=read,
        translation_key=key,
    )


EASEE_BINARY_SENSORS: tuple[EaseeBinarySensorDescription, ...] = (
    _flag(
        "cable_locked",
        ChargerId.CABLE_LOCKED,
        # For Home Assistant a lock that is on is open.
        lambda locked: not locked,
        device_class=BinarySensorDeviceClass.LOCK,
    ),
    _flag(
        "derating",
        ChargerId.DERATING_ACTIVE,
        device_class=BinarySensorDeviceClass.HEAT,
    ),
    _flag(
        "wifi_access_point",
        ChargerId.WIFI_AP_ENABLED,
        device_class=BinarySensorDeviceClass.RUNNING,
        enabled=False,
    ),
)


class EaseeBinarySensor(HubEntity[EaseeCharger], BinarySensorEntity):
    """Something that a charger reports as yes or no."""

    entity_description: EaseeBinarySensorDescription

    @override
    def _reading(self) -> bool | None:
        value = self.subject.readings.flag(self.entity_description.number)
        return None if value is None else self.entity_description.read(value)

    @override
    def _show(self, reading: bool | None) -> None:
        self._attr_is_on = reading
