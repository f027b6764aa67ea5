"""Housekeeping: the calls about lists, reservations, firmware and logs (2.0.1 D, H, L, N)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...station.commands import (
    FirmwareRequest,
    ListEntry,
    LocalListSupport,
    LogKind,
    LogRequest,
    ReservationRequest,
)
from ...station.outcome import Outcome, OutcomeStatus
from ..charging_profiles import counts
from ..link import unspeakable
from ..requests import file_name, firmware_payload, log_payload, retries
from ..timestamps import render
from .device_model import Key
from .sender import Sender
from .tokens import group_payload, id_token_info, token_payload

_LOGS = {
    LogKind.DATA_COLLECTOR: "DataCollectorLog",
    LogKind.DIAGNOSTICS: "DiagnosticsLog",
    LogKind.SECURITY: "SecurityLog",
}
_V201 = "2.0.1"
_TOKEN_LENGTH = {"1.6": 20, "2.0.1": 36, "2.1": 255}
_LINE_BYTES = 250
"""What a line of a list may take: token and group of 36 characters, and a date."""


class HousekeepingCommands(Sender):
    """The part of a link that looks after what a station keeps."""

    @property
    def local_list_support(self) -> LocalListSupport:
        """Return what the variables of LocalAuthListCtrlr say."""
        known = self.device_model
        enabled = None
        if known.text(Key.LIST_ENABLED) is not None:
            enabled = known.flag(Key.LIST_ENABLED)
        supported = None
        if known.text(Key.LIST_AVAILABLE) is not None:
            supported = known.flag(Key.LIST_AVAILABLE)
        return LocalListSupport(
            supported=True if enabled else supported,
            enabled=enabled,
            max_entries=known.most(Key.LIST_ENTRIES),
            max_per_message=self._lines_per_message,
            max_token=_TOKEN_LENGTH[self.dialect],
        )

    @property
    def _lines_per_message(self) -> int | None:
        items = self.device_model.number(Key.LIST_ITEMS)
        size = self.device_model.number(Key.LIST_BYTES)
        lines = [items] if items else []
        if size:
            lines.append(max(size // _LINE_BYTES, 1))
        return min(lines, default=None)

    async def local_list_version(self) -> tuple[Outcome, int | None]:
        """Send GetLocalListVersion (D02)."""
        outcome = await self.send("GetLocalListVersion", {})
        # MicroOcpp answers with the word of 1.6, which breaks the schema.
        told = [outcome.response.get(one) for one in ("versionNumber", "listVersion")]
        version = next((one for one in told if counts(one)), None)
        if version is not None and not outcome.ok:
            outcome = replace(outcome, status=OutcomeStatus.ACCEPTED)
        return outcome, version if outcome.ok else None

    async def send_local_list(
        self, version: int, entries: Sequence[ListEntry], *, full: bool
    ) -> Outcome:
        """Send SendLocalList (D01); versions are above 0."""
        payload: dict[str, Any] = {
            "versionNumber": version,
            "updateType": "Full" if full else "Differential",
        }
        if entries:
            payload["localAuthorizationList"] = [self._line(one) for one in entries]
        return await self.send("SendLocalList", payload)

    def _line(self, entry: ListEntry) -> dict[str, Any]:
        line: dict[str, Any] = {"idToken": token_payload(self._context, entry.id_token)}
        if entry.verdict is not None:
            line["idTokenInfo"] = id_token_info(entry.verdict)
        return line

    async def reserve(self, request: ReservationRequest) -> Outcome:
        """Send ReserveNow (H01)."""
        payload: dict[str, Any] = {
            "id": request.reservation_id,
            "expiryDateTime": render(request.expires),
            "idToken": token_payload(self._context, request.id_token),
        }
        if request.evse_id:
            payload["evseId"] = request.evse_id
        if request.connector_type is not None:
            payload["connectorType"] = request.connector_type
        if request.group is not None:
            payload["groupIdToken"] = group_payload(request.group)
        return await self.send("ReserveNow", payload)

    async def update_firmware(self, request: FirmwareRequest) -> Outcome:
        """Send UpdateFirmware (L01, L02), signed or not."""
        payload = {
            "requestId": request.request_id,
            "firmware": firmware_payload(request),
            **retries(request),
        }
        return await self.send("UpdateFirmware", payload)

    @property
    def file_transfers(self) -> frozenset[str] | None:
        """Return what OCPPCommCtrlr.FileTransferProtocols says."""
        known = self.device_model
        listed = known.items(Key.FILE_TRANSFERS) or known.options(Key.FILE_TRANSFERS)
        return frozenset(one.upper() for one in listed) if listed else None

    async def get_log(self, request: LogRequest) -> tuple[Outcome, str | None]:
        """Send GetLog (N01); what collects data is only in 2.1."""
        if request.kind is LogKind.DATA_COLLECTOR and self.dialect == _V201:
            return unspeakable(_V201, ValueError("this log")), None
        outcome = await self.send("GetLog", log_payload(request, _LOGS[request.kind]))
        return outcome, file_name(outcome.response.get("filename"))
