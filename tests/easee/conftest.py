"""Fixtures of the tests of the Easee client: one time for the client and the cloud."""

from collections.abc import AsyncGenerator, Generator
import logging
from typing import override

from aiohttp import ClientSession
import pytest

from .account import MemoryStore, secrets_of
from .audience import Audience
from .garage import Garage
from .house import PASSWORD as STATION_PASSWORD, House
from .listener import Listener
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.auth import PasswordAuthenticator
from custom_components.ev_charger_hub.easee.budget import Budget
from simulators.easee_cloud import Charger, EaseeCloud, SimulatedTime, seeded
from simulators.easee_cloud.seed import CHARGER, EMAIL, PASSWORD
from tests.underway import UNDERWAY

LOGGER = logging.getLogger("custom_components.ev_charger_hub")
PIN = "73918264"


class Lines(logging.Handler):
    """What is logged."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def secrets() -> set[str]:
    """Return what must not be logged; tests may add to it."""
    return set()


@pytest.fixture(autouse=True)
def logged(secrets: set[str]) -> Generator[list[str]]:
    """Return what we log at debug level, and fail if a secret is in it (A19)."""
    handler = Lines()
    level = LOGGER.level
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.addHandler(handler)
    yield handler.lines
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)
    text = "\n".join(handler.lines)
    assert not [secret for secret in secrets if secret in text]


@pytest.fixture
def time() -> SimulatedTime:
    """Return the clock of cloud, client and test."""
    time = SimulatedTime()
    time.busy = UNDERWAY.busy
    return time


@pytest.fixture
async def cloud(
    socket_enabled: None, time: SimulatedTime, secrets: set[str]
) -> AsyncGenerator[EaseeCloud]:
    """Return a cloud that serves, with two chargers and an equalizer."""
    cloud = seeded(time, second=True)
    for charger in cloud.chargers.values():
        charger.pin_code = PIN
    await cloud.start()
    yield cloud
    await cloud.stop()
    secrets |= secrets_of(cloud)


@pytest.fixture
def charger(cloud: EaseeCloud) -> Charger:
    """Return the primary charger of the circuit."""
    return cloud.chargers[CHARGER]


@pytest.fixture
async def session(cloud: EaseeCloud) -> AsyncGenerator[ClientSession]:
    """Return the session for everything."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
def store() -> MemoryStore:
    """Return where the tokens are kept."""
    return MemoryStore()


@pytest.fixture
def budget(time: SimulatedTime) -> Budget:
    """Return the budget of the account."""
    return Budget(time)


@pytest.fixture
async def authenticator(
    session: ClientSession,
    store: MemoryStore,
    budget: Budget,
    time: SimulatedTime,
    cloud: EaseeCloud,
) -> AsyncGenerator[PasswordAuthenticator]:
    """Return the session of the account, with its password."""
    authenticator = PasswordAuthenticator(
        session, store, budget, time, user=EMAIL, password=PASSWORD, url=cloud.url
    )
    yield authenticator
    await authenticator.close()


@pytest.fixture
def api(
    session: ClientSession,
    authenticator: PasswordAuthenticator,
    budget: Budget,
    time: SimulatedTime,
    cloud: EaseeCloud,
) -> EaseeApi:
    """Return the requests of the account."""
    return EaseeApi(session, authenticator, budget, time, url=cloud.url)


@pytest.fixture
async def audience(
    cloud: EaseeCloud, time: SimulatedTime, session: ClientSession
) -> AsyncGenerator[Audience]:
    """Return somebody who is about to listen, and who leaves nothing behind."""
    audience = Audience(cloud, time, session)
    yield audience
    await audience.stream.stop()
    assert all(task.done() for task in audience.tasks)


@pytest.fixture
async def listener(
    cloud: EaseeCloud,
    time: SimulatedTime,
    session: ClientSession,
    authenticator: PasswordAuthenticator,
    api: EaseeApi,
) -> AsyncGenerator[Listener]:
    """Return a client that commands, and hears what becomes of it."""
    listener = Listener(cloud, time, session, authenticator, api)
    await listener.connect()
    yield listener
    await listener.close()


@pytest.fixture
async def garage(
    cloud: EaseeCloud, time: SimulatedTime, session: ClientSession
) -> AsyncGenerator[Garage]:
    """Return a charger whose limits are looked after."""
    garage = Garage(cloud, time, session)
    await garage.open()
    yield garage
    await garage.close()


@pytest.fixture
async def house(
    cloud: EaseeCloud,
    time: SimulatedTime,
    session: ClientSession,
    secrets: set[str],
) -> AsyncGenerator[House]:
    """Return a house whose charger is in the cloud only."""
    secrets.add(STATION_PASSWORD)
    house = House(cloud, time, session)
    await house.open()
    yield house
    await house.close()
