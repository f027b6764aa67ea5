"""What the virtual station says will hold is what it then offers."""

from datetime import timedelta
import math
from typing import Any

from hypothesis import given, settings, strategies as st

from .conftest import FakeClock
from .profiles import MORNING
from .random_profiles import SPAN, placed_profiles
from simulators.charging_station import ChargingStation16, Misbehaviour


@settings(max_examples=150, deadline=None)
@given(st.lists(placed_profiles(), max_size=5), st.booleans())
async def test_the_offer_follows_the_composite_schedule(
    placed: list[tuple[int, Any]], caps: bool
) -> None:
    """Second by second, whatever profiles there are."""
    clock = FakeClock()
    moods = {Misbehaviour.TX_DEFAULT_CAPS} if caps else set()
    station = ChargingStation16("ws://nowhere", "CP1", clock=clock, misbehaviours=moods)
    await station.plug_in()
    await station.sessions.start(station.connectors[1], "TAG1")
    for connector, one in placed:
        station.install(one, connector)
    answer = await station.charging.composite_schedule(
        {"connectorId": 1, "duration": SPAN}
    )
    periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
    for second in range(SPAN):
        clock.now = MORNING + timedelta(seconds=second)
        station.charging.offer()
        told = [one for one in periods if one["startPeriod"] <= second][-1]
        assert told["limit"] == math.floor(round(station.offered() * 10, 6)) / 10
