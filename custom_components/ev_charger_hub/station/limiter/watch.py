"""The watch: what holds at every place of a station, seen as it changes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ..channel import Channel
from ..clock import CallLater, Clock, Timer, call_later as loop_call_later
from ..model import ChargingStation, Evse, Place
from .effective import Evidence, judge, overdrawn, unsettled
from .evidence import gather, place_limits
from .flows import TELLING
from .limiter import Limiter
from .seen import Record

SAMPLES_DELAY = timedelta(seconds=1)
"""How long after the first the samples of one moment are here."""

UNSETTLED_DELAY = timedelta(seconds=30)
"""After which time a current is looked at again that has not changed."""


class Watch:
    """Feeds what holds, who sets it, and whether ours is followed, of one station."""

    def __init__(
        self,
        station: ChargingStation,
        limiter: Limiter,
        clock: Clock,
        *,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Watch a station from now on, until `close`."""
        self._station = station
        self._limiter = limiter
        self._clock = clock
        self._call_later = call_later
        self._records: dict[int, Record] = {0: Record()}
        self._followed: set[Channel[Any]] = set()
        self._unsubscribes: list[Callable[[], None]] = []
        self._timer: Timer | None = None
        self._due: datetime | None = None
        self._currents_matter = False
        self._unsubscribes += [
            station.on_growth(self._follow),
            station.way.subscribe(self.look),
            limiter.on_change(self.look),
        ]
        self._follow()

    def close(self) -> None:
        """Watch no longer."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        self._unsubscribes.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Judge every place now."""
        if self._station.way.value is None:
            # What was known stays until the station says something else.
            return
        now = self._clock()
        places = self._places()
        self._currents_matter = False
        ignored = [place.id for place in places if self._judge(place, now)]
        for evse_id in ignored:
            self._limiter.ignored(evse_id)

    def _places(self) -> list[Place]:
        """Return what is judged: the whole of a station only if it says more."""
        station = self._station
        if len(station.evses) <= 1 and station.whole.wanted_limit.value is None:
            return list(station.evses.values())
        return [station.whole, *station.evses.values()]

    def _judge(self, place: Place, now: datetime) -> bool:
        """Judge a place; return whether it is news that ours is not followed."""
        record = self._records.setdefault(place.id, Record())
        evidence = gather(place, self._limiter, self._records, now)
        judgement = judge(evidence)
        place.effective_limit.set(judgement.limit)
        place.limited_by.set(judgement.limited_by)
        if evidence.ours is not None or evidence.offered is not None:
            self._currents_matter = True
        if record.settled_at is not None and now < record.settled_at:
            self._look_at(record.settled_at)
        if record.late_at is not None and now < record.late_at:
            self._look_at(record.late_at)
        for limit in place_limits(place):
            if (change := limit.next_change(now)) is not None:
                self._look_at(change)
        if unsettled(evidence):
            self._look_at(now + UNSETTLED_DELAY)
        return self._conclude(place, record, evidence, judgement.followed)

    def _conclude(
        self, place: Place, record: Record, evidence: Evidence, followed: bool | None
    ) -> bool:
        """Tell whether ours is followed; return whether it is news that it is not."""
        if followed is None and evidence.ours is None and place.limit_ignored.value:
            followed = True
        if followed is None:
            return False
        if followed:
            record.suspected_at = None
        elif overdrawn(evidence) and not record.certain(evidence.moments):
            return False
        place.limit_ignored.set(not followed)
        if followed:
            record.doubted = False
            return False
        record.doubted = record.doubted or overdrawn(evidence)
        news = not record.reported
        record.reported = True
        # Another profile is no way to make a number hold.
        return news and not (evidence.two_ways and evidence.late)

    # When to look

    def _follow(self) -> None:
        """Follow what exists and was not followed yet."""
        for place in (self._station.whole, *self._station.evses.values()):
            channels: list[Channel[Any]] = [
                place.status,
                place.wanted_limit,
                place.external_limits,
                place.known_limits,
            ]
            if isinstance(place, Evse):
                channels += [place.session, place.cable_rating]
                channels += [place.wanted_phases, place.priority]
            for channel in channels:
                self._subscribe(channel, self.look)
            for key, measured in place.measurements.items():
                if key in TELLING:
                    self._subscribe(measured, self._sampled)

    def _subscribe(self, channel: Channel[Any], listener: Callable[[], None]) -> None:
        """Follow a channel, once."""
        if channel not in self._followed:
            self._followed.add(channel)
            self._unsubscribes.append(channel.subscribe(listener))

    def _sampled(self) -> None:
        """Look once the samples of a moment are here, if they can change anything."""
        if self._currents_matter:
            self._look_at(self._clock() + SAMPLES_DELAY)

    def _look_at(self, moment: datetime) -> None:
        """Have everything judged at a moment, or before."""
        if self._due is not None and self._due <= moment:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = moment
        delay = max(0.0, (moment - self._clock()).total_seconds())
        self._timer = self._call_later(delay, self._look_now)

    def _look_now(self) -> None:
        self._timer = self._due = None
        self.look()
