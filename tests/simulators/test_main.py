"""The command that runs a virtual station, from its words to what is on the wire."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
import heapq
from itertools import count
from pathlib import Path
import socket
import sys
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession
import pytest

from .authority import Authority
from .central import PlainCentralSystem
from simulators.charging_station import __main__ as command

type Run = Callable[..., Awaitable[asyncio.Task[None]]]
"""Starts the command with what is typed behind it."""


class Sleepers:
    """Those who sleep, to be woken in the order in which they would wake up."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.now = 0.0
        self.people = 0
        """How many there are in all."""
        self._queue: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()

    async def sleep(self, delay: float) -> None:
        """Sleep until it is this one's turn."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (self.now + delay, next(self._number), future))
        await future

    def wake(self) -> None:
        """Let time pass until the next one wakes up."""
        while self._queue:
            self.now, _, future = heapq.heappop(self._queue)
            if not future.done():
                future.set_result(None)
                return

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass, but only while everybody sleeps, until a condition holds."""
        async with asyncio.timeout(60):
            while not condition():
                if len(self._queue) == self.people:
                    self.wake()
                await asyncio.sleep(0)


@pytest.fixture
def sleepers(monkeypatch: pytest.MonkeyPatch) -> Sleepers:
    """Return those who sleep in the command."""
    sleepers = Sleepers()
    patched = SimpleNamespace(**{**vars(asyncio), "sleep": sleepers.sleep})
    monkeypatch.setattr(command, "asyncio", patched)
    return sleepers


@pytest.fixture
async def run(
    central: PlainCentralSystem, sleepers: Sleepers, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Run]:
    """Return what starts the command; it is interrupted after the test."""
    tasks: list[asyncio.Task[None]] = []

    async def start(*words: str) -> asyncio.Task[None]:
        url = f"ws://127.0.0.1:{central.port}/ocpp"
        monkeypatch.setattr(sys, "argv", ["charging_station", "--url", url, *words])
        sleepers.people = 3 if "--demo" in words else 2
        task = asyncio.create_task(command.main())
        tasks.append(task)
        await central.count("BootNotification", 1)
        return task

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _statuses(central: PlainCentralSystem, connector: int) -> list[str]:
    """Return what a connector reported, one after the other."""
    reports = central.of("StatusNotification")
    return [one["status"] for one in reports if one["connectorId"] == connector]


def _free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_it_boots_as_the_charger_that_was_asked_for(
    central: PlainCentralSystem, run: Run
) -> None:
    await run(
        *("--identity", "YARD", "--password", "sesame"),
        *("--vendor", "easee", "--connectors", "3"),
    )
    await central.count("StatusNotification", 4)
    assert central.of("BootNotification")[0]["chargePointVendor"] == "Easee"
    assert central.authorization is not None
    credentials = central.authorization.removeprefix("Basic ")
    assert b64decode(credentials) == b"YARD:sesame"
    numbers = {one["connectorId"] for one in central.of("StatusNotification")}
    assert numbers == {0, 1, 2, 3}


async def test_it_hangs_up_when_it_is_interrupted(
    central: PlainCentralSystem, run: Run, sleepers: Sleepers
) -> None:
    task = await run()
    assert central.connected
    task.cancel()
    await sleepers.until(lambda: not central.connected)
    await sleepers.until(task.done)
    assert task.cancelled()


async def test_it_dials_again_when_the_connection_is_lost(
    central: PlainCentralSystem, run: Run, sleepers: Sleepers
) -> None:
    await run()
    await central.drop()
    await sleepers.until(lambda: len(central.of("BootNotification")) == 2)


async def test_the_demonstration_is_a_session_with_a_pause_over_and_over(
    central: PlainCentralSystem, run: Run, sleepers: Sleepers
) -> None:
    await run("--demo")
    await central.count("StatusNotification", 2)
    await sleepers.until(lambda: len(central.of("StartTransaction")) == 2)
    start, stop = central.of("StartTransaction")[0], central.of("StopTransaction")[0]
    assert start["connectorId"] == 1
    assert stop["transactionId"] == 1
    assert stop["reason"] == "Local"
    assert stop["idTag"] == start["idTag"]
    assert stop["meterStop"] > start["meterStart"]
    begun = ["Available", "Preparing", "Charging"]
    ended = ["SuspendedEV", "Charging", "Finishing", "Available", "Preparing"]
    assert _statuses(central, 1)[:8] == begun + ended


async def test_it_is_moved_over_its_control_port_and_time_flies_as_asked_for(
    central: PlainCentralSystem, run: Run, sleepers: Sleepers
) -> None:
    port = _free_port()
    await run("--control-port", str(port), "--speed", "60")
    async with ClientSession(f"http://127.0.0.1:{port}") as http:

        async def state() -> dict[str, Any]:
            async with http.get("/state") as response:
                answer: dict[str, Any] = await response.json()
                return answer

        assert (await state())["identity"] == "DEMO"
        await http.post("/plug", json={"maximum_current": 10})
        await http.post("/swipe", json={"token": "TAG1"})
        await central.status("Charging")
        await sleepers.until(lambda: len(central.of("MeterValues")) >= 5)
        first, second = (
            datetime.fromisoformat(one["meterValue"][0]["timestamp"])
            for one in central.of("MeterValues")[3:5]
        )
        # Here the clock on the wall stands still, so a tick is the other 59 seconds.
        assert 59 <= (second - first).total_seconds() < 61
        assert (await state())["connectors"][0]["current"] == 10


async def test_it_misbehaves_as_told(
    central: PlainCentralSystem, run: Run, sleepers: Sleepers
) -> None:
    await run("--demo", "--misbehave", "lose_stop", "--misbehave", "string_numbers")
    await sleepers.until(lambda: len(central.of("StartTransaction")) == 2)
    assert central.of("StopTransaction") == []
    assert {one["connectorId"] for one in central.of("StatusNotification")} == {
        "0",
        "1",
    }


async def test_it_comes_back_from_its_file_with_tls_and_password(
    central: PlainCentralSystem, run: Run, sleepers: Sleepers, tmp_path: Path
) -> None:
    authority = Authority()
    await central.stop()
    await central.start(authority.server_context(tmp_path))
    root = tmp_path / "root.pem"
    root.write_text(authority.root_pem, encoding="ascii")
    state = str(tmp_path / "state.json")
    first = await run(
        *("--password", "sesame-sesame-sesame", "--security-profile", "2"),
        *("--root-certificate", str(root), "--state", state),
    )
    told = central.authorization
    first.cancel()
    await sleepers.until(first.done)
    central.authorization = None
    await run("--state", state)
    await central.count("BootNotification", 2)
    assert told is not None
    assert central.authorization == told


@pytest.mark.parametrize(
    "words", [("--vendor", "acme"), ("--misbehave", "politely"), ("--speed", "fast")]
)
async def test_words_that_mean_nothing_are_refused(
    words: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["charging_station", *words])
    with pytest.raises(SystemExit):
        await command.main()
    assert words[1] in capsys.readouterr().err
