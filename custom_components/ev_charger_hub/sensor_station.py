"""Station sensors: the connection of a charger, its files, and its security."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfTime

from .entity import dials_in
from .sensor_description import HubSensorDescription, as_state
from .station.channel import Channel
from .station.model import ChargingStation
from .station.security.kept import Step
from .station.security.profile import HIGHEST

UPGRADE_FAILED = "failed"


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


PUBLISH_STATUSES = (
    "checksum_verified",
    "download_failed",
    "download_paused",
    "download_scheduled",
    "downloaded",
    "downloading",
    "idle",
    "invalid_checksum",
    "publish_failed",
    "published",
)
"""How far firmware is that a station keeps for others (PublishFirmwareStatusEnumType)."""


def _publish_status(station: ChargingStation) -> str | None:
    """Return how far firmware is that a station keeps for others."""
    known = station.publication.value
    return known.status if known and known.status in PUBLISH_STATUSES else None


SECURITY_SENSORS: tuple[HubSensorDescription[ChargingStation], ...] = (
    HubSensorDescription(
        key="security_profile",
        by_server=True,
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
        by_server=True,
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
        by_server=True,
        channels_fn=_of_security("certificate"),
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: _certificate_ends(station) is not None,
        translation_key="certificate_ends",
        value_fn=_certificate_ends,
    ),
)

STATION_SENSORS: tuple[HubSensorDescription[ChargingStation], ...] = (
    HubSensorDescription(
        key="publish_status",
        channels_fn=lambda station: (station.publication,),
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: _publish_status(station) is not None,
        local=True,
        options=list(PUBLISH_STATUSES),
        translation_key="publish_status",
        value_fn=_publish_status,
    ),
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
        exists_fn=dials_in,
        local=True,
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
        exists_fn=dials_in,
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
        exists_fn=dials_in,
        local=True,
        translation_key="protocol_version",
        value_fn=lambda station: station.version.value,
    ),
    HubSensorDescription(
        key="local_list",
        channels_fn=lambda station: (station.list_size,),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: station.list_size.value is not None,
        local=True,
        state_class=SensorStateClass.MEASUREMENT,
        translation_key="local_list",
        value_fn=lambda station: station.list_size.value,
    ),
    HubSensorDescription(
        key="firmware_status",
        channels_fn=lambda station: (station.firmware_status,),
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda station: station.firmware_status.value is not None,
        local=True,
        translation_key="firmware_status",
        value_fn=lambda station: as_state(station.firmware_status.value),
    ),
    HubSensorDescription(
        key="diagnostics_status",
        channels_fn=lambda station: (station.diagnostics_status,),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        exists_fn=lambda station: station.diagnostics_status.value is not None,
        local=True,
        translation_key="diagnostics_status",
        value_fn=lambda station: as_state(station.diagnostics_status.value),
    ),
)
