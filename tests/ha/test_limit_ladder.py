"""Every way in which chargers get limits wrong: the limit holds, or the user is told.

A virtual station with one bad habit charges a vehicle in a running Home Assistant. What
counts is what it offers in the end.
"""

from dataclasses import dataclass, field

import pytest

from homeassistant.exceptions import HomeAssistantError

from .conftest import IDENTITY
from .drive import Dialled
from .entities import device_id, exists, state
from custom_components.ev_charger_hub.const import DOMAIN
from simulators.charging_station import Misbehaviour

LONG_ENOUGH = 600
"""Seconds after which every way has been tried."""

NOT_FOLLOWED = "CP01_1_limit_not_followed"


@dataclass(kw_only=True, slots=True, frozen=True)
class Case:
    """A station, the limit that is wanted, and what it offers in the end."""

    habits: tuple[Misbehaviour, ...] = ()
    vendor: str = "generic"
    wanted: float = 10
    offered: float = 10
    answers: frozenset[str] = field(default=frozenset({"confirmed"}))


ACCEPTED = frozenset({"accepted", "confirmed"})
LATER = frozenset({"scheduled"})
HOLDS = {
    "good": Case(),
    "good_pause": Case(wanted=0, offered=0),
    "good_decimals": Case(wanted=10.5, offered=10.5),
    "single_phase": Case(vendor="single-phase"),
    "phase_switching": Case(vendor="phase-switching"),
    "watt_only": Case(vendor="watt-only"),
    "easee": Case(vendor="easee"),
    "drops_tx": Case(habits=(Misbehaviour.DROP_TX_PROFILE,), answers=ACCEPTED),
    "ignores_tx": Case(habits=(Misbehaviour.IGNORE_TX_PROFILE,), answers=ACCEPTED),
    "integers_only": Case(habits=(Misbehaviour.INTEGERS_ONLY,), wanted=10.5),
    "no_composite": Case(habits=(Misbehaviour.NO_COMPOSITE,), answers=ACCEPTED),
    "one_tx": Case(habits=(Misbehaviour.ONE_TX_PROFILE,)),
    "only_absolute": Case(habits=(Misbehaviour.ONLY_ABSOLUTE,)),
    "refuses_relative": Case(habits=(Misbehaviour.REJECT_RELATIVE,)),
    "refuses_stack_levels": Case(habits=(Misbehaviour.REJECT_STACK_LEVELS,)),
    "refuses_tx": Case(habits=(Misbehaviour.REJECT_TX_PROFILE,)),
    "refuses_tx_default": Case(habits=(Misbehaviour.REJECT_TX_DEFAULT,)),
    "refuses_both": Case(
        habits=(Misbehaviour.REJECT_TX_PROFILE, Misbehaviour.REJECT_TX_DEFAULT)
    ),
    "refuses_tx_and_default_comes_late": Case(
        habits=(Misbehaviour.REJECT_TX_PROFILE, Misbehaviour.TX_DEFAULT_NEXT_TIME),
        answers=ACCEPTED,
    ),
    "slow": Case(habits=(Misbehaviour.SLOW_LIMIT,), answers=ACCEPTED),
}


@pytest.mark.parametrize("case", HOLDS.values(), ids=HOLDS.keys())
async def test_the_limit_holds_in_the_end(dial: Dialled, case: Case) -> None:
    """Whatever the habit, the station offers what is wanted, and nobody complains."""
    drive = await dial(*case.habits, vendor=case.vendor)
    await drive.charge()
    assert drive.station.offered() > case.offered
    assert await drive.limit(case.wanted) in case.answers
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == case.offered
    assert drive.issues == set()
    assert float(state(drive.hass, "sensor", "CP01_1_effective_limit")) == case.offered
    if exists(drive.hass, "binary_sensor", NOT_FOLLOWED):
        assert state(drive.hass, "binary_sensor", NOT_FOLLOWED) == "off"


@pytest.mark.parametrize("case", HOLDS.values(), ids=HOLDS.keys())
async def test_the_second_limit_needs_no_search(dial: Dialled, case: Case) -> None:
    """What was learnt is used: one more limit is one more profile, and it holds."""
    drive = await dial(*case.habits, vendor=case.vendor)
    await drive.charge()
    await drive.limit(case.wanted)
    await drive.pass_time(LONG_ENOUGH)
    await drive.limit(9)  # how to replace one is learnt, too
    await drive.pass_time(LONG_ENOUGH)
    before = drive.sent()
    assert await drive.limit(8) in ACCEPTED
    await drive.pass_time(120)
    assert drive.station.offered() == 8
    assert drive.sent() == before + 1


