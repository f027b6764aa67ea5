"""Session sensors: the open session of a connector, or else the last one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfEnergy, UnitOfTime

from .sensor_description import HubSensorDescription, Value, as_state
from .station.enums import StopReason
from .station.model import Evse
from .station.session_limit import LimitKind
from .station.transaction import Transaction


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


def _counter[T](evse: Evse, value: T) -> T | None:
    """Return what grows in a session, None if it has to be told anew first."""
    return None if evse.session.outdated else value


def _energy(evse: Evse) -> int | None:
    """Return what the session took so far in Wh."""
    session = evse.session.value
    return None if session is None else _counter(evse, session.energy)


def _flows(evse: Evse) -> bool:
    """Return whether a session goes on, so that what grows may wait a second."""
    return evse.transaction is not None and evse.transaction.energy > 0


def _is_priced(evse: Evse) -> bool:
    """Return whether there is a price, or a session that had one."""
    costs = evse.station.costs
    has_price = costs is not None and costs.price.value is not None
    return has_price or evse.session_cost.value is not None


def _begun(evse: Evse) -> datetime | None:
    """Return since when the cost of a session counts."""
    session = evse.session.value
    return None if session is None else session.started_at


def _cost(evse: Evse) -> float | None:
    """Return what the session costs so far, in the currency of the house."""
    cost = evse.session_cost.value
    return None if cost is None else _counter(evse, float(cost))


def _duration(session: Transaction) -> float:
    """Return how long a session took until its end or its last sample, in s."""
    until = session.stopped_at or session.meter_last_at or session.started_at
    return max(0.0, (until - session.started_at).total_seconds())


def _limit(
    key: str,
    kind: LimitKind,
    read: Callable[[Any], Value] = lambda value: value,
    **more: Any,
) -> SessionSensorDescription:
    """Return the sensor of what a session may have."""

    def value(evse: Evse) -> Value:
        limit = evse.session_limit.value
        most = None if limit is None else getattr(limit, kind)
        return None if most is None else read(most)

    return SessionSensorDescription(
        key=key,
        channels_fn=lambda evse: (evse.session_limit,),
        exists_fn=lambda evse: value(evse) is not None,
        translation_key=key,
        value_fn=value,
        **more,
    )


LIMIT_SENSORS: tuple[SessionSensorDescription, ...] = (
    _limit(
        "session_energy_limit",
        LimitKind.ENERGY,
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_display_precision=2,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    ),
    _limit(
        "session_duration_limit",
        LimitKind.DURATION,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        suggested_unit_of_measurement=UnitOfTime.MINUTES,
    ),
    _limit(
        "session_soc_limit",
        LimitKind.SOC,
        native_unit_of_measurement=PERCENTAGE,
    ),
    _limit(
        "session_cost_limit",
        LimitKind.COST,
        float,
        device_class=SensorDeviceClass.MONETARY,
        suggested_display_precision=2,
    ),
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
        value_fn=_energy,
    ),
    SessionSensorDescription(
        key="session_cost",
        channels_fn=lambda evse: (evse.session_cost, evse.session),
        device_class=SensorDeviceClass.MONETARY,
        exists_fn=_is_priced,
        last_reset_fn=_begun,
        lazy_fn=_flows,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        translation_key="session_cost",
        value_fn=_cost,
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
        value_fn=_of_session(lambda session: as_state(session.transaction_id)),
    ),
    SessionSensorDescription(
        key="id_token",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        translation_key="id_token",
        value_fn=_of_session(lambda session: as_state(session.id_token)),
    ),
    SessionSensorDescription(
        key="stop_reason",
        device_class=SensorDeviceClass.ENUM,
        options=list(StopReason),
        translation_key="stop_reason",
        value_fn=_of_session(lambda session: session.stop_reason),
    ),
)
