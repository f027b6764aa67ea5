"""Care: the write budget, conflicts, 0 A, and phases."""

from dataclasses import replace

import pytest

from .house import House, ampere, watt
from custom_components.ev_charger_hub.station.enums import StopReason
from custom_components.ev_charger_hub.station.limiter.budget import WRITES
from custom_components.ev_charger_hub.station.limits import LimitError, LimitErrorKind
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.model import Purpose
from tests.virtual_time import START

TX, TX_DEFAULT = Purpose.TX, Purpose.TX_DEFAULT


# The write budget


async def spent(house: House) -> None:
    """Use up the write budget; the last limit is 10 A."""
    for index in range(WRITES):
        assert (await house.want(ampere(10 + index % 2))).ok


async def test_a_persisted_limit_is_raised_no_more_once_the_budget_is_spent() -> None:
    house = House()
    await spent(house)
    with pytest.raises(LimitError) as caught:
        await house.want(ampere(16))
    assert caught.value.kind is LimitErrorKind.WRITE_BUDGET
    first = START.replace(minute=1, second=1)
    assert caught.value.again_at == first.replace(day=first.day + 1)
    assert house.wanted == ampere(10)
    assert house.station.findings["writes"].startswith("exceeded: 25 writes")
    assert (await house.want(ampere(8))).ok
    assert house.charger.offered() == 8


async def test_the_budget_is_that_of_a_day_and_survives_a_restart() -> None:
    house = House()
    await spent(house)
    await house.restart()
    with pytest.raises(LimitError):
        await house.want(ampere(16))
    await house.time.advance(86400)
    assert (await house.want(ampere(16))).ok
    assert "writes" not in house.station.findings


async def test_sessions_have_no_budget() -> None:
    house = House()
    await spent(house)
    await house.begin()
    for index in range(2 * WRITES):
        assert (await house.want(ampere(12 + index % 9))).ok
    await house.end()
    # What outlives the session is written again when there is budget for it.
    assert house.charger.offered() == 10
    assert house.wanted == ampere(16)
    outcomes = await house.limiter.reassert()
    assert outcomes[1].status is OutcomeStatus.REJECTED
    assert outcomes[1].detail == "limit_write_budget"
    await house.time.advance(86400)
    await house.limiter.reassert()
    assert house.charger.offered() == 16


async def test_nonsense_in_the_journal_is_no_write() -> None:
    house = House()
    await house.journal.store("CP1", "limit_writes", ["x", 5, "2026-01-01T00:00:00"])
    await house.restart()
    assert (await house.want(ampere(16))).ok


# Conflicts


async def test_an_own_lower_default_is_cleared_and_the_limit_sent_again() -> None:
    house = House()
    house.charger.caps = True
    await house.want(ampere(10))
    await house.begin()
    assert (await house.want(ampere(16))).status is OutcomeStatus.ACCEPTED
    assert house.charger.offered() == 10
    await house.time.advance(60)
    assert house.steps() == [TX_DEFAULT, TX, 2001, TX]
    assert house.charger.offered() == 16
    assert house.limiter.learnt.tx_default_caps
    await house.end()
    assert house.charger.offered() == 16
    # The next time it is known.
    await house.begin()
    house.charger.sent.clear()
    assert (await house.want(ampere(20))).status is OutcomeStatus.CONFIRMED
    assert house.steps() == [2001, TX]


async def test_a_conflict_is_fought_twice_at_most() -> None:
    house = House()
    house.charger.caps = True
    await house.want(ampere(10))
    await house.begin()
    clear, house.charger.foreign = house.charger.clear_profiles, ampere(9).value
    await house.want(ampere(16))
    stuck = dict(house.charger.profiles)

    async def refuse(criteria):  # type: ignore[no-untyped-def]
        outcome = await clear(criteria)
        house.charger.profiles.update(stuck)
        return outcome

    house.charger.clear_profiles = refuse  # type: ignore[method-assign]
    house.charger.sent.clear()
    for _ in range(5):
        await house.ledger.note(house.entry(stuck[2001]))
        await house.time.advance(60)
    assert house.steps() == [2001, TX] * 2
    assert house.station.findings["conflict"] == (
        "EVSE 1: 16.0 A wanted, in force: 9 A"
    )


