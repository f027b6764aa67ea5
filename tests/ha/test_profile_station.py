"""Profiles at a virtual station, whose own engine understands them the same way."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .charger import PATIENCE
from .conftest import IDENTITY
from .entities import act
from .profiles import DAY_AND_NIGHT
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.charging_station import ChargingStation16

type Fields = dict[str, Any]


@pytest.fixture
async def station(
    hass: HomeAssistant, hub: OcppHub
) -> AsyncGenerator[ChargingStation16]:
    """Return a virtual station that is set up."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    station = ChargingStation16(
        f"ws://127.0.0.1:{hub.port}/ocpp", IDENTITY, clock=dt_util.utcnow
    )
    await station.connect()
    findings = hub.stations[IDENTITY].station.findings
    async with asyncio.timeout(PATIENCE):
        while "limits" not in findings:
            await asyncio.sleep(0.01)
    await hass.async_block_till_done()
    yield station
    await station.close()


def limits(schedule: Fields) -> list[tuple[str, float]]:
    """Return when which limit begins."""
    return [(one["start"], one["limit"]) for one in schedule["periods"]]


@pytest.mark.conformance("SC_01")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns"])
@pytest.mark.parametrize(
    "profiles",
    [
        [{"periods": DAY_AND_NIGHT, "recurrence": "daily"}],
        [
            {"periods": [{"start": 0, "limit": 20}, {"start": 7200, "limit": 10}]},
            {"periods": [{"start": 0, "limit": 16}], "connector": 0},
        ],
        [
            {
                "periods": [
                    {"start": "07:00", "limit": 8, "weekday": ["mon", "wed", "fri"]},
                    {"start": "19:30", "limit": 16},
                ],
                "recurrence": "weekly",
            },
            {
                "periods": [{"start": "12:00", "limit": 24}],
                "recurrence": "daily",
                "duration": "02:00:00",
                "stack_level": 5,
            },
        ],
    ],
)
async def test_the_station_expects_what_we_expect(
    hass: HomeAssistant, station: ChargingStation16, profiles: list[Fields], zone: str
) -> None:
    await hass.config.async_set_time_zone(zone)
    for fields in profiles:
        answer = await act(hass, "set_charging_profile", **fields)
        assert answer["status"] == "accepted"
    told = await act(hass, "get_composite_schedule", duration={"days": 3}, unit="A")
    # They are asked one after the other, maybe a second later.
    assert limits(told["schedule"])[1:] == limits(told["expected"])[1:]
    assert (
        told["schedule"]["periods"][0]["limit"]
        == (told["expected"]["periods"][0]["limit"])
    )
    assert len(told["expected"]["periods"]) > 1


async def test_the_station_offers_what_its_profile_says(
    hass: HomeAssistant, station: ChargingStation16
) -> None:
    await station.plug_in()
    assert await station.swipe("TAG12345")
    await station.settle()
    await hass.async_block_till_done()
    assert station.offered() == 32
    answer = await act(
        hass,
        "set_charging_profile",
        periods=[{"start": 0, "limit": 9.5}],
        duration="01:00:00",
    )
    assert answer["profile"]["purpose"] == "TxProfile"
    assert station.offered() == 9.5
    await act(hass, "clear_charging_profile", id=answer["profile_id"])
    assert station.offered() == 32
