"""Sensors of chargers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    Platform,
    UnitOfElectricCurrent,
    UnitOfEnergy,
    UnitOfTime,
)

from .entity import HubEntity, HubEntityDescription, Subject
from .growth import Candidate, HubPlatform
from .quantities import QUANTITIES
from .station.channel import Channel
from .station.enums import ConnectorStatus, LimitedBy, Measurand, StopReason
from .station.model import ChargingStation, Evse, MeasurementKey, Place
from .station.security.kept import Step
from .station.security.profile import HIGHEST
from .station.transaction import Transaction

PARALLEL_UPDATES = 0

NO_ERROR = "no_error"
UPGRADE_FAILED = "failed"
TEXT_LENGTH = 255
"""Home Assistant refuses states that are longer."""

type Value = str | int | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class HubSensorDescription[S: Subject](
    SensorEntityDescription, HubEntityDescription[S]
):
    """Describe a sensor."""

    value_fn: Callable[[S], Value]


@dataclass(frozen=True, kw_only=True)
class SessionSensorDescription(HubSensorDescription[Evse]):
    """Describe a sensor of the open session, or else of the last one."""

    always_available: bool = True
    channels_fn: Callable[[Evse], tuple[Any, ...]] = lambda evse: (evse.session,)


def _of_session(read: Callable[[Transaction], Value]) -> Callable[[Evse], Value]:
    """Return a reader of the session, None before the first one."""
    return lambda evse: (
        None if (session := evse.session.value) is None else read(session)
    )


def _flows(evse: Evse) -> bool:
    """Return whether a session goes on, so that what grows may wait a second."""
    return evse.transaction is not None and evse.transaction.energy > 0


def _duration(session: Transaction) -> float:
    """Return how long a session took until its end or its last sample, in s."""
    until = session.stopped_at or session.meter_last_at or session.started_at
    return max(0.0, (until - session.started_at).total_seconds())


def _text(text: str | None) -> str | None:
    """Return a text of the charger as a state."""
    return text[:TEXT_LENGTH] if text else None


def _reservation[P: Place](prefix: str) -> tuple[HubSensorDescription[P], ...]:
    """Return the sensors of who has reserved an EVSE, or any of a station."""
    return (
        HubSensorDescription(
            key="reserved_until",
            channels_fn=lambda place: (place.reservation,),
            device_class=SensorDeviceClass.TIMESTAMP,
            exists_fn=lambda place: place.reservation.value is not None,
            translation_key=f"{prefix}reserved_until",
            value_fn=lambda place: (
                reservation.expires_at
                if (reservation := place.reservation.value) and reservation.open
                else None
            ),
        ),
        HubSensorDescription(
            key="reserved_for",
            channels_fn=lambda place: (place.reservation,),
            exists_fn=lambda place: place.reservation.value is not None,
            translation_key=f"{prefix}reserved_for",
            value_fn=_reserved_for,
        ),
    )


def _reserved_for(place: Place) -> str | None:
    """Return for whom a place is reserved, by name if it has one."""
    reservation, known = place.reservation.value, place.station.reservations
    if known is None or reservation is None or not reservation.open:
        return None
    return _text(known.holder(reservation))


def _several(place: Place) -> bool:
    """Return whether a station as a whole is more than its only EVSE."""
    return bool(place.id) or len(place.station.evses) > 1


def _limits[P: Place](prefix: str) -> tuple[HubSensorDescription[P], ...]:
    """Return the sensors of what holds at an EVSE, or at a whole station."""
    return (
        HubSensorDescription(
            key="effective_limit",
            channels_fn=lambda place: (place.effective_limit,),
            device_class=SensorDeviceClass.CURRENT,
            exists_fn=lambda place: (
                _several(place) and place.effective_limit.value is not None
            ),
            native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
            state_class=SensorStateClass.MEASUREMENT,
            suggested_display_precision=1,
            translation_key=f"{prefix}effective_limit",
            value_fn=lambda place: (
                None
                if (limit := place.effective_limit.value) is None
                else float(limit.value)
            ),
        ),
        HubSensorDescription(
            key="limited_by",
            channels_fn=lambda place: (place.limited_by,),
            device_class=SensorDeviceClass.ENUM,
            exists_fn=lambda place: (
                _several(place) and place.limited_by.value is not None
            ),
            options=list(LimitedBy),
            translation_key=f"{prefix}limited_by",
            value_fn=lambda place: place.limited_by.value,
        ),
    )


EVSE_SENSORS: tuple[HubSensorDescription[Evse], ...] = (
    HubSensorDescription(
        key="status",
        channels_fn=lambda evse: (evse.status,),
        device_class=SensorDeviceClass.ENUM,
        options=list(ConnectorStatus),
        translation_key="status",
        value_fn=lambda evse: evse.status.value,
    ),
    HubSensorDescription(
        key="error_code",
        channels_fn=lambda evse: (evse.fault, evse.status),
        entity_category=EntityCategory.DIAGNOSTIC,
        translation_key="error_code",
        value_fn=lambda evse: (
            _text(fault.error_code)
            if (fault := evse.fault.value) is not None
            else NO_ERROR
            if evse.status.value is not None
            else None
        ),
    ),
    HubSensorDescription(
        key="vendor_error_code",
        channels_fn=lambda evse: (evse.fault,),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda evse: bool(
            evse.fault.value and evse.fault.value.vendor_error_code
        ),
        translation_key="vendor_error_code",
        value_fn=lambda evse: (
            _text(evse.fault.value.vendor_error_code) if evse.fault.value else None
        ),
    ),
    HubSensorDescription(
        key="error_info",
        channels_fn=lambda evse: (evse.fault,),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda evse: bool(evse.fault.value and evse.fault.value.info),
        translation_key="error_info",
        value_fn=lambda evse: (
            _text(evse.fault.value.info) if evse.fault.value else None
        ),
    ),
    *_limits(""),
    *_reservation(""),
)

WHOLE_SENSORS: tuple[HubSensorDescription[Place], ...] = (
    HubSensorDescription(
        key="status",
        channels_fn=lambda place: (place.status,),
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda place: place.status.value is not None,
        options=list(ConnectorStatus),
        translation_key="station_status",
        value_fn=lambda place: place.status.value,
    ),
    HubSensorDescription(
        key="error_code",
        channels_fn=lambda place: (place.fault, place.status),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda place: place.fault.value is not None,
        translation_key="station_error_code",
        value_fn=lambda place: (
            _text(place.fault.value.error_code) if place.fault.value else NO_ERROR
        ),
    ),
    *_limits("station_"),
    *_reservation("station_"),
)

SESSION_SENSORS: tuple[SessionSensorDescription, ...] = (
    SessionSensorDescription(
        key="session_energy",
        device_class=SensorDeviceClass.ENERGY,
        lazy_fn=_flows,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=2,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        translation_key="session_energy",
        value_fn=_of_session(lambda session: session.energy),
    ),
    SessionSensorDescription(
        key="session_duration",
        device_class=SensorDeviceClass.DURATION,
        lazy_fn=_flows,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        suggested_unit_of_measurement=UnitOfTime.MINUTES,
        translation_key="session_duration",
        value_fn=_of_session(_duration),
    ),
    SessionSensorDescription(
        key="session_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        translation_key="session_start",
        value_fn=_of_session(lambda session: session.started_at),
    ),
    SessionSensorDescription(
        key="transaction_id",
        entity_category=EntityCategory.DIAGNOSTIC,
        translation_key="transaction_id",
        value_fn=_of_session(lambda session: _text(session.transaction_id)),
    ),
    SessionSensorDescription(
        key="id_token",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        translation_key="id_token",
        value_fn=_of_session(lambda session: _text(session.id_token)),
    ),
    SessionSensorDescription(
        key="stop_reason",
        device_class=SensorDeviceClass.ENUM,
        options=list(StopReason),
        translation_key="stop_reason",
        value_fn=_of_session(lambda session: session.stop_reason),
    ),
)

def _security_profile(station: ChargingStation) -> str | None:
    """Return the security profile that a station was last seen with."""
    security = station.security
    known = None if security is None else security.profile.value
    return None if known is None else f"profile_{known}"


def _security_upgrade(station: ChargingStation) -> str | None:
    """Return how far a station is on its way to a higher profile."""
    security = station.security
    upgrade = None if security is None else security.upgrade.value
    if upgrade is None:
        return None
    return UPGRADE_FAILED if upgrade.failure is not None else upgrade.step


def _certificate_ends(station: ChargingStation) -> datetime | None:
    """Return when the certificate ends that a station was given last."""
    security = station.security
    known = None if security is None else security.certificate.value
    return None if known is None else known.expires


def _of_security(
    name: Literal["certificate", "profile", "upgrade"],
) -> Callable[[ChargingStation], tuple[Channel[Any], ...]]:
    """Return what finds one channel of a station's security."""
    return lambda station: (
        () if station.security is None else (getattr(station.security, name),)
    )


