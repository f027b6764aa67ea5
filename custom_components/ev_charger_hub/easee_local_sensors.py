"""Local sensors: how far an Easee charger is on its way to local OCPP."""

from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.const import EntityCategory

from .easee.charger import EaseeCharger
from .easee_local import LocalState, LocalStatus
from .entity import HubEntity
from .sensor_description import HubSensorDescription
from .station.channel import Channel


@dataclass(frozen=True, kw_only=True)
class EaseeLocalDescription(HubSensorDescription[EaseeCharger]):
    """Describe the sensor of how far local OCPP is."""


LOCAL_SENSORS: tuple[EaseeLocalDescription, ...] = (
    EaseeLocalDescription(
        key="local_ocpp",
        # What we do does not depend on whether the cloud reaches the charger.
        always_available=True,
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=[*LocalStatus],
        translation_key="local_ocpp",
        value_fn=lambda _: None,
    ),
)


class EaseeLocalSensor(HubEntity[EaseeCharger], SensorEntity):
    """How far local OCPP is, and what is wrong."""

    entity_description: EaseeLocalDescription

    @property
    def _state(self) -> Channel[LocalState]:
        """Return how far it is; without an account it stays as it was."""
        if (hub := self.hub_station.account_hub) is None:
            return Channel(LocalState())
        return hub.local.state(self.subject.serial)

    @override
    def _channels(self) -> tuple[Channel[Any], ...]:
        return (*super()._channels(), self._state)

    @override
    def _reading(self) -> LocalState:
        return self._state.value

    @override
    def _show(self, reading: LocalState) -> None:
        self._attr_native_value = reading.status
        self._attr_extra_state_attributes = {"trouble": reading.trouble}
