"""The integration's composite schedule and the virtual station's are the same.

Two pieces of code that share nothing read the same profiles.
"""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .conftest import FakeClock
from .profiles import MORNING, station_max, tx, tx_default
from .random_profiles import SPAN, placed_profiles
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles.composite import composite
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Circumstances,
    Installed,
    Kind,
    Period,
    Purpose,
    Recurrence,
    Schedule,
)
from simulators.charging_station import VENDORS, ChargingStation16
from simulators.charging_station.schedules import Installed as Theirs

MAXIMUM = {"A": Fraction(32), "W": Fraction(32 * 690)}
PURPOSES = {
    "ChargePointMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}


def moment(text: str | None) -> datetime | None:
    """Return a moment as it is on the wire."""
    return None if text is None else datetime.fromisoformat(text)


def ours(theirs: Theirs) -> Installed:
    """Return the integration's view of a profile that the station has."""
    told, schedule = theirs.profile, theirs.profile["chargingSchedule"]
    recurrence = told.get("recurrencyKind")
    return Installed(
        evse_id=theirs.connector_id,
        set_at=theirs.set_at,
        profile=ChargingProfile(
            id=told["chargingProfileId"],
            purpose=PURPOSES[told["chargingProfilePurpose"]],
            kind=Kind(told["chargingProfileKind"]),
            stack_level=told["stackLevel"],
            recurrence=Recurrence(recurrence) if recurrence else None,
            valid_from=moment(told.get("validFrom")),
            valid_to=moment(told.get("validTo")),
            schedule=Schedule(
                unit=RateUnit(schedule["chargingRateUnit"]),
                start=moment(schedule.get("startSchedule")),
                duration=schedule.get("duration"),
                periods=tuple(
                    Period(start=one["startPeriod"], limit=Decimal(str(one["limit"])))
                    for one in schedule["chargingSchedulePeriod"]
                ),
            ),
        ),
    )


async def prepared(placed: list[tuple[int, Any]]) -> ChargingStation16:
    """Return a station with a transaction on the first of two connectors."""
    station = ChargingStation16("ws://nowhere", "CP1", connectors=2, clock=FakeClock())
    await station.plug_in()
    await station.sessions.start(station.connectors[1], "TAG1")
    for connector, one in placed:
        station.install(one, connector)
    return station


def expected(
    station: ChargingStation16, connector: int, unit: str
) -> list[dict[str, Any]]:
    """Return the periods that the integration expects, within the hardware's limits."""
    running = Circumstances(transaction_id="1", transaction_started_at=MORNING)
    circumstances = {1: running, 2: Circumstances()}
    schedule = composite(
        [ours(one) for one in station.profiles.profiles],
        evse_id=connector,
        start=MORNING,
        duration=SPAN,
        unit=RateUnit(unit),
        circumstances=circumstances,
    )
    periods: list[dict[str, Any]] = []
    for one in schedule.periods:
        limit = MAXIMUM[unit] if one.limit is None else min(one.limit, MAXIMUM[unit])
        told = math.floor(limit * 10) / 10
        if not periods or periods[-1]["limit"] != told:
            periods.append({"startPeriod": one.start, "limit": told})
    return periods


@pytest.mark.conformance("SC_01")
@settings(max_examples=300, deadline=None)
@given(
    st.lists(placed_profiles(), min_size=2, max_size=8),
    st.sampled_from((1, 2)),
    st.sampled_from("AW"),
)
async def test_both_read_profiles_alike(
    placed: list[tuple[int, Any]], connector: int, unit: str
) -> None:
    """At a connector with and at one without a transaction, in A and in W."""
    station = await prepared(placed)
    answer = await station.charging.composite_schedule(
        {"connectorId": connector, "duration": SPAN, "chargingRateUnit": unit}
    )
    told = answer["chargingSchedule"]["chargingSchedulePeriod"]
    assert told == expected(station, connector, unit)


@pytest.mark.parametrize("unit", ["A", "W"])
async def test_both_add_the_connectors_up_alike(unit: str) -> None:
    """To what the station's maximum leaves."""
    station = await prepared(
        [
            (1, tx(1, (0, 6), (60, 10))),
            (2, tx_default(2, (0, 8), (90, 12))),
            (0, station_max(3, (0, 15), (120, 30))),
        ]
    )
    answer = await station.charging.composite_schedule(
        {"connectorId": 0, "duration": SPAN, "chargingRateUnit": unit}
    )
    told = answer["chargingSchedule"]["chargingSchedulePeriod"]
    assert told == expected(station, 0, unit)
    factor = 1 if unit == "A" else 230 * VENDORS["generic"].phases
    assert [one["limit"] for one in told] == [14 * factor, 15 * factor, 22 * factor]
