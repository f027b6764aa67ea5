"""The recipes of docs/charging-limits.md, loaded and run."""

from datetime import timedelta
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .charger import Charger
from .conftest import ChargerFactory, set_up
from .entities import device_id, flush
from custom_components.ev_charger_hub.hub import OcppHub

DOCUMENT = Path(__file__).parents[2] / "docs" / "charging-limits.md"
HOUR = timedelta(hours=1)
AUTOMATION = "automation.charge_in_the_cheapest_four_hours"
CHARGER_IDS = {
    "0123456789abcdef0123456789abcdef": "CP01",
    "fedcba9876543210fedcba9876543210": "CP02",
}


def _recipe(name: str) -> str:
    found = re.search(
        rf"<!-- recipe: {name} -->\n```yaml\n(.*?)```",
        DOCUMENT.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found is not None
    return found[1]


async def _cook(hass: HomeAssistant, name: str) -> None:
    """Load a recipe as the configuration of Home Assistant."""
    text = _recipe(name)
    for example, identity in CHARGER_IDS.items():
        if example in text:
            text = text.replace(example, device_id(hass, identity))
    parsed = yaml.safe_load(text)
    for domain, configuration in parsed.items():
        assert await async_setup_component(hass, domain, {domain: configuration})
    await hass.async_block_till_done()


def _limits(charger: Charger) -> list[float]:
    """Return what the charger was told, one limit for each profile."""
    return [
        one["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0][
            "limit"
        ]
        for one in charger.calls("SetChargingProfile")
    ]


async def _charging(hass: HomeAssistant, charger: Charger, **sample: Any) -> None:
    """Have a charger charge, with one measured value."""
    number = await charger.start()
    await charger.status(1, "Charging")
    await charger.meter(1, [sample], number)
    await flush(hass)


@pytest.fixture
async def second_charger(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> Charger:
    """Return a second charger, named Carport."""
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    charger = await charger_ws("CP02")
    await charger.boot(chargePointSerialNumber="SN-0002")
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    return charger


@pytest.mark.parametrize(
    ("exported", "limit"), [(3000, 12), (20000, 16), (-2000, 0), (1500, 10)]
)
async def test_solar_surplus(
    hass: HomeAssistant, approved_charger: Charger, exported: int, limit: int
) -> None:
    """The export and what the vehicle takes already become its limit."""
    await _charging(
        hass,
        approved_charger,
        measurand="Power.Active.Import",
        value="5520",
        unit="W",
    )
    await _cook(hass, "solar")
    hass.states.async_set("sensor.grid_export_power", str(exported))
    await hass.async_block_till_done()
    assert _limits(approved_charger)[-1] == limit


async def test_solar_surplus_without_a_session_is_nobodys(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    """No vehicle charges: nothing is sent."""
    await _cook(hass, "solar")
    hass.states.async_set("sensor.grid_export_power", "9000")
    await hass.async_block_till_done()
    assert not approved_charger.calls("SetChargingProfile")


async def test_the_cheapest_hours(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    """The charger is told to wait, and to charge in the cheapest block of four hours."""
    await _cook(hass, "prices")
    first = dt_util.now().replace(minute=0, second=0, microsecond=0) + HOUR
    costs = [0.9, 0.8, 0.7, 0.9, 0.5, 0.2, 0.1, 0.2, 0.4, 0.8, 1.0, 1.1]
    hass.states.async_set(
        "sensor.electricity_price",
        "0.9",
        {
            "prices": [
                {"start": (first + number * HOUR).isoformat(), "price": cost}
                for number, cost in enumerate(costs)
            ]
        },
    )
    await hass.services.async_call(
        "automation",
        "trigger",
        {"entity_id": AUTOMATION},
        blocking=True,
    )
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
    )
    profile = approved_charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
    schedule = profile["chargingSchedule"]
    waiting, charging = schedule["chargingSchedulePeriod"]
    assert (waiting["startPeriod"], waiting["limit"], charging["limit"]) == (0, 0, 16)
    start = dt_util.parse_datetime(schedule["startSchedule"], raise_on_error=True)
    begins = start + timedelta(seconds=charging["startPeriod"])
    assert abs(begins - (first + 5 * HOUR)) <= timedelta(seconds=2)
    assert schedule["duration"] == charging["startPeriod"] + 4 * 3600


@pytest.mark.parametrize(
    ("mains", "garage", "carport"),
    [
        (18, 13.5, 13.5),  # 25 - (18 - 20) = 27 for both
        (36, 9, 0),  # 9 are not enough for two: the garage is first
        (60, 0, 0),
    ],
)
async def test_two_chargers_on_one_fuse(
    hass: HomeAssistant,
    approved_charger: Charger,
    second_charger: Charger,
    mains: int,
    garage: float,
    carport: float,
) -> None:
    """What the fuse leaves over is shared, down to nothing."""
    for charger in (approved_charger, second_charger):
        await _charging(hass, charger, measurand="Current.Import", value="10", unit="A")
    for phase in (1, 2, 3):
        hass.states.async_set(f"sensor.mains_current_l{phase}", "5")
    await _cook(hass, "fuse")
    hass.states.async_set("sensor.mains_current_l3", str(mains))
    await hass.async_block_till_done()
    assert _limits(approved_charger)[-1] == garage
    assert _limits(second_charger)[-1] == carport
