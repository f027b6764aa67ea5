"""Oddities: what a station does against the book, logged once each."""

import logging

from ..station.secrets import shortened

_LOGGER = logging.getLogger(__name__)

_WORD_LIMIT = 100


class Oddities:
    """What a station does against the book, logged once each."""

    def __init__(self, identity: str) -> None:
        """Start with nothing seen of station `identity`."""
        self._name = shortened(identity)
        self._seen: set[str] = set()

    def note(self, oddity: str) -> None:
        """Log an oddity unless it is known; a chatty liar is not listened to for long."""
        if oddity not in self._seen and len(self._seen) < _WORD_LIMIT:
            self._seen.add(oddity)
            _LOGGER.info("%s: %s", self._name, oddity)
