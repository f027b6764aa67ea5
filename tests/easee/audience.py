"""An audience: somebody with a token who listens to the stream, and notes all of it."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, override

from aiohttp import ClientSession

from custom_components.ev_charger_hub.easee.auth import Authenticator
from custom_components.ev_charger_hub.easee.budget import Budget
from custom_components.ev_charger_hub.easee.readings import Observation, Readings, Value
from custom_components.ev_charger_hub.easee.responses import CommandResponse
from custom_components.ev_charger_hub.easee.stream import Stream, StreamTrouble
from simulators.easee_cloud import EaseeCloud, SimulatedTime
from simulators.easee_cloud.seed import CHARGER, EMAIL, EQUALIZER, PASSWORD, SECOND

ALL = (CHARGER, SECOND, EQUALIZER)
NEGOTIATE = "/negotiate"


class Guest(Authenticator):
    """Whoever is let in: a new session whenever the token does not count any more."""

    def __init__(self, cloud: EaseeCloud) -> None:
        """Have no token yet."""
        self.cloud = cloud
        self.renewals = 0
        self.trouble: Exception | None = None
        self._token = ""

    @override
    async def token(self) -> str:
        if self.trouble is not None:
            raise self.trouble
        if self.cloud.tokens.whose(self._token) is None:
            self._token = self.cloud.tokens.login(EMAIL, PASSWORD)["accessToken"]
        return self._token

    @override
    async def renew(self, stale: str) -> str:
        assert stale == self._token
        self.renewals += 1
        self._token = ""
        return await self.token()

    @override
    def age(self) -> datetime | None:
        return None

    @override
    def forget(self) -> None:
        self._token = ""


class Audience:
    """A stream, and what it said."""

    def __init__(
        self, cloud: EaseeCloud, time: SimulatedTime, session: ClientSession
    ) -> None:
        """Listen to nothing yet; every delay is the longest that jitter allows."""
        self.cloud = cloud
        self.time = time
        self.guest = Guest(cloud)
        self.budget = Budget(time)
        self.observations: list[tuple[Observation, bool]] = []
        """What was observed, and whether it may have been told before."""
        self.responses: list[CommandResponse] = []
        self.readings: dict[str, Readings] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.stream = Stream(
            session,
            self.guest,
            time,
            url=cloud.hub_url,
            on_observation=self._observed,
            on_command_response=self.responses.append,
            spawn=self._spawn,
            budget=self.budget,
            jitter=lambda low, high: high,
        )

    def _observed(self, observation: Observation) -> None:
        replay = self.stream.replaying(observation.serial)
        self.observations.append((observation, replay))
        self.readings.setdefault(observation.serial, Readings()).take(observation)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self.tasks.append(task)
        return task

    async def listen(self, *serials: str) -> None:
        """Start, and wait until all that is known was told."""
        for serial in serials or (CHARGER,):
            self.stream.subscribe(serial)
        self.stream.start()
        await self.heard(*serials or (CHARGER,))

    async def heard(self, *serials: str) -> None:
        """Wait until there is a connection, and products are listened to."""
        await self.cloud.until(
            lambda: (
                self.stream.connected.value
                and all(self.stream.hears(serial) for serial in serials)
            )
        )

    async def lost(self) -> None:
        """Wait until the connection is gone, on both sides."""
        await self.cloud.until(
            lambda: not self.stream.connected.value and not self.cloud.hub.connections
        )

    def values(self, number: int, serial: str = CHARGER) -> list[Value]:
        """Return the values of an observation that came, in their order."""
        return [
            one.value
            for one, _ in self.observations
            if (one.id, one.serial) == (number, serial)
        ]

    async def saw(self, number: int, value: Value) -> None:
        """Wait until an observation comes with a value."""
        await self.cloud.until(lambda: self.values(number)[-1:] == [value])

    def is_up(self) -> bool:
        """Return whether there is a connection."""
        return self.stream.connected.value

    def trouble(self) -> StreamTrouble | None:
        """Return what the trouble is."""
        return self.stream.trouble.value

    @property
    def attempts(self) -> int:
        """Return how often the stream was asked for."""
        return len(self.cloud.journal.find("POST", NEGOTIATE))

    async def idle_for(self, seconds: float) -> None:
        """Check that so long nothing is tried, and that it is tried then."""
        before = self.attempts
        await self.time.pass_time(seconds - 0.5)
        assert self.attempts == before, "too early"
        await self.time.pass_time(1)
        assert self.attempts > before, "too late"
