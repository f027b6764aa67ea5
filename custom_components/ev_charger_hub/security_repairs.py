"""Repairs: a charger that is encrypted, and could be held to that."""

from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir

from .const import CONF_SECURITY_PROFILE
from .entries import async_loaded_servers
from .hub import OcppHub


class PinProfileFlow(RepairsFlow):
    """Let a charger in no more with less than it has used for a day (SEC_04)."""

    def __init__(self, identity: str) -> None:
        """Start with the question about a charger."""
        self._identity = identity

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask what is going to become of the charger."""
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        told = issue.translation_placeholders if issue is not None else None
        return self.async_show_menu(
            step_id="init",
            menu_options=["hold", "leave"],
            description_placeholders=told,
        )

    async def async_step_hold(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Hold the charger to its profile, if it still has it."""
        if (hub := self._hub()) is None:
            return self.async_abort(reason="server_not_running")
        security = hub.stations[self._identity].security
        if (profile := security.unpinned) is None:
            return self.async_abort(reason="profile_changed")
        hub.change_charger(self._identity, {CONF_SECURITY_PROFILE: profile})
        return self.async_create_entry(data={})

    async def async_step_leave(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Leave the charger as it is, and ask no more."""
        if (hub := self._hub()) is None:
            return self.async_abort(reason="server_not_running")
        await hub.stations[self._identity].security.leave_unpinned()
        return self.async_create_entry(data={})

    @callback
    def _hub(self) -> OcppHub | None:
        """Return the server that knows the charger, if it runs."""
        for entry in async_loaded_servers(self.hass):
            if self._identity in entry.runtime_data.stations:
                return entry.runtime_data
        return None
