"""The server's sockets: what comes over them, and how they end."""

import asyncio
import logging
import socket
from typing import Any
from unittest.mock import Mock

from aiohttp import WSMsgType
import pytest

from .central import ACCEPTED, BOOT, HOST, NOW, Central, running, until
from custom_components.ev_charger_hub.ocpp import session as session_module, transport
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.errors import (
    CallInterrupted,
    CallNotSent,
    ErrorCode,
    RpcError,
)
from custom_components.ev_charger_hub.ocpp.rpc import Reply
from custom_components.ev_charger_hub.ocpp.server import PING_INTERVAL
from custom_components.ev_charger_hub.ocpp.session import SessionState
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.link import Capability


async def test_approved_charger_boots(central: Central) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    assert await charger.call("BootNotification", BOOT) == [3, "m1", ACCEPTED]
    session = central.system.sessions["CP01"]
    assert session.state is SessionState.ACCEPTED
    assert session.dialect is Dialect.V16
    assert session.remote == HOST
    assert session.station is station
    assert station.online.value
    assert station.version.value == "1.6"
    assert station.connected_since.value == NOW
    assert station.heartbeat.value == NOW
    assert station.reconnects.value == 0
    assert station.link(Capability.TRIGGER) is central.adapter.link


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Accepted", SessionState.ACCEPTED),
        ("Pending", SessionState.PENDING),
        ("Rejected", SessionState.REJECTED),
    ],
)
@pytest.mark.parametrize("slow", [False, True])
async def test_answer_to_the_boot_is_the_state_of_the_session(
    central: Central, status: str, state: SessionState, slow: bool
) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    session = central.system.sessions["CP01"]
    await charger.call("Heartbeat")
    assert session.state is SessionState.AUTHENTICATED
    answer = ACCEPTED | {"status": status}

    async def later() -> Reply:
        return Reply(answer)

    central.adapter.answers["BootNotification"] = lambda _: (
        later() if slow else Reply(answer)
    )
    assert (await charger.call("BootNotification", BOOT))[2]["status"] == status
    assert session.state is state


@pytest.mark.peer("B-02")
async def test_lost_socket_is_seen_at_once(central: Central) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    changes: list[bool] = []
    station.online.subscribe(lambda: changes.append(station.online.value))
    await charger.ws.close()
    await until(lambda: not station.online.value)
    session = central.system.sessions["CP01"]
    assert changes == [False]
    assert session.state is SessionState.OFFLINE
    assert session.remote is None
    assert session.dialect is None
    assert station.connected_since.value is None
    assert central.adapter.diary == ["attached", "detached"]
    with pytest.raises(CallNotSent):
        await session.call("Reset", {"type": "Soft"})


async def test_reconnect_keeps_the_adapter_and_counts(central: Central) -> None:
    station = central.registrar.approve("CP01")
    for _ in range(3):
        charger = await central.connect()
        await charger.call("Heartbeat")
        await charger.ws.close()
        await until(lambda: not station.online.value)
    assert len(central.adapters) == 1
    assert station.reconnects.value == 2
    assert central.adapter.diary == ["attached", "detached"] * 3
    assert station.links == [central.adapter.link]


async def test_version_change_rebuilds_the_adapter(socket_enabled: None) -> None:
    async with running(dialects=(Dialect.V16, Dialect.V201)) as central:
        station = central.registrar.approve("CP01")
        await (await central.connect()).call("Heartbeat")
        newer = await central.connect(protocols=("ocpp2.0.1",))
        await newer.call("Heartbeat")
        old, new = central.adapters
        assert old.diary == ["attached", "closed"]
        assert station.version.value == "2.0.1"
        assert station.links == [new.link]
        assert station.online.value


@pytest.mark.conformance("RPC_03")
async def test_retry_on_a_new_socket_hears_the_first_answer(central: Central) -> None:
    central.registrar.approve("CP01")
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    for _ in range(2):
        charger = await central.connect()
        assert await charger.call("StatusNotification", payload) == [3, "m1", {}]
        await charger.ws.close()
    assert len(central.adapter.handled) == 1


