"""The reservations of one station: made, used, expired, cancelled or given up, once."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
import logging

from . import reservation_rows as rows
from .authorization import key_of
from .clock import CallLater, Clock, Timer, call_later as loop_call_later
from .commands import ReservationRequest
from .enums import ConnectorStatus
from .errors import NotConnected
from .journal import Journal
from .link import Capability, Link
from .model import ChargingStation, Place
from .outcome import Outcome, OutcomeStatus
from .reservation import OPEN_STATES, Reservation, ReservationState
from .secrets import shortened
from .transaction import Transaction

_LOGGER = logging.getLogger(__name__)

RECENT = 64
"""How many reservations that ended are remembered without asking the journal."""

GRACE = 60.0
"""Seconds that a reserved connector may be available before the reservation is given up.

A card that is swiped frees the connector on some stations before the session begins.
"""

SLACK = timedelta(seconds=60)
"""How far the times of a station may be off those of a reservation."""

UNKNOWN = "rejected"
"""What a station answers that has no such reservation (OCPP 1.6 5.1, 2.0.1 H02)."""

_OUT = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})
_UNANSWERED = frozenset({OutcomeStatus.NO_ANSWER, OutcomeStatus.TIMED_OUT})
_USABLE = OPEN_STATES | {ReservationState.EXPIRED}
"""What a start that is told late may have used."""


class Reservations:
    """The reservations of a station, in the journal first and then in the model."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        name_of: Callable[[str], str | None] = lambda _: None,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Know of no reservation before `load`; `name_of` names an id token."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._name_of = name_of
        self._call_later = call_later
        self._lock = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._known: dict[int, Reservation] = {}
        self._timers: dict[int, Timer] = {}
        self._grace: dict[int, Timer] = {}
        self._statuses: dict[int, ConnectorStatus | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribes: list[Callable[[], None]] = []
        self._closed = False
        station.reservations = self

    async def load(self) -> None:
        """Bring open and last reservations into the model, after a restart."""
        identity = self._station.identity
        recent = await rows.newest(self._journal, identity, limit=RECENT)
        usable = await rows.newest(
            self._journal, identity, limit=rows.ALL, open_only=True
        )
        by_id = {one.reservation_id: one for one in (*recent, *usable)}
        for _, reservation in sorted(by_id.items()):
            self._remember(reservation)
        self._unsubscribes.append(self._station.on_growth(self._follow))
        self._follow()

    async def close(self) -> None:
        """Write what is pending and let nothing happen any more."""
        self._closed = True
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        for timer in (*self._timers.values(), *self._grace.values()):
            timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def open_ones(self) -> list[Reservation]:
        """Return the reservations that may still be used, the oldest first."""
        return [one for one in self._known.values() if one.open]

    def holder(self, reservation: Reservation) -> str:
        """Return for whom a reservation is: a name, else the end of the id token."""
        token = reservation.id_token
        return self._name_of(token) or shortened(token)

    async def history(
        self, *, limit: int = 50, open_only: bool = False
    ) -> list[Reservation]:
        """Return the station's reservations as they are now, newest first."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        identity = self._station.identity
        return await rows.newest(
            self._journal, identity, limit=limit, open_only=open_only
        )

    # Commands

    async def reserve(
        self,
        *,
        evse_id: int,
        id_token: str,
        expires: datetime,
        group: str | None,
        connector_type: str | None = None,
    ) -> tuple[Outcome, Reservation]:
        """Reserve an EVSE, or with 0 any (OCPP 1.6 5.13); raises NotConnected.

        It is written before it is sent, because the station knows it only by its id.
        """
        link = self._station.link(Capability.RESERVATION)
        reservation = Reservation(
            reservation_id=await rows.new_id(self._journal),
            identity=self._station.identity,
            evse_id=evse_id,
            id_token=id_token,
            group=group,
            created_at=self._clock(),
            expires_at=expires,
            connector_type=connector_type,
        )
        await rows.insert(self._journal, reservation)
        self._remember(reservation)
        return await self._ask(link, reservation, before=None)

    async def change(
        self,
        reservation_id: int,
        *,
        evse_id: int | None = None,
        id_token: str | None = None,
        expires: datetime | None = None,
        group: str | None = None,
    ) -> tuple[Outcome, Reservation]:
        """Replace an open reservation under its id (OCPP 1.6 5.13).

        What is None stays as it was, except the group of another token. Raises
        NotConnected, and KeyError if there is no such reservation.
        """
        link = self._station.link(Capability.RESERVATION)
        async with self._changing:
            async with self._lock:
                before = self._known[reservation_id]
                if not before.open:
                    raise KeyError(reservation_id)
                wish = replace(
                    before,
                    evse_id=before.evse_id if evse_id is None else evse_id,
                    id_token=id_token or before.id_token,
                    group=group if id_token or group else before.group,
                    expires_at=expires or before.expires_at,
                    state=ReservationState.PENDING,
                )
                await self._keep(wish)
            return await self._ask(link, wish, before=before)

    async def _ask(
        self, link: Link, wish: Reservation, *, before: Reservation | None
    ) -> tuple[Outcome, Reservation]:
        """Send a reservation; without success it becomes what it was `before`."""
        number = wish.reservation_id
        request = ReservationRequest(
            reservation_id=number,
            evse_id=wish.evse_id,
            id_token=wish.id_token,
            group=wish.group,
            connector_type=wish.connector_type,
            # It is told in the station's time, or it would end too soon or too late.
            expires=wish.expires_at + self._station.skew.ahead,
        )
        try:
            outcome = await link.reserve(request)
        except NotConnected:
            await self._unsent(number, before)
            raise
        if outcome.ok:
            await self._become(number, ReservationState.ACTIVE)
        elif outcome.status not in _UNANSWERED:
            if before is None:
                await self._become(number, ReservationState.REFUSED)
            else:
                await self._restore(before)
        return outcome, self._known.get(number, wish)

    async def cancel(self, reservation_id: int) -> Outcome:
        """Give a reservation up (OCPP 1.6 5.1); raises NotConnected.

        A station that refuses has no such reservation: then it is over, too.
        """
        link = self._station.link(Capability.RESERVATION)
        outcome = await link.cancel_reservation(reservation_id)
        if outcome.ok:
            await self._become(reservation_id, ReservationState.CANCELLED)
        elif outcome.answer.lower() == UNKNOWN:
            await self._become(reservation_id, ReservationState.REMOVED)
        return outcome

    # What a station tells

    async def started(self, transaction: Transaction, group: str | None) -> None:
        """Let a transaction use the reservation that it names, or else its token's.

        Many stations start by the reserved token and name no reservation. `group` is
        the parent of the transaction's id token. Durable when it returns. A start that
        is told again uses nothing else.
        """
        number = transaction.transaction_id
        if any(one.transaction_id == number for one in self._known.values()):
            return
        found = await self._named(transaction) or self._fitting(transaction, group)
        if found is not None:
            await self._become(
                found.reservation_id,
                ReservationState.USED,
                of=frozenset(ReservationState) - {ReservationState.USED},
                at=transaction.started_at,
                transaction_id=number,
            )

    async def over(self, reservation_id: int, state: ReservationState) -> None:
        """Take note of an end that the station tells (2.0.1 H04), durable."""
        await self._become(reservation_id, state)

    async def _named(self, transaction: Transaction) -> Reservation | None:
        if (number := transaction.reservation_id) is None:
            return None
        if number not in self._known:
            identity = self._station.identity
            found = await rows.find(self._journal, identity, number)
            if found is not None:
                self._remember(found)
        return self._known.get(number)

    def _fitting(
        self, transaction: Transaction, group: str | None
    ) -> Reservation | None:
        token = key_of(transaction.id_token or "")
        found = [
            one
            for one in self._known.values()
            if one.state in _USABLE
            and one.evse_id in {0, transaction.evse_id}
            and (
                key_of(one.id_token) == token
                or (group and one.group and key_of(one.group) == key_of(group))
            )
            and one.created_at - SLACK <= transaction.started_at
            and transaction.started_at <= one.expires_at + SLACK
        ]
        # The holder's own before the group's, this connector's before any one's.
        found.sort(key=lambda one: (key_of(one.id_token) != token, not one.evse_id))
        return found[0] if found else None

    def _follow(self) -> None:
        """Follow the statuses of places that are not followed yet."""
        for place in (self._station.whole, *self._station.evses.values()):
            if place.id not in self._statuses:
                self._statuses[place.id] = place.status.value
                changed = partial(self._status_changed, place)
                self._unsubscribes.append(place.status.subscribe(changed))
                self._show(place.id)

    def _status_changed(self, place: Place) -> None:
        """End what a status ends (OCPP 1.6 5.13); it may say when it expired, too."""
        status = place.status.value
        before, self._statuses[place.id] = self._statuses[place.id], status
        if (timer := self._grace.pop(place.id, None)) is not None:
            timer.cancel()
        if status in _OUT:
            for one in self._hit_by(place):
                self._soon(one, ReservationState.REMOVED)
        elif before is ConnectorStatus.RESERVED and (
            status is ConnectorStatus.AVAILABLE
        ):
            self._freed(place)
        elif status is ConnectorStatus.RESERVED:
            for one in self._of(place):
                self._soon(one, ReservationState.ACTIVE)

    def _hit_by(self, place: Place) -> Iterator[Reservation]:
        """Yield what cannot be honoured because a place is out of order or service."""
        evses = self._station.evses.values()
        all_out = all(one.status.value in _OUT for one in evses)
        for one in self.open_ones:
            if one.evse_id == place.id or not place.id or (not one.evse_id and all_out):
                yield one

    def _of(self, place: Place) -> list[Reservation]:
        return [one for one in self.open_ones if place.id and one.evse_id == place.id]

    def _freed(self, place: Place) -> None:
        now = self._clock()
        lost: list[int] = []
        for one in self._of(place):
            if now >= one.expires_at - SLACK:
                self._soon(one, ReservationState.EXPIRED)
            else:
                lost.append(one.reservation_id)
        if lost:
            self._grace[place.id] = self._call_later(
                GRACE, partial(self._given_up, place, lost)
            )

    def _given_up(self, place: Place, lost: list[int]) -> None:
        del self._grace[place.id]
        for one in self._of(place):
            if one.reservation_id in lost:
                self._soon(one, ReservationState.REMOVED)

    # What became of it

    def _soon(self, reservation: Reservation, state: ReservationState) -> None:
        task = asyncio.create_task(self._logged(reservation.reservation_id, state))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _logged(self, number: int, state: ReservationState) -> None:
        try:
            await self._become(number, state)
        except Exception:
            _LOGGER.exception(
                "%s: end of a reservation not recorded",
                shortened(self._station.identity),
            )

    async def _become(
        self,
        number: int,
        state: ReservationState,
        *,
        of: frozenset[ReservationState] = OPEN_STATES,
        at: datetime | None = None,
        transaction_id: str | None = None,
    ) -> None:
        """Write down what a reservation became, if it was in one of the states `of`."""
        async with self._lock:
            known = self._known.get(number)
            if known is None or known.state not in of or known.state is state:
                return
            at = at or min(self._clock(), known.expires_at)
            became = replace(
                known,
                state=state,
                ended_at=None if state in OPEN_STATES else at,
                transaction_id=transaction_id,
            )
            await self._keep(became)

    async def _keep(self, reservation: Reservation) -> None:
        await rows.update(self._journal, reservation)
        self._remember(reservation)

    async def _restore(self, before: Reservation) -> None:
        """Take back a change that the station did not, unless it is over meanwhile."""
        async with self._lock:
            known = self._known.get(before.reservation_id)
            if known is not None and known.open:
                await self._keep(before)

    async def _unsent(self, number: int, before: Reservation | None) -> None:
        if before is not None:
            await self._restore(before)
            return
        await rows.delete(self._journal, number)
        never = self._known.pop(number)
        self._stop(number)
        self._show(never.evse_id)

    def _remember(self, reservation: Reservation) -> None:
        """Know a reservation, wait for its end, and forget those that ended first."""
        number = reservation.reservation_id
        before = self._known.get(number, reservation)
        self._known[number] = reservation
        ended = [one for one, kept in self._known.items() if not kept.open]
        for one in ended[: max(0, len(ended) - RECENT)]:
            del self._known[one]
        self._stop(number)
        if reservation.open and not self._closed:
            left = reservation.expires_at - self._clock()
            self._timers[number] = self._call_later(
                max(0.0, left.total_seconds()), partial(self._expire, number)
            )
        for evse_id in {before.evse_id, reservation.evse_id}:
            self._show(evse_id)

    def _expire(self, number: int) -> None:
        self._timers.pop(number, None)
        if (known := self._known.get(number)) is not None:
            self._soon(known, ReservationState.EXPIRED)

    def _stop(self, number: int) -> None:
        if (timer := self._timers.pop(number, None)) is not None:
            timer.cancel()

    def _show(self, evse_id: int) -> None:
        """Let a place show what may be used, or else what was last."""
        station = self._station
        place = station.evses.get(evse_id) if evse_id else station.whole
        if place is not None:
            here = [one for one in self._known.values() if one.evse_id == evse_id]
            here.sort(key=lambda one: (one.open, one.reservation_id))
            place.reservation.set(here[-1] if here else None)
