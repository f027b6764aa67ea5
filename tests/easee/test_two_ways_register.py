"""The register of a charger of which OCPP and the cloud tell in any order (issue 7)."""

from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from ..ocpp.v16.conftest import FakeClock
from .both_ways import BothWays
from .yard import ended, started
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.timestamps import render
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.enums import Measurand
from custom_components.ev_charger_hub.station.journal import Journal

BEGIN = 1_000_000
REGISTER = Measurand.ENERGY_ACTIVE_IMPORT_REGISTER


@pytest.fixture
async def charger(tmp_path: Path) -> AsyncGenerator[BothWays]:
    """Return a charger of which both know what it has delivered."""
    clock = FakeClock()
    journal = await Journal.open(tmp_path / "j.db", call_later=clock.call_later)
    charger = BothWays(clock, journal, Schemas.load(Dialect.V16))
    await charger.transactions.load()
    charger.join()
    await charger.appear()
    await charger.told(Id.LIFETIME_ENERGY, BEGIN / 1000)
    await charger.come()
    await charger.status("Available")
    yield charger
    charger.easee.stop()
    await charger.close()
    await journal.close()


class Meter:
    """The one meter of the charger, and all that was ever told of it."""

    def __init__(self, charger: BothWays, seed: int) -> None:
        """Begin where it is."""
        self.charger = charger
        self.random = Random(seed)
        self.truth = BEGIN
        self.connected = True
        self.number = 0
        self.begun: tuple[int, datetime, int] | None = None
        """The meter, the time and the OCPP id of the start of the session."""
        self.queue: list[tuple[str, int, datetime]] = []
        """What OCPP has to tell once it is connected again."""
        self.past: list[tuple[int, int | float | str, datetime]] = []

    async def cloud(self, number: int, value: float | str) -> None:
        """Let the cloud tell something, perhaps later, perhaps twice."""
        self.past.append((number, value, self.charger.clock()))
        if self.random.random() < 0.7:
            await self.charger.told(number, value)

    async def replay(self) -> None:
        """Let the cloud tell something of the past, or once more."""
        if self.past:
            number, value, at = self.random.choice(self.past)
            await self.charger.told(number, value, at=at, replay=True)

    async def ocpp(self, what: str) -> None:
        """Let OCPP tell something, now or when it is connected again."""
        self.queue.append((what, self.truth, self.charger.clock()))
        if self.connected:
            await self.flush()

    async def flush(self) -> None:
        """Let OCPP tell what it kept, some of it twice."""
        for what, energy, at in self.queue:
            for _ in range(self.random.choice([1, 1, 1, 2])):
                await self.send(what, energy, at)
        self.queue.clear()

    async def send(self, what: str, energy: int, at: datetime) -> None:
        """Send one message about the meter."""
        stamp, charger = render(at), self.charger
        if what == "start":
            number = await charger.start(meter_start=energy, timestamp=stamp)
            self.number = number
        elif what == "stop":
            await charger.stop(self.number, energy, timestamp=stamp)
        else:
            await charger.samples(
                ("Energy.Active.Import.Register", str(energy), "Wh"),
                transaction_id=self.number if self.begun else None,
                timestamp=stamp,
            )

    async def step(self) -> None:
        """Let something happen."""
        charger, random = self.charger, self.random
        seconds = random.choice([5, 30, 60, 600])
        await charger.wait(seconds)
        if self.begun is not None:
            self.truth += 7360 * seconds // 3600
        match random.choice(["plug", "sample", "energy", "line", "replay", "replay"]):
            case "plug":
                await self.plug()
            case "sample":
                await self.ocpp("sample")
            case "energy":
                await self.cloud(Id.LIFETIME_ENERGY, self.truth / 1000)
                if self.begun is not None:
                    energy = (self.truth - self.begun[0]) / 1000
                    await self.cloud(Id.SESSION_ENERGY, energy)
            case "line":
                self.connected = not self.connected
                if not self.connected:
                    charger.disconnect()
                else:
                    charger.connect()
                    await self.flush()
            case "replay":
                await self.replay()

    async def plug(self) -> None:
        """Let a car come or go."""
        now = self.charger.clock()
        if self.begun is None:
            self.begun = self.truth, now, len(self.past)
            await self.cloud(Id.CHARGER_OP_MODE, 3)
            text = started(len(self.past), now, self.truth / 1000)
            await self.cloud(Id.CHARGING_SESSION_START, text)
            await self.ocpp("start")
            return
        meter, start, number = self.begun
        energy = (self.truth - meter) / 1000
        text = ended(number, start, now, energy, meter / 1000)
        await self.ocpp("stop")
        self.begun = None
        await self.cloud(Id.CHARGER_OP_MODE, 1)
        await self.cloud(Id.CHARGING_SESSION, text)


@pytest.mark.parametrize("seed", range(12))
async def test_the_register_never_falls_and_comes_to_the_truth(
    charger: BothWays, seed: int
) -> None:
    meter, seen = Meter(charger, seed), BEGIN
    for _ in range(120):
        await meter.step()
        shown = charger.measured(REGISTER)
        assert shown is not None
        assert seen <= shown <= meter.truth
        seen = int(shown)
    await charger.wait(60)
    if seed % 2:
        charger.disconnect()
        await charger.told(Id.LIFETIME_ENERGY, meter.truth / 1000)
    else:
        charger.connect()
        meter.connected = True
        await meter.ocpp("sample")
    assert charger.measured(REGISTER) == meter.truth
    assert charger.evse.register is not None
    assert set(charger.evse.register.zeros.values()) == {0}
