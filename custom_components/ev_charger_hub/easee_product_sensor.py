"""Sensors of equalizers and sites: what they have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription

from .easee_product_entity import ProductEntity, ProductEntityDescription, Subject
from .sensor_description import Value


@dataclass(frozen=True, kw_only=True)
class ProductSensorDescription[S: Subject](
    SensorEntityDescription, ProductEntityDescription[S]
):
    """Describe a sensor of a product."""

    value_fn: Callable[[S], Value]


class ProductSensor[S: Subject](ProductEntity[S], SensorEntity):
    """A value of a product."""

    entity_description: ProductSensorDescription[S]

    @override
    def _reading(self) -> object:
        return self.entity_description.value_fn(self.subject)

    @override
    def _show(self, reading: Any) -> None:
        self._attr_native_value = reading
