"""Writing: what a charger reports, changed, and seen to be changed.

A setting is named by the number under which the charger reports it. Those of a circuit
are reported by its primary charger and written to the circuit.
"""

from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ..station.outcome import Outcome, OutcomeStatus
from .echo import seen
from .errors import EaseeError
from .ids import ChargerId
from .outcomes import NO_CHANGE
from .readings import Value

if TYPE_CHECKING:
    from .account import EaseeAccount
    from .charger import EaseeCharger

PATIENCE: Final = 5.0
"""Seconds that a charger has to report what it was told, once it has done it."""

OF_CHARGER: Final[dict[int, str]] = {
    ChargerId.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID: "allowOfflineTxForUnknownId",
    ChargerId.AUTHORIZATION_REQUIRED: "authorizationRequired",
    ChargerId.ENABLE_IDLE_CURRENT: "enableIdleCurrent",
    ChargerId.IS_ENABLED: "enabled",
    ChargerId.LED_STRIP_BRIGHTNESS: "ledStripBrightness",
    ChargerId.LOCAL_AUTHORIZATION_REQUIRED: "localAuthorizationRequired",
    ChargerId.LOCAL_AUTHORIZE_OFFLINE_ENABLED: "localAuthorizeOfflineEnabled",
    ChargerId.LOCAL_PRE_AUTHORIZE_ENABLED: "localPreAuthorizeEnabled",
    ChargerId.LOCK_CABLE_PERMANENTLY: "lockCablePermanently",
    ChargerId.MAX_CHARGER_CURRENT: "maxChargerCurrent",
    ChargerId.OFFLINE_CHARGING_MODE: "offlineChargingMode",
    ChargerId.PHASE_MODE: "phaseMode",
    ChargerId.REMOTE_START_REQUIRED: "remoteStartRequired",
    ChargerId.SMART_BUTTON_ENABLED: "smartButtonEnabled",
    ChargerId.SMART_CHARGING: "smartCharging",
}
"""What a charger calls what it reports, where that can be set."""

OF_CIRCUIT: Final[dict[int, str]] = {
    number + phase - 1: f"{name}P{phase}"
    for number, name in (
        (ChargerId.CIRCUIT_MAX_CURRENT_P1, "maxCircuitCurrent"),
        (ChargerId.DYNAMIC_CIRCUIT_CURRENT_P1, "dynamicCircuitCurrent"),
        (ChargerId.OFFLINE_MAX_CIRCUIT_CURRENT_P1, "offlineMaxCircuitCurrent"),
    )
    for phase in (1, 2, 3)
}
"""The same for circuits."""

WEARS: Final = frozenset(
    {
        ChargerId.MAX_CHARGER_CURRENT,
        *(ChargerId.CIRCUIT_MAX_CURRENT_P1 + phase for phase in range(3)),
        *(ChargerId.OFFLINE_MAX_CIRCUIT_CURRENT_P1 + phase for phase in range(3)),
    }
)
"""What is kept in memory that bears only so many writes."""

NO_CIRCUIT: Final = Outcome(status=OutcomeStatus.NOT_SUPPORTED, answer="no circuit")
READ_BACK: Final = Outcome(status=OutcomeStatus.CONFIRMED, answer="read back")


class Order(StrEnum):
    """What a charger can be told that changes no setting."""

    OVERRIDE_SCHEDULE = "override_schedule"
    PAIR_TOKEN = "set_rfid_pairing_mode_async"  # noqa: S105
    POLL_ENERGY = "poll_lifetimeenergy"
    POLL_STATUS = "poll_chargeropmode"
    UPDATE_FIRMWARE = "update_firmware"


async def write(
    account: EaseeAccount, charger: EaseeCharger, number: ChargerId, value: Value
) -> Outcome:
    """Have a charger, or its circuit, change what is reported under a number.

    It returns once that is reported, or after a while in which it was not. Raises
    EaseeError if nothing was sent, or if nobody knows whether it was.
    """
    if number in WEARS and await _is_so(account, charger, number, value):
        return NO_CHANGE
    before = charger.readings.channel(number).at
    outcome = await _send(account, charger, number, value)
    if outcome.status is OutcomeStatus.TIMED_OUT:
        await _reread(account, charger)
        return READ_BACK if charger.readings.value(number) == value else outcome
    if not outcome.ok or charger.readings.value(number) == value:
        return outcome
    if not await _echoed(account, charger, number, value, before):
        await _reread(account, charger)
    return outcome


async def _is_so(
    account: EaseeAccount, charger: EaseeCharger, number: ChargerId, value: Value
) -> bool:
    """Return whether a charger is known to report a value already."""
    if charger.readings.value(number) != value:
        return False
    if not account.stream.hears(charger.serial):
        try:
            await account.refresh(charger.serial)
        except EaseeError:
            return False
    return charger.readings.value(number) == value


async def _send(
    account: EaseeAccount, charger: EaseeCharger, number: ChargerId, value: Value
) -> Outcome:
    """Send a setting to whom it belongs."""
    if (name := OF_CIRCUIT.get(number)) is None:
        values = {OF_CHARGER[number]: value}
        return await account.commands.settings(charger.serial, values)
    site, circuit = charger.info.site_id, charger.info.circuit_id
    if site is None or circuit is None:
        return NO_CIRCUIT
    return await account.commands.circuit_settings(
        site, circuit, charger.serial, {name: value}
    )


async def _echoed(
    account: EaseeAccount,
    charger: EaseeCharger,
    number: ChargerId,
    value: Value,
    before: datetime | None,
) -> bool:
    """Return whether a charger reports anew what it was told, or what it made of it."""
    channel = charger.readings.channel(number)
    if channel.at != before:
        return True
    if not account.stream.hears(charger.serial):
        return False
    return await seen(
        charger.readings,
        number,
        lambda present: present == value or channel.at != before,
        account.time,
        seconds=PATIENCE,
    )


async def _reread(account: EaseeAccount, charger: EaseeCharger) -> None:
    """Ask for the present state; if that cannot be had, it comes by itself later."""
    with suppress(EaseeError):
        await account.refresh(charger.serial)
