"""Battery swapping: batteries that go in and out of a station's slots (OCPP 2.1 S)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from .errors import StationError
from .outcome import Outcome


class SwapNotAllowed(StationError):
    """Somebody may not charge here, and gets no battery either (S02.FR.01)."""


class SwapKind(StrEnum):
    """What happened to batteries (OCPP 2.1 BatterySwapEventEnumType)."""

    BATTERY_IN = "battery_in"
    BATTERY_OUT = "battery_out"
    BATTERY_OUT_TIMEOUT = "battery_out_timeout"


@dataclass(kw_only=True, slots=True, frozen=True)
class Battery:
    """A battery at a slot; charge and health in percent."""

    evse_id: int
    serial: str
    charge: float
    health: float


@dataclass(kw_only=True, slots=True, frozen=True)
class BatteriesSwapped:
    """Batteries went in or out; `requested` says that we asked for the swap."""

    kind: SwapKind
    request_id: int
    requested: bool
    id_token: str = field(repr=False)
    batteries: tuple[Battery, ...]


class BatterySwapLink(Protocol):
    """A link that can ask for a swap (OCPP 2.1 S02)."""

    async def request_swap(self, id_token: str) -> tuple[Outcome, int]:
        """Ask for a swap for somebody; return the number that it goes by.

        Raises SwapNotAllowed, without having sent anything.
        """
