"""Energy in both directions: what a link changes while a session runs (OCPP 2.1 K28, Q)."""

from typing import Protocol

from .outcome import Outcome
from .profiles.two_way import TwoWay


class TwoWayLink(Protocol):
    """A link that carries what a vehicle is to take or to give."""

    async def update(self, profile_id: int, told: TwoWay) -> Outcome:
        """Change what a dynamic profile says (K28)."""
