"""Availability: what is believed of the statuses that a station reports."""

from datetime import datetime, timedelta
from functools import partial

from ..station.clock import CallLater, Timer
from ..station.enums import ConnectorStatus
from ..station.metering import MAY_FLOW, idle
from ..station.model import Place
from .adapter import StationContext

PREMATURE = 3.0
"""Seconds after which a station that starts, and was out of service, is believed."""

_STARTING = timedelta(seconds=15)


class Statuses:
    """The statuses of a station and its EVSEs, as they are believed."""

    def __init__(self, context: StationContext, call_later: CallLater) -> None:
        """Feed the station of `context`."""
        self._context = context
        self._call_later = call_later
        self._booted_at: datetime | None = None
        self._held: dict[int, Timer] = {}

    def booted(self) -> None:
        """Let whatever a station says after a restart be news.

        Its clock may just have been put back to ours, so that the times it gave before
        prove nothing; it reports every connector anew (OCPP 1.6 4.2, 2.x B01).
        """
        self._booted_at = self._context.clock()
        for place in self._context.station.places:
            for channel in place.states:
                channel.lend(anew=True)

    def hear(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        """Take what a station says of a place, which was true at `at`."""
        if (held := self._held.pop(place.id, None)) is not None:
            held.cancel()
        if self._premature(place, status):
            self._held[place.id] = self._call_later(
                PREMATURE, partial(self._release, place, status, at)
            )
        else:
            self.take(place, status, at)

    def close(self) -> None:
        """Believe nothing any more that was not believed at once."""
        for held in self._held.values():
            held.cancel()
        self._held.clear()

    def _premature(self, place: Place, status: ConnectorStatus) -> bool:
        """Return whether a station out of service says "Available" as it starts.

        Some say so for a second before they remember that they are out of service.
        """
        return (
            status is ConnectorStatus.AVAILABLE
            and place.status.value is ConnectorStatus.UNAVAILABLE
            and self._booted_at is not None
            and self._context.clock() - self._booted_at < _STARTING
        )

    def _release(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        del self._held[place.id]
        self.take(place, status, at)

    def take(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        """Show a status, and follow it."""
        # It may have been heard of another way, which does not know what is yet to come.
        news = status is not place.status.value or place.status.filled
        if status not in MAY_FLOW and news:
            idle(place, at)
        if place.status.set(status, at) and place.id:
            self.follow(place, status, at)

    def follow(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        """Let the transaction of an EVSE know of a status."""
        self._context.transactions.status(place.id, status, at)
