"""Housekeeping: the calls about lists, reservations, firmware and logs (OCPP 1.6)."""

from collections.abc import Sequence
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
from ..link import unspeakable
from ..requests import file_name, firmware_payload, log_payload, retries, span
from ..timestamps import render
from .configuration import Feature, Key
from .mapping import id_tag_info
from .sender import Sender

_SECURITY_LOG = "SecurityLog"
_ID_TAG_LENGTH = 20
_NO_LIST = -1


class HousekeepingCommands(Sender):
    """The part of a link that looks after what a station keeps."""

    @property
    def local_list_support(self) -> LocalListSupport:
        """Return what the configuration keys say (9.3)."""
        known = self.configuration
        enabled = None
        if known.text(Key.LIST_ENABLED) is not None:
            enabled = known.flag(Key.LIST_ENABLED)
        return LocalListSupport(
            # A list of features without it is believed only if no key contradicts it.
            supported=True if enabled is not None else known.supports(Feature.LIST),
            enabled=enabled,
            max_entries=known.number(Key.LIST_MAX_LENGTH),
            max_per_message=known.number(Key.LIST_MESSAGE_LENGTH),
            max_token=_ID_TAG_LENGTH,
        )

    async def local_list_version(self) -> tuple[Outcome, int | None]:
        """Send GetLocalListVersion (5.10); -1 says that there is no list."""
        outcome = await self.send("GetLocalListVersion", {})
        version = outcome.response.get("listVersion")
        if not outcome.ok or not isinstance(version, int):
            return outcome, None
        if version <= _NO_LIST:
            unsupported = OutcomeStatus.NOT_SUPPORTED
            return Outcome(status=unsupported, response=outcome.response), None
        return outcome, version

    async def send_local_list(
        self, version: int, entries: Sequence[ListEntry], *, full: bool
    ) -> Outcome:
        """Send SendLocalList (5.15); versions are above 0 (errata 3.52)."""
        payload: dict[str, Any] = {
            "listVersion": version,
            "updateType": "Full" if full else "Differential",
        }
        if entries:
            payload["localAuthorizationList"] = [_line(one) for one in entries]
        return await self.send("SendLocalList", payload)

    async def reserve(self, request: ReservationRequest) -> Outcome:
        """Send ReserveNow (5.13), which has no word for kinds of connectors."""
        if request.connector_type is not None:
            return unspeakable("1.6", ValueError("kinds of connectors"))
        payload: dict[str, Any] = {
            "connectorId": request.evse_id,
            "expiryDate": render(request.expires),
            "idTag": request.id_token,
            "reservationId": request.reservation_id,
        }
        if request.group is not None:
            payload["parentIdTag"] = request.group
        return await self.send("ReserveNow", payload)

    async def update_firmware(self, request: FirmwareRequest) -> Outcome:
        """Send UpdateFirmware (5.19), or SignedUpdateFirmware (Security 5.17)."""
        payload: dict[str, Any] = retries(request)
        if request.certificate is None or request.signature is None:
            payload["location"] = request.location
            payload["retrieveDate"] = render(request.retrieve_at)
            return await self.send("UpdateFirmware", payload)
        payload["requestId"] = request.request_id
        payload["firmware"] = firmware_payload(request)
        return await self.send("SignedUpdateFirmware", payload)

    @property
    def file_transfers(self) -> frozenset[str] | None:
        """Return what the configuration key says (errata sheet of 1.6)."""
        listed = self.configuration.text(Key.FILE_TRANSFERS)
        if not listed:
            return None
        return frozenset(one.strip().upper() for one in listed.split(","))

    async def get_log(self, request: LogRequest) -> tuple[Outcome, str | None]:
        """Send GetDiagnostics (5.9), or GetLog (Security 5.10) for the security log."""
        if request.kind is LogKind.DATA_COLLECTOR:
            return unspeakable("1.6", ValueError("this log")), None
        if request.kind is LogKind.DIAGNOSTICS:
            payload = span(request, "startTime", "stopTime")
            payload |= {"location": request.location, **retries(request)}
            outcome = await self.send("GetDiagnostics", payload)
            return outcome, file_name(outcome.response.get("fileName"))
        outcome = await self.send("GetLog", log_payload(request, _SECURITY_LOG))
        return outcome, file_name(outcome.response.get("filename"))


def _line(entry: ListEntry) -> dict[str, Any]:
    line: dict[str, Any] = {"idTag": entry.id_token}
    if entry.verdict is not None:
        line["idTagInfo"] = id_tag_info(entry.verdict)
    return line
