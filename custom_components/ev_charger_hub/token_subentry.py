"""Flow of a token: a subentry of an OCPP server."""

import asyncio
from typing import Any, Final, override

import probatio as vol

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .issues import plain
from .station.tokens import IdToken
from .storage import DATA
from .token_entries import (
    CONF_TOKEN,
    async_find_token,
    read_token,
    token_data,
    token_id,
    token_problem,
)
from .token_form import (
    async_charger_options,
    async_token_fields,
    form_of_token,
    form_problem,
    token_of_form,
)

CONF_CHARGER: Final = "charger"
ANY: Final = "any"


class TokenSubentryFlow(ConfigSubentryFlow):
    """Add a token, by presenting it or by typing it, or change one."""

    def __init__(self) -> None:
        """Start without a token."""
        self._token = ""
        self._charger: str | None = None
        self._learning: asyncio.Task[str | None] | None = None

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose how the token gets here."""
        return self.async_show_menu(step_id="user", menu_options=["present", "type"])

    # By presenting it

    async def async_step_present(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask at which charger the token will be presented."""
        if user_input is not None:
            chosen = user_input[CONF_CHARGER]
            self._charger = None if chosen == ANY else chosen.removeprefix("/")
            self._learning = None
            return await self.async_step_learn()
        selector = SelectSelector(
            SelectSelectorConfig(
                mode=SelectSelectorMode.DROPDOWN,
                options=[
                    SelectOptionDict(value=ANY, label="Any charger"),
                    # No identity has a slash, and one may be what means any.
                    *(
                        SelectOptionDict(value=f"/{one['value']}", label=one["label"])
                        for one in async_charger_options(self.hass)
                    ),
                ],
                translation_key="token_reader",
            )
        )
        return self.async_show_form(
            step_id="present",
            data_schema=vol.Schema({vol.Required(CONF_CHARGER, default=ANY): selector}),
        )

    async def async_step_learn(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Wait until a token is presented."""
        if self._learning is None:
            self._learning = self.hass.async_create_background_task(
                self.hass.data[DATA].desk.async_learn(self._charger),
                "ev_charger_hub learn a token",
            )
        if not self._learning.done():
            return self.async_show_progress(
                step_id="learn",
                progress_action="learn",
                progress_task=self._learning,
            )
        ended = self._learning
        if ended.cancelled() or (learnt := ended.result()) is None:
            return self.async_show_progress_done(next_step_id="not_seen")
        self._token = learnt
        return self.async_show_progress_done(next_step_id="learnt")

    async def async_step_not_seen(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Tell that no token was presented in time."""
        return self.async_show_menu(
            step_id="not_seen", menu_options=["present", "type"]
        )

    async def async_step_learnt(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask whose token it is that was presented, unless that is known."""
        if (found := async_find_token(self.hass, self._token)) is not None:
            return self.async_abort(
                reason="token_known", description_placeholders={"name": found[1].title}
            )
        if token_problem(self._token) is not None:
            return self.async_abort(reason="token_unusable")
        errors = form_problem(user_input) if user_input is not None else {}
        if user_input is not None and not errors:
            return self._create(token_of_form(self._token, user_input))
        return self.async_show_form(
            step_id="learnt",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(async_token_fields(self.hass)), user_input
            ),
            description_placeholders={"token": plain(self._token)},
            errors=errors,
        )

    # By typing it

    async def async_step_type(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for a token and whose it is."""
        errors: dict[str, str] = {}
        if user_input is not None:
            token = user_input[CONF_TOKEN].strip()
            errors = form_problem(user_input)
            if problem := token_problem(token):
                errors[CONF_TOKEN] = problem
            elif async_find_token(self.hass, token) is not None:
                errors[CONF_TOKEN] = "token_taken"
            if not errors:
                return self._create(token_of_form(token, user_input))
        schema = vol.Schema(
            {vol.Required(CONF_TOKEN): TextSelector(), **async_token_fields(self.hass)}
        )
        return self.async_show_form(
            step_id="type",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
        )

    def _create(self, token: IdToken) -> SubentryFlowResult:
        """Write a new subentry."""
        return self.async_create_entry(
            title=token.name, data=token_data(token), unique_id=token_id(token.token)
        )

    # Change

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a token: its name, whether it is blocked, and what it is good for."""
        subentry = self._get_reconfigure_subentry()
        token = read_token(subentry)
        errors = form_problem(user_input) if user_input is not None else {}
        if user_input is not None and not errors:
            changed = token_of_form(token.token, user_input)
            return self.async_update_and_abort(
                self._get_entry(),
                subentry,
                data=token_data(changed),
                title=changed.name,
            )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(async_token_fields(self.hass, token)),
                user_input or form_of_token(token),
            ),
            description_placeholders={"token": plain(token.token)},
            errors=errors,
        )

    @callback
    @override
    def async_remove(self) -> None:
        """Wait for no token any more, because nobody looks."""
        if self._learning is not None:
            self._learning.cancel()
