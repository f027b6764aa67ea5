"""What chargers that wait are told, and how many may wait."""

from typing import Any

import pytest

from .central import BOOT, NOW, PENDING, Clock
from custom_components.ev_charger_hub.ocpp.errors import ErrorCode, RpcError
from custom_components.ev_charger_hub.ocpp.waiting import (
    Candidate,
    RoomFull,
    TooManyArrivals,
    WaitingAdapter,
    WaitingRoom,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock: Clock) -> WaitingRoom:
    return WaitingRoom(clock)


def make_adapter(clock: Clock) -> tuple[WaitingAdapter, Candidate, list[Candidate]]:
    changes: list[Candidate] = []
    candidate = Candidate(
        identity="CP01", remote="10.0.0.1", first_seen=NOW, last_seen=NOW
    )
    return WaitingAdapter(candidate, clock, changes.append), candidate, changes


def test_boot_is_pending_and_tells_who_it_is(clock: Clock) -> None:
    adapter, candidate, changes = make_adapter(clock)
    assert adapter.handle("BootNotification", BOOT).payload == PENDING
    assert (candidate.vendor, candidate.model) == ("Acme", "Wall")
    assert (candidate.serial, candidate.firmware) == ("SN-0001", "1.2.3")
    assert changes == [candidate]


def test_same_boot_again_is_no_news(clock: Clock) -> None:
    adapter, candidate, changes = make_adapter(clock)
    adapter.handle("BootNotification", BOOT)
    clock.advance(seconds=30)
    adapter.handle("BootNotification", BOOT)
    assert len(changes) == 1
    assert candidate.last_seen == clock()
    adapter.handle("BootNotification", BOOT | {"firmwareVersion": "2"})
    assert len(changes) == 2


@pytest.mark.parametrize(
    ("payload", "serial", "model"),
    [
        ({"chargeBoxSerialNumber": "BOX"}, "BOX", None),
        ({"chargePointModel": "  A\x00\nB "}, None, "AB"),
        ({"chargePointModel": "x" * 500}, None, "x" * 50),
        ({"chargePointModel": ""}, None, None),
    ],
)
def test_claims_are_cut_to_what_can_be_shown(
    clock: Clock, payload: dict[str, Any], serial: str | None, model: str | None
) -> None:
    adapter, candidate, _ = make_adapter(clock)
    adapter.handle("BootNotification", payload)
    assert (candidate.serial, candidate.model) == (serial, model)


def test_heartbeat_tells_the_time(clock: Clock) -> None:
    adapter, _, _ = make_adapter(clock)
    assert adapter.handle("Heartbeat", {}).payload == {
        "currentTime": PENDING["currentTime"]
    }


def test_status_keeps_a_candidate_alive_and_is_no_news(clock: Clock) -> None:
    adapter, candidate, changes = make_adapter(clock)
    clock.advance(seconds=30)
    assert adapter.handle("StatusNotification", {}).payload == {}
    assert candidate.last_seen == clock()
    assert changes == []


@pytest.mark.parametrize(
    "action", ["Authorize", "DataTransfer", "MeterValues", "StartTransaction"]
)
def test_everything_else_is_a_security_error(clock: Clock, action: str) -> None:
    adapter, _, _ = make_adapter(clock)
    with pytest.raises(RpcError) as error:
        adapter.handle(action, {})
    assert error.value.code is ErrorCode.SECURITY


def test_room_is_bounded_and_seats_are_kept(room: WaitingRoom) -> None:
    for number in range(20):
        room.enter(f"CP{number}", f"10.0.0.{number}")
    with pytest.raises(RoomFull):
        room.enter("another", "10.0.1.1")
    assert room.enter("CP3", "10.0.9.9").remote == "10.0.9.9"
    room.leave("CP3")
    room.leave("CP3")
    room.enter("another", "10.0.1.1")
    assert len(room) == 20


def test_arrivals_of_one_address_are_limited(room: WaitingRoom, clock: Clock) -> None:
    for number in range(20):
        room.enter(f"CP{number}", "10.0.0.1")
        room.leave(f"CP{number}")
    with pytest.raises(TooManyArrivals):
        room.enter("another", "10.0.0.1")
    room.enter("neighbour", "10.0.0.2")
    clock.advance(seconds=12)
    room.enter("another", "10.0.0.1")


def test_candidate_expires_a_day_after_it_was_last_seen(
    room: WaitingRoom, clock: Clock
) -> None:
    room.enter("CP01", "10.0.0.1")
    room.enter("CP02", "10.0.0.1")
    clock.advance(days=1)
    room.enter("CP02", "10.0.0.1")
    assert room.expired() == []
    clock.advance(seconds=1)
    assert room.expired() == ["CP01"]
