"""Sessions: what a charger tells of them, in the journal once, whatever comes when.

Its mode tells that there is a session, observation 223 which one it is, 129 that it is
over and what it came to. They come in any order, late, twice and after every
reconnect again (easee_cloud.md 2.4).
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import logging
from typing import Any, Final

from ..station.clock import Timer
from ..station.enums import StopReason
from ..station.errors import JournalError
from ..station.events import SessionKnown, SessionSettled, TokenPresented
from ..station.same_session import AT_ONCE, Trace, same_meter, trace_of
from ..station.secrets import shortened
from ..station.transaction import Transaction
from .enums import OpMode
from .feed import AWAITS_AUTHORIZATION, IN_SESSION, VACANT, Feed
from .feed_energy import Register
from .feed_signatures import Signatures
from .told_sessions import EVSE, ToldSession, unnamed

_LOGGER = logging.getLogger(__name__)

PATIENCE: Final = 30.0
"""Seconds that a session may wait for its id."""

REASON: Final = 5.0
"""Seconds that an end may wait for the mode that tells why."""

RETRY: Final = 60.0
"""Seconds after which the journal is tried again."""

LOCAL_FIRST: Final = 30.0
"""Seconds that a start waits for a charger that is connected to us to tell of it."""

SILENCE: Final = timedelta(minutes=10)
"""After so long without a reading of its own the cloud counts a session."""

NEAR: Final = timedelta(seconds=60)
"""So near to an end lies the mode that tells why."""

_MOST: Final = 100
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(kw_only=True, slots=True, frozen=True)
class _Waiting:
    """An end that was told, and until when it may wait for more."""

    told: ToldSession
    until: datetime
    held: bool = False
    """Whether it waits for what the charger itself is about to tell us."""


class SessionFeed:
    """Puts the sessions of a charger into its journal and model."""

    def __init__(self, feed: Feed, register: Register) -> None:
        """Go on with the session that the journal has open."""
        self._feed = feed
        self._register = register
        self._start: ToldSession | None = None
        self._start_until = _NEVER
        """Until when that waits for the charger itself to tell of it."""
        self._begun: str | None = None
        """The id of the last start that needs nothing more."""
        self._ends: dict[str, _Waiting] = {}
        self._ended: dict[str, ToldSession] = {}
        self._last_stop: datetime | None = None
        self._signatures = Signatures(feed)
        self._vacated: tuple[OpMode, datetime] | None = None
        """The last mode that rules a session out, and when it was."""
        self._present: tuple[datetime, datetime] | None = None
        """Since when the mode says that there is a session, and when we heard of it."""
        self._unnamed_from: datetime | None = None
        self._energy: tuple[int, datetime] | None = None
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._failing = False
        self._unsubscribes = (
            feed.station.local.subscribe(self.look),
            feed.evse.session.subscribe(self._session_changed),
        )

    # What is told

    def started(self, told: ToldSession) -> None:
        """Take the start of a session; only the last one can go on."""
        self._read_meter(told.meter_start, told.started_at)
        if self._start is None or told.started_at >= self._start.started_at:
            if told != self._start:
                patience = timedelta(seconds=LOCAL_FIRST)
                self._start_until = self._feed.time() + patience
            self._start = told
            self.look()

    def ended(self, told: ToldSession) -> None:
        """Take a session that is over."""
        assert told.stopped_at is not None
        self._read_meter(told.meter_start, told.started_at)
        self._read_meter(told.meter_stop, told.stopped_at)
        self._last_stop = max(self._last_stop or told.stopped_at, told.stopped_at)
        if told.id in self._ends or self._ended.get(told.id) == told:
            return
        until = self._feed.time() + timedelta(seconds=REASON)
        self._ends[told.id] = _Waiting(told=told, until=until)
        self.look()

    def signed(self, value: str, at: datetime) -> None:
        """Take what the meter signed of a session."""
        self._signatures.take(value, at)
        self.look()

    def mode(self, mode: OpMode | None, at: datetime) -> None:
        """Take what the charger does since some moment."""
        if mode is not None and mode in VACANT | AWAITS_AUTHORIZATION:
            self._vacated = mode, at
            self._present = self._unnamed_from = None
        elif mode in IN_SESSION and (
            self._present is None or self._present[0] <= self._stop_known() < at
        ):
            self._present = at, self._feed.time()
        self.look()

    def energy(self, energy: int, at: datetime) -> None:
        """Take the energy of the session in Wh, which is never 0 once it flows (A3)."""
        if energy > 0:
            self._energy = energy, at
            self._count()

    def _session_changed(self) -> None:
        """Go on with what waited for the charger itself."""
        if self._ends or (self._start is not None and self._start.id != self._begun):
            self.look()

    def _read_meter(self, register: int | None, at: datetime) -> None:
        if register is not None:
            self._register.meter(register, at)

    # What goes on

    def _running(self) -> Transaction | None:
        """Return the open session, if it is for the cloud to say how far it got."""
        session = self._feed.transactions.running(EVSE)
        if session is None or session.cloud_only or not self._feed.station.local.value:
            return session
        heard = session.meter_last_at or session.started_at
        return session if self._feed.time() - heard > SILENCE else None

    def _counted(self, session: Transaction) -> tuple[int, datetime] | None:
        """Return the energy that counts for a session, None if it is of another."""
        if self._energy is None:
            return None
        # What is stamped in the second of the start may be of the session before.
        belongs = self._energy[1] >= session.started_at + timedelta(seconds=1)
        return self._energy if belongs else None

    def _count(self) -> None:
        """Let the open session, and the register, be as far as the charger says."""
        session = self._running()
        if session is None or (counted := self._counted(session)) is None:
            return
        energy, at = counted
        begin = meter = session.meter_start
        start = self._start
        if session.cloud_only:
            if start is not None and start.transaction_id == session.cloud_name:
                meter = start.meter_start or meter
        elif start is not None:
            if start.started_at > session.started_at + NEAR:
                return
            meter = start.meter_start or meter
            if _of_one_meter(start, session):
                # The charger may have told of it only when it went on already.
                begin = start.meter_start
        register = (begin or 0) + energy
        if register >= (session.meter_last or 0):
            self._feed.transactions.meter(
                evse_id=EVSE,
                transaction_id=session.transaction_id,
                register=register,
                at=at,
                proves=self._is_since_start(at),
            )
        # A session that was noticed without its start is counted from 0.
        if meter:
            self._register.meter(meter + energy, at)

    def _is_since_start(self, at: datetime) -> bool:
        """Return whether something is no repetition of what was before we started."""
        resumed_at = self._feed.station.resumed_at
        return resumed_at is None or self._feed.source.moment(at) >= resumed_at

    def _stop_known(self) -> datetime:
        """Return when the last session ended, as far as anybody knows."""
        session = self._feed.evse.session.value
        known = (self._last_stop, None if session is None else session.stopped_at)
        return max((one for one in known if one is not None), default=_NEVER)

    # What is to be done

    def look(self) -> None:
        """Do what is to be done now, one after the other."""
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._work(), name="Easee sessions")

    async def settle(self) -> None:
        """Wait until nothing is being done."""
        while self._task is not None:
            await asyncio.wait([self._task])
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Begin nothing more; what was given to the journal reaches it."""
        self._closed = True
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        self._cancel()
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            await self._do_all()
        except JournalError as err:
            if not self._failing:
                _LOGGER.warning(
                    "%s: a session cannot be kept now: %s",
                    shortened(self._feed.serial),
                    err,
                )
            self._failing = True
            self._wake_in(RETRY)
        except Exception:
            _LOGGER.exception("%s: a session is lost", shortened(self._feed.serial))
            self._ends.clear()
            self._signatures.clear()
        finally:
            self._task = None

    async def _do_all(self) -> None:
        self._cancel()
        while not self._closed and (step := self._next()) is not None:
            await step
            self._failing = False
        self._count()
        if (moment := self._due()) is not None:
            self._wake_in((moment - self._feed.time()).total_seconds())

    def _wake_in(self, seconds: float) -> None:
        self._cancel()
        if not self._closed:
            self._timer = self._feed.time.call_later(max(seconds, 0.1), self.look)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> Coroutine[Any, Any, None] | None:
        """Return what is to be done next, None if there is nothing, or not yet."""
        now, start = self._feed.time(), self._start
        begins = start is not None and self._goes_on(start)
        for waiting in self._ends.values():
            if now < waiting.until and self._may_wait(waiting, begins=begins):
                continue
            return self._finish(waiting.told)
        if start is not None and begins and not self._is_left_to_charger(start):
            return self._begin(start)
        if (since := self._nameless()) is not None:
            if now >= self._patience:
                return self._begin_unnamed(since)
        return self._signatures.next(now)

    def _due(self) -> datetime | None:
        """Return when there may be something to be done."""
        dues = [one.until for one in self._ends.values()]
        if (signature := self._signatures.due) is not None:
            dues.append(signature)
        if self._nameless() is not None:
            dues.append(self._patience)
        if self._feed.station.local.value and self._start_until > self._feed.time():
            dues.append(self._start_until)
        return min(dues, default=None)

    def _is_left_to_charger(self, start: ToldSession) -> bool:
        """Return whether the charger itself is about to tell us of a start."""
        if not self._feed.station.local.value:
            return False
        running = self._feed.transactions.running(EVSE)
        told = running is not None and running.started_at >= start.started_at - NEAR
        return not told and self._feed.time() < self._start_until

    # Ends

    def _may_wait(self, waiting: _Waiting, *, begins: bool) -> bool:
        """Return whether an end may wait for more to be told of it."""
        if waiting.held:
            return self._feed.station.local.value
        return not begins and not self._is_explained(waiting.told)

    def _is_explained(self, told: ToldSession) -> bool:
        """Return whether nothing more will be heard of why a session ended."""
        assert told.stopped_at is not None
        history = self._feed.transactions.is_history(told.stopped_at)
        return history or self._reason(told) is not StopReason.OTHER

    def _reason(self, told: ToldSession) -> StopReason:
        """Return why a session ended, by what the charger did then."""
        assert told.stopped_at is not None
        if self._vacated is None:
            return StopReason.OTHER
        mode, at = self._vacated
        if not told.stopped_at - AT_ONCE <= at <= told.stopped_at + NEAR:
            return StopReason.OTHER
        if mode in VACANT:
            return StopReason.EV_DISCONNECTED
        return StopReason.DE_AUTHORIZED

    async def _finish(self, told: ToldSession) -> None:
        """Keep a session that is over, unless the charger is about to say so."""
        transactions = self._feed.transactions
        running = transactions.running(EVSE)
        session = await transactions.event(told.end(self._reason(told)))
        if session.open:
            # Its own word of the end is on its way.
            until = self._feed.time() + timedelta(seconds=PATIENCE)
            self._ends[told.id] = _Waiting(told=told, until=until, held=True)
            return
        self._ends.pop(told.id, None)
        self._ended[told.id] = told
        if len(self._ended) > _MOST:
            del self._ended[next(iter(self._ended))]
        if session is running:
            ended = session.stopped_at
            if ended is not None and not transactions.is_history(ended):
                settled = SessionSettled(evse_id=EVSE, transaction=session)
                self._feed.station.emit(settled)

    # Begins

    def _goes_on(self, start: ToldSession) -> bool:
        """Return whether the last session that was told to start is to be begun."""
        if start.id in {self._begun, *self._ends, *self._ended}:
            return False
        if self._present is None and self._feed.mode not in AWAITS_AUTHORIZATION:
            return False
        vacated = self._vacated
        over = vacated is not None and vacated[1] > start.started_at + AT_ONCE
        return self._feed.liveness.online.value and not over

    async def _begin(self, start: ToldSession) -> None:
        """Let a session be the open one, unless it is known to be over."""
        transactions = self._feed.transactions
        known = await transactions.recall(start.transaction_id)
        if known is None or known.open:
            before = transactions.running(EVSE)
            session = await transactions.event(start.begin)
            self._count()
            if session.open and session is not before:
                self._opened(session)
        self._begun = start.id

    def _nameless(self) -> datetime | None:
        """Return since when a session goes on of which nothing else is told."""
        if self._present is None or not self._feed.liveness.online.value:
            return None
        if self._feed.station.local.value:
            # Whoever is connected to us tells of its sessions itself.
            return None
        since, _ = self._present
        told = self._feed.transactions.running(EVSE) is not None
        old = since <= self._stop_known() + AT_ONCE
        return None if told or old or since == self._unnamed_from else since

    @property
    def _patience(self) -> datetime:
        """Return until when a session may wait for its id."""
        heard = self._feed.time() if self._present is None else self._present[1]
        return heard + timedelta(seconds=PATIENCE)

    async def _begin_unnamed(self, since: datetime) -> None:
        """Let a session be open of which only the mode tells."""
        session = await self._feed.transactions.event(unnamed(since))
        self._unnamed_from = since
        self._count()
        if session.open:
            self._opened(session)

    def _opened(self, session: Transaction) -> None:
        """Tell of a session that goes on and was not known to."""
        station = self._feed.station
        station.emit(SessionKnown(evse_id=EVSE, transaction=session))
        history = self._feed.transactions.is_history(session.started_at)
        if (token := session.id_token) is None or history:
            return
        self._feed.evse.id_token_seen.set((token, session.started_at))
        if station.reader.is_news(token, self._feed.time(), session.key):
            station.id_token_presented.set((token, session.started_at))
            station.emit(TokenPresented(id_token=token, status=None, evse_id=EVSE))


def _of_one_meter(told: ToldSession, session: Transaction) -> bool:
    """Return whether the cloud and the charger tell of the same register."""
    trace = Trace(started_at=told.started_at, meter_start=told.meter_start)
    return same_meter(trace, trace_of(session))