async def test_call_reaches_the_charger(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    call = asyncio.create_task(
        central.system.sessions["CP01"].call("Reset", {"type": "Soft"})
    )
    kind, message_id, action, payload = await charger.receive()
    assert (kind, action, payload) == (2, "Reset", {"type": "Soft"})
    await charger.ws.send_json([3, message_id, {"status": "Accepted"}])
    assert await call == {"status": "Accepted"}


@pytest.mark.conformance("RPC_23")
async def test_call_fails_at_once_when_the_socket_goes(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    call = asyncio.create_task(
        central.system.sessions["CP01"].call("Reset", {"type": "Hard"}, 600)
    )
    await charger.receive()
    await charger.ws.close()
    with pytest.raises(CallInterrupted):
        await call


@pytest.mark.conformance("RPC_19")
async def test_error_in_a_handler_is_an_error_of_that_message_only(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    central.adapter.answers["Heartbeat"] = lambda payload: payload["nothing"]
    assert (await charger.call("Heartbeat"))[:3] == [4, "m2", "InternalError"]
    assert (await charger.call("BootNotification", BOOT))[0] == 3


async def test_error_while_attaching_stays_with_its_charger(
    central: Central, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    station = central.registrar.approve("CP01")
    central.registrar.approve("CP02")
    good = await central.connect("CP02")
    await good.call("Heartbeat")

    def fail(*_: Any) -> None:
        raise ValueError

    with monkeypatch.context() as patched:
        patched.setattr("tests.ocpp.central.StubAdapter.attached", fail)
        assert await (await central.connect()).closed() == 1011
    assert not station.online.value
    assert (await good.call("Heartbeat"))[0] == 3
    assert (await (await central.connect()).call("Heartbeat"))[0] == 3


@pytest.mark.conformance("WS_10")
async def test_binary_frame_ends_the_connection(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.ws.send_bytes(b'[2,"1","Heartbeat",{}]')
    assert await charger.closed() == 1003
    assert not central.adapter.handled


@pytest.mark.conformance("WS_08")
async def test_frame_beyond_a_mebibyte_ends_the_connection(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.ws.send_str("x" * (transport.MAX_FRAME - 20))
    assert (await charger.call("Heartbeat"))[0] == 3
    await charger.ws.send_str("x" * (transport.MAX_FRAME + 1))
    assert await charger.closed() == 1009


async def test_text_that_is_no_utf_8_does_not_end_the_connection(
    central: Central,
) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.ws.send_frame(b'[2,"1","\xff",{}]', WSMsgType.TEXT)
    assert (await charger.call("Heartbeat"))[0] == 3


@pytest.mark.conformance("WS_07")
async def test_ping_of_a_charger_is_answered_and_counts_as_alive(
    central: Central,
) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect(autoping=False)
    await charger.call("Heartbeat")
    central.clock.advance(minutes=5)
    await charger.ws.ping(b"hello")
    message = await charger.ws.receive(timeout=60)
    assert (message.type, message.data) == (WSMsgType.PONG, b"hello")
    assert station.heartbeat.value == central.clock()


async def test_ping_of_a_charger_that_is_gone_by_then_is_no_error(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()

    def drop(_: dict[str, Any]) -> Reply:
        connection = central.system.sessions["CP01"].connection
        assert connection is not None
        connection.abort()
        return Reply({})

    await until(lambda: station.online.value)
    central.adapter.answers["Heartbeat"] = drop
    await charger.ws.send_json([2, "1", "Heartbeat", {}])
    await charger.ws.ping()
    await until(lambda: not station.online.value)
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_pong_that_nobody_asked_for_is_ignored(central: Central) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.ws.pong(b"hello")
    assert (await charger.call("Heartbeat"))[0] == 3
    assert station.latency.value is None


async def test_socket_that_does_not_close_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "CLOSE_TIMEOUT", 0.0)
    ws, line = Mock(), Mock()

    async def hang(**_: Any) -> None:
        await asyncio.Event().wait()

    ws.close = hang
    options: dict[str, Any] = {"name": "x", "remote": HOST, "dialect": Dialect.V16}
    await transport.Connection(ws, line, **options).close(1000)
    line.abort.assert_called_once_with()
    # Or it is gone already.
    await transport.Connection(ws, None, **options).close(1000)


async def test_heartbeat_channel_moves_at_most_once_a_second(central: Central) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    central.clock.advance(seconds=0.5)
    await charger.call("Heartbeat")
    assert station.heartbeat.value == NOW
    central.clock.advance(seconds=0.5)
    await charger.call("Heartbeat")
    assert station.heartbeat.value == central.clock()
    central.clock.advance(hours=-1)
    await charger.call("Heartbeat")
    assert station.heartbeat.value == central.clock()


async def test_ping_measures_the_round_trip(socket_enabled: None) -> None:
    async with running(ping_interval=0.01) as central:
        station = central.registrar.approve("CP01")
        charger = await central.connect()
        reading = asyncio.create_task(charger.ws.receive())
        await until(lambda: station.latency.value is not None)
        assert station.online.value
        await charger.ws.close()
        await reading
        await until(lambda: not station.online.value)
        assert station.latency.value is None


@pytest.mark.conformance("WS_06")
async def test_half_open_socket_is_dropped(socket_enabled: None) -> None:
    async with running(ping_interval=0.01) as central:
        station = central.registrar.approve("CP01")
        charger = await central.connect(autoping=False)
        await until(lambda: station.online.value)
        await until(lambda: not station.online.value)
        async with asyncio.timeout(60):
            while not charger.ws.closed:
                await charger.ws.receive()


def test_a_dead_line_is_noticed_within_a_minute() -> None:
    assert (transport._MISSED_PINGS + 1) * PING_INTERVAL <= 60


@pytest.mark.conformance("WS_06")
async def test_charger_with_pings_off_gets_none(socket_enabled: None) -> None:
    async with running(ping_interval=0.01) as central:
        station = central.registrar.approve("CP01", ping=False)
        charger = await central.connect(autoping=False)
        await charger.call("Heartbeat")
        with pytest.raises(TimeoutError):
            await charger.ws.receive(timeout=0.1)
        assert station.online.value
        # The call stands in for the ping.
        call = asyncio.create_task(
            central.system.sessions["CP01"].call("ClearCache", {})
        )
        _, message_id, *_ = await charger.receive()
        await charger.ws.send_json([3, message_id, {"status": "Accepted"}])
        await call
        assert station.latency.value is not None


async def test_silence_ends_a_connection_without_pings(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_MAX_SILENCE", 0.0)
    async with running(ping_interval=0.01) as central:
        station = central.registrar.approve("CP01", ping=False)
        await central.connect()
        await until(lambda: station.online.value)
        await until(lambda: not station.online.value)


async def test_calls_do_not_count_as_latency_where_pings_do(central: Central) -> None:
    station = central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    call = asyncio.create_task(central.system.sessions["CP01"].call("ClearCache", {}))
    _, message_id, *_ = await charger.receive()
    await charger.ws.send_json([3, message_id, {"status": "Accepted"}])
    await call
    assert station.latency.value is None


@pytest.mark.conformance("WS_09")
async def test_compression_is_for_2_x_only(socket_enabled: None) -> None:
    async with running(dialects=(Dialect.V16, Dialect.V201)) as central:
        central.registrar.approve("CP01")
        old = await central.connect(compress=15)
        assert not old.ws.compress
        new = await central.connect(protocols=("ocpp2.0.1",), compress=15)
        assert new.ws.compress


@pytest.mark.conformance("WS_12")
async def test_shutdown_says_going_away_to_everyone(central: Central) -> None:
    stations = [central.registrar.approve(f"CP{number}") for number in range(3)]
    chargers = [await central.connect(f"CP{number}") for number in range(3)]
    chargers.append(await central.connect("CP99"))
    for charger in chargers:
        await charger.call("Heartbeat")
    adapters = list(central.adapters)
    await central.system.stop()
    assert [await charger.closed() for charger in chargers] == [1001] * 4
    assert not any(station.online.value for station in stations)
    assert not any(station.links for station in stations)
    assert all(one.diary == ["attached", "detached", "closed"] for one in adapters)
    with pytest.raises(OSError, match="Connect call failed"):
        await central.connect()


async def test_shutdown_lets_a_running_handler_finish(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    started, written = asyncio.Event(), asyncio.Event()
    finished: list[bool] = []

    async def slow(_: dict[str, Any]) -> Reply:
        started.set()
        await written.wait()
        finished.append(True)
        return Reply({})

    central.adapter.answers["StopTransaction"] = slow
    await charger.ws.send_json(
        [
            2,
            "x",
            "StopTransaction",
            {"transactionId": 1, "meterStop": 2}
            | {"timestamp": "2026-11-20T10:00:00Z"},
        ]
    )
    await started.wait()
    stopping = asyncio.create_task(central.system.stop())
    assert await charger.closed() == 1001
    written.set()
    await stopping
    assert finished == [True]


async def test_shutdown_does_not_wait_for_a_handler_that_hangs(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_DRAIN", 0.0)
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    started = asyncio.Event()

    async def slow(_: dict[str, Any]) -> Reply:
        started.set()
        await asyncio.Event().wait()
        return Reply({})

    central.adapter.answers["Heartbeat"] = slow
    await charger.ws.send_json([2, "x", "Heartbeat", {}])
    await started.wait()
    await central.system.stop()
    assert await charger.closed() == 1001


async def test_adapter_that_fails_to_close_does_not_stop_the_shutdown(
    central: Central, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")

    async def fail(*_: Any) -> None:
        raise ValueError

    monkeypatch.setattr("tests.ocpp.central.StubAdapter.close", fail)
    await central.system.stop()
    assert await charger.closed() == 1001


async def test_background_tasks_end_with_the_adapter(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")

    async def fail() -> None:
        raise RpcError(ErrorCode.GENERIC)

    forever = central.adapter.context.spawn(asyncio.sleep(3600), "forever")
    broken = central.adapter.context.spawn(fail(), "broken")
    await until(broken.done)
    await charger.ws.close()
    assert not forever.done()
    caplog.clear()
    await central.system.expel("CP01")
    assert forever.cancelled()


async def test_socket_that_comes_during_the_shutdown_is_turned_away(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    central.registrar.approve("CP01")
    monkeypatch.setattr(central.system, "_stopping", True)
    assert (await central.attempt()).status == 503


async def test_port_in_use_is_an_os_error(central: Central) -> None:
    other = Central(port=central.system.port)
    with pytest.raises(OSError, match="in use"):
        await other.system.start()
    await other.stop()


async def test_schemas_are_loaded_outside_of_the_event_loop(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops: list[bool] = []
    load = Schemas.load

    def watch(dialect: Dialect) -> Schemas:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            loops.append(False)
        else:
            loops.append(True)
        return load(dialect)

    monkeypatch.setattr(Schemas, "load", watch)
    async with running():
        assert loops == [False]


async def test_garbage_on_the_port_harms_nobody(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    reader, writer = await asyncio.open_connection(
        HOST, central.system.port, family=socket.AF_INET
    )
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n")
    async with asyncio.timeout(60):
        await reader.read()
    writer.close()
    await writer.wait_closed()
    assert (await charger.call("Heartbeat"))[0] == 3


async def test_lost_and_regained_are_logged_once_without_the_identity(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    station = central.registrar.approve("SERIAL-12345678")
    charger = await central.connect("SERIAL-12345678")
    await charger.call("Heartbeat")
    await charger.ws.close()
    await until(lambda: not station.online.value)
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.ev_charger_hub")
    ]
    assert ours == [
        f"Charger ***5678 connected from {HOST} (ocpp1.6)",
        "Charger ***5678 disconnected",
    ]
