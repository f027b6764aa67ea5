"""Availability: what the connectors of a station do (OCPP 1.6 4.9)."""

from typing import Any

from ...station.clock import CallLater, plausible
from ...station.enums import ConnectorStatus
from ...station.model import Fault
from .. import timestamps
from ..adapter import StationContext
from ..availability import Statuses
from ..oddities import Oddities
from ..rpc import Reply
from ..words import connector_status

NO_ERROR = "NoError"


class Availability(Statuses):
    """Statuses and faults of a station and its connectors."""

    def __init__(
        self, context: StationContext, oddities: Oddities, call_later: CallLater
    ) -> None:
        """Feed the station of `context`."""
        super().__init__(context, call_later)
        self._oddities = oddities

    def status_notification(self, payload: dict[str, Any]) -> Reply:
        """Take the status of a connector; the newest counts, 0 is the station."""
        connector_id = payload["connectorId"]
        if not self._context.station.believes(connector_id):
            self._oddities.note(f"status of connector {connector_id} ignored")
            return Reply({})
        place = self._context.station.place(connector_id)
        now, claimed = self._context.clock(), timestamps.parse(payload.get("timestamp"))
        self._context.station.skew.observe(claimed, now)
        at = plausible(claimed, now)
        status = connector_status(payload["status"])
        if not place.fault.set(_fault(payload, status, place.fault.value), at):
            return Reply({})
        if status is None:
            self._oddities.note(f"unknown status {payload['status'][:50]!r}")
            return Reply({})
        self.hear(place, status, at)
        return Reply({})


def _fault(
    payload: dict[str, Any], status: ConnectorStatus | None, known: Fault | None
) -> Fault | None:
    """Return what is wrong, if the station says that something is."""
    code = payload.get("errorCode") or NO_ERROR
    if code == NO_ERROR and status is not ConnectorStatus.FAULTED:
        return None
    if code == NO_ERROR and known is not None and "vendorErrorCode" not in payload:
        return known
    return Fault(
        error_code=code,
        vendor_error_code=payload.get("vendorErrorCode"),
        vendor_id=payload.get("vendorId"),
        info=payload.get("info"),
    )
