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

    def note(self, id_token: str, at: datetime) -> None:
        """Take note that a token was shown, or that a start with it was asked for."""
        key = key_of(id_token)
        self._known.pop(key, None)
        self._known[key] = at
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]

    def is_news(self, id_token: str, at: datetime) -> bool:
        """Return whether a start is the first that is heard of its token."""
        known = self._known.get(key_of(id_token))
        return known is None or at - known > WINDOW
