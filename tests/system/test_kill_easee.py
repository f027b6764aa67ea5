"""Home Assistant is killed while an Easee charger charges, or its tokens change.

The server is a real one in another process, and so is the virtual cloud.
"""

from collections.abc import AsyncGenerator, Generator
from datetime import datetime, timedelta
import json
from pathlib import Path
from typing import Any

import pytest

from .server import Server, until
from simulators.easee_cloud.seed import CHARGER, EMAIL, PASSWORD, SECOND
from tests.browser.processes import Cloud, ask, easee_cloud

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

REFRESH = "C> POST /api/accounts/refresh_token"
LOGIN = "C> POST /api/accounts/login"
HANDED_OUT = 'S< 200 {"accessToken"'
CONNECTED = "connectionId"
HOUR = 3600
REGISTER = 1234.5
"""kWh that the charger has delivered before."""


@pytest.fixture
def cloud(tmp_path: Path, socket_enabled: None) -> Generator[Cloud]:
    """Return a cloud with two chargers."""
    with easee_cloud(tmp_path, "--second", "--no-equalizer") as cloud:
        yield cloud


@pytest.fixture
def prepared(tmp_path: Path, cloud: Cloud) -> Server:
    """Return a Home Assistant that does not run."""
    return Server(tmp_path, CHARGER, easee=cloud.environment, name="Garage")


@pytest.fixture
def password_stays() -> bool:
    """Return whether the user leaves the password with us."""
    return True


@pytest.fixture
async def server(prepared: Server, password_stays: bool) -> AsyncGenerator[Server]:
    """Return a running Home Assistant with an account, and a charger without a car."""
    async with prepared as server:
        await server.start()
        credentials = {"username": EMAIL, "password": PASSWORD}
        await server.add_entry(
            {"next_step_id": "easee"},
            credentials | {"store_password": password_stays},
            {"products": [CHARGER, SECOND]},
        )
        await shown(server, "status", "available")
        yield server
        assert "custom_components/ev_charger_hub/" not in server.log, "a traceback"


async def shown(server: Server, key: str, value: str) -> None:
    """Wait until an entity of the charger has a state."""

    async def look() -> bool:
        return await server.entity(key) == value

    await until(look)


async def flows(cloud: Cloud) -> None:
    """Let energy flow for a second, and the charger tell of it."""
    later = _now(cloud) + timedelta(seconds=1)

    async def flowed() -> bool:
        return _now(cloud) >= later

    await until(flowed)
    cloud.do("pause")
    cloud.do("pause", on=False)


def _now(cloud: Cloud) -> datetime:
    return datetime.fromisoformat(cloud.state()["now"])


class Truth:
    """What really was: the sessions as the cloud itself lists them."""

    def __init__(self, cloud: Cloud) -> None:
        """Take note of the session that was the last one."""
        self._url = cloud.environment["EV_CHARGER_HUB_EASEE_API"]
        self.before = self.latest()["sessionId"]

    def latest(self) -> dict[str, Any]:
        """Return the last session that is over."""
        login = {"userName": EMAIL, "password": PASSWORD}
        token = json.loads(ask(f"{self._url}/api/accounts/login", login))
        url = f"{self._url}/api/chargers/{CHARGER}/sessions/latest"
        session: dict[str, Any] = json.loads(ask(url, token=token["accessToken"]))
        return session


@pytest.fixture
def truth(cloud: Cloud) -> Truth:
    """Return what the cloud knows."""
    return Truth(cloud)


async def sessions(server: Server, truth: Truth) -> list[dict[str, Any]]:
    """Return the sessions of the test, without those of the made up past."""
    found = await server.sessions()
    past = {f"easee-{number}" for number in range(1, truth.before + 1)}
    return [one for one in found if one["transaction_id"] not in past]


async def closed(server: Server, truth: Truth) -> dict[str, Any]:
    """Return the only session there is once it is over, as the cloud knows it."""

    async def look() -> dict[str, Any] | None:
        found = await sessions(server, truth)
        return found[0] if found and found[0]["state"] == "closed" else None

    session = await until(look)
    assert len(await sessions(server, truth)) == 1
    real = truth.latest()
    assert session["transaction_id"] == f"easee-{real['sessionId']}"
    assert session["energy"] == pytest.approx(real["sessionEnergy"] * 1000, abs=1)
    await shown(server, "status", "available")
    await shown(server, "session_energy", str(session["energy"] / 1000))
    return session


async def charges(server: Server, cloud: Cloud) -> None:
    """Plug a car in, and wait until something is known to have flowed."""
    cloud.do("plug")
    await shown(server, "status", "charging")
    await flows(cloud)

    async def look() -> bool:
        return float(await server.entity("session_energy") or 0) > 0

    await until(look)


async def test_killed_in_the_middle_of_a_session(
    server: Server, cloud: Cloud, truth: Truth
) -> None:
    await charges(server, cloud)
    (before,) = await sessions(server, truth)

    server.kill()
    await flows(cloud)
    await server.start()
    await shown(server, "status", "charging")
    await flows(cloud)
    (session,) = await sessions(server, truth)
    assert session["state"] == "open"
    assert session["transaction_id"] == before["transaction_id"]

    cloud.do("unplug")
    session = await closed(server, truth)
    assert session["energy"] > before["energy"]
    assert session["stop_reason"] == "ev_disconnected"
    register: float = REGISTER + session["energy"] / 1000

    async def counted() -> bool:
        return abs(float(await server.entity("energy") or 0) - register) < 0.002

    await until(counted)


