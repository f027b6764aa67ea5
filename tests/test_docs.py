"""The examples in the documents work: every action, field and automation is real."""

from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from homeassistant.components.automation.config import PLATFORM_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.setup import async_setup_component

ROOT = Path(__file__).parents[1]
DOMAIN = "ev_charger_hub"
SERVICES = ROOT / "custom_components" / DOMAIN / "services.yaml"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    pytest.param(example, id=f"{document.name}-{number}")
    for document in DOCUMENTS
    for number, example in enumerate(
        re.findall(
            r"```yaml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL
        )
    )
]


def actions(node: Any) -> list[dict[str, Any]]:
    """Return every action step found anywhere in a parsed example."""
    if isinstance(node, list):
        return [found for one in node for found in actions(one)]
    if not isinstance(node, dict):
        return []
    below = [found for one in node.values() for found in actions(one)]
    return [node, *below] if "action" in node else below


@pytest.mark.parametrize("example", EXAMPLES)
async def test_example_is_valid(hass: HomeAssistant, example: str) -> None:
    """Home Assistant accepts the example, and our actions know its fields."""
    parsed = yaml.safe_load(example)
    services = yaml.safe_load(SERVICES.read_text(encoding="utf-8"))
    for automation in parsed.get("automation", ()) if isinstance(parsed, dict) else ():
        PLATFORM_SCHEMA(automation)
    if isinstance(parsed, dict):
        for script in parsed.get("script", {}).values():
            cv.SCRIPT_SCHEMA(script["sequence"])
    for step in actions(parsed):
        domain, _, name = step["action"].partition(".")
        if domain != DOMAIN:
            continue
        fields = services[name]["fields"]
        assert set(step.get("data", {})) <= set(fields)
        required = {key for key, one in fields.items() if one.get("required")}
        assert required <= set(step.get("data", {}))


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize("example", EXAMPLES)
async def test_values_of_an_example_are_valid(
    hass: HomeAssistant, example: str
) -> None:
    """What an example gives our actions is what they take, templates aside."""
    assert await async_setup_component(hass, DOMAIN, {})
    ours = hass.services.async_services_for_domain(DOMAIN)
    for step in actions(yaml.safe_load(example)):
        data = step.get("data", {})
        schema = (found := ours.get(step["action"].partition(".")[2])) and found.schema
        if schema and "{{" not in str(data):
            schema(data)


def test_every_action_is_documented_with_an_example() -> None:
    """docs/actions.md has a section and an example for each action."""
    text = (ROOT / "docs" / "actions.md").read_text(encoding="utf-8")
    for name in yaml.safe_load(SERVICES.read_text(encoding="utf-8")):
        assert f"## `{name}`" in text
        assert f"action: {DOMAIN}.{name}" in text


def test_links_between_documents_lead_somewhere() -> None:
    """No dead link, no missing picture."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)", text):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"
