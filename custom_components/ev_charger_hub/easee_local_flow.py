"""The part of an account's options that moves a charger to local OCPP, step by step."""

from collections.abc import Collection
from typing import Any, Final, override

import probatio as vol

from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_URL
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .const import CONF_POLICY, DEFAULT_HOST, DEFAULT_PORT, DOMAIN
from .easee.local_address import problems_of
from .easee.local_problems import Check, Problem
from .easee_form import CONF_CHARGER, charger_schema
from .easee_hub import EaseeHub
from .easee_local_address import ANY_PASSWORD, async_details, async_own_addresses
from .easee_local_errors import LocalRefused, Refusal
from .easee_local_findings import Findings, ServerChoice
from .easee_local_state_flow import (
    CONF_SERVER,
    TROUBLES,
    LocalStateFlow,
    explained,
    server_schema,
)
from .easee_local_words import Words
from .models import EvChargerHubConfigEntry
from .ocpp.waiting import AdmissionPolicy
from .tls_form import SECTION_TLS

CONF_CHARGE_WHEN_AWAY: Final = "charge_when_away"
CONF_GO_ON: Final = "go_on"

_PORT_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
            NumberSelector(
                NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
            ),
            vol.Coerce(int),
        )
    }
)
_GO_ON: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_GO_ON, default=False): BooleanSelector()
}
_AWAY_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_CHARGE_WHEN_AWAY, default=True): BooleanSelector()}
)
_LOOK_AGAIN: Final = frozenset({Refusal.NOT_CONFIRMED, Refusal.STOPPED})
"""What has changed since it was looked at."""


