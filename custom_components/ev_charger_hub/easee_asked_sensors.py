"""Easee sensors of what has to be asked for."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.const import EntityCategory

from .easee.charger import EaseeCharger
from .easee.ownership import operator_name
from .easee_asked import AskedEntity
from .easee_writes import account_of
from .sensor_description import HubSensorDescription, as_state


@dataclass(frozen=True, kw_only=True)
class EaseeOperatorDescription(HubSensorDescription[EaseeCharger]):
    """Describe the sensor of who runs a charger."""


ASKED_SENSORS: tuple[EaseeOperatorDescription, ...] = (
    EaseeOperatorDescription(
        key="operator",
        entity_category=EntityCategory.DIAGNOSTIC,
        translation_key="operator",
        value_fn=lambda _: None,
    ),
)


class EaseeOperator(AskedEntity[str], SensorEntity):
    """Who runs a charger; unknown if nobody does, or if we may not know."""

    entity_description: EaseeOperatorDescription

    @override
    async def _async_ask(self) -> str | None:
        requests = account_of(self.hub_station).requests
        return await operator_name(requests, self.subject.serial)

    @override
    def _reading(self) -> str | None:
        return as_state(self._asked.value.value)

    @override
    def _show(self, reading: str | None) -> None:
        self._attr_native_value = reading
