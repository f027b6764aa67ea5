"""Who comes too often, too fast or as somebody else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
import json
import logging
import threading
from typing import Any, ClassVar, override

from aiohttp import ClientSession, TCPConnector
import pytest

from .central import HASH, HOST, PASSWORD, Central, Charger, basic, running, until
from custom_components.ev_charger_hub.ocpp import (
    credentials,
    session as session_module,
    transport,
)
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.rpc import Reply
from custom_components.ev_charger_hub.ocpp.throttle import Pace
from custom_components.ev_charger_hub.ocpp.transport import Tempo

ELSEWHERE = "127.0.0.2"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


@pytest.fixture
async def elsewhere(central: Central) -> AsyncGenerator[ClientSession]:
    """Return a client with another address."""
    connector = TCPConnector(local_addr=(ELSEWHERE, 0))
    async with ClientSession(connector=connector) as session:
        yield session


async def attempt(
    session: ClientSession, central: Central, headers: dict[str, str] | None = None
) -> int:
    """Return the status that a handshake from elsewhere is refused with."""
    async with session.get(
        central.url("CP01"), headers=UPGRADE | (headers or {})
    ) as response:
        return response.status


async def connect(
    session: ClientSession, central: Central, headers: dict[str, str] | None = None
) -> Charger:
    """Connect from elsewhere."""
    return Charger(
        await session.ws_connect(
            central.url("CP01"), protocols=("ocpp1.6",), headers=headers
        )
    )


def packed(text: bytes) -> bytes:
    """Return a text frame with a mask of zeros."""
    return b"\x81" + bytes([0x80 | len(text)]) + b"\0\0\0\0" + text


def _noted(order: list[str], name: str, _: dict[str, Any]) -> Reply:
    order.append(name)
    return Reply({"currentTime": "2026-11-20T10:00:00.000Z"})


@asynccontextmanager
async def reading(charger: Charger) -> AsyncGenerator[None]:
    """Let a client take what comes, and so answer pings, for the time of a block."""
    task = asyncio.create_task(charger.ws.receive())
    yield
    task.cancel()


# Who takes over whose connection


@pytest.mark.conformance("WS_05")
async def test_stranger_does_not_take_over_a_living_charger(
    central: Central, elsewhere: ClientSession
) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    await charger.call("Heartbeat")
    # Its client answers the ping while it waits for something.
    async with reading(charger):
        assert await attempt(elsewhere, central) == HTTPStatus.CONFLICT
        assert await attempt(elsewhere, central) == HTTPStatus.CONFLICT
    assert central.registrar.incidents == [("intruded", "CP01", HOST, ELSEWHERE)] * 2
    assert central.system.sessions["CP01"].remote == HOST
    assert not central.system.sessions["CP01"].takeovers


@pytest.mark.conformance("WS_05")
async def test_charger_with_a_new_address_replaces_its_dead_socket(
    central: Central, elsewhere: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "PROBE", 0.01)
    central.registrar.approve("CP01")
    await (await central.connect(autoping=False)).call("Heartbeat")
    moved = await connect(elsewhere, central)
    assert (await moved.call("Heartbeat"))[0] == 3
    assert central.system.sessions["CP01"].remote == ELSEWHERE
    assert not central.registrar.incidents


@pytest.mark.conformance("WS_05")
async def test_password_takes_over_from_any_address_without_a_question(
    central: Central, elsewhere: ClientSession
) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    old = await central.connect(headers=basic("CP01", PASSWORD))
    await old.call("Heartbeat")
    new = await connect(elsewhere, central, basic("CP01", PASSWORD))
    assert (await new.call("Heartbeat"))[0] == 3
    assert await old.closed() == 1000
    assert not central.registrar.incidents


@pytest.mark.parametrize("spoke", [True, False])
async def test_charger_without_pings_is_there_if_it_spoke_within_a_minute(
    central: Central,
    elsewhere: ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    spoke: bool,
) -> None:
    monkeypatch.setattr(transport, "_RECENT", 60.0 if spoke else 0.0)
    central.registrar.approve("CP01", ping=False)
    await (await central.connect(autoping=False)).call("Heartbeat")
    if spoke:
        assert await attempt(elsewhere, central) == HTTPStatus.CONFLICT
    else:
        await (await connect(elsewhere, central)).call("Heartbeat")


async def test_seat_in_the_waiting_room_is_not_taken_over_either(
    central: Central, elsewhere: ClientSession
) -> None:
    charger = await central.connect()
    await charger.call("Heartbeat")
    async with reading(charger):
        assert await attempt(elsewhere, central) == HTTPStatus.CONFLICT
    candidate = central.system.waiting.get("CP01")
    assert candidate is not None
    assert candidate.remote == HOST
    # Nobody asked for this charger: there is nothing to tell the user.
    assert not central.registrar.incidents


async def test_flapping_is_told_with_the_addresses(central: Central) -> None:
    session = session_module.Session(
        "CP01", clock=central.clock, schemas={}, adapters={}, ping_interval=30
    )
    told: list[list[str]] = []
    session.on_shared = told.append

    class Socket:
        def __init__(self, number: int) -> None:
            self.remote = f"10.0.0.{number % 2 + 1}"

        async def close(self, code: int, reason: str = "") -> None:
            """End at once."""

    for number in range(20):
        old: Any = Socket(number)
        new: Any = Socket(number + 1)
        session._supersede(old, new)
    assert told == [["10.0.0.1", "10.0.0.2"]]
    await session.close(1000)


# How often


@pytest.mark.conformance("SEC_11")
async def test_identity_that_connects_all_the_time_has_to_wait(
    central: Central, elsewhere: ClientSession
) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    central.registrar.approve("CP02")
    headers = basic("CP01", PASSWORD)
    for _ in range(30):
        await central.connect(headers=headers)
    response = await central.attempt(headers=headers)
    assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    assert response.headers["Retry-After"] == "2"
    # Neither another charger there, nor the same at another address, has to.
    await central.connect("CP02")
    await connect(elsewhere, central, headers)
    central.clock.advance(seconds=2)
    await central.connect(headers=headers)


@pytest.mark.conformance("SEC_11")
async def test_fifty_identities_from_one_address_are_let_in_at_once(
    central: Central,
) -> None:
    for number in range(50):
        central.registrar.approve(f"CP{number}")
    chargers = [await central.connect(f"CP{number}") for number in range(50)]
    for _ in range(3):
        for charger in chargers:
            assert (await charger.call("Heartbeat"))[0] == 3


# Lock-out


async def test_lock_out_of_an_address_is_none_for_who_was_right_there(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        central.registrar.approve(f"CP{number}", password_hash=HASH)
    await central.connect("CP29", headers=basic("CP29", PASSWORD))
    monkeypatch.setattr(credentials, "verify_password", lambda *_: False)
    for number in range(20):
        await central.attempt(f"CP{number}", headers=basic(f"CP{number}", "x"))
    response = await central.attempt("CP20", headers=basic("CP20", "x"))
    assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    await central.connect("CP29", headers=basic("CP29", PASSWORD))


@pytest.mark.conformance("SEC_02")
@pytest.mark.parametrize(("password", "passes"), [(PASSWORD, True), ("short", False)])
async def test_lock_out_that_somebody_caused_is_none_for_a_long_password(
    central: Central, password: str, passes: bool
) -> None:
    hashed = credentials.hash_password(password)
    central.registrar.approve("CP01", password_hash=hashed)
    await central.connect(headers=basic("CP01", password))
    for _ in range(4):
        await central.attempt(headers=basic("CP01", "guess"))
    response = await central.attempt(headers=basic("CP01", "guess"))
    assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    if passes:
        await central.connect(headers=basic("CP01", password))
    else:
        response = await central.attempt(headers=basic("CP01", password))
        assert response.status == HTTPStatus.TOO_MANY_REQUESTS


# Switches


async def test_no_new_connection_when_the_user_wants_none(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    central.registrar.no_more = True
    response = await central.attempt()
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers["Retry-After"] == "60"
    assert (await charger.call("Heartbeat"))[0] == 3


@pytest.mark.conformance("WS_02")
async def test_charger_that_names_no_version_can_be_refused(central: Central) -> None:
    central.registrar.approve("CP01", missing_subprotocol=False)
    response = await central.attempt(protocol=None)
    assert response.status == HTTPStatus.BAD_REQUEST
    await central.connect()
    central.registrar.approve("CP02")
    assert (await central.connect("CP02", protocols=())).ws.protocol is None


async def test_request_that_is_no_websocket_takes_no_seat(central: Central) -> None:
    response = await central.attempt(headers={"Sec-WebSocket-Key": "short"})
    assert response.status == HTTPStatus.BAD_REQUEST
    assert not len(central.system.waiting)


# How fast


class Watched(Pace):
    """A pace that remembers the rests."""

    rests: ClassVar[list[float]] = []

    @override
    def take(self, now: float, cost: float = 1.0) -> float:
        rest = super().take(now, cost)
        self.rests.append(rest)
        return rest


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the rests that frames led to."""
    monkeypatch.setattr(Watched, "rests", [])
    monkeypatch.setattr(transport, "Pace", Watched)
    return Watched.rests


