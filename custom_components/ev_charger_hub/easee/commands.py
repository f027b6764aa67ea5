"""Commands: what products are told, and what became of it (easee_cloud.md 1.4).

The answer to a request says only that the cloud has taken a command. Its outcome comes on
the stream, or has to be asked for while there is none.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
import logging
from typing import Any, Final
from urllib.parse import quote

from ..station.outcome import Outcome, OutcomeStatus
from ..station.secrets import shortened
from . import outcomes
from .command_ids import OF_CIRCUIT, OF_COMMAND, OF_SETTING
from .errors import EaseeError, Unavailable
from .outcomes import ACCEPTED, DONE, NO_CHANGE, TIMED_OUT
from .requests import Lane, Reply, Requests
from .responses import CommandResponse
from .tickets import OnForeign, Ticket, Tickets
from .timing import Time, limit
from .wear import PHASES, Wear

_LOGGER = logging.getLogger(__name__)

PAUSES: Final = (0.5, 0.5, 1.0, 2.0, 3.0, 4.0, 4.0, 5.0)
"""Seconds between looks at whether an outcome has to be asked for: 20 together (Q18)."""
UNNAMED_PAUSES: Final = (5.0,)
"""The same for commands without ticks, that nobody can ask for and that may be none."""
SETTINGS: Final = "settings"
"""The end of the paths of requests that are named by what they change."""
POLL_TIMEOUT: Final = 5.0
"""Seconds that asking for an outcome may take."""


type OnRefused = Callable[["Refusal"], None]


@dataclass(kw_only=True, slots=True, frozen=True)
class Refusal:
    """A command of ours that was not carried out; `what` is its name, or its settings."""

    serial: str
    what: str
    outcome: Outcome


@dataclass(kw_only=True, slots=True)
class _Sent:
    """What was sent; `otherwise` is what became of it if nothing is heard."""

    tickets: Sequence[Ticket]
    otherwise: Outcome | Unavailable


class Commands:
    """Sends commands, one at a time to each product, and learns their outcome."""

    def __init__(
        self,
        requests: Requests,
        time: Time,
        *,
        stream_up: Callable[[], bool],
        wear: Wear | None = None,
    ) -> None:
        """Send by `requests`; without `wear` settings may be written at any rate."""
        self._requests = requests
        self._time = time
        self._stream_up = stream_up
        self._wear = wear
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tickets = Tickets(time, self._foreign)
        self._listeners: tuple[OnForeign, ...] = ()
        self._refused_listeners: tuple[OnRefused, ...] = ()
        self._reasons: dict[tuple[str, str], tuple[str, str]] = {}
        """Why what was refused last, by serial and command."""

    def responded(self, response: CommandResponse) -> None:
        """Take what the stream tells of a command, whoever sent it."""
        self._tickets.take(response)

    def on_foreign(self, listener: OnForeign) -> Callable[[], None]:
        """Call `listener` once for each response to a command that was none of ours.

        Return what ends that.
        """
        self._listeners = (*self._listeners, listener)
        return partial(self._off_foreign, listener)

    def _off_foreign(self, listener: OnForeign) -> None:
        self._listeners = tuple(one for one in self._listeners if one != listener)

    def on_refused(self, listener: OnRefused) -> Callable[[], None]:
        """Call `listener` for commands that are not carried out; return what ends that.

        What is refused again and again for the same reason is told once.
        """
        self._refused_listeners = (*self._refused_listeners, listener)
        return partial(self._off_refused, listener)

    def _off_refused(self, listener: OnRefused) -> None:
        self._refused_listeners = tuple(
            one for one in self._refused_listeners if one != listener
        )

    def _foreign(self, response: CommandResponse) -> None:
        for listener in self._listeners:
            listener(response)

    def expect(self, serial: str, *numbers: int) -> None:
        """Know for half a minute that responses with these ids will be ours.

        This is for requests that are sent past this class and become commands.
        """
        for number in numbers:
            self._tickets.issue(serial, number, None)

    def sending(self, serial: str) -> AbstractContextManager[None]:
        """Hold back what a product responds, while such a request is sent to it.

        Its responses may come before the answer that tells what to `expect`.
        """
        return self._tickets.sending(serial)

    def stop(self) -> None:
        """Wait for nothing more."""
        self._tickets.stop()

    async def command(
        self,
        serial: str,
        name: str,
        body: Mapping[str, Any] | None = None,
        *,
        expects: int | None = None,
    ) -> Outcome:
        """Send one of the commands of a charger, by the name that REST has for it."""
        path = f"/api/chargers/{quote(serial, safe='')}/commands/{quote(name, safe='')}"
        number = OF_COMMAND.get(name) if expects is None else expects
        return await self.send(serial, "POST", path, body, expects=number)

    def check(self, serial: str, body: Mapping[str, Any]) -> None:
        """Raise WritesSpent if a command that sets volatile limits would have to wait."""
        if self._wear is not None:
            self._wear.check(serial, body)

    async def settings(self, serial: str, values: Mapping[str, Any]) -> Outcome:
        """Change settings of a charger; each that is new becomes a command."""
        path = f"/api/chargers/{quote(serial, safe='')}/settings"
        numbers = [OF_SETTING.get(name) for name in values]
        expected = [one for one in numbers if one is not None]
        # Only if all are known can their responses stand in for a lost answer.
        known = expected if len(expected) == len(numbers) else []
        return await self._send(serial, "POST", path, values, known)

    async def circuit_settings(
        self, site: int, circuit: int, primary_serial: str, values: Mapping[str, Any]
    ) -> Outcome:
        """Change settings of a circuit, which become commands to its primary charger.

        The cloud answers at once and without ticks; it is responded to all the same (Q22).
        """
        path = f"/api/sites/{site}/circuits/{circuit}/settings"
        return await self._send(
            primary_serial, "POST", path, values, circuit_commands(values)
        )

    async def send(
        self,
        serial: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        expects: int | None = None,
    ) -> Outcome:
        """Send any request that becomes a command; `expects` is the id of that.

        Raises EaseeError if nothing was sent, or if nobody knows whether it was.
        """
        numbers = [] if expects is None else [expects]
        return await self._send(serial, method, path, body, numbers)

    async def _send(
        self, serial: str, method: str, path: str, body: Any, expected: Sequence[int]
    ) -> Outcome:
        outcome = await self._carry_out(serial, method, path, body, expected)
        _LOGGER.debug("%s: %s", shortened(serial), outcome.answer or outcome.status)
        what = path.rpartition("/")[2]
        if what == SETTINGS and isinstance(body, Mapping):
            what = ", ".join(body)
        self._judge(Refusal(serial=serial, what=what, outcome=outcome))
        return outcome

    def _judge(self, sent: Refusal) -> None:
        """Tell of what was sent if it is refused, for a reason that was not told yet."""
        outcome, key = sent.outcome, (sent.serial.upper(), sent.what)
        if outcome.ok:
            self._reasons.pop(key, None)
        if outcome.status is not OutcomeStatus.REJECTED:
            return
        reason = outcome.answer, outcome.detail
        if self._reasons.get(key) == reason:
            return
        self._reasons[key] = reason
        for listener in self._refused_listeners:
            listener(sent)

    async def _carry_out(
        self, serial: str, method: str, path: str, body: Any, expected: Sequence[int]
    ) -> Outcome:
        async with self._locks[serial.upper()]:
            await self._spend(serial, body)
            try:
                sent = await self._ask(serial, method, path, body, expected)
            except EaseeError as err:
                await self._refund(serial, body)
                if (refused := outcomes.refusal(err)) is None:
                    raise
                return refused
            if sent.tickets:
                await self._wait(sent.tickets)
            elif sent.otherwise is NO_CHANGE:
                await self._refund(serial, body)
            return _outcome(sent)

    async def _spend(self, serial: str, body: Any) -> None:
        if self._wear is not None and isinstance(body, Mapping):
            await self._wear.spend(serial, body)

    async def _refund(self, serial: str, body: Any) -> None:
        if self._wear is not None and isinstance(body, Mapping):
            await self._wear.refund(serial, body)

    async def _ask(
        self, serial: str, method: str, path: str, body: Any, expected: Sequence[int]
    ) -> _Sent:
        """Send a request; raises EaseeError if it had no effect."""
        with self._tickets.sending(serial):
            try:
                reply = await self._requests.request(
                    method, path, lane=Lane.COMMAND, json=body
                )
            except Unavailable as err:
                # It may have been carried out; if so, its responses tell.
                return _Sent(tickets=self._unnamed(serial, expected), otherwise=err)
            except asyncio.CancelledError:
                self._unnamed(serial, expected)
                raise
            return self._sent(serial, reply, expected)

    def _unnamed(self, serial: str, expected: Sequence[int]) -> list[Ticket]:
        return [self._tickets.issue(serial, number, None) for number in expected]

    def _sent(self, serial: str, reply: Reply, expected: Sequence[int]) -> _Sent:
        """Return what a good answer says of the commands that it stands for."""
        items = reply.body if isinstance(reply.body, list) else [reply.body]
        items = [one for one in items if isinstance(one, dict)]
        named = [(one, outcomes.whole(one.get("ticks"))) for one in items]
        tickets = [self._named(serial, one, ticks) for one, ticks in named if ticks]
        if tickets:
            return _Sent(tickets=tickets, otherwise=TIMED_OUT)
        if reply.body == [] or any(ticks == 0 for _, ticks in named):
            return _Sent(tickets=[], otherwise=NO_CHANGE)
        if answers := [one for one in items if "wasAccepted" in one]:
            response = outcomes.told(serial, None, None, answers[0], self._time())
            return _Sent(tickets=[], otherwise=outcomes.together([response]))
        done = ACCEPTED if expected or reply.status == HTTPStatus.ACCEPTED else DONE
        return _Sent(tickets=self._unnamed(serial, expected), otherwise=done)

    def _named(self, serial: str, item: Mapping[str, Any], ticks: int) -> Ticket:
        """Return the ticket of a command that the cloud names."""
        device, number = item.get("device"), item.get("commandId")
        ticket = self._tickets.issue(
            device if isinstance(device, str) and device else serial,
            number if isinstance(number, int) else None,
            ticks,
        )
        if "wasAccepted" in item:
            self._learn(ticket, item)
        return ticket

    def _learn(self, ticket: Ticket, item: Mapping[str, Any]) -> None:
        at = self._time()
        ticket.learn(outcomes.told(ticket.serial, ticket.id, ticket.ticks, item, at))

    async def _wait(self, tickets: Sequence[Ticket]) -> None:
        """Wait until the outcome of commands is known, or has had its time."""
        named = tickets[0].ticks is not None
        for pause in PAUSES if named else UNNAMED_PAUSES:
            if not named and not self._stream_up():
                return
            if await self._all_answered(tickets, pause):
                return
            if not self._stream_up():
                await self._poll(tickets)
        self._tickets.settle(tickets[0].serial)
        # The stream may have been away for a moment: the last look is at the truth (Q23).
        await self._poll(tickets)

    async def _all_answered(self, tickets: Sequence[Ticket], seconds: float) -> bool:
        try:
            async with limit(self._time, seconds):
                for ticket in tickets:
                    await ticket.answered.wait()
        except TimeoutError:
            return False
        return True

    async def _poll(self, tickets: Sequence[Ticket]) -> None:
        """Ask for the outcome of commands; at first there is nothing to be found."""
        for one in tickets:
            if one.answered.is_set() or one.ticks is None or one.id is None:
                continue
            path = f"/api/commands/{quote(one.serial, safe='')}/{one.id}/{one.ticks}"
            try:
                async with limit(self._time, POLL_TIMEOUT):
                    reply = await self._requests.request("GET", path, lane=Lane.COMMAND)
            except EaseeError, TimeoutError:
                continue
            if isinstance(reply.body, dict):
                self._learn(one, reply.body)


def circuit_commands(names: Iterable[str]) -> list[int]:
    """Return the ids of the commands that settings of a circuit become, by name."""
    known = {name[:-2] if name.endswith(PHASES) else name for name in names}
    return sorted({OF_CIRCUIT[name] for name in known if name in OF_CIRCUIT})


def _outcome(sent: _Sent) -> Outcome:
    """Return what became of what was sent; raises Unavailable if nobody knows."""
    known = [one.response for one in sent.tickets if one.response is not None]
    outcome = outcomes.together(known) if known else None
    if outcome is not None and (len(known) == len(sent.tickets) or not outcome.ok):
        return outcome
    if isinstance(sent.otherwise, Unavailable):
        raise sent.otherwise
    return sent.otherwise
