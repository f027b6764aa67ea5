"""A person or a test moves the station: its clock, its limits, its surroundings."""

from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
import pytest

from .central import PlainCentralSystem
from .conftest import FakeClock
from .profiles import charge, tx, tx_default
from simulators import charging_station
from simulators.charging_station import (
    VENDORS,
    ChargingStation16,
    Misbehaviour,
    VirtualClock,
)
from simulators.charging_station.control import ACTS, application

README = Path(charging_station.__file__).with_name("README.md")


class Control:
    """The control interface of a station, asked over HTTP."""

    def __init__(self, http: ClientSession, base: str) -> None:
        """Talk to one address."""
        self._http = http
        self._base = base

    async def act(self, verb: str, **body: Any) -> dict[str, Any]:
        """Move the station and return its state."""
        async with self._http.post(f"{self._base}/{verb}", json=body) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def status(self, verb: str, body: str) -> int:
        """Send a text and return the status of the answer."""
        async with self._http.post(f"{self._base}/{verb}", data=body) as response:
            await response.json()
            return response.status


@pytest.fixture
async def control(station: ChargingStation16) -> Any:
    """Return the control interface of the station."""
    runner = web.AppRunner(application(station))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        yield Control(http, f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


def test_the_clock_follows_its_base_and_can_run_ahead() -> None:
    """Both add up."""
    base = FakeClock()
    clock = VirtualClock(base)
    clock.advance(90)
    base.tick(10)
    assert (clock() - FakeClock().now).total_seconds() == 100


async def test_frames_carry_the_station_s_own_time(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Time that was passed shows in the next timestamp."""
    await station.pass_time(3600, step=60)
    await station.plug_in()
    told = await central.status("Preparing")
    assert told["timestamp"] == "2026-11-21T11:00:00.000Z"


async def test_the_meter_runs_while_time_passes(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Samples come at their interval."""
    await charge(station, central)
    await station.pass_time(180)
    await station.settle()
    told = [one["meterValue"][0]["timestamp"] for one in central.of("MeterValues")]
    assert told == [f"2026-11-21T10:0{minute}:00.000Z" for minute in (1, 2, 3)]


async def test_limits_are_seen_and_made_by_the_control_interface(
    station: ChargingStation16, central: PlainCentralSystem, control: Control
) -> None:
    """Profiles from elsewhere, a balancer, a cable, and who decides."""
    await control.act("plug", cable_rating=20)
    state = await control.act("swipe", token="TAG1")
    first = state["connectors"][0]
    assert (first["offered"], first["limited_by"], first["phases"]) == (20, None, 3)
    state = await control.act("install", profile=tx_default(5, (0, 14)), connector=0)
    assert state["profiles"][0]["connectorId"] == 0
    assert state["connectors"][0]["offered"] == 14
    assert state["connectors"][0]["limited_by"] == 5
    state = await control.act("balance", amps=9)
    assert state["connectors"][0]["offered"] == 9
    state = await control.act("balance", amps=None)
    assert state["connectors"][0]["offered"] == 14


async def test_the_control_interface_lets_a_limit_run_out(
    station: ChargingStation16, central: PlainCentralSystem, control: Control
) -> None:
    """The clock moves with everything else."""
    await control.act("plug")
    await control.act("swipe", token="TAG1")
    state = await control.act("install", profile=tx(1, (0, 10), duration=300))
    assert state["now"] == "2026-11-21T10:00:00+00:00"
    assert state["connectors"][0]["offered"] == 10
    state = await control.act("advance", seconds=300, step=10)
    assert state["now"] == "2026-11-21T10:05:00+00:00"
    assert state["connectors"][0]["offered"] == 32


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("plug", "{"),
        ("plug", "[]"),
        ("swipe", "{}"),
        ("unplug", '{"connector": 9}'),
        ("balance", '{"amps": "many"}'),
        ("advance", '{"seconds": null}'),
        ("fly", "{}"),
    ],
)
async def test_what_the_control_interface_cannot_do_is_told(
    station: ChargingStation16, control: Control, verb: str, body: str
) -> None:
    """A wrong request is the fault of who asks, not of the simulator."""
    assert 400 <= await control.status(verb, body) < 500


async def test_the_control_interface_tells_of_a_server_that_is_not_there(
    station: ChargingStation16, control: Control
) -> None:
    """Going online fails while nobody listens."""
    await control.act("offline")
    station.url = "ws://127.0.0.1:1/CP1"
    assert await control.status("online", "{}") == 502


def test_every_switch_is_documented() -> None:
    """The page names each misbehaviour, vendor and act, and nothing that is none."""
    told = set()
    for line in README.read_text().splitlines():
        if line.startswith("| `"):
            told.add(line.split("`")[1])
    assert told == {*Misbehaviour, *VENDORS, *ACTS}