@pytest.mark.conformance("SEC_11")
async def test_fast_charger_is_read_slower_and_loses_nothing(
    central: Central, monkeypatch: pytest.MonkeyPatch, rests: list[float]
) -> None:
    tempo = Tempo(frames=1000, frames_at_once=5, octets=1e9, octets_at_once=1e9)
    monkeypatch.setattr(session_module, "CHARGER", tempo)
    central.registrar.approve("CP01")
    charger = await central.connect()
    for number in range(100):
        await charger.ws.send_json([2, str(number), "Heartbeat", {}])
    answers = [await charger.receive() for _ in range(100)]
    assert [answer[1] for answer in answers] == [str(one) for one in range(100)]
    assert sum(1 for rest in rests if rest) > 20


@pytest.mark.conformance("SEC_11")
async def test_backlog_of_a_flood_is_not_read_to_say_goodbye(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    tempo = Tempo(frames=1, frames_at_once=1, octets=1e9, octets_at_once=1e9)
    monkeypatch.setattr(session_module, "CHARGER", tempo)
    central.registrar.approve("CP01")
    charger = await central.connect()
    for number in range(500):
        await charger.ws.send_json([2, str(number), "Heartbeat", {}])
    await charger.receive()
    await charger.receive()
    await central.system.expel("CP01")
    assert await charger.closed() in {1008, None}
    assert len(central.adapter.handled) < 10


async def test_flood_of_one_charger_lets_others_in_between(central: Central) -> None:
    central.registrar.approve("CP01")
    central.registrar.approve("CP02")
    flooder, other = await central.connect(), await central.connect("CP02")
    await other.call("Heartbeat")
    order: list[str] = []
    for adapter, name in zip(central.adapters, ("flooder", "other"), strict=False):
        adapter.answers["Heartbeat"] = partial(_noted, order, name)
    frames = b"".join(
        packed(json.dumps([2, str(number), "Heartbeat", {}]).encode())
        for number in range(100)
    )
    connection = flooder.ws._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.write(frames)
    await other.call("Heartbeat")
    assert order.index("other") < 90


async def test_busy_charger_is_not_slowed_down(
    central: Central, rests: list[float]
) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    for _ in range(150):
        await charger.call("Heartbeat")
    assert not any(rests)


@pytest.mark.conformance("SEC_11")
async def test_long_frames_count_more(central: Central, rests: list[float]) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect()
    for _ in range(4):
        await charger.ws.send_str("x" * (transport.MAX_FRAME - 20))
    await until(lambda: any(rests))


@pytest.mark.conformance("SEC_11")
async def test_stranger_who_talks_too_much_is_cut_off(central: Central) -> None:
    charger = await central.connect()
    for number in range(100):
        await charger.ws.send_json([2, str(number), "Heartbeat", {}])
    for number in range(60):
        assert (await charger.receive())[1] == str(number)
    assert await charger.closed() == 1008


async def test_stranger_that_is_approved_may_talk(central: Central) -> None:
    charger = await central.connect()
    for _ in range(50):
        await charger.call("Heartbeat")
    central.registrar.approve("CP01", quiet=True)
    await central.system.admit("CP01")
    for _ in range(50):
        await charger.call("Heartbeat")


@pytest.mark.conformance("WS_08")
async def test_compressed_bomb_is_measured_after_inflation(
    socket_enabled: None,
) -> None:
    async with running(dialects=(Dialect.V16, Dialect.V201)) as central:
        central.registrar.approve("CP01")
        charger = await central.connect(protocols=("ocpp2.0.1",), compress=15)
        await charger.ws.send_str("x" * (transport.MAX_FRAME - 20))
        assert (await charger.receive())[2] == "RpcFrameworkError"
        await charger.ws.send_str("x" * (50 * transport.MAX_FRAME))
        assert await charger.closed() == 1009


async def test_who_hangs_up_while_its_password_is_looked_at_is_no_error(
    central: Central,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looking, gone = threading.Event(), threading.Event()

    def verify(password: bytes, password_hash: str) -> bool:
        looking.set()
        return gone.wait(5)

    monkeypatch.setattr(credentials, "verify_password", verify)
    caplog.set_level(logging.DEBUG)
    central.registrar.approve("CP01", password_hash=HASH)
    _, writer = await asyncio.open_connection(HOST, central.system.port)
    headers = UPGRADE | basic("CP01", PASSWORD) | {"Host": HOST}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(["GET /CP01 HTTP/1.1", *lines, "", ""]).encode())
    await until(looking.is_set)
    writer.transport.abort()
    await until(lambda: not len(central.system._door))
    gone.set()
    await until(lambda: "refused" in caplog.text)
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
