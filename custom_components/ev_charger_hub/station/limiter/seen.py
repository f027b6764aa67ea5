"""Seen: what was seen of the limits at one place, and what became of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from ..profiles.model import CompositeSchedule
from .applied import Applied
from .effective import SAME

SETTLING = timedelta(seconds=60)
"""How long what is offered may follow a limit that is gone."""

TOGETHER = timedelta(seconds=5)
"""How far apart the samples of different EVSEs may be, to be of one moment."""

KEEP = timedelta(minutes=30)
"""For how long it is remembered what the limits were."""


class Record:
    """What was seen at one place: limits of ours, and what became of them."""

    __slots__ = (
        "_above_since",
        "_held",
        "_spans",
        "composite",
        "doubted",
        "most_offered",
        "read_at",
        "reported",
        "settled_at",
        "suspected_at",
    )

    def __init__(self) -> None:
        """Start without having seen anything."""
        self._spans: list[tuple[datetime, Decimal | None]] = []
        self._held: Applied | None = None
        self._above_since: datetime | None = None
        self.settled_at: datetime | None = None
        """When the limit of ours should be followed; None if there is none."""
        self.doubted = False
        """Whether currents showed that the limit of ours is not followed."""
        self.reported = False
        """Whether the limiter was told that it is not followed."""
        self.suspected_at: datetime | None = None
        """When samples of different moments first came to more than ours."""
        self.most_offered: Decimal | None = None
        self.composite: CompositeSchedule | None = None
        self.read_at: datetime | None = None
        """When the composite schedule came; None if it is out of date."""

    def hold(self, held: Applied | None) -> None:
        """Note what the station accepted from us; a renewal is nothing new."""
        if held != self._held and not self._renewed(held):
            self.settled_at = None if held is None else held.settled_at
            # What the station said before the change says nothing about it.
            self.read_at = None
            self.reported = False
            if held is None:
                self.doubted = False
            elif self._held is not None and self._held.profile_id != held.profile_id:
                # Another way to the same limit needs its time, too.
                self._spans.clear()
        self._held = held

    def _renewed(self, held: Applied | None) -> bool:
        before = self._held
        return (
            held is not None
            and before is not None
            and before.expires_at is not None
            and before.expires_at >= held.at
            and (before.limit, before.profile_id) == (held.limit, held.profile_id)
        )

    def late(self, there: Decimal | None, ours: Decimal | None, now: datetime) -> bool:
        """Return whether more than ours has stood there for too long, in A."""
        if there is None or ours is None or there <= ours + SAME:
            self._above_since = None
            return False
        if self._above_since is None:
            self._above_since = now
        return now - self._above_since >= SETTLING

    @property
    def late_at(self) -> datetime | None:
        """Return when what stands there is above ours for too long, if nothing changes."""
        return None if self._above_since is None else self._above_since + SETTLING

    def note(self, limit: Decimal | None, at: datetime, now: datetime) -> None:
        """Note which limit of ours holds, in A, and since when."""
        if self._spans:
            since, last = self._spans[-1]
            if last == limit:
                return
            # What holds again, does so from now on.
            at = now if last is None else max(at, since)
            while len(self._spans) > 1 and self._spans[1][0] < now - KEEP:
                del self._spans[0]
        self._spans.append((at, limit))

    def take(self, composite: CompositeSchedule | None, now: datetime) -> None:
        """Note what the station says, and that it says it now if it is news."""
        if composite is not self.composite:
            self.composite = composite
            self.read_at = now

    def certain(self, moments: tuple[datetime, datetime] | None) -> bool:
        """Return whether samples from so long ago until then may tell what is too much.

        EVSEs share what there is anew all the time: samples of different moments count
        once all of them are later than those that were too much before.
        """
        if moments is None or moments[1] - moments[0] <= TOGETHER:
            return True
        if self.suspected_at is None:
            self.suspected_at = moments[1]
        return moments[0] > self.suspected_at

    def bounds(self, since: datetime) -> tuple[Decimal | None, Decimal | None]:
        """Return the lowest and the highest limit of ours from a moment until now.

        The highest is None if there was none of ours at some time.
        """
        limits = list(self._since(since))
        known = [limit for limit in limits if limit is not None]
        lowest = min(known, default=None)
        return lowest, max(known) if known and len(known) == len(limits) else None

    def before(self, since: datetime) -> tuple[Decimal, ...]:
        """Return the limits of ours from a moment until the present one."""
        return tuple(one for one in [*self._since(since)][:-1] if one is not None)

    def _since(self, since: datetime) -> Iterator[Decimal | None]:
        """Yield the limits from a moment until now; None for what was not seen."""
        if not self._spans or self._spans[0][0] > since:
            yield None
        ends = [began for began, _ in self._spans[1:]]
        for index, (_, limit) in enumerate(self._spans):
            if index == len(ends) or ends[index] > since:
                yield limit
