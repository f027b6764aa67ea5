"""Energy in both directions, changed while a session runs (OCPP 2.1 K28, Q)."""

from ...station.outcome import Outcome
from ...station.profiles.two_way import TwoWay
from ..link import unspeakable
from .sender import Sender
from .two_way import update_fields


class TwoWayCommands(Sender):
    """The part of a link that says how much is to flow which way now."""

    async def update(self, profile_id: int, told: TwoWay) -> Outcome:
        """Send UpdateDynamicSchedule (K28)."""
        if self.dialect != "2.1":
            return unspeakable(self.dialect, ValueError("UpdateDynamicSchedule"))
        payload = {
            "chargingProfileId": profile_id,
            "scheduleUpdate": update_fields(told),
        }
        return await self.send("UpdateDynamicSchedule", payload)
