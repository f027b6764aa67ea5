"""Log files: fetched from a charger, kept for a while, offered as a download."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import escape
import logging
from pathlib import Path
import shutil
from typing import TYPE_CHECKING, Final

from homeassistant.components import persistent_notification
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .helpers import checked, failed, translated_errors
from .ocpp.ftp import host_of
from .ocpp.receiver import Slot, Upload, safe_name
from .ocpp.uploads import new_secret
from .station.clock import utc_now
from .station.commands import LogKind, LogRequest
from .station.errors import JournalError
from .station.link import Capability, Link
from .station.logs import CANCELED, LogFile, Logs, LogTask, Transfer
from .station.model import ChargingStation

if TYPE_CHECKING:
    from .hub import OcppHub

_LOGGER = logging.getLogger(__name__)

KEPT: Final = 5
"""Files of a charger that are kept, the newest."""

LINK_LIFE: Final = timedelta(days=1)
"""How long the link to a file leads there."""

URL: Final = f"/api/{DOMAIN}/logs/"


@dataclass(kw_only=True, slots=True, frozen=True)
class LogWish:
    """A log that a user wants, from `since` to `until`.

    Without a `location` it comes to us, by `transfer` or by the way that works.
    """

    kind: LogKind
    location: str | None = None
    transfer: Transfer | None = None
    since: datetime | None = None
    until: datetime | None = None
    retries: int | None = None
    retry_interval: int | None = None

    @property
    def flexible(self) -> bool:
        """Return whether the file may come by any way."""
        return self.location is None and self.transfer is None


class LogFiles:
    """The log files of one charger."""

    def __init__(
        self,
        hub: OcppHub,
        station: ChargingStation,
        logs: Logs,
        subentry_id: str,
    ) -> None:
        """Keep files in the folder of the charger."""
        self.logs = logs
        self._hass = hub.hass
        self._hub = hub
        self._station = station
        self._subentry_id = subentry_id
        self._folder = _folder(hub.hass, subentry_id)
        self._timers: dict[int, CALLBACK_TYPE] = {}
        self._watchers: dict[int, asyncio.Task[LogTask]] = {}

    async def async_load(self) -> None:
        """Expect again what was to come before a restart, and tidy up."""
        for task in self.logs.open:
            if task.transfer is Transfer.HTTP:
                self._open(task)
            self._watch(task, None)
        await self._async_prune(parts=True)

    @callback
    def close(self) -> None:
        """Expect nothing any more; what is to come still comes after a restart."""
        for task in self.logs.tasks.values():
            self._close_slot(task)
        for watcher in self._watchers.values():
            watcher.cancel()
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()

    async def async_fetch(self, wish: LogWish) -> LogTask:
        """Ask the charger for a log, which comes later."""
        task = await self._async_ask(wish)
        self._watch(task, wish)
        return task

    async def async_wait(self, task: LogTask, seconds: float) -> LogTask:
        """Return what became of a log, or how far it is after so many seconds."""
        watcher = self._watchers[task.request_id]
        # Neither the end of the wait nor that of the server is the end of the other.
        await asyncio.wait({watcher}, timeout=seconds)
        if watcher.done() and not watcher.cancelled():
            return watcher.result()
        return task

    @property
    def files(self) -> list[LogTask]:
        """Return the logs whose files are kept, newest first."""
        came = [one for one in self.logs.tasks.values() if one.file is not None]
        return sorted(came, key=_received_at, reverse=True)[:KEPT]

    def path(self, request_id: str) -> tuple[Path, str] | None:
        """Return where a file that is kept is, and its name."""
        for task in self.files:
            if str(task.request_id) == request_id and task.file is not None:
                return self._folder / task.file.stored, task.file.name
        return None

    @callback
    def async_url(self, task: LogTask) -> str | None:
        """Return a link to a file that works for a day without logging in."""
        if self.path(str(task.request_id)) is None:
            return None
        path = f"{URL}{self._subentry_id}/{task.request_id}"
        return async_sign_path(self._hass, path, LINK_LIFE, use_content_user=True)

    # Asking

    async def _async_ask(self, wish: LogWish) -> LogTask:
        with translated_errors(self._station):
            link = self._station.link(Capability.LOGS)
            task, location = await self._async_prepare(wish, link)
            try:
                outcome = await self.logs.send(
                    link,
                    LogRequest(
                        request_id=task.request_id,
                        kind=wish.kind,
                        location=location,
                        since=wish.since,
                        until=wish.until,
                        retries=wish.retries,
                        retry_interval=wish.retry_interval,
                    ),
                )
                checked(self._station, outcome)
            except BaseException:
                self._close_slot(task)
                raise
        return task

    async def _async_prepare(self, wish: LogWish, link: Link) -> tuple[LogTask, str]:
        """Return a task and where the file is to go."""
        if wish.location is not None:
            return await self.logs.begin(wish.kind), wish.location
        origin = self._hub.central_system.origin(self._station.identity)
        if origin is None:
            raise failed("no_upload_address", charger=self._station.settings.name)
        transfer = wish.transfer or self.logs.works or _best(link.file_transfers)
        secret = new_secret()
        task = await self.logs.begin(wish.kind, transfer=transfer, slot=secret)
        if transfer is Transfer.HTTP:
            return task, f"{origin}{self._open(task)}"
        slot = self._slot(task, secret)
        try:
            url = await self._hub.central_system.ftp.open(slot, host_of(origin))
        except OSError as err:
            raise failed("ftp_unavailable", reason=str(err)) from err
        return task, url

    # Receiving

    def _slot(self, task: LogTask, secret: str) -> Slot:
        async def async_take(upload: Upload) -> None:
            await self._async_received(task, upload)

        return Slot(
            secret=secret,
            path=self._folder / str(task.request_id),
            expires=task.expires,
            taker=async_take,
        )

    def _open(self, task: LogTask) -> str:
        """Let a file come by HTTP; return the path for it."""
        slot = self._slot(task, task.slot or new_secret())
        return self._hub.central_system.uploads.open(slot)

    @callback
    def _close_slot(self, task: LogTask) -> None:
        if task.slot is not None:
            self._hub.central_system.uploads.close(task.slot)
            self._hub.central_system.ftp.close(task.slot)

    async def _async_received(self, task: LogTask, upload: Upload) -> None:
        default = f"{task.kind}-{task.request_id}.log"
        await self.logs.received(
            task,
            LogFile(
                stored=upload.path.name,
                name=safe_name(upload.name or task.expected, default),
                size=upload.size,
                received_at=utc_now(),
            ),
        )
        self._close_slot(task)
        await self._async_prune()
        if task.request_id not in self._watchers:
            # It was given up already, and came all the same.
            self._hub.entry.async_create_background_task(
                self._hass, self._async_tell(task), "log of a charger"
            )

    async def _async_prune(self, *, parts: bool = False) -> None:
        kept = {one.file.stored for one in self.files if one.file is not None}
        kept |= {str(one.request_id) for one in self.logs.open}
        await self._hass.async_add_executor_job(_prune, self._folder, kept, parts)

    # What becomes of it

    def _watch(self, task: LogTask, wish: LogWish | None) -> None:
        self._expire_later(task)
        watcher = self._hub.entry.async_create_background_task(
            self._hass, self._async_watch(task, wish), "log of a charger"
        )
        self._watchers[task.request_id] = watcher
        watcher.add_done_callback(lambda _: self._watchers.pop(task.request_id))

    def _expire_later(self, task: LogTask) -> None:
        async def async_expire(_now: datetime) -> None:
            del self._timers[task.request_id]
            self._close_slot(task)
            try:
                await self.logs.expired(task)
            except JournalError:
                _LOGGER.exception("The end of a log request is not saved")

        left = max(timedelta(), task.expires - utc_now())
        job = HassJob(async_expire, cancel_on_shutdown=True)
        self._timers[task.request_id] = async_call_later(self._hass, left, job)

    async def _async_watch(self, task: LogTask, wish: LogWish | None) -> LogTask:
        """Wait for a log; try the other way if it cannot come by the first."""
        await task.settled.wait()
        if task.request_id not in self.logs.tasks:
            # Newer ones have taken its place.
            self._close_slot(task)
        if task.failed and task.status != CANCELED and wish and wish.flexible:
            other = replace(wish, transfer=self.logs.works)
            with suppress(HomeAssistantError):
                task = await self._async_ask(other)
                self._expire_later(task)
                await task.settled.wait()
        await self._async_tell(task)
        return task

    async def _async_tell(self, task: LogTask) -> None:
        """Offer the file to the user, or say that none came."""
        texts = await async_get_translations(
            self._hass, self._hass.config.language, "common", {DOMAIN}
        )
        came = task.file is not None
        if not came and not task.failed:
            return
        key = "log_received" if came else "log_failed"
        prefix = f"component.{DOMAIN}.common.{key}"
        name = escape(self._station.settings.name)
        url = self.async_url(task)
        file = escape(task.file.name) if task.file is not None else ""
        # A link without a target would be taken for a page of the frontend.
        link = f'<a href="{escape(url)}" target="_blank">{file}</a>' if url else file
        persistent_notification.async_create(
            self._hass,
            texts.get(f"{prefix}_message", "{link}").format(
                charger=name, link=link, status=escape(task.status)
            ),
            texts.get(f"{prefix}_title"),
            f"{DOMAIN}_{key}_{self._subentry_id}_{task.kind}",
        )


async def async_remove_files(hass: HomeAssistant, subentry_id: str) -> None:
    """Delete the files of a charger that is gone."""
    folder = _folder(hass, subentry_id)
    await hass.async_add_executor_job(shutil.rmtree, folder, True)


def _folder(hass: HomeAssistant, subentry_id: str) -> Path:
    return Path(hass.config.path(DOMAIN, "logs", subentry_id))


def _prune(folder: Path, kept: set[str], parts: bool) -> None:
    """Delete what is not kept; what is being received only if `parts`."""
    for path in folder.glob("*"):
        if path.name not in kept and (parts or path.suffix != ".part"):
            path.unlink(missing_ok=True)


def _received_at(task: LogTask) -> datetime:
    return task.file.received_at if task.file is not None else task.asked_at


def _best(supported: frozenset[str] | None) -> Transfer:
    """Return how a charger is to upload of which only its own word is known."""
    if supported is not None and not supported & {"HTTP", "HTTPS"}:
        if "FTP" in supported:
            return Transfer.FTP
    return Transfer.HTTP
