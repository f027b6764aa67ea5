"""Cost sensors: what a charger cost in the present day, month and year.

Only its site knows; it may do so while the charger is away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import UnitOfEnergy

from .easee.charger import EaseeCharger
from .easee.costs import Cost, Period
from .entity import HubEntity
from .sensor_description import HubSensorDescription
from .station.channel import Channel


@dataclass(frozen=True, kw_only=True)
class CostDescription(HubSensorDescription[EaseeCharger]):
    """Describe the sensor of what a charger used in the present period."""

    period: Period


def _used(
    key: str, period: Period, value: Callable[[Cost], float], **more: Any
) -> CostDescription:
    """Return the sensor of what a charger used in the present period."""

    def shown(charger: EaseeCharger) -> float | None:
        cost = charger.costs.cost(period).value
        return None if cost is None else value(cost)

    def exists(charger: EaseeCharger) -> bool:
        cost = charger.costs.cost(period).value
        return cost is not None and cost.currency is not None

    return CostDescription(
        key=f"{key}_{period}",
        channels_fn=lambda charger: (charger.costs.cost(period),),
        exists_fn=exists,
        period=period,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        translation_key=f"{key}_{period}",
        value_fn=shown,
        **more,
    )


COST_SENSORS: Final = tuple(
    _used(
        "cost",
        period,
        lambda cost: cost.amount,
        device_class=SensorDeviceClass.MONETARY,
    )
    for period in Period
)

PERIOD_SENSORS: Final = tuple(
    _used(
        "energy",
        period,
        lambda cost: cost.energy,
        device_class=SensorDeviceClass.ENERGY,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    )
    for period in Period
)


class CostSensor(HubEntity[EaseeCharger], SensorEntity):
    """What a charger used since the present day, month or year began."""

    entity_description: CostDescription

    @property
    @override
    def _reached(self) -> Channel[bool]:
        return self.subject.costs.counted

    @override
    def _reading(self) -> tuple[object, str | None, datetime | None]:
        cost = self.subject.costs.cost(self.entity_description.period).value
        if cost is None:
            return None, self._currency, None
        return self.entity_description.value_fn(self.subject), cost.currency, cost.since

    @property
    def _currency(self) -> str | None:
        """Return the currency of the site."""
        if (hub := self.hub_station.account_hub) is None:
            return None
        costs = hub.products.costs_of(self.subject.costs.serial)
        return None if costs is None else costs.site.value.currency

    @override
    def _show(self, reading: tuple[Any, str | None, datetime | None]) -> None:
        self._attr_native_value, currency, self._attr_last_reset = reading
        if self.device_class is SensorDeviceClass.MONETARY:
            self._attr_native_unit_of_measurement = currency