async def test_a_foreign_lower_limit_is_not_fought() -> None:
    house = House()
    house.charger.foreign = ampere(9).value
    await house.begin()
    await house.want(ampere(16))
    await house.time.advance(600)
    assert house.steps() == [TX]
    assert "conflict" not in house.station.findings


# 0 A


@pytest.mark.parametrize(
    ("reason", "seconds", "learnt"),
    [
        (StopReason.OTHER, 89, True),
        (StopReason.OTHER, 91, None),
        (StopReason.REMOTE, 5, None),
        (StopReason.LOCAL, 5, None),
        (StopReason.EV_DISCONNECTED, 5, None),
        (StopReason.POWER_LOSS, 5, None),
    ],
)
async def test_a_charger_that_ends_the_transaction_on_zero_is_recognized(
    reason: StopReason, seconds: float, learnt: bool | None
) -> None:
    house = House()
    await house.begin()
    await house.time.advance(61)
    await house.limiter.pause(1)
    await house.time.advance(seconds)
    await house.end(reason=reason)
    assert house.limiter.learnt.zero_ends_transaction is learnt


async def test_zero_is_refused_where_it_ends_the_session() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(0))
    await house.end(reason=StopReason.OTHER)
    await house.begin()
    # What was wanted before it was known does not end every session.
    assert house.charger.offered() == 32
    for wish in (
        house.limiter.request(1, ampere(0)),
        house.limiter.request(1, watt(0)),
        house.limiter.pause(1),
    ):
        with pytest.raises(LimitError) as caught:
            await wish
        assert caught.value.kind is LimitErrorKind.ZERO_ENDS_SESSION
    assert (await house.want(ampere(6))).ok


async def test_an_end_that_has_nothing_to_do_with_zero_teaches_nothing() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    await house.end(reason=StopReason.OTHER)
    assert house.limiter.learnt.zero_ends_transaction is None


# Phases


def switching(house: House) -> None:
    """Let the charger switch its phases."""
    house.charger.profile_support = replace(
        house.charger.profile_support, phase_switching=True
    )


def phases(house: House) -> list[int | None]:
    """Return what was said of phases."""
    return [one.schedule.periods[0].phases for one in house.sets()]


async def test_phases_are_in_every_profile() -> None:
    house = House()
    switching(house)
    await house.begin()
    await house.want(ampere(10))
    await house.time.advance(61)
    assert (await house.limiter.request_phases(1, 1)).ok
    assert house.station.evse(1).wanted_phases.value == 1
    await house.want(watt(2300))
    await house.end()
    assert phases(house) == [None, 1, 1, 1]
    assert [one.schedule.unit for one in house.sets()][2:] == ["W", "W"]
    await house.restart()
    assert house.station.evse(1).wanted_phases.value == 1
    await house.time.advance(61)
    await house.limiter.request_phases(1, 3)
    assert phases(house) == [3]


async def test_phases_without_a_limit_come_with_the_maximum() -> None:
    house = House(maximum_current=25)
    switching(house)
    await house.begin()
    await house.limiter.request_phases(1, 1)
    assert house.amounts() == [25]
    assert house.wanted is None
    await house.time.advance(61)
    await house.limiter.request_phases(1, None)
    assert house.charger.profiles == {}


async def test_one_phase_has_bounds_of_its_own() -> None:
    house = House()
    switching(house)
    await house.begin()
    await house.limiter.request_phases(1, 1)
    assert (await house.want(watt(1400))).ok
    with pytest.raises(LimitError) as caught:
        await house.want(watt(7400))
    assert caught.value.bound == 7360


@pytest.mark.parametrize(
    ("evse_id", "count", "able"), [(1, 1, False), (1, 2, True), (0, 1, True)]
)
async def test_phases_that_cannot_be_are_refused(
    evse_id: int, count: int, able: bool
) -> None:
    house = House()
    if able:
        switching(house)
    with pytest.raises(LimitError) as caught:
        await house.limiter.request_phases(evse_id, count)
    assert caught.value.kind is LimitErrorKind.PHASES_NOT_SUPPORTED
    assert house.charger.sent == []
