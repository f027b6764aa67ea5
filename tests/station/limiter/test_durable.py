"""What survives: wishes before frames, kills, restarts and reboots."""

import asyncio
from datetime import timedelta
from decimal import Decimal
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from .house import House, ampere, at
from custom_components.ev_charger_hub.station.enums import RateUnit, StopReason
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.limiter.learnt import Verdict
from custom_components.ev_charger_hub.station.limiter.watch import Watch
from custom_components.ev_charger_hub.station.limiter.wish import Wish, parse
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.model import Purpose
from tests.virtual_time import rest

TX, TX_DEFAULT, STATION_MAX = Purpose.TX, Purpose.TX_DEFAULT, Purpose.STATION_MAX


def kept(house: House) -> dict[str, Any]:
    """Return the wishes that are in the journal."""
    found: dict[str, Any] = json.loads(house.journal.facts["CP1", "wishes"])
    return found


async def test_a_wish_is_durable_before_its_frame_is_sent() -> None:
    house = House()
    await house.begin()
    house.charger.gate.clear()
    wish = asyncio.create_task(house.limiter.request(1, ampere(10)))
    await rest()
    assert [action for action, _ in house.charger.sent] == ["set"]
    assert kept(house)["1"]["limit"] == ["10", "A"]
    # Killed before the answer: the charger never took it.
    wish.cancel()
    await house.kill()
    house.charger.gate.set()
    await house.restart()
    assert house.wanted == ampere(10)
    assert house.charger.offered() == 10


@pytest.mark.parametrize(
    "status", [OutcomeStatus.TIMED_OUT, OutcomeStatus.NO_ANSWER, OutcomeStatus.REJECTED]
)
async def test_a_limit_that_failed_is_not_wanted_after_a_restart(
    status: OutcomeStatus,
) -> None:
    house = House()
    await house.want(ampere(10))
    house.charger.answer = Outcome(status=status)
    outcome = await house.want(ampere(16))
    assert outcome.status is status
    assert house.wanted == ampere(10)
    assert kept(house)["1"]["limit"] == ["10", "A"]


async def test_a_limit_that_was_not_sent_is_not_wanted() -> None:
    house = House()
    await house.want(ampere(10))
    house.charger.connected = False
    with pytest.raises(NotConnected):
        await house.want(ampere(16))
    house.charger.connected = True
    await house.restart()
    assert house.wanted == ampere(10)
    assert house.steps() == []


async def test_after_a_restart_what_holds_is_compared_and_not_sent_again() -> None:
    house = House()
    house.station.evse(2)
    await house.want(ampere(16), evse_id=0)
    await house.begin()
    await house.want(ampere(10))
    await house.restart()
    assert house.steps() == []
    assert ("composite", 1) in house.charger.sent
    applied = house.limiter.applied(1)
    assert applied is not None
    assert (applied.limit, applied.profile_id) == (ampere("10.0"), 3001)
    assert await house.limiter.reassert() == {
        0: Outcome(status=OutcomeStatus.CONFIRMED, detail="in force: 16 A"),
        1: Outcome(status=OutcomeStatus.CONFIRMED, detail="in force: 10 A"),
    }


async def test_after_a_restart_only_what_differs_is_sent() -> None:
    house = House()
    await house.want(ampere(16), evse_id=0)
    await house.begin()
    await house.want(ampere(10))
    house.charger.profiles.pop(3001)
    await house.restart()
    assert house.steps() == [TX]
    assert house.charger.offered() == 10


async def test_a_charger_that_cannot_tell_is_sent_its_session_limit_again() -> None:
    house = House()
    house.charger.composite = Outcome(status=OutcomeStatus.NOT_SUPPORTED)
    await house.want(ampere(16))
    await house.begin()
    await house.want(ampere(10))
    await house.restart()
    assert house.steps() == [TX]
    assert house.limiter.learnt.composite is False


async def test_one_answer_that_is_late_does_not_end_verification() -> None:
    house = House()
    house.charger.composite = Outcome(status=OutcomeStatus.TIMED_OUT)
    learnt: list[bool | None] = []
    for amps in (16, 12):
        await house.want(ampere(amps))
        learnt.append(house.limiter.learnt.composite)
    assert learnt == [None, False]


async def test_a_reboot_brings_back_what_it_lost() -> None:
    house = House()
    await house.want(ampere(16))
    await house.begin()
    await house.want(ampere(10))
    house.charger.sent.clear()
    await house.reboot()
    assert house.steps() == [TX]
    await house.end()
    assert house.charger.offered() == 10
    house.charger.sent.clear()
    await house.reboot(forget=True)
    assert house.steps() == [TX_DEFAULT]
    assert house.charger.offered() == 10


async def test_in_quiet_mode_a_charger_that_is_back_gets_its_limit() -> None:
    house = House(quiet=True)
    await house.begin()
    await house.want(ampere(10))
    await house.restart(set_up=False)
    house.charger.profiles.clear()
    await house.time.advance(15)
    assert house.charger.offered() == 10


