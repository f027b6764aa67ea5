"""What is attended to: renewals, sessions told late, and starts that never began."""

import pytest

from .house import House, ampere
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.limiter.wish import Wish
from custom_components.ev_charger_hub.station.outcome import Outcome
from custom_components.ev_charger_hub.station.transaction import TransactionState


async def test_a_renewal_that_cannot_be_written_down_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def full(evse_id: int, profile: object) -> Outcome:
        raise JournalError

    house = House(fallback_current=8)
    await house.begin()
    await house.want(ampere(16))
    with monkeypatch.context() as patch:
        patch.setattr(house.charger, "set_profile", full)
        await house.time.advance(160)
    await house.time.advance(600)
    assert house.charger.offered() == 16


def stopped_late(house: House) -> None:
    """Let a session end of which the station told long after it did."""
    transaction = house.open.pop(1)
    transaction.state = TransactionState.CLOSED
    del house.charger.transactions[1]
    house.station.evse(1).session.notify()


async def test_a_pause_does_not_outlive_a_session_whose_end_is_told_late() -> None:
    house = House()
    await house.want(ampere(10))
    await house.begin()
    await house.time.advance(61)
    await house.limiter.pause(1)
    assert house.charger.offered() == 0
    stopped_late(house)
    await house.reboot()
    assert house.charger.offered() == 10
    assert house.wanted == ampere(10)
    assert house.station.evse(1).pause is None


async def test_a_wish_is_durable_although_it_already_waits_to_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def soon(identity: str, name: str, value: object) -> None:
        """Wait for longer than Home Assistant lives."""

    house = House()
    monkeypatch.setattr(house.journal, "store_soon", soon)
    stored: list[object] = []

    async def store(identity: str, name: str, value: object) -> None:
        stored.append(value)

    monkeypatch.setattr(house.journal, "store", store)
    wishes = house.limiter._wishes
    wishes.slot(1).show(Wish(limit=ampere(10)))
    wishes.save_soon()
    await wishes.save()
    assert len(stored) == 1
    await wishes.save()
    assert len(stored) == 1


async def test_a_remote_start_that_never_began_leaves_later_sessions_alone() -> None:
    house = House()
    await house.want(ampere(10))
    house.limiter.started_with_limit(1, "TAG", ampere(32))
    await house.time.advance(601)
    await house.begin()
    assert house.limiter._wishes.slot(1).wish.started is None
    assert house.charger.offered() == 10


async def test_a_newer_limit_is_above_that_of_a_remote_start() -> None:
    house = House()
    await house.want(ampere(10))
    house.limiter.started_with_limit(1, "TAG", ampere(32))
    await house.want(ampere(8))
    await house.begin()
    assert house.limiter._wishes.slot(1).wish.started is None
    assert house.charger.offered() == 8
