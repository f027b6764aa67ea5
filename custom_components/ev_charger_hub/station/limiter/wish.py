"""Wishes: what a user wants at one place, as a value that survives restarts."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from ..enums import RateUnit
from ..limits import PAUSE, bounds
from ..link import Limit
from ..settings import StationSettings


@dataclass(kw_only=True, slots=True, frozen=True)
class Wish:
    """What a user wants at an EVSE, or at the whole station.

    With `until` the limit ends then, and `before` holds again. `paused` is the
    transaction (its key) that is held at 0; `started` one that was started with a
    limit of its own. `locked` says that the phases were set at the station for good, by a
    way that carries no profiles.
    """

    limit: Limit | None = None
    until: datetime | None = None
    before: Limit | None = None
    paused: int | None = None
    started: tuple[int, Limit] | None = None
    phases: int | None = None
    locked: bool = False

    @property
    def shown(self) -> Limit | None:
        """Return what the user sees as wanted: 0 during a pause."""
        return self.limit if self.paused is None else PAUSE

    @property
    def effective(self) -> Limit | None:
        """Return what is to hold now."""
        if self.paused is None and self.started is not None:
            return self.started[1]
        return self.shown

    def limited(self, limit: Limit | None, until: datetime | None = None) -> Self:
        """Return the wish for another limit, for good or until a moment."""
        before = None
        if until is not None:
            before = self.limit if self.until is None else self.before
        return replace(
            self, limit=limit, until=until, before=before, paused=None, started=None
        )

    def expired(self) -> Self:
        """Return the wish once its time is over."""
        return replace(self, limit=self.before, until=None, before=None)

    def resumed(self) -> Self:
        """Return the wish without a pause, be it one of a transaction or a limit of 0."""
        if self.paused is None and paused(self.limit):
            return self.limited(None)
        return replace(self, paused=None)

    def outlived(self, transaction: int | None) -> Self:
        """Return what is left of it now that another transaction runs, or none."""
        paused = self.paused if self.paused == transaction else None
        started = self.started
        if started is not None and started[0] != transaction:
            started = None
        return replace(self, paused=paused, started=started)

    def clamped(self, settings: StationSettings) -> Self:
        """Return the wish without anything above the maximum current."""
        started = self.started
        return replace(
            self,
            limit=_clamped(self.limit, settings, self.phases),
            before=_clamped(self.before, settings, self.phases),
            started=started and (started[0], _least(started[1], settings, self.phases)),
        )

    def dump(self) -> dict[str, Any]:
        """Return the wish as JSON."""
        started = self.started
        return {
            "limit": _dump(self.limit),
            "until": self.until and self.until.isoformat(),
            "before": _dump(self.before),
            "paused": self.paused,
            "started": started and [started[0], _dump(started[1])],
            "phases": self.phases,
            "locked": self.locked,
        }


def parse(kept: Any) -> Wish:
    """Return the wish that was dumped; of what cannot be read nothing is wanted."""
    try:
        until, started = kept["until"], kept["started"]
        return Wish(
            limit=_parse(kept["limit"]),
            until=until and datetime.fromisoformat(until),
            before=_parse(kept["before"]),
            paused=kept["paused"],
            started=started and (int(started[0]), _limit(started[1])),
            phases=kept["phases"],
            locked=bool(kept.get("locked")),
        )
    except InvalidOperation, KeyError, TypeError, ValueError:
        return Wish()


def paused(limit: Limit | None) -> bool:
    """Return whether a limit lets nothing flow."""
    return limit is not None and limit.value == 0


def _least(limit: Limit, settings: StationSettings, phases: int | None) -> Limit:
    _, high = bounds(settings, limit.unit, phases)
    return replace(limit, value=min(limit.value, high))


def _clamped(
    limit: Limit | None, settings: StationSettings, phases: int | None
) -> Limit | None:
    return None if limit is None else _least(limit, settings, phases)


def _dump(limit: Limit | None) -> list[str] | None:
    return None if limit is None else [str(limit.value), limit.unit.value]


def _parse(raw: list[str] | None) -> Limit | None:
    return None if raw is None else _limit(raw)


def _limit(raw: list[str]) -> Limit:
    value, unit = raw
    return Limit(value=Decimal(value), unit=RateUnit(unit))
