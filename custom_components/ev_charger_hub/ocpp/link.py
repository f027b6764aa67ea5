"""Links over OCPP: the commands that every version says in the same words."""

from typing import Any, override

from ..station.link import Limit, Link, LinkKind
from ..station.outcome import Outcome, OutcomeStatus
from .sender import CallSender


class OcppLink(CallSender, Link):
    """What the links of all versions of OCPP share."""

    kind = LinkKind.OCPP

    @property
    @override
    def connected(self) -> bool:
        """Return whether a command would be sent now."""
        return self._context.connected()

    @override
    async def set_limit(
        self, evse_id: int, limit: Limit, lasts: int | None = None
    ) -> Outcome:
        """Return that OCPP limits by charging profiles."""
        return Outcome(status=OutcomeStatus.NOT_SUPPORTED)

    @override
    async def clear_limit(self, evse_id: int) -> Outcome:
        """Return that OCPP limits by charging profiles."""
        return Outcome(status=OutcomeStatus.NOT_SUPPORTED)

    @override
    async def clear_cache(self) -> Outcome:
        """Send ClearCache (1.6 5.4, 2.0.1 C11)."""
        return await self.send("ClearCache", {})

    @override
    async def data_transfer(
        self, vendor_id: str, message_id: str | None, data: str | None
    ) -> Outcome:
        """Send DataTransfer (1.6 5.6, 2.0.1 P01)."""
        told = {"vendorId": vendor_id, "messageId": message_id, "data": data}
        payload = {name: value for name, value in told.items() if value is not None}
        return await self.send("DataTransfer", payload)

    @override
    async def cancel_reservation(self, reservation_id: int) -> Outcome:
        """Send CancelReservation (1.6 5.1, 2.0.1 H02)."""
        return await self.send("CancelReservation", {"reservationId": reservation_id})

    @override
    async def call(self, action: str, payload: dict[str, Any]) -> Outcome:
        """Send a raw call, for experts."""
        return await self.send(action, payload)


def unspeakable(version: str, err: ValueError) -> Outcome:
    """Return the outcome of what a version of OCPP has no words for."""
    return Outcome(
        status=OutcomeStatus.NOT_SUPPORTED,
        detail=f"OCPP {version} does not know {err}; nothing was sent",
    )
