"""Liveness: whether a product is there, by its own word and its own time (Q7, A1)."""

from datetime import datetime, timedelta
from typing import Final

from ..station.channel import Channel
from ..station.clock import Skew, Timer
from .timing import Time

SILENCE: Final = timedelta(minutes=20)
"""An idle product tells of its temperature every quarter of an hour."""

PACE: Final = timedelta(seconds=20)
"""So far apart are what clocks are compared by: what comes at once may be old."""


class Liveness:
    """Follows whether a product is connected to the cloud and has told something lately.

    What counts is when the product said it: a replay of old values is no sign of life.
    """

    def __init__(self, time: Time) -> None:
        """Believe that it is not there until it says something."""
        self.online: Channel[bool] = Channel(False, urgent=True)
        self.last_seen: datetime | None = None
        """When the product last told something, by its own time."""
        self._time = time
        self._skew = Skew()
        self.cloud = Skew()
        """How far the clock of the cloud, by which the product sets its own, is off."""
        self._compared: datetime | None = None
        self._connected = True
        self._timer: Timer | None = None

    @property
    def ahead(self) -> timedelta:
        """Return how far the clock of the product is ahead of ours.

        Until it tells that by itself, its clock is taken to be that of the cloud.
        """
        own = self._skew.ahead
        return own if own or self._skew.right else self.cloud.ahead

    def seen(self, at: datetime, *, replay: bool) -> None:
        """Take note of something that the product reported at `at`."""
        if not replay:
            self._compare(at)
        if self.last_seen is None or at > self.last_seen:
            self.last_seen = at
        self._look()

    def connected(self, connected: bool, at: datetime, *, replay: bool) -> None:
        """Take note of what the cloud says of the connection (250)."""
        self._connected = connected
        if connected:
            self.seen(at, replay=replay)
        else:
            self._look()

    def lose(self) -> None:
        """Know nothing more of the product until it says something new."""
        self.last_seen = None
        self.stop()
        self._look()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _compare(self, at: datetime) -> None:
        """Compare the clock of the product with ours, now and then."""
        now = self._time()
        if self._compared is None or now - self._compared >= PACE:
            self._compared = now
            self._skew.observe(at, now)

    def _look(self) -> None:
        left = self._left()
        self.online.set(self._connected and left > 0)
        if left > 0 and self._timer is None:
            self._timer = self._time.call_later(left, self._due)

    def _left(self) -> float:
        """Return for how many seconds what was last told is fresh enough."""
        if self.last_seen is None:
            return 0.0
        # The clocks of cloud and product may not be ours.
        now = self._time() + self.ahead
        return (self.last_seen + SILENCE - now).total_seconds()

    def _due(self) -> None:
        self._timer = None
        self._look()
