"""Who commands products: real requests, and a real stream that tells the outcomes."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import ClientSession

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.auth import PasswordAuthenticator
from custom_components.ev_charger_hub.easee.commands import Commands
from custom_components.ev_charger_hub.easee.responses import CommandResponse
from custom_components.ev_charger_hub.easee.stream import Stream
from custom_components.ev_charger_hub.easee.wear import Wear
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from simulators.easee_cloud import EaseeCloud, SimulatedTime
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND

PRODUCTS = (CHARGER, SECOND, EQUALIZER)
LIMIT = "set_dynamic_charger_current"
TEN = {"amps": 10, "minutes": 0}
EXECUTED = {"result": 3, "comment": ""}
DONE = Outcome(status=OutcomeStatus.CONFIRMED, answer="executed", response=EXECUTED)
"""What became of a command that was carried out."""
STEP = 0.05
"""Seconds by which time moves while somebody waits."""


class Drawer:
    """Keeps one thing for as long as a test lasts."""

    def __init__(self) -> None:
        """Be empty."""
        self.kept: Any = None

    async def load(self) -> Any:
        """Return what was put in last."""
        return self.kept

    async def save(self, what: dict[str, Any]) -> None:
        """Keep something else from now on."""
        self.kept = what


class Listener:
    """A client that commands, and hears what becomes of it."""

    def __init__(
        self,
        cloud: EaseeCloud,
        time: SimulatedTime,
        session: ClientSession,
        authenticator: PasswordAuthenticator,
        api: EaseeApi,
    ) -> None:
        """Do not connect yet."""
        self.cloud = cloud
        self.time = time
        self.stream = Stream(
            session,
            authenticator,
            time,
            url=cloud.hub_url,
            on_observation=lambda _: None,
            on_command_response=self._responded,
            spawn=lambda work, _: asyncio.create_task(work),
        )
        self.written = Drawer()
        self.wear = Wear(time, self.written.load, self.written.save)
        self.commands = Commands(
            api,
            time,
            stream_up=lambda: self.stream.connected.value,
            wear=self.wear,
        )
        self.heard: list[CommandResponse] = []
        self.foreign: list[CommandResponse] = []
        self.commands.on_foreign(self.foreign.append)

    def _responded(self, response: CommandResponse) -> None:
        self.heard.append(response)
        self.commands.responded(response)

    async def connect(self) -> None:
        """Listen to all products."""
        for serial in PRODUCTS:
            self.stream.subscribe(serial)
        self.stream.start()
        await self.cloud.until(
            lambda: all(self.stream.hears(serial) for serial in PRODUCTS)
        )

    async def close(self) -> None:
        """Hang up."""
        self.commands.stop()
        await self.stream.stop()

    async def outcome(self, command: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Return what becomes of a command, however long that takes."""
        return (await self.timed(command))[0]

    async def timed(
        self, command: Coroutine[Any, Any, Outcome]
    ) -> tuple[Outcome, float]:
        """Return what becomes of a command, and how many seconds that takes."""
        begun = self.time()
        task = asyncio.create_task(command)
        while not task.done():
            await self.time.pass_time(STEP)
        return task.result(), (self.time() - begun).total_seconds()

    def asked(self) -> int:
        """Return how often the cloud was asked for an outcome."""
        return len(self.cloud.journal.find("GET", "^/api/commands/"))
