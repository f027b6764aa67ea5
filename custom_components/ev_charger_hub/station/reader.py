"""Token reader: which tokens a station was shown, and which it was told to use."""

from datetime import datetime, timedelta
from typing import Final

from .authorization import key_of

WINDOW: Final = timedelta(minutes=10)
"""So long a start may follow upon a token: somebody has to fetch the cable."""

_REMEMBERED: Final = 16


class TokenReader:
    """Tells a token that is shown with a start from one that was known before.

    Stations that know a token from their list or cache do not ask about it (OCPP 1.6
    3.5), so that its start is the first that is heard of it.
    """

    def __init__(self) -> None:
        """Know of no token."""
        self._known: dict[str, datetime] = {}
        self._begun: dict[str, int] = {}

    def note(self, id_token: str, at: datetime) -> None:
        """Take note that a token was shown, or that a start with it was asked for."""
        _remember(self._known, key_of(id_token), at)

    def is_news(self, id_token: str, at: datetime, transaction: int) -> bool:
        """Return whether a start is the first that is heard of its token.

        A token is shown anew for each transaction (its key), whose start may be told
        more than once.
        """
        key = key_of(id_token)
        if self._begun.get(key) == transaction:
            return False
        _remember(self._begun, key, transaction)
        known = self._known.pop(key, None)
        return known is None or at - known > WINDOW


def _remember[T](memory: dict[str, T], key: str, value: T) -> None:
    """Keep a value as the newest of a few."""
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
