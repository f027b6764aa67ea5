"""A soak: a day of drops, silences, farewells and refusals, on simulated time."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
import gc
from itertools import pairwise
from random import Random

from aiohttp import ClientSession
import pytest

from .audience import ALL, NEGOTIATE, Audience
from simulators.easee_cloud import EaseeCloud, Fault, Framing, SimulatedTime
from simulators.easee_cloud.connection import Connection
from simulators.easee_cloud.seed import CHARGER

DAY = 86_400.0
SEED = 1
ENDS = ("drop", "silence", "close", "bye", "restart", "outage", "404", "403", "429")
SHORTEST = {429: 300.0, 403: 1800.0}
"""Seconds that the policy wants between a refusal and the next attempt."""
NOT_WELCOME = 300.0


@dataclass(frozen=True, slots=True)
class Blow:
    """What went wrong, and when."""

    at: datetime
    kind: str
    connected: bool


class Bully:
    """Ends connections in all ways that there are."""

    def __init__(self, cloud: EaseeCloud, time: SimulatedTime) -> None:
        """Have done nothing yet."""
        self.cloud = cloud
        self.time = time
        self.random = Random(SEED)
        self.blows: list[Blow] = []

    def strike(self) -> str:
        """End all connections in some way."""
        kind = self.random.choice(ENDS)
        hub = self.cloud.hub
        audible = any(not one.silent for one in hub.connections)
        self.blows.append(Blow(self.time(), kind, audible))
        hub.framing = self.random.choice([*Framing])
        match kind:
            case "drop":
                hub.drop()
            case "silence":
                hub.fall_silent()
            case "close" | "bye":
                hub.close(reconnect=kind == "close")
            case "restart":
                hub.hang_up(1012)
            case "outage":
                self.cloud.outage(self.random.choice([500, 503, None]))
                self.time.call_later(self.random.uniform(10, 1200), self.cloud.recover)
            case status:
                hub.drop()
                self.cloud.faults.add(Fault(pattern=NEGOTIATE, status=int(status)))
        return kind


@pytest.fixture
def subscribed(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[Connection, str]]:
    """Return how often each connection was asked for each product."""
    counted = Counter[tuple[Connection, str]]()
    subscribe = Connection._subscribe

    def count(self: Connection, serial: str, *, replay: bool) -> str | None:
        counted[self, serial] += 1
        return subscribe(self, serial, replay=replay)

    monkeypatch.setattr(Connection, "_subscribe", count)
    return counted


async def test_a_day_of_trouble(
    cloud: EaseeCloud,
    time: SimulatedTime,
    session: ClientSession,
    subscribed: Counter[tuple[Connection, str]],
) -> None:
    audience = Audience(cloud, time, session)
    audience.stream._jitter = Random(SEED).uniform
    bully = Bully(cloud, time)
    await audience.listen(*ALL)
    await time.pass_time(300)
    tasks = len(asyncio.all_tasks())
    timers = sum(not alarm.cancelled for _, _, alarm in time._alarms)
    end = time.now.timestamp() + DAY
    while time.now.timestamp() < end:
        bully.strike()
        await time.pass_time(bully.random.uniform(1, 2400), turns=25)
        assert len(asyncio.all_tasks()) <= tasks + 4
        audience.observations.clear()
    cloud.recover()
    await time.pass_time(1900)
    await audience.heard(*ALL)
    await time.pass_time(300)

    assert {*subscribed.values()} == {1}, "once for each product and connection"
    assert {serial for _, serial in subscribed} == {*ALL}
    connections = {connection for connection, _ in subscribed}
    assert len(connections) == cloud.hub.opened == audience.stream.connections
    assert cloud.hub.subscriptions() == sorted(ALL)
    check_pace(audience, bully)

    gc.collect()
    assert len(asyncio.all_tasks()) <= tasks
    assert sum(not alarm.cancelled for _, _, alarm in time._alarms) <= timers + 1
    assert {one.kind for one in bully.blows} == {*ENDS}
    cloud.chargers[CHARGER].observe(40, 1)
    await audience.saw(40, 1)
    await audience.stream.stop()
    assert audience.tasks[0].done()


def check_pace(audience: Audience, bully: Bully) -> None:
    """Check that nothing was tried more often or sooner than the policy allows."""
    attempts = audience.cloud.journal.find("POST", NEGOTIATE)
    for earlier, later in pairwise(attempts):
        gap = (later.at - earlier.at).total_seconds()
        assert gap >= SHORTEST.get(earlier.status or 0, 1)
    for blow in bully.blows:
        if blow.kind == "bye" and blow.connected:
            back = next(one.at for one in attempts if one.at >= blow.at)
            assert (back - blow.at).total_seconds() >= NOT_WELCOME
    # Within an hour of nothing but failures full jitter makes 120 attempts on average.
    assert audience.cloud.journal.busiest(3600, "POST", NEGOTIATE) <= 150
    assert audience.cloud.journal.busiest(60, "POST", NEGOTIATE) <= 8
    assert len(audience.cloud.tokens.sessions) <= 26, "one token an hour"
