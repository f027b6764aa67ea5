"""Availability: what the connectors of a station do (OCPP 1.6 4.9)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ...station.clock import CallLater, Timer, plausible
from ...station.enums import ConnectorStatus
from ...station.metering import idle
from ...station.model import Fault, Place
from .. import timestamps
from ..adapter import StationContext
from ..rpc import Reply
from .mapping import MAX_EVSES, Oddities, connector_status

NO_ERROR = "NoError"

PREMATURE = 3.0
"""Seconds after which a station that starts, and was out of service, is believed."""

_STARTING = timedelta(seconds=15)

_MAY_FLOW = frozenset(
    {ConnectorStatus.CHARGING, ConnectorStatus.FAULTED, ConnectorStatus.OCCUPIED}
)


class Availability:
    """Statuses and faults of a station and its connectors."""

    def __init__(
        self, context: StationContext, oddities: Oddities, call_later: CallLater
    ) -> None:
        """Feed the station of `context`."""
        self._context = context
        self._oddities = oddities
        self._call_later = call_later
        self._booted_at: datetime | None = None
        self._held: dict[int, Timer] = {}

    def booted(self) -> None:
        """Let whatever a station says after a restart be news.

        Its clock may just have been put back to ours, so that the times it gave before
        prove nothing; it reports every connector anew (OCPP 1.6 4.2).
        """
        self._booted_at = self._context.clock()
        station = self._context.station
        for place in (station.whole, *station.evses.values()):
            place.status.at = None
            place.fault.at = None

    def status_notification(self, payload: dict[str, Any]) -> Reply:
        """Take the status of a connector; the newest counts, 0 is the station."""
        connector_id = payload["connectorId"]
        if not 0 <= connector_id <= MAX_EVSES:
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
        if (held := self._held.pop(connector_id, None)) is not None:
            held.cancel()
        if self._premature(place, status, now):
            self._held[connector_id] = self._call_later(
                PREMATURE, partial(self._release, place, status, at)
            )
        else:
            self._take(place, status, at)
        return Reply({})

    def close(self) -> None:
        """Believe nothing any more that was not believed at once."""
        for held in self._held.values():
            held.cancel()
        self._held.clear()

    def _premature(self, place: Place, status: ConnectorStatus, now: datetime) -> bool:
        """Return whether a station out of service says "Available" as it starts.

        Some say so for a second before they remember that they are out of service.
        """
        return (
            status is ConnectorStatus.AVAILABLE
            and place.status.value is ConnectorStatus.UNAVAILABLE
            and self._booted_at is not None
            and now - self._booted_at < _STARTING
        )

    def _release(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        del self._held[place.id]
        self._take(place, status, at)

    def _take(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        if status not in _MAY_FLOW and status is not place.status.value:
            idle(place, at)
        if place.status.set(status, at) and place.id:
            self._context.transactions.status(place.id, status, at)


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
