"""Snapshots: what goes into the journal comes out of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
import json
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    Location,
    Measurand,
    Phase,
    RateUnit,
)
from custom_components.ev_charger_hub.station.external import ExternalLimit
from custom_components.ev_charger_hub.station.model import (
    ChargingStation,
    Fault,
    MeasurementKey,
    Place,
    StationInfo,
)
from custom_components.ev_charger_hub.station.needs import (
    ChargingNeeds,
    EnergyTransfer,
    VehiclePlan,
)
from custom_components.ev_charger_hub.station.profiles.model import Period, Schedule
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.snapshot import dump, restore

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
POWER = MeasurementKey(measurand=Measurand.POWER_ACTIVE_IMPORT)

texts = st.none() | st.text(max_size=20)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
keys = st.builds(
    MeasurementKey,
    measurand=st.sampled_from(Measurand),
    phase=st.none() | st.sampled_from(Phase),
    location=st.none() | st.sampled_from(Location),
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def new_station() -> ChargingStation:
    return ChargingStation("CP1", StationSettings(name="One"))


def stored(station: ChargingStation) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(dump(station)))
    return data


def fill(place: Place, data: st.DataObject) -> None:
    if status := data.draw(st.none() | st.sampled_from(ConnectorStatus)):
        place.status.set(status, data.draw(moments))
    place.fault.set(
        data.draw(st.none() | st.builds(Fault, error_code=st.text(), info=texts))
    )
    for key, value in data.draw(st.dictionaries(keys, numbers, max_size=3)).items():
        place.measurement(key).set(value, data.draw(moments))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_station_comes_back_as_it_was(data: st.DataObject) -> None:
    station = new_station()
    station.info.set(data.draw(st.builds(StationInfo, vendor=texts, firmware=texts)))
    station.version.set(data.draw(texts))
    station.heartbeat.set(data.draw(moments))
    station.firmware_status.set(data.draw(texts))
    station.diagnostics_status.set(data.draw(texts))
    station.reconnects.set(data.draw(st.integers(min_value=0, max_value=99)))
    station.findings.update(data.draw(st.dictionaries(st.text(), st.text())))
    fill(station.whole, data)
    for evse_id in data.draw(st.sets(st.integers(1, 5), max_size=2)):
        fill(station.evse(evse_id), data)
        for connector_id in data.draw(st.sets(st.integers(1, 3))):
            status = station.evse(evse_id).connector(connector_id).status
            status.set(data.draw(st.none() | st.sampled_from(ConnectorStatus)))

    again = new_station()
    restore(again, stored(station))

    assert dump(again) == dump(station)
    assert again.evses.keys() == station.evses.keys()
    assert again.info.value == station.info.value
    for place, original in zip(
        (again.whole, *again.evses.values()),
        (station.whole, *station.evses.values()),
        strict=True,
    ):
        for key, channel in original.measurements.items():
            assert place.measurements[key].value == channel.value
            assert place.measurements[key].at == channel.at


def test_what_is_newer_stays() -> None:
    station = new_station()
    station.info.set(StationInfo(vendor="Old"))
    station.evse(1).status.set(ConnectorStatus.AVAILABLE, NOON)
    station.evse(1).measurement(POWER).set(11000, NOON)
    station.findings["boot"] = "old"
    old = stored(station)
    again = new_station()
    again.info.set(StationInfo(vendor="New"))
    again.evse(1).status.set(ConnectorStatus.CHARGING, NOON - timedelta(hours=1))
    again.evse(1).measurement(POWER).set(0, NOON - timedelta(hours=1))
    again.findings["boot"] = "new"

    restore(again, old)

    evse = again.evse(1)
    assert again.info.value.vendor == "New"
    assert evse.status.value is ConnectorStatus.CHARGING
    assert evse.measurement(POWER).value == 0
    assert again.findings == {"boot": "new"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_not_kept(value: float | None) -> None:
    station = new_station()
    station.evse(1).measurement(POWER).set(value, NOON)

    assert dump(station)["evses"]["1"]["measurements"] == []


def test_words_of_another_version_are_left_out() -> None:
    station = new_station()
    station.info.set(StationInfo(vendor="Maker"))
    station.evse(1).status.set(ConnectorStatus.CHARGING, NOON)
    station.evse(1).measurement(POWER).set(11000, NOON)
    data = stored(station)
    data["info"]["colour"] = "red"
    place = data["evses"]["1"]
    place |= {
        "status": "dreaming",
        "fault": {"mood": "bad"},
    }
    place["measurements"] += [
        {"measurand": "mood", "phase": None, "location": None, "value": 1, "at": None},
        {
            "measurand": Measurand.SOC,
            "phase": None,
            "location": None,
            "value": "full",
            "at": None,
        },
    ]

    again = new_station()
    restore(again, data)

    evse = again.evse(1)
    assert again.info.value == StationInfo(vendor="Maker")
    assert evse.status.value is None
    assert evse.fault.value is None
    assert {
        key.measurand: channel.value for key, channel in evse.measurements.items()
    } == {Measurand.POWER_ACTIVE_IMPORT: 11000, Measurand.SOC: None}


def test_nothing_is_enough() -> None:
    station = new_station()

    restore(station, {})

    assert dump(station) == dump(new_station())


def test_limits_of_others_outlive_us() -> None:
    """Their station tells of them once, and not again because we restarted."""
    station = new_station()
    period = Period(start=0, limit=Decimal("8.5"), phases=1)
    schedule = Schedule(unit=RateUnit.AMPERE, periods=(period,), start=NOON)
    limit = ExternalLimit(source="SO", told_at=NOON, schedules=(schedule,))
    station.evse(1).external_limits.set({"SO": limit})
    again = new_station()
    restore(again, stored(station))
    assert again.evse(1).external_limits.value == {"SO": limit}
    data = stored(station)
    data["evses"]["1"]["external_limits"][0]["schedules"][0]["periods"] = [["a"]]
    broken = new_station()
    restore(broken, data)
    assert broken.evse(1).external_limits.value == {}


def test_what_a_vehicle_told_outlives_a_restart() -> None:
    schedule = Schedule(
        unit=RateUnit.AMPERE,
        periods=(Period(start=0, limit=Decimal("9.5"), phases=3),),
        start=NOON,
        duration=600,
    )
    before, after = new_station(), new_station()
    evse = before.evse(1)
    evse.needs.set(
        ChargingNeeds(
            told_at=NOON,
            departure=NOON + timedelta(hours=8),
            energy=20000.0,
            transfer=EnergyTransfer.AC_THREE_PHASE,
        )
    )
    evse.plan.set(VehiclePlan(told_at=NOON, schedule=schedule, accepted=True))
    evse.priority.set(True)
    evse.allowed_transfers = frozenset({EnergyTransfer.AC_BPT})
    restore(after, stored(before))
    there = after.evse(1)
    assert there.needs.value == evse.needs.value
    assert there.plan.value == evse.plan.value
    assert there.priority.value is True
    assert there.allowed_transfers == evse.allowed_transfers


@pytest.mark.parametrize(
    "vehicle",
    [
        {"needs": {"odd": 1, "told_at": NOON.isoformat()}},
        {"needs": {"transfer": "odd", "told_at": NOON.isoformat()}},
        {"plan": {"told_at": NOON.isoformat()}},
        {"allowed_transfers": ["odd"]},
    ],
)
def test_odd_words_of_a_vehicle_are_left_out(vehicle: dict[str, Any]) -> None:
    station = new_station()
    restore(station, {"evses": {"1": {"vehicle": vehicle}}})
    evse = station.evse(1)
    assert (evse.needs.value, evse.plan.value) == (None, None)
    assert evse.allowed_transfers is None
