"""The fall-back: what holds when Home Assistant is gone, and until then."""

import asyncio
from dataclasses import replace

import pytest

from .house import House, ampere
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Purpose,
)

TX, TX_DEFAULT, STATION_MAX = Purpose.TX, Purpose.TX_DEFAULT, Purpose.STATION_MAX


async def test_without_home_assistant_the_fall_back_holds() -> None:
    house = House(fallback_current=8)
    await house.begin()
    assert (await house.want(ampere(16))).status is OutcomeStatus.CONFIRMED
    assert house.charger.offered() == 16
    applied = house.limiter.applied(1)
    assert applied is not None
    assert applied.of_session
    await house.kill()
    await house.time.advance(299)
    assert house.charger.offered() == 16
    await house.time.advance(1)
    assert house.charger.offered() == 8
    await house.restart()
    assert house.charger.offered() == 16
    assert house.wanted == ampere(16)
    assert house.steps() == [TX]


async def test_the_limit_of_a_session_is_renewed_and_the_fall_back_written_once() -> (
    None
):
    house = House(fallback_current=8)
    await house.begin()
    await house.want(ampere(16))
    house.charger.sent.clear()
    for _ in range(60):
        await house.time.advance(60)
        assert house.charger.offered() == 16
    assert house.steps() == [TX] * 24
    assert house.station.findings == {}


async def test_a_renewal_waits_for_the_connection() -> None:
    house = House(fallback_current=8)
    await house.begin()
    await house.limiter.reassert()
    await house.want(ampere(16))
    house.charger.connected = False
    house.station.local.set(False)
    await house.time.advance(400)
    assert house.charger.offered() == 8
    house.charger.connected = True
    house.station.local.set(True)
    await house.time.advance(14)
    assert house.charger.offered() == 8
    await house.time.advance(1)
    assert house.charger.offered() == 16


async def test_a_renewal_that_fails_is_tried_again() -> None:
    house = House(fallback_current=8)
    await house.begin()
    await house.want(ampere(16))
    accepts, house.charger.refuses = house.charger.refuses, lambda profile: True
    await house.time.advance(160)
    house.charger.refuses = accepts
    await house.time.advance(30)
    frames = len(house.sets())
    await house.time.advance(109)
    assert len(house.sets()) == frames
    assert house.charger.offered() == 16


async def test_before_a_session_the_fall_back_holds_and_the_limit_is_scheduled() -> (
    None
):
    house = House(fallback_current=8)
    outcome = await house.want(ampere(16))
    assert outcome.status is OutcomeStatus.SCHEDULED
    assert outcome.detail == "sent when a session starts; until then 8 A holds"
    assert house.wanted == ampere(16)
    assert house.charger.offered() == 8
    assert house.limiter.applied(1) is None
    await house.begin()
    assert house.charger.offered() == 16
    await house.end()
    assert house.charger.offered() == 8
    assert house.steps() == [TX_DEFAULT, TX]


async def test_without_a_limit_the_fall_back_is_lifted_while_we_are_there() -> None:
    house = House(fallback_current=8, maximum_current=25)
    await house.limiter.reassert()
    assert house.charger.offered() == 8
    await house.begin()
    assert house.charger.offered() == 25
    await house.want(ampere(10))
    assert house.charger.offered() == 10
    await house.want(None)
    assert house.charger.offered() == 25
    assert house.wanted is None


def tx(profile: ChargingProfile) -> bool:
    """Refuse the profiles of sessions."""
    return profile.purpose is TX


async def test_without_tx_profiles_an_overlay_covers_the_fall_back() -> None:
    house = House(fallback_current=8)
    house.charger.refuses = tx
    await house.begin()
    assert (await house.want(ampere(16))).ok
    assert house.charger.offered() == 16
    levels = {
        number: one.profile.stack_level
        for number, one in house.charger.profiles.items()
    }
    assert levels == {2001: 4, 4001: 5}
    house.charger.sent.clear()
    await house.time.advance(86400 * 2)
    assert house.steps() == [TX_DEFAULT] * 4
    assert house.charger.offered() == 16
    assert "fallback" not in house.station.findings
    await house.kill()
    await house.time.advance(86400)
    assert house.charger.offered() == 8


async def test_the_overlay_goes_when_no_fall_back_is_wanted_any_more() -> None:
    house = House(fallback_current=8)
    house.charger.refuses = tx
    await house.begin()
    await house.want(ampere(16))
    house.station.settings = replace(house.settings, fallback_current=None)
    await house.limiter.reassert()
    assert set(house.charger.profiles) == {2001}
    assert house.charger.offered() == 16
    await house.kill()
    await house.time.advance(86400)
    assert house.charger.offered() == 16


