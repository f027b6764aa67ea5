"""Home Assistant is killed while a vehicle charges: nothing is lost, nothing doubled.

The server is a real one in another process; the station runs in the test's own.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from .server import Server, until
from .station import IDENTITY, TOKEN, Station
from simulators.charging_station.rpc import NotConnected

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

REGISTER = 12_345
MINUTE = 60.0
NOT_SHOWN = {"unavailable", "unknown"}


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
    assert "custom_components/ev_charger_hub/" not in server.log, "a traceback of ours"


async def test_counters_never_fall(server: Server, station: Station) -> None:
    """Test that nothing is shown that is lower than what was shown before."""
    shown: dict[str, list[float]] = {"energy": [], "session_energy": []}

    async def energies() -> bool:
        for key, values in shown.items():
            if (state := await server.entity(key)) not in {None, *NOT_SHOWN}:
                values.append(float(state or 0) * 1000)
        true = station.register, station.register - REGISTER
        return [values[-1:] for values in shown.values()] == [[one] for one in true]

    assert await station.swipe(TOKEN)
    for _ in range(2):
        for _ in range(3):
            await station.advance(MINUTE)
        await station.settle()
        await until(energies)
        server.kill()
        await until(station.lost)
        start = asyncio.create_task(server.start())
        await until(station.dial)
        await start
        await energies()
        await station.advance(MINUTE)
        await until(energies)
    for key, values in shown.items():
        assert values == sorted(values), key


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
    assert "custom_components/ev_charger_hub/" not in server.log, "a traceback of ours"
