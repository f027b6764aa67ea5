"""Sessions that both ways tell of, in a running Home Assistant: each is one."""

from datetime import datetime

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.util import dt as dt_util

from .two_ways import CARD, TwoWays
from simulators.easee_cloud import Vehicle


# The freezer comes first: connections that know the real time would seem silent.
@pytest.fixture
def easee_epoch(freezer: FrozenDateTimeFactory) -> datetime:
    """Return the present, which stands still until the test moves it."""
    return dt_util.utcnow()


@pytest.fixture
async def ways(ways: TwoWays) -> TwoWays:
    """Return a charger of an account that dials in to a server."""
    await ways.move()
    return ways


async def charge(ways: TwoWays) -> None:
    """Let a car come, and its driver show a card."""
    ways.charger.plug_in(Vehicle())
    await ways.passes(10)
    ways.charger.swipe(CARD)
    await ways.passes(60)


async def test_both_tell_of_a_session_which_is_one(ways: TwoWays) -> None:
    await charge(ways)
    await ways.passes(600)
    ways.charger.unplug()
    await ways.passes(300)
    await ways.assert_true()
    (session,) = await ways.sessions()
    (real,) = ways.true_sessions
    assert session["transaction_id"].isdecimal()
    assert session["cloud_id"] == f"easee-{real.id}"
    assert session["id_token"] == CARD
    assert session["state"] == "closed"
    assert len(ways.told("started")) == len(ways.told("ended")) == 1


async def test_a_session_goes_on_and_ends_while_the_server_is_out_of_reach(
    ways: TwoWays,
) -> None:
    await charge(ways)
    ways.twin.cut()
    await ways.passes(600)
    assert ways.state("1_status") == "charging"
    running = ways.number("1_session_energy")
    assert running > 0.1
    ways.charger.unplug()
    await ways.passes(120)
    assert ways.state("1_status") == "available"
    (session,) = await ways.sessions()
    assert session["state"] == "closed"
    assert len(ways.told("ended")) == 1
    ways.twin.restore()
    await ways.passes(300)
    await ways.assert_true()
    assert len(ways.told("started")) == len(ways.told("ended")) == 1


async def test_a_session_of_which_only_the_cloud_knew_becomes_the_chargers(
    ways: TwoWays,
) -> None:
    """It began while the server was out of reach, and ends where it is."""
    ways.twin.cut()
    await ways.passes(30)
    ways.charger.plug_in(Vehicle())
    await ways.passes(10)
    ways.charger.swipe(CARD)
    if ways.charger.session is None:
        ways.charger.authorize(CARD)
    await ways.passes(300)
    (session,) = await ways.sessions()
    assert session["transaction_id"].startswith("easee-")
    ways.twin.restore()
    await ways.passes(120)
    (session,) = await ways.sessions()
    assert session["transaction_id"].isdecimal()
    assert ways.state("1_status") == "charging"
    await ways.passes(300)
    ways.charger.unplug()
    await ways.passes(120)
    await ways.assert_true()
    assert len(ways.told("started")) == len(ways.told("ended")) == 1


async def test_a_session_survives_both_being_set_up_again(ways: TwoWays) -> None:
    await charge(ways)
    for entry in (ways.hub.entry, ways.easee_hub.entry):
        await ways.during(ways.hass.config_entries.async_reload(entry.entry_id))
        await ways.passes(60)
    ways.charger.unplug()
    await ways.passes(300)
    await ways.assert_true()
    assert len(ways.told("ended")) == 1


@pytest.mark.parametrize("outage", [False, True])
async def test_no_power_flows_to_a_car_that_left_while_the_server_was_out_of_reach(
    ways: TwoWays, outage: bool
) -> None:
    """The charger says first that it is free, and then what it measured before."""
    await charge(ways)
    assert ways.number("1_power_active_import") > 0
    ways.twin.cut()
    await ways.passes(60)
    ways.charger.unplug()
    await ways.passes(60)
    if outage:
        ways.home.cloud.outage(None)
    ways.twin.restore()
    await ways.until(lambda: ways.hub_station.station.local.value)
    shown = set()
    for _ in range(10):
        await ways.passes(30)
        shown |= {
            (ways.state("1_status"), float(ways.state(f"1_{quantity}")))
            for quantity in ("power_active_import", "current_import")
        }
    assert shown == {("available", 0.0)}


async def test_energy_stays_known_when_local_ocpp_is_undone_with_a_full_car(
    ways: TwoWays,
) -> None:
    """Nothing flows any more that would tell it anew."""
    await charge(ways)
    vehicle = ways.charger.vehicle
    assert vehicle is not None
    vehicle.stored = vehicle.capacity
    await ways.passes(120)
    keys = "1_energy_active_import_register", "1_session_energy"
    before = [ways.state(key) for key in keys]
    await ways.move_back()
    for _ in range(10):
        await ways.passes(60)
        assert [ways.state(key) for key in keys] == before
