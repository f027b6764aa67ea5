"""Sensors of variables: what a charger tells of itself and nobody sets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfTemperature,
)

from .device_variables import VariableDescription, VariableEntity, of_kind
from .sensor_description import HubSensorDescription
from .station.channel import Channel
from .station.model import Evse
from .station.variables import DeviceVariable, Kind

_UNITS: Final = {
    "a": (SensorDeviceClass.CURRENT, UnitOfElectricCurrent.AMPERE),
    "celsius": (SensorDeviceClass.TEMPERATURE, UnitOfTemperature.CELSIUS),
    "fahrenheit": (SensorDeviceClass.TEMPERATURE, UnitOfTemperature.FAHRENHEIT),
    "hz": (SensorDeviceClass.FREQUENCY, UnitOfFrequency.HERTZ),
    "k": (SensorDeviceClass.TEMPERATURE, UnitOfTemperature.KELVIN),
    "kw": (SensorDeviceClass.POWER, UnitOfPower.KILO_WATT),
    "kwh": (SensorDeviceClass.ENERGY, UnitOfEnergy.KILO_WATT_HOUR),
    "percent": (None, PERCENTAGE),
    "v": (SensorDeviceClass.VOLTAGE, UnitOfElectricPotential.VOLT),
    "w": (SensorDeviceClass.POWER, UnitOfPower.WATT),
    "wh": (SensorDeviceClass.ENERGY, UnitOfEnergy.WATT_HOUR),
}


@dataclass(frozen=True, kw_only=True)
class SensorVariableDescription(SensorEntityDescription, VariableDescription):
    """Describe a variable that is a measured value."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC


OTHER_SENSORS: tuple[SensorVariableDescription, ...] = (
    SensorVariableDescription(
        key="variable",
        entity_registry_enabled_default=False,
        translation_key="device_variable",
    ),
)
"""What the variables without a name of ours have in common."""


def _other(
    variable: DeviceVariable, common: dict[str, Any]
) -> SensorVariableDescription:
    """Return the description of a variable without a name of ours."""
    device_class, unit = _UNITS[(variable.unit or "").lower()]
    counts = device_class is SensorDeviceClass.ENERGY
    return replace(
        OTHER_SENSORS[0],
        **common,
        device_class=device_class,
        entity_registry_enabled_default=variable.measures_temperature,
        native_unit_of_measurement=unit,
        state_class=None if counts else SensorStateClass.MEASUREMENT,
    )


class HubVariableSensor(VariableEntity, SensorEntity):
    """A value that a charger tells of one of its parts."""

    entity_description: SensorVariableDescription
    kind = Kind.READING

    @override
    def _show(self, reading: DeviceVariable | None) -> None:
        self._attr_native_value = None if reading is None else reading.number


other_sensors = of_kind(Kind.READING, _other)


def _of_evse(variable: str) -> Callable[[Evse], Channel[DeviceVariable | None]]:
    """Return what finds a variable of an EVSE."""
    return lambda evse: evse.station.variables.channel(f"EVSE#{evse.id}.{variable}")


_POWER = _of_evse("Power")
_PHASES = _of_evse("SupplyPhases")


def _rated_power(evse: Evse) -> float | None:
    """Return the most that an EVSE can deliver, in W (2.0.1 EVSE.Power, maxLimit)."""
    variable = _POWER(evse).value
    return None if variable is None else variable.maximum


def _supply_phases(evse: Evse) -> int | None:
    """Return how many phases an EVSE is wired to; 0 is direct current."""
    variable = _PHASES(evse).value
    number = None if variable is None else variable.number
    return None if number is None else int(number)


BUILT_SENSORS: tuple[HubSensorDescription[Evse], ...] = (
    HubSensorDescription(
        key="rated_power",
        channels_fn=lambda evse: (_POWER(evse),),
        device_class=SensorDeviceClass.POWER,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda evse: _rated_power(evse) is not None,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_unit_of_measurement=UnitOfPower.KILO_WATT,
        translation_key="rated_power",
        value_fn=_rated_power,
    ),
    HubSensorDescription(
        key="supply_phases",
        channels_fn=lambda evse: (_PHASES(evse),),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda evse: _supply_phases(evse) is not None,
        translation_key="supply_phases",
        value_fn=_supply_phases,
    ),
)
"""What an EVSE is built for."""
