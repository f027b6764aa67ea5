"""Home Assistant is killed while a vehicle charges: nothing is lost, nothing doubled.

The server is a real one in another process; the station runs in the test's own.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, override

from aiohttp import ClientError
import pytest

from .server import Server, until
from simulators.charging_station import ChargingStation16
from simulators.charging_station.connector import LocalTransaction
from simulators.charging_station.rpc import NotConnected, StationRpc

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IDENTITY = "CP01"
TOKEN = "TAG12345"
REGISTER = 12_345
MINUTE = 60.0


class Station(ChargingStation16):
    """A station that can miss the answer to the start of a transaction."""

    on_start: Callable[[], None] | None = None
    """What happens just before StartTransaction goes out."""
    on_started: Callable[[], None] | None = None
    """What happens when its answer comes, which the station then does not get."""
    starts = 0
    """How often StartTransaction went out."""

    @override
    async def send(self, text: str) -> None:
        if '"StartTransaction"' not in text:
            await super().send(text)
            return
        if self.on_start is not None:
            self.on_start()
        await super().send(text)
        self.starts += 1

    @override
    async def _deliver(
        self, rpc: StationRpc, action: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        answer = await super()._deliver(rpc, action, body)
        if action == "StartTransaction" and self.on_started is not None:
            self.on_started()
            raise NotConnected
        return answer

    async def tried(self) -> bool:
        """Return whether StartTransaction went out."""
        return self.starts > 0

    async def dial(self) -> bool:
        """Try to connect; return whether that worked."""
        try:
            await self.connect()
        except ClientError, NotConnected:
            return False
        return True

    async def lost(self) -> bool:
        """Return whether the socket is gone and the station knows."""
        return not self.connected and not self.booted.is_set()

    @property
    def register(self) -> int:
        """Return the reading of the meter in Wh."""
        return round(self.connectors[1].meter.register)

    @property
    def transaction(self) -> LocalTransaction:
        """Return the open transaction."""
        transaction = self.connectors[1].transaction
        assert transaction is not None
        return transaction


@pytest.fixture
def prepared(tmp_path: Path, socket_enabled: None) -> Server:
    """Return a Home Assistant that knows the charger and does not run."""
    return Server(tmp_path, IDENTITY)


@pytest.fixture
async def server(prepared: Server) -> AsyncGenerator[Server]:
    """Return a running Home Assistant that knows the charger."""
    async with prepared as server:
        await server.start()
        yield server


@pytest.fixture
async def station(server: Server) -> AsyncGenerator[Station]:
    """Return a station that is connected, with a vehicle plugged in."""
    url = f"ws://127.0.0.1:{server.ocpp_port}/ocpp"
    station = Station(url, IDENTITY, register=REGISTER)
    await until(station.dial)
    await station.plug_in()
    yield station
    await station.close()


async def _stop_and_read(server: Server, station: Station) -> dict[str, Any]:
    """Come back, charge a little, stop; return the only session there is."""
    await until(station.dial)
    await station.settle()
    await station.advance(MINUTE)
    assert await station.swipe(TOKEN)
    await station.settle()
    await station.unplug()
    assert not station.pending

    (session,) = await server.sessions()
    assert session["state"] == "closed"
    assert session["id_token"] == TOKEN
    assert session["stop_reason"] == "local"
    assert session["meter_start"] == REGISTER
    assert session["meter_stop"] == station.register
    assert session["energy"] == station.register - REGISTER > 0
    return session


async def _shown(server: Server, key: str, value: str) -> None:
    """Wait until an entity has a state."""

    async def look() -> bool:
        return await server.entity(key) == value

    await until(look)


async def test_killed_in_the_middle_of_a_session(
    server: Server, station: Station
) -> None:
    assert await station.swipe(TOKEN)
    for _ in range(3):
        await station.advance(MINUTE)
    await station.settle()
    number = station.transaction.id
    assert number is not None
    delivered = station.register - REGISTER

    async def metered() -> bool:
        (session,) = await server.sessions()
        return bool(session["energy"] == delivered)

    await until(metered)
    await _shown(server, "status", "charging")

    async def kept() -> bool:
        return server.kept_status() == "charging"

    await until(kept)

    server.kill()
    await until(station.lost)
    await station.advance(MINUTE)
    assert station.pending
    await server.start()

    await _shown(server, "status", "charging")
    assert await server.entity("transaction_id") == str(number)
    (session,) = await server.sessions()
    assert session["state"] == "open"
    assert session["transaction_id"] == str(number)
    assert 0 <= session["energy"] <= delivered

    session = await _stop_and_read(server, station)
    assert session["transaction_id"] == str(number)
    assert station.starts == 1
    await _shown(server, "status", "available")
    energy = await server.entity("session_energy")
    assert energy is not None
    assert float(energy) * 1000 == pytest.approx(session["energy"])
    assert "ev_charger_hub/" not in server.log, "a traceback of ours"


@pytest.mark.parametrize("handled", [False, True], ids=["unread", "answer_lost"])
async def test_killed_while_a_session_starts(
    server: Server, station: Station, handled: bool
) -> None:
    if handled:
        station.on_started = server.kill
    else:
        station.on_start = server.freeze
    swipe = asyncio.create_task(station.swipe(TOKEN))
    await until(station.tried)
    if not handled:
        server.kill()
    await until(station.lost)
    with suppress(NotConnected):
        await swipe
    assert station.transaction.id is None
    await station.advance(MINUTE)
    station.on_start = station.on_started = None
    await server.start()
    assert [one["state"] for one in await server.sessions()] == ["open"] * handled

    await _stop_and_read(server, station)
    assert station.starts == 2
    assert "ev_charger_hub/" not in server.log, "a traceback of ours"
