"""The modes of a charger, and what shows them."""

from enum import IntEnum


class Mode(IntEnum):
    """The values of observation 109."""

    OFFLINE = 0
    DISCONNECTED = 1
    AWAITING_START = 2
    CHARGING = 3
    COMPLETED = 4
    ERROR = 5
    READY_TO_CHARGE = 6
    AWAITING_AUTHENTICATION = 7
    DEAUTHENTICATING = 8


LED = {
    Mode.ERROR: 16,
    Mode.AWAITING_AUTHENTICATION: 25,
    Mode.DISCONNECTED: 18,
}
PILOT = {Mode.DISCONNECTED: "A", Mode.CHARGING: "C", Mode.ERROR: "F"}


def led(mode: Mode, *, smart: bool) -> int:
    """Return how the LED strip shines (observation 46) in a mode."""
    if (found := LED.get(mode)) is not None:
        return found
    if mode is Mode.CHARGING:
        return 22 if smart else 24
    return 21 if smart else 23
