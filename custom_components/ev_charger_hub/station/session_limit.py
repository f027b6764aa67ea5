"""A limit of a session as a value: energy, time, state of charge, cost (2.1 E16)."""

from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any


class LimitKind(StrEnum):
    """What ends a session when there was enough of it."""

    COST = "cost"
    DURATION = "duration"
    ENERGY = "energy"
    SOC = "soc"


@dataclass(kw_only=True, slots=True, frozen=True)
class SessionLimit:
    """How much a session may have: Wh, s from its start, percent, and money."""

    energy: int | None = None
    duration: int | None = None
    soc: int | None = None
    cost: Decimal | None = None

    def __bool__(self) -> bool:
        """Return whether anything is limited."""
        return bool(self.kinds)

    @property
    def kinds(self) -> frozenset[LimitKind]:
        """Return what is limited."""
        return frozenset(one for one in LimitKind if getattr(self, one) is not None)

    def reached(self, used: SessionLimit, spare: SessionLimit) -> LimitKind | None:
        """Return of what a session has had enough; `spare` is what it may exceed by."""
        for one in LimitKind:
            most, now = getattr(self, one), getattr(used, one)
            if most is None or now is None:
                continue
            if now >= most + (getattr(spare, one) or 0):
                return one
        return None

    def only(self, kinds: frozenset[LimitKind]) -> SessionLimit:
        """Return the same of some kinds."""
        return SessionLimit(
            **{one.value: getattr(self, one) for one in kinds & self.kinds}
        )

    def dump(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        cost = None if self.cost is None else str(self.cost)
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return told | {"cost": cost}


def parse(kept: Any) -> SessionLimit:
    """Return the limit that was dumped, none if it cannot be read."""
    try:
        cost = kept["cost"]
        return SessionLimit(
            energy=kept["energy"],
            duration=kept["duration"],
            soc=kept["soc"],
            cost=None if cost is None else Decimal(cost),
        )
    except InvalidOperation, KeyError, TypeError, ValueError:
        return SessionLimit()
