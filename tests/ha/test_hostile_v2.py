"""Chargers of OCPP 2.x that were let in and tell too much: what it costs is bounded."""

import pytest

from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

from .charger import now
from .charger_v2 import Charger2
from .entities import entity_id
from custom_components.ev_charger_hub.event import AT_ONCE

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")


async def test_a_flood_of_events_is_no_flood_of_states(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    shown: list[State] = []

    @callback
    def take(event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) is not None:
            shown.append(state)

    async_track_state_change_event(
        hass, entity_id(hass, "event", "CP01_variable"), take
    )
    number = 0
    for _ in range(4):
        told = []
        for _ in range(AT_ONCE):
            number += 1
            told.append(
                {
                    "eventId": number,
                    "timestamp": now(),
                    "trigger": "Delta",
                    "actualValue": str(number),
                    "eventNotificationType": "HardWiredNotification",
                    "component": {"name": "Made"},
                    "variable": {"name": "Up"},
                }
            )
        payload = {"generatedAt": now(), "seqNo": 0, "eventData": told}
        assert await charger2.call("NotifyEvent", payload) == {}
    # What is of another kind is shown all the same.
    alarm = {**told[0], "eventId": 0, "trigger": "Alerting", "actualValue": "7"}
    payload = {"generatedAt": now(), "seqNo": 0, "eventData": [alarm]}
    assert await charger2.call("NotifyEvent", payload) == {}
    await hass.async_block_till_done()
    kinds = [one.attributes["event_type"] for one in shown]
    assert kinds.count("changed") in range(AT_ONCE, 2 * AT_ONCE)
    assert kinds.count("alert") == 1


@pytest.mark.parametrize("info", [None, {}, [], 7, {"transactionLimit": 7}])
async def test_an_event_without_an_id_is_answered_in_peace(
    hass: HomeAssistant,
    charger2: Charger2,
    caplog: pytest.LogCaptureFixture,
    info: object,
) -> None:
    await charger2.begin()
    event = {
        "eventType": "Updated",
        "timestamp": now(),
        "triggerReason": "Trigger",
        "seqNo": 1,
        "evse": {"id": 1},
        "transactionInfo": info,
    }
    assert await charger2.call("TransactionEvent", event) == {}
    assert "Traceback" not in caplog.text
