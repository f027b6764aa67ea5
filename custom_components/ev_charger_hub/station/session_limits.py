"""Limits of sessions: "charge 10 kWh", by the station itself or else by us (2.1 E16).

A station of OCPP 2.1 hears the limit in the answer to an event, and ends the session by
itself. What it does not confirm, and what older stations know nothing of, we watch: we
ask it to stop when there was enough.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
import logging
from typing import Any

from .channel import Channel
from .clock import CallLater, Clock, Timer, call_later as loop_call_later
from .enums import Location, Measurand
from .errors import NotConnected, NotSupported, StationError
from .events import SessionEnded, SessionStarted, StationEvent
from .journal import Journal
from .link import Capability
from .model import ChargingStation, Evse, MeasurementKey
from .secrets import shortened
from .session_limit import LimitKind, SessionLimit, parse
from .transaction import Transaction
from .ways import carry

_LOGGER = logging.getLogger(__name__)

FACT = "session_limits"

NEXT = timedelta(days=1)
"""How long a limit waits for the session that it is for."""

RETRY = 30.0
"""Seconds until a stop is asked for again that was not done."""

SPARE = SessionLimit(energy=200, duration=60, soc=2, cost=Decimal("0.05"))
"""How much more a station may let through that ends the session by itself."""

_NOTHING = SessionLimit()
_SOCS = tuple(
    MeasurementKey(measurand=Measurand.SOC, location=one) for one in (None, Location.EV)
)

type Spawn = Callable[[Coroutine[Any, Any, None], str], object]


@dataclass(kw_only=True, slots=True, frozen=True)
class Kept:
    """A limit at an EVSE: of an open transaction (its key), or else of the next one.

    `told` says that the station has heard it; `confirmed` what it watches itself.
    """

    limit: SessionLimit
    at: datetime
    transaction: int | None = None
    told: bool = False
    confirmed: SessionLimit = _NOTHING


class SessionLimits:
    """What the sessions of one station may have."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        spawn: Spawn,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Know nothing until `load`."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._call_later = call_later
        self._kept: dict[int, Kept] = {}
        self._timers: dict[int, Timer] = {}
        self._stops: dict[int, Timer] = {}
        self._followed: set[Channel[Any]] = set()
        self._unsubscribes: list[Callable[[], None]] = []
        station.session_limits = self

    # Life

    async def load(self) -> None:
        """Bring back what was wanted before a restart."""
        kept = await self._journal.load(self._station.identity, FACT)
        for evse_id, one in (kept if isinstance(kept, dict) else {}).items():
            if limit := parse(one.get("limit")):
                self._kept[int(evse_id)] = Kept(
                    limit=limit,
                    at=datetime.fromisoformat(one["at"]),
                    transaction=one["transaction"],
                    told=one["told"],
                    confirmed=parse(one.get("confirmed")),
                )
        self._unsubscribes += [
            self._station.on_event(self._happened),
            self._station.on_growth(self._follow),
            self._station.online.subscribe(self._look_everywhere),
        ]
        self._follow()
        self._look_everywhere()

    def close(self) -> None:
        """Limit nothing any more."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        for evse_id in {*self._timers, *self._stops}:
            self._let_go(evse_id)

    # What is wanted

    async def want(self, evse_id: int, limit: SessionLimit) -> None:
        """Limit the open session of an EVSE, or else its next one; durable.

        Without any kind a limit is taken back.
        """
        evse = self._station.evse(evse_id)
        session = evse.transaction
        self._let_go(evse_id)
        before = self._kept.pop(evse_id, None)
        if limit or (before is not None and before.told and session is not None):
            # What the station has heard it has to hear otherwise.
            self._kept[evse_id] = Kept(
                limit=limit,
                at=self._clock(),
                transaction=None if session is None else session.key,
            )
        await self._journal.store(self._station.identity, FACT, self._dump())
        self._look(evse)
        if session is not None and evse_id in self._kept:
            self._spawn(self._announce(evse), "limit of a session")

    def of(self, transaction: Transaction) -> Kept | None:
        """Return the limit of a transaction."""
        kept = self._kept.get(transaction.evse_id)
        if kept is None or kept.transaction != transaction.key:
            return None
        return kept

    def told(self, transaction: Transaction) -> None:
        """Take note that the station hears the limit of a transaction."""
        if (kept := self.of(transaction)) is not None:
            self._change(transaction.evse_id, replace(kept, told=True))

    def confirmed(self, transaction: Transaction, limit: SessionLimit) -> None:
        """Take note of what a station says that it watches itself."""
        evse = self._station.evses.get(transaction.evse_id)
        if evse is None or transaction is not evse.transaction:
            return
        if (kept := self.of(transaction)) is None:
            # The driver has set it at the station.
            evse.session_limit.set(limit or None)
            return
        again = any(
            getattr(limit, one) > getattr(kept.limit, one)
            for one in limit.kinds & kept.limit.kinds
        )
        # What is lower than ours was chosen at the station, and counts (E16).
        kept = replace(kept, confirmed=limit, told=kept.told and not again)
        self._change(evse.id, kept)

    # What happens

    def _happened(self, event: StationEvent) -> None:
        match event:
            case SessionStarted(evse_id=evse_id, transaction=transaction):
                self._settle(evse_id, transaction)
                if self.of(transaction) is None:
                    self._forget(evse_id)
            case SessionEnded(evse_id=evse_id):
                self._let_go(evse_id)
                kept = self._kept.get(evse_id)
                if kept is not None and kept.transaction is not None:
                    self._forget(evse_id)
                if (evse := self._station.evses.get(evse_id)) is not None:
                    self._look(evse)

    def _settle(self, evse_id: int, session: Transaction) -> None:
        """Have a limit that waits be that of a session which is open; forget it after.

        What is told late, as after an outage, is no event any more.
        """
        if (kept := self._kept.get(evse_id)) is None:
            return
        if kept.transaction is None and session.open:
            if min(self._clock(), session.started_at) - kept.at > NEXT:
                self._forget(evse_id)
            else:
                self._change(evse_id, replace(kept, transaction=session.key))
        elif kept.transaction == session.key and not session.open:
            self._let_go(evse_id)
            self._forget(evse_id)

    def _let_go(self, evse_id: int) -> None:
        for timers in (self._timers, self._stops):
            if (timer := timers.pop(evse_id, None)) is not None:
                timer.cancel()

    def _forget(self, evse_id: int) -> None:
        if self._kept.pop(evse_id, None) is not None:
            self._journal.store_soon(self._station.identity, FACT, self._dump())

    def _change(self, evse_id: int, kept: Kept) -> None:
        if self._kept.get(evse_id) != kept:
            self._kept[evse_id] = kept
            self._journal.store_soon(self._station.identity, FACT, self._dump())

    def _dump(self) -> dict[str, Any]:
        return {
            str(evse_id): {
                "limit": one.limit.dump(),
                "at": one.at.isoformat(),
                "transaction": one.transaction,
                "told": one.told,
                "confirmed": one.confirmed.dump(),
            }
            for evse_id, one in self._kept.items()
        }

    # What is watched

    def _follow(self) -> None:
        for evse in self._station.evses.values():
            look = partial(self._look, evse)
            channels: list[Channel[Any]] = [evse.session]
            channels += [
                evse.measurements[key] for key in _SOCS if key in evse.measurements
            ]
            for channel in channels:
                if channel not in self._followed:
                    self._followed.add(channel)
                    self._unsubscribes.append(channel.subscribe(look))

    def _look_everywhere(self) -> None:
        for evse in self._station.evses.values():
            self._look(evse)

    def _look(self, evse: Evse) -> None:
        """Stop a session that has had enough, or look again when it may have."""
        if evse.session.value is not None:
            self._settle(evse.id, evse.session.value)
        kept, session = self._kept.get(evse.id), evse.transaction
        if kept is None:
            if session is None:
                evse.session_limit.set(None)
            return
        evse.session_limit.set(kept.limit or None)
        if session is None or kept.transaction != session.key:
            return
        limit, used = kept.limit, self._used(evse, session)
        own = limit.only(limit.kinds - kept.confirmed.kinds)
        reached = own.reached(used, _NOTHING) or limit.reached(used, SPARE)
        if reached is None:
            self._look_later(evse, session, limit)
        elif evse.id not in self._stops:
            self._arm(self._stops, evse, RETRY)
            self._spawn(self._stop(session, reached), "limit of a session")

    def _used(self, evse: Evse, session: Transaction) -> SessionLimit:
        charges = [
            channel.value
            for key in _SOCS
            if (channel := evse.measurements.get(key)) is not None
            and channel.value is not None
            and channel.at is not None
            and channel.at >= session.started_at
        ]
        costs = self._station.costs
        lasted = self._clock() - session.started_at
        return SessionLimit(
            energy=session.energy,
            duration=int(lasted.total_seconds()),
            soc=int(max(charges)) if charges else None,
            cost=None if costs is None else costs.of(session),
        )

    def _look_later(
        self, evse: Evse, session: Transaction, limit: SessionLimit
    ) -> None:
        if limit.duration is None or evse.id in self._timers:
            return
        ends = session.started_at + timedelta(seconds=limit.duration)
        left = (ends - self._clock()).total_seconds()
        self._arm(self._timers, evse, left if left > 0 else RETRY)

    def _arm(self, timers: dict[int, Timer], evse: Evse, seconds: float) -> None:
        def ring() -> None:
            timers.pop(evse.id, None)
            self._look(evse)

        timers[evse.id] = self._call_later(seconds, ring)

    async def _announce(self, evse: Evse) -> None:
        """Have a station of 2.1 ask for the limit: it is told in answers only."""
        try:
            link = self._station.link(Capability.TRIGGER)
            if link.flexible is not None:
                await link.trigger("TransactionEvent", evse.id)
        except StationError:
            _LOGGER.debug("%s: told later", shortened(self._station.identity))

    async def _stop(self, session: Transaction, reached: LimitKind) -> None:
        name = shortened(self._station.identity)
        try:
            outcome = await carry(
                self._station,
                Capability.START_STOP,
                lambda link: link.stop_charging(session.transaction_id),
            )
        except NotConnected, NotSupported:
            _LOGGER.debug("%s: %s reached while it is away", name, reached)
        except StationError:
            _LOGGER.exception("%s: the session was not stopped", name)
        else:
            _LOGGER.debug("%s: %s reached: %s", name, reached, outcome.status)
