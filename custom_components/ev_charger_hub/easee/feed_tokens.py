"""Tokens: cards that are shown to a charger, each told of once (easee_cloud.md Q20)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from ..station.authorization import key_of
from ..station.clock import Timer
from ..station.events import TokenPresented
from .feed import Feed
from .readings import Observation
from .told_sessions import word

LATE: Final = timedelta(seconds=10)
"""So much sooner or later than the cloud a charger may tell us of a card itself."""


class TokenFeed:
    """Tells of cards that are shown; many chargers say the same of every card.

    A charger that is connected to us asks us about a card, or starts with it: that says
    more. The cloud's word counts if we were not told.
    """

    def __init__(self, feed: Feed) -> None:
        """Know of no card."""
        self._feed = feed
        self._timers: set[Timer] = set()

    def shown(self, observation: Observation) -> None:
        """Take a card that was shown just now."""
        token = word(observation.value)
        if token is None or self._feed.transactions.is_history(observation.at):
            return
        if self._feed.source.beside:
            self._wait(token, observation.at)
        else:
            self._tell(token, observation.at)

    def stop(self) -> None:
        """Tell of nothing more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _wait(self, token: str, at: datetime) -> None:
        def ring() -> None:
            self._timers.discard(timer)
            overdue()

        overdue = partial(self._overdue, token, at, self._feed.time() - LATE)
        timer = self._feed.time.call_later(LATE.total_seconds(), ring)
        self._timers.add(timer)

    def _overdue(self, token: str, at: datetime, since: datetime) -> None:
        """Tell of a card of which the charger has not told us itself."""
        station, evse = self._feed.station, self._feed.evse
        for told in (station.id_token_presented.value, evse.id_token_seen.value):
            if (
                told is not None
                and told[1] >= since
                and key_of(told[0]) == key_of(token)
            ):
                return
        self._tell(token, at)

    def _tell(self, token: str, at: datetime) -> None:
        feed, station = self._feed, self._feed.station
        station.reader.note(token, feed.time())
        station.id_token_presented.set((token, feed.source.moment(at)))
        station.emit(TokenPresented(id_token=token, status=None))
