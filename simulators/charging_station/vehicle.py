"""The vehicle at a connector, and the meter between the two."""

from dataclasses import dataclass

VOLTAGE = 230.0
RAMP = 4.0
"""How fast the current follows a change, in ampere per second."""


@dataclass(kw_only=True, slots=True)
class Vehicle:
    """An electric vehicle; currents in A per phase, energies in Wh."""

    maximum_current: float = 16.0
    minimum_current: float = 6.0
    phases: int = 3
    capacity: float = 60_000.0
    stored: float = 20_000.0
    paused: bool = False
    cable_rating: float | None = None
    """What its cable carries, in A per phase, where the charger can tell."""
    bidirectional: bool = False
    """Whether it gives energy back."""

    @property
    def full(self) -> bool:
        """Return whether the battery takes nothing more."""
        return self.stored >= self.capacity

    @property
    def soc(self) -> float:
        """Return the state of charge in percent."""
        return 100 * min(self.stored / self.capacity, 1)

    def wanted(self, offered: float) -> float:
        """Return the current it draws when `offered` A are offered."""
        if self.paused or self.full or offered < self.minimum_current:
            return 0.0
        return min(offered, self.maximum_current)


@dataclass(kw_only=True, slots=True)
class Meter:
    """The meter of one connector: what flows now, and what flowed ever, in Wh."""

    register: float = 0.0
    current: float = 0.0
    phases: int = 3
    """On how many phases the current flows."""
    wired: int = 0
    """How many phases are measured, even those without current."""
    exported: float = 0.0
    """What flowed back ever, in Wh."""

    @property
    def power(self) -> float:
        """Return the active power in W."""
        return self.current * VOLTAGE * self.phases

    def advance(self, seconds: float, target: float, vehicle: Vehicle | None) -> None:
        """Let time pass, with the current moving towards `target` A."""
        step = RAMP * seconds
        self.current += max(-step, min(step, target - self.current))
        delivered = self.power * seconds / 3600
        self.register += max(delivered, 0.0)
        self.exported -= min(delivered, 0.0)
        if vehicle is not None:
            vehicle.stored += delivered
