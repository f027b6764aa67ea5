"""Every message that a 2.x charger may send is answered, as the book has it."""

from importlib.resources import files
import json
from typing import Any

from jsonschema import Draft202012Validator
import pytest

from homeassistant.core import HomeAssistant

from .charger import Refusal
from .charger_v2 import Charger2
from .conftest import Charger2Factory
from .entities import flush, state
from custom_components.ev_charger_hub.ocpp.dialect import STATION_ACTIONS, Dialect

type Schema = dict[str, Any]

FOLDERS = {Dialect.V201: "ocpp.v201", Dialect.V21: "ocpp.v21"}
SENT = "NotifyPeriodicEventStream"
"""It is not asked but sent (N15): there is no answer to it."""
MESSAGES = [
    (dialect, action)
    for dialect in FOLDERS
    for action in sorted(STATION_ACTIONS[dialect] - {SENT})
]
TEXTS = {"date-time": "2026-01-01T00:00:00Z", "uri": "https://example.org/"}


def schema(dialect: Dialect, name: str) -> Schema:
    """Return a schema of the Open Charge Alliance."""
    path = files(FOLDERS[dialect]).joinpath("schemas", f"{name}.json")
    found: Schema = json.loads(path.read_text(encoding="utf-8-sig"))
    return found


def example(part: Schema, whole: Schema, *, full: bool) -> Any:
    """Return something that a schema allows, with all that is optional or with none."""
    if "$ref" in part:
        part = whole["definitions"][part["$ref"].rpartition("/")[2]]
    if "enum" in part:
        return part["enum"][0]
    match part.get("type"):
        case "object":
            known = part.get("properties", {})
            wanted = known if full else part.get("required", ())
            return {
                name: example(known[name], whole, full=full)
                for name in wanted
                if name != "customData"
            }
        case "array":
            return [example(part["items"], whole, full=full)]
        case "string":
            return TEXTS.get(part.get("format", ""), "1")[: part.get("maxLength")]
        case "boolean":
            return False
        case "integer" | "number":
            return max(1, part.get("minimum", 1))
    return "1"


@pytest.mark.peer("B-25")
@pytest.mark.parametrize("full", [False, True], ids=["short", "full"])
@pytest.mark.parametrize(("dialect", "action"), MESSAGES)
async def test_a_valid_message_gets_a_valid_answer(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    dialect: Dialect,
    action: str,
    full: bool,
) -> None:
    charger = await charger2_ws(version=dialect.version)
    asked = schema(dialect, f"{action}Request")
    answer = await charger.call(action, example(asked, asked, full=full))
    checked = Draft202012Validator(schema(dialect, f"{action}Response"))
    assert [one.message for one in checked.iter_errors(answer)] == []


@pytest.mark.peer("B-25")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_whatever_is_no_message_of_a_charger_is_refused_and_answered(
    hass: HomeAssistant, charger2_ws: Charger2Factory, version: str
) -> None:
    charger = await charger2_ws(version=version)
    for action in ("Reset", "GetVariables", "Invented", "StartTransaction", "Ping Me"):
        with pytest.raises(Refusal) as refused:
            await charger.call(action, {})
        assert refused.value.code in {"NotImplemented", "NotSupported"}
    assert await charger.call("Heartbeat")


@pytest.mark.peer("B-27")
async def test_a_faulted_connector_keeps_its_entities(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.connector_status("Faulted")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "faulted"
    assert state(hass, "sensor", "CP01_1_error_code") == "OtherError"
    assert state(hass, "number", "CP01_1_current_limit") == "32.0"
    assert state(hass, "switch", "CP01_1_charge_control") == "off"
