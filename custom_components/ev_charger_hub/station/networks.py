"""Networks: the ways by which a station dials central systems (2.x B09, B10)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from .outcome import Outcome


class Interface(StrEnum):
    """What a station dials over (2.x OCPPInterfaceEnumType); the value is its word."""

    ANY = "Any"
    """Only in 2.1."""
    WIRED_0 = "Wired0"
    WIRED_1 = "Wired1"
    WIRED_2 = "Wired2"
    WIRED_3 = "Wired3"
    WIRELESS_0 = "Wireless0"
    WIRELESS_1 = "Wireless1"
    WIRELESS_2 = "Wireless2"
    WIRELESS_3 = "Wireless3"


@dataclass(kw_only=True, slots=True, frozen=True)
class NetworkProfile:
    """One way to a central system; `url` without the identity, `timeout` in s.

    `interface` None is the one in use, as far as the station tells.
    """

    url: str = field(repr=False)
    security_profile: int
    interface: Interface | None = None
    timeout: int = 30


@dataclass(kw_only=True, slots=True, frozen=True)
class NetworkSlots:
    """Where a station keeps its ways: `priority` is the order in which it tries them.

    `active` is the one in use, None if it does not say; `allowed` are all that it has,
    nothing if it does not say.
    """

    priority: tuple[int, ...] = ()
    active: int | None = None
    allowed: tuple[int, ...] = ()

    @property
    def used(self) -> int | None:
        """Return the slot in use; a station that does not say began with the first."""
        return next(iter(self.priority), None) if self.active is None else self.active

    @property
    def spare(self) -> int | None:
        """Return the slot for another way, None if it may be the one in use.

        One that is dialled as a last resort is given up if there is no other.
        """
        if self.used is None:
            return None
        kept = {*self.priority, self.used}
        if not self.allowed:
            return max(kept) + 1
        free = [slot for slot in self.allowed if slot not in kept]
        resorts = [slot for slot in reversed(self.priority) if slot != self.used]
        return next(iter((*free, *resorts)), None)


class NetworkLink(Protocol):
    """What a link knows of the ways by which its station dials."""

    async def slots(self) -> tuple[Outcome, NetworkSlots]:
        """Return which ways there are, and which is in use."""

    async def set_network(self, slot: int, profile: NetworkProfile) -> Outcome:
        """Write a way into a slot (2.x B09); it is not dialled before it is listed."""

    async def set_priority(self, slots: Sequence[int]) -> Outcome:
        """Write the order in which ways are tried, from the next restart on (B10)."""
