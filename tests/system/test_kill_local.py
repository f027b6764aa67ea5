"""Home Assistant is killed while a charger moves to local OCPP, or back.

The server is a real one in another process, and so is the virtual cloud, whose charger
dials the server.
"""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from .server import Server, until
from simulators.easee_cloud.seed import CHARGER, EMAIL, PASSWORD
from tests.browser.processes import Cloud, easee_cloud

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DETAILS = "local-ocpp/v1/connection-details"
APPLY = "local-ocpp/v1/connections"
STORE = f"C> POST /{DETAILS}"
APPLIED = f"C> POST /{APPLY}"
SETTINGS = "settings"
SETTING = "C> POST /api/chargers/"
PLAN = "easee_local_ocpp"
PLACE = "easee_local_place"

# What is done, and never answered, and what has to have been sent by then: None is not waited for.
MOMENTS = [
    pytest.param(None, None, id="planned"),
    pytest.param(SETTINGS, SETTING, id="prepares"),
    pytest.param(DETAILS, STORE, id="stores"),
    pytest.param(APPLY, APPLIED, id="applies"),
    pytest.param(None, APPLIED, id="waits"),
]


@pytest.fixture
def cloud(tmp_path: Path, socket_enabled: None) -> Generator[Cloud]:
    """Return a cloud with a charger."""
    with easee_cloud(tmp_path, "--no-equalizer") as cloud:
        yield cloud


@pytest.fixture
async def server(tmp_path: Path, cloud: Cloud) -> AsyncGenerator[Server]:
    """Return a running Home Assistant with an account and an OCPP server."""
    environment = cloud.environment
    prepared = Server(tmp_path, CHARGER, easee=environment, name="Garage")
    async with prepared as server:
        await server.start()
        await server.add_entry(
            {"next_step_id": "easee"},
            {"username": EMAIL, "password": PASSWORD, "store_password": True},
        )
        await server.add_entry(
            {"next_step_id": "server"},
            {
                "host": "0.0.0.0",
                "port": server.ocpp_port,
                "policy": "ask",
                "tls": {"tls_mode": "none"},
            },
        )

        async def off() -> bool:
            return await server.entity("local_ocpp") == "off"

        await until(off)
        yield server
        assert "custom_components/ev_charger_hub/" not in server.log, "a traceback"


async def move(server: Server) -> None:
    """Have the charger move here, by the address that Home Assistant finds itself."""
    (choice,) = (await server.act("easee_get_local_state"))["servers"]
    problems = choice["urls"][0]["problems"]
    assert all(one["overridable"] for one in problems), "no address but loopback"
    confirm = [one["check"] for one in problems]
    await server.act("easee_move_to_local", confirm=confirm)


async def arrived(server: Server) -> None:
    """Wait until the charger is here, and the cloud has it so."""

    async def look() -> bool:
        # To ask the cloud again and again would be too much for it.
        plan = server.kept(PLAN)
        assert plan is None or plan["trouble"] is None
        shown = await server.entity("local_ocpp")
        return plan is not None and plan["stage"] == "verified" and shown == "connected"

    await until(look)


async def gone(server: Server) -> None:
    """Wait until the charger is in the cloud only, and nothing is left of it here."""

    async def look() -> bool:
        left = server.kept(PLAN) or server.kept(PLACE)
        return left is None and await server.entity("local_ocpp") == "off"

    await until(look)


def count(cloud: Cloud, text: str) -> int:
    """Return how often something went over the wire."""
    return sum(text in line for line in cloud.transcript())


async def killed_at(
    server: Server, cloud: Cloud, lost: str | None, sent: str | None, before: int
) -> None:
    """Kill it when something is on its way, and start it again."""
    if sent is not None:

        async def look() -> bool:
            return count(cloud, sent) > before

        await until(look)
    if lost is None and sent is not None:
        # The answer is read, and written down.
        async def told() -> bool:
            kept = server.kept(PLAN)
            return kept is not None and kept["stage"] == "applied"

        await until(told)
    server.kill()
    await server.start()


@pytest.mark.parametrize(("lost", "sent"), MOMENTS)
async def test_killed_on_the_way_here(
    server: Server, cloud: Cloud, lost: str | None, sent: str | None
) -> None:
    if sent == SETTING:
        cloud.do("observe", id=45, value=2)
    before = 0 if sent is None else count(cloud, sent)
    if lost is not None:
        cloud.do("fault", pattern=lost, method="POST", cut=True, after=True)
    await move(server)
    await killed_at(server, cloud, lost, sent, before)
    await arrived(server)
    assert count(cloud, STORE) == 1


@pytest.mark.parametrize(
    ("lost", "sent"), [one for one in MOMENTS if one.id != "prepares"]
)
async def test_killed_on_the_way_back(
    server: Server, cloud: Cloud, lost: str | None, sent: str | None
) -> None:
    await move(server)
    await arrived(server)
    before = 0 if sent is None else count(cloud, sent)
    if lost is not None:
        cloud.do("fault", pattern=lost, method="POST", cut=True, after=True)
    await server.act("easee_move_to_cloud")
    if lost is None:
        server.kill()
        await server.start()
    else:
        await killed_at(server, cloud, lost, sent, before)
    await gone(server)
    assert count(cloud, STORE) == 2
