"""Home Assistant is killed while a charger updates its firmware or owes it a log."""

from collections.abc import AsyncGenerator
from pathlib import Path

from aiohttp import ClientResponseError
import pytest

from .server import Server, until
from .station import IDENTITY, Station
from simulators.charging_station import Misbehaviour

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

VERSION = "9.9.1"
OFFER = {"version": VERSION, "location": f"http://127.0.0.1:1/charger-{VERSION}.bin"}


@pytest.fixture
async def server(tmp_path: Path, socket_enabled: None) -> AsyncGenerator[Server]:
    """Return a running Home Assistant that knows the charger."""
    async with Server(tmp_path, IDENTITY) as server:
        await server.start()
        yield server


@pytest.fixture
async def station(server: Server) -> AsyncGenerator[Station]:
    """Return a station that is connected."""
    station = Station(f"ws://127.0.0.1:{server.ocpp_port}/ocpp", IDENTITY)
    await until(station.dial)
    await station.settle()
    yield station
    await station.close()


async def restart(server: Server, station: Station) -> None:
    """Kill Home Assistant, start it again, and let the station come back."""
    server.kill()
    await until(station.lost)
    await server.start()
    await until(station.dial)
    await station.settle()


async def test_killed_while_a_log_is_to_come(server: Server, station: Station) -> None:
    station.misbehaviours.add(Misbehaviour.UPLOAD_CUT)
    asked = await server.act(
        "get_log", transfer="http", retries=2, retry_interval=60, wait=0
    )
    await station.settle()
    assert asked["url"] is None

    await restart(server, station)
    station.misbehaviours.clear()
    await station.pass_time(60)
    await station.settle()

    async def told() -> dict[str, object] | None:
        (log,) = (await server.act("get_log_files"))["logs"]
        return log if log["url"] else None

    log = await until(told)
    assert log["request_id"] == asked["request_id"]
    assert (log["status"], log["filename"]) == ("uploaded", asked["filename"])
    content = await server.download(str(log["url"]))
    assert (len(content), log["size"]) == (log["size"], len(content))
    assert content.startswith(b'{"identity": "CP01"}\n')
    assert "custom_components/ev_charger_hub/" not in server.log, "a traceback of ours"


async def test_killed_while_firmware_is_installed(
    server: Server, station: Station
) -> None:
    await server.act("offer_firmware", **OFFER)

    async def state() -> str | None:
        return await server.entity("firmware", "update")

    async def offered() -> bool:
        return await state() == "on"

    async def installed() -> bool:
        return await state() == "off"

    await until(offered)
    await server.act("update_firmware")
    await station.pass_time(station.firmware.download_time)
    assert station.firmware.state()["status"] == "Installing"

    await restart(server, station)
    for disturbance in ("start_charging", "update_firmware"):
        with pytest.raises(ClientResponseError) as caught:
            await server.act(disturbance)
        assert caught.value.status == 400
    assert await offered()

    await station.pass_time(station.firmware.install_time)
    await until(station.dial)
    await until(installed)
    assert station.firmware.version == VERSION
    assert await server.act("start_charging")
    assert "custom_components/ev_charger_hub/" not in server.log, "a traceback of ours"
