"""Vehicle sensors: what the vehicle of a session asks for (ISO 15118, OCPP 2.x)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import (
    PERCENTAGE,
    UnitOfElectricCurrent,
    UnitOfEnergy,
    UnitOfPower,
)

from .sensor_description import HubSensorDescription, Value
from .station.model import Evse
from .station.needs import ChargingNeeds, EnergyTransfer


@dataclass(frozen=True, kw_only=True)
class NeedSensorDescription(HubSensorDescription[Evse]):
    """Describe a sensor of what a vehicle asks for."""

    by_server: bool = True
    channels_fn: Callable[[Evse], tuple[Any, ...]] = lambda evse: (evse.needs,)


def _needed(
    key: str, read: Callable[[ChargingNeeds], Value], **more: Any
) -> NeedSensorDescription:
    """Return a sensor that exists once a vehicle asked for it."""
    return NeedSensorDescription(
        key=key,
        exists_fn=lambda evse: (
            (needs := evse.needs.value) is not None and read(needs) is not None
        ),
        translation_key=key,
        value_fn=lambda evse: (
            None if (needs := evse.needs.value) is None else read(needs)
        ),
        **more,
    )


VEHICLE_SENSORS: tuple[NeedSensorDescription, ...] = (
    _needed(
        "departure_time",
        lambda needs: needs.departure,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
    _needed(
        "requested_energy",
        lambda needs: needs.energy,
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_display_precision=1,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    ),
    _needed(
        "requested_transfer",
        lambda needs: needs.transfer,
        device_class=SensorDeviceClass.ENUM,
        options=list(EnergyTransfer),
    ),
    _needed(
        "target_state_of_charge",
        lambda needs: needs.target_state_of_charge,
        native_unit_of_measurement=PERCENTAGE,
    ),
    _needed(
        "vehicle_maximum_current",
        lambda needs: needs.maximum_current,
        device_class=SensorDeviceClass.CURRENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    ),
    _needed(
        "vehicle_maximum_power",
        lambda needs: needs.maximum_power,
        device_class=SensorDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=1,
        suggested_unit_of_measurement=UnitOfPower.KILO_WATT,
    ),
)
