"""Inventory: reports of a station, and many variables written at once (2.0.1 B)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import override

from ...station.outcome import Outcome, OutcomeStatus
from ...station.variables import Criterion, Report, ReportBase, ReportsLink
from .described import described
from .device_model import Variable
from .names import parse_component
from .variables import EMPTY, NAMELESS, NOT_ALL, VariableCommands


class InventoryCommands(ReportsLink):
    """Carry what only OCPP 2.x can be asked about its variables."""

    def __init__(self, commands: VariableCommands) -> None:
        """Send by the `commands` of a link."""
        self._commands = commands

    @override
    async def base_report(self, base: ReportBase) -> tuple[Outcome, Report]:
        """Send GetBaseReport (B07)."""
        return _told(*await self._commands.base_report(base))

    @override
    async def report(
        self, criteria: Sequence[Criterion], names: Sequence[str]
    ) -> tuple[Outcome, Report]:
        """Send GetReport (B08); a name without a variable is a whole component."""
        wanted = []
        for name in names:
            known = self._commands.device_model.get(name)
            payload = parse_component(name) if known is None else known.name.payload
            if payload is None:
                return NAMELESS, Report()
            wanted.append(payload)
        return _told(*await self._commands.report(criteria, wanted))

    @override
    async def set_variables(self, values: Mapping[str, str]) -> dict[str, Outcome]:
        """Send SetVariables (B05), each variable once (B05.FR.13)."""
        named = {text: self._commands.named(text) for text in values}
        wanted = {
            name: values[text] for text, name in named.items() if name is not None
        }
        done = await self._commands.set_variables(wanted) if wanted else {}
        return {
            text: NAMELESS if name is None else done[name]
            for text, name in named.items()
        }


def _told(outcome: Outcome, variables: list[Variable]) -> tuple[Outcome, Report]:
    """Return what a report came to; one without content is no failure (B08.FR.15)."""
    if outcome.answer.lower() == EMPTY:
        outcome = replace(outcome, status=OutcomeStatus.ACCEPTED)
    report = Report(
        variables=tuple(map(described, variables)),
        complete=outcome.ok and NOT_ALL not in outcome.detail,
    )
    return outcome, report
