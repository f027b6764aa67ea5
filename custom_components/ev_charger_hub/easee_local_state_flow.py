"""The part of an account's options that shows how a charger's local OCPP stands.

What it shows goes on by itself: a window that is closed ends nothing.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import probatio as vol

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .easee.errors import EaseeError
from .easee.local_progress import Progress, Trouble
from .easee.timing import limit, pause
from .easee_errors import form_key_of, placeholders_of
from .easee_hub import EaseeHub
from .easee_local import LocalStatus, status_of
from .easee_local_address import async_own_addresses
from .easee_local_charger import LocalCharger
from .easee_local_errors import LocalRefused, Refusal
from .easee_local_place import async_server_of
from .easee_local_words import Words
from .entries import async_loaded_servers
from .issues import plain
from .models import EvChargerHubConfigEntry
from .station.errors import JournalError

CONF_OURS: Final = "ours"
CONF_SERVER: Final = "server"

OPENS_WITHIN: Final = timedelta(seconds=3)
"""How long a window that shows progress may take until it hears of changes."""
PATIENCE: Final = timedelta(minutes=6)
"""How long somebody looks on, before being told how it stands."""
TROUBLES: Final = (EaseeError, JournalError, LocalRefused)
"""What keeps a decision from being taken."""
REFUSALS: Final = {
    Refusal.ALREADY: "local_connected",
    Refusal.IDENTITY_TAKEN: "local_identity_taken",
    Refusal.NO_SERVER: "local_no_server",
}
"""What a form says of what is not done; of anything else, that it is too late."""

_TOWARDS: Final = frozenset({"adopt", "begin", "retry"})
_UNDER_WAY: Final = frozenset(
    {LocalStatus.PREPARING, LocalStatus.UNDOING, LocalStatus.WAITING}
)
_NO_FIELDS: Final = vol.Schema({})
_NO_PROBLEM: Final[Mapping[str, str]] = {}


class LocalStateFlow(OptionsFlowWithReload, ABC):
    """Show how far a charger is, and let the user decide what there is to decide.

    Who inherits it knows how to move one that is only in the cloud.
    """

    def __init__(self) -> None:
        """Begin with no charger chosen."""
        self._serial = ""
        self._foreign = ""
        """Where somebody else has the charger dial."""
        self._decided = ""
        """What the user has decided in this window."""
        self._task: asyncio.Task[None] | None = None
        self._until: datetime | None = None
        """Until when it is watched how it goes on."""

    # What it is about

    def _hub(self) -> EaseeHub | None:
        """Return the account, None if it does not run."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return None
        hub: EaseeHub = self.config_entry.runtime_data
        return hub

    def _charger(self) -> LocalCharger | None:
        """Return the charger, None if it is not here just now."""
        hub = self._hub()
        return None if hub is None else hub.local.chargers.get(self._serial)

    def _gone(self) -> ConfigFlowResult:
        """Say that there is nothing to show."""
        reason = "account_not_running" if self._hub() is None else "charger_gone"
        return self.async_abort(reason=reason)

    # How it stands

    async def async_step_local_state(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show how far the charger is, with what may be decided."""
        hub, charger = self._hub(), self._charger()
        if hub is None or charger is None:
            return self._gone()
        progress = charger.progress.value
        status = status_of(progress)
        if reason := self._reached(status):
            return self.async_abort(
                reason=reason, description_placeholders={"charger": charger.name}
            )
        if progress is None:
            return await self.async_step_local_checks()
        words = await Words.async_load(self.hass)
        options = [f"local_{one}" for one in hub.local.decisions(self._serial)]
        if status in _UNDER_WAY:
            options.insert(0, "local_progress")
        if status is LocalStatus.CONNECTED:
            options.insert(0, "local_look")
        if progress.trouble is Trouble.FOREIGN:
            self._foreign = progress.detail
        return self.async_show_menu(
            step_id="local_state",
            menu_options=options,
            description_placeholders={"state": words.state(charger, progress)},
        )

    def _reached(self, status: LocalStatus) -> str:
        """Return what to say if what was decided has come true, else nothing."""
        decided, self._decided = self._decided, ""
        match status:
            case LocalStatus.CONNECTED if decided in _TOWARDS:
                return "local_done"
            case LocalStatus.OFF if decided == "leave":
                return "local_left"
            case LocalStatus.OFF if decided:
                return "local_undone"
        return ""

    @abstractmethod
    async def async_step_local_checks(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look whether a charger can be moved that is not."""

    async def async_step_local_look(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """See whether what was stored for the charger is still there."""
        return await self._async_decide("look", {}, lambda one: one.inspect())

    async def async_step_local_progress(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what is being done until there is something to decide."""
        if self._task is not None and self._task.done():
            self._task = None
        hub, charger = self._hub(), self._charger()
        progress = None if charger is None else charger.progress.value
        status = status_of(progress)
        if (
            hub is None
            or charger is None
            or progress is None
            or status not in _UNDER_WAY
            or (self._until is not None and hub.clock() >= self._until)
        ):
            self._until = None
            return self.async_show_progress_done(next_step_id="local_state")
        if self._until is None:
            self._until = hub.clock() + PATIENCE
        if self._task is None:
            self._task = self.hass.async_create_background_task(
                self._async_watch(hub, charger, progress, self._until),
                "Easee local OCPP, watched",
            )
        return self.async_show_progress(
            step_id="local_progress",
            progress_action=f"local_{status}",
            progress_task=self._task,
            description_placeholders={
                "charger": charger.name,
                "url": progress.details.url,
            },
        )

    async def _async_watch(
        self, hub: EaseeHub, charger: LocalCharger, seen: Progress, until: datetime
    ) -> None:
        """Return as soon as a charger is further, the account stops, or in the end."""
        changed = asyncio.Event()
        ends = (
            charger.progress.subscribe(changed.set),
            self.config_entry.async_on_state_change(changed.set),
        )
        left = until - hub.clock()
        opening = OPENS_WITHIN - (PATIENCE - left)
        try:
            async with limit(hub.account.time, max(left.total_seconds(), 0.0)):
                await pause(hub.account.time, max(opening.total_seconds(), 0.0))
                while charger.progress.value is seen and charger is self._charger():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return
        finally:
            for end in ends:
                end()

    # What may be decided

    async def async_step_local_retry(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on after a trouble, which nobody has to think about."""
        return await self._async_decide("retry", {}, lambda one: one.retry())

    async def async_step_local_undo(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Move the charger back to the cloud alone, once the user is sure."""
        return await self._async_decide("undo", user_input, lambda one: one.undo())

    async def async_step_local_leave(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Forget about the charger, once the user is sure."""
        return await self._async_decide("leave", user_input, lambda one: one.leave())

    async def async_step_local_adopt(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take what somebody else stored, once the user is sure, at the chosen server."""
        servers, typed = self._servers(), user_input or {}
        chosen = typed.get(CONF_SERVER, next(iter(servers), ""))
        fields: dict[vol.Marker, Any] = {}
        if len(servers) > 1:
            fields = {**server_schema(servers).schema}
        if await self._async_doubtful():
            fields[vol.Required(CONF_OURS, default=False)] = BooleanSelector()
        return await self._async_decide(
            "adopt",
            user_input,
            lambda one: one.adopt(servers.get(chosen)),
            schema=vol.Schema(fields),
            problem={} if typed.get(CONF_OURS, True) else {CONF_OURS: "local_not_ours"},
        )

    async def _async_doubtful(self) -> bool:
        """Return whether what somebody else stored may lead to somebody else."""
        own = await async_own_addresses(self.hass)
        return self._foreign not in {str(one) for one in own if not one.is_loopback}

    async def _async_decide(
        self,
        decision: str,
        user_input: dict[str, Any] | None,
        decide: Callable[[LocalCharger], Awaitable[None]],
        *,
        schema: vol.Schema = _NO_FIELDS,
        problem: Mapping[str, str] = _NO_PROBLEM,
    ) -> ConfigFlowResult:
        """Explain a decision, and take it once the user is sure."""
        errors = {**problem}
        if (charger := self._charger()) is None:
            return self._gone()
        said = {"charger": charger.name, "host": plain(self._foreign)}
        if user_input is not None and not errors:
            try:
                await decide(charger)
            except TROUBLES as err:
                errors = explained(err, said)
            else:
                self._decided = decision
                return await self.async_step_local_progress()
        return self.async_show_form(
            step_id=f"local_{decision}",
            data_schema=schema,
            description_placeholders=said,
            errors=errors,
        )

    def _servers(self) -> dict[str, EvChargerHubConfigEntry]:
        """Return the servers that could let the charger in, none if one has it."""
        charger = self._charger()
        if charger is None or async_server_of(self.hass, charger.identity) is not None:
            return {}
        return {one.entry_id: one for one in async_loaded_servers(self.hass)}


def explained(err: Exception, placeholders: dict[str, str]) -> dict[str, str]:
    """Return what a form says of what went wrong, and put in what that names."""
    match err:
        case EaseeError():
            placeholders |= placeholders_of(err)
            return {"base": form_key_of(err)}
        case LocalRefused():
            return {"base": REFUSALS.get(err.refusal, "local_not_moved")}
    return {"base": "local_journal"}


def server_schema(servers: Mapping[str, EvChargerHubConfigEntry]) -> vol.Schema:
    """Return the form of which server is meant."""
    options = [
        SelectOptionDict(value=entry_id, label=entry.title)
        for entry_id, entry in servers.items()
    ]
    selector = SelectSelector(
        SelectSelectorConfig(mode=SelectSelectorMode.LIST, options=options)
    )
    return vol.Schema(
        {vol.Required(CONF_SERVER, default=next(iter(servers))): selector}
    )
