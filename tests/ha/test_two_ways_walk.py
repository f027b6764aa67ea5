"""Random walks: links that come and go, cars, cards, limits, and all that is told twice."""

from collections.abc import Awaitable, Callable
from datetime import datetime
import os
from random import Random

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.util import dt as dt_util

from .two_ways import CARD, TwoWays
from custom_components.ev_charger_hub.const import DOMAIN
from simulators.easee_cloud import Vehicle
from simulators.easee_cloud.modes import Mode

STEPS = 20
WALKS = int(os.environ.get("EV_CHARGER_HUB_WALKS", "2"))
"""How many walks there are; more find what is rare."""
SETTLED = 3600
"""Seconds after which an account has found its cloud again at the latest."""
LOOK = 60
"""Seconds between two looks whether everybody is there again."""
CALM = 300
"""Seconds until all is told that there is to tell, once everybody is there."""
SLOW_START = 320
"""Seconds after which even a car charges that is offered less than 7 A."""
PACE = 130
"""Seconds after which a limit holds, even if another was set just before."""
LIMITS = (6, 7, 8, 10, 13, 16)


@pytest.fixture
def easee_epoch(freezer: FrozenDateTimeFactory) -> datetime:
    """Return the present, which stands still until the test moves it."""
    return dt_util.utcnow()


@pytest.fixture
def server_entry(unused_tcp_port: int) -> MockConfigEntry:
    """Return the entry of a server that has the same port whenever it is set up."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: unused_tcp_port},
        entry_id="01JEVCHARGERHUB00000000000",
    )


class Walk:
    """What happens to a charger at random."""

    def __init__(self, ways: TwoWays, seed: int, *, wild: bool = False) -> None:
        """Walk as a seed says; `wild` is with restarts of everybody."""
        self.ways = ways
        self.random = Random(seed)
        self.wanted: float | None = None
        self.taken: list[str] = []
        """What happened, for messages of failure."""
        self._steps: tuple[Callable[[], Awaitable[None]], ...] = (
            self.car,
            self.car,
            self.card,
            self.cut_ocpp,
            self.restore_ocpp,
            self.cut_cloud,
            self.restore_cloud,
            self.line_of_charger,
            self.stream_drops,
            self.twice,
            self.late,
            self.limit,
            self.limit,
            self.wait,
        )
        if wild:
            self._steps += (
                self.reload_account,
                self.reload_server,
                self.reboot,
                self.fault,
            )

    async def step(self) -> None:
        """Let something happen, and some time pass."""
        one = self.random.choice(self._steps)
        self.taken.append(one.__name__)
        await one()
        await self.ways.passes(self.random.choice((5, 30, 90)))

    async def car(self) -> None:
        """Come, or go."""
        charger = self.ways.charger
        if charger.vehicle is None:
            charger.plug_in(Vehicle())
        else:
            charger.unplug()

    async def card(self) -> None:
        """Show a card, to begin or to end."""
        if self.ways.charger.vehicle is not None:
            self.ways.charger.swipe(CARD)

    async def cut_ocpp(self) -> None:
        """Lose the server."""
        self.ways.twin.cut()

    async def restore_ocpp(self) -> None:
        """Find the server."""
        self.ways.twin.restore()

    async def cut_cloud(self) -> None:
        """Lose the cloud, as Home Assistant sees it."""
        self.ways.home.cloud.outage(None)

    async def restore_cloud(self) -> None:
        """Find the cloud."""
        self.ways.home.cloud.recover()

    async def line_of_charger(self) -> None:
        """Lose or find the cloud, as the charger sees it."""
        charger = self.ways.charger
        (charger.go_offline if charger.online else charger.go_online)()

    async def stream_drops(self) -> None:
        """Have all be told again, in any order."""
        self.ways.home.cloud.hub.drop()

    async def twice(self) -> None:
        """Have messages of transactions be told twice, or no longer."""
        on = bool(self.random.getrandbits(1))
        name = self.random.choice(("duplicate_messages", "retry_with_new_id"))
        self.ways.twin.misbehave(name, on=on)

    async def late(self) -> None:
        """Have the cloud tell once more what it told before."""
        charger = self.ways.charger
        for number in (223, 129, 121, 109):
            if charger.online and (known := charger.known.get(number)) is not None:
                charger.pretend(number, known.value, at=known.at)

    async def limit(self) -> None:
        """Set a limit, if there is a way at all."""
        amps = self.random.choice(LIMITS)
        if await self.ways.limit(amps) == "confirmed":
            self.wanted = amps

    async def wait(self) -> None:
        """Let five minutes pass."""
        await self.ways.passes(300)

    async def reload_account(self) -> None:
        """Set the account up again, if its cloud is there."""
        if self.ways.home.cloud.faults.out is None:
            await self.ways.reload(self.ways.account)

    async def reload_server(self) -> None:
        """Set the server up again."""
        await self.ways.reload(self.ways.server)

    async def reboot(self) -> None:
        """Be gone for some minutes, as the charger."""
        if self.ways.charger.online:
            self.ways.charger.reboot()
            await self.ways.passes(200)

    async def fault(self) -> None:
        """Break, and be repaired."""
        self.ways.charger.fail(110)
        await self.ways.passes(30)
        self.ways.charger.fail(0)

    async def recover(self) -> None:
        """Find everything again, and be found."""
        self.ways.home.cloud.recover()
        self.ways.charger.go_online()
        self.ways.twin.restore()
        for _ in range(SETTLED // LOOK):
            await self.ways.passes(LOOK)
            station = self.ways.hub_station.station
            if station.local.value and station.remote.value:
                break
        await self.ways.passes(CALM)

    async def charge(self) -> None:
        """Have a car charge."""
        charger = self.ways.charger
        if charger.vehicle is None:
            charger.plug_in(Vehicle())
            await self.ways.passes(10)
        if charger.session is None:
            charger.swipe(CARD)
        if charger.vehicle is not None:
            charger.vehicle.stored = 0.0
        await self.ways.passes(SLOW_START)


@pytest.mark.parametrize("seed", range(WALKS))
async def test_walk(ways: TwoWays, seed: int) -> None:
    await walked(ways, Walk(ways, seed), seed)


@pytest.mark.parametrize("seed", range(WALKS))
async def test_wild_walk(ways: TwoWays, seed: int) -> None:
    await walked(ways, Walk(ways, seed + 1000, wild=True), seed)


async def walked(ways: TwoWays, walk: Walk, seed: int) -> None:
    """Walk, recover from everything, and look whether all is as it really was."""
    await ways.move()
    for _ in range(STEPS):
        await walk.step()
    await walk.recover()
    await ways.assert_true()
    await walk.charge()
    assert ways.charger.mode is Mode.CHARGING, ways.told_of(seed, walk.taken)
    for amps in (9, 14):
        await ways.limit(amps)
        await ways.passes(PACE)
        assert ways.charger.offered == amps, ways.told_of(seed, walk.taken)
    assert ways.state("1_status") == "charging", walk.taken
    ways.charger.unplug()
    await ways.passes(60)
    assert ways.state("1_status") == "available", walk.taken
    await ways.assert_true()
