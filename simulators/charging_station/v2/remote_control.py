"""Remote control: start, stop, unlock, trigger (block F)."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from .availability import checked_evse
from .timers import Timer
from .transactions import Transaction
from .uplink import CallError
from .values import ConnectorStatus, IdToken, Json, Reason

if TYPE_CHECKING:
    from .station import ChargingStation

USABLE = {
    ConnectorStatus.AVAILABLE,
    ConnectorStatus.OCCUPIED,
    ConnectorStatus.RESERVED,
}


class RemoteControl:
    """The part of a station that does as it is told."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that was told nothing."""
        self._station = station
        self._pending: dict[int, tuple[Json, int]] = {}
        """The token and number of a remote start that no transaction came for yet."""
        self._expiry: dict[int, Timer] = {}
        self.handlers = {
            "RequestStartTransaction": self._start,
            "RequestStopTransaction": self._stop,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    # Start and stop

    async def _start(self, payload: Json) -> Json:
        """OCPP 2.0.1 F01, F02; the answer never names a transaction."""
        token = IdToken.read(payload["idToken"])
        group = payload.get("groupIdToken")
        evse_id = payload.get("evseId")
        if evse_id is None or not self._startable(evse_id, token, group):
            return {"status": "Rejected"}
        answer: Json = {"status": "Accepted"}
        if (profile := payload.get("chargingProfile")) is not None:
            # The real library keeps it, and does not go by it.
            if problem := self._station.charging.keep_for_start(evse_id, profile):
                answer["statusInfo"] = problem
        remote_start_id = payload["remoteStartId"]

        async def act() -> None:
            self._station.later(self._begin(evse_id, token, remote_start_id))

        self._station.afterwards(act)
        return answer

    def _startable(self, evse_id: int, token: IdToken, group: Json | None) -> bool:
        station = self._station
        connectors = station.availability.of(evse_id)
        if not connectors or evse_id in station.transactions.running:
            return False
        if not any(one.status in USABLE for one in connectors):
            return False
        return station.reservations.admits(evse_id, token.wire(), group)

    async def _begin(self, evse_id: int, token: IdToken, remote_start_id: int) -> None:
        """Authorize if asked to, then wait for the vehicle (F02)."""
        station = self._station
        if station.model.flag("AuthCtrlr.AuthorizeRemoteStart"):
            info = await station.authorization.validate(token)
            if info["status"] != "Accepted":
                return
        self._pending[evse_id] = token.wire(), remote_start_id
        timeout = station.model.number("TxCtrlr.EVConnectionTimeOut", 120)

        async def expire() -> None:
            self._pending.pop(evse_id, None)

        self._expiry[evse_id] = station.timers.after(timeout, expire)
        await station.box.remote_start(evse_id, token)

    def take_pending(self, transaction: Transaction) -> int | None:
        """Return the number of the remote start that a transaction comes from."""
        pending = self._pending.get(transaction.evse_id)
        if pending is None or pending[0] != transaction.id_token:
            return None
        del self._pending[transaction.evse_id]
        self._expiry.pop(transaction.evse_id).cancel()
        return pending[1]

    async def _stop(self, payload: Json) -> Json:
        """OCPP 2.0.1 F03."""
        transaction = self._station.transactions.find(payload["transactionId"])
        if transaction is None:
            return {"status": "Rejected"}
        evse_id = transaction.evse_id

        async def act() -> None:
            await self._station.box.stop(evse_id, Reason.REMOTE)

        self._station.afterwards(act)
        return {"status": "Accepted"}

    async def _unlock(self, payload: Json) -> Json:
        """OCPP 2.0.1 F05."""
        station = self._station
        evse_id, connector_id = payload["evseId"], payload["connectorId"]
        if (evse_id, connector_id) not in station.availability.connectors:
            return {"status": "UnknownConnector"}
        transaction = station.transactions.running.get(evse_id)
        if transaction is not None and transaction.id_token is not None:
            return {"status": "OngoingAuthorizedTransaction"}
        return {"status": station.box.unlock(evse_id, connector_id)}

    # Triggers

    async def _trigger(self, payload: Json) -> Json:
        """OCPP 2.0.1 F06."""
        evse = payload.get("evse")
        if evse is not None:
            checked_evse(self._station, evse)
        status = self._triggered(payload["requestedMessage"], evse or {})
        return {"status": status}

    def _triggered(self, name: str, evse: Json) -> str:
        """Return the answer to a trigger, and have the message follow."""
        station = self._station
        match name:
            case "BootNotification":
                if station.provisioning.registration == "Accepted":
                    return "Rejected"
                self._soon(self._boot)
            case "Heartbeat":
                self._soon(lambda: station.provisioning.heartbeat(asked=True))
            case "StatusNotification":
                return self._trigger_status(evse)
            case "MeterValues" | "TransactionEvent":
                return self._trigger_values(name, evse.get("id"))
            case "LogStatusNotification":
                self._soon(station.logs.trigger)
            case "FirmwareStatusNotification":
                self._soon(station.firmware.trigger)
            case "SignChargingStationCertificate":
                self._soon(station.security.request_certificate)
            case _:
                return "NotImplemented"
        return "Accepted"

    def _soon(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something beside, once the trigger is answered."""

        async def begin() -> None:
            self._station.later(act())

        self._station.afterwards(begin)

    async def _boot(self) -> None:
        provisioning = self._station.provisioning
        provisioning.reason = "Triggered"
        provisioning.boot()

    def _trigger_status(self, evse: Json) -> str:
        """EVSE and connector have to be named (F06.FR.12)."""
        if "connectorId" not in evse:
            return "Rejected"
        place = evse["id"], evse["connectorId"]
        if place not in self._station.availability.connectors:
            raise CallError("OccurrenceConstraintViolation", "no such connector")

        async def act() -> None:
            self._station.availability.trigger(*place)

        self._station.afterwards(act)
        return "Accepted"

    def _trigger_values(self, name: str, evse_id: int | None) -> str:
        station = self._station
        if name == "MeterValues":
            wanted = [
                one for one in sorted(station.metering.last) if evse_id in (None, one)
            ]

            async def act() -> None:
                station.metering.trigger_values(wanted)

        else:
            running = station.transactions.running
            wanted = [one for one in running if evse_id in (None, one)]

            async def act() -> None:
                found = [running[one] for one in wanted if one in running]
                station.metering.trigger_transactions(found)

        if not wanted:
            return "Rejected"
        station.afterwards(act)
        return "Accepted"
