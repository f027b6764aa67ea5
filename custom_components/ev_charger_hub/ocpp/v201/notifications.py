"""Notifications: events, reservations and vendor messages of an OCPP 2.x station."""

import json
from typing import Any, override

from ...station.events import VendorData
from ...station.reservation import ReservationState
from ..notifications import Notifications
from ..rpc import Reply

type Json = dict[str, Any]

_RESERVATIONS = {
    "expired": ReservationState.EXPIRED,
    "notransaction": ReservationState.NO_TRANSACTION,
    "removed": ReservationState.REMOVED,
}


class EventNotifications(Notifications):
    """What a station reports besides charging."""

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


def _text(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
