"""Firmware: an update, from the request to the boot with a new version."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
import re
from typing import TYPE_CHECKING, Any

from ocpp.exceptions import NotSupportedError

from .certificates import chain_problem, signs
from .misbehaviour import Misbehaviour
from .transfer import TransferFailed, download

if TYPE_CHECKING:
    from .v16 import ChargingStation16

DOWNLOAD = 30.0
INSTALL = 60.0
INTERVAL = 60


@dataclass(kw_only=True, slots=True)
class Update:
    """An update; `request_id` None is one without a signature."""

    location: str
    due: str
    """When the next step comes."""
    install_at: str | None
    retries: int
    interval: int
    request_id: int | None
    certificate: str | None
    signature: str | None
    phase: str = "scheduled"
    status: str = "Idle"


class Firmware:
    """The part of a station that replaces its own software."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station with the firmware of the factory."""
        self._station = station
        self.version = station.vendor.firmware
        self.download_time = DOWNLOAD
        self.install_time = INSTALL
        """How long the steps take, in s of the station's clock."""
        self.fetch = False
        """Whether firmware is really downloaded, where it is at an HTTP location."""
        self.images: dict[str, bytes] = {}
        """What firmware looks like without being downloaded, by location."""
        self.update: Update | None = None
        self._busy = False
        self.handlers = {"UpdateFirmware": self._update}
        self.extended = {"SignedUpdateFirmware": self._signed_update}
        self._steps = {
            "scheduled": self._start,
            "downloading": self._downloaded,
            "downloaded": self._install,
            "installing": self._installed,
        }

    # What the central system asks for

    async def _update(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.19; there is nothing to answer."""
        if Misbehaviour.FIRMWARE_REFUSED in self._station.misbehaviours:
            raise NotSupportedError(description="not from here")
        if not self._installing:
            self._take(payload, payload, payload["retrieveDate"])
        return {}

    async def _signed_update(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Security 5.17; a new request takes the place of one that does not install."""
        station, firmware = self._station, payload["firmware"]
        moods = station.misbehaviours
        if Misbehaviour.FIRMWARE_REFUSED in moods or self._installing:
            return {"status": "Rejected"}
        if Misbehaviour.FIRMWARE_REVOKED in moods:
            return {"status": "RevokedCertificate"}
        certificate = firmware["signingCertificate"]
        # Without a root of the manufacturer, the certificate vouches for itself.
        roots = station.security.store.manufacturer or [certificate]
        if problem := chain_problem(certificate, roots, station.clock()):
            station.security.event("InvalidFirmwareSigningCertificate", problem)
            return {"status": "InvalidCertificate"}
        status = "Accepted" if self.update is None else "AcceptedCanceled"
        self._take(payload, firmware, firmware["retrieveDateTime"])
        return {"status": status}

    @property
    def _installing(self) -> bool:
        return self.update is not None and self.update.phase in ("installing", "reboot")

    def _take(self, payload: dict[str, Any], source: dict[str, Any], due: str) -> None:
        """Begin an update."""
        self.update = update = Update(
            location=source["location"],
            due=due,
            install_at=source.get("installDateTime"),
            retries=payload.get("retries", 0),
            interval=payload.get("retryInterval", INTERVAL),
            request_id=payload.get("requestId"),
            certificate=source.get("signingCertificate"),
            signature=source.get("signature"),
        )
        if update.request_id is not None and not self._is_due(update):
            self._tell("DownloadScheduled")
        self._station.later(self.advance())

    # Step by step

    def _is_due(self, update: Update) -> bool:
        return datetime.fromisoformat(update.due) <= self._station.clock()

    async def advance(self) -> None:
        """Do what is due."""
        if self._busy:
            return
        self._busy = True
        try:
            while (update := self.update) is not None and self._is_due(update):
                if (step := self._steps.get(update.phase)) is None:
                    return
                before = update.phase
                await step(update)
                if self.update is update and update.phase == before:
                    return
        finally:
            self._busy = False

    def _next(self, update: Update, phase: str, seconds: float = 0) -> None:
        update.phase = phase
        due = datetime.fromisoformat(update.due) + timedelta(seconds=seconds)
        update.due = due.isoformat()

    async def _start(self, update: Update) -> None:
        update.due = self._station.clock().isoformat()
        self._next(update, "downloading", self.download_time)
        self._tell("Downloading")

    async def _downloaded(self, update: Update) -> None:
        moods = self._station.misbehaviours
        if Misbehaviour.FIRMWARE_STUCK in moods:
            return
        try:
            image = await self._image(update)
        except TransferFailed:
            if update.retries > 0:
                update.retries -= 1
                self._next(update, "scheduled", update.interval)
            else:
                self._end("DownloadFailed")
            return
        self._next(update, "downloaded")
        self._tell("Downloaded")
        if update.request_id is None:
            return
        wrong = Misbehaviour.FIRMWARE_INVALID_SIGNATURE in moods
        if wrong or (image is not None and not self._signed(update, image)):
            self._end("InvalidSignature")
            self._station.security.event("InvalidFirmwareSignature")
            return
        self._tell("SignatureVerified")
        if update.install_at is not None:
            update.due = max(update.due, update.install_at, key=datetime.fromisoformat)
            if not self._is_due(update):
                self._tell("InstallScheduled")

    async def _image(self, update: Update) -> bytes | None:
        """Return the firmware, None if nobody can see it; raises TransferFailed."""
        station = self._station
        if Misbehaviour.FIRMWARE_DOWNLOAD_FAILS in station.misbehaviours:
            raise TransferFailed
        if update.location in self.images:
            return self.images[update.location]
        if not self.fetch or not update.location.startswith("http"):
            return None
        roots = station.security.store.central_system
        return await download(update.location, roots=roots)

    def _signed(self, update: Update, image: bytes) -> bool:
        return signs(update.certificate or "", update.signature or "", image)

    async def _install(self, update: Update) -> None:
        """Begin to install as soon as nobody charges."""
        station = self._station
        if any(one.transaction is not None for one in station.connectors.values()):
            return
        update.due = station.clock().isoformat()
        self._next(update, "installing", self.install_time)
        for connector in station.connectors.values():
            connector.blocked = True
            await station.refresh(connector)
        self._tell("Installing")

    async def _installed(self, update: Update) -> None:
        station = self._station
        if Misbehaviour.FIRMWARE_INSTALL_FAILS in station.misbehaviours:
            self._end("InstallationFailed")
            self._unblock()
            for connector in station.connectors.values():
                await station.report_status(connector.id)
            return
        if Misbehaviour.FIRMWARE_SAME_VERSION not in station.misbehaviours:
            self.version = _version(update.location, self.version)
        if update.request_id is not None:
            self._tell("InstallRebooting")
        self._next(update, "reboot")
        station.remember()
        await station.reboot(hard=False)

    def _unblock(self) -> None:
        for connector in self._station.connectors.values():
            if connector.blocked:
                connector.blocked = False
                connector.status = connector.resting

    def powered_up(self) -> None:
        """Take note of a start: what was installed runs now."""
        if (update := self.update) is not None and update.phase == "installing":
            # Power was lost meanwhile: once more, from the beginning.
            update.phase, update.due = "downloaded", self._station.clock().isoformat()
        self._unblock()

    def booted(self) -> None:
        """Tell, once the central system listens, that an update is done."""
        if self.update is not None and self.update.phase == "reboot":
            self._end("Installed")
            self._station.security.event("FirmwareUpdated", self.version)

    # What is told

    def _end(self, status: str) -> None:
        self._tell(status)
        self.update = None
        self._station.remember()

    def _tell(self, status: str) -> None:
        """Send the status notification that an update is told by."""
        if (update := self.update) is None:
            return
        update.status = status
        moods = self._station.misbehaviours
        if Misbehaviour.FIRMWARE_SILENT in moods:
            self._station.remember()
            return
        told: dict[str, Any] = {"status": status}
        action = "FirmwareStatusNotification"
        if update.request_id is not None:
            action = f"Signed{action}"
            if Misbehaviour.OMIT_REQUEST_ID not in moods:
                told["requestId"] = update.request_id
        self._station.outbox.post(action, told)

    def trigger(self, *, extended: bool) -> None:
        """Tell once more what goes on."""
        station, update = self._station, self.update
        told: dict[str, Any] = {"status": update.status if update else "Idle"}
        action = "FirmwareStatusNotification"
        if extended:
            action = f"Signed{action}"
            if update is not None and update.request_id is not None:
                told["requestId"] = update.request_id
        station.later(station.call(action, told))

    # Memory

    def state(self) -> dict[str, Any]:
        """Return what the control interface shows."""
        status = self.update.status if self.update else "Idle"
        return {"version": self.version, "status": status}

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power."""
        update = None if self.update is None else asdict(self.update)
        return {"version": self.version, "update": update}

    def load(self, kept: dict[str, Any]) -> None:
        """Take what survived."""
        self.version = kept["version"]
        self.update = None if kept["update"] is None else Update(**kept["update"])
        self.powered_up()


def _version(location: str, before: str) -> str:
    """Return the version in a location's last part, else the next one."""
    if found := re.findall(r"\d+(?:\.\d+)+", location.rpartition("/")[2]):
        return str(found[-1])
    head, _, last = before.rpartition(".")
    return f"{head}.{int(last) + 1}" if last.isdecimal() and head else f"{before}.1"
