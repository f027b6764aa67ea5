"""Commissioning: brings a charger to us by local OCPP, and back (easee_cloud.md 3.6).

Every step is written down before it is taken, so that whoever comes after a crash finds
out how far it got. What somebody else stores is never overwritten.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from ..station.channel import Channel
from ..station.errors import JournalError
from ..station.secrets import shortened
from .commands import Commands
from .errors import EaseeError, Forbidden, NotFound, NotNow, Refused, Unavailable
from .local_details import Details
from .local_offline import OfflineBehavior
from .local_progress import MOST, Goal, Progress, Stage, Trouble
from .local_steps import Steps
from .readings import Readings
from .requests import Requests
from .timing import Time, limit

_LOGGER = logging.getLogger(__name__)

type Load = Callable[[], Awaitable[Any | None]]
type Store = Callable[[Any | None], Awaitable[None]]
type Connected = Callable[[datetime], Awaitable[None]]
"""Returns once the charger, with its password, has told of itself at or after a time."""
type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]

RETRY: Final = timedelta(minutes=1)
"""How soon the cloud is asked again if it does not work, ..."""
LONGEST_RETRY: Final = timedelta(minutes=15)
"""... and how soon if it does not work for long."""
TOLD: Final = frozenset({Stage.APPLIED, Stage.CONNECTED, Stage.VERIFIED})


class Commissioning:
    """One charger on its way to us, or back.

    `progress` says how far it is, None if it has never begun or is undone. Everything
    goes on by itself after `start`; it stops at a trouble until `retry`, `undo`, `adopt`
    or `leave` is called. These raise EaseeError only where they ask the cloud.
    """

    def __init__(
        self,
        serial: str,
        *,
        requests: Requests,
        commands: Commands,
        readings: Readings,
        time: Time,
        load: Load,
        store: Store,
        connected: Connected,
        spawn: Spawn,
    ) -> None:
        """Write down by `store` what is done; `connected` knows when the charger comes."""
        self.progress: Channel[Progress | None] = Channel(None, urgent=True)
        self._serial = serial
        behavior = OfflineBehavior(serial, commands, readings)
        self._steps = Steps(serial, requests, behavior, time)
        self._time = time
        self._load = load
        self._store = store
        self._connected = connected
        self._spawn = spawn
        self._resumed = time()
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on from what is written down."""
        self._resumed = self._time()
        if (kept := await self._load()) is not None:
            try:
                self.progress.set(Progress.from_dict(kept))
            except AttributeError, KeyError, TypeError, ValueError:
                _LOGGER.warning("How far local OCPP got is not readable")
        self._go_on()

    async def stop(self) -> None:
        """Do nothing more; what is begun is found out by who starts next."""
        if (task := self._task) is not None:
            self._task = None
            task.cancel()
            await asyncio.wait([task])

    @property
    def next_attempt(self) -> datetime | None:
        """Return when a charger that does not come is told once more, None if never."""
        progress = self.progress.value
        if progress is None or not _waits(progress) or progress.trouble is not None:
            return None
        return progress.again_at(self._resumed)

    # Decisions

    async def begin(self, details: Details, *, charge_when_away: bool = True) -> None:
        """Bring the charger to us; Refused if it is on its way already.

        With `charge_when_away` it is told first to charge when nobody is there.
        """
        async with self._lock:
            if self.progress.value is not None:
                raise Refused("local OCPP is set up already")
            await self._write(await self._steps.planned(details, charge_when_away))
        self._go_on()

    async def undo(self) -> None:
        """Have the charger dial us no longer, and be as it was."""
        async with self._lock:
            if (progress := self.progress.value) is not None:
                await self._write(
                    replace(
                        _calm(progress),
                        goal=Goal.OFF,
                        stage=Stage.PLANNED,
                        version=None,
                        applied=None,
                    )
                )
        self._go_on()

    async def retry(self) -> None:
        """Try again after a trouble; what was lost is stored anew."""
        async with self._lock:
            if (progress := self.progress.value) is not None:
                await self._write(_retried(progress))
        self._go_on()

    async def adopt(self) -> None:
        """Take what somebody else stored for ours, without changing it.

        If that is that the charger does not dial, it is as if we had undone it.
        """
        async with self._lock:
            stored = await self._steps.read()
            progress = self.progress.value
            if stored is not None and stored.details.active:
                now = self._time()
                fresh = progress or Progress(details=stored.details, settings={})
                progress = replace(
                    _calm(fresh),
                    goal=Goal.ON,
                    stage=Stage.APPLIED,
                    details=stored.details,
                    before=None,
                    version=stored.version,
                    attempts=MOST,
                    applied=now,
                )
            elif progress is not None:
                progress = replace(_calm(progress), goal=Goal.OFF, stage=Stage.APPLIED)
            await self._write(progress)
        self._go_on()

    async def leave(self) -> None:
        """Forget all of it, and leave the charger as it is."""
        async with self._lock:
            await self._write(None)

    async def inspect(self) -> None:
        """See whether what was stored is still there, and whose the charger is (S33)."""
        async with self._lock:
            progress = self.progress.value
            if progress is None or not _told(progress):
                return
            if (after := await self._steps.look(progress)) != progress:
                await self._write(after)
        self._go_on()

    # What goes on by itself

    def _go_on(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._spawn(self._run(), "local OCPP of an Easee charger")

    async def _run(self) -> None:
        try:
            await self._walk()
        except EaseeError as err:
            _LOGGER.debug("%s: %s", shortened(self._serial), type(err).__name__)
        except Exception:
            _LOGGER.exception("%s: local OCPP", shortened(self._serial))

    async def _walk(self) -> None:
        """Take all steps that there are to take."""
        wait = RETRY
        while True:
            self._changed.clear()
            progress = self.progress.value
            if progress is None:
                return
            try:
                if _waits(progress):
                    await self._wait(progress)
                elif self._steps.next(progress) is not None:
                    await self._step()
                else:
                    return
            except NotNow as err:
                await self._rest(err.until - self._time())
            except Unavailable, JournalError:
                await self._rest(wait)
                wait = min(2 * wait, LONGEST_RETRY)
            else:
                wait = RETRY

    async def _step(self) -> None:
        """Take the next step, whatever somebody decided meanwhile."""
        async with self._lock:
            progress = self.progress.value
            step = None if progress is None else self._steps.next(progress)
            if progress is None or step is None:
                return
            try:
                after = await step(progress)
            except Forbidden as err:
                after = _troubled(progress, Trouble.FORBIDDEN, err)
            except NotFound as err:
                after = _troubled(progress, Trouble.NOT_FOUND, err)
            except Refused as err:
                after = _troubled(progress, Trouble.REFUSED, err)
            await self._write(after)

    async def _wait(self, progress: Progress) -> None:
        """Wait until the charger comes, until it is late, or somebody decides."""
        due = self._due(progress)
        came = await self._came(progress.applied or self._resumed, due)
        async with self._lock:
            if self.progress.value is not progress:
                return
            if came:
                await self._write(replace(_calm(progress), stage=Stage.CONNECTED))
            elif due is not None and self._time() >= due:
                await self._write(self._overdue(progress))

    def _due(self, progress: Progress) -> datetime | None:
        """Return until when to wait, None for as long as it takes."""
        if progress.trouble is not None:
            return None
        if progress.late:
            return progress.again_at(self._resumed)
        return progress.overdue_at(self._resumed)

    def _overdue(self, progress: Progress) -> Progress:
        """Return what follows from waiting in vain."""
        if progress.late:
            return replace(progress, stage=Stage.STORED)
        if progress.again_at(self._resumed) is not None:
            return replace(progress, late=True)
        return replace(progress, late=True, trouble=Trouble.NOT_CONNECTED)

    async def _came(self, since: datetime, due: datetime | None) -> bool:
        """Return whether the charger comes before `due`, or anything changes."""
        coming = asyncio.ensure_future(self._connected(since))
        changing = asyncio.ensure_future(self._changed.wait())
        seconds = None if due is None else (due - self._time()).total_seconds()
        patience = nullcontext() if seconds is None else limit(self._time, seconds)
        try:
            async with patience:
                await asyncio.wait(
                    [coming, changing], return_when=asyncio.FIRST_COMPLETED
                )
        except TimeoutError:
            return False
        else:
            return coming.done() and coming.result() is None
        finally:
            coming.cancel()
            changing.cancel()
            await asyncio.wait([coming, changing])

    async def _rest(self, span: timedelta) -> None:
        """Let the cloud be for a while, unless somebody decides."""
        try:
            async with limit(self._time, max(span.total_seconds(), 1.0)):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _write(self, progress: Progress | None) -> None:
        await self._store(None if progress is None else progress.as_dict())
        if progress is not None:
            _LOGGER.debug(
                "%s: local OCPP %s, %s, %s",
                shortened(self._serial),
                progress.goal,
                progress.stage,
                progress.trouble or "no trouble",
            )
        self.progress.set(progress)
        self._changed.set()


def _told(progress: Progress) -> bool:
    """Return whether a charger has been told to dial us, and nothing else since."""
    return progress.goal is Goal.ON and progress.stage in TOLD


def _waits(progress: Progress) -> bool:
    """Return whether there is nothing to do but wait for the charger."""
    return (
        progress.goal is Goal.ON
        and progress.stage is Stage.APPLIED
        and progress.trouble in {None, Trouble.NOT_CONNECTED}
    )


def _calm(progress: Progress) -> Progress:
    """Return the progress without its trouble."""
    return replace(progress, trouble=None, detail="", late=False)


def _troubled(progress: Progress, trouble: Trouble, err: EaseeError) -> Progress:
    return replace(progress, trouble=trouble, detail=err.title)


def _retried(progress: Progress) -> Progress:
    """Return the progress from where it is tried again."""
    calm = _calm(progress)
    if progress.goal is Goal.OFF or progress.stage in {Stage.PLANNED, Stage.PREPARED}:
        return calm
    calm = replace(calm, attempts=0, first_applied=None, applied=None)
    if progress.trouble is Trouble.LOST:
        return replace(calm, stage=Stage.PREPARED, before=None, version=None)
    return replace(calm, stage=Stage.STORED)
