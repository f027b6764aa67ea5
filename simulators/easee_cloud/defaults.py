"""What a charger reports of itself when it is new."""

from typing import TYPE_CHECKING

from .observations import Value

if TYPE_CHECKING:
    from .charger import Charger

CONFIG = (
    *(15, 16, 17, 21, 22, 23, 24, 30, 31, 36, 37, 38, 40, 41, 42, 43, 44, 45, 47),
    *(146, 147, 148, 149),
)
"""The observations that `GET config` shows."""
STATE = (
    *(30, 46, 48, 50, 51, 52, 68, 70, 71, 72, 73, 74, 75, 80, 96, 102, 103, 104, 109),
    *(110, 111, 112, 113, 114, 115, 116, 119, 120, 121, 122, 124, 130, 132, 136, 141),
    *(182, 183, 184, 185, *range(190, 200), 219, 230, 231, 232, 250),
)
"""The observations that `GET state` shows."""


def defaults(charger: Charger, firmware: int) -> dict[int, Value]:
    """Return the first observations of a charger."""
    return {
        **dict.fromkeys((15, 16, 17, 35, 41, 42, 43, 68, 102, 103, 116), False),
        **dict.fromkeys((30,), False),
        **dict.fromkeys((31, 37, 44, 250), True),
        **dict.fromkeys((45, 83, 89, 96, 97, 98, 99, 110, 119, 123), 0),
        **dict.fromkeys((104, 114, 120, 121, 122, 182, 183, 184, 185), 0.0),
        **dict.fromkeys((191, 192, 193, 194, 195, 196), 230.0),
        **dict.fromkeys((197, 198, 199), 400.0),
        **dict.fromkeys((62, 118, 251), ""),
        1: "PASSED",
        11: 0,
        21: 1,
        27: charger.circuit.site.id,
        33: 1,
        34: 1,
        36: "Example",
        38: 2,
        40: 50,
        46: 18,
        47: 32.0,
        48: charger.default_current,
        54: False,
        80: firmware,
        100: "A",
        107: f"BP-{charger.serial}",
        109: 1,
        115: 32.0,
        124: charger.register,
        125: 321,
        126: 4321,
        130: -85,
        132: -58,
        136: -40,
        141: 1,
        146: 1,
        147: 1,
        148: 0,
        149: 0,
        150: 28.0,
        170: 24.0,
        190: 0.0,
        200: 230,
    }
