"""Charging profiles of every sort, for property tests."""

from typing import Any

from hypothesis import strategies as st

from .profiles import at, profile, relative

SPAN = 240
"""How many seconds are looked at."""
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
    # Most profiles cover most of the span, so that they meet each other.
    optional: dict[str, Any] = {
        "validFrom": draw(st.none() | st.integers(-SPAN, SPAN // 2).map(at)),
        "validTo": draw(st.none() | st.integers(SPAN // 2, SPAN).map(at)),
        "duration": draw(st.none() | st.integers(0, 2 * SPAN)),
    }
    start = draw(st.integers(-SPAN, SPAN // 2))
    if kind == "Recurring":
        optional["recurrencyKind"] = draw(st.sampled_from(("Daily", "Weekly")))
        start -= draw(st.integers(0, 14)) * 86_400
    one = profile(
        draw(st.integers(1, 30)),
        purpose,
        *periods,
        unit=unit,
        kind=kind,
        level=draw(st.integers(0, 2)),
        startSchedule=at(start),
        **{name: value for name, value in optional.items() if value is not None},
    )
    connectors = {"ChargePointMaxProfile": (0,), "TxProfile": (1,)}.get(
        purpose, (0, 1, 2)
    )
    connector = draw(st.sampled_from(connectors))
    return connector, relative(one) if kind == "Relative" else one
