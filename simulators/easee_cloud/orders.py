"""What may be ordered of a charger, and which command of the device that becomes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .answers import Invalid, refusal
from .charger import Charger
from .modes import Mode

RESUMED = 32.0
"""The dynamic limit after a pause in ampere, whatever it was before."""

type Act = Callable[[], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Something for a device to do."""

    command: int
    act: Act
    refused: Callable[[], bool] = lambda: False
    """Whether the device will not, asked when it gets there."""


SETTINGS: dict[str, tuple[int, int, type]] = {
    "allowOfflineTxForUnknownId": (17, 17, bool),
    "authorizationRequired": (42, 42, bool),
    "dynamicChargerCurrent": (48, 48, float),
    "enableIdleCurrent": (37, 34, bool),
    "enabled": (31, 29, bool),
    "ledStripBrightness": (40, 40, int),
    "limitToSinglePhaseCharging": (38, 38, bool),
    "localAuthorizationRequired": (41, 33, bool),
    "localAuthorizeOfflineEnabled": (16, 16, bool),
    "localPreAuthorizeEnabled": (15, 15, bool),
    "lockCablePermanently": (30, 30, bool),
    "maxChargerCurrent": (47, 47, float),
    "offlineChargingMode": (45, 45, int),
    "phaseMode": (38, 38, int),
    "remoteStartRequired": (43, 43, bool),
    "smartButtonEnabled": (44, 44, bool),
    "smartCharging": (102, 11, bool),
}
"""Settings: the observation they end up in, the command, and the type."""


def _set(charger: Charger, number: int, value: Any) -> Act:
    def act() -> None:
        charger.observe(number, value)
        charger.circuit.changed()

    return act


def settings(charger: Charger, body: dict[str, Any]) -> list[Order]:
    """Return the orders that settings become: one for each that changes something."""
    orders: list[Order] = []
    for name, value in body.items():
        if value is None:
            continue
        if name not in SETTINGS:
            raise Invalid(**{name: "The setting is unknown."})
        number, command, kind = SETTINGS[name]
        value = _converted(name, value, kind)
        if name == "limitToSinglePhaseCharging":
            value = 1 if value else 2
        elif name == "dynamicChargerCurrent":
            # The cloud clamps to what the charger may offer at most.
            value = min(value, float(charger[47]))
        if charger[number] != value:
            orders.append(Order(command=command, act=_set(charger, number, value)))
    return orders


def _converted(name: str, value: Any, kind: type) -> Any:
    """Return a value in the type of the setting."""
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise Invalid(**{name: f"The JSON value could not be converted: {value!r}."})
    return value


def command(charger: Charger, name: str, body: dict[str, Any]) -> Order | None:
    """Return the order for a command; None if there is no such command."""
    if (found := COMMANDS.get(name)) is None:
        return None
    return found(charger, body)


def _needs_car(charger: Charger, *forbidden: Mode) -> None:
    if charger.mode in {Mode.DISCONNECTED, Mode.OFFLINE, *forbidden}:
        raise refusal(202, "InvalidOperation", "Command is not allowed in this state")


def _start(charger: Charger, body: dict[str, Any]) -> Order:
    _needs_car(charger)
    return Order(command=25, act=charger.authorize, refused=lambda: not charger[31])


def _stop(charger: Charger, body: dict[str, Any]) -> Order:
    _needs_car(charger)

    def act() -> None:
        if charger.asks:
            charger.deauthorize()

    return Order(command=26, act=act)


def _pause(charger: Charger, body: dict[str, Any]) -> Order:
    _needs_car(charger, Mode.AWAITING_AUTHENTICATION)
    return Order(command=48, act=_set(charger, 48, 0.0))


def _resume(charger: Charger, body: dict[str, Any]) -> Order:
    _needs_car(charger, Mode.AWAITING_AUTHENTICATION)
    return Order(
        command=48, act=_set(charger, 48, RESUMED), refused=lambda: not charger[31]
    )


def _toggle(charger: Charger, body: dict[str, Any]) -> Order:
    if charger.mode is Mode.AWAITING_AUTHENTICATION:
        return _start(charger, body)
    if charger[48] == 0:
        return _resume(charger, body)
    return _stop(charger, body) if charger.asks else _pause(charger, body)


def _reboot(charger: Charger, body: dict[str, Any]) -> Order:
    return Order(command=1, act=charger.reboot)


def _update(charger: Charger, body: dict[str, Any]) -> Order:
    return Order(command=4, act=charger.update_firmware)


def _override(charger: Charger, body: dict[str, Any]) -> Order:
    def act() -> None:
        charger.schedules.overridden = True
        charger.circuit.changed()

    return Order(command=63, act=act)


def _poll_energy(charger: Charger, body: dict[str, Any]) -> Order:
    def act() -> None:
        charger.observe(124, charger.register, force=True)

    return Order(command=2, act=act)


def _poll_mode(charger: Charger, body: dict[str, Any]) -> Order:
    def act() -> None:
        charger.observe(109, int(charger.mode), force=True)

    return Order(command=2, act=act)


def _lock(charger: Charger, body: dict[str, Any]) -> Order:
    state = _converted("state", body.get("state"), bool)
    return Order(command=30, act=_set(charger, 30, state))


def _dynamic(charger: Charger, body: dict[str, Any]) -> Order:
    amps = _converted("amps", body.get("amps"), float)
    minutes = _converted("minutes", body.get("minutes") or 0, int)
    amps = min(amps, float(charger[47]))
    return Order(command=48, act=lambda: charger.set_dynamic(amps, minutes))


def _phase_mode(charger: Charger, body: dict[str, Any]) -> Order:
    mode = _converted("phaseMode", body.get("phaseMode"), int)
    if mode not in {1, 2, 3}:
        raise Invalid(phaseMode="The value is out of range.")
    return Order(command=38, act=_set(charger, 38, mode))


def _pair(charger: Charger, body: dict[str, Any]) -> Order:
    def act() -> None:
        charger.pairing = True
        charger.observe(46, 29)

    return Order(command=27, act=act)


COMMANDS: dict[str, Callable[[Charger, dict[str, Any]], Order]] = {
    "lock_state": _lock,
    "override_schedule": _override,
    "pause_charging": _pause,
    "poll_chargeropmode": _poll_mode,
    "poll_lifetimeenergy": _poll_energy,
    "reboot": _reboot,
    "resume_charging": _resume,
    "set_dynamic_charger_current": _dynamic,
    "set_phase_mode": _phase_mode,
    "set_rfid_pairing_mode_async": _pair,
    "start_charging": _start,
    "stop_charging": _stop,
    "toggle_charging": _toggle,
    "update_firmware": _update,
}
