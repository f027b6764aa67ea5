"""Notifications: firmware, logs, security and vendor messages of a station."""

from typing import Any

from ..station.commands import LogKind
from ..station.events import VendorData
from .adapter import StationContext
from .oddities import Oddities
from .rpc import Reply
from .words import snake

_MAX_STATUS = 50


class Notifications:
    """What a station reports besides charging."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Feed the station of `context`."""
        self._context = context
        self._oddities = oddities

    async def firmware_status(self, payload: dict[str, Any]) -> Reply:
        """Take the progress of an update (OCPP 1.6 4.5, Security 5.18)."""
        station, status = self._context.station, _status(payload)
        station.firmware_status.set(status)
        if station.firmware is not None:
            await station.firmware.notified(status, payload.get("requestId"))
        return Reply({})

    async def diagnostics_status(self, payload: dict[str, Any]) -> Reply:
        """Take the progress of an upload, which has no id (OCPP 1.6 4.4)."""
        return await self._uploads(payload, LogKind.DIAGNOSTICS)

    async def log_status(self, payload: dict[str, Any]) -> Reply:
        """Take the progress of an upload (OCPP 1.6 Security 5.13)."""
        return await self._uploads(payload, LogKind.SECURITY)

    async def _uploads(self, payload: dict[str, Any], kind: LogKind) -> Reply:
        station, status = self._context.station, _status(payload)
        station.diagnostics_status.set(status)
        if station.logs is not None:
            await station.logs.notified(status, kind, payload.get("requestId"))
        return Reply({})

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


def _status(payload: dict[str, Any]) -> str:
    """Return the word of a status, which may be an invented one."""
    return snake(payload["status"])[:_MAX_STATUS]
