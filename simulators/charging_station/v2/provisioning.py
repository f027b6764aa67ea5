"""Provisioning: boot, variables, reports, resets, ways to the network (block B)."""

import asyncio
from datetime import datetime
import json
from typing import TYPE_CHECKING

from ..clock import stamp
from ..rpc import TROUBLE
from .device_model import ITEM_LIMITS, Address, pages
from .queue import BOOT
from .timers import Timer
from .uplink import CallError
from .values import Json, Reason

if TYPE_CHECKING:
    from .station import ChargingStation

PATIENCE = 60.0
"""How long after a boot without an answer the next one comes, in s."""
WHILE_PENDING = {
    "GetBaseReport",
    "GetReport",
    "GetVariables",
    "SetVariables",
    "TriggerMessage",
}
START_STOP = {"RequestStartTransaction", "RequestStopTransaction"}


class Provisioning:
    """The part of a station that introduces itself and is configured."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that nobody accepted yet."""
        self._station = station
        self.registration = "Rejected"
        self.reason = "PowerUp"
        """Why it starts (BootReasonEnumType)."""
        self.told_time: datetime | None = None
        """What the central system said last that the time is."""
        self._asking = False
        self._heartbeat: Timer | None = None
        self.handlers = {
            "GetBaseReport": self._get_base_report,
            "GetReport": self._get_report,
            "GetVariables": self._get_variables,
            "Reset": self._reset,
            "SetNetworkProfile": self._set_network_profile,
            "SetVariables": self._set_variables,
        }

    # Boot and heartbeat

    def boot(self) -> None:
        """Introduce the station, unless that is under way."""
        if self._asking:
            return
        self._asking = True
        self._station.later(self._boot())

    async def _boot(self) -> None:
        station, model = self._station, self._station.model
        payload = {
            "chargingStation": {
                "firmwareVersion": station.firmware.version,
                "model": model.text("ChargingStation.Model"),
                "serialNumber": model.text("InternalCtrlr.ChargeBoxSerialNumber"),
                "vendorName": model.text("ChargingStation.VendorName"),
            },
            "reason": self.reason,
        }
        try:
            answer = await station.queue.post(BOOT, payload)
        except TROUBLE:
            # B01.FR.10: no answer, or one that is none.
            station.timers.after(PATIENCE, self._boot_again)
            return
        finally:
            self._asking = False
        self._registered(answer)

    async def _boot_again(self) -> None:
        if self.registration != "Accepted":
            self.reason = "PowerUp"
            self.boot()

    def _registered(self, answer: Json) -> None:
        """Go on as the central system has it (B01, B02, B03)."""
        station = self._station
        self.registration = answer["status"]
        interval = int(answer["interval"])
        if self.registration != "Accepted":
            station.timers.after(interval or 30, self._boot_again)
            return
        station.model.put("OCPPCommCtrlr.HeartbeatInterval", str(interval))
        self._set_time(answer)
        self.beat()
        station.remember()
        station.availability.report_all()
        station.monitoring.reconnected()
        station.queue.wake()

    def _set_time(self, answer: Json) -> None:
        if "Heartbeat" in self._station.model.members("ClockCtrlr.TimeSource"):
            self.told_time = datetime.fromisoformat(answer["currentTime"])

    def beat(self) -> None:
        """Begin to send heartbeats, unless the interval is 0."""
        station = self._station
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        if interval := station.model.number("OCPPCommCtrlr.HeartbeatInterval"):
            self._heartbeat = station.timers.after(interval, self._on_heartbeat)

    async def _on_heartbeat(self) -> None:
        self.beat()
        self._station.later(self.heartbeat())

    async def heartbeat(self, *, asked: bool = False) -> None:
        """Send one heartbeat."""
        self._set_time(await self._station.queue.post("Heartbeat", {}, asked=asked))

    def refuses(self, action: str, payload: Json) -> Json | None:
        """Return the answer of a station that is not accepted; raises CallError."""
        if self.registration == "Accepted":
            return None
        if self.registration == "Pending":
            if action in WHILE_PENDING:
                return None
            if action in START_STOP:
                return {"status": "Rejected"}
        elif action == "TriggerMessage" and payload["requestedMessage"] == BOOT:
            return None
        raise CallError("SecurityError", "not accepted yet")

    # Variables

    def _check_size(self, action: str, items: list[Json]) -> None:
        """Object to more than fits (B05.FR.11, B06.FR.16); codes as in the library."""
        model = self._station.model
        most = f"DeviceDataCtrlr.ItemsPerMessage[{action}]"
        if len(items) > model.number(most, ITEM_LIMITS[action]):
            raise CallError("OccurenceConstraintViolation", "too many items")  # sic
        length = len(json.dumps(items, separators=(",", ":")).encode())
        if length > model.number(f"DeviceDataCtrlr.BytesPerMessage[{action}]", 2048):
            raise CallError("FormatViolation", "too many bytes")

    async def _get_variables(self, payload: Json) -> Json:
        """OCPP 2.0.1 B06."""
        items = payload["getVariableData"]
        self._check_size("GetVariables", items)
        return {"getVariableResult": [self._station.model.get(one) for one in items]}

    async def _set_variables(self, payload: Json) -> Json:
        """OCPP 2.0.1 B05; the results come in the order of the real library's map."""
        items = payload["setVariableData"]
        self._check_size("SetVariables", items)
        results = {}
        for item in items:
            results[Address.read(item), item.get("attributeType", "Actual")] = (
                self._set(item)
            )
        self._station.remember()
        return {"setVariableResult": [results[key] for key in sorted(results)]}

    def _set(self, item: Json) -> Json:
        station, address = self._station, Address.read(item)
        if (refused := self._refused(address, item["attributeValue"])) is not None:
            result = {"attributeStatus": "Rejected", "attributeType": "Actual"}
            return {**result, **address.wire(), "attributeStatusInfo": refused}
        result = station.model.set(item)
        if result["attributeStatus"] == "Accepted":
            station.afterwards(lambda: self.changed(address))
        return result

    def _refused(self, address: Address, value: str) -> Json | None:
        """Return what else is wrong with a value, or None."""
        station = self._station
        if address == station.model.at("OCPPCommCtrlr.NetworkConfigurationPriority"):
            slots = {str(one) for one in station.security.networks} | {"1"}
            if not {*value.split(",")} <= slots:
                return {"reasonCode": "InvalidConf"}
        return None

    async def changed(self, address: Address) -> None:
        """Act on a new value."""
        match (address.component, address.variable):
            case ("OCPPCommCtrlr", "HeartbeatInterval"):
                self.beat()
            case ("AlignedDataCtrlr", "Interval"):
                self._station.metering.align()
            case ("SecurityCtrlr", "BasicAuthPassword"):
                await self._station.security.password_changed()

    # Reports

    async def _get_base_report(self, payload: Json) -> Json:
        """OCPP 2.0.1 B07."""
        found = self._station.model.inventory(payload["reportBase"])
        if found is None:
            return {"status": "NotSupported"}
        return self._report(payload["requestId"], found)

    async def _get_report(self, payload: Json) -> Json:
        """OCPP 2.0.1 B08."""
        wanted = payload.get("componentVariable", [])
        if wanted:
            self._check_size("GetReport", wanted)
        criteria = payload.get("componentCriteria", [])
        found = self._station.model.matching(criteria, wanted)
        return self._report(payload["requestId"], found)

    def _report(self, request_id: int, found: list[Address]) -> Json:
        if not found:
            return {"status": "EmptyResultSet"}
        station = self._station
        made = stamp(station.clock())

        async def send() -> None:
            items = station.model.report(found)
            sheets = pages(items, station.model.number("InternalCtrlr.MaxMessageSize"))
            for number, sheet in enumerate(sheets):
                payload = {
                    "generatedAt": made,
                    "reportData": sheet,
                    "requestId": request_id,
                    "seqNo": number,
                    "tbc": number < len(sheets) - 1,
                }
                station.queue.post("NotifyReport", payload, asked=True)

        station.afterwards(send)
        return {"status": "Accepted"}

    # Resets and networks

    async def _reset(self, payload: Json) -> Json:
        """OCPP 2.0.1 B11, B12; a single EVSE cannot be reset."""
        station = self._station
        if "evseId" in payload:
            return {"status": "Rejected"}
        charging = bool(station.transactions.running)
        if payload["type"] == "OnIdle" and charging:
            station.transactions.when_idle = self._reset_now
            return {"status": "Scheduled"}
        station.afterwards(self._reset_now)
        return {"status": "Accepted"}

    async def _reset_now(self) -> None:
        station = self._station
        for evse_id in [*station.transactions.running]:
            await station.box.stop(evse_id, Reason.IMMEDIATE_RESET)
        station.later(self._reboot_once_told())

    async def _reboot_once_told(self) -> None:
        """Start again when all is said; what is asked meanwhile is answered as well."""
        station = self._station
        while station.queue.busy:
            await asyncio.sleep(0)
        await station.reboot("RemoteReset")

    async def _set_network_profile(self, payload: Json) -> Json:
        """OCPP 2.0.1 B09; never a lower security profile."""
        status = self._station.security.set_network(
            payload["configurationSlot"], payload["connectionData"]
        )
        self._station.remember()
        return {"status": status}
