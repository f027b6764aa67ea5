"""Quantities: how Home Assistant shows what a charger measures."""

from dataclasses import dataclass, replace

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    PERCENTAGE,
    REVOLUTIONS_PER_MINUTE,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfReactivePower,
    UnitOfTemperature,
)

from .station.enums import Location, Measurand


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """How a measurand is shown; the native unit is the base unit of the model."""

    device_class: SensorDeviceClass | None
    enabled: bool = True
    home: frozenset[Location | None] = frozenset({None})
    """Where it is usually measured; elsewhere it is disabled by default."""
    native_unit: str | None
    precision: int
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    suggested_unit: str | None = None


_CURRENT = Quantity(
    device_class=SensorDeviceClass.CURRENT,
    native_unit=UnitOfElectricCurrent.AMPERE,
    precision=1,
)
_ENERGY_REGISTER = Quantity(
    device_class=SensorDeviceClass.ENERGY,
    native_unit=UnitOfEnergy.WATT_HOUR,
    precision=2,
    state_class=SensorStateClass.TOTAL_INCREASING,
    suggested_unit=UnitOfEnergy.KILO_WATT_HOUR,
)
# Neither a total nor increasing: each value stands for its own interval.
_ENERGY_INTERVAL = replace(_ENERGY_REGISTER, enabled=False, state_class=None)
_POWER = Quantity(
    device_class=SensorDeviceClass.POWER,
    native_unit=UnitOfPower.WATT,
    precision=0,
)
_REACTIVE_POWER = Quantity(
    device_class=SensorDeviceClass.REACTIVE_POWER,
    enabled=False,
    native_unit=UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
    precision=0,
)
_REACTIVE_REGISTER = Quantity(
    device_class=SensorDeviceClass.REACTIVE_ENERGY,
    enabled=False,
    native_unit=UnitOfReactiveEnergy.VOLT_AMPERE_REACTIVE_HOUR,
    precision=2,
    state_class=SensorStateClass.TOTAL_INCREASING,
    suggested_unit=UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
)
_REACTIVE_INTERVAL = replace(_REACTIVE_REGISTER, state_class=None)

QUANTITIES: dict[Measurand, Quantity] = {
    Measurand.CURRENT_EXPORT: _CURRENT,
    Measurand.CURRENT_IMPORT: _CURRENT,
    Measurand.CURRENT_OFFERED: _CURRENT,
    Measurand.ENERGY_ACTIVE_EXPORT_INTERVAL: _ENERGY_INTERVAL,
    Measurand.ENERGY_ACTIVE_EXPORT_REGISTER: _ENERGY_REGISTER,
    Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL: _ENERGY_INTERVAL,
    Measurand.ENERGY_ACTIVE_IMPORT_REGISTER: _ENERGY_REGISTER,
    Measurand.ENERGY_REACTIVE_EXPORT_INTERVAL: _REACTIVE_INTERVAL,
    Measurand.ENERGY_REACTIVE_EXPORT_REGISTER: _REACTIVE_REGISTER,
    Measurand.ENERGY_REACTIVE_IMPORT_INTERVAL: _REACTIVE_INTERVAL,
    Measurand.ENERGY_REACTIVE_IMPORT_REGISTER: _REACTIVE_REGISTER,
    Measurand.FREQUENCY: Quantity(
        device_class=SensorDeviceClass.FREQUENCY,
        enabled=False,
        native_unit=UnitOfFrequency.HERTZ,
        precision=2,
    ),
    Measurand.POWER_ACTIVE_EXPORT: _POWER,
    Measurand.POWER_ACTIVE_IMPORT: _POWER,
    Measurand.POWER_FACTOR: Quantity(
        device_class=SensorDeviceClass.POWER_FACTOR,
        enabled=False,
        native_unit=None,
        precision=2,
    ),
    Measurand.POWER_OFFERED: _POWER,
    Measurand.POWER_REACTIVE_EXPORT: _REACTIVE_POWER,
    Measurand.POWER_REACTIVE_IMPORT: _REACTIVE_POWER,
    Measurand.RPM: Quantity(
        device_class=None,
        enabled=False,
        native_unit=REVOLUTIONS_PER_MINUTE,
        precision=0,
    ),
    Measurand.SOC: Quantity(
        device_class=SensorDeviceClass.BATTERY,
        home=frozenset({None, Location.EV}),
        native_unit=PERCENTAGE,
        precision=0,
    ),
    Measurand.TEMPERATURE: Quantity(
        device_class=SensorDeviceClass.TEMPERATURE,
        home=frozenset({None, Location.BODY}),
        native_unit=UnitOfTemperature.CELSIUS,
        precision=1,
    ),
    Measurand.VOLTAGE: Quantity(
        device_class=SensorDeviceClass.VOLTAGE,
        native_unit=UnitOfElectricPotential.VOLT,
        precision=0,
    ),
}
