"""Repairs: a charger of an Easee account that does not get to local OCPP, or back."""

from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir

from .easee.errors import EaseeError
from .easee_errors import form_key_of, placeholders_of
from .easee_hub import EaseeHub
from .easee_local import LocalCharging
from .easee_local_errors import LocalRefused, Refusal
from .entries import async_loaded_servers
from .station.errors import JournalError


class LocalRepairFlow(RepairsFlow):
    """Decide about a charger that cannot go on by itself."""

    def __init__(self, entry_id: str, serial: str) -> None:
        """Start with a charger of the account of an entry."""
        self._entry_id = entry_id
        self._serial = serial

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask what is to be done."""
        if (local := self._local()) is None:
            return self.async_abort(reason="account_not_running")
        try:
            decisions = local.decisions(self._serial)
        except LocalRefused as err:
            return self.async_abort(reason=err.refusal)
        if not decisions:
            return self.async_abort(reason=Refusal.NOT_MOVED)
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        return self.async_show_menu(
            step_id="init",
            menu_options=[*decisions],
            description_placeholders=(
                None if issue is None else issue.translation_placeholders
            ),
        )

    async def async_step_retry(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Go on."""
        return await self._async_decide(lambda local: local.retry(self._serial))

    async def async_step_undo(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Move the charger back to the cloud alone."""
        return await self._async_decide(lambda local: local.undo(self._serial))

    async def async_step_adopt(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take what is there for ours; where it is let in is clear, or asked elsewhere."""
        servers = async_loaded_servers(self.hass)
        server = servers[0] if len(servers) == 1 else None
        return await self._async_decide(lambda local: local.adopt(self._serial, server))

    async def async_step_leave(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Leave the charger as it is."""
        return await self._async_decide(lambda local: local.leave(self._serial))

    async def _async_decide(
        self, decide: Callable[[LocalCharging], Awaitable[None]]
    ) -> RepairsFlowResult:
        """Do what is wanted; the rest goes on by itself."""
        if (local := self._local()) is None:
            return self.async_abort(reason="account_not_running")
        try:
            await decide(local)
        except LocalRefused as err:
            return self.async_abort(reason=err.refusal)
        except EaseeError as err:
            return self.async_abort(
                reason=form_key_of(err), description_placeholders=placeholders_of(err)
            )
        except JournalError:
            return self.async_abort(reason="not_written")
        return self.async_create_entry(data={})

    @callback
    def _local(self) -> LocalCharging | None:
        """Return what moves the chargers of the account, if it is set up."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return None
        hub = entry.runtime_data
        return hub.local if isinstance(hub, EaseeHub) else None