async def test_a_pause_outlives_a_restart_but_not_its_session() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    await house.time.advance(5)
    await house.limiter.pause(1)
    await house.restart()
    pause = house.station.evse(1).pause
    assert pause is not None
    assert pause.before == ampere(10)
    assert house.charger.offered() == 0
    await house.kill()
    transaction = house.open.pop(1)
    transaction.stop_reason = StopReason.LOCAL
    house.charger.transactions.clear()
    await house.restart()
    assert house.station.evse(1).pause is None
    assert house.wanted == ampere(10)


async def test_a_timed_limit_returns_to_what_held_before() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    outcome = await house.want(ampere(16), duration=timedelta(minutes=30))
    assert outcome.status is OutcomeStatus.CONFIRMED
    await house.time.advance(1799)
    assert house.charger.offered() == 16
    await house.time.advance(1)
    assert house.charger.offered() == 10
    assert house.wanted == ampere(10)


async def test_a_second_timed_limit_returns_to_what_held_before_the_first() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    await house.want(ampere(16), duration=timedelta(minutes=30))
    await house.want(ampere(12), duration=timedelta(minutes=5))
    await house.time.advance(300)
    assert house.charger.offered() == 10
    await house.time.advance(3600)
    assert house.charger.offered() == 10


async def test_a_limit_for_good_ends_a_timed_one() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16), duration=timedelta(minutes=30))
    await house.want(ampere(12))
    await house.time.advance(3600)
    assert house.charger.offered() == 12


async def test_a_timed_limit_without_one_before_it_leaves_none() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16), duration=timedelta(minutes=30))
    await house.time.advance(1800)
    assert house.charger.offered() == 32
    assert house.wanted is None


async def test_a_pause_does_not_lengthen_a_timed_limit() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    await house.want(ampere(16), duration=timedelta(minutes=5))
    await house.time.advance(61)
    await house.limiter.pause(1)
    await house.time.advance(600)
    assert house.charger.offered() == 0
    await house.limiter.resume(1)
    assert house.charger.offered() == 10


@pytest.mark.parametrize("away", [60, 3600])
async def test_a_timed_limit_ends_in_time_over_a_restart(away: float) -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    await house.want(ampere(16), duration=timedelta(minutes=30))
    await house.kill()
    await house.time.advance(away)
    await house.restart()
    await house.time.advance(max(0, 1800 - away))
    assert house.charger.offered() == 10
    assert house.wanted == ampere(10)


async def test_a_timed_limit_ends_although_the_charger_is_away() -> None:
    house = House()
    await house.limiter.reassert()
    await house.begin()
    await house.want(ampere(10))
    await house.want(ampere(16), duration=timedelta(minutes=30))
    house.charger.connected = False
    house.station.local.set(False)
    await house.time.advance(1800)
    assert house.wanted == ampere(10)
    house.charger.connected = True
    house.station.local.set(True)
    await house.time.advance(15)
    assert house.charger.offered() == 10


limits = st.builds(
    Limit,
    value=st.decimals(min_value=0, max_value=40000, places=2),
    unit=st.sampled_from(RateUnit),
)
HERE = House()
wishes = st.builds(
    Wish,
    limit=st.none() | limits,
    until=st.none() | st.just(at(HERE, minutes=5)),
    before=st.none() | limits,
    paused=st.none() | st.integers(),
    started=st.none() | st.tuples(st.integers(), limits),
    phases=st.sampled_from([None, 1, 3]),
)


@given(wishes)
def test_a_wish_comes_back_as_it_was(wish: Wish) -> None:
    assert parse(json.loads(json.dumps(wish.dump()))) == wish


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        5,
        {},
        Wish().dump() | {"limit": ["much", "A"]},
        Wish().dump() | {"until": 1},
    ],
)
def test_of_nonsense_nothing_is_wanted(nonsense: object) -> None:
    assert parse(nonsense) == Wish()


async def test_wishes_of_another_version_are_left_out() -> None:
    house = House()
    await house.journal.store(
        "CP1",
        "wishes",
        {"x": Wish(limit=ampere(9)).dump(), "1": Wish(limit=ampere(10)).dump()},
    )
    await house.restart()
    assert house.charger.offered() == Decimal(10)


async def test_what_a_reboot_lost_was_not_ignored() -> None:
    house = House()
    later = house.time.call_later
    watch = Watch(house.station, house.limiter, house.time, call_later=later)
    await house.want(ampere(16))
    await house.begin()
    await house.want(ampere(10))
    await house.time.advance(120)
    house.charger.sent.clear()
    await house.reboot()
    await house.time.advance(120)
    watch.close()
    assert house.steps() == [TX]
    assert house.limiter.learnt.purposes[TX] is Verdict.ACCEPTED
    assert house.station.evse(1).limit_ignored.value is False


async def test_what_died_with_the_power_teaches_nothing() -> None:
    """A station that lost its transaction refuses its profile, and takes the next one."""
    house = House()
    await house.begin()
    assert (await house.want(ampere(10))).ok
    lost = house.charger.transactions[1]
    house.charger.refuses = lambda profile: profile.transaction_id == lost
    await house.reboot()
    assert house.charger.offered() == 10
    assert house.steps()[:3] == [TX, TX, TX_DEFAULT]
    await house.end()
    await house.begin()
    assert (await house.want(ampere(12))).ok
    assert house.sets()[-1].purpose is TX
    assert house.charger.offered() == 12
    assert house.limiter.learnt.replaces_by_clearing is None
