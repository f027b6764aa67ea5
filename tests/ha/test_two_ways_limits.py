"""One writer per limit: what is wanted holds by either way, and nothing is left over."""

from datetime import datetime
from decimal import Decimal

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .two_ways import CARD, TwoWays
from custom_components.ev_charger_hub.station.link import Limit
from simulators.easee_cloud import Vehicle

DYNAMIC = 48
"""Where the charger tells of its dynamic current."""

OFFERED = 114
"""Where it tells how much may flow."""
REASON = 96
"""Where it tells why no more flows."""
LIMITED_BY_EQUALIZER = 28


@pytest.fixture
def easee_epoch(freezer: FrozenDateTimeFactory) -> datetime:
    """Return the present, which stands still until the test moves it."""
    return dt_util.utcnow()


@pytest.fixture
async def ways(ways: TwoWays) -> TwoWays:
    """Return a charger that was moved to an OCPP server, and charges a car."""
    await ways.move()
    ways.charger.plug_in(Vehicle())
    await ways.passes(10)
    ways.charger.swipe(CARD)
    await ways.passes(60)
    assert ways.state("1_status") == "charging"
    return ways


async def restart(ways: TwoWays) -> None:
    """Let both entries stop, and start again with the same journal."""
    config = ways.hass.config_entries
    entries, port = (ways.easee_hub.entry, ways.hub.entry), ways.hub.port
    for entry in entries:
        await config.async_unload(entry.entry_id)
    server = entries[1]
    # The charger knows no other port.
    config.async_update_entry(server, data={**server.data, CONF_PORT: port})
    for entry in entries:
        await config.async_setup(entry.entry_id)
    await ways.settle()


async def test_a_lost_server_has_the_limit_written_to_the_cloud_and_lifted_again(
    ways: TwoWays,
) -> None:
    full = ways.charger.default_current
    assert await ways.limit(10) == "confirmed"
    await ways.passes(120)
    assert ways.charger[DYNAMIC] == full
    ways.twin.cut()
    await ways.passes(60)
    assert ways.charger[DYNAMIC] == 10
    ways.twin.restore()
    await ways.passes(120)
    assert ways.charger[DYNAMIC] == full
    assert ways.charger.offered == 10
    assert ways.number("1_current_limit") == 10
    assert ways.number("1_effective_limit") == 10
    assert ways.state("1_limited_by") == "our_limit"
    assert ways.state("1_limit_not_followed") == "off"


async def test_without_the_cloud_what_it_told_last_limits_nothing(
    ways: TwoWays,
) -> None:
    # Why no more flows is the schedule then: that of the profile.
    assert await ways.limit(10) == "confirmed"
    await ways.passes(120)
    ways.home.cloud.outage(None)
    await ways.passes(600)
    assert await ways.limit(14) == "confirmed"
    await ways.passes(90)
    assert ways.charger.offered == 14
    assert ways.number("1_effective_limit") == 14
    assert ways.state("1_limited_by") == "our_limit"


async def test_limits_of_a_moment_are_over_when_the_cloud_has_lost_the_charger(
    ways: TwoWays,
) -> None:
    assert await ways.limit(10) == "confirmed"
    await ways.passes(120)
    ways.charger.pretend(OFFERED, 9.0)
    ways.charger.pretend(REASON, LIMITED_BY_EQUALIZER)
    await ways.passes(10)
    assert ways.state("1_limited_by") == "equalizer"
    ways.charger.go_offline()
    await ways.passes(10)
    assert await ways.limit(14) == "confirmed"
    await ways.passes(90)
    assert ways.number("1_effective_limit") == 14
    assert ways.state("1_limited_by") == "our_limit"


async def test_an_account_that_is_disabled_limits_nothing(
    hass: HomeAssistant, ways: TwoWays
) -> None:
    assert await ways.limit(10) == "confirmed"
    await ways.passes(120)
    account, user = ways.easee_hub.entry.entry_id, ConfigEntryDisabler.USER
    await hass.config_entries.async_set_disabled_by(account, user)
    assert await ways.limit(14) == "confirmed"
    await ways.passes(90)
    assert ways.charger.offered == 14
    assert ways.number("1_effective_limit") == 14
    assert ways.state("1_limited_by") == "our_limit"


async def test_a_pause_is_one_by_either_way(ways: TwoWays) -> None:
    ways.twin.cut()
    await ways.passes(30)
    await ways.act("pause_charging")
    await ways.passes(30)
    assert ways.charger[DYNAMIC] == 0
    ways.twin.restore()
    await ways.passes(120)
    assert not ways.charger.offered
    await ways.act("resume_charging")
    await ways.passes(60)
    assert ways.charger.offered > 10
    assert ways.charger[DYNAMIC] == ways.charger.default_current
    await ways.assert_true()


async def test_a_restart_without_the_server_keeps_the_limit(ways: TwoWays) -> None:
    assert await ways.limit(10) == "confirmed"
    ways.twin.cut()
    await ways.passes(30)
    assert await ways.limit(8) == "confirmed"
    await restart(ways)
    await ways.passes(120)
    assert ways.charger.offered == 8
    assert ways.number("1_current_limit") == 8
    ways.twin.restore()
    await ways.passes(180)
    assert ways.charger[DYNAMIC] == ways.charger.default_current
    assert ways.charger.offered == 8


async def test_what_was_written_before_a_restart_is_lifted_after_it(
    ways: TwoWays,
) -> None:
    ways.twin.cut()
    await ways.passes(30)
    assert await ways.limit(8) == "confirmed"
    ways.home.cloud.outage(None)
    ways.twin.restore()
    await ways.passes(60)
    assert ways.charger[DYNAMIC] == 8
    ways.home.cloud.recover()
    await restart(ways)
    await ways.passes(300)
    assert ways.charger[DYNAMIC] == ways.charger.default_current
    assert ways.charger.offered == 8


async def test_what_somebody_else_has_set_is_left_alone(ways: TwoWays) -> None:
    assert await ways.limit(10) == "confirmed"
    ways.home.cloud.rogue(ways.charger.serial, dynamicChargerCurrent=9.0)
    await ways.passes(60)
    assert ways.number("1_effective_limit") == 9
    assert ways.state("1_limited_by") == "external"
    assert ways.state("1_limit_not_followed") == "off"
    ways.twin.cut()
    await ways.passes(60)
    ways.twin.restore()
    await ways.passes(120)
    assert ways.charger[DYNAMIC] == 9


async def test_a_limit_of_the_station_survives_the_end_of_its_server(
    ways: TwoWays,
) -> None:
    limiter = ways.hub_station.limiter
    await ways.during(limiter.request(0, Limit(value=Decimal(9))))
    assert ways.charger.offered == 9
    await ways.move_back()
    await ways.passes(120)
    assert ways.number("1_current_limit") == 9
    assert ways.charger.offered == 9
