"""Sensors of sites: the fuse and the price."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfEnergy,
)

from .easee.costs import SiteCosts
from .easee.products import SiteInfo
from .easee_product_sensor import ProductSensor, ProductSensorDescription


@dataclass(frozen=True, kw_only=True)
class PriceDescription(ProductSensorDescription[SiteCosts]):
    """Describe the sensor of a price for a kWh, in the currency of the site."""


def _known(value: Callable[[SiteInfo], float | None], **more: Any) -> dict[str, Any]:
    """Return what shows a value of a site that is known."""
    return {
        "channels_fn": lambda costs: (costs.site,),
        "exists_fn": lambda costs: value(costs.site.value) is not None,
        "value_fn": lambda costs: value(costs.site.value),
        **more,
    }


SITE_SENSORS: Final = (
    ProductSensorDescription[SiteCosts](
        key="main_fuse",
        device_class=SensorDeviceClass.CURRENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=0,
        translation_key="main_fuse",
        **_known(lambda site: site.rated_current),
    ),
    PriceDescription(
        key="energy_price",
        suggested_display_precision=4,
        translation_key="energy_price",
        **_known(lambda site: site.price),
    ),
    PriceDescription(
        key="energy_price_without_vat",
        entity_registry_enabled_default=False,
        suggested_display_precision=4,
        translation_key="energy_price_without_vat",
        **_known(lambda site: site.price_without_vat),
    ),
    ProductSensorDescription[SiteCosts](
        key="vat",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=PERCENTAGE,
        translation_key="vat",
        **_known(lambda site: site.vat),
    ),
)


class PriceSensor(ProductSensor[SiteCosts]):
    """A price, in the currency of the site."""

    @override
    def _reading(self) -> tuple[object, str | None]:
        return super()._reading(), self.subject.site.value.currency

    @override
    def _show(self, reading: tuple[Any, str | None]) -> None:
        self._attr_native_value, currency = reading
        unit = UnitOfEnergy.KILO_WATT_HOUR
        self._attr_native_unit_of_measurement = (
            f"{currency}/{unit}" if currency else None
        )
