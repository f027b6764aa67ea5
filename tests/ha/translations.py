"""Check that every text a flow, an issue or an error shows is in en.json."""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
import json
from pathlib import Path
import re
from typing import Any
from unittest.mock import patch

from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.config_entries import (
    ConfigEntriesFlowManager,
    ConfigSubentryFlowManager,
    OptionsFlowManager,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResultType, section
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from custom_components.ev_charger_hub.const import DOMAIN

EN = (
    Path(__file__).parents[2]
    / "custom_components"
    / DOMAIN
    / "translations"
    / "en.json"
)
_PLACEHOLDER = re.compile(r"{(\w+)}")


class Checker:
    """What is missing in en.json."""

    def __init__(self) -> None:
        """Start without problems."""
        self.texts: dict[str, Any] = json.loads(EN.read_text())
        self.problems: list[str] = []

    def text(self, path: str, placeholders: Mapping[str, Any] | None = None) -> bool:
        """Return whether a text exists; note the placeholders that it lacks."""
        node: Any = self.texts
        for part in path.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        if not isinstance(node, str):
            return False
        for missing in set(_PLACEHOLDER.findall(node)) - set(placeholders or {}):
            self.problems.append(f"{path}: nothing is put in for {{{missing}}}")
        return True

    def need(self, path: str, placeholders: Mapping[str, Any] | None = None) -> None:
        """Note a text that does not exist."""
        if not self.text(path, placeholders):
            self.problems.append(f"{path}: no text")

    def flow(self, prefix: str, result: Mapping[str, Any]) -> None:
        """Check the result of one step of a flow."""
        placeholders = result.get("description_placeholders")
        match result["type"]:
            case FlowResultType.FORM:
                self.form(prefix, result, placeholders)
            case FlowResultType.MENU:
                step = f"{prefix}.step.{result['step_id']}"
                self.text(f"{step}.description", placeholders)
                for option in result["menu_options"]:
                    self.need(f"{step}.menu_options.{option}", placeholders)
                    self.text(f"{step}.menu_option_descriptions.{option}", placeholders)
            case FlowResultType.SHOW_PROGRESS:
                self.need(f"{prefix}.step.{result['step_id']}.title")
                self.need(
                    f"{prefix}.progress.{result['progress_action']}", placeholders
                )
            case FlowResultType.ABORT if result.get("translation_domain") is None:
                self.need(f"{prefix}.abort.{result['reason']}", placeholders)

    def form(
        self,
        prefix: str,
        result: Mapping[str, Any],
        placeholders: Mapping[str, Any] | None,
    ) -> None:
        """Check a form: its title, its fields and its errors."""
        step = f"{prefix}.step.{result['step_id']}"
        self.need(f"{step}.title", placeholders)
        self.text(f"{step}.description", placeholders)
        for key, field in result["data_schema"].schema.items():
            if isinstance(field, section):
                self.need(f"{step}.sections.{key}.name")
                for inner in field.schema.schema:
                    self.field(f"{step}.sections.{key}", inner)
            else:
                self.field(step, key)
        for error in (result["errors"] or {}).values():
            self.need(f"{prefix}.error.{error}", placeholders)

    def field(self, step: str, key: object) -> None:
        """Check the texts of one field."""
        self.need(f"{step}.data.{key}")
        self.need(f"{step}.data_description.{key}")

    def issue(self, issue: ir.IssueEntry) -> None:
        """Check the texts of a repair issue."""
        path = f"issues.{issue.translation_key}"
        placeholders = issue.translation_placeholders
        self.need(f"{path}.title", placeholders)
        if not issue.is_fixable:
            self.need(f"{path}.description", placeholders)


def _prefix(manager: FlowManager[Any, Any, Any], flow: Any) -> str | None:
    """Return where the texts of a flow are, if it is one of ours."""
    hass: HomeAssistant = manager.hass
    match manager:
        case ConfigEntriesFlowManager() if flow.handler == DOMAIN:
            return "config"
        case OptionsFlowManager():
            entry = hass.config_entries.async_get_known_entry(flow.handler)
            return "options" if entry.domain == DOMAIN else None
        case ConfigSubentryFlowManager():
            return f"config_subentries.{flow.handler[1]}"
        case RepairsFlowManager() if flow.handler == DOMAIN:
            issue = ir.async_get(hass).async_get_issue(DOMAIN, flow.issue_id)
            key = issue.translation_key if issue is not None else _kind(flow.issue_id)
            return f"issues.{key}.fix_flow"
    return None


def _kind(issue_id: str) -> str:
    """Return which issue it was that is settled now."""
    kinds = ("charger_waiting", "token_unknown")
    return next(kind for kind in kinds if issue_id.startswith(kind))


@contextmanager
def checked_translations() -> Generator[list[str]]:
    """Collect what is missing while the tests run."""
    checker = Checker()
    handle_step = FlowManager._async_handle_step
    create_issue = ir.IssueRegistry.async_get_or_create
    init_error = HomeAssistantError.__init__

    async def checked_step(
        self: FlowManager[Any, Any, Any], flow: Any, *args: Any, **kwargs: Any
    ) -> Any:
        prefix = _prefix(self, flow)
        result = await handle_step(self, flow, *args, **kwargs)
        if prefix is not None:
            checker.flow(prefix, result)
        return result

    def checked_issue(
        self: ir.IssueRegistry, domain: str, *args: Any, **kwargs: Any
    ) -> Any:
        issue = create_issue(self, domain, *args, **kwargs)
        if domain == DOMAIN:
            checker.issue(issue)
        return issue

    def checked_error(self: HomeAssistantError, *args: Any, **kwargs: Any) -> None:
        init_error(self, *args, **kwargs)
        if self.translation_domain == DOMAIN:
            checker.need(
                f"exceptions.{self.translation_key}.message",
                self.translation_placeholders,
            )

    with ExitStack() as stack:
        for target, name, checked in (
            (FlowManager, "_async_handle_step", checked_step),
            (ir.IssueRegistry, "async_get_or_create", checked_issue),
            (HomeAssistantError, "__init__", checked_error),
        ):
            stack.enter_context(patch.object(target, name, checked))
        yield checker.problems
