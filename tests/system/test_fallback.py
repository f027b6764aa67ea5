"""Home Assistant is killed while a limit holds: the fall-back current takes over.

The server is a real one in another process; the station runs in the test's own, with a
clock of its own that lets the limit run out.
"""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from .server import Server, until
from .station import IDENTITY, TOKEN, Station

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FALLBACK = 8
WANTED = 13
MINUTE = 60.0
DEAD_MAN = 300.0
"""Seconds after which a limit that nobody renews ends, as the documents say."""


@pytest.fixture
async def server(tmp_path: Path, socket_enabled: None) -> AsyncGenerator[Server]:
    """Return a running Home Assistant that knows the charger and its fall-back."""
    async with Server(tmp_path, IDENTITY, fallback=FALLBACK) as server:
        await server.start()
        yield server


@pytest.fixture
async def station(server: Server) -> AsyncGenerator[Station]:
    """Return a station that is connected, with a vehicle that charges."""
    station = Station(f"ws://127.0.0.1:{server.ocpp_port}/ocpp", IDENTITY)
    await until(station.dial)
    await station.plug_in()
    assert await station.swipe(TOKEN)
    await station.settle()
    yield station
    await station.close()


async def test_killed_while_a_limit_holds(server: Server, station: Station) -> None:
    answer = await server.act("set_charging_limit", limit=WANTED)
    # The session may be too young yet, and then gets its limit in a moment.
    assert answer["status"] in {"confirmed", "scheduled"}

    async def wanted() -> bool:
        await station.apply_limits()
        return station.offered() == WANTED

    await until(wanted)

    server.kill()
    await until(station.lost)
    assert station.offered() == WANTED
    await station.pass_time(DEAD_MAN, step=10)
    assert station.offered() == FALLBACK

    await server.start()
    await until(station.dial)

    await until(wanted)

    # A sample of what flows now says more than the ones from before.
    await station.pass_time(MINUTE)

    async def shown() -> bool:
        limit = await server.entity("effective_limit")
        reason = await server.entity("limited_by")
        return (limit, reason) == (str(float(WANTED)), "our_limit")

    await until(shown)
    assert await server.entity("current_limit", "number") == str(float(WANTED))
    assert "custom_components/ev_charger_hub/" not in server.log, "a traceback of ours"
