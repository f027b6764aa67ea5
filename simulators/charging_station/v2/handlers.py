"""The handlers of libocpp's ChargePointInterface: facts that the hardware tells."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from ..clock import stamp
from ..rpc import TROUBLE
from .authorization import Authorization
from .availability import Availability
from .device_model import Address, DeviceModel
from .firmware import Firmware
from .logs import Logs
from .metering import Metering
from .monitoring import Monitoring
from .provisioning import Provisioning
from .queue import MessageQueue
from .reservations import Reservations
from .security import Security
from .transactions import Transaction, Transactions
from .values import (
    ChargingState,
    EventData,
    FirmwareStatus,
    Get15118EVCertificateRequest,
    Get15118EVCertificateResponse,
    IdToken,
    Json,
    LogStatus,
    MeterValue,
    NetworkInterface,
    Reason,
    ReservationStatus,
    TriggerReason,
    numbers,
)


class Handlers(ABC):
    """What hardware calls; names and parameters are those of the real library."""

    authorization: Authorization
    availability: Availability
    firmware: Firmware
    logs: Logs
    metering: Metering
    model: DeviceModel
    monitoring: Monitoring
    provisioning: Provisioning
    queue: MessageQueue
    reservations: Reservations
    security: Security
    transactions: Transactions

    @abstractmethod
    def cut(self) -> None:
        """Lose the network."""

    async def validate_token(self, id_token: IdToken) -> Json:
        """Return what is known of a token that somebody presents (idTokenInfo)."""
        return await self.authorization.validate(id_token)

    async def on_network_disconnected(
        self, ocpp_interface: NetworkInterface = NetworkInterface.WIRED0
    ) -> None:
        """Drop the connection without a word, where it goes by this interface."""
        network = self.security.networks[self.security.slot]
        if network.get("ocppInterface", ocpp_interface) == ocpp_interface:
            self.cut()

    async def on_firmware_update_status_notification(
        self, request_id: int, firmware_update_status: FirmwareStatus
    ) -> None:
        """Tell how far an update is; -1 is none that was requested."""
        self.firmware.notify(request_id, firmware_update_status)

    async def on_session_started(self, evse_id: int, connector_id: int) -> None:
        """Take note of a vehicle; a reserved connector stays Reserved."""
        reserved = self.availability.connector(evse_id, connector_id).reserved
        self.availability.note(evse_id, connector_id, occupied=True, kept=reserved)

    async def on_get_15118_ev_certificate_request(
        self, request: Get15118EVCertificateRequest
    ) -> Get15118EVCertificateResponse:
        """Return what the central system has for a vehicle (M01, M02)."""
        failed = Get15118EVCertificateResponse(status="Failed", exi_response="")
        if not self.model.flag("ISO15118Ctrlr.ContractCertificateInstallationEnabled"):
            return failed
        try:
            answer = await self.queue.post("Get15118EVCertificate", request.wire())
        except TROUBLE:
            return failed
        return Get15118EVCertificateResponse(
            status=answer["status"], exi_response=answer["exiResponse"]
        )

    async def on_transaction_started(
        self,
        evse_id: int,
        connector_id: int,
        session_id: str,
        timestamp: datetime,
        trigger_reason: TriggerReason,
        meter_start: MeterValue,
        id_token: IdToken | None,
        group_id_token: IdToken | None,
        reservation_id: int | None,
        remote_start_id: int | None,
        charging_state: ChargingState,
    ) -> None:
        """Open a transaction, under the session's id."""
        transaction = Transaction(
            id=session_id,
            evse_id=evse_id,
            connector_id=connector_id,
            charging_state=charging_state,
            started_at=stamp(timestamp),
            id_token=id_token.wire() if id_token else None,
            group_id_token=group_id_token.wire() if group_id_token else None,
            remote_start_id=remote_start_id,
        )
        self.transactions.start(
            transaction, timestamp, trigger_reason, meter_start, reservation_id
        )

    async def on_transaction_finished(
        self,
        evse_id: int,
        timestamp: datetime,
        meter_stop: MeterValue,
        reason: Reason,
        trigger_reason: TriggerReason,
        id_token: IdToken | None,
        signed_meter_value: str | None,
        charging_state: ChargingState,
    ) -> None:
        """Close the transaction of an EVSE, if there is one."""
        if (transaction := self.transactions.running.get(evse_id)) is None:
            return
        if signed_meter_value is not None:
            meter_stop = meter_stop.signed(signed_meter_value)
        self.transactions.finish(
            transaction,
            timestamp,
            meter_stop,
            reason,
            trigger_reason,
            id_token,
            charging_state,
        )

    async def on_session_finished(self, evse_id: int, connector_id: int) -> None:
        """Take note that a vehicle left."""
        self.availability.note(evse_id, connector_id, occupied=False, kept=False)

    async def on_authorized(
        self, evse_id: int, connector_id: int, id_token: IdToken
    ) -> None:
        """Tell who charges, where that was not told yet."""
        self.transactions.authorized(evse_id, id_token)

    async def on_meter_value(self, evse_id: int, meter_value: MeterValue) -> None:
        """Take what a meter says; 0 is the whole station's."""
        self.metering.take(evse_id, meter_value)
        await self.transactions.metered(evse_id)

    async def on_unavailable(self, evse_id: int, connector_id: int) -> None:
        """Take a connector out of service."""
        self.availability.note(evse_id, connector_id, unavailable=True)

    async def on_enabled(self, evse_id: int, connector_id: int) -> None:
        """Put a connector back in service."""
        self.availability.note(evse_id, connector_id, unavailable=False)

    async def on_faulted(self, evse_id: int, connector_id: int) -> None:
        """Take note of a fault."""
        self.availability.note(evse_id, connector_id, faulted=True)

    async def on_fault_cleared(self, evse_id: int, connector_id: int) -> None:
        """Take note that a fault is gone."""
        self.availability.note(evse_id, connector_id, faulted=False)

    async def on_reserved(self, evse_id: int, connector_id: int) -> None:
        """Keep a connector free, where the station knows reservations."""
        if self.reservations.possible:
            self.availability.note(evse_id, connector_id, reserved=True)

    async def on_reservation_cleared(self, evse_id: int, connector_id: int) -> None:
        """Keep a connector free no longer."""
        if self.reservations.possible:
            facts = {"reserved": False, "kept": False}
            self.availability.note(evse_id, connector_id, **facts)

    async def on_charging_state_changed(
        self,
        evse_id: int,
        charging_state: ChargingState,
        trigger_reason: TriggerReason = TriggerReason.CHARGING_STATE_CHANGED,
    ) -> bool:
        """Tell how far a vehicle is; return whether there is a transaction."""
        return self.transactions.change(evse_id, charging_state, trigger_reason)

    async def get_evse_transaction_id(self, evse_id: int) -> str | None:
        """Return the id of the open transaction of an EVSE."""
        transaction = self.transactions.running.get(evse_id)
        return None if transaction is None else transaction.id

    async def on_event(self, events: Sequence[EventData]) -> None:
        """Pass on what happened, as it is."""
        self.monitoring.tell([*events])

    async def on_log_status_notification(
        self, status: LogStatus, request_id: int
    ) -> None:
        """Tell how far an upload is."""
        self.logs.notify(status, request_id)

    async def on_security_event(
        self,
        event_type: str,
        tech_info: str | None = None,
        critical: bool | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        """Log a security event, and tell of it where it is critical."""
        at = stamp(timestamp) if timestamp else None
        self.security.event(event_type, tech_info, critical=critical, timestamp=at)

    async def on_variable_changed(self, set_variable_data: Json) -> None:
        """Act on a variable that was changed already; nothing is told."""
        await self.provisioning.changed(Address.read(set_variable_data))

    async def on_reservation_status(
        self, reservation_id: int, status: ReservationStatus
    ) -> None:
        """Tell how a reservation ended."""
        if self.reservations.possible:
            payload = {
                "reservationId": reservation_id,
                "reservationUpdateStatus": status,
            }
            self.queue.post("ReservationStatusUpdate", payload)

    async def on_ev_charging_needs(self, evse_id: int, charging_needs: Json) -> str:
        """Return what the central system says to what a vehicle needs (K15).

        Whole numbers go out as floats, as the real library has it.
        """
        payload = {"chargingNeeds": numbers(charging_needs), "evseId": evse_id}
        answer = await self.queue.post("NotifyEVChargingNeeds", payload)
        return str(answer["status"])

    async def data_transfer_req(
        self, vendor_id: str, message_id: str | None = None, data: object = None
    ) -> Json:
        """Return the answer to data of a vendor (P02)."""
        payload: Json = {"vendorId": vendor_id}
        if message_id is not None:
            payload["messageId"] = message_id
        if data is not None:
            payload["data"] = data
        return await self.queue.post("DataTransfer", payload)
