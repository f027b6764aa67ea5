"""A house: Home Assistant's end of a charger that moves from the cloud to us and back."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, override

from aiohttp import ClientSession

from ..memory_journal import MemoryJournal
from ..simulators.central import PlainCentralSystem
from .audience import Guest
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.budget import Budget
from custom_components.ev_charger_hub.easee.commands import Commands
from custom_components.ev_charger_hub.easee.commissioning import Commissioning
from custom_components.ev_charger_hub.easee.local_details import Details
from custom_components.ev_charger_hub.easee.local_progress import (
    FACT,
    Progress,
    Stage,
    Trouble,
)
from custom_components.ev_charger_hub.easee.reading_values import observation_of_state
from custom_components.ev_charger_hub.easee.readings import Readings
from custom_components.ev_charger_hub.easee.requests import Lane, Quota, Reply, Requests
from custom_components.ev_charger_hub.station.errors import JournalError
from simulators.easee_cloud import Charger, EaseeCloud, SimulatedTime
from simulators.easee_cloud.dialer import Dialer
from simulators.easee_cloud.seed import CHARGER

PASSWORD = "correcthorsebattery1"
STORES = "/local-ocpp/v1/connection-details/"
APPLIES = "/local-ocpp/v1/connections/"
SETTINGS = "/settings$"
STEP = 1.0
"""Seconds by which time moves while somebody waits."""


class Killed(BaseException):
    """The end of everything, at any moment."""


class Fuse:
    """Ends a life after so many steps of it; None lets it live."""

    def __init__(self, steps: int | None = None) -> None:
        """Count from here."""
        self.steps = steps
        self.burnt = 0

    def burn(self) -> None:
        """Take a step; once dead, everything is."""
        if self.steps is not None and self.burnt >= self.steps:
            raise Killed
        self.burnt += 1


class Fused(Requests):
    """Requests of somebody who may be killed before and after each of them."""

    def __init__(self, inner: Requests, fuse: Fuse) -> None:
        """Send by `inner`."""
        self._inner = inner
        self._fuse = fuse

    @override
    async def request(
        self,
        method: str,
        path: str,
        *,
        lane: Lane = Lane.READ,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        quota: Quota | None = None,
        raw: bool = False,
    ) -> Reply:
        self._fuse.burn()
        reply = await self._inner.request(
            method, path, lane=lane, json=json, params=params, quota=quota, raw=raw
        )
        self._fuse.burn()
        return reply


class FrontDoor(PlainCentralSystem):
    """A central system that notes when its charger comes with the right password."""

    def __init__(self, time: SimulatedTime) -> None:
        """Have seen nobody."""
        super().__init__()
        self._time = time
        self.serial = CHARGER
        self.identity = CHARGER
        self.arrivals: list[datetime] = []
        self._arrived = asyncio.Event()

    @override
    def _reply(self, action: str) -> dict[str, Any]:
        if action == "BootNotification" and self._welcome(self.calls[-1][1]):
            self.arrivals.append(self._time())
            self._arrived.set()
        return super()._reply(action)

    def _welcome(self, boot: dict[str, Any]) -> bool:
        secret = b64encode(f"{self.identity}:{PASSWORD}".encode()).decode()
        return (
            self.authorization == f"Basic {secret}"
            and boot["chargePointSerialNumber"] == self.serial
        )

    async def came(self, since: datetime) -> None:
        """Return once the charger has come at or after a moment."""
        while not any(at >= since for at in self.arrivals):
            self._arrived.clear()
            await self._arrived.wait()


class House:
    """A cloud, a charger in it, a central system, and what brings them together."""

    def __init__(
        self, cloud: EaseeCloud, time: SimulatedTime, session: ClientSession
    ) -> None:
        """Have nothing running yet."""
        self.cloud = cloud
        self.time = time
        self.door = FrontDoor(time)
        self.dialer = Dialer(cloud.local_ocpp)
        self.journal = MemoryJournal()
        self.serial = CHARGER
        self.guest = Guest(cloud)
        self.full = False
        """Whether the disk is, on which the journal is."""
        self.readings = Readings()
        self._session = session
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def charger(self) -> Charger:
        """Return the charger."""
        return self.cloud.chargers[self.serial]

    @property
    def details(self) -> Details:
        """Return how the charger is to dial."""
        url = f"ws://127.0.0.1:{self.door.port}/ocpp"
        return Details(url=url, identity=self.serial, password=PASSWORD)

    async def open(self) -> None:
        """Start the central system, and begin to live."""
        await self.door.start()
        await self.live()

    async def close(self) -> None:
        """End everything."""
        await self.die()
        await self.dialer.close()
        await self.door.stop()

    async def live(self, fuse: Fuse | None = None) -> None:
        """Begin a life that knows nothing but what is in the journal."""
        fuse = fuse or Fuse()
        budget = Budget(self.time)
        api = EaseeApi(self._session, self.guest, budget, self.time, url=self.cloud.url)
        self.requests = api
        self.readings = Readings()
        await self.read()
        fused = Fused(api, fuse)
        commands = Commands(fused, self.time, stream_up=lambda: False)

        async def store(value: Any) -> None:
            fuse.burn()
            if self.full:
                raise JournalError("database or disk is full")
            await self.journal.store(self.serial, FACT, value)
            fuse.burn()

        self.commissioning = Commissioning(
            self.serial,
            requests=fused,
            commands=commands,
            readings=self.readings,
            time=self.time,
            load=lambda: self.journal.load(self.serial, FACT),
            store=store,
            connected=self.door.came,
            spawn=self._spawned,
        )
        await self.commissioning.start()

    def _spawned(self, work: Any, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        return task

    async def die(self) -> None:
        """End this life without any care."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def restart(self) -> None:
        """End this life, and begin another."""
        await self.die()
        await self.live()

    async def read(self) -> None:
        """Know what the charger reports."""
        reply = await self.requests.request("GET", f"/state/{self.serial}/observations")
        for item in reply.body["observations"]:
            if (seen := observation_of_state(self.serial, item)) is not None:
                self.readings.take(seen)

    # What it looks like

    def progress(self) -> Progress:
        """Return how far the charger is."""
        progress = self.commissioning.progress.value
        assert progress is not None
        return progress

    def stage(self) -> Stage | None:
        """Return how far the charger is, None for not on its way."""
        progress = self.commissioning.progress.value
        return None if progress is None else progress.stage

    def trouble(self) -> Trouble | None:
        """Return what keeps it there."""
        progress = self.commissioning.progress.value
        return None if progress is None else progress.trouble

    @property
    def busy(self) -> bool:
        """Return whether there is a life in which something goes on."""
        return any(not task.done() for task in self._tasks)

    def stores(self) -> list[dict[str, Any]]:
        """Return what was sent to be stored."""
        return [request.body for request in self.cloud.journal.find("POST", STORES)]

    def applies(self) -> list[datetime]:
        """Return when the charger was told."""
        return [request.at for request in self.cloud.journal.find("POST", APPLIES)]

    def posts(self) -> int:
        """Return how many requests changed anything."""
        return len(self.cloud.journal.find("POST", "^/(api/chargers|local-ocpp)/"))

    # What happens

    async def reach(self, stage: Stage | None, seconds: float = 60) -> float:
        """Wait until the charger is so far, and return how long that takes."""
        begun = self.time()
        while self.stage() is not stage:
            passed = (self.time() - begun).total_seconds()
            assert passed < seconds, (self.stage(), self.trouble())
            await self.time.pass_time(STEP)
        return (self.time() - begun).total_seconds()

    async def rest(self, seconds: float = 30) -> None:
        """Let time pass until nothing goes on any more."""
        begun = self.time()
        while self.busy:
            assert (self.time() - begun).total_seconds() < seconds, self.stage()
            await self.time.pass_time(STEP)

    async def enable(self) -> float:
        """Bring the charger here, and return how long that takes."""
        await self.commissioning.begin(self.details)
        return await self.reach(Stage.VERIFIED)
