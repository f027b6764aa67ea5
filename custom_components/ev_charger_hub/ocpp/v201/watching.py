"""Watching: the variables that a station is asked to watch by itself (2.x N04)."""

from collections.abc import Iterator
from itertools import batched

from ...station.monitoring import MonitorRequest, MonitorType
from ...station.outcome import OutcomeStatus
from ...station.variables import Named
from ..stepwise import Finding, refused, still_there
from .device_model import DeviceModel, Key, Variable
from .monitoring_commands import AVAILABLE, MOST_REPORTED, MonitoringCommands
from .variables import VariableCommands

ENABLED = "MonitoringCtrlr.Enabled"

MAX_WATCHED = 32
"""So many monitors are asked for of our own accord; more would be chatter."""

_ERROR = 4
_INFORMATION = 8
_STATES = {"availabilitystate": 1, "problem": 1, "temperature": 2}
"""What tells of any component, by how much it must change to be told."""

_SETTINGS = frozenset(
    one.lower() for one in (*Named, Key.LIST_ENABLED, Key.SMART_CHARGING_ENABLED)
)
"""Settings that are shown or counted on, and that its own app may change as well."""


def watched(known: DeviceModel) -> Iterator[MonitorRequest]:
    """Yield the monitors that spare us asking: of states first, then of settings."""
    for variable in sorted(known, key=lambda one: one.name.key in _SETTINGS):
        if variable.monitored is not True:
            continue
        if (least := _least(variable)) is not None:
            problem = variable.name.variable.lower() == "problem"
            yield MonitorRequest(
                variable=str(variable.name),
                type=MonitorType.DELTA,
                value=least,
                severity=_ERROR if problem else _INFORMATION,
            )


def _least(variable: Variable) -> float | None:
    """Return by how much a variable must change to be told of, None if never."""
    if variable.name.key in _SETTINGS:
        return None if variable.actual.readonly else 1
    return _STATES.get(variable.name.variable.lower())


class Watching:
    """Have a station watch what matters, where it offers to."""

    def __init__(self, link: VariableCommands, commands: MonitoringCommands) -> None:
        """Send by `commands`, and switch monitoring on by `link`."""
        self._link = link
        self._commands = commands
        self._known = commands.device_model
        self._monitors = commands.monitors

    async def watch(self) -> str:
        """Ask for the monitors that are not there yet; return what became of it."""
        if not self._known.flag(AVAILABLE):
            return Finding.OK("not offered")
        wanted = list(watched(self._known))[:MAX_WATCHED]
        if not wanted:
            return Finding.OK("nothing to watch")
        if (finding := await self._switch_on()) is not None:
            return finding
        outcome, found = await self._commands.get_monitors()
        still_there(outcome)
        if outcome.status is OutcomeStatus.NOT_SUPPORTED:
            return Finding.NOT_SUPPORTED()
        if outcome.status is OutcomeStatus.TIMED_OUT:
            # What it watches already would be asked for again and again.
            return Finding.UNANSWERED()
        missing = self._missing(wanted)
        if missing and len(found) >= MOST_REPORTED:
            await self._look_closer(missing)
            missing = self._missing(wanted)
        return await self._set(wanted, missing)

    async def _switch_on(self) -> str | None:
        """Have monitors tell something; return why they cannot, if that is so."""
        if not self._known.says_no(ENABLED):
            return None
        if self._known.readonly(ENABLED):
            return Finding.READ_ONLY("monitoring is off")
        outcome = still_there(await self._link.set_configuration(ENABLED, "true"))
        return None if outcome.ok else refused(outcome)

    def _missing(self, wanted: list[MonitorRequest]) -> list[MonitorRequest]:
        """Return what nobody watches yet, and the user did not take away."""
        there = {
            one.variable.lower()
            for one in self._monitors
            if one.type is MonitorType.DELTA
        } | self._monitors.declined
        return [one for one in wanted if one.variable.lower() not in there]

    async def _look_closer(self, missing: list[MonitorRequest]) -> None:
        """Ask for a few at a time: libocpp leaves out what comes after the tenth."""
        for some in batched(missing, MOST_REPORTED - 2, strict=False):
            names = [one.variable for one in some]
            outcome, _ = await self._commands.get_monitors(variables=names)
            still_there(outcome)

    async def _set(
        self, wanted: list[MonitorRequest], missing: list[MonitorRequest]
    ) -> str:
        refusals = 0
        if missing:
            outcome, results = await self._commands.set_monitors(missing, ours=True)
            still_there(outcome)
            if not results or (not outcome.ok and not any(one.ok for one in results)):
                return refused(outcome)
            good = {"accepted", "duplicate"}
            refusals = sum(one.status.lower() not in good for one in results)
        counted = f"{len(wanted) - refusals} of {len(wanted)} watched"
        return Finding.PARTIAL(counted) if refusals else Finding.OK(counted)
