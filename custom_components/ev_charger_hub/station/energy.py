"""Energy: how much flowed, from registers that stutter, jump and start anew."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

MAX_DROPS = 8


@dataclass(slots=True, frozen=True)
class Drop:
    """Where a register stood in Wh before it fell, to be able to go back there."""

    base: int
    done: int
    peak: int

    @property
    def energy(self) -> int:
        """Return what had been delivered before the fall in Wh."""
        return self.done + self.peak - self.base


@dataclass(slots=True)
class EnergyCounter:
    """What was delivered since `start` (a register reading), all in Wh.

    A register that falls is counted on from its lower value: it started anew. If it
    then leaps back to where it was, and by more than it had grown since the fall, the
    fall was a glitch and counts for nothing.
    """

    start: int | None = None
    base: int | None = None
    last: int | None = None
    done: int = 0
    drops: list[Drop] = field(default_factory=list)
    anew: bool = False

    def __post_init__(self) -> None:
        """Count from `start`, if it is known."""
        if self.base is None:
            self.base = self.last = self.start

    @property
    def energy(self) -> int:
        """Return what was delivered so far in Wh; never negative."""
        if self.base is None or self.last is None:
            return self.done
        return self.done + self.last - self.base

    @property
    def restarted(self) -> bool:
        """Return whether the register fell and did not come back."""
        return self.anew or bool(self.drops)

    def sample(self, register: int) -> None:
        """Count a register reading in Wh."""
        if self.base is None or self.last is None:
            self.base = register
        elif register < self.last:
            self._fall(register, Drop(self.base, self.done, self.last))
        elif self.drops and register >= self.drops[-1].peak:
            self._rise(register, register - self.last)
        self.last = register

    def _fall(self, register: int, drop: Drop) -> None:
        self.done = drop.energy
        # A register that only falls has one place to return to.
        if drop.peak > drop.base or not self.drops:
            self.drops.append(drop)
        if len(self.drops) > MAX_DROPS:
            del self.drops[1]
        self.base = register

    def _rise(self, register: int, leap: int) -> None:
        passed = [drop for drop in self.drops if drop.peak <= register]
        del self.drops[-len(passed) :]
        for drop in passed:
            if leap > self.energy - drop.energy:
                self.base, self.done = drop.base, drop.done
                return
            self.anew = True

    def finish(self, meter_stop: int | None) -> int:
        """Return the final energy in Wh: stop minus start if it makes sense."""
        if meter_stop is None:
            return self.energy
        if self.start is None or meter_stop < self.start:
            self.sample(meter_stop)
        else:
            self.base, self.last, self.done = self.start, meter_stop, 0
            self.drops, self.anew = [], False
        return self.energy

    def dump(self) -> dict[str, Any]:
        """Return the counter for storage."""
        return asdict(self)

    @classmethod
    def restore(cls, data: dict[str, Any]) -> Self:
        """Return a counter from storage."""
        return cls(**data | {"drops": [Drop(**drop) for drop in data["drops"]]})