async def test_a_slow_station_is_not_asked_twice(dial: Dialled) -> None:
    """It follows after 90 seconds; meanwhile one request is enough."""
    drive = await dial(Misbehaviour.SLOW_LIMIT)
    await drive.charge()
    await drive.limit(10)
    await drive.pass_time(80)
    assert drive.station.offered() > 10
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 10


async def test_every_refusal_is_named(dial: Dialled) -> None:
    """Nothing is accepted: the error names each way, and nothing is wanted."""
    drive = await dial(Misbehaviour.REJECT_ALL_PROFILES)
    await drive.charge()
    with pytest.raises(HomeAssistantError) as caught:
        await drive.hass.services.async_call(
            DOMAIN,
            "set_charging_limit",
            {"device_id": device_id(drive.hass, IDENTITY), "limit": 10},
            blocking=True,
        )
    text = str(caught.value)
    for way in ("TxProfile", "TxDefaultProfile", "ChargingStationMaxProfile"):
        assert way in text
    assert text.count("Rejected") >= 3
    assert drive.station.offered() > 10


async def test_a_station_without_smart_charging_says_so(dial: Dialled) -> None:
    """The error is that the charger cannot, not that it would not."""
    drive = await dial(vendor="core-only")
    await drive.charge()
    assert await drive.limit(10) == "not_supported_by_charger"
    assert drive.station.offered() > 10


async def test_the_only_connector_stands_in_for_the_station(dial: Dialled) -> None:
    """The whole charger is its one connector, if its maximum is refused."""
    drive = await dial(Misbehaviour.REJECT_STATION_MAX)
    await drive.charge()
    assert await drive.limit(10, connector=0) in ACCEPTED
    await drive.pass_time(60)
    assert drive.station.offered() == 10


async def test_a_limit_that_nobody_follows_is_told(dial: Dialled) -> None:
    """Accepted, echoed, and not followed: a problem and a repair issue."""
    drive = await dial(Misbehaviour.IGNORE_LIMIT)
    await drive.charge()
    assert await drive.limit(10) in ACCEPTED
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() > 10
    assert state(drive.hass, "binary_sensor", NOT_FOLLOWED) == "on"
    assert "limit_ignored" in drive.issues


async def test_zero_is_refused_once_it_ended_a_session(dial: Dialled) -> None:
    """A pause that ends the session is no pause; the second one is an error."""
    drive = await dial(Misbehaviour.ZERO_ENDS_TRANSACTION)
    await drive.charge()
    assert await drive.limit(0) in ACCEPTED
    await drive.pass_time(120)
    assert drive.station.connectors[1].transaction is None
    await drive.station.unplug()
    await drive.pass_time(60)
    assert await drive.limit(10) in ACCEPTED
    await drive.charge()
    assert await drive.limit(0) == "limit_zero_ends_session"
    await drive.pass_time(120)
    assert drive.station.offered() == 10


async def test_what_a_reboot_forgets_is_set_again(dial: Dialled) -> None:
    """The profiles are gone; the limit holds before the next vehicle charges."""
    drive = await dial(Misbehaviour.FORGET_PROFILES_ON_REBOOT)
    assert await drive.limit(10) in ACCEPTED
    drive.hub.stations[IDENTITY].station.findings.pop("limits")
    await drive.station.reboot(hard=True)
    await drive.set_up()
    await drive.charge()
    await drive.pass_time(60)
    assert drive.station.offered() == 10


@pytest.mark.parametrize("vendor", ["generic", "easee"])
async def test_an_own_default_does_not_keep_a_limit_down(
    dial: Dialled, vendor: str
) -> None:
    """The lower default of ours is cleared (Easee, row S6)."""
    drive = await dial(Misbehaviour.TX_DEFAULT_CAPS, vendor=vendor)
    assert await drive.limit(8) in ACCEPTED
    await drive.charge()
    assert drive.station.offered() == 8
    assert await drive.limit(13) in ACCEPTED | LATER
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 13
    assert drive.issues == set()


@pytest.mark.parametrize(
    "habits", [(), (Misbehaviour.REJECT_DURATION,), (Misbehaviour.REJECT_TX_PROFILE,)]
)
async def test_with_a_fall_back_the_limit_holds(
    dial: Dialled, habits: tuple[Misbehaviour, ...]
) -> None:
    """The limit holds while Home Assistant runs, and is renewed."""
    drive = await dial(*habits, fallback_current=8)
    await drive.charge()
    assert await drive.limit(13) in ACCEPTED
    await drive.pass_time(2 * LONG_ENOUGH)
    assert drive.station.offered() == 13
