"""Easee over OCPP: the messages that the documents show are what they say."""

from importlib.resources import files
import json
from pathlib import Path
import re
from typing import Any

from jsonschema import Draft4Validator
import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger import Charger
from ..ha.conftest import IDENTITY
from ..ha.entities import act, flush, state
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.quirks import quirks_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "ocpp-examples.md"
FRAMES: list[list[Any]] = [
    json.loads(found)
    for found in re.findall(
        r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
    )
]
FROM_CHARGER = {"BootNotification", "StatusNotification", "StopTransaction"}
EXAMPLES = [
    pytest.param(action, payload, id=f"{number}-{action}")
    for _, number, action, payload in FRAMES
]


def matches(schema: str, payload: Any) -> None:
    """Assert that the official schema, which tolerates nothing, allows a payload."""
    text = (files("ocpp") / "v16" / "schemas" / f"{schema}.json").read_text("utf-8-sig")
    Draft4Validator(json.loads(text)).validate(payload)


@pytest.mark.conformance("EASEE_S12")
def test_every_kind_of_example_is_there() -> None:
    assert [number for _, number, *_ in FRAMES] == [
        str(number) for number in range(1, len(FRAMES) + 1)
    ]
    assert {action for *_, action, _ in FRAMES} == FROM_CHARGER | {
        "ClearChargingProfile",
        "DataTransfer",
        "GetCompositeSchedule",
        "SetChargingProfile",
    }


@pytest.mark.conformance("EASEE_S12")
@pytest.mark.parametrize(("action", "payload"), EXAMPLES)
async def test_an_example_is_valid_and_arrives(
    hass: HomeAssistant, easee: Charger, action: str, payload: dict[str, Any]
) -> None:
    """Answered if the charger says it, unchanged on the line if we do."""
    matches(action, payload)
    if action in FROM_CHARGER:
        matches(f"{action}Response", await easee.call(action, payload))
        return
    easee.received.clear()
    await act(hass, "call", action=action, payload=payload)
    assert easee.calls(action) == [payload]


@pytest.mark.conformance("EASEE_S12")
async def test_the_examples_of_a_charger_mean_what_they_say(
    hass: HomeAssistant, hub: OcppHub, easee: Charger
) -> None:
    said = [(action, payload) for *_, action, payload in FRAMES]
    boot, fault, suspension, stop = [one for one in said if one[0] in FROM_CHARGER]
    await easee.call(*boot)
    info = hub.stations[IDENTITY].station.info.value
    assert quirks_of(info).personality == "easee-cloud"
    await easee.call(*fault)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == "219"
    await easee.call(*suspension)
    await flush(hass)
    reason = state(hass, "sensor", "CP01_1_no_current_reason")
    assert reason == "charger_dynamic_too_low"
    number = await easee.start(meter=12_340_000, id_tag="AF18EE010486FF3E")
    await easee.call(stop[0], stop[1] | {"transactionId": number})
    (session,) = (await act(hass, "get_sessions", signed=True))["sessions"]
    (signed,) = session["signed_values"]
    samples = stop[1]["transactionData"][1]["sampledValue"]
    assert signed["value"] == samples[0]["value"]
    assert session["energy"] == 5678
