"""Flexible commands: dynamic schedules, priority, transfers, signals (2.1 K21, K28, Q)."""

from collections.abc import Iterable
from datetime import datetime
from typing import override

from ...station.flexible import FlexibleLink
from ...station.link import Limit
from ...station.needs import EnergyTransfer
from ...station.outcome import Outcome
from .. import timestamps
from ..charging_profiles import number
from .sender import Sender

TRANSFERS = {
    EnergyTransfer.AC_SINGLE_PHASE: "AC_single_phase",
    EnergyTransfer.AC_TWO_PHASE: "AC_two_phase",
    EnergyTransfer.AC_THREE_PHASE: "AC_three_phase",
} | {
    one: one.value.upper() for one in EnergyTransfer if not one.value.endswith("_phase")
}
"""EnergyTransferModeEnumType (2.1)."""


class FlexibleCommands(FlexibleLink):
    """What changes what flows without a new profile."""

    def __init__(self, sender: Sender) -> None:
        """Send by `sender`."""
        self._sender = sender

    @override
    async def update_schedule(self, profile_id: int, limit: Limit) -> Outcome:
        """Send UpdateDynamicSchedule (K28)."""
        update = {"limit": number(limit.value)}
        payload = {"chargingProfileId": profile_id, "scheduleUpdate": update}
        return await self._sender.send("UpdateDynamicSchedule", payload)

    @override
    async def use_priority(self, transaction_id: str, *, activate: bool) -> Outcome:
        """Send UsePriorityCharging (K21)."""
        payload = {"transactionId": transaction_id, "activate": activate}
        return await self._sender.send("UsePriorityCharging", payload)

    @override
    async def allow_transfers(
        self, transaction_id: str, transfers: Iterable[EnergyTransfer]
    ) -> Outcome:
        """Send NotifyAllowedEnergyTransfer (Q07), which is for the station to hear."""
        allowed = [TRANSFERS[one] for one in transfers]
        payload = {"transactionId": transaction_id, "allowedEnergyTransfer": allowed}
        return await self._sender.send("NotifyAllowedEnergyTransfer", payload)

    @override
    async def frequency_signal(self, signal: int, at: datetime) -> Outcome:
        """Send AFRRSignal (Q10)."""
        payload = {"timestamp": timestamps.render(at), "signal": signal}
        return await self._sender.send("AFRRSignal", payload)
