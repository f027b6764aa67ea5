"""What goes wrong elsewhere with settings of chargers does not go wrong here."""

from typing import Any

import pytest

from homeassistant.components.persistent_notification import (
    _async_get_or_create_notifications,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .charger import ACCEPTED, Payload
from .charger_v2 import Charger2, named
from .conftest import IDENTITY, Charger2Factory, set_up
from .entities import act, entity_id, exists, flush, state
from custom_components.ev_charger_hub.hub import OcppHub

HEARTBEAT = "OCPPCommCtrlr.HeartbeatInterval"
PASSWORD = "SecurityCtrlr.BasicAuthPassword"


def everything(charger: Charger2) -> Payload:
    """Return an answer that tells of all variables, one of them without a value."""
    results: list[Payload] = [
        {"attributeStatus": "Accepted", "attributeValue": value, **named(name)}
        for name, (value, _) in sorted(charger.variables.items())
    ]
    results.insert(0, {"attributeStatus": "Rejected", **named(PASSWORD)})
    return {"getVariableResult": results}


@pytest.mark.peer("B-28")
async def test_the_answer_is_found_wherever_it_stands(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    """A charger may answer with all it has, in its own order, and without values."""
    charger2.answers["GetVariables"] = everything(charger2)
    response = await act(hass, "get_configuration", keys=[HEARTBEAT, PASSWORD])
    assert response["configuration"] == [
        {"key": HEARTBEAT, "value": "300", "readonly": False},
        {"key": PASSWORD, "value": None, "readonly": False},
    ]
    assert response["unknown_keys"] == []


@pytest.mark.peer("B-28")
async def test_features_are_known_although_every_answer_is_everything(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(boots=False)
    charger.answers["GetBaseReport"] = {"status": "NotSupported"}
    charger.answers["GetVariables"] = everything(charger)
    await charger.boot()
    await charger.connector_status("Available")
    await set_up(hub, charger)
    await flush(hass)
    assert state(hass, "number", "CP01_1_current_limit") == "32.0"
    assert hub.stations[IDENTITY].station.findings["limits"].startswith("ok")


@pytest.mark.peer("B-29")
async def test_what_is_read_only_is_not_offered_and_its_refusal_is_told(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    name = "SmartChargingCtrlr.PeriodsPerSchedule"
    assert not exists(hass, "number", f"{IDENTITY}_variable_{name.lower()}")
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "set_configuration", key=name, value="48")
    assert raised.value.translation_key == "rejected"
    assert charger2.variables[name] == ("24", True)


@pytest.mark.peer("B-29")
@pytest.mark.parametrize(
    "answer", [{}, {"setVariableResult": None}, {"setVariableResult": []}]
)
async def test_an_answer_that_says_nothing_is_an_error(
    hass: HomeAssistant, charger2: Charger2, answer: dict[str, Any]
) -> None:
    charger2.answers["SetVariables"] = answer
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "set_configuration", key=HEARTBEAT, value="48")
    assert raised.value.translation_key == "rejected"
    response = await act(hass, "get_configuration", keys=[HEARTBEAT])
    assert response["configuration"][0]["value"] == "300"


@pytest.mark.peer("B-30")
async def test_a_new_limit_asks_for_no_variables_and_notifies_nobody(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.received.clear()
    entity = entity_id(hass, "number", "CP01_1_current_limit")
    await hass.services.async_call(
        "number", "set_value", {ATTR_ENTITY_ID: entity, "value": 10}, blocking=True
    )
    await flush(hass)
    assert charger2.calls("SetChargingProfile")
    assert charger2.calls("GetVariables") == []
    assert charger2.calls("GetBaseReport") == []
    assert not _async_get_or_create_notifications(hass)


@pytest.mark.peer("B-31")
async def test_an_inventory_in_many_parts_is_whole(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    """Parts come in any order, and twice, and mixed with a report of somebody else."""
    charger = await charger2_ws(boots=False)
    names = [*charger.variables]
    parts = [charger.entries(name) for name in names]

    def answer(payload: Payload) -> Payload:
        foreign = {"requestId": payload["requestId"] + 1000, "tbc": False, "seqNo": 0}
        reports = [
            {
                "requestId": payload["requestId"],
                "seqNo": number,
                "tbc": number + 1 < len(parts),
                "reportData": part,
            }
            for number, part in enumerate(parts)
        ]
        for report in (*reversed(reports[1:]), foreign, reports[1], reports[0]):
            told = {"generatedAt": "2026-11-21T10:00:00Z", **report}
            charger._spawn("NotifyReport", told)
        return dict(ACCEPTED)

    charger.answers["GetBaseReport"] = answer
    await charger.boot()
    await charger.connector_status("Available")
    await set_up(hub, charger)
    await flush(hass)
    finding = hub.stations[IDENTITY].station.findings["configuration"]
    assert finding == f"ok: {len(names)} variables"
    assert len(charger.calls("GetBaseReport")) == 1


@pytest.mark.peer("B-31")
async def test_every_question_has_a_number_of_its_own(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    for _ in range(2):
        await act(hass, "get_base_report", report="full")
    numbers = [one["requestId"] for one in charger2.calls("GetBaseReport")]
    assert len({*numbers}) == len(numbers) > 1