@pytest.mark.parametrize("read", [False, True], ids=["unread", "just_told"])
async def test_killed_while_a_session_starts(
    server: Server, cloud: Cloud, truth: Truth, read: bool
) -> None:
    if not read:
        server.freeze()
    cloud.do("plug")
    server.kill()
    await flows(cloud)
    await server.start()
    await shown(server, "status", "charging")

    async def known() -> bool:
        return bool(await sessions(server, truth))

    await until(known)
    cloud.do("unplug")
    await closed(server, truth)


@pytest.mark.parametrize("read", [False, True], ids=["unread", "just_told"])
async def test_killed_while_a_session_ends(
    server: Server, cloud: Cloud, truth: Truth, read: bool
) -> None:
    await charges(server, cloud)
    if not read:
        server.freeze()
    cloud.do("unplug")
    server.kill()
    await server.start()
    await closed(server, truth)


async def test_dead_for_a_whole_session(
    server: Server, cloud: Cloud, truth: Truth
) -> None:
    server.kill()
    cloud.do("plug")
    cloud.wait_until(lambda charger: charger["power"] > 0, CHARGER)
    await flows(cloud)
    cloud.do("unplug")
    await server.start()
    session = await closed(server, truth)
    assert session["energy"] > 0


# Tokens


class Wire:
    """What went over the wire since some moment."""

    def __init__(self, cloud: Cloud) -> None:
        """Begin now."""
        self._cloud = cloud
        self._begin = len(cloud.transcript())

    @property
    def lines(self) -> list[str]:
        """Return what went over it."""
        return self._cloud.transcript()[self._begin :]

    async def carries(self, text: str) -> None:
        """Wait until something goes over it."""

        async def look() -> bool:
            return any(text in line for line in self.lines)

        await until(look)

    def count(self, text: str) -> int:
        """Return how often something went over it."""
        return sum(text in line for line in self.lines)


def rotate(cloud: Cloud) -> Wire:
    """Let the access token be too old, and something be asked for."""
    wire = Wire(cloud)
    cloud.do("advance", seconds=HOUR + 60)
    cloud.do("drop")
    return wire


async def hears(server: Server, cloud: Cloud) -> None:
    """Wait until the charger is heard after a start."""
    wire = Wire(cloud)
    await server.start()
    await wire.carries(CONNECTED)
    await shown(server, "status", "available")
    cloud.do("plug")
    await shown(server, "status", "charging")


@pytest.mark.parametrize("password_stays", [True, False], ids=["password", "none"])
async def test_killed_before_the_cloud_has_changed_the_tokens(
    server: Server, cloud: Cloud
) -> None:
    cloud.do("fault", pattern="refresh_token", delay=3, status=503)
    wire = rotate(cloud)
    await wire.carries(REFRESH)
    server.kill()
    await hears(server, cloud)
    assert wire.count(LOGIN) == 0
    assert not await server.asked()


@pytest.mark.parametrize("password_stays", [True, False], ids=["password", "none"])
async def test_killed_when_new_tokens_are_used(server: Server, cloud: Cloud) -> None:
    """They are kept before they are used for the first time."""
    wire = rotate(cloud)
    await wire.carries(HANDED_OUT)
    await wire.carries(CONNECTED)
    server.kill()
    await hears(server, cloud)
    assert wire.count(LOGIN) == 0
    assert wire.count(REFRESH) == 1
    assert not await server.asked()


async def test_killed_when_new_tokens_are_on_their_way(
    server: Server, cloud: Cloud
) -> None:
    """The old ones are used up: only the password helps, once."""
    cloud.do("fault", pattern="refresh_token", delay=2)
    wire = rotate(cloud)
    await wire.carries(REFRESH)
    server.freeze()
    await wire.carries(HANDED_OUT)
    server.kill()
    await hears(server, cloud)
    assert wire.count(LOGIN) == 1
    assert not await server.asked()


@pytest.mark.parametrize("password_stays", [False], ids=["none"])
async def test_killed_when_the_only_tokens_are_on_their_way(
    server: Server, cloud: Cloud
) -> None:
    """Nothing opens the account any more: the user is asked, once."""
    cloud.do("fault", pattern="refresh_token", delay=2)
    wire = rotate(cloud)
    await wire.carries(REFRESH)
    server.freeze()
    await wire.carries(HANDED_OUT)
    server.kill()
    await server.start()

    async def asked() -> list[str]:
        return await server.asked()

    assert await until(asked) == ["reauth"]
    assert wire.count(LOGIN) == 0


async def test_killed_as_soon_as_new_tokens_are_there(
    server: Server, cloud: Cloud
) -> None:
    """Whether or not they were kept in time."""
    wire = rotate(cloud)
    await wire.carries(HANDED_OUT)
    server.kill()
    await hears(server, cloud)
    assert wire.count(LOGIN) <= 1
    assert not await server.asked()
