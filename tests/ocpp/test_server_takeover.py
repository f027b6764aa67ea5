"""Two sockets of one identity: the newest counts, the older one changes nothing."""

import asyncio
import json
import logging
from typing import Any

import pytest

from .central import HASH, HOST, NOW, PASSWORD, Central, basic, until
from custom_components.ev_charger_hub.ocpp.errors import CallInterrupted, RpcError
from custom_components.ev_charger_hub.ocpp.rpc import Reply
from custom_components.ev_charger_hub.ocpp.session import (
    Session,
    SessionState,
    Takeover,
)
from custom_components.ev_charger_hub.ocpp.transport import Connection

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


@pytest.mark.conformance("WS_05")
@pytest.mark.peer("B-01")
async def test_newest_socket_wins_at_once_and_stays(central: Central) -> None:
    station = central.registrar.approve("CP01")
    old = await central.connect()
    await old.call("Heartbeat")
    changes: list[bool] = []
    station.online.subscribe(lambda: changes.append(station.online.value))
    new = await central.connect()
    assert (await new.call("Heartbeat"))[0] == 3
    assert await old.closed() == 1000
    # The end of the old socket is no end of the session (peer B-01).
    assert (await new.call("Heartbeat"))[0] == 3
    assert not changes
    assert station.online.value
    assert station.reconnects.value == 1
    assert central.adapter.diary == ["attached", "attached"]
    assert list(central.system.sessions["CP01"].takeovers) == [
        Takeover(at=NOW, old_remote=HOST, new_remote=HOST)
    ]


@pytest.mark.conformance("WS_05")
async def test_frames_of_a_superseded_socket_are_ignored(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = central.registrar.approve("CP01")
    old = await central.connect()
    await old.call("Heartbeat")

    async def stay_open(*_: Any) -> None:
        """Behave like an old socket whose end takes its time."""

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "close", stay_open)
        new = await central.connect()
        await new.call("Heartbeat")
    handled = len(central.adapter.handled)
    central.clock.advance(minutes=1)
    await old.ws.send_json([2, "late", "StatusNotification", STATUS])
    await old.ws.close()
    assert (await new.call("Heartbeat"))[0] == 3
    assert len(central.adapter.handled) == handled + 1
    assert station.online.value


async def test_nothing_of_a_superseded_socket_gets_past_the_token(
    central: Central,
) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    session = central.system.sessions["CP01"]
    seen = len(central.adapter.handled)
    central.clock.advance(minutes=1)
    with pytest.raises(RpcError):
        session._handle(_socket(0), "BootNotification", {})
    session._heard(_socket(0))
    session._measured(_socket(0), 5.0)
    answer = Reply({"status": "Rejected"})
    assert session._booted(_socket(0), answer) is answer
    assert len(central.adapter.handled) == seen
    assert station.heartbeat.value == NOW
    assert station.latency.value is None
    assert session.state is SessionState.AUTHENTICATED


@pytest.mark.conformance("RPC_23")
async def test_takeover_fails_pending_calls_at_once(central: Central) -> None:
    central.registrar.approve("CP01")
    old = await central.connect()
    await old.call("Heartbeat")
    session = central.system.sessions["CP01"]
    call = asyncio.create_task(session.call("Reset", {"type": "Hard"}, 600))
    await old.receive()
    await central.connect()
    with pytest.raises(CallInterrupted):
        await call


async def test_handler_of_a_superseded_socket_answers_the_retry(
    central: Central,
) -> None:
    central.registrar.approve("CP01")
    old = await central.connect()
    await old.call("Heartbeat")
    started, written = asyncio.Event(), asyncio.Event()

    async def slow(_: dict[str, Any]) -> Reply:
        started.set()
        await written.wait()
        return Reply({})

    central.adapter.answers["StatusNotification"] = slow
    frame = json.dumps([2, "slow", "StatusNotification", STATUS])
    await old.ws.send_str(frame)
    await started.wait()
    new = await central.connect()
    await new.ws.send_str(frame)
    await new.ws.send_json([2, "behind", "Heartbeat", {}])
    written.set()
    assert await new.receive() == [3, "slow", {}]
    statuses = [
        one for one, _ in central.adapter.handled if one == "StatusNotification"
    ]
    assert len(statuses) == 1


async def test_takeover_needs_the_password(central: Central) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    old = await central.connect(headers=basic("CP01", PASSWORD))
    await old.call("Heartbeat")
    assert (await central.attempt(headers=basic("CP01", "guess"))).status == 401
    assert (await old.call("Heartbeat"))[0] == 3
    new = await central.connect(headers=basic("CP01", PASSWORD))
    await new.call("Heartbeat")
    assert await old.closed() == 1000


async def test_two_chargers_with_one_identity_are_warned_of_once(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    session = _session(central)
    for number in range(20):
        session._supersede(_socket(number), _socket(number + 1))
    warnings = _warnings(caplog)
    assert len(warnings) == 1
    assert "10.0.0.1, 10.0.0.2" in warnings[0]
    assert "SERIAL" not in warnings[0]
    # Once it was calm, it is worth another warning.
    central.clock.advance(minutes=2)
    for number in range(8):
        session._supersede(_socket(number), _socket(number + 1))
    assert len(_warnings(caplog)) == 2
    await session.close(1000)


async def test_one_charger_that_reconnects_often_is_no_reason_to_warn(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    session = _session(central)
    for _ in range(20):
        session._supersede(_socket(0), _socket(0))
    assert not _warnings(caplog)
    assert len(session.takeovers) == 20
    await session.close(1000)


async def test_burst_of_reconnects_leaves_one_live_socket(central: Central) -> None:
    station = central.registrar.approve("CP01")
    chargers = await asyncio.gather(*(central.connect() for _ in range(10)))
    newest = await central.connect()
    assert (await newest.call("Heartbeat"))[0] == 3
    assert [await one.closed() for one in chargers] == [1000] * 10
    assert station.online.value
    await newest.ws.close()
    await until(lambda: not station.online.value)
    assert len(central.adapters) == 1


def _session(central: Central) -> Session:
    return Session(
        "SERIAL-12345678",
        clock=central.clock,
        schemas={},
        adapters={},
        ping_interval=30,
    )


class _Socket:
    """A socket that ends without a network."""

    def __init__(self, number: int) -> None:
        self.remote = f"10.0.0.{number % 2 + 1}"

    async def close(self, code: int, reason: str = "") -> None:
        """Do nothing."""


def _socket(number: int) -> Any:
    return _Socket(number)


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING
        and record.name.startswith("custom_components.ev_charger_hub")
    ]
