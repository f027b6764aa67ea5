"""What the virtual station says will hold is what it then offers."""

from datetime import timedelta
import math
from typing import Any

from hypothesis import given, settings, strategies as st

from .conftest import FakeClock
from .profiles import MORNING, at, profile, relative
from simulators.charging_station import ChargingStation16, Misbehaviour

SPAN = 240
SECONDS = st.integers(-SPAN, SPAN)
PURPOSES = ("ChargePointMaxProfile", "TxDefaultProfile", "TxProfile")


@st.composite
def placed_profiles(draw: st.DrawFn) -> tuple[int, Any]:
    """Return a profile and its connector, with edges inside and outside of the span."""
    purpose = draw(st.sampled_from(PURPOSES))
    kinds = ["Absolute", "Recurring"]
    if purpose != "ChargePointMaxProfile":
        kinds.append("Relative")
    kind = draw(st.sampled_from(kinds))
    unit = draw(st.sampled_from("AW"))
    starts = draw(st.lists(st.integers(1, SPAN), unique=True, max_size=3))
    tenths = st.integers(0, 400 if unit == "A" else 300_000)
    periods = [(start, draw(tenths) / 10) for start in (0, *sorted(starts))]
    optional: dict[str, Any] = {
        name: draw(st.none() | SECONDS.map(at)) for name in ("validFrom", "validTo")
    }
    optional["duration"] = draw(st.none() | st.integers(0, SPAN))
    start = draw(SECONDS)
    if kind == "Recurring":
        optional["recurrencyKind"] = draw(st.sampled_from(("Daily", "Weekly")))
        start -= draw(st.integers(0, 14)) * 86_400
    one = profile(
        draw(st.integers(1, 6)),
        purpose,
        *periods,
        unit=unit,
        kind=kind,
        level=draw(st.integers(0, 2)),
        startSchedule=at(start),
        **{name: value for name, value in optional.items() if value is not None},
    )
    connectors = {"ChargePointMaxProfile": (0,), "TxProfile": (1,)}.get(purpose, (0, 1))
    connector = draw(st.sampled_from(connectors))
    return connector, relative(one) if kind == "Relative" else one


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
    await station.start_transaction(station.connectors[1], "TAG1")
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
