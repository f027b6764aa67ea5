"""Logs: what a station was asked to upload, and what came of it."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from .channel import Channel
from .clock import Clock
from .commands import LogKind, LogRequest
from .errors import NotConnected
from .firmware import REQUESTS
from .model import ChargingStation
from .outcome import GOOD, Outcome, OutcomeStatus

if TYPE_CHECKING:
    from .journal import Journal
    from .link import Link

FACT: Final = "logs"
KEPT: Final = 10
"""Requests that are remembered, newest last."""

UPLOADED: Final = "uploaded"
CANCELED: Final = "accepted_canceled"
EXPIRED: Final = "expired"
"""Our own word for an upload of which nothing came in time."""
PATIENCE: Final = timedelta(hours=1)
"""How long a file may take to come."""

_REQUESTED = "requested"
_IDLE = "idle"
_FAILURES = frozenset(
    {
        CANCELED,
        "bad_message",
        EXPIRED,
        "not_supported_operation",
        "permission_denied",
        "rejected",
        "upload_failed",
        "upload_failure",
    }
)
_MAY_ACT = GOOD | {OutcomeStatus.NO_ANSWER, OutcomeStatus.TIMED_OUT}


class Transfer(StrEnum):
    """How a file comes to us."""

    FTP = "ftp"
    HTTP = "http"


@dataclass(kw_only=True, slots=True, frozen=True)
class LogFile:
    """A file that came: its name on our disk, the one to show, its size in bytes."""

    stored: str
    name: str
    size: int
    received_at: datetime


@dataclass(kw_only=True, slots=True)
class LogTask:
    """An upload that was asked for.

    `status` is the station's word in snake case. `slot` is the secret part of where
    the file is to go, None if that is none of ours. Nothing is expected after
    `expires`.
    """

    request_id: int
    kind: LogKind
    asked_at: datetime
    expires: datetime
    status: str = _REQUESTED
    transfer: Transfer | None = None
    slot: str | None = field(default=None, repr=False)
    expected: str | None = None
    file: LogFile | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event, compare=False)

    @property
    def failed(self) -> bool:
        """Return whether the station gave up, and no file came all the same."""
        return self.status in _FAILURES and self.file is None

    @property
    def over(self) -> bool:
        """Return whether nothing more is to be expected."""
        if self.file is not None or self.failed:
            return True
        return self.slot is None and self.status == UPLOADED


class Logs:
    """The logs of one station."""

    def __init__(
        self, station: ChargingStation, journal: Journal, clock: Clock
    ) -> None:
        """Know nothing until `load`; the station finds its logs here."""
        self.tasks: dict[int, LogTask] = {}
        """What was asked for, by request id, oldest first."""
        self.last: Channel[LogTask | None] = Channel(None, urgent=True)
        """What there was last news of."""
        self.works: Transfer | None = None
        """The way by which a file came, or may come because the other did not work."""
        self._station = station
        self._journal = journal
        self._clock = clock
        station.logs = self

    async def load(self) -> None:
        """Recall what was asked for."""
        kept = await self._journal.load(self._station.identity, FACT) or {}
        self.works = Transfer(kept["works"]) if kept.get("works") else None
        for one in map(_task, kept.get("tasks", ())):
            self.tasks[one.request_id] = one
            self._settle(one)

    async def begin(
        self,
        kind: LogKind,
        *,
        transfer: Transfer | None = None,
        slot: str | None = None,
    ) -> LogTask:
        """Return a new task, which is written down."""
        now = self._clock()
        task = LogTask(
            request_id=await self._journal.next_number(REQUESTS),
            kind=kind,
            asked_at=now,
            expires=now + PATIENCE,
            transfer=transfer,
            slot=slot,
        )
        self.tasks[task.request_id] = task
        while len(self.tasks) > KEPT:
            self._forget_one()
        await self._store()
        return task

    def _forget_one(self) -> None:
        """Forget the oldest that came to nothing, else the oldest of what came."""
        task = min(self.tasks.values(), key=lambda one: (not one.over, bool(one.file)))
        del self.tasks[task.request_id]
        if not task.over:
            self._change(task, CANCELED)

    async def send(self, link: Link, request: LogRequest) -> Outcome:
        """Ask the station for the upload of a task."""
        task = self.tasks[request.request_id]
        try:
            outcome, task.expected = await link.get_log(request)
        except NotConnected:
            await self._drop(task)
            raise
        if outcome.status not in _MAY_ACT:
            await self._drop(task)
            return outcome
        if outcome.answer.replace("_", "").lower() == "acceptedcanceled":
            for other in self._open(task.kind):
                if other is not task:
                    self._change(other, CANCELED)
        await self._store()
        return outcome

    async def notified(
        self, status: str, kind: LogKind, request_id: int | None
    ) -> None:
        """Take the progress of an upload (OCPP 1.6 4.4, Security 5.13, 2.0.1 N01).

        Without an id it is about the last request of that kind. It is durable when
        this returns.
        """
        if request_id is None:
            task = next(self._open(kind), None)
        else:
            task = self.tasks.get(request_id)
        if task is None or task.file is not None or status in {_IDLE, task.status}:
            return
        self._change(task, status)
        if task.failed and task.transfer is not None and status != CANCELED:
            ftp = task.transfer is Transfer.FTP
            self.works = Transfer.HTTP if ftp else Transfer.FTP
        await self._store()

    async def expired(self, task: LogTask) -> None:
        """Expect a file no longer."""
        if not task.over:
            await self.notified(EXPIRED, task.kind, task.request_id)

    async def received(self, task: LogTask, file: LogFile) -> None:
        """Take note of a file that came; it is durable when this returns."""
        before = task.file, self.works
        task.file, self.works = file, task.transfer
        try:
            await self._store()
        except BaseException:
            task.file, self.works = before
            raise
        self._change(task, UPLOADED)

    @property
    def open(self) -> list[LogTask]:
        """Return the tasks of which more is to be expected, oldest first."""
        return [one for one in self.tasks.values() if not one.over]

    def _open(self, kind: LogKind) -> Iterator[LogTask]:
        """Yield the tasks of a kind of which more is to be expected, newest first."""
        tasks = reversed(self.tasks.values())
        return (one for one in tasks if one.kind is kind and not one.over)

    def _change(self, task: LogTask, status: str) -> None:
        task.status = status
        self._settle(task)
        self.last.value = task
        self.last.notify()

    @staticmethod
    def _settle(task: LogTask) -> None:
        if task.over:
            task.settled.set()

    async def _drop(self, task: LogTask) -> None:
        self.tasks.pop(task.request_id, None)
        await self._store()

    async def _store(self) -> None:
        fact = {
            "works": self.works,
            "tasks": [_kept(one) for one in self.tasks.values()],
        }
        await self._journal.store(self._station.identity, FACT, fact)


def _kept(task: LogTask) -> dict[str, Any]:
    file = task.file
    return {
        "request_id": task.request_id,
        "kind": task.kind,
        "asked_at": task.asked_at.isoformat(),
        # What is here came, whatever the station says of it later.
        "status": task.status if file is None else UPLOADED,
        "transfer": task.transfer,
        "slot": task.slot,
        "expires": task.expires.isoformat(),
        "expected": task.expected,
        "file": file and asdict(file) | {"received_at": file.received_at.isoformat()},
    }


def _task(kept: dict[str, Any]) -> LogTask:
    if (file := kept["file"]) is not None:
        received_at = datetime.fromisoformat(file["received_at"])
        file = LogFile(**{**file, "received_at": received_at})
    return LogTask(
        request_id=kept["request_id"],
        kind=LogKind(kept["kind"]),
        asked_at=datetime.fromisoformat(kept["asked_at"]),
        status=kept["status"],
        transfer=Transfer(kept["transfer"]) if kept["transfer"] else None,
        slot=kept["slot"],
        expires=datetime.fromisoformat(kept["expires"]),
        expected=kept["expected"],
        file=file,
    )
