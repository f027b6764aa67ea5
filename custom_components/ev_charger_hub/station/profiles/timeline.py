"""When each period of a charging profile holds, in whole seconds.

Moments are cut to whole seconds, as they are when they go over the wire. Every span
includes its beginning and excludes its end.

A recurring schedule starts anew every day or week from its start on, never before it,
and lasts until it starts anew or, if that is sooner, for its duration. In UTC a day
has 24 hours. With `use_local_time` (2.1) it starts when the clocks of the station show
the same time as at its first start, whatever that is in UTC:

- a day on which the clocks change has 23 or 25 hours: the schedule is cut, or its last
  period lasts longer, unless it has a duration and leaves a hole;
- a time that the clocks skip is counted from before the change: 02:30 becomes 03:30;
- of a time that the clocks show twice, the first is meant (but a schedule that begins
  at the second one does);
- the periods within it are seconds that pass, also when the clocks change meanwhile.

The first three are what iCalendar says too (RFC 5545 3.3.5).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count, pairwise

from .model import Circumstances, Installed, Kind, Period, Recurrence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 1 << 62
STEP = {Recurrence.DAILY: timedelta(days=1), Recurrence.WEEKLY: timedelta(weeks=1)}
"""After how long a schedule starts anew, on a calendar."""

type Span = tuple[int, int]


def seconds(moment: datetime) -> int:
    """Return the whole seconds since 1970 at a moment."""
    return (moment - EPOCH) // timedelta(seconds=1)


def held(
    one: Installed, window: Span, circumstances: Circumstances
) -> Iterator[tuple[int, int, Period]]:
    """Yield when which period of a profile holds within a window, in order."""
    begin, end = _valid(one, window)
    if begin >= end:
        return
    periods = sorted(one.profile.schedule.periods, key=lambda period: period.start)
    ends = [*(period.start for period in periods[1:]), FOREVER]
    for first, last in _occurrences(one, (begin, end), circumstances):
        stop = min(last, end)
        for period, length in zip(periods, ends, strict=True):
            since = max(first + period.start, begin)
            until = min(first + length, stop)
            if since < until:
                yield since, until, period


def _valid(one: Installed, window: Span) -> Span:
    begin, end = window
    profile = one.profile
    if profile.valid_from is not None:
        begin = max(begin, seconds(profile.valid_from))
    if profile.valid_to is not None:
        end = min(end, seconds(profile.valid_to))
    return begin, end


def _occurrences(
    one: Installed, window: Span, circumstances: Circumstances
) -> Iterator[Span]:
    profile, schedule = one.profile, one.profile.schedule
    # A dynamic profile counts from its last update (K28.FR.13), and one that lacks the
    # start it has to have (K01.FR.40) from its installation.
    start = schedule.start or one.set_at
    if profile.kind is Kind.RELATIVE:
        start = circumstances.transaction_started_at or one.set_at
    length = FOREVER if schedule.duration is None else schedule.duration
    if profile.kind is not Kind.RECURRING or profile.recurrence is None:
        first = seconds(start)
        yield first, first + length
        return
    zone = circumstances.zone if schedule.use_local_time else UTC
    for first, following in pairwise(_starts(start, profile.recurrence, zone, window)):
        yield first, min(following, first + length)


def _starts(
    start: datetime, recurrence: Recurrence, zone: tzinfo, window: Span
) -> Iterator[int]:
    """Yield when a schedule starts anew, from before a window until after it."""
    begin, end = window
    if seconds(start) >= end:
        return
    shown = start.astimezone(zone).replace(tzinfo=None)
    today = (EPOCH + timedelta(seconds=begin)).astimezone(zone).date()
    step = STEP[recurrence]
    # Today's may be yet to come, and a skipped time may be as late as a day.
    behind = (today - shown.date()).days // step.days - 2
    for number in count(max(0, behind)):
        again = (shown + number * step).replace(tzinfo=zone, fold=0)
        yield (moment := seconds(again if number else start))
        if moment >= end:
            return
