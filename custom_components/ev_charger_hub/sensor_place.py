"""Place sensors: status, faults, limits and reservations of connectors and chargers."""

from functools import cache

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfElectricCurrent

from .easee.enums import NoCurrentReason
from .plugs import plug_status
from .sensor_description import HubSensorDescription, as_state
from .station.enums import ConnectorStatus, LimitedBy
from .station.model import Evse, Place

NO_ERROR = "no_error"
MAX_CODE = 9


def _reservation[P: Place](prefix: str) -> tuple[HubSensorDescription[P], ...]:
    """Return the sensors of who has reserved an EVSE, or any of a station."""
    return (
        HubSensorDescription(
            key="reserved_until",
            by_server=True,
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
            by_server=True,
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
    return as_state(known.holder(reservation))


def _vendor_code(place: Place) -> str | None:
    """Return the code that the vendor has for a fault, or for a suspension."""
    fault = place.fault.value
    return place.suspension.value if fault is None else fault.vendor_error_code


def _no_current_reason(place: Place) -> NoCurrentReason | None:
    """Return what the code of a suspension means; only those of Easee are known."""
    code = place.suspension.value or ""
    known = code.isascii() and code.isdecimal() and len(code) <= MAX_CODE
    return NoCurrentReason.of(int(code)) if known else None


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
            of_circuit=True,
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
            as_state(fault.error_code)
            if (fault := evse.fault.value) is not None
            else NO_ERROR
            if evse.status.value is not None
            else None
        ),
    ),
    HubSensorDescription(
        key="vendor_error_code",
        channels_fn=lambda evse: (evse.fault, evse.suspension),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda evse: bool(_vendor_code(evse)),
        translation_key="vendor_error_code",
        value_fn=lambda evse: as_state(_vendor_code(evse)),
    ),
    HubSensorDescription(
        key="no_current_reason",
        channels_fn=lambda evse: (evse.suspension,),
        device_class=SensorDeviceClass.ENUM,
        exists_fn=lambda evse: _no_current_reason(evse) is not None,
        options=list(NoCurrentReason),
        translation_key="no_current_reason",
        value_fn=_no_current_reason,
    ),
    HubSensorDescription(
        key="error_info",
        channels_fn=lambda evse: (evse.fault,),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda evse: bool(evse.fault.value and evse.fault.value.info),
        translation_key="error_info",
        value_fn=lambda evse: (
            as_state(evse.fault.value.info) if evse.fault.value else None
        ),
    ),
    *_limits(""),
    *_reservation(""),
)

WHOLE_SENSORS: tuple[HubSensorDescription[Place], ...] = (
    HubSensorDescription(
        key="status",
        by_server=True,
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
        by_server=True,
        channels_fn=lambda place: (place.fault, place.status),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda place: place.fault.value is not None,
        translation_key="station_error_code",
        value_fn=lambda place: (
            as_state(place.fault.value.error_code) if place.fault.value else NO_ERROR
        ),
    ),
    *_limits("station_"),
    *_reservation("station_"),
)


@cache
def plug_sensors(number: int) -> tuple[HubSensorDescription[Evse], ...]:
    """Return the sensors of one connector of an EVSE with several."""
    return (
        HubSensorDescription(
            key=f"plug_{number}_status",
            channels_fn=lambda evse: (plug_status(evse, number),),
            device_class=SensorDeviceClass.ENUM,
            options=list(ConnectorStatus),
            placeholders={"number": str(number)},
            translation_key="plug_status",
            value_fn=lambda evse: plug_status(evse, number).value,
        ),
    )
