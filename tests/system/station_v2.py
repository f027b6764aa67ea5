"""A virtual station of OCPP 2.x in a process of its own, which can be killed as well."""

import asyncio
from contextlib import suppress
from pathlib import Path
import subprocess
import sys
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from .server import until
from .station import IDENTITY
from simulators.charging_station import v2
from tests.browser.processes import ROOT, free_port

RECONNECT = "0.3"
"""Seconds between two attempts to connect."""

STUCK = 45.0
"""Seconds after which a call that nobody answered was given up and sent again."""


class Station2:
    """One station over several processes; what it knows is in a file."""

    def __init__(self, folder: Path, ocpp_port: int, *, resumes: bool) -> None:
        """Prepare a station; `resumes` says whether sessions outlive a loss of power."""
        self._folder = folder
        self._url = f"http://127.0.0.1:{(port := free_port())}"
        model = folder / "device_model.json"
        text = v2.DEFAULT.read_text(encoding="utf-8")
        off = '"ResumeTransactionsOnBoot", "type": "boolean", "access": "ReadOnly", "value": "false"'
        assert off in text
        if resumes:
            text = text.replace(off, off.replace('"false"', '"true"'))
        model.write_text(text, encoding="utf-8")
        self._command: tuple[str | Path, ...] = (
            *("-m", "simulators.charging_station", "--ocpp", "2.0.1"),
            *("--url", f"ws://127.0.0.1:{ocpp_port}/ocpp"),
            *("--identity", IDENTITY, "--reconnect", RECONNECT),
            *("--control-port", str(port), "--device-model", model),
            *("--state", folder / "station.json"),
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._http = ClientSession(timeout=ClientTimeout(total=60))

    async def start(self) -> None:
        """Switch it on, and wait until it listens to people."""
        self._spawn()
        await until(self.state)

    def _spawn(self) -> None:
        with (self._folder / "station.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *map(str, self._command)],
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """Cut its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def close(self) -> None:
        """Switch it off for good."""
        self.kill()
        await self._http.close()

    async def state(self) -> dict[str, Any] | None:
        """Return how it is, None while it does not run."""
        with suppress(ClientError):
            async with self._http.get(f"{self._url}/state") as response:
                state: dict[str, Any] = await response.json()
                return state
        return None

    async def act(self, name: str, **fields: Any) -> None:
        """Move something at it; whatever it says, it is looked at afterwards."""
        with suppress(ClientError, TimeoutError):
            async with self._http.post(f"{self._url}/{name}", json=fields):
                pass

    async def evse(self) -> dict[str, Any]:
        """Return how its EVSE is."""
        state = await until(self.state)
        evse: dict[str, Any] = state["evses"][0]
        return evse

    async def register(self) -> float:
        """Return the reading of its meter in Wh."""
        return float((await self.evse())["energy"])

    async def settled(self) -> None:
        """Wait until it is connected and has told all it had to tell."""

        async def look() -> bool:
            state = await until(self.state)
            if state["connected"] and state["registration"] == "Accepted":
                if not state["waiting"]:
                    return True
                # It waits for an answer that nobody owes it any more.
                await self.act("advance", seconds=STUCK, step=STUCK / 3)
            await asyncio.sleep(0)
            return False

        await until(look)
