"""Home Assistant is killed while a charger gets a higher profile: it stays let in.

The server is a real one in another process. The station of the first tests runs in the
test's own, which so knows the very moment; that of the last one in a third process.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
import os
from pathlib import Path
import subprocess
import sys
from typing import Any, override

from aiohttp import ClientError, ClientSession
import pytest

from .server import Server, until
from .station import IDENTITY
from simulators.charging_station import ChargingStation16
from simulators.charging_station.rpc import TROUBLE
from tests.browser.processes import ROOT, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PASSWORD = "Kx7mPq2nRt9wYz4bCd6e"
PAUSE = 0.05

type Moment = tuple[str, str, bool]
"""An action, a part of its payload, and whether the station has carried it out."""

UPGRADE: list[Moment] = [
    (action, part, done)
    for action, part in (
        ("InstallCertificate", ""),
        ("ChangeConfiguration", "'2'"),
        ("Reset", ""),
        ("ExtendedTriggerMessage", ""),
        ("CertificateSigned", ""),
        ("ChangeConfiguration", "'3'"),
        ("Reset", ""),
    )
    for done in (False, True)
]
RENEWAL: list[Moment] = [
    (action, "", done)
    for action in ("ExtendedTriggerMessage", "CertificateSigned")
    for done in (False, True)
]


class Doomed:
    """A station that sees the server die at chosen moments."""

    moments: list[Moment]
    on_moment: Callable[[], None] | None

    def is_due(self, action: str, payload: dict[str, Any], *, done: bool) -> bool:
        """End the server if this is the next moment."""
        if not self.moments or self.on_moment is None:
            return False
        wanted, part, after = self.moments[0]
        if wanted != action or part not in str(payload) or after is not done:
            return False
        self.moments.pop(0)
        self.on_moment()
        return True


class Station(Doomed, ChargingStation16):
    """A station that sees the server die at chosen moments, and dials in again."""

    def __init__(self, url: str, memory: Path) -> None:
        """Start with a password, unencrypted."""
        super().__init__(url, IDENTITY, password=PASSWORD, memory=memory)
        self.moments: list[Moment] = []
        self.on_moment: Callable[[], None] | None = None

    @override
    async def handle(
        self, action: str, payload: dict[str, Any]
    ) -> dict[str, Any] | None:
        if self.is_due(action, payload, done=False):
            return None
        answer = await super().handle(action, payload)
        return None if self.is_due(action, payload, done=True) else answer

    async def stay(self) -> None:
        """Dial in whenever the socket is gone."""
        while True:
            if not self.connected:
                with suppress(*TROUBLE):
                    await self.connect()
            await asyncio.sleep(PAUSE)


@pytest.fixture
async def server(tmp_path: Path, socket_enabled: None) -> AsyncGenerator[Server]:
    """Return a running Home Assistant that encrypts and knows the charger."""
    async with Server(tmp_path, IDENTITY, secured=PASSWORD) as server:
        await server.start()
        yield server


@pytest.fixture
async def station(server: Server, tmp_path: Path) -> AsyncGenerator[Station]:
    """Return a station that is connected with its password."""
    url = f"ws://127.0.0.1:{server.ocpp_port}/ocpp"
    station = Station(url, tmp_path / "station.json")
    staying = asyncio.create_task(station.stay())
    await shown(server, "profile_1")
    yield station
    staying.cancel()
    with suppress(asyncio.CancelledError):
        await staying
    await station.close()


async def shown(server: Server, profile: str) -> None:
    """Wait until the charger is there with a profile."""

    async def look() -> bool:
        return await server.entity("security_profile") == profile

    await until(look)


async def _killed_at(server: Server, station: Station, moments: list[Moment]) -> None:
    """Kill the server at each of these moments, and start it again."""
    station.moments = list(moments)
    station.on_moment = server.kill
    for left in reversed(range(len(moments))):

        async def died(left: int = left) -> bool:
            return len(station.moments) == left

        await until(died)
        await server.start()
    station.on_moment = None


async def acted_until(server: Server, action: str, look: Callable[[], bool]) -> None:
    """Do an action once, as soon as the station takes it, and wait for its effect."""

    async def acted() -> bool:
        try:
            await server.act(action)
        except ClientError:
            # The station dials in just now, or it was the last that the server did.
            return look()
        return True

    async def seen() -> bool:
        return look()

    await until(acted)
    await until(seen)


def clean(server: Server) -> None:
    """Check that nothing of ours failed."""
    assert "custom_components/ev_charger_hub/" not in server.log, "a traceback of ours"


async def test_killed_at_every_step_of_an_upgrade(
    server: Server, station: Station
) -> None:
    await server.act("set_security_profile", profile=3)
    await _killed_at(server, station, UPGRADE)
    await shown(server, "profile_3")
    assert station.security.profile == 3
    assert server.kept("security")["upgrade"]["step"] == "done"
    # The floor holds: what was good enough before is refused.
    lower = ChargingStation16(
        f"ws://127.0.0.1:{server.ocpp_port}/ocpp", IDENTITY, password=PASSWORD
    )
    with pytest.raises(ClientError):
        await lower.connect()
    await lower.close()
    clean(server)


async def test_killed_at_every_step_of_a_renewal(
    server: Server, station: Station
) -> None:
    await server.act("set_security_profile", profile=3)
    await shown(server, "profile_3")
    first = station.security.state()["certificate"]
    for moment in RENEWAL:
        station.moments = [moment]
        station.on_moment = server.kill
        await acted_until(server, "renew_certificate", lambda: not station.moments)
        await server.start()
        await shown(server, "profile_3")
    station.on_moment = None
    before = station.security.state()["certificate"]
    assert before != first
    await acted_until(
        server,
        "renew_certificate",
        lambda: bool(station.security.state()["certificate"] != before),
    )
    await station.disconnect()
    await shown(server, "profile_3")
    clean(server)


class Lonely:
    """A station in a process of its own, which may be killed as well."""

    def __init__(self, server: Server, folder: Path, *options: str) -> None:
        """Prepare a station that is switched off."""
        self._folder = folder
        self._control = free_port()
        url = f"ws://127.0.0.1:{server.ocpp_port}/ocpp"
        self._command = (
            *(sys.executable, "-m", "simulators.charging_station", "--url", url),
            *("--identity", IDENTITY, "--password", PASSWORD, "--reconnect", "0.2"),
            *("--state", str(folder / "station.json")),
            *("--control-port", str(self._control)),
            *options,
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Switch it on."""
        with (self._folder / "station.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdout=output, stderr=output
            )

    def kill(self) -> None:
        """Take its power away."""
        if self._process is not None:
            os.kill(self._process.pid, 9)
            self._process.wait()
            self._process = None

    async def security(self) -> dict[str, Any]:
        """Return what it says of its security."""
        url = f"http://127.0.0.1:{self._control}/state"
        async with ClientSession() as http, http.get(url) as response:
            state: dict[str, Any] = await response.json()
            return dict(state["security"])


async def test_either_side_is_killed_whenever_something_is_written_down(
    server: Server, tmp_path: Path
) -> None:
    lonely = Lonely(server, tmp_path)
    lonely.start()
    try:
        await shown(server, "profile_1")
        await server.act("set_security_profile", profile=3)
        seen: set[tuple[int, str]] = set()
        while True:
            upgrade = server.kept("security")["upgrade"]
            step = upgrade["leg"], upgrade["step"]
            assert upgrade["failure"] is None
            if upgrade["step"] == "done":
                break
            if step in seen:
                await asyncio.sleep(0.001)
                continue
            seen.add(step)
            server.kill()
            if len(seen) % 2:
                lonely.kill()
                lonely.start()
            await server.start()
        assert seen
        await shown(server, "profile_3")
        found = await lonely.security()
        assert found["profile"] == 3
        assert found["certificate"]
        server.kill()
        lonely.kill()
        lonely.start()
        await server.start()
        await shown(server, "profile_3")
        clean(server)
    finally:
        lonely.kill()
