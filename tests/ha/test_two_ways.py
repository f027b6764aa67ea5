"""The whole: an account is added, its charger moved, either way lost, all undone."""

from datetime import datetime

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.util import dt as dt_util

from .two_ways import CARD, TwoWays
from simulators.easee_cloud import Vehicle

WRITES = ("/settings", "set_dynamic_charger_current", "/dynamicCurrent")
"""What writes limits to the cloud."""


# The freezer comes first: connections that know the real time would seem silent.
@pytest.fixture
def easee_epoch(freezer: FrozenDateTimeFactory) -> datetime:
    """Return the present, which stands still until the test moves it."""
    return dt_util.utcnow()


async def charge(ways: TwoWays) -> None:
    """Plug in a car, show a card, and let it charge."""
    ways.charger.plug_in(Vehicle())
    await ways.passes(10)
    ways.charger.swipe(CARD)
    await ways.passes(60)
    assert ways.state("1_status") == "charging"


def limit_writes(ways: TwoWays) -> int:
    """Return how often a limit was written to the cloud."""
    return sum(ways.writes(path) for path in WRITES)


async def test_moved_and_back_it_is_one_device(ways: TwoWays) -> None:
    before, devices = ways.entity_ids, [one.id for one in ways.devices]
    await ways.move()
    both = ways.entity_ids
    assert before.items() <= both.items()
    assert [one.id for one in ways.devices] == devices
    await charge(ways)
    ways.charger.unplug()
    await ways.passes(30)
    await ways.assert_true()
    await ways.move_back()
    await ways.passes(60)
    assert before.items() <= ways.entity_ids.items()
    assert [one.id for one in ways.devices] == devices
    assert await ways.limit(9) == "confirmed"
    await charge(ways)
    assert ways.charger.offered == 9
    ways.charger.unplug()
    await ways.passes(30)
    await ways.assert_true()


async def test_limits_go_by_ocpp_without_the_cloud(ways: TwoWays) -> None:
    await ways.move()
    await charge(ways)
    written = limit_writes(ways)
    assert await ways.limit(10) == "confirmed"
    assert ways.charger.offered == 10
    ways.home.cloud.outage(None)
    ways.charger.go_offline()
    await ways.passes(60)
    assert await ways.limit(8) == "confirmed"
    assert ways.charger.offered == 8
    assert ways.state("1_status") == "charging"
    ways.charger.unplug()
    await ways.passes(30)
    assert ways.state("1_status") == "available"
    ways.home.cloud.recover()
    ways.charger.go_online()
    await ways.passes(300)
    assert limit_writes(ways) == written
    await ways.assert_true()


async def test_without_the_server_everything_goes_on(ways: TwoWays) -> None:
    await ways.move()
    await charge(ways)
    assert await ways.limit(10) == "confirmed"
    ways.twin.cut()
    await ways.passes(60)
    assert ways.state("1_status") == "charging"
    before = ways.number("1_session_energy")
    assert await ways.limit(7) == "confirmed"
    assert ways.charger.offered == 7
    assert ways.number("1_effective_limit") == 7
    await ways.passes(300)
    assert ways.number("1_session_energy") > before
    assert ways.number("1_current_import") == pytest.approx(7)
    await ways.assert_true()
    ways.twin.restore()
    await ways.passes(120)
    assert ways.charger.offered == 7
    assert await ways.limit(12) == "confirmed"
    assert ways.charger.offered == 12
    assert ways.charger[48] == ways.charger.default_current
    ways.charger.unplug()
    await ways.passes(30)
    await ways.assert_true()


async def test_session_that_ends_without_the_server(ways: TwoWays) -> None:
    await ways.move()
    await charge(ways)
    ways.twin.cut()
    await ways.passes(300)
    ways.charger.unplug()
    await ways.passes(30)
    assert ways.state("1_status") == "available"
    await ways.assert_true()
    ways.twin.restore()
    await ways.passes(60)
    assert ways.state("1_status") == "available"
    await ways.assert_true()


async def test_sessions_that_begin_without_the_server(ways: TwoWays) -> None:
    await ways.move()
    ways.twin.cut()
    await ways.passes(60)
    # It was told to charge whoever comes while nobody is there.
    ways.charger.plug_in(Vehicle())
    await ways.passes(120)
    assert ways.state("1_status") == "charging"
    ways.charger.unplug()
    await ways.passes(60)
    await ways.assert_true()
    ways.charger.plug_in(Vehicle())
    await ways.passes(600)
    ways.twin.restore()
    await ways.passes(120)
    assert ways.state("1_status") == "charging"
    assert await ways.limit(8) == "confirmed"
    assert ways.charger.offered == 8
    ways.charger.unplug()
    await ways.passes(30)
    await ways.assert_true()


async def test_undone_in_the_middle_of_a_session(ways: TwoWays) -> None:
    await ways.move()
    await charge(ways)
    assert await ways.limit(10) == "confirmed"
    await ways.move_back()
    await ways.passes(60)
    assert ways.state("1_status") == "charging"
    assert await ways.limit(8) == "confirmed"
    assert ways.charger.offered == 8
    ways.charger.unplug()
    await ways.passes(60)
    await ways.assert_true()


async def test_moved_in_the_middle_of_a_session(ways: TwoWays) -> None:
    ways.charger.plug_in(Vehicle())
    await ways.passes(300)
    assert ways.state("1_status") == "charging"
    await ways.move()
    await ways.passes(60)
    assert ways.state("1_status") == "charging"
    assert await ways.limit(8) == "confirmed"
    assert ways.charger.offered == 8
    ways.charger.unplug()
    await ways.passes(60)
    await ways.assert_true()
