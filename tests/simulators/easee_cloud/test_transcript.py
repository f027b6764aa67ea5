"""The wire transcript, which is the same every time: a golden file."""

from pathlib import Path

import pytest

from .plain import SEPARATOR, PlainClient
from simulators.easee_cloud import EaseeCloud, Framing, SimulatedTime, seeded
from tests.virtual_time import VirtualTime

GOLDEN = Path(__file__).with_name("transcript.txt")


async def test_the_wire_is_as_written_down(
    cloud: EaseeCloud,
    client: PlainClient,
    time: SimulatedTime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charger = cloud.chargers["EH123456"]
    # A whole replay would hide the wood behind the trees.
    replay = [charger.known[109], charger.known[120]]
    monkeypatch.setattr(cloud.hub, "replay", lambda product: replay)
    await client.login()
    await client.connect()
    await client.subscribe()
    await client.post(
        "/api/chargers/EH123456/commands/set_dynamic_charger_current",
        {"amps": 10, "minutes": 0},
    )
    time.advance(0.3)
    await client.saw(48, "10")
    assert client.socket is not None
    await client.socket.send_str('{"type":6}' + SEPARATOR)
    await client.until(lambda: 'C> {"type":6}RS' in cloud.journal.lines)
    cloud.hub.close("server shutdown", reconnect=True)
    await client.closed.wait()
    cloud.journal.write(tmp_path / "transcript.txt")
    written = (tmp_path / "transcript.txt").read_text()
    assert written == GOLDEN.read_text()


async def test_another_clock_will_do(socket_enabled: None) -> None:
    time = VirtualTime()
    cloud = seeded(time)
    await cloud.start()
    client = PlainClient(cloud)
    await client.listen()
    cloud.hub.framing = Framing.SINGLE
    charger = cloud.chargers["EH123456"]
    charger.plug_in()
    await time.advance(2)
    await client.saw(109, "3")
    await client.close()
    await cloud.stop()
