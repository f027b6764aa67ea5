"""Schedule keeper: reads and changes the schedules of a charger (easee_cloud.md 3.4).

Nothing is written that is there already, and what is written is read back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ..station.outcome import Outcome, OutcomeStatus
from .commands import Commands
from .errors import EaseeError, NotFound, Unavailable
from .json_values import an_object
from .outcomes import NO_CHANGE
from .requests import Requests
from .schedule_choice import BECOMES, DIRECT, ScheduleKind, follow_schedule
from .schedules import Schedule, ScheduleError, ScheduleProblem, schedules_of
from .timing import Time, pause

KINDS: Final = (ScheduleKind.DAILY, ScheduleKind.WEEKLY, ScheduleKind.DELAYED)

READ_BACK: Final = Outcome(status=OutcomeStatus.CONFIRMED, answer="read back")
_LOOKS: Final = (1.0, 3.0)
"""Seconds before each further look at whether a change is there."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Stored:
    """What is stored for a charger, and which of it the charger follows."""

    active: str
    """A ScheduleKind, or what else the cloud calls what is followed."""
    schedules: Mapping[ScheduleKind, Schedule]
    """Those that are understood."""
    kinds: frozenset[ScheduleKind] = frozenset()
    """The kinds of all that are stored."""

    def check(self) -> None:
        """Raise ScheduleError if the schedules are not ours to change."""
        if self.active == DIRECT:
            raise ScheduleError(ScheduleProblem.OCPP)
        if self.active not in set(ScheduleKind):
            raise ScheduleError(ScheduleProblem.FOREIGN, self.active)


class ScheduleKeeper:
    """The schedules of one charger."""

    def __init__(
        self, requests: Requests, commands: Commands, time: Time, serial: str
    ) -> None:
        """Know nothing yet."""
        self._requests = requests
        self._commands = commands
        self._time = time
        self._serial = serial
        self._path = f"/api/chargers/{quote(serial, safe='')}/schedules"

    async def read(self) -> Stored:
        """Return what is stored; raises EaseeError."""
        told = dict(an_object((await self._requests.request("GET", self._path)).body))
        if not isinstance(active := told.get("enabled"), str):
            raise Unavailable("the answer says nothing of schedules")
        for kind in KINDS:
            if kind not in told:
                told[kind] = await self._read(kind)
        return Stored(
            active=active.lower(),
            schedules=schedules_of(told),
            kinds=frozenset(one for one in KINDS if told[one]),
        )

    async def _read(self, kind: ScheduleKind) -> Any:
        try:
            return (await self._requests.request("GET", f"{self._path}/{kind}")).body
        except NotFound:
            return None

    async def store(self, wanted: Schedule) -> Outcome:
        """Have a charger follow a schedule; raises EaseeError."""
        before = await self.read()
        before.check()
        # A delayed start is one start, which may have been: it is another one each time.
        stored = before.schedules.get(wanted.kind) == wanted
        if stored and wanted.kind is not ScheduleKind.DELAYED:
            return await self._follow(wanted.kind, before)
        try:
            outcome = await self._tell("POST", wanted.kind, wanted.body())
        except Unavailable:
            # It may have been carried out all the same, which shows if it is new.
            if stored or (await self.read()).schedules.get(wanted.kind) != wanted:
                raise
            outcome = READ_BACK
        if outcome.ok and before.active in set(KINDS) - {wanted.kind}:
            outcome = await self._tell("POST", f"{before.active}/disable")
        if not outcome.ok:
            return outcome
        return await self._seen(outcome, wanted.kind, wanted)

    async def follow(self, kind: ScheduleKind) -> Outcome:
        """Have a charger follow a stored schedule, or none; raises EaseeError."""
        before = await self.read()
        before.check()
        if kind is not ScheduleKind.NONE and kind not in before.kinds:
            raise ScheduleError(ScheduleProblem.NOT_STORED)
        return await self._follow(kind, before)

    async def _follow(self, kind: ScheduleKind, before: Stored) -> Outcome:
        if before.active == kind:
            return NO_CHANGE
        outcome = await follow_schedule(
            self._commands, self._serial, kind, before.active
        )
        return await self._seen(outcome, kind) if outcome.ok else outcome

    async def remove(self, kind: ScheduleKind | None = None) -> Outcome:
        """Delete a stored schedule, or all of them; raises EaseeError."""
        before = await self.read()
        before.check()
        outcome = NO_CHANGE
        gone = set(KINDS if kind is None else (kind,))
        for one in sorted(gone & before.kinds):
            outcome = await self._tell("DELETE", one)
            if not outcome.ok:
                return outcome
        if outcome is NO_CHANGE:
            return outcome
        after = await self.read()
        if after.active in gone or gone & after.kinds:
            return _otherwise(after)
        return outcome

    async def _tell(
        self, method: str, what: str, body: Mapping[str, Any] | None = None
    ) -> Outcome:
        self._commands.expect(self._serial, *BECOMES)
        path = f"{self._path}/{what}"
        return await self._commands.send(self._serial, method, path, body)

    async def _seen(
        self, outcome: Outcome, kind: ScheduleKind, wanted: Schedule | None = None
    ) -> Outcome:
        """Return what became of a change by what the cloud tells afterwards."""
        try:
            after = await self.read()
            if after.active != kind and kind is not ScheduleKind.NONE:
                # Where one is disabled, the other may have gone with it.
                await self._tell("POST", f"{kind}/enable")
                after = await self.read()
            for seconds in _LOOKS:
                if _there(after, kind, wanted):
                    return outcome
                await pause(self._time, seconds)
                after = await self.read()
        except EaseeError:
            return Outcome(
                status=OutcomeStatus.ACCEPTED,
                answer=outcome.answer,
                detail="not read back",
            )
        return outcome if _there(after, kind, wanted) else _otherwise(after)


def _there(after: Stored, kind: ScheduleKind, wanted: Schedule | None) -> bool:
    if after.active != kind:
        return False
    return wanted is None or after.schedules.get(kind) == wanted


def _otherwise(after: Stored) -> Outcome:
    """Return the outcome of a change that was taken, and is not there afterwards."""
    return Outcome(
        status=OutcomeStatus.REJECTED,
        answer="another schedule",
        detail=f"active: {after.active}",
    )
