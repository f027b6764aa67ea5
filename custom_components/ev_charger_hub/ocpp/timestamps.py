"""Time stamps: what stations write, and the one form that all of them read."""

from datetime import UTC, datetime, timedelta
import re

_LENGTHS = range(15, 64)
# Loose where stations are: missing zeros, blanks, lower case, a leap second, an offset
# and a Z at once, and a fraction without digits.
_LOOSE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})[T ]+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<part>\d*))?)?"
    r"\s*(?:(?P<sign>[+-])(?P<hours>[01]?\d|2[0-3]):?(?P<minutes>\d{2})?)?(?:Z|UTC|GMT)*",
    re.ASCII,
)


def parse(text: str | None) -> datetime | None:
    """Return what a station wrote as aware UTC, or None if it is beyond reading.

    A missing zone means UTC (OCPP 1.6J 3.6); fractions are cut to microseconds.
    """
    if not isinstance(text, str) or len(text) not in _LENGTHS:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _parse_loosely(text)
    return _in_utc(moment)


def render(moment: datetime) -> str:
    """Return `2026-11-20T10:00:00.000Z`: some firmware reads 0 or 3 decimals only."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _in_utc(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def _parse_loosely(text: str) -> datetime | None:
    if (match := _LOOSE.fullmatch(text.strip().upper())) is None:
        return None
    found = match.groupdict(default="0")
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    try:
        moment = datetime(
            int(found["year"]),
            int(found["month"]),
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            59 if found["second"] == "60" else int(found["second"]),
            int(found["part"][:6].ljust(6, "0")),
            tzinfo=UTC,
        )
        return moment + offset if found["sign"] == "-" else moment - offset
    except ValueError, OverflowError:
        return None
