"""Local examination: what is known before a charger is moved to an OCPP server here."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry, ConfigEntryState

from .easee.enums import OpMode
from .easee.ids import ChargerId
from .easee.local_checks import examine
from .easee.local_details import Details
from .easee.local_offline import OfflineBehavior
from .easee.local_problems import Check, Problem
from .easee.readings import Readings
from .easee_local_address import async_suggested_urls
from .easee_local_findings import Consequences, Findings, ServerChoice
from .entries import async_servers

if TYPE_CHECKING:
    from .easee_hub import EaseeHub
    from .models import HubStation


class Examination:
    """What can be found out about one charger, at any time."""

    def __init__(self, hub: EaseeHub, serial: str, readings: Readings) -> None:
        """Ask the cloud by `hub`; what the charger reports is in `readings`."""
        self._hub = hub
        self._serial = serial
        self._readings = readings

    async def async_problems(self, ours: Details | None) -> tuple[Problem, ...]:
        """Return what stands against a move; raises EaseeError."""
        requests = self._hub.account.requests
        return await examine(
            self._serial, requests=requests, readings=self._readings, ours=ours
        )

    async def async_findings(
        self,
        name: str,
        shown: HubStation | None,
        ours: Details | None,
        servers: Collection[ServerChoice],
    ) -> Findings:
        """Return everything; raises EaseeError."""
        problems = await self.async_problems(ours)
        found = {one.check: one.detail for one in problems}
        commands = self._hub.account.commands
        behavior = OfflineBehavior(self._serial, commands, self._readings)
        return Findings(
            serial=self._serial.upper(),
            name=name,
            problems=problems,
            servers=tuple(servers),
            consequences=Consequences(
                operator=found.get(Check.OTHER_OPERATOR),
                schedule=found.get(Check.SCHEDULE_ACTIVE),
                session_open=self._is_busy(shown),
                settings_when_away=tuple(behavior.differing()),
            ),
        )

    def _is_busy(self, shown: HubStation | None) -> bool:
        """Return whether a session goes on, by what anybody tells."""
        mode = OpMode.of(self._readings.value(ChargerId.CHARGER_OP_MODE))
        evses = () if shown is None else shown.station.evses.values()
        return mode is OpMode.CHARGING or any(one.transaction for one in evses)

    async def async_choices(
        self, identity: str, taken: ConfigEntry | None
    ) -> tuple[ServerChoice, ...]:
        """Return the servers here, those first that run; the one that has it, if any."""
        hass = self._hub.hass
        choices = [
            ServerChoice(
                entry=entry,
                running=entry.state is ConfigEntryState.LOADED,
                urls=await async_suggested_urls(hass, entry, identity),
                has_charger=entry is taken,
            )
            for entry in async_servers(hass, disabled=taken is not None)
            if taken is None or taken is entry
        ]
        return tuple(sorted(choices, key=lambda one: not one.running))
