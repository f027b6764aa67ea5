"""Repairs: a charger whose settings hold only once it has restarted."""

from typing import Any

import probatio as vol

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .helpers import async_reset
from .models import HubConfigEntry, HubStation
from .station.model import ChargingStation
from .station.outcome import OutcomeStatus

_ENDS_SESSIONS = "1.6"
"""The version whose chargers end sessions even for a gentle restart (1.6 5.14)."""


class RestartFlow(RepairsFlow):
    """Restart a charger, which has its settings hold."""

    def __init__(self, identity: str) -> None:
        """Start with a charger that waits for its restart."""
        self._identity = identity

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask whether the charger may restart."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Restart the charger, once the user is sure."""
        if user_input is None:
            issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
            told = issue.translation_placeholders if issue is not None else None
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders=told,
            )
        if (station := self._station()) is None:
            return self.async_abort(reason="server_not_running")
        if station.version.value == _ENDS_SESSIONS and any(
            evse.transaction for evse in station.evses.values()
        ):
            return self.async_abort(reason="session_open")
        try:
            outcome = await async_reset(station, hard=False)
        except HomeAssistantError:
            return self.async_abort(reason="restart_refused")
        # The issue stays until the charger has booted, which some never do.
        waits = outcome.status is OutcomeStatus.SCHEDULED
        return self.async_abort(reason=f"restart_{'scheduled' if waits else 'asked'}")

    @callback
    def _station(self) -> ChargingStation | None:
        """Return the charger, if its server runs."""
        entries: list[HubConfigEntry]
        entries = self.hass.config_entries.async_loaded_entries(DOMAIN)
        for entry in entries:
            stations: dict[str, HubStation] = entry.runtime_data.stations
            if (known := stations.get(self._identity)) is not None:
                return known.station
        return None
