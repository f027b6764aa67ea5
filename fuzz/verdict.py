"""The verdict: what an attack did to the server and to others, and what it may do."""

from dataclasses import dataclass
from statistics import median
from typing import Any

MIB = 1024 * 1024
BAD = ("Traceback (most recent call last)", " ERROR ", " CRITICAL ")


@dataclass(kw_only=True, slots=True, frozen=True)
class Limits:
    """What an attack may do; a p99 of so few milliseconds is none to compare.

    A full garbage collection of Home Assistant takes some hundreds of them, and comes as
    often as states change, whoever changes them.
    """

    ratio: float
    growth: float
    """Of the resident memory in MiB, from the second third of the attack to its end."""
    unnoticed: float = 500.0


@dataclass(kw_only=True, slots=True, frozen=True)
class Outcome:
    """What was measured; times in ms, memory in bytes, one sample a second."""

    tally: dict[str, Any]
    calm_p50: float
    calm_p99: float
    attacked_p50: float
    attacked_p99: float
    failures: list[str]
    memory: list[int]
    log: list[str]
    """What the server logged during the attack."""
    crashed: bool

    @property
    def ratio(self) -> float:
        """Return how many times slower others were answered."""
        return self.attacked_p99 / self.calm_p99

    @property
    def growth(self) -> float:
        """Return the growth of the memory in MiB once the attack was going on."""
        third = len(self.memory) // 3
        if not third:
            return 0.0
        middle = median(self.memory[third : 2 * third])
        return (median(self.memory[2 * third :]) - middle) / MIB

    @property
    def complaints(self) -> list[str]:
        """Return the lines of the log that tell of an error."""
        return [line for line in self.log if any(bad in line for bad in BAD)]


def violations(outcome: Outcome, limits: Limits) -> list[str]:
    """Return what must not have happened, in words."""
    tally = outcome.tally
    found = []
    if outcome.crashed:
        found.append("the server ended")
    if complaints := outcome.complaints:
        found.append(f"{len(complaints)} errors in the log, first: {complaints[0]}")
    if unanswered := tally["unanswered"]:
        example = next(iter(tally["examples"]), "")
        found.append(f"{unanswered} valid CALLs unanswered, such as {example}")
    if refusals := tally["refusals"]:
        example = next(iter(tally["examples"]), "")
        found.append(
            f"{refusals} CALLs got an error that must not be, such as {example}"
        )
    if takeovers := tally["takeovers"]:
        found.append(f"{takeovers} times an impostor was let in")
    if outcome.failures:
        found.append(
            f"{len(outcome.failures)} calls of others failed: {outcome.failures[0]}"
        )
    slow = outcome.attacked_p99 > limits.unnoticed
    if slow and outcome.ratio > limits.ratio:
        found.append(f"others were answered {outcome.ratio:.1f} times slower")
    if outcome.growth > limits.growth:
        found.append(f"memory grew by {outcome.growth:.0f} MiB")
    return found
