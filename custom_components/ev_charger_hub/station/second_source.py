"""Second source: the cloud fills what a charger does not tell us itself.

Each quantity has one teller at a time, so that nothing flaps. While a charger is
connected to us, how it is (status, fault, cable) is its own word once it has said it on
this connection; what it measures is its own as long as it measures. Everything else,
and everything once it is gone, is the cloud's.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, override

from .channel import Channel
from .clock import CallLater, Clock, Timer
from .enums import REGISTERS, ConnectorStatus
from .link import LinkKind
from .metering import MAY_FLOW, Gauge, Total
from .model import ChargingStation, Evse, MeasurementKey, Number, Place

YIELD: Final = timedelta(minutes=10)
"""So long what a charger measured itself is not replaced by what the cloud says."""

SLACK: Final = timedelta(seconds=60)
"""So much later than its interval a charger may measure again."""


class SecondSource:
    """Puts what the cloud tells into a station that may have told it already.

    The times of the cloud are made ours by `ahead`, which returns how far its clock is
    ahead. For a station that only the cloud reaches they stay as they are.
    """

    def __init__(
        self,
        station: ChargingStation,
        clock: Clock,
        call_later: CallLater,
        *,
        ahead: Callable[[], timedelta],
    ) -> None:
        """Fill nothing yet."""
        self._station = station
        self._clock = clock
        self._call_later = call_later
        self._ahead = ahead
        self._timer: Timer | None = None
        self._ends = (
            station.local.subscribe(self._way_changed),
            station.remote.subscribe(self._way_changed),
        )
        self._apart_since: datetime | None = clock()
        """Since when the charger is not connected to us."""
        self._way_changed()

    @property
    def alone(self) -> bool:
        """Return whether there is no other source."""
        return LinkKind.OCPP not in self._station.ways

    @property
    def beside(self) -> bool:
        """Return whether the charger tells us something itself now."""
        return not self.alone and self._station.local.value

    def idle(self, evse: Evse) -> bool:
        """Return whether the charger itself says that nothing flows."""
        status = evse.status
        if not self.beside or status.lent or status.value in MAY_FLOW:
            return False
        # It may say so after it began to charge (Easee, fact N3).
        late = status.value is ConnectorStatus.PREPARING
        return not (late and evse.transaction is not None)

    def moment(self, at: datetime) -> datetime:
        """Return a time of the cloud by our clock, by which nothing has yet to happen."""
        return at if self.alone else min(at - self._ahead(), self._clock())

    def state[T](self, channel: Channel[T], value: T, at: datetime | None) -> bool:
        """Tell how something is since `at`; return False if somebody knows better."""
        if self.alone:
            return channel.set(value, at)
        if self.beside and not channel.lent:
            return False
        return self._fill(channel, value, at)

    def measurement(
        self, channel: Channel[Number | None], value: Number, at: datetime
    ) -> bool:
        """Tell what was measured at `at`; return False if somebody knows better."""
        if self.alone:
            return channel.set(value, at)
        if self.beside and self._measures(channel):
            return False
        return self._fill(channel, value, at)

    def withdraw_measurements(self) -> None:
        """Let nobody take for the present what was measured and is not told any more."""
        for channel in self._measured():
            channel.withdraw(None)

    def close(self) -> None:
        """Follow the station no more."""
        for end in self._ends:
            end()
        self._cancel()

    def withdraw(self) -> None:
        """Leave nothing behind that nobody goes on telling."""
        self.withdraw_measurements()
        for place in self._station.places:
            for channel in place.states:
                channel.withdraw(None)

    def _fill[T](self, channel: Channel[T], value: T, at: datetime | None) -> bool:
        at = self._clock() if at is None else self.moment(at)
        known = channel.at
        if known is not None and not channel.filled:
            # A clock that is ahead is cut to ours already.
            known -= min(self._station.skew.ahead, timedelta())
        if known is not None and at < known:
            return False
        channel.fill(value, at)
        return True

    def _measures(self, channel: Channel[Number | None]) -> bool:
        """Return whether the charger itself tells of a quantity, now and then."""
        if channel.at is None or channel.filled:
            return False
        late = min(self._station.skew.ahead, timedelta())
        return self._clock() - (channel.at - late) < self._patience

    @property
    def _patience(self) -> timedelta:
        settings = self._station.settings
        intervals = (settings.meter_interval or 0, settings.clock_interval or 0)
        return max(YIELD, timedelta(seconds=max(intervals)) + SLACK)

    def _measured(self) -> Iterator[Channel[Number | None]]:
        """Yield what is measured and not counted."""
        for place in self._station.places:
            for key, channel in place.measurements.items():
                if key.measurand not in REGISTERS:
                    yield channel

    # What the charger told us itself, and does not any more

    def _way_changed(self) -> None:
        self._cancel()
        if self._station.local.value:
            self._apart_since = None
            return
        now = self._clock()
        if self._apart_since is None:
            self._apart_since = now
        if not self.alone and self._station.remote.value:
            left = self._apart_since + self._patience - now
            self._timer = self._call_later(max(left.total_seconds(), 0), self._expire)

    def _expire(self) -> None:
        """Show nothing as true that was so minutes ago: the cloud has no news of it."""
        self._timer = None
        whole = self._station.whole.states
        for channel in (*self._measured(), *whole):
            if channel.value is not None and not channel.filled:
                channel.fill(None, self._clock())

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class SecondGauge(Gauge):
    """A quantity that the cloud knows of, and the charger may measure itself."""

    __slots__ = ("_source",)

    def __init__(
        self, source: SecondSource, place: Place, key: MeasurementKey, total: Total
    ) -> None:
        """Tell by `source`."""
        super().__init__(place, key, total)
        self._source = source

    @override
    def take(self, value: Number, at: datetime) -> None:
        """Take a value, read or derived."""
        self.value = value
        self.at = at
        self._source.measurement(self._channel or self._open(), value, at)
