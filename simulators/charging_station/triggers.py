"""What the station tells when it is asked to tell (TriggerMessage and its extension)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .v16 import ChargingStation16


class Triggers:
    """The part of a station that repeats itself on request."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station."""
        self._station = station
        self.handlers = {"TriggerMessage": self._trigger}
        self.extended = {"ExtendedTriggerMessage": self._trigger_extended}

    async def _trigger(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.17."""
        match payload["requestedMessage"]:
            case "DiagnosticsStatusNotification":
                self._station.logs.trigger(extended=False)
            case "FirmwareStatusNotification":
                self._station.firmware.trigger(extended=False)
            case _:
                return {"status": self._common(payload)}
        return {"status": "Accepted"}

    async def _trigger_extended(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Security 5.6."""
        station = self._station
        match payload["requestedMessage"]:
            case "SignChargePointCertificate":
                station.later(station.security.request_certificate())
            case "LogStatusNotification":
                station.logs.trigger(extended=True)
            case "FirmwareStatusNotification":
                station.firmware.trigger(extended=True)
            case _:
                return {"status": self._common(payload)}
        return {"status": "Accepted"}

    def _common(self, payload: dict[str, Any]) -> str:
        """Tell what both messages may ask for, and return the status."""
        station = self._station
        number = payload.get("connectorId")
        if number is not None and number not in (0, *station.connectors):
            return "Rejected"
        numbers = [*station.connectors] if number is None else [number]
        match payload["requestedMessage"]:
            case "BootNotification":
                station.later(station.boot())
            case "Heartbeat":
                station.later(station.call("Heartbeat", {}))
            case "StatusNotification":
                for one in [0, *numbers] if number is None else numbers:
                    station.later(station.report_status(one, force=True))
            case "MeterValues":
                for one in [number for number in numbers if number]:
                    connector = station.connectors[one]
                    station.later(station.metering.sample(connector, "Trigger"))
            case _:
                return "NotImplemented"
        return "Accepted"
