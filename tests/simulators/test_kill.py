"""A virtual station in its own process is killed, and comes back as it was."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
import sys

import pytest

from .central import PlainCentralSystem
from .test_security import PASSWORD, configure, password_of
from .test_tokens import line, send, version

ROOT = Path(__file__).parents[2]

type Start = Callable[[], Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def start(central: PlainCentralSystem, tmp_path: Path) -> AsyncGenerator[Start]:
    """Return what starts the station and waits until it has booted."""
    started: list[asyncio.subprocess.Process] = []

    async def run() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulators.charging_station"),
            *("--url", f"ws://127.0.0.1:{central.port}/ocpp", "--password", PASSWORD),
            *("--state", str(tmp_path / "state.json"), "--reconnect", "0.2"),
            cwd=ROOT,
        )
        started.append(process)
        await central.count("BootNotification", len(started))
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_what_was_answered_is_kept(
    central: PlainCentralSystem, start: Start
) -> None:
    """Killed in the moment in which the answer arrives."""
    process = await start()
    assert await send(central, 7, line("TAG1")) == "Accepted"
    assert await configure(central, "AuthorizationKey", "y" * 20) == "Accepted"
    process.kill()
    await process.wait()
    while central.connected:
        await asyncio.sleep(0)
    central.calls.clear()
    central.calls += [("BootNotification", {})]  # The one before.
    await start()
    assert password_of(central) == b"y" * 20
    assert await version(central) == 7