class LocalFlow(LocalStateFlow):
    """Move a charger to an OCPP server, with everything that has to be known before."""

    def __init__(self) -> None:
        """Begin with nothing found out."""
        super().__init__()
        self._found: Findings | None = None
        self._choice: ServerChoice | None = None
        self._url = ""
        self._confirmed: set[Check] = set()

    async def async_step_local(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which charger is meant, if there are several."""
        if (hub := self._hub()) is None:
            return self._gone()
        names = {
            serial: f"{one.name} ({serial})"
            for serial, one in hub.local.chargers.items()
        }
        if not names:
            return self.async_abort(reason="no_chargers")
        if user_input is None and len(names) > 1:
            return self.async_show_form(
                step_id="local", data_schema=charger_schema(names)
            )
        self._serial = (
            next(iter(names)) if user_input is None else user_input[CONF_CHARGER]
        )
        return await self.async_step_local_state()

    # Whether it can be moved

    @override
    async def async_step_local_checks(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look whether the charger can be moved, and show what was found."""
        found = self._found
        if found is None or user_input is None:
            return await self._async_look()
        if found.warnings and not user_input[CONF_GO_ON]:
            return await self._async_show_checks(found, {CONF_GO_ON: "local_confirm"})
        self._confirmed = {one.check for one in found.warnings}
        return await self.async_step_local_server()

    async def _async_look(self) -> ConfigFlowResult:
        """Find out what there is to know."""
        if (charger := self._charger()) is None:
            return self._gone()
        try:
            self._found = await charger.examine()
        except TROUBLES as err:
            said = {"charger": charger.name}
            return self.async_show_form(
                step_id="local_unanswered",
                data_schema=vol.Schema({}),
                errors=explained(err, said),
                description_placeholders=said,
            )
        return await self._async_show_checks(self._found, {})

    async def async_step_local_unanswered(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look again, after the cloud did not tell."""
        return await self._async_look()

    async def _async_show_checks(
        self, found: Findings, errors: dict[str, str]
    ) -> ConfigFlowResult:
        """Show what was found, with a way on if there is one."""
        words = await Words.async_load(self.hass)
        said = {"charger": found.name, "checks": words.checks(found)}
        if found.stops:
            self._foreign = next(
                (
                    one.detail
                    for one in found.stops
                    if one.check is Check.FOREIGN_CONFIGURATION
                ),
                "",
            )
            return self.async_show_menu(
                step_id="local_stopped",
                menu_options=["local_checks", "local_adopt"]
                if found.adoptable
                else ["local_checks"],
                description_placeholders=said,
            )
        return self.async_show_form(
            step_id="local_checks",
            data_schema=vol.Schema(_GO_ON if found.warnings else {}),
            description_placeholders=said,
            errors=errors,
        )

    async def async_step_local_stopped(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look again."""
        return await self._async_look()

    # Where it is moved to

    async def async_step_local_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which server is meant, if there are several; have one added if none."""
        assert self._found is not None
        choices = {one.entry.entry_id: one for one in self._found.servers}
        running = {key: one for key, one in choices.items() if one.running}
        if not choices:
            return await self.async_step_local_new_server()
        if not running:
            return self.async_show_menu(
                step_id="local_server_stopped",
                menu_options=["local_checks"],
                description_placeholders={
                    "charger": self._found.name,
                    "server": self._found.servers[0].entry.title,
                },
            )
        if user_input is None and len(running) > 1:
            entries = {key: one.entry for key, one in running.items()}
            return self.async_show_form(
                step_id="local_server",
                data_schema=server_schema(entries),
                description_placeholders={"charger": self._found.name},
            )
        chosen = next(iter(running)) if user_input is None else user_input[CONF_SERVER]
        self._choice = running[chosen]
        return await self.async_step_local_address()

    async def async_step_local_server_stopped(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look again."""
        return await self._async_look()

    async def async_step_local_new_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add a server as the user could do it, if there is none at all."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._async_add_server(user_input[CONF_PORT])
            if not errors:
                return await self._async_look()
        return self.async_show_form(
            step_id="local_new_server",
            data_schema=self.add_suggested_values_to_schema(_PORT_SCHEMA, user_input),
            errors=errors,
        )

    async def _async_add_server(self, port: int) -> dict[str, str]:
        """Add a server; return what keeps it from being added."""
        flows = self.hass.config_entries.flow
        result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
        flow_id = result["flow_id"]
        await flows.async_configure(flow_id, {"next_step_id": "server"})
        result = await flows.async_configure(
            flow_id,
            {
                CONF_HOST: DEFAULT_HOST,
                CONF_PORT: port,
                CONF_POLICY: AdmissionPolicy.ASK,
                SECTION_TLS: {},
            },
        )
        if result["type"] is FlowResultType.CREATE_ENTRY:
            return {}
        if result["type"] is FlowResultType.FORM:
            flows.async_abort(flow_id)
        return result.get("errors") or {CONF_PORT: "port_in_use"}

    async def async_step_local_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask by which address the charger reaches the server."""
        assert self._found is not None
        assert self._choice is not None
        choice, errors = self._choice, dict[str, str]()
        best = next(iter(choice.urls), None)
        url = "" if best is None else best.url
        problems: tuple[Problem, ...] = () if best is None else best.problems
        if user_input is not None:
            url = user_input[CONF_URL].strip()
            problems = await self._async_problems(choice, url)
            errors = _address_errors(problems, user_input.get(CONF_GO_ON, False))
            if not errors:
                self._url = url
                self._confirmed |= {one.check for one in problems}
                return await self.async_step_local_consequences()
        words = await Words.async_load(self.hass)
        return self.async_show_form(
            step_id="local_address",
            data_schema=self.add_suggested_values_to_schema(
                _address_schema(choice, problems), {CONF_URL: url}
            ),
            description_placeholders={
                "charger": self._found.name,
                "server": choice.entry.title,
                "warnings": words.warnings(problems),
            },
            errors=errors,
        )

    async def _async_problems(
        self, choice: ServerChoice, url: str
    ) -> tuple[Problem, ...]:
        """Return what stands against an address."""
        for one in choice.urls:
            if one.url == url:
                return one.problems
        details = await async_details(
            self.hass, choice.entry, url, self._serial, ANY_PASSWORD
        )
        return problems_of(details, await async_own_addresses(self.hass))

    # What follows from it

    async def async_step_local_consequences(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what will be different, and begin once the user is sure."""
        assert self._found is not None
        assert self._choice is not None
        if (hub := self._hub()) is None or self._charger() is None:
            return self._gone()
        found, server, errors = self._found, self._choice.entry, dict[str, str]()
        words = await Words.async_load(self.hass)
        said = {
            "charger": found.name,
            "server": server.title,
            "session": words.session(found.consequences),
            "tokens": words.tokens(server),
        }
        if user_input is not None:
            try:
                return await self._async_begin(hub, server, user_input)
            except TROUBLES as err:
                errors = explained(err, said)
        return self.async_show_form(
            step_id="local_consequences",
            data_schema=_AWAY_SCHEMA,
            description_placeholders=said,
            errors=errors,
        )

    async def _async_begin(
        self,
        hub: EaseeHub,
        server: EvChargerHubConfigEntry,
        user_input: dict[str, Any],
    ) -> ConfigFlowResult:
        """Move the charger, unless what was looked at has changed meanwhile."""
        try:
            await hub.local.begin(
                self._serial,
                server,
                self._url,
                confirmed=self._confirmed,
                charge_when_away=user_input[CONF_CHARGE_WHEN_AWAY],
            )
        except LocalRefused as err:
            if err.refusal in _LOOK_AGAIN:
                return await self._async_look()
            if err.refusal is Refusal.ALREADY and hub.local.decisions(self._serial):
                return await self.async_step_local_state()
            raise
        self._decided = "begin"
        return await self.async_step_local_progress()


def _address_schema(choice: ServerChoice, problems: Collection[Problem]) -> vol.Schema:
    """Return the form of an address, with what is suggested, to be chosen or typed."""
    selector = SelectSelector(
        SelectSelectorConfig(
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
            options=[one.url for one in choice.urls if one.possible],
        )
    )
    insist = bool(problems) and all(one.overridable for one in problems)
    return vol.Schema({vol.Required(CONF_URL): selector, **(_GO_ON if insist else {})})


def _address_errors(problems: Collection[Problem], insists: bool) -> dict[str, str]:
    """Return what is wrong with an address, or has to be confirmed."""
    if any(not one.overridable for one in problems):
        return {CONF_URL: "local_address_wrong"}
    return {CONF_GO_ON: "local_confirm"} if problems and not insists else {}
