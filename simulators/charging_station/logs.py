"""Logs: what the station writes down, and uploads when asked to."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
import json
from typing import TYPE_CHECKING, Any

from .misbehaviour import Misbehaviour
from .transfer import Parcel, TransferFailed, Way, upload

if TYPE_CHECKING:
    from .v16 import ChargingStation16

DIAGNOSTICS_STATUS = {"Uploading": "Uploading", "Uploaded": "Uploaded"}
INTERVAL = 60


@dataclass(kw_only=True, slots=True)
class Job:
    """A file to be uploaded; `request_id` None is GetDiagnostics."""

    location: str
    name: str
    security: bool
    request_id: int | None
    since: str | None
    until: str | None
    retries: int
    interval: int
    due: str


class Logs:
    """The part of a station that tells its story."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station that uploads nothing."""
        self._station = station
        self.way = Way.PUT
        self.append = True
        """Whether the file's name is added to the location."""
        self.job: Job | None = None
        self._uploading: Job | None = None
        self._number = 0
        self.handlers = {"GetDiagnostics": self._get_diagnostics}
        self.extended = {"GetLog": self._get_log}

    @property
    def status(self) -> str:
        """Return what a trigger tells."""
        return "Idle" if self.job is None else "Uploading"

    @property
    def busy(self) -> bool:
        """Return whether a file is on its way now."""
        return self._uploading is not None

    # What the central system asks for

    async def _get_diagnostics(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.9; without a name there is nothing to upload."""
        if Misbehaviour.NO_DIAGNOSTICS in self._station.misbehaviours:
            return {}
        since, until = payload.get("startTime"), payload.get("stopTime")
        job = self._take(payload, payload["location"], "diagnostics", since, until)
        return {"fileName": job.name}

    async def _get_log(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Security 5.10; a new request takes the place of the one that runs."""
        if Misbehaviour.REJECT_LOG in self._station.misbehaviours:
            return {"status": "Rejected"}
        log, before = payload["log"], self.job
        span = log.get("oldestTimestamp"), log.get("latestTimestamp")
        security = payload["logType"] == "SecurityLog"
        kind = "security" if security else "diagnostics"
        job = self._take(payload, log["remoteLocation"], kind, *span)
        status = "Accepted" if before is None else "AcceptedCanceled"
        return {"status": status, "filename": job.name}

    def _take(
        self,
        payload: dict[str, Any],
        location: str,
        kind: str,
        since: str | None,
        until: str | None,
    ) -> Job:
        """Begin to upload."""
        station = self._station
        self._number += 1
        name = f"{kind}-{self._number}.log"
        if Misbehaviour.UPLOAD_EVIL_NAME in station.misbehaviours:
            name = "../../configuration.yaml"
        self.job = Job(
            location=location,
            name=name,
            security=kind == "security",
            request_id=payload.get("requestId"),
            since=since,
            until=until,
            retries=payload.get("retries", 0),
            interval=payload.get("retryInterval", INTERVAL),
            due=station.clock().isoformat(),
        )
        station.later(self.advance())
        return self.job

    # Uploading

    async def advance(self) -> None:
        """Upload what is due."""
        job, now = self.job, self._station.clock()
        if (
            job is None
            or job is self._uploading
            or datetime.fromisoformat(job.due) > now
        ):
            return
        self._uploading = job
        self._tell(job, "Uploading")
        try:
            await self._upload(job)
            outcome = "Uploaded"
        except TransferFailed as err:
            outcome = str(err)
        finally:
            if self._uploading is job:
                self._uploading = None
        if job is self.job:
            self._finish(job, outcome)

    def _finish(self, job: Job, outcome: str) -> None:
        """Tell how it went, or try once more later."""
        if outcome != "Uploaded" and job.retries > 0:
            job.retries -= 1
            due = self._station.clock() + timedelta(seconds=job.interval)
            job.due = due.isoformat()
            self._station.remember()
            return
        self.job = None
        self._tell(job, outcome)

    async def _upload(self, job: Job) -> None:
        """Upload once, or as the station is inclined to; raises TransferFailed."""
        moods = self._station.misbehaviours
        if Misbehaviour.UPLOAD_FAILS in moods:
            raise TransferFailed("UploadFailure")
        parcel = Parcel(
            name=job.name,
            content=self._content(job).encode(),
            huge=Misbehaviour.UPLOAD_HUGE in moods,
            cut=Misbehaviour.UPLOAD_CUT in moods,
        )
        for _ in range(2 if Misbehaviour.UPLOAD_TWICE in moods else 1):
            await upload(
                job.location,
                parcel,
                way=self.way,
                append=self.append,
                roots=self._station.security.store.central_system,
            )

    def _content(self, job: Job) -> str:
        """Return what there is to tell, one JSON value a line."""
        station = self._station
        events = [one for one in station.security.events if _within(one, job)]
        lines: list[Any] = [{"identity": station.identity}, *events]
        if not job.security:
            lines += [{"state": station.state()}]
            lines += [{"received": action} for action, _ in station.received]
        return "".join(f"{json.dumps(line)}\n" for line in lines)

    def _tell(self, job: Job, status: str) -> None:
        """Send the status notification that a job is told by."""
        moods = self._station.misbehaviours
        if Misbehaviour.UPLOAD_SILENT in moods:
            self._station.remember()
            return
        if job.request_id is None:
            status = DIAGNOSTICS_STATUS.get(status, "UploadFailed")
            self._station.outbox.post(
                "DiagnosticsStatusNotification", {"status": status}
            )
            return
        told: dict[str, Any] = {"status": status}
        if Misbehaviour.OMIT_REQUEST_ID not in moods:
            told["requestId"] = job.request_id
        self._station.outbox.post("LogStatusNotification", told)

    def trigger(self, *, extended: bool) -> None:
        """Tell once more what goes on."""
        station = self._station
        told: dict[str, Any] = {"status": self.status}
        if not extended:
            station.later(station.call("DiagnosticsStatusNotification", told))
            return
        if self.job is not None and self.job.request_id is not None:
            told["requestId"] = self.job.request_id
        station.later(station.call("LogStatusNotification", told))

    # Memory

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power."""
        job = None if self.job is None else asdict(self.job)
        return {"job": job, "number": self._number}

    def load(self, kept: dict[str, Any]) -> None:
        """Take what survived; an upload that was broken off begins again."""
        self._number = kept["number"]
        self.job = None if kept["job"] is None else Job(**kept["job"])


def _within(event: dict[str, Any], job: Job) -> bool:
    """Return whether an event lies in the span that was asked for."""
    at = datetime.fromisoformat(event["timestamp"])
    after = job.since is None or at >= datetime.fromisoformat(job.since)
    return after and (job.until is None or at <= datetime.fromisoformat(job.until))
