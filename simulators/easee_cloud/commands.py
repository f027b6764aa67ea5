"""Asynchronous commands: accepted with a tick, done later, told on the stream or asked for."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .answers import NotFound
from .clock import CloudClock, stamp
from .orders import Order
from .products import Product

EXPIRED = 2
EXECUTED = 3
REJECTED = 4
EXPIRY = 120.0
"""How many seconds a command waits for a device that is offline."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """How a command goes."""

    delay: float = 0.3
    """Seconds from the answer to the outcome."""
    reject: int | None = None
    """The result code with which the device refuses."""
    comment: str = ""
    never: bool = False
    """Nothing happens, and nothing is ever told."""
    silent: bool = False
    """It is done, and not told on the stream."""
    duplicate: bool = False
    """It is told twice."""
    wrong_ticks: bool = False
    """It is told with other ticks than it was answered with."""
    response_before_http: bool = False
    """It is done and told before the request is answered."""
    polls: int = 0
    """How often asking for the outcome finds nothing, although it is there."""


@dataclass(kw_only=True, slots=True)
class Sent:
    """A command on its way."""

    product: Product
    order: Order
    ticks: int
    behaviour: Behaviour
    polls: int
    outcome: dict[str, Any] | None = None

    def answer(self) -> dict[str, Any]:
        """Return what the request is answered with."""
        return {
            "device": self.product.serial,
            "commandId": self.order.command,
            "ticks": self.ticks,
        }


class Commands:
    """Sends commands to devices, and knows what became of them."""

    def __init__(
        self, clock: CloudClock, tell: Callable[[str, dict[str, Any]], None]
    ) -> None:
        """Tell outcomes by `tell`."""
        self._clock = clock
        self._tell = tell
        self.usual = Behaviour()
        self.admits_no_op = False
        """Whether a setting that changes nothing is answered with ticks 0, not left out."""
        self.upcoming: deque[Behaviour] = deque()
        """How the next commands go; afterwards they go as usual."""
        self.sent: dict[tuple[str, int, int], Sent] = {}

    def next(self, *behaviours: Behaviour) -> None:
        """Let the next commands go in these ways."""
        self.upcoming.extend(behaviours)

    def send(self, product: Product, order: Order) -> Sent:
        """Send a command to a device."""
        behaviour = self.upcoming.popleft() if self.upcoming else self.usual
        sent = Sent(
            product=product,
            order=order,
            ticks=self._clock.ticks(),
            behaviour=behaviour,
            polls=behaviour.polls,
        )
        self.sent[product.serial, order.command, sent.ticks] = sent
        if behaviour.never:
            return sent
        if not product.online:
            self._clock.call_later(EXPIRY, lambda: self._finish(sent, EXPIRED))
        elif behaviour.response_before_http:
            self._execute(sent)
        else:
            self._clock.call_later(behaviour.delay, lambda: self._execute(sent))
        return sent

    def _execute(self, sent: Sent) -> None:
        refused = sent.behaviour.reject
        if refused is None and sent.order.refused():
            refused = REJECTED
        self._finish(sent, EXECUTED if refused is None else refused)
        if refused is None:
            sent.order.act()

    def _finish(self, sent: Sent, code: int) -> None:
        accepted = code == EXECUTED
        now = stamp(self._clock())
        ticks = sent.ticks + 12_345 if sent.behaviour.wrong_ticks else sent.ticks
        sent.outcome = {"wasAccepted": accepted, "resultCode": code}
        if sent.behaviour.silent:
            return
        for _ in range(2 if sent.behaviour.duplicate else 1):
            self._tell(
                sent.product.serial,
                {
                    "serialNumber": sent.product.serial,
                    "id": sent.order.command,
                    "timestamp": now,
                    "deliveredAt": now,
                    "wasAccepted": accepted,
                    "resultCode": code,
                    "comment": sent.behaviour.comment,
                    "ticks": ticks,
                },
            )

    def outcome(self, serial: str, command: int, ticks: int) -> dict[str, Any]:
        """Return what became of a command; for a while there is nothing to be found."""
        sent = self.sent.get((serial, command, ticks))
        if sent is None or sent.outcome is None:
            raise NotFound
        if sent.polls > 0:
            sent.polls -= 1
            raise NotFound
        return sent.answer() | sent.outcome

    def rogue(self, product: Product, order: Order) -> None:
        """Let somebody else send a command, of whom the client knows nothing."""
        self.send(product, order)
