"""Firmware: what is told of an update, and what it does to the connectors (block L)."""

from datetime import datetime
import re
from typing import TYPE_CHECKING

from ..certificates import chain_problem
from .values import FirmwareStatus, Json, present

if TYPE_CHECKING:
    from .station import ChargingStation

STEP = 30.0
"""How long each step of an update takes, in s of the station's clock."""
BLOCKING = {FirmwareStatus.DOWNLOADED, FirmwareStatus.SIGNATURE_VERIFIED}
FINAL = {
    FirmwareStatus.DOWNLOAD_FAILED,
    FirmwareStatus.INSTALLATION_FAILED,
    FirmwareStatus.INSTALLED,
    FirmwareStatus.INSTALL_VERIFICATION_FAILED,
    FirmwareStatus.INVALID_SIGNATURE,
}


class Firmware:
    """The part of a station that replaces its own software."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station with the firmware of the factory."""
        self._station = station
        self.version = station.model.text("InternalCtrlr.FirmwareVersion")
        self.fails_at: FirmwareStatus | None = None
        """Where updates end badly, for a test."""
        self._status = FirmwareStatus.IDLE
        self._request: int | None = None
        self._blocking = False
        self.handlers = {"UpdateFirmware": self._update}

    def blocks(self, evse_id: int) -> bool:
        """Return whether an update keeps an EVSE from beginning anything."""
        return self._blocking and evse_id not in self._station.transactions.running

    # What is told

    def notify(self, request_id: int, status: FirmwareStatus) -> None:
        """Tell how far an update is, and what follows from it (L01)."""
        station = self._station
        if status is self._status and status is not FirmwareStatus.IDLE:
            return
        before, self._status = self._status, status
        self._send(request_id, status)
        if status is FirmwareStatus.INSTALLED:
            station.security.event(
                "FirmwareUpdated",
                f"New firmware succesfully installed! Version: {self.version}",  # codespell:ignore
            )
        elif status is FirmwareStatus.INVALID_SIGNATURE:
            station.security.event("InvalidFirmwareSignature")
        signed = before is FirmwareStatus.SIGNATURE_VERIFIED
        if status in BLOCKING and not signed:
            self._block(request_id)
        elif status in FINAL:
            self._blocking = False
            self._status = FirmwareStatus.IDLE
            station.availability.settle()

    def _block(self, request_id: int) -> None:
        """Take the idle connectors out of service, the others after their turn."""
        self._blocking = True
        self._station.availability.settle()
        if self._station.transactions.running:
            self._send(request_id, FirmwareStatus.INSTALL_SCHEDULED)

    def _send(
        self, request_id: int | None, status: str, *, asked: bool = False
    ) -> None:
        number = None if request_id == -1 else request_id
        payload = present(requestId=number, status=status)
        self._station.queue.post("FirmwareStatusNotification", payload, asked=asked)

    async def trigger(self) -> None:
        """Tell how far an update is, because it was asked for."""
        idle = self._status is FirmwareStatus.IDLE
        self._send(None if idle else self._request, self._status, asked=True)

    # An update, step by step

    async def _update(self, payload: Json) -> Json:
        """OCPP 2.0.1 L01, L02; what is signed has to be signed by somebody known."""
        station, firmware = self._station, payload["firmware"]
        certificate = firmware.get("signingCertificate")
        if certificate is not None:
            # Without a root of the manufacturer, the certificate vouches for itself.
            roots = station.security.roots["ManufacturerRootCertificate"]
            roots = roots or [certificate]
            if problem := chain_problem(certificate, roots, station.clock()):
                station.security.event("InvalidFirmwareSigningCertificate", problem)
                return {"status": "InvalidCertificate"}
        request_id = payload["requestId"]
        status = "Accepted" if self._request is None else "AcceptedCanceled"
        self._request = request_id
        steps = [FirmwareStatus.DOWNLOADING, FirmwareStatus.DOWNLOADED]
        if certificate is not None:
            steps.append(FirmwareStatus.SIGNATURE_VERIFIED)
        steps += [FirmwareStatus.INSTALLING, FirmwareStatus.INSTALLED]
        due = datetime.fromisoformat(firmware["retrieveDateTime"])
        wait = max((due - station.clock()).total_seconds(), 0)
        location = firmware["location"]

        async def begin() -> None:
            if wait:
                self.notify(request_id, FirmwareStatus.DOWNLOAD_SCHEDULED)
            station.timers.after(wait, lambda: self._step(request_id, steps, location))

        station.afterwards(begin)
        return {"status": status}

    async def _step(
        self, request_id: int, steps: list[FirmwareStatus], location: str
    ) -> None:
        """Do one step, and the next one later; a newer request has none follow."""
        station = self._station
        if self._request != request_id:
            return
        status, *rest = steps
        if status is FirmwareStatus.INSTALLING and station.transactions.running:
            rest = steps
        else:
            failed = self.fails_at is not None and _leads_to(status, self.fails_at)
            status = self.fails_at if failed and self.fails_at else status
            if status is FirmwareStatus.INSTALLED:
                self.version = _version(location, self.version)
                station.model.put("InternalCtrlr.FirmwareVersion", self.version)
                station.remember()
            await station.on_firmware_update_status_notification(request_id, status)
            if status in FINAL:
                self._request = None
                return
        station.timers.after(STEP, lambda: self._step(request_id, rest, location))


def _leads_to(status: FirmwareStatus, end: FirmwareStatus) -> bool:
    """Return whether a bad end comes instead of a step."""
    return {
        FirmwareStatus.DOWNLOAD_FAILED: FirmwareStatus.DOWNLOADED,
        FirmwareStatus.INVALID_SIGNATURE: FirmwareStatus.SIGNATURE_VERIFIED,
        FirmwareStatus.INSTALLATION_FAILED: FirmwareStatus.INSTALLED,
        FirmwareStatus.INSTALL_VERIFICATION_FAILED: FirmwareStatus.INSTALLED,
    }.get(end) is status


def _version(location: str, before: str) -> str:
    """Return the version in a location's last part, else the one before."""
    found = re.findall(r"\d+(?:\.\d+)+", location.rpartition("/")[2])
    return str(found[-1]) if found else before
