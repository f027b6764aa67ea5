"""Words of the model, in OCPP 2.0.1 vocabulary; values are translation keys."""

from collections.abc import Iterable
from enum import StrEnum


class ConnectorStatus(StrEnum):
    """What a connector does: the union of OCPP 1.6 and 2.x statuses."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    OCCUPIED = "occupied"
    CHARGING = "charging"
    SUSPENDED_EVSE = "suspended_evse"
    SUSPENDED_EV = "suspended_ev"
    FINISHING = "finishing"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


VEHICLE_CONNECTED = frozenset(
    {
        ConnectorStatus.PREPARING,
        ConnectorStatus.OCCUPIED,
        ConnectorStatus.CHARGING,
        ConnectorStatus.SUSPENDED_EVSE,
        ConnectorStatus.SUSPENDED_EV,
        ConnectorStatus.FINISHING,
    }
)


_TELLING = {
    ConnectorStatus.UNAVAILABLE: 1,
    ConnectorStatus.FAULTED: 2,
    ConnectorStatus.AVAILABLE: 3,
    ConnectorStatus.RESERVED: 4,
}
_MOST_TELLING = 5


def most_telling(statuses: Iterable[ConnectorStatus | None]) -> ConnectorStatus | None:
    """Return the status of an EVSE, which takes one vehicle, by its connectors.

    A vehicle tells most; one connector that works is enough for the next one.
    """
    known = [status for status in statuses if status is not None]
    return max(
        known, key=lambda status: _TELLING.get(status, _MOST_TELLING), default=None
    )


class ChargingState(StrEnum):
    """What energy does in a transaction (OCPP 2.x ChargingStateEnumType)."""

    CHARGING = "charging"
    EV_CONNECTED = "ev_connected"
    IDLE = "idle"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"


class Measurand(StrEnum):
    """A measured quantity (OCPP 1.6 7.31, 2.x MeasurandEnumType)."""

    CURRENT_EXPORT = "current_export"
    CURRENT_IMPORT = "current_import"
    CURRENT_OFFERED = "current_offered"
    ENERGY_ACTIVE_EXPORT_INTERVAL = "energy_active_export_interval"
    ENERGY_ACTIVE_EXPORT_REGISTER = "energy_active_export_register"
    ENERGY_ACTIVE_IMPORT_INTERVAL = "energy_active_import_interval"
    ENERGY_ACTIVE_IMPORT_REGISTER = "energy_active_import_register"
    ENERGY_REACTIVE_EXPORT_INTERVAL = "energy_reactive_export_interval"
    ENERGY_REACTIVE_EXPORT_REGISTER = "energy_reactive_export_register"
    ENERGY_REACTIVE_IMPORT_INTERVAL = "energy_reactive_import_interval"
    ENERGY_REACTIVE_IMPORT_REGISTER = "energy_reactive_import_register"
    FREQUENCY = "frequency"
    POWER_ACTIVE_EXPORT = "power_active_export"
    POWER_ACTIVE_IMPORT = "power_active_import"
    POWER_FACTOR = "power_factor"
    POWER_OFFERED = "power_offered"
    POWER_REACTIVE_EXPORT = "power_reactive_export"
    POWER_REACTIVE_IMPORT = "power_reactive_import"
    RPM = "rpm"
    SOC = "soc"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"


REGISTERS = frozenset(
    {
        Measurand.ENERGY_ACTIVE_EXPORT_REGISTER,
        Measurand.ENERGY_ACTIVE_IMPORT_REGISTER,
        Measurand.ENERGY_REACTIVE_EXPORT_REGISTER,
        Measurand.ENERGY_REACTIVE_IMPORT_REGISTER,
    }
)


class Phase(StrEnum):
    """Where between the conductors a value was measured."""

    L1 = "l1"
    L2 = "l2"
    L3 = "l3"
    N = "n"
    L1_N = "l1_n"
    L2_N = "l2_n"
    L3_N = "l3_n"
    L1_L2 = "l1_l2"
    L2_L3 = "l2_l3"
    L3_L1 = "l3_l1"


class Location(StrEnum):
    """Where in the station a value was measured, when not at the outlet."""

    BODY = "body"
    CABLE = "cable"
    EV = "ev"
    INLET = "inlet"
    UPSTREAM = "upstream"


class StopReason(StrEnum):
    """Why a transaction ended (OCPP 1.6 7.36, 2.x ReasonEnumType, and our own)."""

    DE_AUTHORIZED = "de_authorized"
    EMERGENCY_STOP = "emergency_stop"
    ENERGY_LIMIT_REACHED = "energy_limit_reached"
    EV_DISCONNECTED = "ev_disconnected"
    GROUND_FAULT = "ground_fault"
    HARD_RESET = "hard_reset"
    LOCAL = "local"
    LOCAL_OUT_OF_CREDIT = "local_out_of_credit"
    LOST = "lost"
    MASTER_PASS = "master_pass"  # noqa: S105
    OTHER = "other"
    OVERCURRENT_FAULT = "overcurrent_fault"
    POWER_LOSS = "power_loss"
    POWER_QUALITY = "power_quality"
    REBOOT = "reboot"
    REMOTE = "remote"
    SOC_LIMIT_REACHED = "soc_limit_reached"
    SOFT_RESET = "soft_reset"
    STOPPED_BY_EV = "stopped_by_ev"
    TIME_LIMIT_REACHED = "time_limit_reached"
    TIMEOUT = "timeout"
    UNLOCK_COMMAND = "unlock_command"


class RateUnit(StrEnum):
    """The unit of a charging limit."""

    AMPERE = "A"
    WATT = "W"


class LimitedBy(StrEnum):
    """What sets the limit that holds at an EVSE."""

    OUR_LIMIT = "our_limit"
    FALLBACK = "fallback"
    OTHER_PROFILE = "other_profile"
    CHARGER_MAXIMUM = "charger_maximum"
    CABLE = "cable"
    VEHICLE = "vehicle"
    EXTERNAL = "external"
    ENERGY_MANAGEMENT = "energy_management"
    GRID_OPERATOR = "grid_operator"
    CHARGING_OPERATOR = "charging_operator"
    CIRCUIT = "circuit"
    DERATING = "derating"
    EQUALIZER = "equalizer"
    LOAD_BALANCING = "load_balancing"
    OFFLINE = "offline"
    SCHEDULE = "schedule"


class AuthorizationStatus(StrEnum):
    """What we tell a station about an id token (OCPP 1.6 7.2)."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    CONCURRENT_TX = "concurrent_tx"
    EXPIRED = "expired"
    INVALID = "invalid"
