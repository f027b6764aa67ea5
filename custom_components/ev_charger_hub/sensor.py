"""Sensors of chargers."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.const import Platform

from .easee.feed_measurements import TOLD
from .easee_asked_sensors import ASKED_SENSORS, EaseeOperator, EaseeOperatorDescription
from .easee_cost_sensors import (
    COST_SENSORS,
    PERIOD_SENSORS,
    CostDescription,
    CostSensor,
)
from .easee_equalizer_sensors import EQUALIZER_SENSORS, Counter, CounterDescription
from .easee_local_sensors import LOCAL_SENSORS, EaseeLocalDescription, EaseeLocalSensor
from .easee_product_sensor import ProductSensor, ProductSensorDescription
from .easee_products import ProductPlatform
from .easee_sensors import (
    NAME_SENSORS,
    NUMBER_SENSORS,
    TEXT_SENSORS,
    WAY_SENSORS,
    EaseeNameDescription,
    EaseeNameSensor,
)
from .easee_site_sensors import SITE_SENSORS, PriceDescription, PriceSensor
from .entity import HubEntity, Subject
from .growth import Candidate, HubPlatform, by_description
from .plugs import plugs
from .quantities import QUANTITIES
from .sensor_description import HubSensorDescription, Value
from .sensor_place import EVSE_SENSORS, WHOLE_SENSORS, plug_sensors
from .sensor_session import LIMIT_SENSORS, SESSION_SENSORS
from .sensor_station import STATION_SENSORS
from .sensor_variables import (
    BUILT_SENSORS,
    HubVariableSensor,
    SensorVariableDescription,
    other_sensors,
)
from .sensor_vehicle import VEHICLE_SENSORS
from .station.enums import Measurand
from .station.model import ChargingStation, MeasurementKey, Place

PARALLEL_UPDATES = 0


@cache
def _measurement(key: MeasurementKey, whole: bool) -> HubSensorDescription[Place]:
    """Return the description of one measurement, at an EVSE or a whole station."""
    quantity = QUANTITIES[key.measurand]
    where = ["station"] if whole else []
    if key.location is not None and key.measurand is not Measurand.SOC:
        where.append("EV" if key.location == "ev" else key.location)
    phase = key.phase.upper().replace("_", "-") if key.phase else ""
    words = " ".join(part for part in (phase, *(f"({one})" for one in where)) if part)
    return HubSensorDescription(
        key=key.slug,
        by_server=whole or key not in TOLD,
        channels_fn=lambda place: (place.measurement(key),),
        device_class=quantity.device_class,
        entity_registry_enabled_default=(
            quantity.enabled and key.phase is None and key.location in quantity.home
        ),
        native_unit_of_measurement=quantity.native_unit,
        of_circuit=key.measurand is Measurand.CURRENT_OFFERED,
        placeholders={"where": words} if words else None,
        state_class=quantity.state_class,
        suggested_display_precision=quantity.precision,
        suggested_unit_of_measurement=quantity.suggested_unit,
        translation_key=f"{key.measurand}_at" if words else key.measurand,
        value_fn=lambda place: (
            None if (told := place.measurement(key)).outdated else told.value
        ),
    )


def _measurements(station: ChargingStation) -> Iterator[Candidate]:
    """Yield what a station measures."""
    for place in (station.whole, *station.evses.values()):
        for key in place.measurements:
            yield place, _measurement(key, place is station.whole)


def _more(station: ChargingStation) -> Iterator[Candidate]:
    """Yield what depends on what a station sends."""
    yield from _measurements(station)
    yield from plugs(station, plug_sensors)
    yield from other_sensors(station)


class HubSensor[S: Subject](HubEntity[S], SensorEntity):
    """A value of a charger."""

    entity_description: HubSensorDescription[S]

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit; that of money is the currency of the house."""
        if self.entity_description.device_class is SensorDeviceClass.MONETARY:
            return self.hub.hass.config.currency
        return super().native_unit_of_measurement

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return since when money is counted, None for all other values."""
        return self.entity_description.last_reset_fn(self.subject)

    @override
    def _reading(self) -> Value:
        return self.entity_description.value_fn(self.subject)

    @override
    def _show(self, reading: Value) -> None:
        self._attr_native_value = reading


async_setup_entry = HubPlatform(
    platform=Platform.SENSOR,
    entity=by_description(
        HubSensor,
        {
            CostDescription: CostSensor,
            EaseeLocalDescription: EaseeLocalSensor,
            EaseeNameDescription: EaseeNameSensor,
            EaseeOperatorDescription: EaseeOperator,
            SensorVariableDescription: HubVariableSensor,
        },
    ),
    of_easee=(
        *NAME_SENSORS,
        *NUMBER_SENSORS,
        *TEXT_SENSORS,
        *WAY_SENSORS,
        *ASKED_SENSORS,
        *COST_SENSORS,
        *PERIOD_SENSORS,
        *LOCAL_SENSORS,
    ),
    of_station=STATION_SENSORS,
    of_whole=WHOLE_SENSORS,
    of_evse=(
        *EVSE_SENSORS,
        *BUILT_SENSORS,
        *SESSION_SENSORS,
        *LIMIT_SENSORS,
        *VEHICLE_SENSORS,
    ),
    more=_more,
    told=[one.slug for one in TOLD],
    products=ProductPlatform(
        platform=Platform.SENSOR,
        entities={
            CounterDescription: Counter,
            PriceDescription: PriceSensor,
            ProductSensorDescription: ProductSensor,
        },
        of_equalizer=EQUALIZER_SENSORS,
        of_site=SITE_SENSORS,
    ).setup,
).async_setup_entry
