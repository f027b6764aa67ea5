"""Who is let in: waiting, approval, refusal, and changes of mind."""

import asyncio
import logging
from typing import Any

import pytest

from .central import (
    ACCEPTED,
    BOOT,
    HASH,
    HOST,
    NOW,
    PASSWORD,
    PENDING,
    Central,
    basic,
    running,
    until,
)
from custom_components.ev_charger_hub.ocpp import server as server_module, session
from custom_components.ev_charger_hub.ocpp.credentials import hash_password
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.session import SessionState
from custom_components.ev_charger_hub.ocpp.waiting import (
    CAPACITY,
    AdmissionPolicy,
    Candidate,
)


async def test_unknown_charger_waits_and_is_shown(central: Central) -> None:
    charger = await central.connect(headers=basic("CP01", "x"))
    assert await charger.call("BootNotification", BOOT) == [3, "m1", PENDING]
    candidate = central.system.waiting.get("CP01")
    assert candidate == Candidate(
        identity="CP01",
        remote=HOST,
        first_seen=NOW,
        last_seen=NOW,
        vendor="Acme",
        model="Wall",
        serial="SN-0001",
        firmware="1.2.3",
        has_credentials=True,
    )
    # Once because it waits, once because it told who it is.
    assert central.registrar.changes == [candidate, candidate]
    waiting = central.system.sessions["CP01"]
    assert waiting.state is SessionState.PENDING
    assert waiting.station is None
    assert not central.adapters


async def test_charger_that_waits_is_forgotten_with_its_socket_but_not_as_candidate(
    central: Central,
) -> None:
    charger = await central.connect()
    await charger.call("BootNotification", BOOT)
    await charger.ws.close()
    await until(lambda: not central.system.sessions)
    assert central.system.waiting.get("CP01") is not None


async def test_approval_binds_the_live_socket_and_asks_for_a_boot(
    central: Central,
) -> None:
    charger = await central.connect()
    await charger.call("BootNotification", BOOT)
    station = central.registrar.approve("CP01")
    await central.system.admit("CP01")
    assert station.online.value
    assert central.adapter.diary == ["attached"]
    _, message_id, action, payload = await charger.receive()
    assert action == "TriggerMessage"
    assert payload == {"requestedMessage": "BootNotification"}
    await charger.ws.send_json([3, message_id, {"status": "Accepted"}])
    assert (await charger.call("BootNotification", BOOT))[2] == ACCEPTED
    assert central.system.sessions["CP01"].state is SessionState.ACCEPTED
    assert not len(central.system.waiting)


async def test_charger_that_will_not_boot_when_asked_is_let_in_all_the_same(
    central: Central,
) -> None:
    charger = await central.connect()
    await charger.call("Heartbeat")
    central.registrar.approve("CP01")
    await central.system.admit("CP01")
    _, message_id, *_ = await charger.receive()
    await charger.ws.send_json([4, message_id, "NotImplemented", "", {}])
    assert (await charger.call("Heartbeat"))[0] == 3
    assert central.adapter.handled == [("Heartbeat", {})]


async def test_quiet_charger_is_not_asked_to_boot(central: Central) -> None:
    charger = await central.connect()
    await charger.call("Heartbeat")
    central.registrar.approve("CP01", quiet=True)
    await central.system.admit("CP01")
    assert (await charger.call("Heartbeat"))[0] == 3


async def test_charger_that_goes_before_it_is_asked_to_boot(central: Central) -> None:
    charger = await central.connect()
    await charger.call("Heartbeat")
    station = central.registrar.approve("CP01")
    await central.system.admit("CP01")
    await central.system.sessions["CP01"].disconnect()
    assert await charger.closed() == 1000
    assert not station.online.value


