"""Numbers of variables: what is set at a charger by a number."""

from dataclasses import dataclass, replace
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTemperature,
    UnitOfTime,
)

from .device_variables import VariableDescription, VariableEntity, of_kind, settable
from .helpers import invalid
from .station.variables import DeviceVariable, Kind, Named

_MOST: Final = 2**31 - 1
_DAY: Final = 86400
_PLACES: Final = 6

_UNITS: Final = {
    "a": (NumberDeviceClass.CURRENT, UnitOfElectricCurrent.AMPERE),
    "celsius": (NumberDeviceClass.TEMPERATURE, UnitOfTemperature.CELSIUS),
    "kw": (NumberDeviceClass.POWER, UnitOfPower.KILO_WATT),
    "kwh": (NumberDeviceClass.ENERGY, UnitOfEnergy.KILO_WATT_HOUR),
    "percent": (None, PERCENTAGE),
    "s": (NumberDeviceClass.DURATION, UnitOfTime.SECONDS),
    "v": (NumberDeviceClass.VOLTAGE, UnitOfElectricPotential.VOLT),
    "w": (NumberDeviceClass.POWER, UnitOfPower.WATT),
    "wh": (NumberDeviceClass.ENERGY, UnitOfEnergy.WATT_HOUR),
}


@dataclass(frozen=True, kw_only=True)
class NumberVariableDescription(NumberEntityDescription, VariableDescription):
    """Describe a variable that is a number."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    mode: NumberMode | None = NumberMode.BOX
    native_step: float | None = 1


def _interval(name: Named, **more: Any) -> NumberVariableDescription:
    """Describe a time in s, of a day at most; `more` is what differs from the rest."""
    fields: dict[str, Any] = {
        "device_class": NumberDeviceClass.DURATION,
        "native_max_value": _DAY,
        "native_min_value": 0,
        "native_unit_of_measurement": UnitOfTime.SECONDS,
    }
    return NumberVariableDescription(**fields | settable(name) | more)


NAMED_NUMBERS: tuple[NumberVariableDescription, ...] = (
    _interval(
        Named.CLOCK_INTERVAL,
        key="clock_interval",
        entity_registry_enabled_default=False,
        translation_key="clock_interval",
    ),
    _interval(
        Named.CONNECTION_TIMEOUT,
        key="connection_timeout",
        translation_key="connection_timeout",
    ),
    NumberVariableDescription(
        key="energy_on_invalid_id",
        **settable(Named.ENERGY_ON_INVALID_ID),
        device_class=NumberDeviceClass.ENERGY,
        entity_registry_enabled_default=False,
        native_max_value=_MOST,
        native_min_value=0,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        translation_key="energy_on_invalid_id",
    ),
    _interval(
        Named.HEARTBEAT_INTERVAL,
        key="heartbeat_interval",
        entity_registry_enabled_default=False,
        translation_key="heartbeat_interval",
    ),
    NumberVariableDescription(
        key="limit_change",
        **settable(Named.LIMIT_CHANGE),
        entity_registry_enabled_default=False,
        native_max_value=100,
        native_min_value=0,
        native_step=0.1,
        native_unit_of_measurement=PERCENTAGE,
        translation_key="limit_change",
    ),
    _interval(
        Named.METER_INTERVAL,
        key="meter_interval",
        native_min_value=1,
        translation_key="meter_interval",
    ),
    _interval(
        Named.OFFLINE_THRESHOLD,
        key="offline_threshold",
        entity_registry_enabled_default=False,
        translation_key="offline_threshold",
    ),
    _interval(
        Named.PING_INTERVAL,
        key="ping_interval",
        entity_registry_enabled_default=False,
        translation_key="ping_interval",
    ),
)

OTHER_NUMBERS: tuple[NumberVariableDescription, ...] = (
    NumberVariableDescription(
        key="variable",
        entity_registry_enabled_default=False,
        native_max_value=_MOST,
        native_min_value=0,
        translation_key="device_variable",
    ),
)
"""What the variables without a name of ours have in common."""


def _other(
    variable: DeviceVariable, common: dict[str, Any]
) -> NumberVariableDescription:
    """Return the description of a variable without a name of ours."""
    device_class, unit = _UNITS.get((variable.unit or "").lower(), (None, None))
    whole = (variable.data_type or "").lower() == "integer"
    return replace(
        OTHER_NUMBERS[0],
        **common,
        device_class=device_class,
        native_step=1 if whole else 0.01,
        native_unit_of_measurement=unit,
    )


class HubVariableNumber(VariableEntity, NumberEntity):
    """A number that is set at a charger."""

    entity_description: NumberVariableDescription
    kind = Kind.NUMBER

    @override
    def _show(self, reading: DeviceVariable | None) -> None:
        if reading is None:
            self._attr_native_value = None
            return
        usual = self.entity_description
        least, most = usual.native_min_value or 0, usual.native_max_value or _MOST
        if reading.minimum is not None:
            least = reading.minimum
        if reading.maximum is not None:
            most = reading.maximum
        self._attr_native_min_value = min(least, most)
        self._attr_native_max_value = max(least, most)
        self._attr_native_value = reading.number

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the number, as OCPP writes it: with 6 decimal places at most."""
        text = f"{round(value, _PLACES) or 0:.{_PLACES}f}".rstrip("0").rstrip(".")
        if "." in text and self.entity_description.native_step == 1:
            raise invalid("variable_whole", charger=self.station.settings.name)
        await self._async_set(text)


other_numbers = of_kind(Kind.NUMBER, _other)
