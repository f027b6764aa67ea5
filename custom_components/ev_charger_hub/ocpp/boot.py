"""Boot: who a station is, when it restarted, and the time (OCPP 1.6 4.2, 2.x B01)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from zlib import crc32

from ..station.clock import CallLater, Timer
from ..station.errors import NotConnected
from ..station.events import Booted
from ..station.link import Link
from ..station.model import StationInfo
from ..station.outcome import OutcomeStatus
from . import timestamps
from .adapter import StationContext
from .errors import CallError, CallNotSent
from .quirks import Quirks, quirks_of
from .rpc import Reply

HEARTBEAT_INTERVAL = 300
"""Seconds between heartbeats, as stations are told."""

LOOP_INTERVAL = 900
"""The same for a station that restarts again and again: it need not hurry."""

PATIENCE = 10.0
"""Seconds that a station has after connecting before it is asked to boot."""

SPREAD = 5.0
"""Seconds over which stations that come back together are asked about themselves."""

REPEAT_WITHIN = timedelta(seconds=10)
"""No station restarts twice in this time: it only did not hear our answer."""

ASKED_WITHIN = timedelta(seconds=60)
"""How long a boot may be the answer to our asking, and so no restart."""

LOOP = 5
"""More restarts than this within LOOP_WITHIN are a loop, which we may be the cause of."""

LOOP_WITHIN = timedelta(minutes=10)

AT_ONCE = 2
"""So many set-ups may a station that boots too often have within LOOP_WITHIN."""

FINDING = "boot"
"""The finding about restarts."""

_MAX_TEXT = 255


class Preparation(Protocol):
    """Set-up: what is asked of a station and written to it after a boot."""

    @property
    def interrupted(self) -> bool:
        """Return whether the station went away before the last step."""

    def start(self) -> None:
        """Run, or run again after a reboot."""

    def hold(self) -> None:
        """Do only what cannot wait after a restart."""

    def stop(self) -> None:
        """Send nothing more, until it is started again."""


@dataclass(kw_only=True, slots=True, frozen=True)
class BootFacts:
    """What a version of OCPP knows of boots: who boots, and what a restart undoes."""

    info: Callable[[dict[str, Any]], StationInfo]
    restarted: Callable[[], None]


class Caller:
    """Passes calls on, and remembers those that make the station boot."""

    def __init__(self, context: StationContext) -> None:
        """Pass calls on to `context`."""
        self._context = context
        self.reset = False
        """The station was told to restart and has not booted since."""
        self.asked_at: datetime | None = None
        """When the station was asked to repeat its boot, until it did."""
        self.asked = False
        """The station was asked for a boot on this connection, by whomever."""

    async def __call__(
        self, action: str, payload: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        """Send a call and return its answer."""
        asks = payload.get("requestedMessage") == "BootNotification"
        if asks:
            self.asked = True
            self.asked_at = self._context.clock()
        elif action == "Reset":
            self.reset = True
        try:
            answer = await self._context.call(action, payload, timeout)
        except CallError, CallNotSent:
            if asks or action == "Reset":
                self.forget()
            raise
        if (asks or action == "Reset") and answer.get("status") != "Accepted":
            self.forget()
        return answer

    def forget(self) -> None:
        """Expect no boot any more."""
        self.reset = False
        self.asked_at = None


class Boot:
    """The boots of a station.

    A boot that we asked for, or that was repeated because our answer got lost, is no
    restart: it tells who the station is and changes nothing else.
    """

    def __init__(
        self,
        context: StationContext,
        caller: Caller,
        facts: BootFacts,
        link: Link,
        setup: Preparation,
        call_later: CallLater,
    ) -> None:
        """Run `setup` when it is due, and ask for a boot by `link`."""
        self._context = context
        self._caller = caller
        self._facts = facts
        self._link = link
        self._setup = setup
        self._set_up = False
        self._booted_at: datetime | None = None
        self._call_later = call_later
        self._timer: Timer | None = None
        self._restarts: deque[datetime] = deque(maxlen=LOOP + 1)
        self._calm: Timer | None = None
        self._begun: deque[datetime] = deque(maxlen=AT_ONCE)
        self._set_up_here = False
        """Set-up was begun on this socket."""
        self._queued: Timer | None = None
        """The set-up that the boots of a station that boots too often come to."""

    def attached(self) -> None:
        """Wait for a boot on a new socket, and in the end ask for it."""
        self._caller.asked_at = self._booted_at = None
        self._caller.asked = False
        self._set_up_here = False
        station = self._context.station
        if station.info.value != StationInfo():
            # Accepted before: it may go on without a boot, or without a word.
            station.local.set(True)
        self._cancel()
        if not station.settings.quiet and not self._looping:
            self._timer = self._call_later(PATIENCE + self._turn, self._ask)

    @property
    def _turn(self) -> float:
        """Return how much later than others this station is asked, always the same.

        The proxy of a cloud comes back with all its stations at once (Easee, row S56).
        """
        if not self._quirks.returns_silently:
            return 0.0
        return crc32(self._context.station.identity.encode()) / 2**32 * SPREAD

    @property
    def _quirks(self) -> Quirks:
        return quirks_of(self._context.station.info.value)

    def detached(self) -> None:
        """Take note that nobody will boot on this socket any more."""
        self._cancel()
        self._context.station.local.set(False)

    def boot_notification(self, payload: dict[str, Any]) -> Reply:
        """Accept a station (OCPP 1.6 4.2, 2.x B01)."""
        now = self._context.clock()
        self._cancel()
        self._context.station.info.set(self._facts.info(payload))
        told, restarted = self._caller.reset, self._restarted(now)
        if restarted:
            self._facts.restarted()
            self._restarts.append(now)
        self._booted_at = now
        self._caller.forget()
        return Reply(
            {
                "status": "Accepted",
                "currentTime": timestamps.render(now),
                "interval": LOOP_INTERVAL if self._looping else HEARTBEAT_INTERVAL,
            },
            partial(self._accepted, restarted=restarted, told=told),
        )

    def heartbeat(self, payload: dict[str, Any]) -> Reply:
        """Answer the time (OCPP 1.6 4.6, 2.x G02)."""
        return Reply({"currentTime": timestamps.render(self._context.clock())})

    def _restarted(self, now: datetime) -> bool:
        """Return whether the boot that is being handled means a restart."""
        if self._caller.reset:
            return True
        if self._booted_at is not None and now - self._booted_at < REPEAT_WITHIN:
            return False
        asked_at = self._caller.asked_at
        return asked_at is None or now - asked_at > ASKED_WITHIN

    def _accepted(self, *, restarted: bool, told: bool) -> None:
        station = self._context.station
        station.local.set(True)
        if restarted:
            station.emit(Booted())
        if self._looping:
            self._leave_alone()
        elif not restarted and not self._unready:
            return
        elif told or (left := self._left_until_setup()) <= 0:
            self._start_setup()
        else:
            self._queue_setup(left)

    def _left_until_setup(self) -> float:
        """Return in how many seconds a station may be set up once more."""
        if (spacing := self._quirks.boots_again) is None or not self._begun:
            return 0.0
        now = self._context.clock()
        left = timedelta()
        if self._set_up_here:
            # No station that restarted keeps its socket.
            left = self._begun[-1] + timedelta(seconds=spacing) - now
        if len(self._begun) == AT_ONCE:
            left = max(left, self._begun[0] + LOOP_WITHIN - now)
        return min(left, LOOP_WITHIN).total_seconds()

    def _queue_setup(self, left: float) -> None:
        """Set up once for all boots of a while; what limits a vehicle cannot wait."""
        self._setup.hold()
        if self._queued is None:
            self._queued = self._call_later(left, self._overdue)

    def _overdue(self) -> None:
        self._queued = None
        if self._link.connected and not self._looping:
            self._start_setup()

    @property
    def _looping(self) -> bool:
        """Return whether the station restarts again and again."""
        restarts = self._restarts
        return (
            len(restarts) == restarts.maxlen
            and self._context.clock() - restarts[0] < LOOP_WITHIN
        )

    def _leave_alone(self) -> None:
        """Send nothing of our own accord until the station has calmed down."""
        self._setup.stop()
        self._unqueue()
        minutes = LOOP_WITHIN // timedelta(minutes=1)
        self._context.station.findings[FINDING] = (
            f"loop: more than {LOOP} restarts within {minutes} minutes"
        )
        if self._calm is not None:
            self._calm.cancel()
        self._calm = self._call_later(LOOP_WITHIN.total_seconds(), self._calmed)

    def _calmed(self) -> None:
        self._calm = None
        self._context.station.findings.pop(FINDING, None)
        if self._link.connected:
            self._start_setup()

    @property
    def _unready(self) -> bool:
        """Return whether set-up never ran, or was cut short by the end of a socket."""
        return not self._set_up or self._setup.interrupted

    def _start_setup(self) -> None:
        self._unqueue()
        self._set_up = True
        self._set_up_here = True
        self._begun.append(self._context.clock())
        self._setup.start()

    def _unqueue(self) -> None:
        if self._queued is not None:
            self._queued.cancel()
            self._queued = None

    def _ask(self) -> None:
        self._timer = None
        if not self._caller.asked:
            self._context.spawn(self._ask_for_boot(), "ask for a boot")
        elif self._unready:
            self._start_setup()

    async def _ask_for_boot(self) -> None:
        """Ask once; a station that will not boot is set up all the same."""
        try:
            await self._ask_for_statuses()
            outcome = await self._link.trigger("BootNotification", None)
        except NotConnected:
            return
        if not self._unready or not self._link.connected:
            return
        if outcome.status is OutcomeStatus.NO_ANSWER:
            # On a newer socket, which is waited for anew.
            return
        if outcome.ok:
            # Set-up must know which quirks to mind.
            self._timer = self._call_later(PATIENCE, self._start_setup)
        else:
            self._start_setup()

    async def _ask_for_statuses(self) -> None:
        """Ask what became of the connectors of a station that does not tell (S40).

        Set-up does so for one that was not set up yet. Whatever it answers is fine.
        """
        if not self._quirks.returns_silently or self._unready:
            return
        for evse_id in self._context.station.evses:
            await self._link.trigger("StatusNotification", evse_id)

    def close(self) -> None:
        """Let nothing happen any more."""
        self.detached()
        self._unqueue()
        if self._calm is not None:
            self._calm.cancel()
            self._calm = None

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def text(payload: dict[str, Any], field: str) -> str | None:
    """Return a field of a message without its padding, None if nothing is left of it."""
    text: str = payload.get(field) or ""
    return text.strip(" \t\r\n\0")[:_MAX_TEXT] or None