async def test_a_fall_back_that_is_not_wanted_any_more_is_cleared() -> None:
    house = House(fallback_current=8)
    await house.limiter.reassert()
    house.settings = replace(house.settings, fallback_current=None)
    await house.restart()
    assert house.charger.profiles == {}
    assert house.charger.offered() == 32


async def test_a_new_fall_back_reaches_the_charger() -> None:
    house = House(fallback_current=8)
    await house.limiter.reassert()
    house.settings = replace(house.settings, fallback_current=10)
    await house.restart()
    assert house.charger.offered() == 10


@pytest.mark.parametrize("stacks", [0, None])
async def test_where_no_fall_back_is_possible_the_limit_holds_and_it_is_told(
    stacks: int | None,
) -> None:
    house = House(fallback_current=8)
    house.charger.profile_support = replace(
        house.charger.profile_support, max_stack_level=stacks
    )
    house.charger.refuses = tx
    await house.begin()
    await house.want(ampere(16))
    assert house.charger.offered() == 16
    assert house.station.findings["fallback"].startswith(
        "impossible: EVSE 1 is limited by TxDefaultProfile"
    )
    house.charger.refuses = lambda profile: False
    house.station.info.set(replace(house.info, firmware="2.0"))
    await house.want(ampere(12))
    assert house.charger.offered() == 12
    assert "fallback" not in house.station.findings


async def test_a_limit_that_cannot_end_by_itself_has_no_fall_back() -> None:
    house = House(fallback_current=8)
    house.charger.refuses = lambda profile: profile.schedule.duration is not None
    await house.begin()
    await house.want(ampere(16))
    assert house.charger.offered() == 16
    assert house.limiter.learnt.durations is False
    assert "fallback" in house.station.findings
    await house.time.advance(600)
    assert house.charger.offered() == 16


async def test_where_the_fall_back_is_refused_the_limit_does_not_end() -> None:
    house = House(fallback_current=8)
    house.charger.refuses = lambda profile: profile.purpose is TX_DEFAULT
    await house.begin()
    await house.want(ampere(16))
    await house.kill()
    await house.time.advance(600)
    assert house.charger.offered() == 16
    assert "fallback" in house.station.findings


async def test_the_whole_charger_falls_back_too() -> None:
    house = House(fallback_current=8)
    house.station.evse(2)
    house.charger.profile_support = replace(house.charger.profile_support, evses=2)
    await house.want(ampere(20), evse_id=0)
    assert house.charger.offered(2) == 20
    await house.kill()
    await house.time.advance(86400)
    assert house.charger.offered(2) == 8


async def test_a_session_started_with_a_limit_falls_back_too() -> None:
    house = House(fallback_current=8)
    await house.want(ampere(16))
    house.limiter.started_with_limit(1, "TAG", ampere(12))
    await house.begin()
    assert house.charger.offered() == 12
    assert house.wanted == ampere(16)
    await house.time.advance(600)
    assert house.charger.offered() == 12
    await house.restart()
    assert house.charger.offered() == 12
    await house.want(ampere(14))
    assert house.charger.offered() == 14
    await house.end()
    await house.begin()
    assert house.charger.offered() == 14


async def test_a_pause_falls_back_when_home_assistant_is_gone() -> None:
    house = House(fallback_current=8)
    await house.begin()
    await house.time.advance(61)
    await house.limiter.pause(1)
    assert house.charger.offered() == 0
    await house.kill()
    await asyncio.sleep(0)
    await house.time.advance(300)
    assert house.charger.offered() == 8


async def test_a_fall_back_that_caps_the_session_gives_way_to_the_limit() -> None:
    house = House(fallback_current=8)
    house.charger.caps = True
    await house.begin()
    await house.time.advance(10)
    await house.limiter.request(1, ampere(16))
    assert house.charger.offered() == 8
    await house.time.advance(60)
    assert house.charger.offered() == 16
    assert house.station.findings["fallback"].startswith("impossible: EVSE 1")
    # Nothing is below it any more: it must not end while nobody is there.
    await house.kill()
    await house.time.advance(3600)
    assert house.charger.offered() == 16


async def test_a_new_limit_leaves_the_overlay_where_it_is() -> None:
    house = House(fallback_current=8)
    house.charger.refuses = tx
    await house.begin()
    await house.want(ampere(16))
    house.charger.sent.clear()
    await house.want(ampere(12))
    assert house.steps() == [TX_DEFAULT]
    assert house.sets()[0].id == 4001
