"""Repairs: a charger that waits for the user's approval."""

from typing import Any

import probatio as vol

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .address import async_charger_url
from .charger_form import (
    Password,
    async_new_password,
    name_and_password_fields,
    password_problem,
    typed_name,
)
from .const import CONF_IDENTITY
from .easee_local_issues import CONF_LOCAL
from .easee_local_repairs import LocalRepairFlow
from .hub import OcppHub
from .issues import CONF_ENTRY_ID, UNKNOWN, harmless, plain
from .models import EvChargerHubConfigEntry
from .restart_issues import CONF_RESTART
from .restart_repairs import RestartFlow
from .security_issues import CONF_PIN
from .security_repairs import PinProfileFlow
from .settings import async_identity_taken
from .token_issues import CONF_REFERENCE
from .token_repairs import TokenUnknownFlow


class ChargerWaitingFlow(RepairsFlow):
    """Approve or refuse a charger that wants to connect."""

    def __init__(self, entry_id: str, identity: str) -> None:
        """Start with a charger that waits at the server of an entry."""
        self._entry_id = entry_id
        self._identity = identity
        self._name = ""
        self._password: Password | None = None
        self._shown_password = ""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask what to do with the charger."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["approve", "refuse"],
            description_placeholders=self._placeholders(),
        )

    async def async_step_approve(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for the charger's name and password."""
        errors: dict[str, str] = {}
        if self._hub() is None:
            return self.async_abort(reason="server_not_running")
        if async_identity_taken(self.hass, self._identity):
            return self.async_abort(reason="already_configured")
        if user_input is not None and not (errors := password_problem(user_input)):
            self._name = typed_name(user_input, self._identity)
            self._password = await async_new_password(self.hass, user_input)
            if self._password is None or self._password.plain is None:
                return self._approve()
            self._shown_password = self._password.plain
            return await self.async_step_password()
        return self.async_show_form(
            step_id="approve",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(name_and_password_fields()),
                user_input or {CONF_NAME: self._suggested_name()},
            ),
            description_placeholders=self._placeholders(),
            errors=errors,
        )

    async def async_step_password(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Show the generated password, the only time that anybody sees it."""
        if user_input is not None:
            return self._approve()
        return self.async_show_form(
            step_id="password",
            data_schema=vol.Schema({}),
            description_placeholders={
                **self._placeholders(),
                "password": self._shown_password,
            },
        )

    async def async_step_refuse(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Turn the charger away for good, once the user is sure."""
        if (hub := self._hub()) is None:
            return self.async_abort(reason="server_not_running")
        if user_input is None:
            return self.async_show_form(
                step_id="refuse",
                data_schema=vol.Schema({}),
                description_placeholders=self._placeholders(),
            )
        await hub.admission.async_refuse(self._identity)
        return self.async_create_entry(data={})

    def _approve(self) -> RepairsFlowResult:
        """Add the charger to its server."""
        if (hub := self._hub()) is None:
            return self.async_abort(reason="server_not_running")
        hub.approve(
            self._identity,
            self._name,
            self._password.hashed if self._password is not None else None,
        )
        return self.async_create_entry(data={})

    def _hub(self) -> OcppHub | None:
        """Return the hub that the charger waits at, if it runs."""
        entry: EvChargerHubConfigEntry | None = (
            self.hass.config_entries.async_get_entry(self._entry_id)
        )
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return None
        return entry.runtime_data

    def _placeholders(self) -> dict[str, str]:
        """Return what the texts of every step may name."""
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        known = issue.translation_placeholders if issue is not None else None
        entry = self.hass.config_entries.async_get_known_entry(self._entry_id)
        return {
            "address": UNKNOWN,
            "model": UNKNOWN,
            "vendor": UNKNOWN,
            **(known or {}),
            "name": plain(self._identity),
            "url": async_charger_url(self.hass, entry.data, self._identity),
        }

    def _suggested_name(self) -> str:
        """Return the name of a charger that the user has not named yet."""
        placeholders = self._placeholders()
        words = [placeholders["vendor"], placeholders["model"]]
        told = " ".join(word for word in words if word != UNKNOWN)
        return harmless(told or self._identity)


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that settles an issue."""
    if data is None:
        return ConfirmRepairFlow()
    if (reference := data.get(CONF_REFERENCE)) is not None:
        return TokenUnknownFlow(str(reference))
    if (pinned := data.get(CONF_PIN)) is not None:
        return PinProfileFlow(str(pinned))
    if (restart := data.get(CONF_RESTART)) is not None:
        return RestartFlow(str(restart))
    if (local := data.get(CONF_LOCAL)) is not None:
        return LocalRepairFlow(str(data[CONF_ENTRY_ID]), str(local))
    known = data
    return ChargerWaitingFlow(str(known[CONF_ENTRY_ID]), str(known[CONF_IDENTITY]))
