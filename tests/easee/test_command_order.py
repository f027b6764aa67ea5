"""Commands in whatever order answers and responses come: nobody gets another's outcome."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from hypothesis import given, settings, strategies as st

from ..virtual_time import VirtualTime, rest
from custom_components.ev_charger_hub.easee.commands import Commands
from custom_components.ev_charger_hub.easee.errors import NotFound, Refused, Unavailable
from custom_components.ev_charger_hub.easee.requests import Lane, Quota, Reply
from custom_components.ev_charger_hub.easee.responses import CommandResponse
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus

SERIALS = ("EH000001", "EH000002", "EH000003")
STRANGER = "EH000009"
"""Nobody here commands it."""
HOUR = 3600 * 10_000_000
SOON = (0.0, 0.2, 1.0, 2.5, 12.0)
"""Seconds until a product responds; only the last is too late for those without ticks."""
LATE = 60.0


class Kind(StrEnum):
    """How a command is sent."""

    COMMAND = "command"
    SETTINGS = "settings"
    CIRCUIT = "circuit"
    LOST = "lost"
    """A command whose answer is lost."""
    NOTHING = "nothing"
    """Settings that change nothing."""
    REFUSED = "refused"


IDS = {
    Kind.COMMAND: [48],
    Kind.SETTINGS: [48, 40, 38],
    Kind.CIRCUIT: [22],
    Kind.LOST: [25],
}
"""What they become."""


@dataclass(kw_only=True, slots=True)
class Fate:
    """What becomes of a command, and how it is told."""

    result: int | None
    """The result code; None if nothing is ever heard of it."""
    after: float
    off: int
    """How many ticks the response is off."""
    copies: list[float]
    """When it is told again, in seconds after the first time."""
    silent: bool
    """Whether it can only be asked for."""
    sent_first: bool
    """Whether it is told that it was sent before anything else."""


@dataclass(kw_only=True, slots=True)
class Plan:
    """A command of ours; `at_once` has the same ticks for all that it becomes."""

    at: float
    serial: str
    kind: Kind
    answered_after: float
    at_once: bool
    fates: list[Fate]


@dataclass(kw_only=True, slots=True)
class Foreign:
    """A command of somebody else."""

    at: float
    serial: str
    id: int
    result: int
    copies: list[float]


FATES = st.builds(
    Fate,
    result=st.sampled_from([2, 3, 3, 3, 4, None]),
    after=st.sampled_from([*SOON, LATE]),
    off=st.sampled_from([0, 0, -700, 12_345]),
    copies=st.lists(st.sampled_from([0.0, 0.5, 40.0]), max_size=2),
    silent=st.booleans(),
    sent_first=st.booleans(),
)
PLANS = st.builds(
    Plan,
    at=st.floats(0, 40),
    serial=st.sampled_from(SERIALS),
    kind=st.sampled_from(Kind),
    answered_after=st.sampled_from([0.0, 0.3, 1.5, 3.0]),
    at_once=st.booleans(),
    fates=st.lists(FATES, min_size=3, max_size=3),
)
FOREIGN = st.builds(
    Foreign,
    at=st.floats(0, 60),
    serial=st.sampled_from([*SERIALS, STRANGER]),
    id=st.sampled_from([29, 40, 48, 60]),
    result=st.sampled_from([3, 4]),
    copies=st.lists(st.sampled_from([0.0, 0.5, 40.0]), max_size=2),
)


@dataclass(kw_only=True)
class Script:
    """A cloud that does what is planned, and knows what it did."""

    time: VirtualTime
    plans: list[Plan]
    hears: bool
    """Whether the stream is up."""
    commands: Commands = field(init=False)
    truth: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    last: int = 0

    def __post_init__(self) -> None:
        """Let somebody command."""
        self.commands = Commands(self, self.time, stream_up=lambda: self.hears)

    def ticks(self) -> int:
        """Return the present in ticks, never twice."""
        passed = self.time() - datetime(1, 1, 1, tzinfo=UTC)
        self.last = max(self.last + 1, passed // timedelta(microseconds=1) * 10)
        return self.last

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
        """Carry out what is planned, or say what became of it."""
        assert lane is Lane.COMMAND
        if method == "GET":
            return self._outcome(path)
        plan = self.plans[json["plan"]]
        if plan.kind is Kind.REFUSED:
            await self._wait(plan.answered_after)
            raise Refused("No")
        at_once = self.ticks()
        named = [
            {
                "device": plan.serial,
                "commandId": number,
                "ticks": at_once if plan.at_once else self.ticks(),
            }
            for number in IDS.get(plan.kind, [])
        ]
        for item, fate in zip(named, plan.fates, strict=False):
            self._execute(item, fate)
        await self._wait(plan.answered_after)
        match plan.kind:
            case Kind.COMMAND:
                return Reply(status=202, body=named[0])
            case Kind.CIRCUIT:
                return Reply(status=200, body=None)
            case Kind.LOST:
                raise Unavailable
        return Reply(status=202, body=named)

    async def _wait(self, seconds: float) -> None:
        if seconds:
            over = asyncio.Event()
            self.time.call_later(seconds, over.set)
            await over.wait()

    def _outcome(self, path: str) -> Reply:
        at, result = self.truth.get(path, (datetime.max.replace(tzinfo=UTC), 0))
        if self.time() < at:
            raise NotFound
        return Reply(
            status=200, body={"wasAccepted": result == 3, "resultCode": result}
        )

    def _execute(self, item: dict[str, Any], fate: Fate) -> None:
        if fate.sent_first and not fate.off:
            self.tell(item, 0, 0.0, 1)
        if fate.result is None:
            return
        path = f"/api/commands/{item['device']}/{item['commandId']}/{item['ticks']}"
        self.truth[path] = self.time() + timedelta(seconds=fate.after), fate.result
        if not fate.silent:
            for after in [0.0, *fate.copies]:
                self.tell(item, fate.off, fate.after + after, fate.result)

    def tell(self, item: dict[str, Any], off: int, after: float, result: int) -> None:
        """Tell on the stream what became of a command, if there is a stream."""
        if not self.hears:
            return
        response = CommandResponse(
            serial=item["device"],
            id=item["commandId"],
            ticks=item["ticks"] + off,
            accepted=result in {1, 3},
            result=result,
            comment="",
            at=self.time(),
        )
        self.time.call_later(after, lambda: self.commands.responded(response))

    def interfere(self, other: Foreign) -> int:
        """Let somebody else command, and return the ticks of that."""
        # An hour off, it cannot be mistaken for one of ours of the same kind.
        ticks = self.ticks() + (0 if other.serial == STRANGER else HOUR)
        item = {"device": other.serial, "commandId": other.id, "ticks": ticks}
        for after in [0.0, *other.copies]:
            self.tell(item, 0, other.at + after, other.result)
        return ticks

    async def command(self, number: int) -> OutcomeStatus | None:
        """Carry a plan out, and return what is said of it; None if nobody knows."""
        plan, body = self.plans[number], {"plan": number}
        await self._wait(plan.at)
        try:
            match plan.kind:
                case Kind.COMMAND:
                    name = "set_dynamic_charger_current"
                    outcome = await self.commands.command(plan.serial, name, body)
                case Kind.LOST:
                    name = "start_charging"
                    outcome = await self.commands.command(plan.serial, name, body)
                case Kind.CIRCUIT:
                    body |= {"dynamicCircuitCurrentP1": 10}
                    outcome = await self.commands.circuit_settings(
                        1, 2, plan.serial, body
                    )
                case _:
                    outcome = await self.commands.settings(plan.serial, body)
        except Unavailable:
            return None
        return outcome.status


def known(plan: Plan, fate: Fate, *, hears: bool) -> int | None:
    """Return what can be known in time of one command, None for nothing."""
    named = plan.kind in {Kind.COMMAND, Kind.SETTINGS}
    told = hears and not fate.silent
    if fate.result is not None and (named or told):
        soon = SOON if named else SOON[:-1]
        if fate.after in soon:
            return fate.result
    sent = hears and fate.sent_first and not fate.off
    return 1 if sent else None


def expected(plan: Plan, *, hears: bool) -> OutcomeStatus | None:
    """Return what has to be said of a plan."""
    match plan.kind:
        case Kind.NOTHING:
            return OutcomeStatus.CONFIRMED
        case Kind.REFUSED:
            return OutcomeStatus.REJECTED
    fates = plan.fates[: len(IDS[plan.kind])]
    results = [known(plan, fate, hears=hears) for fate in fates]
    if {2, 4} & {*results}:
        return OutcomeStatus.REJECTED
    if None in results:
        if plan.kind is Kind.LOST:
            return None
        unheard = plan.kind is Kind.CIRCUIT
        return OutcomeStatus.ACCEPTED if unheard else OutcomeStatus.TIMED_OUT
    return OutcomeStatus.ACCEPTED if 1 in results else OutcomeStatus.CONFIRMED


def fit(plan: Plan) -> Plan:
    """Return a plan whose responses come while they are expected."""
    if plan.kind not in {Kind.CIRCUIT, Kind.LOST}:
        return plan
    # Without ticks nobody can wait for a minute.
    fates = [replace(one, after=min(one.after, SOON[-1])) for one in plan.fates]
    return replace(plan, fates=fates)


@settings(max_examples=300, deadline=None)
@given(
    plans=st.lists(PLANS.map(fit), max_size=7),
    others=st.lists(FOREIGN, max_size=5),
    hears=st.booleans(),
)
async def test_each_command_gets_its_own_outcome_and_others_are_told_once(
    plans: list[Plan], others: list[Foreign], hears: bool
) -> None:
    time = VirtualTime()
    script = Script(time=time, plans=plans, hears=hears)
    foreign: list[int] = []
    script.commands.on_foreign(lambda response: foreign.append(response.ticks or 0))
    theirs = [script.interfere(other) for other in others]
    tasks = [asyncio.create_task(script.command(i)) for i in range(len(plans))]
    await time.advance(400)
    await rest()
    assert [task.result() for task in tasks] == [
        expected(plan, hears=hears) for plan in plans
    ]
    assert sorted(foreign) == (sorted(theirs) if hears else [])
