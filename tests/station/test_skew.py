"""How far a station's clock is off, by what it stamps."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.ev_charger_hub.station.clock import Skew

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOUR = 3600


@pytest.mark.parametrize(
    ("offsets", "ahead"),
    [
        ([], 0),
        ([0.4, -1.2, 3], 0),
        ([-7], 0),
        # In another time zone.
        ([HOUR], HOUR),
        ([2 * HOUR, 2 * HOUR - 1, 2 * HOUR - 3], 2 * HOUR),
        ([-5 * HOUR - 2, -5 * HOUR, -5 * HOUR - 1], -5 * HOUR),
        # Told late, after it was offline: nothing is known of the clock.
        ([-5 * HOUR], 0),
        ([-180, -120, -60], 0),
        ([-9000, -9000, -1], 0),
        ([HOUR, -3000, -2000], HOUR),
        # Set in between: what counts is new.
        ([HOUR, 0, 0, 0], 0),
        # Never set at all: in 1970, nothing that it stamps says anything.
        ([-56 * 365 * 24 * HOUR] * 3, 0),
    ],
)
def test_a_clock_is_off_by_what_everything_it_stamps_is(
    offsets: list[float], ahead: float
) -> None:
    skew = Skew()
    for number, offset in enumerate(offsets):
        now = NOW + timedelta(minutes=number)
        skew.observe(now + timedelta(seconds=offset), now)
    skew.observe(None, NOW)
    assert skew.ahead == timedelta(seconds=ahead)
