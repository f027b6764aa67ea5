"""Sensors of equalizers: the grid, the meter, and what is left for cars."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfReactivePower,
    UnitOfTemperature,
)
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity

from .easee.enums import EqualizerGridType
from .easee.equalizer import Equalizer, SiteStructure
from .easee.ids import EqualizerId
from .easee_product_sensor import ProductSensor, ProductSensorDescription
from .sensor_description import as_state


@dataclass(frozen=True, kw_only=True)
class CounterDescription(ProductSensorDescription[Equalizer]):
    """Describe a register of the meter, which goes on after a restart."""

    number: EqualizerId


def _reads(number: EqualizerId) -> dict[str, Any]:
    """Return what shows an observation, and has it exist when it comes."""
    return {
        "channels_fn": lambda equalizer: (equalizer.readings.channel(number),),
        "exists_fn": lambda equalizer: number in equalizer.readings,
    }


def _measured(
    key: str, number: EqualizerId, **more: Any
) -> ProductSensorDescription[Equalizer]:
    """Return the sensor of what an equalizer measures."""
    fields: dict[str, Any] = {
        "state_class": SensorStateClass.MEASUREMENT,
        "translation_key": key,
        **_reads(number),
        **more,
    }
    return ProductSensorDescription(
        key=key, value_fn=lambda equalizer: equalizer.readings.number(number), **fields
    )


def _text(
    key: str, number: EqualizerId, **more: Any
) -> ProductSensorDescription[Equalizer]:
    """Return the sensor of what an equalizer says in words; it is off by default."""
    return ProductSensorDescription(
        key=key,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        translation_key=key,
        value_fn=lambda equalizer: as_state(equalizer.readings.text(number)),
        **_reads(number),
        **more,
    )


def _by_phase(
    key: str, first: EqualizerId, names: tuple[str, ...], **more: Any
) -> Iterator[ProductSensorDescription[Equalizer]]:
    """Yield the sensors of what is measured between wires, which follow each other."""
    for index, name in enumerate(names):
        yield _measured(
            f"{key}_{name.lower().replace('-', '_')}",
            EqualizerId(first + index),
            placeholders={"where": name},
            translation_key=key,
            **more,
        )


def _counter(key: str, number: EqualizerId, **more: Any) -> CounterDescription:
    """Return the sensor of a register, in thousands of what it counts."""

    def value(equalizer: Equalizer) -> float | None:
        energy = equalizer.energies[number]
        total = None if energy.outdated else energy.value
        return None if total is None else total / 1000

    return CounterDescription(
        key=key,
        channels_fn=lambda equalizer: (equalizer.energies[number],),
        exists_fn=lambda equalizer: equalizer.energies[number].value is not None,
        number=number,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=2,
        translation_key=key,
        value_fn=value,
        **more,
    )


def _guarded(
    key: str, amps: Callable[[SiteStructure], float | None]
) -> ProductSensorDescription[Equalizer]:
    """Return the sensor of a limit that an equalizer guards."""

    def value(equalizer: Equalizer) -> float | None:
        structure = equalizer.structure.value
        return None if structure is None else amps(structure)

    return ProductSensorDescription(
        key=key,
        channels_fn=lambda equalizer: (equalizer.structure,),
        device_class=SensorDeviceClass.CURRENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists_fn=lambda equalizer: value(equalizer) is not None,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=0,
        translation_key=key,
        value_fn=value,
    )


PHASES: Final = ("L1", "L2", "L3")

_AMPERE: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.CURRENT,
    "native_unit_of_measurement": UnitOfElectricCurrent.AMPERE,
    "suggested_display_precision": 1,
}
_KILOWATT: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.POWER,
    "native_unit_of_measurement": UnitOfPower.KILO_WATT,
    "suggested_display_precision": 2,
}
_KILOVAR: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.REACTIVE_POWER,
    "native_unit_of_measurement": UnitOfReactivePower.KILO_VOLT_AMPERE_REACTIVE,
    "suggested_display_precision": 2,
}
_KILOWATT_HOUR: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.ENERGY,
    "native_unit_of_measurement": UnitOfEnergy.KILO_WATT_HOUR,
}
_KILOVAR_HOUR: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.REACTIVE_ENERGY,
    "native_unit_of_measurement": (UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR),
}
_VOLT: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.VOLTAGE,
    "native_unit_of_measurement": UnitOfElectricPotential.VOLT,
    "suggested_display_precision": 0,
}
_SIGNAL: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.SIGNAL_STRENGTH,
    "entity_category": EntityCategory.DIAGNOSTIC,
    "entity_registry_enabled_default": False,
    "native_unit_of_measurement": SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
}
_QUIET: Final[dict[str, Any]] = {
    "entity_category": EntityCategory.DIAGNOSTIC,
    "entity_registry_enabled_default": False,
}

GRID_SENSORS: Final = (
    _measured("import_power", EqualizerId.ACTIVE_POWER_IMPORT, **_KILOWATT),
    _measured("export_power", EqualizerId.ACTIVE_POWER_EXPORT, **_KILOWATT),
    _measured("import_reactive_power", EqualizerId.REACTIVE_POWER_IMPORT, **_KILOVAR),
    _measured("export_reactive_power", EqualizerId.REACTIVE_POWER_EXPORT, **_KILOVAR),
    _measured(
        "maximum_import_power",
        EqualizerId.MAX_POWER_IMPORT,
        **_KILOWATT,
        entity_registry_enabled_default=False,
    ),
    *_by_phase("grid_current", EqualizerId.CURRENT_L1, PHASES, **_AMPERE),
    *_by_phase("grid_voltage", EqualizerId.VOLTAGE_N_L1, PHASES, **_VOLT),
    *_by_phase(
        "grid_voltage",
        EqualizerId.VOLTAGE_L1_L2,
        ("L1-L2", "L1-L3", "L2-L3"),
        **_VOLT,
        entity_registry_enabled_default=False,
    ),
)

CAR_SENSORS: Final = (
    *_by_phase(
        "available_current", EqualizerId.AVAILABLE_CURRENT_L1, PHASES, **_AMPERE
    ),
    *_by_phase(
        "cars_current", EqualizerId.EQUALIZED_CHARGE_CURRENT_L1, PHASES, **_AMPERE
    ),
    _guarded("main_fuse", lambda structure: structure.rated),
    _guarded("continuous_current", lambda structure: structure.continuous),
    _measured(
        "load_balancing_throttle",
        EqualizerId.LOADBALANCE_THROTTLE,
        **_QUIET,
        native_unit_of_measurement=PERCENTAGE,
    ),
)

COUNTERS: Final = (
    _counter(
        "import_energy", EqualizerId.CUMULATIVE_ACTIVE_POWER_IMPORT, **_KILOWATT_HOUR
    ),
    _counter(
        "export_energy", EqualizerId.CUMULATIVE_ACTIVE_POWER_EXPORT, **_KILOWATT_HOUR
    ),
    _counter(
        "import_reactive_energy",
        EqualizerId.CUMULATIVE_REACTIVE_POWER_IMPORT,
        **_KILOVAR_HOUR,
    ),
    _counter(
        "export_reactive_energy",
        EqualizerId.CUMULATIVE_REACTIVE_POWER_EXPORT,
        **_KILOVAR_HOUR,
    ),
)

METER_SENSORS: Final = (
    _measured(
        "equalizer_temperature",
        EqualizerId.INTERNAL_TEMPERATURE,
        device_class=SensorDeviceClass.TEMPERATURE,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=0,
    ),
    _measured("wifi_signal", EqualizerId.RCPI, **_SIGNAL),
    _measured("local_signal", EqualizerId.LOCAL_RSSI, **_SIGNAL),
    _measured("meter_errors", EqualizerId.METER_ERRORS, **_QUIET, state_class=None),
    _measured("meter_phases", EqualizerId.NUM_PHASES, **_QUIET, state_class=None),
    ProductSensorDescription(
        key="meter_grid_type",
        device_class=SensorDeviceClass.ENUM,
        options=list(EqualizerGridType),
        translation_key="meter_grid_type",
        value_fn=lambda equalizer: EqualizerGridType.of(
            equalizer.readings.value(EqualizerId.GRID_TYPE)
        ),
        **_QUIET,
        **_reads(EqualizerId.GRID_TYPE),
    ),
    _text("meter_type", EqualizerId.METER_TYPE),
    _text("meter_id", EqualizerId.METER_ID),
    _text("meter_clock", EqualizerId.CLOCK_AND_DATE_METER),
    _text("cloud_disconnect_reason", EqualizerId.CLOUD_DISCONNECT_REASON),
)

EQUALIZER_SENSORS: tuple[ProductSensorDescription[Equalizer], ...] = (
    *GRID_SENSORS,
    *CAR_SENSORS,
    *COUNTERS,
    *METER_SENSORS,
)


class _Kept(ExtraStoredData):
    """What a register has to know after a restart."""

    def __init__(self, register: dict[str, Any]) -> None:
        """Keep it."""
        self._register = register

    @override
    def as_dict(self) -> dict[str, Any]:
        return self._register


class Counter(ProductSensor[Equalizer], RestoreEntity):
    """A register of the meter, without the meter's stutter."""

    entity_description: CounterDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Count on from where the register was."""
        if (kept := await self.async_get_last_extra_data()) is not None:
            # What is not readable is not there: the meter begins anew.
            with suppress(ValueError):
                self.subject.restore(self.entity_description.number, kept.as_dict())
        await super().async_added_to_hass()

    @property
    @override
    def extra_restore_state_data(self) -> ExtraStoredData | None:
        """Return what the register has to know after a restart."""
        register = self.subject.registers[self.entity_description.number]
        return None if (kept := register.dump()) is None else _Kept(kept)
