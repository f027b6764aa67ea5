"""Limits at stations of OCPP 2.x: the virtual one judges profiles as libocpp does."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from .charger import PATIENCE, Payload
from .charger_v2 import Charger2
from .conftest import IDENTITY, Charger2Factory
from .entities import act, flush, state
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.stepwise import Step
from simulators.charging_station.v2 import ChargingStation, IdToken
from simulators.charging_station.v2.device_model import DEFAULT, EVERYTHING
from simulators.charging_station.vehicle import Vehicle

TOKEN = IdToken(id_token="04A1B2C3")


@pytest.fixture(params=["2.0.1", "2.1"])
async def virtual(
    request: pytest.FixtureRequest, hass: HomeAssistant, hub: OcppHub
) -> AsyncGenerator[ChargingStation]:
    """Return a station with two EVSEs whose limits may change at any pace."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    station = ChargingStation(
        f"ws://127.0.0.1:{hub.port}/ocpp",
        IDENTITY,
        evses=(1, 1),
        versions=[request.param],
        device_model=EVERYTHING if request.param == "2.1" else DEFAULT,
    )
    await station.connect()
    shown = hub.stations[IDENTITY].station
    await until(lambda: Step.LIMITS in shown.findings)
    shown.settings = replace(shown.settings, limit_interval=0)
    await station.settle()
    yield station
    await station.close()


async def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.01)


def profiles(station: ChargingStation) -> list[tuple[int, str, str, float]]:
    """Return EVSE, purpose, kind and first limit of what the station holds."""
    return [
        (
            one.evse_id,
            one.purpose,
            one.profile["chargingProfileKind"],
            one.profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"],
        )
        for one in station.charging.profiles.values()
    ]


async def charge(hass: HomeAssistant, station: ChargingStation) -> None:
    """Let a vehicle charge at the second EVSE."""
    await station.box.plug_in(Vehicle(), 2)
    assert await station.box.swipe(TOKEN, 2)
    await station.settle()
    await flush(hass)
    assert state(hass, "sensor", f"{IDENTITY}_2_status") == "charging"


async def test_a_session_is_limited_and_the_station_confirms_it(
    hass: HomeAssistant, virtual: ChargingStation
) -> None:
    kind = "Dynamic" if virtual.version == "2.1" else "Absolute"
    await charge(hass, virtual)
    for limit in (10, 12, 8.5):
        told = await act(hass, "set_charging_limit", connector=2, limit=limit)
        assert told["status"] == "confirmed"
        assert profiles(virtual) == [(2, "TxProfile", kind, limit)]
    await flush(hass)
    assert float(state(hass, "sensor", f"{IDENTITY}_2_effective_limit")) == 8.5
    assert state(hass, "sensor", f"{IDENTITY}_2_limited_by") == "our_limit"
    await act(hass, "clear_charging_limit", connector=2)
    assert profiles(virtual) == []


async def test_a_limit_without_a_session_is_the_default_of_its_evse(
    hass: HomeAssistant, virtual: ChargingStation
) -> None:
    told = await act(hass, "set_charging_limit", connector=1, limit=10)
    assert told["status"] == "confirmed"
    assert profiles(virtual) == [(1, "TxDefaultProfile", "Absolute", 10)]


async def test_all_evses_together_have_a_limit_at_evse_0(
    hass: HomeAssistant, virtual: ChargingStation
) -> None:
    told = await act(hass, "set_charging_limit", limit=20)
    assert told["status"] == "confirmed"
    assert profiles(virtual) == [(0, "ChargingStationMaxProfile", "Absolute", 20)]


async def test_a_session_that_is_paused_goes_on(
    hass: HomeAssistant, virtual: ChargingStation
) -> None:
    await charge(hass, virtual)
    await act(hass, "pause_charging", connector=2)
    await virtual.settle()
    await flush(hass)
    assert state(hass, "sensor", f"{IDENTITY}_2_status") == "suspended_evse"
    await act(hass, "resume_charging", connector=2)
    await virtual.settle()
    await flush(hass)
    assert state(hass, "sensor", f"{IDENTITY}_2_status") == "charging"


async def test_a_limit_that_others_have_set_in_the_station_is_named(
    hass: HomeAssistant, virtual: ChargingStation
) -> None:
    period = {"startPeriod": 0, "limit": 8.0}
    schedule = {
        "id": 1,
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [period],
    }
    told = {
        "evseId": 2,
        "chargingLimit": {"chargingLimitSource": "SO"},
        "chargingSchedule": [schedule],
    }
    await virtual.queue.post("NotifyChargingLimit", told)
    await flush(hass)
    assert float(state(hass, "sensor", f"{IDENTITY}_2_effective_limit")) == 8
    assert state(hass, "sensor", f"{IDENTITY}_2_limited_by") == "grid_operator"


async def test_a_session_ends_after_its_energy(
    hass: HomeAssistant, virtual: ChargingStation
) -> None:
    await act(hass, "limit_session", connector=2, energy=0.5)
    await charge(hass, virtual)
    transaction_id = virtual.transactions.running[2].id
    for _ in range(20):
        if not virtual.transactions.running:
            break
        await virtual.pass_time(60)
        await virtual.settle()
        await hass.async_block_till_done(wait_background_tasks=True)
    assert virtual.transactions.running == {}
    (session,) = (await act(hass, "get_sessions", connector=2))["sessions"]
    assert session["transaction_id"] == transaction_id
    reason = "energy_limit_reached" if virtual.version == "2.1" else "remote"
    assert session["stop_reason"] == reason
    assert 500 <= session["energy"] < 1100


@pytest.mark.peer("B-17")
async def test_the_maximum_of_a_station_is_at_evse_0_and_absolute(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    """Elsewhere it goes to an EVSE, and is relative: against K01.FR.38 and K04.FR.03."""
    charger2.received.clear()

    def only_for_all(payload: Payload) -> Payload:
        purpose = payload["chargingProfile"]["chargingProfilePurpose"]
        taken = purpose == "ChargingStationMaxProfile"
        return {"status": "Accepted" if taken else "Rejected"}

    charger2.answers["SetChargingProfile"] = only_for_all
    await act(hass, "set_charging_limit", limit=10)
    payload = charger2.calls("SetChargingProfile")[-1]
    profile = payload["chargingProfile"]
    assert payload["evseId"] == 0
    assert profile["chargingProfilePurpose"] == "ChargingStationMaxProfile"
    assert profile["chargingProfileKind"] == "Absolute"
    assert "startSchedule" in profile["chargingSchedule"][0]


@pytest.mark.peer("B-18")
@pytest.mark.parametrize("maximum", [16, 63])
async def test_a_limit_as_high_as_the_maximum_is_a_limit_all_the_same(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    maximum: int,
) -> None:
    """Elsewhere the maximum removes the limit, and 22 kW is the most there is."""
    charger = await charger2_ws(version="2.0.1")
    station = hub.stations[IDENTITY].station
    station.settings = replace(station.settings, maximum_current=maximum)
    charger.received.clear()
    await act(hass, "set_charging_limit", limit=maximum)
    (payload,) = charger.calls("SetChargingProfile")
    (schedule,) = payload["chargingProfile"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": maximum}]
    assert charger.calls("ClearChargingProfile") == []
    with pytest.raises(ServiceValidationError):
        await act(hass, "set_charging_limit", limit=maximum + 1)
