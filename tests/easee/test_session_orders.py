"""Sessions in any order: late, twice, replayed, with restarts, and still once each."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st

from .yard import Yard, ended, started
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.readings import Value
from custom_components.ev_charger_hub.station.events import SessionEnded, SessionStarted
from custom_components.ev_charger_hub.station.transaction import TransactionState
from simulators.easee_cloud import SimulatedTime
from simulators.easee_cloud.clock import START as MORNING

REGISTER = 1_234_567
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

NUMBERS = count()

DELAYS = st.sampled_from([0, 0, 0, 1, 5, 20, 200, 4000, None])
"""Seconds; None is what gets lost."""

TIMELY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(kw_only=True, frozen=True)
class Said:
    """An observation as the charger made it."""

    at: datetime
    number: int
    value: Value


@dataclass(kw_only=True)
class Session:
    """A session as it really was; energies in Wh."""

    id: int
    start: datetime
    steps: list[int]
    meter: int
    every: timedelta

    @property
    def energy(self) -> int:
        """Return what was delivered in all."""
        return sum(self.steps)

    @property
    def stop(self) -> datetime:
        """Return when the car left."""
        return self.start + self.every * (len(self.steps) + 1)

    def delivered(self, at: datetime) -> int:
        """Return what was delivered by a moment, as far as was told until then."""
        passed = (at - self.start) // self.every
        return sum(self.steps[: max(0, passed)])

    def said(self) -> Iterator[Said]:
        """Yield what the charger says of it."""
        kwh = self.meter / 1000
        yield Said(at=self.start, number=Id.SESSION_ENERGY, value=0.0)
        text = started(self.id, self.start, kwh, Auth=f"CARD{self.id}")
        yield Said(at=self.start, number=Id.CHARGING_SESSION_START, value=text)
        yield Said(at=self.start, number=Id.CHARGER_OP_MODE, value=2)
        yield Said(at=self.start + SECOND, number=Id.CHARGER_OP_MODE, value=3)
        energy = 0
        for number, step in enumerate(self.steps, 1):
            energy += step
            at = self.start + self.every * number
            yield Said(at=at, number=Id.SESSION_ENERGY, value=energy / 1000)
            yield Said(at=at + SECOND, number=Id.SESSION_ENERGY, value=0.0)
        text = ended(
            self.id,
            self.start,
            self.stop,
            self.energy / 1000,
            kwh,
            MeterValueStop=(self.meter + self.energy) / 1000,
            Auth=f"CARD{self.id}",
        )
        yield Said(at=self.stop, number=Id.CHARGING_SESSION, value=text)
        yield Said(at=self.stop, number=Id.CHARGER_OP_MODE, value=1)


@dataclass(kw_only=True)
class History:
    """What a charger did, and what it said of it."""

    sessions: list[Session]
    said: list[Said]

    def register(self, at: datetime) -> int:
        """Return what the meter can have shown at a moment, at most."""
        done = [
            one.energy if at >= one.stop else one.delivered(at) for one in self.sessions
        ]
        return REGISTER + sum(done)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw some sessions one after the other, with what is said hourly in between."""
    sessions: list[Session] = []
    at, meter = MORNING, REGISTER
    for number in range(draw(st.integers(1, 4))):
        at += timedelta(minutes=draw(st.integers(2, 400)))
        session = Session(
            id=number + 7,
            start=at,
            steps=draw(st.lists(st.integers(1, 900), min_size=1, max_size=5)),
            meter=meter,
            every=timedelta(minutes=draw(st.integers(2, 90))),
        )
        sessions.append(session)
        at, meter = session.stop, meter + session.energy
    history = History(sessions=sessions, said=[])
    hour = MORNING
    while hour < at:
        lifetime = history.register(hour) / 1000
        history.said.append(Said(at=hour, number=Id.LIFETIME_ENERGY, value=lifetime))
        hour += timedelta(hours=1)
    history.said += [said for one in sessions for said in one.said()]
    history.said.sort(key=lambda one: one.at)
    return history


