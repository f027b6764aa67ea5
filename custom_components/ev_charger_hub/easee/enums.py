"""Enumerations: what the numbers mean that Easee products report (easee_cloud.md 2.3).

The cloud adds numbers whenever it likes: one that has no name here is None, and the
reading keeps it.
"""

from enum import StrEnum
from typing import Final, Self, override

from .readings import Value


class Numbered(StrEnum):
    """Names of numbers: the value is the name, `numbers` is what is reported for it."""

    numbers: tuple[int, ...]

    def __new__(cls, name: str, *numbers: int) -> Self:
        """Create a member that stands for one or more numbers."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.numbers = numbers
        return member

    @property
    def number(self) -> int:
        """Return the number to send for it."""
        return self.numbers[0]

    @classmethod
    def of(cls, value: Value | None) -> Self | None:
        """Return the name of what was reported, None if nothing was or it has none."""
        if not isinstance(value, int | float):
            return None
        return next((one for one in cls if value in one.numbers), None)


class OpMode(Numbered):
    """What a charger does (109). Those from 100 on come from newer firmware."""

    OFFLINE = "offline", 0
    DISCONNECTED = "disconnected", 1
    AWAITING_START = "awaiting_start", 2
    CHARGING = "charging", 3
    COMPLETED = "completed", 4
    ERROR = "error", 5
    READY_TO_CHARGE = "ready_to_charge", 6
    AWAITING_AUTHENTICATION = "awaiting_authentication", 7
    DEAUTHENTICATING = "deauthenticating", 8
    STARTING = "starting", 100
    STOPPING = "stopping", 101
    LINK_LOST = "link_lost", 102
    AWAITING_LOAD_BALANCING = "awaiting_load_balancing", 103
    AWAITING_AUTHORIZATION = "awaiting_authorization", 104
    AWAITING_SMART_START = "awaiting_smart_start", 105
    AWAITING_SCHEDULED_START = "awaiting_scheduled_start", 106
    AUTHENTICATING = "authenticating", 107
    PAUSED_BY_EQUALIZER = "paused_by_equalizer", 108
    SEARCHING_FOR_PRIMARY = "searching_for_primary", 109
    ERRATIC_VEHICLE = "erratic_vehicle", 157
    TOO_HOT = "too_hot", 158
    DEAD_POWER_BOARD = "dead_power_board", 159
    OVERCURRENT = "overcurrent", 160
    PEN_FAULT = "pen_fault", 161


class NoCurrentReason(Numbered):
    """Why a charger offers no current, or not more of it (96)."""

    NONE = "none", 0
    CIRCUIT_MAXIMUM_TOO_LOW = "circuit_maximum_too_low", 1
    CIRCUIT_DYNAMIC_TOO_LOW = "circuit_dynamic_too_low", 2
    CIRCUIT_OFFLINE_TOO_LOW = "circuit_offline_too_low", 3
    CIRCUIT_FUSE_TOO_LOW = "circuit_fuse_too_low", 4
    IN_QUEUE = "in_queue", 5
    IN_FULLY_CHARGED_QUEUE = "in_fully_charged_queue", 6
    ILLEGAL_GRID_TYPE = "illegal_grid_type", 7
    NO_REQUEST_RECEIVED = "no_request_received", 8
    PRIMARY_LOST = "primary_lost", 9
    EQUALIZER_TOO_LOW = "equalizer_too_low", 10
    PHASE_NOT_CONNECTED = "phase_not_connected", 11
    LIMITED_BY_FUSE = "limited_by_fuse", 25
    LIMITED_BY_CIRCUIT_MAXIMUM = "limited_by_circuit_maximum", 26
    LIMITED_BY_CIRCUIT_DYNAMIC = "limited_by_circuit_dynamic", 27
    LIMITED_BY_EQUALIZER = "limited_by_equalizer", 28
    LIMITED_BY_LOAD_BALANCING = "limited_by_load_balancing", 29
    LIMITED_BY_OFFLINE_SETTINGS = "limited_by_offline_settings", 30
    NO_VEHICLE = "no_vehicle", 50
    CHARGER_MAXIMUM_TOO_LOW = "charger_maximum_too_low", 51
    CHARGER_DYNAMIC_TOO_LOW = "charger_dynamic_too_low", 52
    """Also the reason while charging is paused."""
    CHARGER_DISABLED = "charger_disabled", 53
    PENDING_SCHEDULE = "pending_schedule", 54
    PENDING_AUTHORIZATION = "pending_authorization", 55
    CHARGER_IN_ERROR = "charger_in_error", 56
    ERRATIC_VEHICLE = "erratic_vehicle", 57
    LIMITED_BY_CABLE = "limited_by_cable", 75
    LIMITED_BY_SCHEDULE = "limited_by_schedule", 76
    LIMITED_BY_CHARGER_MAXIMUM = "limited_by_charger_maximum", 77
    LIMITED_BY_CHARGER_DYNAMIC = "limited_by_charger_dynamic", 78
    VEHICLE_NOT_CHARGING = "vehicle_not_charging", 79
    LIMITED_BY_LOCAL_ADJUSTMENT = "limited_by_local_adjustment", 80
    LIMITED_BY_VEHICLE = "limited_by_vehicle", 81
    UNDEFINED = "undefined", 100


class OutputPhase(Numbered):
    """Between which wires a charger charges (110)."""

    UNASSIGNED = "unassigned", 0
    N_L1 = "n_l1", 10
    L1_L2 = "l1_l2", 11
    N_L2 = "n_l2", 12
    L1_L3 = "l1_l3", 13
    N_L3 = "n_l3", 14
    L2_L3 = "l2_l3", 15
    N_L1_N_L2 = "n_l1_n_l2", 20
    N_L2_N_L3 = "n_l2_n_l3", 21
    L1_L2_L2_L3 = "l1_l2_l2_l3", 22
    THREE_PHASES = "three_phases", 30

    @property
    def phases(self) -> int:
        """Return how many phases that is, 0 for none."""
        return self.number // 10


class PhaseMode(Numbered):
    """With how many phases a charger may charge (38); 0 is that it did not say."""

    SINGLE_PHASE = "single_phase", 1
    AUTOMATIC = "automatic", 2
    THREE_PHASES = "three_phases", 3


class OfflineMode(Numbered):
    """Who may charge while the charger has no cloud (45)."""

    ALWAYS = "always", 0
    WHITELIST = "whitelist", 1
    NEVER = "never", 2


class AccessLevel(Numbered):
    """Who may charge at all."""

    OPEN = "open", 1
    ACCOUNT = "account", 2
    WHITELIST = "whitelist", 3


class GridType(Numbered):
    """What a charger found at its terminals (21)."""

    UNKNOWN = "unknown", -1
    NOT_DETECTED = "not_detected", 0
    TN_3 = "tn_3", 1
    TN_2 = "tn_2", 2
    TN_1 = "tn_1", 3
    IT_3 = "it_3", 4
    IT_1 = "it_1", 5
    TN_2_PINS_2_3_5 = "tn_2_pins_2_3_5", 30
    TN_1_NEUTRAL_ON_PIN_3 = "tn_1_neutral_on_pin_3", 31
    IT_3_GROUND_FAULT = "it_3_ground_fault", 32
    IT_1_GROUND_FAULT = "it_1_ground_fault", 33
    IT_3_GROUND_FAULT_L3 = "it_3_ground_fault_l3", 34
    IT_1_GROUND_FAULT_L3 = "it_1_ground_fault_l3", 35
    TN_2_PINS_2_3_4 = "tn_2_pins_2_3_4", 36
    TN_3_GROUND_FAULT = "tn_3_ground_fault", 37
    TN_2_GROUND_FAULT = "tn_2_ground_fault", 38
    NO_VALID_GRID = "no_valid_grid", 50
    NEUTRAL_ON_WRONG_PIN = "neutral_on_wrong_pin", 51
    GROUND_ON_WRONG_PIN = "ground_on_wrong_pin", 52

    @property
    def it(self) -> bool:
        """Return whether there is no neutral: voltages are between phases."""
        return self.value.startswith("it_")

    @property
    def tn(self) -> bool:
        """Return whether there is a neutral."""
        return self.value.startswith("tn_")


class EqualizerGridType(Numbered):
    """What grid an equalizer measures (29 of an equalizer)."""

    UNKNOWN = "unknown", 0
    TN = "tn", 1
    IT = "it", 2


class LedMode(Numbered):
    """What the light strip shows (46)."""

    OFF = "off", 0
    UPDATING = ("updating", *range(1, 16))
    FAULTY = "faulty", 16, 17
    STANDBY_PRIMARY = "standby_primary", 18
    STANDBY_SECONDARY = "standby_secondary", 19
    SEARCHING_FOR_PRIMARY = "searching_for_primary", 20
    SMART_NOT_CHARGING = "smart_not_charging", 21
    SMART_CHARGING = "smart_charging", 22
    NOT_CHARGING = "not_charging", 23
    CHARGING = "charging", 24
    AWAITING_AUTHORIZATION = "awaiting_authorization", 25
    VERIFYING = "verifying", 26
    DEFECT = "defect", 27
    PAIRING_TOKEN = "pairing_token", 29
    SELF_TEST = "self_test", 43, 44


class RebootReason(Numbered):
    """Why a charger last rebooted (89), a set of bits; the most telling one first."""

    COMMANDED = "commanded", 20
    INDEPENDENT_WATCHDOG = "independent_watchdog", 5
    WINDOW_WATCHDOG = "window_watchdog", 6
    FIREWALL = "firewall", 0
    BROWNOUT = "brownout", 12
    LOW_POWER = "low_power", 7
    OPTION_BYTES = "option_bytes", 1
    SOFTWARE = "software", 4
    POWER_ON = "power_on", 3
    PIN = "pin", 2

    @override
    @classmethod
    def of(cls, value: Value | None) -> Self | None:
        """Return the most telling of the reasons, None if there is none."""
        return next(iter(cls.all_of(value)), None)

    @classmethod
    def all_of(cls, value: Value | None) -> tuple[Self, ...]:
        """Return every reason whose bit is set, the most telling one first."""
        if not isinstance(value, int | float):
            return ()
        return tuple(one for one in cls if int(value) >> one.number & 1)


class Rat(Numbered):
    """By which radio a charger reaches the cloud (141)."""

    CELLULAR = "cellular", 0
    WIFI = "wifi", 1


class NodeType(Numbered):
    """What a charger is among those of its circuit (146)."""

    UNCONFIGURED = "unconfigured", 0
    PRIMARY = "primary", 1
    EXTENDER = "extender", 2
    END_DEVICE = "end_device", 3


class Pilot(StrEnum):
    """The state of the control pilot (100)."""

    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    CHARGING = "charging"
    VENTILATION = "ventilation"
    NO_PILOT = "no_pilot"
    FAULT = "fault"

    @classmethod
    def of(cls, value: Value | None) -> Self | None:
        """Return the state that a letter means, None if it means none."""
        name = _PILOTS.get(value) if isinstance(value, str) else None
        return None if name is None else cls(name)


_PILOTS: Final = dict(zip("ABCDEF", Pilot, strict=True))
