"""OCPP 2.x, block G: statuses, faults, and taking places out of service."""

from datetime import UTC, datetime
from typing import Any

import pytest

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant

from ..ha.charger_v2 import Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, entity_id, flush, state
from .answers import sessions
from custom_components.ev_charger_hub.ocpp import availability

STATUS = "CP01_1_status"
BOTH = pytest.mark.parametrize("version", ["2.0.1", "2.1"])

type Switch = tuple[str, dict[str, Any], list[tuple[int, int]]]
"""The switch, the place that is asked for, and the connectors that follow."""

STATION: Switch = ("CP01_in_service", {}, [(1, 1), (1, 2), (2, 1)])
EVSE: Switch = ("CP01_1_availability", {"evse": {"id": 1}}, [(1, 1), (1, 2)])
PLUG: Switch = (
    "CP01_1_plug_2_availability",
    {"evse": {"id": 1, "connectorId": 2}},
    [(1, 2)],
)
LEVELS = (
    pytest.param(*EVSE, marks=pytest.mark.conformance("TC_G_03_CSMS")),
    pytest.param(*STATION, marks=pytest.mark.conformance("TC_G_05_CSMS")),
    pytest.param(*PLUG, marks=pytest.mark.conformance("TC_G_07_CSMS")),
)
BACK = (
    pytest.param(*EVSE, marks=pytest.mark.conformance("TC_G_04_CSMS")),
    pytest.param(*STATION, marks=pytest.mark.conformance("TC_G_06_CSMS")),
    pytest.param(*PLUG, marks=pytest.mark.conformance("TC_G_08_CSMS")),
)
BUSY = (
    pytest.param(*EVSE, marks=pytest.mark.conformance("TC_G_11_CSMS")),
    pytest.param(*STATION, marks=pytest.mark.conformance("TC_G_14_CSMS")),
    pytest.param(*PLUG, marks=pytest.mark.conformance("TC_G_17_CSMS")),
)


async def flip(hass: HomeAssistant, unique_id: str, *, on: bool) -> None:
    """Flip a switch as a person does."""
    await hass.services.async_call(
        "switch",
        "turn_on" if on else "turn_off",
        {"entity_id": entity_id(hass, "switch", unique_id)},
        blocking=True,
    )


async def report(
    hass: HomeAssistant, charger: Charger2, places: list[tuple[int, int]], status: str
) -> None:
    """Report the same status of some connectors."""
    for place in places:
        await charger.connector_status(status, *place)
    await flush(hass)


@BOTH
@pytest.mark.parametrize(("switch", "place", "places"), LEVELS)
@pytest.mark.conformance("UC_G03")
async def test_a_place_is_taken_out_of_service(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    version: str,
    switch: str,
    place: dict[str, Any],
    places: list[tuple[int, int]],
) -> None:
    charger = await charger2_ws(version=version, evses={1: 2, 2: 1})
    await flush(hass)
    assert state(hass, "switch", switch) == STATE_ON
    await flip(hass, switch, on=False)
    expected = {"operationalStatus": "Inoperative", **place}
    assert charger.calls("ChangeAvailability") == [expected]
    await report(hass, charger, places, "Unavailable")
    assert state(hass, "switch", switch) == STATE_OFF
    still = STATE_OFF if len(places) == 3 else STATE_ON
    assert state(hass, "switch", "CP01_2_availability") == still


@BOTH
@pytest.mark.parametrize(("switch", "place", "places"), BACK)
@pytest.mark.conformance("UC_G04")
async def test_a_place_is_taken_back_into_service(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    charger2_ws: Charger2Factory,
    version: str,
    switch: str,
    place: dict[str, Any],
    places: list[tuple[int, int]],
) -> None:
    # A station that has just started is believed at once.
    monkeypatch.setattr(availability, "PREMATURE", 0.0)
    charger = await charger2_ws(version=version, evses={1: 2, 2: 1})
    await report(hass, charger, places, "Unavailable")
    assert state(hass, "switch", switch) == STATE_OFF
    await flip(hass, switch, on=True)
    expected = {"operationalStatus": "Operative", **place}
    assert charger.calls("ChangeAvailability") == [expected]
    await report(hass, charger, places, "Available")
    assert state(hass, "switch", switch) == STATE_ON


@BOTH
@pytest.mark.parametrize(("switch", "place", "places"), BUSY)
async def test_a_place_in_use_goes_out_of_service_after_the_session(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    version: str,
    switch: str,
    place: dict[str, Any],
    places: list[tuple[int, int]],
) -> None:
    charger = await charger2_ws(version=version, evses={1: 2, 2: 1})
    await charger.connector_status("Occupied", 1, 2)
    await charger.begin()
    charger.answers["ChangeAvailability"] = {"status": "Scheduled"}
    fields = {"connector": place.get("evse", {}).get("id", 0)}
    if switch == PLUG[0]:
        fields["plug"] = 2
    answer = await act(hass, "change_availability", operative=False, **fields)
    assert answer["status"] == "scheduled"
    expected = {"operationalStatus": "Inoperative", **place}
    assert charger.calls("ChangeAvailability") == [expected]
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "charging"
    assert state(hass, "switch", switch) == STATE_ON
    await charger.event("Ended", number=1, energy=1700)
    await report(hass, charger, places, "Unavailable")
    assert state(hass, "switch", switch) == STATE_OFF
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 700)


@pytest.mark.conformance("TC_G_20_CSMS")
@pytest.mark.conformance("UC_G05")
async def test_a_lock_that_fails_is_a_problem(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    event = {
        "eventId": 7,
        "timestamp": datetime.now(UTC).isoformat(),
        "trigger": "Delta",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {
            "name": "ConnectorPlugRetentionLock",
            "evse": {"id": 1, "connectorId": 1},
        },
        "variable": {"name": "Problem"},
    }
    payload = {"generatedAt": event["timestamp"], "seqNo": 0, "eventData": [event]}
    assert await charger2.call("NotifyEvent", payload) == {}
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_1_problem") == STATE_ON
    assert state(hass, "sensor", "CP01_1_error_code") == "ConnectorLockFailure"
    event |= {"actualValue": "false", "cleared": True, "eventId": 8}
    assert await charger2.call("NotifyEvent", payload | {"seqNo": 1}) == {}
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_1_problem") == STATE_OFF


@pytest.mark.conformance("TC_G_01_CSMS")
@pytest.mark.conformance("UC_G01")
@pytest.mark.conformance("UC_G02")
@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("Available", "available"),
        ("Occupied", "preparing"),
        ("Reserved", "reserved"),
        ("Unavailable", "unavailable"),
        ("Faulted", "faulted"),
    ],
)
async def test_every_status_is_acknowledged_and_shown(
    hass: HomeAssistant, charger2: Charger2, word: str, shown: str
) -> None:
    await charger2.connector_status(word)
    assert await charger2.call("Heartbeat", {})
    await flush(hass)
    assert state(hass, "sensor", STATUS) == shown
