"""Home Assistant is killed while a charger of OCPP 2.x gets a profile or a password.

As for 1.6: the server is a real one in another process, and the station of the first
tests runs in the test's own, which so knows the very moment.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, override

from aiohttp import ClientError
import pytest

from .server import Server, until
from .station import IDENTITY
from .test_profile_upgrade import (
    PASSWORD,
    PAUSE,
    Doomed,
    Lonely,
    Moment,
    acted_until,
    clean,
    shown,
)
from simulators.charging_station.rpc import TROUBLE
from simulators.charging_station.v2 import ChargingStation
from tests.browser.processes import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SPEED = 20

PRIORITY = "NetworkConfigurationPriority"
UPGRADE: list[Moment] = [
    (action, part, done)
    for action, part in (
        ("InstallCertificate", ""),
        ("SetNetworkProfile", "'securityProfile': 2"),
        ("SetVariables", PRIORITY),
        ("Reset", ""),
        ("TriggerMessage", "SignChargingStationCertificate"),
        ("CertificateSigned", ""),
        ("SetNetworkProfile", "'securityProfile': 3"),
        ("SetVariables", PRIORITY),
        ("Reset", ""),
    )
    for done in (False, True)
]
ROTATION: list[Moment] = [
    ("SetVariables", "BasicAuthPassword", done) for done in (False, True)
]


class Station(Doomed, ChargingStation):
    """A station that sees the server die at chosen moments, and dials in again."""

    def __init__(self, url: str, memory: Path) -> None:
        """Start with a password, unencrypted."""
        super().__init__(
            url, IDENTITY, versions=["2.0.1"], password=PASSWORD, memory=memory
        )
        self.model.put("InternalCtrlr.ChargeBoxSerialNumber", IDENTITY)
        self.reconnect = False
        self.patient = True
        """Whether it goes on dialling the same way: it is the server that is gone."""
        self.rebooting = False
        self.moments: list[Moment] = []
        self.on_moment: Callable[[], None] | None = None

    @override
    def turned_away(self, err: ClientError) -> None:
        if not self.patient:
            super().turned_away(err)

    @override
    async def handle(
        self, action: str, payload: dict[str, Any]
    ) -> dict[str, Any] | None:
        if self.is_due(action, payload, done=False):
            return None
        answer = await super().handle(action, payload)
        self.is_due(action, payload, done=True)
        return answer

    @override
    async def reboot(self, reason: str = "PowerUp") -> None:
        """Start again, and dial only then."""
        self.rebooting = True
        try:
            await super().reboot(reason)
        finally:
            self.rebooting = False

    async def stay(self) -> None:
        """Dial in whenever the socket is gone."""
        while True:
            with suppress(*TROUBLE):
                if not self.connected and not self.rebooting:
                    await self.connect()
                # A message that nobody answered blocks it for half a minute.
                self.clock.advance(PAUSE * (SPEED - 1))
                await self.advance(PAUSE * SPEED)
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


async def _killed_at(server: Server, station: Station, moments: list[Moment]) -> None:
    """Kill the server at each of these moments, and start it again."""
    station.moments = list(moments)
    station.on_moment = server.kill
    for left in reversed(range(len(moments))):

        async def died(left: int = left) -> bool:
            return len(station.moments) <= left

        await until(died)
        await server.start()
    station.on_moment = None


async def test_killed_at_every_step_of_an_upgrade(
    server: Server, station: Station
) -> None:
    await server.act("set_security_profile", profile=3)
    await _killed_at(server, station, UPGRADE)
    await shown(server, "profile_3")
    assert station.security.profile == 3
    assert server.kept("security")["upgrade"]["step"] == "done"
    # The floor holds: what was good enough before is refused.
    lower = ChargingStation(
        f"ws://127.0.0.1:{server.ocpp_port}/ocpp", IDENTITY, password=PASSWORD
    )
    with pytest.raises(ClientError):
        await lower.connect()
    await lower.close()
    clean(server)


async def test_killed_while_the_password_changes(
    server: Server, station: Station
) -> None:
    for moment in ROTATION:
        station.moments = [moment]
        station.on_moment = server.kill
        await acted_until(server, "rotate_password", lambda: not station.moments)
        await server.start()
        await shown(server, "profile_1")
    station.on_moment = None
    before = station.security.password
    assert before != PASSWORD
    await acted_until(
        server, "rotate_password", lambda: station.security.password != before
    )
    await shown(server, "profile_1")
    clean(server)


async def test_killed_while_a_charger_moves(server: Server, station: Station) -> None:
    url = f"ws://127.0.0.1:{server.ocpp_port}/another"
    await server.act("move_charger", url=url)
    moments = [
        (action, part, done)
        for action, part in (
            ("SetNetworkProfile", ""),
            ("SetVariables", PRIORITY),
            ("Reset", ""),
        )
        for done in (False, True)
    ]
    await _killed_at(server, station, moments)

    async def moved() -> bool:
        return bool(server.kept("security")["upgrade"]["step"] == "done")

    await until(moved)
    assert station.address.startswith(url)
    assert server.kept("security")["upgrade"]["failure"] is None
    clean(server)


async def test_charger_that_is_sent_nowhere_comes_back(
    server: Server, station: Station
) -> None:
    station.patient = False
    url = f"ws://127.0.0.1:{free_port()}"
    await server.act("move_charger", url=url)

    async def failed() -> bool:
        return server.kept("security")["upgrade"]["failure"] is not None

    await until(failed)
    assert server.kept("security")["upgrade"]["failure"] == "fell_back"
    await shown(server, "profile_1")
    priority = station.model.members("OCPPCommCtrlr.NetworkConfigurationPriority")
    assert [*priority] == ["1"]
    clean(server)


async def test_either_side_is_killed_whenever_something_is_written_down(
    server: Server, tmp_path: Path
) -> None:
    lonely = Lonely(server, tmp_path, "--ocpp", "2.0.1", "--speed", str(SPEED))
    lonely.start()
    try:
        await shown(server, "profile_1")
        await server.act("set_security_profile", profile=3)
        seen: set[tuple[int, str]] = set()
        while True:
            upgrade = server.kept("security")["upgrade"]
            step = upgrade["leg"], upgrade["step"]
            assert upgrade["failure"] is None
            if step in seen:
                if upgrade["step"] == "done":
                    break
                await asyncio.sleep(0.001)
                continue
            seen.add(step)
            server.kill()
            if len(seen) % 2:
                lonely.kill()
                lonely.start()
            await server.start()
        await shown(server, "profile_3")
        found = await lonely.security()
        assert found["profile"] == 3
        assert found["certificate"]
        clean(server)
    finally:
        lonely.kill()
