"""The examples in the documents work: every action, field and automation is real."""

import ast
from collections.abc import Iterator
from importlib.resources import files
from inspect import getmembers, iscoroutinefunction
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from homeassistant.components.automation.config import PLATFORM_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.setup import async_setup_component

from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.ocpp.dialect import STATION_ACTIONS, Dialect
from simulators.charging_station.v2.handlers import Handlers

ROOT = Path(__file__).parents[1]
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


def rows(document: str) -> Iterator[list[str]]:
    """Yield the cells of the table rows of a document that begin with code."""
    for line in (ROOT / "docs" / document).read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def functions_of(path: Path) -> set[str]:
    """Return the names of the test functions of a file."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {one.name for one in body if isinstance(one, kinds)}


def test_every_handler_of_a_station_has_a_row_and_a_test() -> None:
    """docs/ocpp-2.md tells of each handler, and the test that it names exists."""
    known = {name for name, _ in getmembers(Handlers, iscoroutinefunction)}
    there = functions_of(ROOT / "tests" / "ha" / "test_handlers_v2.py")
    told = {}
    for handler, *_, test in rows("ocpp-2.md"):
        told[handler.strip("`")] = test.strip("`")
    assert set(told) == known
    assert set(told.values()) <= there
    assert told == {name: f"test_{name}" for name in known}


EASEE_HASS = {
    "action_command",
    "set_basic_charge_plan",
    "set_charger_access",
    "set_charger_dynamic_limit",
    "set_charger_max_limit",
    "set_charger_ocpp",
    "set_charger_phase_mode",
    "set_charging_cost",
    "set_circuit_dynamic_limit",
    "set_circuit_max_limit",
    "set_circuit_offline_limit",
    "set_operator",
    "set_surplus_charging",
    "set_weekly_charge_plan",
    "smart_charging",
}
"""The actions of easee_hass 0.9.74."""


def test_every_action_of_easee_hass_has_one_of_ours() -> None:
    """docs/easee.md compares all fifteen, and what it names instead exists."""
    text = (ROOT / "docs" / "easee.md").read_text(encoding="utf-8")
    section = text.partition("### Actions compared")[2].partition("\n## ")[0]
    told = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            theirs, ours, _ = line.strip("|").split(" | ")
            told[theirs.strip(" `")] = set(re.findall(r"`(\w+)`", ours))
    assert told.keys() == EASEE_HASS
    services = yaml.safe_load(SERVICES.read_text(encoding="utf-8"))
    assert all(told.values())
    assert set().union(*told.values()) <= services.keys()


def messages(folder: str) -> set[str]:
    """Return the messages that the schemas of a version know."""
    names = (one.name for one in files(folder).joinpath("schemas").iterdir())
    ending = "Request.json"
    found = {name.removesuffix(ending) for name in names if name.endswith(ending)}
    # What is sent without being asked for has one schema only (2.1 N15).
    return found | ({"NotifyPeriodicEventStream"} if folder == "ocpp.v21" else set())


def directed(dialect: Dialect, folder: str) -> set[tuple[str, str]]:
    """Return the messages of a version with the ways that they go."""
    up = STATION_ACTIONS[dialect]
    down = (messages(folder) - up) | {"DataTransfer"}
    return {(one, "from the charger") for one in up} | {
        (one, "to the charger") for one in down
    }


def test_every_message_of_2_x_has_a_row_and_a_test() -> None:
    """docs/ocpp-messages.md has 65 rows for 2.0.1 and the 27 that 2.1 adds."""
    first = directed(Dialect.V201, "ocpp.v201")
    added = directed(Dialect.V21, "ocpp.v21") - first
    assert (len(first), len(added)) == (65, 27)
    told = [(name.strip("`"), way) for name, way, *_ in rows("ocpp-messages.md")]
    assert len(told) == 92
    assert set(told[:65]) == first
    assert set(told[65:]) == added


@pytest.mark.parametrize("row", rows("ocpp-messages.md"), ids=lambda row: row[0])
def test_the_test_of_a_message_exists(row: list[str]) -> None:
    """It is where the row says, and has to do with Home Assistant."""
    name, _, what, test = row
    path, _, function = test.strip("`").partition("::")
    assert path.startswith(("conformance/", "ha/", "system/")), name
    assert what
    assert function in functions_of(ROOT / "tests" / path)
