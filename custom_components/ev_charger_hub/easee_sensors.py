"""Easee sensors: what only the Easee cloud tells of a charger."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Protocol, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfTemperature,
    UnitOfTime,
)

from .easee.charger import EaseeCharger
from .easee.enums import (
    GridType,
    LedMode,
    NoCurrentReason,
    NodeType,
    OpMode,
    OutputPhase,
    Pilot,
    Rat,
    RebootReason,
)
from .easee.ids import ChargerId
from .easee.readings import Value as Reading
from .entity import HubEntity
from .sensor_description import HubSensorDescription, Value, as_state
from .station.link import LinkKind

type Attributes = dict[str, Any]


class Names(Protocol):
    """Names of what a charger reports as a number or a letter."""

    def of(self, value: Reading | None) -> str | None:
        """Return the name, None if there is none."""


@dataclass(frozen=True, kw_only=True)
class EaseeNameDescription(HubSensorDescription[EaseeCharger]):
    """Describe a sensor of a name; `raw_fn` returns what stands behind it."""

    raw_fn: Callable[[EaseeCharger], Attributes]


def _named(
    key: str,
    number: ChargerId,
    names: Names,
    options: list[str],
    more_fn: Callable[[Reading], Attributes] = lambda _: {},
    **more: Any,
) -> EaseeNameDescription:
    """Return the sensor of what has a name for each number."""

    def raw(charger: EaseeCharger) -> Attributes:
        value = charger.readings.value(number)
        return {} if value is None else {"raw": value} | more_fn(value)

    return EaseeNameDescription(
        key=key,
        channels_fn=lambda charger: (charger.readings.channel(number),),
        device_class=SensorDeviceClass.ENUM,
        exists_fn=lambda charger: number in charger.readings,
        options=options,
        raw_fn=raw,
        translation_key=key,
        value_fn=lambda charger: names.of(charger.readings.value(number)),
        **more,
    )


def _number(
    key: str,
    number: ChargerId,
    read: Callable[[float], Value] = lambda value: value,
    *,
    exists: Callable[[EaseeCharger], bool] = lambda _: True,
    translation_key: str | None = None,
    **more: Any,
) -> HubSensorDescription[EaseeCharger]:
    """Return the sensor of what a charger reports as a number."""

    def value(charger: EaseeCharger) -> Value:
        reported = charger.readings.number(number)
        return None if reported is None else read(reported)

    return HubSensorDescription(
        key=key,
        channels_fn=lambda charger: (charger.readings.channel(number),),
        exists_fn=lambda charger: number in charger.readings and exists(charger),
        lazy_fn=lambda _: True,
        translation_key=translation_key or key,
        value_fn=value,
        **more,
    )


def _text(
    key: str, number: ChargerId, **more: Any
) -> HubSensorDescription[EaseeCharger]:
    """Return the sensor of what a charger reports as words; it is off by default."""
    return HubSensorDescription(
        key=key,
        channels_fn=lambda charger: (charger.readings.channel(number),),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists_fn=lambda charger: bool(charger.readings.text(number)),
        translation_key=key,
        value_fn=lambda charger: as_state(charger.readings.text(number)),
        **more,
    )


def _current(
    key: str, number: ChargerId, **more: Any
) -> HubSensorDescription[EaseeCharger]:
    """Return the sensor of a current in A; it is off by default."""
    return _number(
        key,
        number,
        device_class=SensorDeviceClass.CURRENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        **more,
    )


def _by_phase(
    key: str, first: ChargerId
) -> tuple[HubSensorDescription[EaseeCharger], ...]:
    """Return the sensors of a current of a whole circuit, one for each phase.

    Only the primary charger of a circuit speaks for it.
    """
    return tuple(
        _current(
            f"{key}_l{phase}",
            ChargerId(first + phase - 1),
            exists=lambda charger: charger.info.primary,
            placeholders={"phase": f"L{phase}"},
            translation_key=key,
        )
        for phase in (1, 2, 3)
    )


def _temperature(
    key: str, number: ChargerId, where: str, *, enabled: bool = False
) -> HubSensorDescription[EaseeCharger]:
    """Return the sensor of one temperature within a charger."""
    return _number(
        f"temperature_{key}",
        number,
        device_class=SensorDeviceClass.TEMPERATURE,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        placeholders={"where": where},
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        translation_key="temperature_at",
    )


def _voltage(first: int, second: int) -> HubSensorDescription[EaseeCharger]:
    """Return the sensor of the voltage between two terminals; it is off by default.

    Which wires they are depends on the grid: T1 is earth, T2 neutral or a phase.
    """
    return _number(
        f"voltage_t{first}_t{second}",
        ChargerId[f"IN_VOLTAGE_T{first}T{second}"],
        device_class=SensorDeviceClass.VOLTAGE,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        placeholders={"where": f"T{first}-T{second}"},
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        translation_key="voltage_at",
    )


def _signal(key: str, number: ChargerId) -> HubSensorDescription[EaseeCharger]:
    """Return the sensor of how strong a radio signal is; it is off by default."""
    return _number(
        key,
        number,
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
    )


DETAIL: Final[dict[str, Any]] = {
    "entity_category": EntityCategory.DIAGNOSTIC,
    "entity_registry_enabled_default": False,
}
"""What is for those who look for something."""

NAME_SENSORS: tuple[EaseeNameDescription, ...] = (
    _named("detailed_status", ChargerId.CHARGER_OP_MODE, OpMode, list(OpMode)),
    _named(
        "no_current_reason",
        ChargerId.REASON_FOR_NO_CURRENT,
        NoCurrentReason,
        list(NoCurrentReason),
    ),
    _named("output_phase", ChargerId.OUTPUT_PHASE, OutputPhase, list(OutputPhase)),
    _named("pilot", ChargerId.PILOT_MODE, Pilot, list(Pilot), **DETAIL),
    _named(
        "grid_type",
        ChargerId.DETECTED_POWER_GRID_TYPE,
        GridType,
        list(GridType),
        **DETAIL,
    ),
    _named("led_mode", ChargerId.LED_MODE, LedMode, list(LedMode), **DETAIL),
    _named(
        "reboot_reason",
        ChargerId.REBOOT_REASON,
        RebootReason,
        list(RebootReason),
        lambda value: {"reasons": [str(one) for one in RebootReason.all_of(value)]},
        **DETAIL,
    ),
    _named("connection", ChargerId.CHARGER_RAT, Rat, list(Rat), **DETAIL),
    _named(
        "circuit_role", ChargerId.LOCAL_NODE_TYPE, NodeType, list(NodeType), **DETAIL
    ),
)

NUMBER_SENSORS: tuple[HubSensorDescription[EaseeCharger], ...] = (
    _number(
        "cable_rating",
        ChargerId.CABLE_RATING,
        # Without a cable it is 0.
        lambda rating: rating or None,
        device_class=SensorDeviceClass.CURRENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=0,
    ),
    _number(
        "energy_last_hour",
        ChargerId.ENERGY_PER_HOUR,
        device_class=SensorDeviceClass.ENERGY,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
    ),
    _number(
        "hours_in_operation",
        ChargerId.LIFETIME_HOURS,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.HOURS,
        state_class=SensorStateClass.TOTAL_INCREASING,
        **DETAIL,
    ),
    _number(
        "relay_switches",
        ChargerId.LIFETIME_RELAY_SWITCHES,
        state_class=SensorStateClass.TOTAL_INCREASING,
        **DETAIL,
    ),
    _number(
        "humidity",
        ChargerId.INT_REL_HUMIDITY,
        device_class=SensorDeviceClass.HUMIDITY,
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        **DETAIL,
    ),
    _number("offline_reason", ChargerId.CHARGER_OFFLINE_REASON, int, **DETAIL),
    _current("derated_current", ChargerId.DERATED_CURRENT),
    _current(
        "current_t2",
        ChargerId.IN_CURRENT_T2,
        placeholders={"where": "T2"},
        translation_key="current_import_at",
    ),
    *_by_phase(
        "circuit_allocated",
        ChargerId.CIRCUIT_TOTAL_ALLOCATED_PHASE_CONDUCTOR_CURRENT_L1,
    ),
    *_by_phase("circuit_current", ChargerId.CIRCUIT_TOTAL_PHASE_CONDUCTOR_CURRENT_L1),
    *_by_phase("equalizer_available", ChargerId.EQ_AVAILABLE_CURRENT_P1),
    _signal("cellular_signal", ChargerId.CELL_RSSI),
    _signal("wifi_signal", ChargerId.WIFI_RSSI),
    _signal("radio_signal", ChargerId.LOCAL_RSSI),
    _temperature("maximum", ChargerId.TEMP_MAX, "(maximum)", enabled=True),
    _temperature("ambient", ChargerId.TEMP_AMBIENT, "(inside)"),
    _temperature(
        "power_board", ChargerId.TEMP_AMBIENT_POWER_BOARD, "(at the power board)"
    ),
    _temperature("power_board_top", ChargerId.TEMP_POWER_BOARD_TOP, "(power board)"),
    *(
        _temperature(
            f"input_t{one}", ChargerId[f"TEMP_INPUT_T{one}"], f"(input T{one})"
        )
        for one in (2, 3, 4, 5)
    ),
    *(
        _temperature(
            f"output_{one}".lower(), ChargerId[f"TEMP_OUTPUT_{one}"], f"(socket {one})"
        )
        for one in ("N", "L1", "L2", "L3")
    ),
    *(
        _temperature(
            f"relay_{one}".lower(), ChargerId[f"TEMP_RELAY_{one}"], f"(relay {one})"
        )
        for one in ("N", "L")
    ),
    *(_voltage(first, second) for first, second in combinations(range(1, 6), 2)),
)

WAYS: Final = {LinkKind.OCPP: "local", LinkKind.EASEE: "cloud", None: "none"}

WAY_SENSORS: tuple[HubSensorDescription[EaseeCharger], ...] = (
    HubSensorDescription(
        key="way",
        always_available=True,
        by_server=True,
        channels_fn=lambda charger: (charger.station.way,),
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda charger: LinkKind.OCPP in charger.station.ways,
        options=[*WAYS.values()],
        translation_key="way",
        value_fn=lambda charger: WAYS[charger.station.way.value],
    ),
)
"""By which way a charger is reached that has two."""

TEXT_SENSORS: tuple[HubSensorDescription[EaseeCharger], ...] = (
    _text("cloud_disconnect_reason", ChargerId.CLOUD_DISCONNECT_REASON),
    _text("wifi_network", ChargerId.WIFI_SSID),
)


class EaseeNameSensor(HubEntity[EaseeCharger], SensorEntity):
    """A word for what a charger reports; what has none keeps its number."""

    entity_description: EaseeNameDescription

    @override
    def _reading(self) -> tuple[Value, Attributes] | None:
        description = self.entity_description
        if not (raw := description.raw_fn(self.subject)):
            return None
        return description.value_fn(self.subject), raw

    @override
    def _show(self, reading: tuple[Value, Attributes] | None) -> None:
        shown = reading or (None, {})
        self._attr_native_value, self._attr_extra_state_attributes = shown
