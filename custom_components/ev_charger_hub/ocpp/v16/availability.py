"""Availability: what the connectors of a station do (OCPP 1.6 4.9)."""

from datetime import datetime
from typing import Any, override

from ...station.clock import CallLater, plausible
from ...station.enums import ConnectorStatus
from ...station.model import Fault, Place
from .. import timestamps
from ..adapter import StationContext
from ..availability import Statuses
from ..oddities import Oddities
from ..quirks import Quirks, quirks_of
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
        quirks = quirks_of(self._context.station.info.value)
        status = _status(payload, quirks)
        if not place.fault.set(_fault(payload, status, place.fault.value), at):
            return Reply({})
        place.suspension.set(_suspension(payload, status, quirks), at)
        if status is None:
            self._oddities.note(f"unknown status {payload['status'][:50]!r}")
            return Reply({})
        self.hear(place, status, at)
        return Reply({})

    @override
    def follow(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        """Let a transaction know of a status, unless it went on since (Easee, row N3)."""
        transaction = self._context.transactions.running(place.id)
        if (
            quirks_of(self._context.station.info.value).late_statuses
            and status is ConnectorStatus.AVAILABLE
            and transaction is not None
            and transaction.meter_last_at is not None
            and at < transaction.meter_last_at.replace(microsecond=0)
        ):
            return
        super().follow(place, status, at)


def _status(payload: dict[str, Any], quirks: Quirks) -> ConnectorStatus | None:
    """Return the status that is meant, None if it is an invented one."""
    status = connector_status(payload["status"])
    error = payload.get("errorCode") or NO_ERROR
    # Easee up to OCPP 1.7.5 became Available with a fatal error (row S16).
    if (
        quirks.available_with_error
        and status is ConnectorStatus.AVAILABLE
        and error != NO_ERROR
    ):
        return ConnectorStatus.FAULTED
    return status


def _suspension(
    payload: dict[str, Any], status: ConnectorStatus | None, quirks: Quirks
) -> str | None:
    """Return why a station gives nothing, in the code of its vendor (Easee, row S21)."""
    if not quirks.explains_suspension or status is not ConnectorStatus.SUSPENDED_EVSE:
        return None
    return (payload.get("vendorErrorCode") or "").strip() or None


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
