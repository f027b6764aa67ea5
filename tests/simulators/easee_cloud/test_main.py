"""The command: it serves, it can be moved, time flies, and the transcript is kept."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
import socket
import sys
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession
import pytest

from simulators.easee_cloud import __main__ as command
from simulators.easee_cloud.control import ACTS

type Run = Callable[..., Awaitable[ClientSession]]


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody uses now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
async def run(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Run]:
    """Return what starts the command; a nap takes a moment, and a second passes."""
    tasks: list[asyncio.Task[None]] = []
    sessions: list[ClientSession] = []
    loop = asyncio.get_running_loop()
    clock = SimpleNamespace(now=0.0)

    async def nap(seconds: float) -> None:
        await asyncio.sleep(0)
        clock.now += 1

    patched = SimpleNamespace(
        **{
            **vars(asyncio),
            "sleep": nap,
            "get_running_loop": lambda: SimpleNamespace(time=lambda: clock.now),
        }
    )
    monkeypatch.setattr(command, "asyncio", patched)

    async def start(*words: str) -> ClientSession:
        port, control = free_ports()
        base = ["easee_cloud", "--port", str(port), "--control-port", str(control)]
        monkeypatch.setattr(sys, "argv", [*base, *words])
        tasks.append(loop.create_task(command.main()))
        session = ClientSession(f"http://127.0.0.1:{control}")
        sessions.append(session)
        async with asyncio.timeout(60):
            while True:
                try:
                    async with session.get("/state"):
                        return session
                except OSError:
                    await asyncio.sleep(0)

    yield start
    for session in sessions:
        await session.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def post(session: ClientSession, act: str, **body: object) -> tuple[int, Any]:
    """Return status and answer of an act."""
    async with session.post(f"/{act}", json=body) as response:
        return response.status, await response.json()


async def test_it_is_moved_over_its_control_port(run: Run) -> None:
    session = await run("--second", "--speed", "0")
    _, state = await post(session, "plug", maximum_current=10)
    assert state["chargers"]["EH123456"]["mode"] == "ready_to_charge"
    _, state = await post(session, "advance", seconds=5)
    assert state["chargers"]["EH123456"]["offered"] == 10
    assert state["chargers"]["EH654321"]["mode"] == "disconnected"
    _, state = await post(session, "house", amps=[60, 60, 60])
    assert state["chargers"]["EH123456"]["reason"] == 10


async def test_time_flies_and_the_demonstration_goes_on(run: Run) -> None:
    session = await run("--demo", "--no-equalizer", "--speed", "20")
    seen: set[str] = set()
    async with asyncio.timeout(60):
        while seen != {"charging", "disconnected"}:
            async with session.get("/state") as response:
                state = await response.json()
            seen.add(state["chargers"]["EH123456"]["mode"])
            seen.discard("ready_to_charge")
    assert state["equalizers"] == {}


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("block", {}),
        ("close", {}),
        ("command", {"reject": 4, "times": 2}),
        ("drop", {}),
        ("fail", {}),
        ("fault", {"pattern": "x", "status": 500}),
        ("firmware", {"latest": 400}),
        ("foreign_ocpp", {"url": "ws://192.0.2.1"}),
        ("observe", {"id": 40, "value": 3}),
        ("offline", {}),
        ("online", {}),
        ("operator", {"id": 7}),
        ("outage", {}),
        ("pause", {}),
        ("pretend", {"id": 234, "value": "x", "data_type": 9}),
        ("reboot", {}),
        ("recover", {}),
        ("revoke", {}),
        ("rogue", {"dynamicChargerCurrent": 8.0}),
        ("silence", {}),
        ("skew", {"seconds": 60}),
        ("swipe", {"token": "AF18EE01"}),
        ("unplug", {}),
    ],
)
async def test_every_act_acts(run: Run, act: str, body: dict[str, object]) -> None:
    session = await run("--speed", "0")
    status, answer = await post(session, act, **body)
    assert (status, "chargers" in answer) == (200, True)


async def test_what_is_no_act_is_told(run: Run) -> None:
    session = await run()
    assert await post(session, "dance") == (404, {"acts": sorted(ACTS)})
    assert (await post(session, "plug", wings=2))[0] == 400
    assert (await post(session, "plug", serial="EH000000"))[0] == 400
    async with session.get("/transcript") as response:
        assert await response.text() == ""


async def test_the_transcript_is_written_in_the_end(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "transcript.txt"
    session = await run("--transcript", str(path), "--email", "a@example.com")
    await session.close()
    (task,) = [one for one in asyncio.all_tasks() if one.get_coro().__name__ == "main"]  # type: ignore[union-attr]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert path.read_text() == ""
