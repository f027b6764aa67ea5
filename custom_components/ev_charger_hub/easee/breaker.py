"""Breaker: keeps from trying to log in again too soon (easee_cloud.md 1.2, step 4)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from .errors import LoginPaused
from .timing import Time

AFTER_REFUSAL: Final = timedelta(minutes=30)
AFTER_OUTAGE: Final = timedelta(minutes=5)
LOOK_EVERY: Final = timedelta(seconds=15)


class Breaker:
    """A pause after a failure.

    After an outage it ends early if `is_up` saw the cloud down as a whole and sees it
    up again: then it was the outage that failed, and users need not wait.
    """

    def __init__(self, time: Time, is_up: Callable[[], Awaitable[bool]]) -> None:
        """Let everything pass."""
        self._time = time
        self._is_up = is_up
        self._until: datetime | None = None
        self._since = time()
        """When the pause began."""
        self.outage = False
        """Whether the last failure was the cloud's and no refusal."""
        self.down = False
        """Whether the cloud was down as a whole when it was last looked at."""
        self._look_at: datetime | None = None

    async def check(self) -> None:
        """Raise LoginPaused while it is too soon."""
        self._follow_clock()
        if self._until is None or self._time() >= self._until:
            return
        if not (self.outage and await self._is_over()):
            raise LoginPaused(self._until)
        self.reset()

    def refused(self, until: datetime | None = None) -> None:
        """Pause, because it will be refused again."""
        self._pause(AFTER_REFUSAL, until)

    def failed(
        self, until: datetime | None = None, *, down: bool | None = None
    ) -> None:
        """Pause because the cloud does not work; until then at least, if it says so.

        `down` tells whether it is, or just was, down as a whole; None if nobody looked.
        """
        self._pause(AFTER_OUTAGE, until)
        self.outage, self.down = True, bool(down)
        # Who says how long to wait is not looked at meanwhile.
        self._look_at = until
        if down is not None:
            self._look_at = self._time() + LOOK_EVERY

    def reset(self) -> None:
        """Let everything pass again."""
        self._until = None
        self.down = False

    def _pause(self, span: timedelta, until: datetime | None) -> None:
        now = self._since = self._time()
        self._until = max(now + span, until or now)
        self.outage = self.down = False
        self._look_at = None

    def _follow_clock(self) -> None:
        """Let the pause be no longer than it was if our clock was set back."""
        if (back := self._since - self._time()) <= timedelta():
            return
        self._since -= back
        if self._until is not None:
            self._until -= back
        if self._look_at is not None:
            self._look_at -= back

    async def _is_over(self) -> bool:
        now = self._time()
        if self._look_at is not None and now < self._look_at:
            return False
        self._look_at = now + LOOK_EVERY
        was_down, self.down = self.down, not await self._is_up()
        return was_down and not self.down
