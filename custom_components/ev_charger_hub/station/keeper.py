"""Keeper: what all need that keep account of the sessions of one station."""

from dataclasses import dataclass

from .clock import Clock
from .journal import Journal
from .model import ChargingStation
from .session_news import Ended, SessionNews
from .sessions import Sessions


@dataclass(kw_only=True, slots=True, frozen=True)
class Ledger:
    """The sessions of one station: the journal, what is shown, and who hears of it.

    What a session became is for `ended`, which shows it and tells of it.
    """

    station: ChargingStation
    journal: Journal
    clock: Clock
    sessions: Sessions
    news: SessionNews
    ended: Ended


class Keeper:
    """Keeps account of some of the sessions of a ledger, always in the journal first."""

    def __init__(self, ledger: Ledger) -> None:
        """Keep account in `ledger`."""
        self._station = ledger.station
        self._journal = ledger.journal
        self._clock = ledger.clock
        self._sessions = ledger.sessions
        self._news = ledger.news
        self._ended = ledger.ended
