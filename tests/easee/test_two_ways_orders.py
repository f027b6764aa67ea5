"""Both ways in any order: links come and go, all is late or twice, each session is one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from .pair import Pair
from .yard import ended, started
from custom_components.ev_charger_hub.easee.history import PastSession
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.readings import Value
from custom_components.ev_charger_hub.station.enums import StopReason
from custom_components.ev_charger_hub.station.events import SessionEnded, SessionStarted
from custom_components.ev_charger_hub.station.transaction import TransactionState
from simulators.easee_cloud import SimulatedTime
from simulators.easee_cloud.clock import START as MORNING

METER = 1_234_567
NUMBERS = count()
SECOND = timedelta(seconds=1)
LATE = st.sampled_from([0, 0, 0, 1, 5, 20, 200, 4000, None])
"""Seconds by which the cloud tells late; None is what gets lost."""


@dataclass(kw_only=True, frozen=True)
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

    @property
    def card(self) -> str:
        """Return who charged."""
        return f"CARD{self.id}"

    @property
    def past(self) -> PastSession:
        """Return it as the cloud lists it."""
        return PastSession(
            id=str(self.id),
            started_at=self.start,
            stopped_at=self.stop,
            energy=self.energy,
            id_token=self.card,
        )


@dataclass(kw_only=True, frozen=True)
class Happening:
    """Something that happens to the charger, and what it tells the cloud of it."""

    at: datetime
    session: Session
    kind: str
    observations: tuple[tuple[int, Value], ...]
    register: int


def happenings(session: Session) -> Iterator[Happening]:
    """Yield what happens in a session."""
    kwh = session.meter / 1000
    text = started(session.id, session.start, kwh, Auth=session.card)
    yield Happening(
        at=session.start,
        session=session,
        kind="start",
        observations=(
            (Id.SESSION_ENERGY, 0.0),
            (Id.CHARGING_SESSION_START, text),
            (Id.CHARGER_OP_MODE, 3),
        ),
        register=session.meter,
    )
    energy = 0
    for number, step in enumerate(session.steps, 1):
        energy += step
        yield Happening(
            at=session.start + session.every * number,
            session=session,
            kind="meter",
            observations=((Id.SESSION_ENERGY, energy / 1000),),
            register=session.meter + energy,
        )
    text = ended(
        session.id,
        session.start,
        session.stop,
        session.energy / 1000,
        kwh,
        Auth=session.card,
        MeterValueStop=(session.meter + session.energy) / 1000,
    )
    yield Happening(
        at=session.stop,
        session=session,
        kind="stop",
        observations=((Id.CHARGING_SESSION, text), (Id.CHARGER_OP_MODE, 1)),
        register=session.meter + energy,
    )


@st.composite
def pasts(draw: st.DrawFn) -> list[Session]:
    """Draw some sessions, one after the other."""
    sessions: list[Session] = []
    at, meter = MORNING, METER
    for number in range(draw(st.integers(1, 4))):
        at += timedelta(seconds=draw(st.sampled_from([45, 90, 600, 7200])))
        session = Session(
            id=number + 7,
            start=at,
            steps=draw(st.lists(st.sampled_from([0, 1, 90, 900]), max_size=4)),
            meter=meter,
            every=timedelta(seconds=draw(st.sampled_from([30, 200, 3000]))),
        )
        sessions.append(session)
        at, meter = session.stop, meter + session.energy
    return sessions


@dataclass
class Model:
    """The charger itself: what it has yet to tell by which way."""

    pair: Pair
    data: st.DataObject
    outbox: list[Happening] = field(default_factory=list)
    """What it has to tell by OCPP, in order, whenever it is connected."""
    numbers: dict[int, int] = field(default_factory=dict)
    """The transaction ids that it was given."""
    newest: dict[int, tuple[datetime, Value]] = field(default_factory=dict)
    coming: list[tuple[datetime, int, datetime, Value]] = field(default_factory=list)
    """What the cloud is about to tell: when, and what."""
    cloud_up: bool = True

    def chance(self, most: int) -> bool:
        """Return whether something happens that does once in so many times."""
        return self.data.draw(st.integers(0, most)) == 0

    async def happens(self, happening: Happening) -> None:
        """Let something happen to the charger, of which both sides tell."""
        for number, value in happening.observations:
            self.newest[number] = happening.at, value
            late = self.data.draw(LATE) if self.cloud_up else None
            if late is not None:
                due = happening.at + timedelta(seconds=late)
                self.coming.append((due, number, happening.at, value))
        if happening.kind != "meter":
            self.outbox.append(happening)
        if not self.pair.local:
            return
        # Which of the two is faster differs.
        if self.chance(2):
            await self.cloud_tells()
        await self.charger_tells()
        if happening.kind == "meter":
            known = self.numbers.get(happening.session.id)
            await self.pair.measures(happening.register, known)

    async def charger_tells(self) -> None:
        """Send what waits, some of it twice: the answer may have been lost."""
        while self.outbox and self.pair.local:
            happening = self.outbox[0]
            for _ in range(2 if self.chance(5) else 1):
                await self._send(happening)
            if self.chance(9):
                # Its answer was lost with the connection: it is sent again.
                self.pair.hang_up()
                return
            self.outbox.pop(0)

    async def _send(self, happening: Happening) -> None:
        pair, session = self.pair, happening.session
        ago = (happening.at - pair.time()).total_seconds()
        stamp = pair.clock.text(ago)
        if happening.kind == "start":
            number = await pair.ocpp.start(
                id_tag=session.card, meter_start=session.meter, timestamp=stamp
            )
            assert self.numbers.setdefault(session.id, number) == number
            await pair.ocpp.status("Charging", timestamp=stamp)
        else:
            await pair.ocpp.stop(
                self.numbers[session.id], happening.register, timestamp=stamp
            )
            await pair.ocpp.status("Available", timestamp=stamp)

    async def cloud_tells(self) -> None:
        """Let the cloud tell what is due, and some of it twice."""
        now = self.pair.time()
        due = [one for one in self.coming if one[0] <= now]
        self.coming = [one for one in self.coming if one[0] > now]
        for _, number, at, value in sorted(due, key=lambda one: one[0]):
            if self.cloud_up:
                for _ in range(2 if self.chance(9) else 1):
                    self.pair.tell(number, value, at=at)
                await self.pair.settle()

    async def cloud_returns(self) -> None:
        """Let the cloud tell the newest of everything, in any order."""
        self.cloud_up = True
        self.pair.tell(Id.CONNECTED_TO_CLOUD, value=True)
        newest = self.data.draw(st.permutations(sorted(self.newest)))
        for number in newest:
            at, value = self.newest[number]
            self.pair.tell(number, value, at=at, replay=True)
        await self.pair.settle()

    async def charger_returns(self) -> None:
        """Dial in, and tell what waited."""
        await self.pair.dial_in()
        await self.charger_tells()

    async def weather(self) -> None:
        """Let something go wrong, or right again."""
        pair = self.pair
        match self.data.draw(st.integers(0, 9)):
            case 0 | 1:
                pair.hang_up()
            case 2 | 3 if not pair.local:
                await self.charger_returns()
            case 4 if self.cloud_up:
                self.cloud_up = False
                self.coming.clear()
                pair.tell(Id.CONNECTED_TO_CLOUD, value=False)
            case 5:
                await self.cloud_returns()
            case 6:
                await pair.restart(kill=self.chance(1))
                if self.cloud_up:
                    await self.cloud_returns()


@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sessions=pasts(), data=st.data())
async def test_every_session_is_one_with_the_right_energy_told_of_once(
    tmp_path: Path, sessions: list[Session], data: st.DataObject
) -> None:
    pair = Pair(tmp_path / str(next(NUMBERS)), SimulatedTime())
    await pair.open()
    try:
        model = Model(pair, data)
        await model.cloud_returns()
        await model.charger_returns()
        for happening in (one for session in sessions for one in happenings(session)):
            await pair.wait((happening.at - pair.time()).total_seconds())
            await model.cloud_tells()
            await model.happens(happening)
            await model.weather()
            await _look(pair, sessions)
        await _finish(model, sessions)
    finally:
        await pair.close()


async def _look(pair: Pair, sessions: list[Session]) -> None:
    """Fail if there ever are more sessions, or is more energy, than there really was."""
    begun = [one for one in sessions if one.start <= pair.time()]
    found = await pair.journaled()
    assert len(found) <= len(begun)
    assert sum(one.energy for one in found) <= sum(one.energy for one in begun)


async def _finish(model: Model, sessions: list[Session]) -> None:
    """Let both ways be there for good; fail unless each session is there once."""
    pair = model.pair
    await pair.wait(5000)
    for _ in range(20):
        if not pair.local:
            await model.charger_returns()
        await model.charger_tells()
        await pair.wait(60)
    await model.cloud_returns()
    await pair.wait(300)
    for session in reversed(sessions):
        await pair.transactions.told(session.past.told.end(StopReason.OTHER))
    told = {one.id for one in sessions} - {one.session.id for one in model.outbox}
    found = await pair.journaled()
    assert [(one.energy, one.id_token, one.cloud_name) for one in found] == [
        (one.energy, one.card, f"easee-{one.id}") for one in sessions
    ]
    for one, real in zip(found, sessions, strict=True):
        assert one.state is TransactionState.CLOSED
        assert abs(one.started_at - real.start) <= SECOND
        assert one.stopped_at is not None
        assert abs(one.stopped_at - real.stop) <= SECOND
        assert real.id not in told or not one.cloud_only
    events = pair.events_of(SessionStarted), pair.events_of(SessionEnded)
    for told_of in events:
        keys = [one.transaction.key for one in told_of]
        assert len(keys) == len(set(keys))
