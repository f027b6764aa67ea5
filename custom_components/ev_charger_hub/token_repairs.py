"""Repairs: a token that nobody has added, and that was presented."""

from contextlib import suppress
from typing import Any

import probatio as vol

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import TextSelector

from .approval import async_start_where_presented
from .issues import UNKNOWN
from .station.tokens import IdToken, TokenStatus
from .storage import DATA
from .token_desk import Presentation
from .token_entries import async_put_token, default_name


class TokenUnknownFlow(RepairsFlow):
    """Let a token in that was refused, or keep it out for good."""

    def __init__(self, reference: str) -> None:
        """Start with the question about a token."""
        self._reference = reference

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask what to do with the token."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["approve", "block"],
            description_placeholders=self._placeholders(),
        )

    async def async_step_approve(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Let the token in; whoever still stands at the charger may charge at once."""
        if (question := self._question()) is None:
            return self.async_abort(reason="token_settled")
        if user_input is None:
            return self._show_form("approve")
        self._keep(question, user_input, TokenStatus.ACCEPTED)
        # Started or not, it may charge from now on, which is what was asked for.
        with suppress(HomeAssistantError):
            await async_start_where_presented(self.hass, question.id_token)
        return self.async_create_entry(data={})

    async def async_step_block(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Keep the token out."""
        if (question := self._question()) is None:
            return self.async_abort(reason="token_settled")
        if user_input is None:
            return self._show_form("block")
        self._keep(question, user_input, TokenStatus.BLOCKED)
        return self.async_create_entry(data={})

    def _show_form(self, step_id: str) -> RepairsFlowResult:
        """Ask for the name of the token."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema({vol.Required(CONF_NAME): TextSelector()}),
            description_placeholders=self._placeholders(),
        )

    def _keep(
        self, question: Presentation, user_input: dict[str, Any], status: TokenStatus
    ) -> None:
        """Add the token to the server where it was presented, which ends the issue."""
        name = user_input[CONF_NAME].strip() or default_name(question.id_token)
        async_put_token(
            self.hass,
            self.hass.config_entries.async_get_known_entry(question.entry_id),
            IdToken(token=question.id_token, name=name, status=status),
        )

    def _question(self) -> Presentation | None:
        """Return the question, unless it is settled already."""
        return self.hass.data[DATA].desk.questions.get(self._reference)

    def _placeholders(self) -> dict[str, str]:
        """Return what the texts of every step may name."""
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        known = issue.translation_placeholders if issue is not None else None
        return {"charger": UNKNOWN, "token": UNKNOWN, **(known or {})}
