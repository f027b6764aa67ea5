"""Home Assistant and a station of 2.0.1 are killed at every step of a session.

Both are processes of their own, killed with SIGKILL. Each session is one session in the
end, of the energy that flowed, and can be stopped.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientError
import pytest

from .server import Server, until
from .station import IDENTITY, TOKEN
from .station_v2 import Station2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FLOWED = 10.0
"""Wh after which a vehicle is taken to charge."""

type Act = Callable[[Server, Station2], Coroutine[Any, Any, None]]
type Done = Callable[[Station2], Awaitable[bool]]


async def _plug(server: Server, station: Station2) -> None:
    await station.act("plug")


async def _plugged(station: Station2) -> bool:
    return (await station.evse())["soc"] is not None


async def _swipe(server: Server, station: Station2) -> None:
    if not await _running(station):
        await station.act("swipe", token=TOKEN)


async def _running(station: Station2) -> bool:
    return (await station.evse())["transaction"] is not None


async def _wait(server: Server, station: Station2) -> None:
    before = await station.register()

    async def flowed() -> bool:
        return await station.register() > before + FLOWED

    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            await until(flowed)


async def _charging(station: Station2) -> bool:
    return str((await station.evse())["charging_state"]) == "Charging"


async def _stop(server: Server, station: Station2) -> None:
    """Stop from afar, by what Home Assistant knows of the session."""
    if await _running(station):
        with suppress(ClientError):
            await server.act("stop_charging", connector=1)


async def _stopped(station: Station2) -> bool:
    return not await _running(station)


async def _unplug(server: Server, station: Station2) -> None:
    await station.act("unplug")


async def _unplugged(station: Station2) -> bool:
    return not await _plugged(station)


STEPS: list[tuple[str, Act, Done]] = [
    ("plug", _plug, _plugged),
    ("swipe", _swipe, _running),
    ("charge", _wait, _charging),
    ("charge on", _wait, _charging),
    ("stop", _stop, _stopped),
    ("unplug", _unplug, _unplugged),
]


@pytest.fixture
async def server(tmp_path: Path, socket_enabled: None) -> AsyncGenerator[Server]:
    """Return a running Home Assistant that knows the charger."""
    async with Server(tmp_path, IDENTITY) as server:
        await server.start()
        yield server


async def _on(server: Server, station: Station2) -> None:
    """Wait until the station is there, and its sessions are up to date."""
    await station.settled()

    async def online() -> bool:
        return await server.entity("status") not in {None, "unavailable", "unknown"}

    await until(online)


async def _take(server: Server, station: Station2, act: Act, done: Done) -> None:
    """Take a step, as often as it takes."""

    async def taken() -> bool:
        await act(server, station)
        await station.settled()
        return await done(station)

    await until(taken)


async def _killed(server: Server, station: Station2, victim: str, act: Act) -> None:
    """Take a step in whose midst one of the two dies, and let it come back."""
    if victim == "server":
        if act is _stop:
            await act(server, station)
            server.kill()
        else:
            # What the station says now, nobody reads.
            server.freeze()
            acting = asyncio.create_task(act(server, station))
            await asyncio.sleep(0.2)
            server.kill()
            await acting
        await server.start()
    else:
        await act(server, station)
        station.kill()
        await station.start()
    await _on(server, station)


@pytest.mark.parametrize("victim", ["server", "station"])
async def test_killed_at_every_step_of_a_session(
    server: Server, tmp_path: Path, victim: str
) -> None:
    station = Station2(tmp_path, server.ocpp_port, resumes=True)
    try:
        await station.start()
        await _on(server, station)
        for number, (killed_at, _, _) in enumerate(STEPS, start=1):
            before = await station.register()
            for name, act, done in STEPS:
                if name == killed_at:
                    await _killed(server, station, victim, act)
                await _take(server, station, act, done)
            delivered = await station.register() - before
            await _on(server, station)

            sessions = await server.sessions()
            states = [(one["state"], one["id_token"]) for one in sessions]
            assert states == [("closed", TOKEN)] * number, killed_at
            assert sessions[0]["energy"] == pytest.approx(delivered, abs=2), killed_at
            assert sessions[0]["energy"] > FLOWED
            assert sessions[0]["events_missing"] == 0, killed_at
            assert len({one["transaction_id"] for one in sessions}) == number
    finally:
        await station.close()
    assert "custom_components/ev_charger_hub/" not in server.log, "a traceback of ours"


async def test_a_session_that_a_station_lost_with_its_power_is_closed(
    server: Server, tmp_path: Path
) -> None:
    station = Station2(tmp_path, server.ocpp_port, resumes=False)
    try:
        await station.start()
        await _on(server, station)
        before = await station.register()
        for _, act, done in STEPS[:4]:
            await _take(server, station, act, done)
        station.kill()
        await station.start()

        async def closed() -> bool:
            return [one["state"] for one in await server.sessions()] == ["lost"]

        await until(closed)
        (session,) = await server.sessions()
        assert 0 <= session["energy"] <= await station.register() - before + 2
        assert await server.entity("charge_control", "switch") == "off"
        # The next one is as good as any.
        for _, act, done in STEPS:
            await _take(server, station, act, done)
        newest, _ = await server.sessions()
        assert (newest["state"], newest["id_token"]) == ("closed", TOKEN)
    finally:
        await station.close()
