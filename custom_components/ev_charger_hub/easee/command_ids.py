"""Command ids: the numbers of what chargers are told, and of what becomes of it."""

from enum import IntEnum
from typing import Final


class CommandId(IntEnum):
    """What a charger is told (easee_cloud.md 1.4)."""

    REBOOT = 1
    POLL_SINGLE = 2
    POLL_ALL = 3
    UPGRADE_FIRMWARE = 4
    DOWNLOAD_SETTINGS = 5
    SET_FIRMWARE = 6
    SET_SMART_CHARGING = 11
    SET_DYNAMIC_CURRENT_OFFLINE_FALLBACK = 21
    SET_DYNAMIC_CIRCUIT_CURRENT = 22
    ABORT_CHARGING = 23
    SET_MAX_CIRCUIT_CURRENT = 24
    AUTHORIZE_CHARGING = 25
    DEAUTHORIZE_CHARGING = 26
    SET_ENABLED = 29
    SET_LOCK_CABLE_PERMANENTLY = 30
    SET_LOCAL_AUTHORIZATION_REQUIRED = 33
    ENABLE_IDLE_CURRENT = 34
    SET_PHASE_MODE = 38
    SET_LED_STRIP_BRIGHTNESS = 40
    SET_MAX_CHARGER_CURRENT = 47
    SET_DYNAMIC_CHARGER_CURRENT = 48
    SET_CIRCUIT_RATED_CURRENT = 50
    ADD_SCHEDULE = 60
    CLEAR_SCHEDULE = 61
    GET_SCHEDULE = 62
    OVERRIDE_SCHEDULE = 63
    PURGE_SCHEDULE = 64


class ResultCode(IntEnum):
    """What became of a command (easee_cloud.md 2.3)."""

    PREPARED = 0
    SENT = 1
    EXPIRED = 2
    EXECUTED = 3
    REJECTED = 4


UNFINISHED: Final = frozenset({ResultCode.PREPARED, ResultCode.SENT})
"""More is to come of commands like these."""

QUESTIONS: Final = frozenset(
    {CommandId.POLL_SINGLE, CommandId.POLL_ALL, CommandId.GET_SCHEDULE}
)
"""Who tells a charger this wants to know something, and controls nothing."""

OF_COMMAND: Final[dict[str, CommandId]] = {
    "lock_state": CommandId.SET_LOCK_CABLE_PERMANENTLY,
    "override_schedule": CommandId.OVERRIDE_SCHEDULE,
    "pause_charging": CommandId.SET_DYNAMIC_CHARGER_CURRENT,
    "poll_chargeropmode": CommandId.POLL_SINGLE,
    "poll_lifetimeenergy": CommandId.POLL_SINGLE,
    "reboot": CommandId.REBOOT,
    "resume_charging": CommandId.SET_DYNAMIC_CHARGER_CURRENT,
    "set_dynamic_charger_current": CommandId.SET_DYNAMIC_CHARGER_CURRENT,
    "set_phase_mode": CommandId.SET_PHASE_MODE,
    "start_charging": CommandId.AUTHORIZE_CHARGING,
    "stop_charging": CommandId.DEAUTHORIZE_CHARGING,
    "update_firmware": CommandId.UPGRADE_FIRMWARE,
}
"""What the commands of REST become, as far as that does not depend on the charger."""

OF_SETTING: Final[dict[str, CommandId]] = {
    "dynamicChargerCurrent": CommandId.SET_DYNAMIC_CHARGER_CURRENT,
    "enableIdleCurrent": CommandId.ENABLE_IDLE_CURRENT,
    "enabled": CommandId.SET_ENABLED,
    "ledStripBrightness": CommandId.SET_LED_STRIP_BRIGHTNESS,
    "limitToSinglePhaseCharging": CommandId.SET_PHASE_MODE,
    "localAuthorizationRequired": CommandId.SET_LOCAL_AUTHORIZATION_REQUIRED,
    "lockCablePermanently": CommandId.SET_LOCK_CABLE_PERMANENTLY,
    "maxChargerCurrent": CommandId.SET_MAX_CHARGER_CURRENT,
    "phaseMode": CommandId.SET_PHASE_MODE,
    "smartCharging": CommandId.SET_SMART_CHARGING,
}
"""What the settings of a charger become, as far as that is known."""

OF_CIRCUIT: Final[dict[str, CommandId]] = {
    "dynamicCircuitCurrent": CommandId.SET_DYNAMIC_CIRCUIT_CURRENT,
    "enableIdleCurrent": CommandId.ENABLE_IDLE_CURRENT,
    "maxCircuitCurrent": CommandId.SET_MAX_CIRCUIT_CURRENT,
    "offlineMaxCircuitCurrent": CommandId.SET_DYNAMIC_CURRENT_OFFLINE_FALLBACK,
}
"""What the settings of a circuit become, by name without the phase."""