SECURITY_SENSORS: tuple[HubSensorDescription[ChargingStation], ...] = (
    HubSensorDescription(
        key="security_profile",
        channels_fn=_of_security("profile"),
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: _security_profile(station) is not None,
        options=[f"profile_{number}" for number in range(HIGHEST + 1)],
        translation_key="security_profile",
        value_fn=_security_profile,
    ),
    HubSensorDescription(
        key="security_upgrade",
        always_available=True,
        channels_fn=_of_security("upgrade"),
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: _security_upgrade(station) is not None,
        options=[*Step, UPGRADE_FAILED],
        translation_key="security_upgrade",
        value_fn=_security_upgrade,
    ),
    HubSensorDescription(
        key="certificate_ends",
        always_available=True,
        channels_fn=_of_security("certificate"),
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: _certificate_ends(station) is not None,
        translation_key="certificate_ends",
        value_fn=_certificate_ends,
    ),
)

STATION_SENSORS: tuple[HubSensorDescription[ChargingStation], ...] = (
    *SECURITY_SENSORS,
    HubSensorDescription(
        key="last_heartbeat",
        channels_fn=lambda station: (station.heartbeat,),
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        translation_key="last_heartbeat",
        value_fn=lambda station: station.heartbeat.value,
    ),
    HubSensorDescription(
        key="latency",
        channels_fn=lambda station: (station.latency,),
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        translation_key="latency",
        value_fn=lambda station: station.latency.value,
    ),
    HubSensorDescription(
        key="reconnects",
        channels_fn=lambda station: (station.reconnects,),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        translation_key="reconnects",
        value_fn=lambda station: station.reconnects.value,
    ),
    HubSensorDescription(
        key="connected_since",
        channels_fn=lambda station: (station.connected_since,),
        device_class=SensorDeviceClass.UPTIME,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        translation_key="connected_since",
        value_fn=lambda station: station.connected_since.value,
    ),
    HubSensorDescription(
        key="protocol_version",
        channels_fn=lambda station: (station.version,),
        entity_category=EntityCategory.DIAGNOSTIC,
        translation_key="protocol_version",
        value_fn=lambda station: station.version.value,
    ),
    HubSensorDescription(
        key="local_list",
        channels_fn=lambda station: (station.list_size,),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: station.list_size.value is not None,
        state_class=SensorStateClass.MEASUREMENT,
        translation_key="local_list",
        value_fn=lambda station: station.list_size.value,
    ),
    HubSensorDescription(
        key="firmware_status",
        channels_fn=lambda station: (station.firmware_status,),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: station.firmware_status.value is not None,
        translation_key="firmware_status",
        value_fn=lambda station: _text(station.firmware_status.value),
    ),
    HubSensorDescription(
        key="diagnostics_status",
        channels_fn=lambda station: (station.diagnostics_status,),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists_fn=lambda station: station.diagnostics_status.value is not None,
        translation_key="diagnostics_status",
        value_fn=lambda station: _text(station.diagnostics_status.value),
    ),
)


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
        channels_fn=lambda place: (place.measurement(key),),
        device_class=quantity.device_class,
        entity_registry_enabled_default=(
            quantity.enabled and key.phase is None and key.location in quantity.home
        ),
        native_unit_of_measurement=quantity.native_unit,
        placeholders={"where": words} if words else None,
        state_class=quantity.state_class,
        suggested_display_precision=quantity.precision,
        suggested_unit_of_measurement=quantity.suggested_unit,
        translation_key=f"{key.measurand}_at" if words else key.measurand,
        value_fn=lambda place: place.measurement(key).value,
    )


def _measurements(station: ChargingStation) -> Iterator[Candidate]:
    """Yield what a station measures."""
    for place in (station.whole, *station.evses.values()):
        for key in place.measurements:
            yield place, _measurement(key, place is station.whole)


class HubSensor[S: Subject](HubEntity[S], SensorEntity):
    """A value of a charger."""

    entity_description: HubSensorDescription[S]

    @override
    def _reading(self) -> Value:
        return self.entity_description.value_fn(self.subject)

    @override
    def _show(self, reading: Value) -> None:
        self._attr_native_value = reading


async_setup_entry = HubPlatform(
    platform=Platform.SENSOR,
    entity=HubSensor,
    of_station=STATION_SENSORS,
    of_whole=WHOLE_SENSORS,
    of_evse=(*EVSE_SENSORS, *SESSION_SENSORS),
    more=_measurements,
).async_setup_entry
