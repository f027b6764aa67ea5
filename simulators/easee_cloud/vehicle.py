"""Cars, and the lowest of the limits that hold for them."""

from collections.abc import Iterable
from dataclasses import dataclass

LOWEST_CURRENT = 6.0
"""Below this many ampere a car does not charge (IEC 61851-1)."""


@dataclass(kw_only=True, slots=True)
class Vehicle:
    """A car at the cable."""

    capacity: float = 60.0
    """kWh that fit in."""
    stored: float = 20.0
    """kWh that are in."""
    maximum_current: float = 16.0
    phases: int = 3
    paused: bool = False
    reaction: float = 2.0
    """Seconds from being offered current to taking it."""

    @property
    def full(self) -> bool:
        """Return whether nothing more fits in."""
        return self.stored >= self.capacity

    @property
    def wants(self) -> bool:
        """Return whether it would take current."""
        return not self.full and not self.paused


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A current, and the reasons for no current that name it."""

    amps: float
    blocking: int
    """The reason while it allows no charging."""
    limiting: int
    """The reason while it is the lowest."""


def lowest(limits: Iterable[Limit]) -> Limit:
    """Return the limit that holds: the lowest, of equal ones the first."""
    return min(limits, key=lambda limit: limit.amps)
