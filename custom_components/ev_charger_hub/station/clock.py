"""The injected clock: UTC now, so that tests own the time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

type Clock = Callable[[], datetime]

MAX_PAST = timedelta(days=30)
MAX_FUTURE = timedelta(minutes=5)


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def plausible(claimed: datetime | None, now: datetime) -> datetime:
    """Return when something happened, given what a station claims and our own time.

    A claim before `now - 30 d` or after `now + 5 min` (clock not set, year 1970) is
    replaced by `now`; one slightly ahead is cut to `now`, so that a clock that steps
    back does not make the present look like history.
    """
    if claimed is None or not now - MAX_PAST <= claimed <= now + MAX_FUTURE:
        return now
    return min(claimed, now)
