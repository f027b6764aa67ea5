"""Tickets: which of our commands a response of a product belongs to (easee_cloud.md 1.4).

A response names its command by ticks. It may come before the answer to the request that
tells us the ticks, twice, or with other ticks; what is left over is somebody else's.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging

from ..station.clock import Timer
from ..station.secrets import shortened
from .command_ids import UNFINISHED
from .responses import CommandResponse
from .timing import Time

_LOGGER = logging.getLogger(__name__)

type OnForeign = Callable[[CommandResponse], None]

GRACE = timedelta(seconds=2)
"""How long a response of the right kind waits for the one with the right ticks."""
KEPT = timedelta(minutes=10)
"""How long late and doubled responses are known for what they are."""
UNNAMED_KEPT = timedelta(seconds=30)
"""How long a response is expected of which only the kind is known."""
FIRST = datetime(1, 1, 1, tzinfo=UTC)
"""When ticks begin; each is 100 ns."""
DRIFT = 60 * 10_000_000
"""How far apart the ticks of command and response may be: a minute."""


@dataclass(kw_only=True, slots=True, eq=False)
class Ticket:
    """A command of ours, and what is known of its outcome.

    `ticks` is None if the cloud did not tell, `id` if nobody knows.
    """

    serial: str
    id: int | None
    ticks: int | None
    about: int
    """Its ticks by our own clock."""
    until: datetime
    response: CommandResponse | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    told: CommandResponse | None = None
    """What the stream told of it."""

    def learn(self, response: CommandResponse) -> None:
        """Take note of what became of it, unless that is known."""
        if self.answered.is_set():
            return
        self.response = response
        if response.result not in UNFINISHED or not response.accepted:
            self.answered.set()

    def went_by(self, response: CommandResponse) -> bool:
        """Return whether it was told of under the ticks of a response before."""
        told = self.told
        return told is not None and (told.id, told.ticks) == (
            response.id,
            response.ticks,
        )

    def off(self, response: CommandResponse) -> int:
        """Return how far its ticks are from those of a response."""
        ticks = self.ticks or self.about
        return 0 if not response.ticks else abs(ticks - response.ticks)

    def may_be(self, response: CommandResponse) -> bool:
        """Return whether a response of its kind may be meant for it by time."""
        return self.ticks is None or self.off(response) <= DRIFT


@dataclass(kw_only=True, slots=True)
class _Held:
    """A response that nobody is found for yet."""

    response: CommandResponse
    until: datetime

    @property
    def product(self) -> str:
        """Return who responded, however that is spelled."""
        return self.response.serial.upper()


class Tickets:
    """Our commands of the last minutes, and the responses that wait for them."""

    def __init__(self, time: Time, foreign: OnForeign) -> None:
        """Hand the responses to commands of others to `foreign`, each once."""
        self._time = time
        self._foreign = foreign
        self._tickets: list[Ticket] = []
        self._sending: Counter[str] = Counter()
        self._held: list[_Held] = []
        self._reported: dict[tuple[str, int | None, int], datetime] = {}
        self._timer: Timer | None = None

    @contextmanager
    def sending(self, serial: str) -> Iterator[None]:
        """Hold unknown responses back: a command is being sent whose ticks will follow."""
        self._sending[serial.upper()] += 1
        try:
            yield
        finally:
            self._sending[serial.upper()] -= 1
            self.settle()

    def issue(self, serial: str, number: int | None, ticks: int | None) -> Ticket:
        """Return the ticket of a command that was sent."""
        now = self._time()
        kept = UNNAMED_KEPT if ticks is None else KEPT
        ticket = Ticket(
            serial=serial,
            id=number,
            ticks=ticks,
            about=(now - FIRST) // timedelta(microseconds=1) * 10,
            until=now + kept,
        )
        self._tickets = [one for one in self._tickets if one.until > now] + [ticket]
        return ticket

    def take(self, response: CommandResponse) -> None:
        """Find out whose response this is."""
        self._held.append(_Held(response=response, until=self._time() + GRACE))
        self.settle()

    def settle(self, serial: str | None = None) -> None:
        """Find out whose the responses are that wait, those of `serial` at once."""
        hasty = None if serial is None else serial.upper()
        waiting, self._held = self._held, []
        for held in waiting:
            if not self._route(held, patient=held.product != hasty):
                self._held.append(held)
        # Who is being sent something is looked after once that is over.
        due = [one.until for one in self._held if not self._sending[one.product]]
        if due and self._timer is None:
            wait = (min(due) - self._time()).total_seconds()
            self._timer = self._time.call_later(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        self.settle()

    def _route(self, held: _Held, *, patient: bool) -> bool:
        """Return whether it is clear whose a response is."""
        response, now = held.response, self._time()
        if (ticket := self._named(response)) is not None:
            self._tell(ticket, response)
            return True
        if self._known(response):
            return True
        if self._sending[held.product]:
            return False
        if (ticket := self._likeliest(response)) is None:
            self._report(response)
            return True
        if ticket.ticks is not None and patient and now < held.until:
            return False
        _LOGGER.debug(
            "%s: response to command %s with other ticks",
            shortened(response.serial),
            response.id,
        )
        self._tell(ticket, response)
        return True

    def _of(self, response: CommandResponse) -> Iterator[Ticket]:
        now, serial = self._time(), response.serial.upper()
        return (
            one
            for one in self._tickets
            if one.serial.upper() == serial and one.until > now
        )

    def _named(self, response: CommandResponse) -> Ticket | None:
        """Return the command whose ticks a response has, or had when it came first."""
        if not response.ticks:
            return None
        found = [
            one
            for one in self._of(response)
            if one.ticks == response.ticks or one.went_by(response)
        ]
        # What is set in one go may have the same ticks.
        return min(
            found,
            key=lambda one: (one.id != response.id, one.told is not None),
            default=None,
        )

    def _likeliest(self, response: CommandResponse) -> Ticket | None:
        """Return a command of the same kind that the stream told nothing of yet."""
        if response.id is None:
            return None
        found = [
            one
            for one in self._of(response)
            if one.id == response.id and one.told is None and one.may_be(response)
        ]
        return min(found, key=lambda one: one.off(response), default=None)

    def _tell(self, ticket: Ticket, response: CommandResponse) -> None:
        before, ticket.told = ticket.told, response
        ticket.until = max(ticket.until, self._time() + KEPT)
        exact = ticket.ticks is not None and response.ticks == ticket.ticks
        if exact and before is not None and before.ticks != ticket.ticks:
            # What was taken for it was another one's.
            self._report(before)
        ticket.learn(response)

    def _known(self, response: CommandResponse) -> bool:
        """Return whether this response to a command of others came before."""
        now = self._time()
        self._reported = {
            one: until for one, until in self._reported.items() if until > now
        }
        key = (response.serial, response.id, response.ticks or 0)
        return bool(response.ticks) and key in self._reported

    def _report(self, response: CommandResponse) -> None:
        if self._known(response):
            return
        key = (response.serial, response.id, response.ticks or 0)
        self._reported[key] = self._time() + KEPT
        _LOGGER.debug(
            "%s: response to command %s of somebody else",
            shortened(response.serial),
            response.id,
        )
        self._foreign(response)

    def stop(self) -> None:
        """Wait for nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._held.clear()
