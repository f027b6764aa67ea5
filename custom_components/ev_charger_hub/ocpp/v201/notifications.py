"""Notifications: events, reservations and vendor messages of an OCPP 2.x station."""

import json
from typing import Any, override

from ...station.clock import plausible
from ...station.model import Fault, Place, VendorData
from ...station.reservation import ReservationState
from .. import timestamps
from ..adapter import StationContext
from ..notifications import Notifications
from ..oddities import Oddities
from ..rpc import Reply
from ..words import MAX_EVSES, connector_status
from .availability import FAULTED, Availability

type Json = dict[str, Any]

_LOCK = "ConnectorPlugRetentionLock"
_ERRORS = {_LOCK: "ConnectorLockFailure"}
"""Components whose trouble OCPP 1.6 has a word for (7.6); all else is OtherError."""

_RESERVATIONS = {
    "expired": ReservationState.EXPIRED,
    "notransaction": ReservationState.NO_TRANSACTION,
    "removed": ReservationState.REMOVED,
}
_MAX_PROBLEMS = 32
_MAX_TEXT = 255


class EventNotifications(Notifications):
    """What a station reports besides charging."""

    def __init__(
        self, context: StationContext, availability: Availability, oddities: Oddities
    ) -> None:
        """Feed the station of `context`."""
        super().__init__(context, oddities)
        self._availability = availability
        self._problems: dict[int, dict[str, Fault]] = {}

    @override
    def data_transfer(self, payload: Json) -> Reply:
        """Pass vendor data on, which nobody here understands (P02)."""
        data = payload.get("data")
        self._context.station.emit(
            VendorData(
                vendor_id=payload["vendorId"],
                message_id=payload.get("messageId"),
                data=data if data is None or isinstance(data, str) else _text(data),
            )
        )
        return Reply({"status": "UnknownVendorId"})

    async def reservation_status(self, payload: Json) -> Reply:
        """Take note of a reservation that is over (H04)."""
        word = payload["reservationUpdateStatus"]
        reservations = self._context.station.reservations
        if (state := _RESERVATIONS.get(word.lower())) is None:
            self._oddities.note(f"unknown status of a reservation {word[:50]!r}")
        elif reservations is not None:
            await reservations.over(payload["reservationId"], state)
        return Reply({})

    def event(self, payload: Json) -> Reply:
        """Take what the device model has to tell: statuses and problems (N07)."""
        for event in payload.get("eventData") or ():
            component, variable = event["component"], event["variable"]["name"]
            evse = component.get("evse") or {}
            if not 0 <= (evse_id := evse.get("id") or 0) <= MAX_EVSES:
                self._oddities.note(f"event of EVSE {evse_id} ignored")
            elif variable == "Problem":
                self._problem(self._context.station.place(evse_id), event)
            elif variable == "AvailabilityState" and component["name"] == "Connector":
                self._status(evse_id, evse.get("connectorId") or 0, event)
        return Reply({})

    def _status(self, evse_id: int, connector_id: int, event: Json) -> None:
        status = connector_status(event["actualValue"])
        if status is not None and evse_id:
            now = self._context.clock()
            at = plausible(timestamps.parse(event.get("timestamp")), now)
            self._availability.reported(evse_id, connector_id, status, at)

    def _problem(self, place: Place, event: Json) -> None:
        """Show a problem until it is over; the newest of several."""
        component = event["component"]
        problems = self._problems.setdefault(place.id, {})
        key = json.dumps(component, sort_keys=True)
        problems.pop(key, None)
        over = event.get("cleared") or event["actualValue"].strip().lower() != "true"
        if not over and len(problems) < _MAX_PROBLEMS:
            problems[key] = _fault(component["name"], event)
        now = self._context.clock()
        at = plausible(timestamps.parse(event.get("timestamp")), now)
        newest = next(reversed(problems.values()), None)
        place.fault.set(newest or self._availability.fault_of(place), at)


def _fault(component: str, event: Json) -> Fault:
    code, info = event.get("techCode") or "", event.get("techInfo") or component
    return Fault(
        error_code=_ERRORS.get(component, FAULTED.error_code),
        vendor_error_code=code[:_MAX_TEXT] or None,
        info=info[:_MAX_TEXT],
    )


def _text(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
