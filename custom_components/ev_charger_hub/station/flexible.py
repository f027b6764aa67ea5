"""Flexible charging: what OCPP 2.1 lets a central system change as fast as the sun."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from .link import Limit
from .needs import EnergyTransfer
from .outcome import Outcome


class FlexibleLink(Protocol):
    """A link that changes what flows without a new profile."""

    async def update_schedule(self, profile_id: int, limit: Limit) -> Outcome:
        """Change the limit of a dynamic profile, in its own unit (2.1 K28)."""

    async def use_priority(self, transaction_id: str, *, activate: bool) -> Outcome:
        """Let a transaction go before others, or not (2.1 K21).

        The answer is "NoProfile" if the station has no profile for that.
        """

    async def allow_transfers(
        self, transaction_id: str, transfers: Iterable[EnergyTransfer]
    ) -> Outcome:
        """Tell how energy may flow in a transaction (2.1 Q07)."""

    async def frequency_signal(self, signal: int, at: datetime) -> Outcome:
        """Pass a signal for automatic frequency restoration on (2.1 Q10)."""
