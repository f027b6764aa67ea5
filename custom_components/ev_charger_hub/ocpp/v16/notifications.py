"""Notifications: firmware, logs, security and vendor messages of a station."""

import logging
from typing import Any

from ...station.model import VendorData
from ..adapter import StationContext
from ..rpc import Reply
from .mapping import Oddities, snake

_LOGGER = logging.getLogger(__name__)


class Notifications:
    """What a station reports besides charging."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Feed the station of `context`."""
        self._context = context
        self._oddities = oddities

    def firmware_status(self, payload: dict[str, Any]) -> Reply:
        """Take the progress of an update (OCPP 1.6 4.5, Security 5.8)."""
        self._context.station.firmware_status.set(snake(payload["status"]))
        return Reply({})

    def upload_status(self, payload: dict[str, Any]) -> Reply:
        """Take the progress of an upload (OCPP 1.6 4.4, Security 5.4)."""
        self._context.station.diagnostics_status.set(snake(payload["status"]))
        return Reply({})

    def security_event(self, payload: dict[str, Any]) -> Reply:
        """Take a security event (OCPP 1.6 Security 5.6)."""
        self._oddities.note(f"security event {payload['type'][:50]!r}")
        return Reply({})

    def sign_certificate(self, payload: dict[str, Any]) -> Reply:
        """Refuse to sign a certificate (OCPP 1.6 Security 5.9)."""
        self._oddities.note("asks for a certificate, which is not signed here")
        return Reply({"status": "Rejected"})

    def data_transfer(self, payload: dict[str, Any]) -> Reply:
        """Pass vendor data on, which nobody here understands (OCPP 1.6 4.3)."""
        vendor_id = payload["vendorId"]
        self._context.station.emit(
            VendorData(
                vendor_id=vendor_id,
                message_id=payload.get("messageId"),
                data=payload.get("data"),
            )
        )
        return Reply({"status": "UnknownVendorId"})
