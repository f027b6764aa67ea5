"""Binary sensors of equalizers: whether they are there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory

from .easee.equalizer import Equalizer
from .easee_product_entity import ProductEntity, ProductEntityDescription


@dataclass(frozen=True, kw_only=True)
class EqualizerBinarySensorDescription(
    BinarySensorEntityDescription, ProductEntityDescription[Equalizer]
):
    """Describe a binary sensor of an equalizer."""

    value_fn: Callable[[Equalizer], bool]


EQUALIZER_BINARY_SENSORS: Final = (
    EqualizerBinarySensorDescription(
        key="online",
        always_available=True,
        channels_fn=lambda equalizer: (equalizer.online,),
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda equalizer: equalizer.online.value,
    ),
)


class EqualizerBinarySensor(ProductEntity[Equalizer], BinarySensorEntity):
    """Whether something is so at an equalizer."""

    entity_description: EqualizerBinarySensorDescription

    @override
    def _reading(self) -> bool:
        return self.entity_description.value_fn(self.subject)

    @override
    def _show(self, reading: bool) -> None:
        self._attr_is_on = reading