class Watch:
    """Sees to it that nothing ever shows what cannot be."""

    def __init__(self, yard: Yard, history: History) -> None:
        """Watch a yard."""
        self.yard = yard
        self.history = history
        self.register = 0

    def look(self) -> None:
        """Fail if the register falls, or is ahead of what was delivered."""
        now = self.yard.time()
        if (register := self.yard.register()) is not None:
            assert isinstance(register, int)
            assert register >= self.register
            assert register <= self.history.register(now)
            self.register = register
        if (session := self.yard.evse.session.value) is not None:
            begun = [one for one in self.history.sessions if one.start <= now]
            assert 0 <= session.energy <= max(one.energy for one in begun)

    async def finish(self) -> None:
        """Fail unless every session is in the journal once, with what it came to."""
        found = await self.yard.journaled()
        assert [
            (one.transaction_id, one.state, one.energy, one.started_at, one.stopped_at)
            for one in found
        ] == [
            (
                f"easee-{one.id}",
                TransactionState.CLOSED,
                one.energy,
                one.start,
                one.stop,
            )
            for one in self.history.sessions
        ]
        assert [one.id_token for one in found] == [
            f"CARD{one.id}" for one in self.history.sessions
        ]
        total = REGISTER + sum(one.energy for one in self.history.sessions)
        assert self.yard.register() == total


@asynccontextmanager
async def a_yard(path: Path, time: SimulatedTime) -> AsyncGenerator[Yard]:
    """Provide a yard of its own for each example."""
    yard = Yard(path / str(next(NUMBERS)), time)
    await yard.open()
    try:
        yield yard
    finally:
        await yard.close()


@TIMELY
@given(history=histories(), data=st.data())
async def test_a_past_in_any_order_is_each_session_once_and_nothing_of_it_is_now(
    tmp_path: Path, history: History, data: st.DataObject
) -> None:
    """Everything comes once or more, long after it was, with restarts in between."""
    time = SimulatedTime(history.said[-1].at + timedelta(hours=1))
    again = data.draw(st.lists(st.sampled_from(history.said), max_size=10))
    told = data.draw(st.permutations([*history.said, *again]))
    replay = data.draw(st.booleans())
    async with a_yard(tmp_path, time) as yard:
        watch = Watch(yard, history)
        for said in told:
            yard.tell(said.number, said.value, at=said.at, replay=replay)
            if data.draw(st.integers(0, 3)) == 0:
                await yard.wait(data.draw(st.integers(0, 90)))
            if data.draw(st.integers(0, 30)) == 0:
                await yard.restart()
            watch.look()
            assert not (replay and yard.online())
        await yard.wait(120)
        watch.look()
        await watch.finish()
        news = (SessionStarted, SessionEnded)
        assert not any(isinstance(one, news) for one in yard.events)


@TIMELY
@given(history=histories(), data=st.data())
async def test_a_present_with_disorder_losses_and_replays_is_each_session_once(
    tmp_path: Path, history: History, data: st.DataObject
) -> None:
    """What is said comes soon, late or only with the replay of a new connection."""
    coming: list[tuple[datetime, int, Said]] = []
    for order, said in enumerate(history.said):
        if (delay := data.draw(DELAYS)) is not None:
            coming.append((said.at + timedelta(seconds=delay), order, said))
        # The ends of sessions do not get lost for ever: the cloud keeps the list.
        elif said.number == Id.CHARGING_SESSION:
            coming.append((said.at + timedelta(days=1), order, said))
    coming.sort(key=lambda one: one[:2])
    async with a_yard(tmp_path, SimulatedTime()) as yard:
        watch = Watch(yard, history)
        yard.tell(Id.CONNECTED_TO_CLOUD, value=True)
        for due, _, said in coming:
            await yard.wait((due - yard.time()).total_seconds())
            yard.tell(said.number, said.value, at=said.at)
            watch.look()
            happens = data.draw(st.integers(0, 12))
            if happens == 0:
                await yard.restart()
            if happens in {0, 1}:
                _replay(data, yard, history)
            if happens == 2:
                yard.tell(said.number, said.value, at=said.at)
            watch.look()
        await yard.wait(300)
        _replay(data, yard, history)
        await yard.wait(300)
        watch.look()
        await watch.finish()
        begun = [one for one in yard.events if isinstance(one, SessionStarted)]
        keys = [one.transaction.key for one in begun]
        assert len(keys) == len(set(keys))


def _replay(data: st.DataObject, yard: Yard, history: History) -> None:
    """Tell the newest of everything in any order, as a new connection does."""
    newest: dict[int, Said] = {}
    for said in history.said:
        if said.at <= yard.time():
            newest[said.number] = said
    for said in data.draw(st.permutations(list(newest.values()))):
        yard.tell(said.number, said.value, at=said.at, replay=True)
