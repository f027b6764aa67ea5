"""Knowledge: what was learnt of a charger, durable, new for each firmware and version."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ..journal import Journal
from ..model import ChargingStation
from ..profiles.model import Purpose
from .learnt import Learnt, Verdict, charger_of, recalled

FACT = "limits_learnt"


class Knowledge:
    """What is known of one charger by trying."""

    def __init__(
        self, station: ChargingStation, journal: Journal, changed: Callable[[], None]
    ) -> None:
        """Know nothing until `load`; call `changed` when that is no longer so."""
        self._station = station
        self._journal = journal
        self._changed = changed
        self._kept: Any = None
        self.learnt = Learnt(charger=charger_of(station))
        self._unsubscribe = (
            station.info.subscribe(self._recall),
            station.version.subscribe(self._recall),
        )

    def close(self) -> None:
        """Follow the station no longer."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    async def load(self) -> None:
        """Read what was learnt before."""
        self._kept = await self._journal.load(self._station.identity, FACT)
        self.learnt = recalled(self._kept, charger_of(self._station))

    def _recall(self) -> None:
        # New firmware, or another version, may do what the old one refused.
        charger = charger_of(self._station)
        if charger != self.learnt.charger:
            self.learnt = recalled(self._kept, charger)
            self._changed()

    def learn(self, **facts: Any) -> None:
        """Take over new facts."""
        self._replace(replace(self.learnt, **facts))

    def accept(self, purpose: Purpose) -> None:
        """Take note that profiles of a purpose are accepted."""
        # Accepted is not followed: what was ignored once is still in doubt.
        if self.learnt.purposes.get(purpose) is not Verdict.IGNORED:
            self._replace(self.learnt.of(purpose, Verdict.ACCEPTED))

    def refuse(self, purposes: Iterable[Purpose]) -> None:
        """Take note that profiles of these purposes are refused in every way."""
        learnt = self.learnt
        for purpose in purposes:
            learnt = learnt.of(purpose, Verdict.REFUSED)
        self._replace(learnt)

    def ignore(self, purpose: Purpose) -> None:
        """Take note that profiles of a purpose are accepted, but not followed."""
        self._replace(self.learnt.of(purpose, Verdict.IGNORED))

    def _replace(self, learnt: Learnt) -> None:
        if learnt != self.learnt:
            self.learnt = learnt
            self._kept = learnt.dump()
            self._journal.store_soon(self._station.identity, FACT, self._kept)
            self._changed()
