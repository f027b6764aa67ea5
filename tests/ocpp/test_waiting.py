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


def test_boot_of_2x_tells_who_it_is(clock: Clock) -> None:
    adapter, candidate, _ = make_adapter(clock)
    station = {"vendorName": "Acme", "model": "Wall", "serialNumber": "SN-0001"}
    station["firmwareVersion"] = "1.2.3"
    boot = {"reason": "PowerUp", "chargingStation": station}
    assert adapter.handle("BootNotification", boot).payload == PENDING
    assert (candidate.vendor, candidate.model) == ("Acme", "Wall")
    assert (candidate.serial, candidate.firmware) == ("SN-0001", "1.2.3")


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


@pytest.mark.conformance("SEC_11")
def test_made_up_identities_of_one_address_give_way(clock: Clock) -> None:
    losers: list[str] = []
    room = WaitingRoom(clock, lambda loser: losers.append(loser.identity))
    room.enter("mine", "10.0.0.1")
    for number in range(19):
        clock.advance(seconds=12)
        room.enter(f"made-up-{number}", "10.0.0.66")
        room.enter("mine", "10.0.0.1")
    for number in range(3):
        room.enter(f"neighbor-{number}", f"10.0.0.{number + 2}")
    assert losers == ["made-up-0", "made-up-1", "made-up-2"]
    # The address that fills the room gets no further seat.
    clock.advance(minutes=1)
    for one in room:
        one.last_seen = clock()
    with pytest.raises(RoomFull):
        room.enter("made-up-20", "10.0.0.66")
    assert room.get("mine") is not None
    assert len(room) == 20


@pytest.mark.conformance("SEC_11")
def test_oldest_silent_one_gives_way_whatever_its_address(
    room: WaitingRoom, clock: Clock
) -> None:
    room.enter("silent", "10.0.1.1")
    clock.advance(seconds=1)
    room.enter("silent too", "10.0.1.2")
    clock.advance(minutes=6)
    for number in range(18):
        room.enter(f"CP{number}", f"10.0.0.{number}")
    room.enter("another", "10.0.0.1")
    assert room.get("silent") is None
    assert room.get("silent too") is not None


def test_whole_network_of_ipv6_counts_as_one_address(room: WaitingRoom) -> None:
    for number in range(20):
        room.enter(f"made-up-{number}", f"fd00::{number}")
    room.enter("mine", "fd00:0:0:1::1")
    assert room.get("made-up-0") is None


def test_who_finds_a_seat_too_fast_takes_none_away(room: WaitingRoom) -> None:
    for number in range(20):
        room.enter(f"gone-{number}", "10.0.0.1")
        room.leave(f"gone-{number}")
    for number in range(20):
        room.enter(f"CP{number}", "10.0.0.66")
    with pytest.raises(TooManyArrivals):
        room.enter("another", "10.0.0.1")
    assert room.get("CP0") is not None


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
