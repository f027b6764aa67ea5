"""What the virtual station answers to the central system's requests (OCPP 1.6)."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ocpp.exceptions import (
    NotImplementedError as NotImplementedOnStation,
    NotSupportedError,
)

from .misbehaviour import Misbehaviour
from .triggers import Triggers

if TYPE_CHECKING:
    from .v16 import ChargingStation16

type Answer = dict[str, Any] | None
type Handler = Callable[[dict[str, Any]], Awaitable[Answer]]

INTEGER_KEYS = (
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "HeartbeatInterval",
    "MeterValueSampleInterval",
    "WebSocketPingInterval",
)
FEATURES = {
    "ClearChargingProfile": "SmartCharging",
    "GetCompositeSchedule": "SmartCharging",
    "SetChargingProfile": "SmartCharging",
    "TriggerMessage": "RemoteTrigger",
    "GetDiagnostics": "FirmwareManagement",
    "UpdateFirmware": "FirmwareManagement",
    "ReserveNow": "Reservation",
    "GetLocalListVersion": "LocalAuthListManagement",
    "SendLocalList": "LocalAuthListManagement",
    "CancelReservation": "Reservation",
}


class Requests:
    """The answering half of a station."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station."""
        self._station = station
        triggers = Triggers(station)
        self._handlers: dict[str, Handler] = {
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearChargingProfile": station.charging.clear_profile,
            "DataTransfer": self._data_transfer,
            "GetCompositeSchedule": station.charging.composite_schedule,
            "GetConfiguration": self._get_configuration,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset,
            "SetChargingProfile": station.charging.set_profile,
            "UnlockConnector": self._unlock_connector,
            **station.firmware.handlers,
            **station.logs.handlers,
            **station.reservations.handlers,
            **station.tokens.handlers,
            **triggers.handlers,
        }
        if station.vendor.security:
            self._handlers |= {
                **station.firmware.extended,
                **station.logs.extended,
                **station.security.handlers,
                **triggers.extended,
            }

    async def handle(self, action: str, payload: dict[str, Any]) -> Answer:
        """Answer one request; None leaves it unanswered."""
        self._station.received.append((action, payload))
        if (handler := self._handlers.get(action)) is None:
            raise NotImplementedOnStation(description=f"{action} is unknown here")
        needed = FEATURES.get(action)
        if needed is not None and needed not in self._station.vendor.features:
            raise NotSupportedError(description=f"{action} is not supported")
        return await handler(payload)

    async def _change_availability(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.2."""
        station = self._station
        number, operative = payload["connectorId"], payload["type"] == "Operative"
        if number not in (0, *station.connectors):
            return {"status": "Rejected"}
        scheduled = False
        for connector in station.connectors.values():
            if number not in (0, connector.id):
                continue
            if connector.transaction is not None:
                connector.after_transaction = operative
                scheduled = True
            else:
                connector.operative = operative
                if not operative:
                    station.reservations.lose(connector)
                station.later(station.refresh(connector))
        return {"status": "Scheduled" if scheduled else "Accepted"}

    async def _change_configuration(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.3."""
        station = self._station
        name, value = payload["key"], payload["value"]
        if (key := station.keys.get(name)) is None:
            return {"status": "NotSupported"}
        if key.readonly or (name in INTEGER_KEYS and not value.isdecimal()):
            return {"status": "Rejected"}
        if name in ("MeterValuesSampledData", "MeterValuesAlignedData"):
            wanted = [one.strip() for one in value.split(",") if one.strip()]
            if len(wanted) > station.vendor.max_measurands or not set(wanted) <= set(
                station.vendor.measurands
            ):
                return {"status": "Rejected"}
        if (status := station.security.change(name, value)) is not None:
            return {"status": status}
        key.value = value
        return {"status": "RebootRequired" if key.reboot else "Accepted"}

    async def _data_transfer(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.6."""
        if payload["vendorId"] != self._station.vendor.vendor:
            return {"status": "UnknownVendorId"}
        return {"status": "Accepted", "data": payload.get("data", "")}

    async def _get_configuration(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.8."""
        station = self._station
        if Misbehaviour.MUTE_CONFIGURATION in station.misbehaviours:
            return None
        wanted = payload.get("key") or list(station.keys)
        unknown = [name for name in wanted if name not in station.keys]
        if Misbehaviour.ALL_KEYS in station.misbehaviours:
            wanted = list(station.keys)
        known = []
        for name in wanted:
            if (key := station.keys.get(name)) is not None:
                entry: dict[str, Any] = {"key": name, "readonly": key.readonly}
                if key.value is not None:
                    entry["value"] = key.value
                known.append(entry)
        answer: dict[str, Any] = {"configurationKey": known}
        if unknown:
            answer["unknownKey"] = unknown
        return answer

    async def _remote_start(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.11."""
        station = self._station
        number, id_tag = payload.get("connectorId"), payload["idTag"]
        free = [
            connector
            for connector in station.connectors.values()
            if number in (None, connector.id)
            and connector.transaction is None
            and connector.operative
            and not connector.blocked
            and station.reservations.admit(connector, id_tag)
            and connector.status != "Faulted"
        ]
        free.sort(key=lambda connector: connector.vehicle is None)
        if not free:
            return {"status": "Rejected"}
        connector = free[0]
        profile = payload.get("chargingProfile")
        if "SmartCharging" not in station.vendor.features:
            profile = None
        if profile and station.charging.refuses(connector.id, profile, starting=True):
            return {"status": "Rejected"}
        connector.prepared = profile
        station.later(station.tokens.remote(connector, id_tag))
        return {"status": "Accepted"}

    async def _remote_stop(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.12."""
        station = self._station
        for connector in station.connectors.values():
            transaction = connector.transaction
            if transaction and transaction.id == payload["transactionId"]:
                station.later(station.sessions.stop(connector, "Remote"))
                return {"status": "Accepted"}
        return {"status": "Rejected"}

    async def _reset(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.14."""
        station = self._station
        if Misbehaviour.NEVER_REBOOT in station.misbehaviours:
            return {"status": "Accepted"}
        station.later(station.reboot(hard=payload["type"] == "Hard"))
        if Misbehaviour.DROP_ON_RESET in station.misbehaviours:
            return None
        return {"status": "Accepted"}

    async def _unlock_connector(self, payload: dict[str, Any]) -> Answer:
        """OCPP 1.6 5.18."""
        station = self._station
        if (connector := station.connectors.get(payload["connectorId"])) is None:
            return {"status": "NotSupported"}
        if connector.transaction is not None:
            station.later(station.sessions.stop(connector, "UnlockCommand"))
        return {"status": "Unlocked"}
