"""Limits of others and words of vehicles of OCPP 2.x, however they are told (K11 to K17)."""

from typing import Any

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.station.enums import LimitedBy
from custom_components.ev_charger_hub.station.external import MAX_SOURCES
from custom_components.ev_charger_hub.station.needs import EnergyTransfer


def schedule(*periods: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a charging schedule."""
    told = list(periods) or [{"startPeriod": 0, "limit": 10.0}]
    return {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": told,
        **fields,
    }


async def limit(charger: Charger, source: str = "EMS", **fields: Any) -> None:
    """Tell of a limit of others, and hear that it was heard."""
    payload = {"chargingLimit": {"chargingLimitSource": source}, **fields}
    assert charger.payload(await charger.call("NotifyChargingLimit", payload)) == {}


async def test_a_limit_of_the_station_is_one_of_all_evses(charger: Charger) -> None:
    await charger.boot()
    await limit(charger, chargingSchedule=[schedule()])
    assert [*charger.station.whole.external_limits.value] == ["EMS"]
    payload = {"chargingLimitSource": "EMS"}
    await charger.call("ClearedChargingLimit", payload)
    assert charger.station.whole.external_limits.value == {}


async def test_a_limit_follows_its_schedule(charger: Charger) -> None:
    await charger.boot()
    periods = [
        {"startPeriod": 0, "limit": 10.0},
        {"startPeriod": 60, "limit": 6900.0, "numberPhases": 3},
    ]
    watts = schedule(*periods, chargingRateUnit="W", duration=120)
    await limit(charger, chargingSchedule=[schedule(), watts])
    (told,) = charger.station.whole.external_limits.value.values()
    now = charger.clock()
    assert told.limited_by is LimitedBy.ENERGY_MANAGEMENT
    assert told.next_change(now) is not None
    charger.clock.tick(90)
    assert told.now(charger.clock(), 3) == 10
    charger.clock.tick(60)
    assert told.now(charger.clock(), 3) == 10
    assert told.next_change(charger.clock()) is None


async def test_what_is_generated_at_home_limits_nothing(charger: Charger) -> None:
    await charger.boot()
    source = {"chargingLimitSource": "EMS", "isLocalGeneration": True}
    await limit(charger, chargingLimit=source, chargingSchedule=[schedule()])
    (told,) = charger.station.whole.external_limits.value.values()
    assert told.now(charger.clock(), 3) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"chargingSchedule": []},
        {"chargingSchedule": [schedule({"startPeriod": 2**40, "limit": 1.0})]},
        {"chargingSchedule": [schedule({"startPeriod": 0, "limit": 1e300})]},
        {"chargingSchedule": [schedule({"startPeriod": 0, "limit": -5.0})]},
        {"chargingSchedule": [schedule(startSchedule="yesterday")]},
        {"chargingSchedule": [schedule(duration=2**60)]},
        {"chargingSchedule": [schedule()] * 50},
        {"evseId": 99},
        {"evseId": -1},
    ],
)
async def test_odd_limits_are_answered(charger: Charger, odd: dict[str, Any]) -> None:
    await charger.boot()
    await charger.status("Available")
    await limit(charger, **odd)
    assert [*charger.station.evses] == [1]


async def test_a_place_that_nobody_has_is_not_made_up(charger: Charger) -> None:
    await charger.boot()
    charger.station.evses.clear()
    await limit(charger, evseId=60, chargingSchedule=[schedule()])
    payload = {"requestedEnergyTransfer": "AC_single_phase"}
    told = {"evseId": 60, "chargingNeeds": payload}
    answer = charger.payload(await charger.call("NotifyEVChargingNeeds", told))
    assert answer == {"status": "Rejected"}
    assert charger.station.evses == {}
    await limit(charger, evseId=2, chargingSchedule=[schedule()])
    assert [*charger.station.evses] == [2]


async def test_made_up_sources_are_bounded(charger: Charger) -> None:
    await charger.boot()
    for number in range(MAX_SOURCES + 10):
        await limit(charger, f"Source {number}", chargingSchedule=[schedule()])
    assert len(charger.station.whole.external_limits.value) == MAX_SOURCES


async def test_a_restart_forgets_the_limits_of_others(charger: Charger) -> None:
    await charger.boot()
    await limit(charger, chargingSchedule=[schedule()])
    charger.clock.tick(3600)
    await charger.boot()
    assert charger.station.whole.external_limits.value == {}


async def needs(charger: Charger, **needs: Any) -> str:
    """Tell what a vehicle needs and return the answer."""
    payload = {"evseId": 1, "chargingNeeds": needs}
    answer = charger.payload(await charger.call("NotifyEVChargingNeeds", payload))
    word: str = answer["status"]
    return word


async def test_a_vehicle_with_dc_tells_all_it_can(charger: Charger) -> None:
    await charger.boot()
    await charger.status("Occupied")
    dc = {
        "evMaxCurrent": 200.0,
        "evMaxVoltage": 500.0,
        "energyAmount": 30000.0,
        "evMaxPower": 50000.0,
        "stateOfCharge": 40.0,
        "evEnergyCapacity": 77000.0,
        "fullSoC": 90.0,
    }
    await needs(charger, requestedEnergyTransfer="DC", dcChargingParameters=dc)
    told = charger.station.evses[1].needs.value
    assert told is not None
    assert told.transfer is EnergyTransfer.DC
    assert (told.energy, told.maximum_power, told.capacity) == (30000, 50000, 77000)
    assert (told.state_of_charge, told.target_state_of_charge) == (40, 90)


@pytest.mark.parametrize(
    "odd",
    [
        {"requestedEnergyTransfer": "Wishful"},
        {"requestedEnergyTransfer": "DC", "departureTime": "soon"},
        {
            "requestedEnergyTransfer": "DC",
            "dcChargingParameters": {
                "evMaxCurrent": 10**12,
                "evMaxVoltage": -1,
                "stateOfCharge": 4711,
            },
        },
    ],
)
async def test_odd_needs_are_answered(charger: Charger, odd: dict[str, Any]) -> None:
    await charger.boot()
    await charger.status("Occupied")
    assert await needs(charger, **odd) in {"Accepted", "Processing", "Rejected"}
    told = charger.station.evses[1].needs.value
    assert told is not None
    assert told.maximum_current is None
    assert told.state_of_charge is None