async def test_second_approval_changes_nothing(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    await central.system.admit("CP01")
    assert central.adapter.diary == ["attached"]
    assert len(central.adapters) == 1


async def test_approval_of_an_absent_charger_waits_for_it(central: Central) -> None:
    central.registrar.approve("CP01")
    await central.system.admit("CP01")
    assert not central.system.sessions
    charger = await central.connect()
    await charger.call("Heartbeat")
    assert central.adapter.diary == ["attached"]


async def test_approval_with_a_password_makes_the_charger_come_again(
    central: Central,
) -> None:
    charger = await central.connect()
    await charger.call("BootNotification", BOOT)
    station = central.registrar.approve("CP01", password_hash=HASH)
    await central.system.admit("CP01")
    assert await charger.closed() == 1008
    assert not station.online.value
    assert (await central.attempt()).status == 401
    await central.connect(headers=basic("CP01", PASSWORD))


async def test_new_password_closes_the_socket_that_does_not_know_it(
    central: Central,
) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    charger = await central.connect(headers=basic("CP01", PASSWORD))
    await charger.call("Heartbeat")
    central.registrar.approve("CP01", password_hash=HASH, maximum_current=16)
    await central.system.refresh("CP01")
    assert (await charger.call("Heartbeat"))[0] == 3
    central.registrar.approve("CP01", password_hash=hash_password("another"))
    await central.system.refresh("CP01")
    assert await charger.closed() == 1008
    await central.system.refresh("CP01")
    await central.system.refresh("CP02")


async def test_pin_to_another_version_closes_the_socket(socket_enabled: None) -> None:
    async with running(dialects=(Dialect.V16, Dialect.V201)) as central:
        central.registrar.approve("CP01")
        charger = await central.connect()
        await charger.call("Heartbeat")
        central.registrar.approve("CP01", protocol="ocpp2.0.1")
        await central.system.refresh("CP01")
        assert await charger.closed() == 1008
        assert (await central.attempt(protocol="ocpp1.6")).status == 400


async def test_withdrawn_approval_closes_socket_and_session(central: Central) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    del central.registrar.stations["CP01"]
    await central.system.expel("CP01")
    assert await charger.closed() == 1008
    assert not station.online.value
    assert station.links == []
    assert central.adapter.diary == ["attached", "detached", "closed"]
    assert not central.system.sessions
    await central.system.expel("CP01")
    again = await central.connect()
    assert (await again.call("BootNotification", BOOT))[2]["status"] == "Pending"


async def test_refused_candidate_is_thrown_out(central: Central) -> None:
    charger = await central.connect()
    await charger.call("BootNotification", BOOT)
    central.registrar.turned_away.add("CP01")
    await central.system.expel("CP01")
    assert await charger.closed() == 1008
    assert not len(central.system.waiting)
    assert not central.system.sessions
    assert (await central.attempt()).status == 404


@pytest.mark.conformance("SEC_11")
async def test_the_twenty_first_does_not_find_a_seat(central: Central) -> None:
    for number in range(CAPACITY):
        await central.connect(f"CP{number:02}")
    response = await central.attempt("CP20")
    assert response.status == 503
    assert response.headers["Retry-After"] == "60"
    # Who has a seat keeps it.
    await central.connect("CP00")
    central.registrar.approve("CP01")
    await central.system.admit("CP01")
    central.clock.advance(seconds=12)
    await central.connect("CP20")


async def test_address_that_brings_too_many_has_to_wait(central: Central) -> None:
    for number in range(20):
        await central.connect(f"CP{number:02}")
        await central.system.expel(f"CP{number:02}")
    response = await central.attempt("CP20")
    assert response.status == 429
    assert response.headers["Retry-After"] == "60"
    central.clock.advance(seconds=12)
    await central.connect("CP20")


async def test_candidate_is_forgotten_after_a_day(central: Central) -> None:
    old = await central.connect("CP01")
    await old.call("Heartbeat")
    central.clock.advance(hours=12)
    await (await central.connect("CP02")).call("Heartbeat")
    central.clock.advance(hours=12, seconds=1)
    await central.system.forget_candidates()
    assert central.registrar.forgotten == ["CP01"]
    assert await old.closed() == 1008
    assert [one.identity for one in central.system.waiting] == ["CP02"]


async def test_waiting_room_is_swept(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_SWEEP_EVERY", 0.0)
    async with running() as central:
        charger = await central.connect("CP01")
        await charger.call("Heartbeat")
        central.clock.advance(days=2)
        await until(lambda: bool(central.registrar.forgotten))


async def test_silent_stranger_is_turned_out(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FIRST_FRAME", 0.01)
    charger = await central.connect("CP01")
    assert await charger.closed() == 1008
    talker = await central.connect("CP02")
    await talker.call("Heartbeat")
    central.registrar.approve("CP03")
    silent = await central.connect("CP03")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.ws.receive(), 0.1)
    assert (await talker.call("Heartbeat"))[0] == 3


async def test_everyone_is_accepted_if_the_user_says_so(central: Central) -> None:
    central.registrar.policy = AdmissionPolicy.ACCEPT

    async def approve(candidate: Candidate) -> None:
        central.registrar.approve(candidate.identity)
        await central.system.admit(candidate.identity)

    central.registrar.on_unknown = approve
    charger = await central.connect()
    assert (await charger.call("BootNotification", BOOT))[2] == ACCEPTED
    assert not len(central.system.waiting)
    assert not central.registrar.changes


async def test_many_new_chargers_at_once_are_accepted(central: Central) -> None:
    central.registrar.policy = AdmissionPolicy.ACCEPT

    async def approve(candidate: Candidate) -> None:
        central.registrar.approve(candidate.identity)

    central.registrar.on_unknown = approve
    chargers = await asyncio.gather(*(central.connect(f"CP{n}") for n in range(50)))
    answers = await asyncio.gather(*(one.call("Heartbeat") for one in chargers))
    assert {answer[0] for answer in answers} == {3}


@pytest.mark.conformance("SEC_11")
async def test_even_open_doors_are_bounded(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.ev_charger_hub.ocpp.waiting._PASSAGES", 1)
    async with running() as central:
        central.registrar.policy = AdmissionPolicy.ACCEPT
        assert await (await central.connect("CP01")).closed() == 1008
        assert (await central.attempt("CP02")).status == 429


async def test_charger_that_the_hub_does_not_accept_is_turned_out(
    central: Central,
) -> None:
    central.registrar.policy = AdmissionPolicy.ACCEPT
    assert await (await central.connect()).closed() == 1008
    assert not central.system.sessions


async def test_approval_during_the_handshake_counts(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    def approve(candidate: Candidate) -> None:
        central.registrar.approve(candidate.identity)

    monkeypatch.setattr(central.registrar, "candidate_changed", approve)
    charger = await central.connect()
    assert (await charger.call("BootNotification", BOOT))[2] == ACCEPTED


async def test_shutdown_during_the_introduction_says_going_away(
    central: Central,
) -> None:
    central.registrar.policy = AdmissionPolicy.ACCEPT
    met, go_on = asyncio.Event(), asyncio.Event()

    async def dawdle(candidate: Candidate) -> None:
        met.set()
        await go_on.wait()

    central.registrar.on_unknown = dawdle
    charger = await central.connect()
    await met.wait()
    stopping = asyncio.create_task(central.system.stop())
    await asyncio.sleep(0)
    go_on.set()
    assert await charger.closed() == 1001
    await stopping


async def test_hub_that_fails_keeps_its_error_from_the_listener(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    central.registrar.policy = AdmissionPolicy.ACCEPT

    async def fail(candidate: Candidate) -> None:
        raise ValueError

    central.registrar.on_unknown = fail
    assert await (await central.connect()).closed() == 1011
    central.registrar.approve("CP02")
    assert (await (await central.connect("CP02")).call("Heartbeat"))[0] == 3


async def test_newer_socket_takes_the_seat_of_the_older(central: Central) -> None:
    old = await central.connect()
    await old.call("BootNotification", BOOT)
    new = await central.connect()
    boot: dict[str, Any] = (await new.call("BootNotification", BOOT))[2]
    assert boot["status"] == "Pending"
    assert await old.closed() == 1000
    assert (await new.call("Heartbeat"))[0] == 3
    assert len(central.system.waiting) == 1
    assert "CP01" in central.system.sessions


async def test_charger_expelled_in_the_middle_of_its_arrival_does_not_linger(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    await central.system.sessions["CP01"].close(1008)
    late = await central.connect()
    assert await late.closed() == 1008
    assert not station.online.value
