"""Oddities: what nobody understands, told once each and then put up with (A16)."""

import logging
from typing import Final

_LOGGER = logging.getLogger(__name__)

MOST: Final = 100
"""How many different ones are told; whoever sends more means no good."""


class Oddities:
    """What came and was not understood; names of kinds only, never what was in it."""

    def __init__(self) -> None:
        """Have seen nothing yet."""
        self.seen: dict[str, int] = {}
        """How often each came."""

    def note(self, what: str) -> None:
        """Count something that was not understood, and tell of it the first time."""
        if what in self.seen:
            self.seen[what] += 1
        elif len(self.seen) < MOST:
            self.seen[what] = 1
            _LOGGER.info("The stream holds something unknown: %s", what)
