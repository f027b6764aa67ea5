"""Rogue: who else commands a charger, told by the responses that are none of ours (Q21)."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from ..station.channel import Channel
from ..station.clock import Timer
from .command_ids import QUESTIONS
from .responses import CommandResponse
from .timing import Time

type OnRogue = Callable[[CommandResponse], None]

OFTEN = 3
WITHIN = timedelta(minutes=10)
QUIET = timedelta(days=1)
"""After how long without any command of others nobody else is in control any more."""


class Rogue:
    """The commands of others to one product.

    `repeated` is True while another system controls it, and not just somebody in the app.
    """

    def __init__(self, time: Time) -> None:
        """Know of nobody."""
        self._time = time
        self._times: deque[datetime] = deque(maxlen=OFTEN)
        self._listeners: tuple[OnRogue, ...] = ()
        self._timer: Timer | None = None
        self.repeated: Channel[bool] = Channel(False, urgent=True)

    def subscribe(self, listener: OnRogue) -> Callable[[], None]:
        """Call `listener` for every command of others; return what ends that."""
        self._listeners = (*self._listeners, listener)
        return partial(self._unsubscribe, listener)

    def _unsubscribe(self, listener: OnRogue) -> None:
        self._listeners = tuple(one for one in self._listeners if one != listener)

    def seen(self, response: CommandResponse) -> None:
        """Take note of the response to a command that is none of ours."""
        if response.id in QUESTIONS:
            return
        now = self._time()
        self._times.append(now)
        if len(self._times) == OFTEN and now - self._times[0] <= WITHIN:
            self.repeated.set(True)
        if self.repeated.value:
            self._wait_no_more()
            self._timer = self._time.call_later(QUIET.total_seconds(), self.forget)
        for listener in self._listeners:
            listener(response)

    def forget(self) -> None:
        """Know of nobody any more, and wait for nothing."""
        self._wait_no_more()
        self._times.clear()
        self.repeated.set(False)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
