"""OCPP 2.x, block B: boot, offline, resets and the choice of a version."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession, WSServerHandshakeError
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import PATIENCE, Refusal
from ..ha.charger_v2 import Charger2
from ..ha.conftest import IDENTITY, Charger2Factory, set_up
from ..ha.entities import act, flush, full_state, state
from .answers import sessions
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub

STATUS = "CP01_1_status"


async def until_booted(hass: HomeAssistant, charger: Charger2) -> None:
    """Come back after a restart and report what a charger reports then."""
    await charger.close()
    await charger.connect()
    assert (await charger.boot(reason="RemoteReset"))["status"] == "Accepted"
    for evse_id, connectors in charger.places.items():
        for one in range(1, connectors + 1):
            await charger.connector_status("Available", evse_id, one)
    await flush(hass)


def about(name: str, value: str) -> dict[str, Any]:
    """Return one event of a monitored variable of connector 1."""
    return {
        "eventId": 1,
        "timestamp": datetime.now(UTC).isoformat(),
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": name},
    }


@pytest.mark.conformance("TC_B_01_CSMS")
@pytest.mark.conformance("UC_B01")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_cold_boot_is_accepted_with_time_and_interval(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory, version: str
) -> None:
    charger = await charger2_ws(version=version, boots=False)
    boot = await charger.boot()
    assert boot["status"] == "Accepted"
    assert boot["interval"] > 0
    told = datetime.fromisoformat(boot["currentTime"])
    assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)
    await charger.connector_status("Available")
    event = {
        "generatedAt": datetime.now(UTC).isoformat(),
        "seqNo": 0,
        "eventData": [about("AvailabilityState", "Available")],
    }
    assert await charger.call("NotifyEvent", event) == {}
    await set_up(hub, charger)
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    assert state(hass, "sensor", "CP01_protocol_version") == version


@pytest.mark.conformance("TC_B_02_CSMS")
@pytest.mark.conformance("UC_B02")
async def test_a_charger_waits_as_pending_until_it_is_approved(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = Charger2(identity="CP02", url=f"ws://127.0.0.1:{hub.port}/ocpp")
    await charger.connect()
    try:
        boot = await charger.boot()
        assert (boot["status"], boot["interval"] > 0) == ("Pending", True)
        hub.approve("CP02", "Carport", None)
        asked = await charger.expect("TriggerMessage")
        assert asked["requestedMessage"] == "BootNotification"
        assert (await charger.boot(reason="Triggered"))["status"] == "Accepted"
    finally:
        await charger.close()


@pytest.mark.conformance("TC_B_30_CSMS")
@pytest.mark.parametrize(
    ("action", "payload"),
    [
        (
            "TransactionEvent",
            {
                "eventType": "Started",
                "timestamp": "2026-01-01T00:00:00Z",
                "triggerReason": "CablePluggedIn",
                "seqNo": 0,
                "transactionInfo": {"transactionId": "tx-1"},
            },
        ),
        ("Authorize", {"idToken": {"idToken": "TAG", "type": "ISO14443"}}),
        ("MeterValues", {"evseId": 1, "meterValue": []}),
    ],
)
async def test_who_is_not_accepted_may_not_send_what_nobody_asked_for(
    hass: HomeAssistant, hub: OcppHub, action: str, payload: dict[str, Any]
) -> None:
    charger = Charger2(identity="CP02", url=f"ws://127.0.0.1:{hub.port}/ocpp")
    await charger.connect()
    try:
        assert (await charger.boot())["status"] == "Pending"
        if action == "MeterValues":
            value = {
                "timestamp": "2026-01-01T00:00:00Z",
                "sampledValue": [{"value": 1.0}],
            }
            payload = payload | {"meterValue": [value]}
        with pytest.raises(Refusal) as refused:
            await charger.call(action, payload)
        assert refused.value.code == "SecurityError"
    finally:
        await charger.close()


@pytest.mark.conformance("TC_B_31_CSMS")
async def test_who_waits_is_asked_to_boot_before_its_time(
    hass: HomeAssistant, hub: OcppHub
) -> None:
    charger = Charger2(identity="CP02", url=f"ws://127.0.0.1:{hub.port}/ocpp")
    await charger.connect()
    try:
        began = asyncio.get_running_loop().time()
        interval = (await charger.boot())["interval"]
        hub.approve("CP02", "Carport", None)
        asked = await charger.expect("TriggerMessage")
        assert asked == {"requestedMessage": "BootNotification"}
        assert asyncio.get_running_loop().time() - began < min(interval, PATIENCE)
        assert (await charger.boot(reason="Triggered"))["status"] == "Accepted"
    finally:
        await charger.close()


RESETS = (
    pytest.param("soft", "OnIdle", None, marks=pytest.mark.conformance("TC_B_20_CSMS")),
    pytest.param("hard", "Immediate", None, marks=pytest.mark.conformance("UC_B11")),
    pytest.param("soft", "OnIdle", 1, marks=pytest.mark.conformance("TC_B_25_CSMS")),
)


@pytest.mark.parametrize(("kind", "word", "evse_id"), RESETS)
async def test_a_reset_without_a_session(
    hass: HomeAssistant, charger2: Charger2, kind: str, word: str, evse_id: int | None
) -> None:
    fields = {} if evse_id is None else {"connector": evse_id}
    answer = await act(hass, "reset", type=kind, **fields)
    assert answer["status"] == "accepted"
    named = {} if evse_id is None else {"evseId": evse_id}
    assert charger2.calls("Reset") == [{"type": word, **named}]
    await until_booted(hass, charger2)
    assert state(hass, "sensor", STATUS) == "available"
    assert len(charger2.calls("Reset")) == 1


SCHEDULED = (
    pytest.param({}, marks=pytest.mark.conformance("TC_B_21_CSMS")),
    pytest.param({"connector": 1}, marks=pytest.mark.conformance("TC_B_26_CSMS")),
)


@pytest.mark.parametrize("fields", SCHEDULED)
@pytest.mark.conformance("UC_B12")
async def test_a_reset_on_idle_waits_for_the_end_of_the_session(
    hass: HomeAssistant, charger2: Charger2, fields: dict[str, int]
) -> None:
    await charger2.connector_status("Occupied")
    await charger2.begin()
    charger2.answers["Reset"] = {"status": "Scheduled"}
    answer = await act(hass, "reset", type="soft", **fields)
    assert answer["status"] == "scheduled"
    named = {"evseId": 1} if fields else {}
    assert charger2.calls("Reset") == [{"type": "OnIdle", **named}]
    (session,) = await sessions(hass)
    assert session["state"] == "open"
    ended = {"stoppedReason": "EVDisconnected"}
    await charger2.event("Ended", number=1, energy=3000, info=ended)
    if not fields:
        await until_booted(hass, charger2)
    await flush(hass)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 2000)
    assert session["stop_reason"] == "ev_disconnected"


IMMEDIATE = (
    pytest.param({}, marks=pytest.mark.conformance("TC_B_22_CSMS")),
    pytest.param({"connector": 1}, marks=pytest.mark.conformance("TC_B_27_CSMS")),
)


@pytest.mark.parametrize("fields", IMMEDIATE)
async def test_an_immediate_reset_ends_the_session(
    hass: HomeAssistant, charger2: Charger2, fields: dict[str, int]
) -> None:
    await charger2.connector_status("Occupied")
    await charger2.begin()
    answer = await act(hass, "reset", type="hard", **fields)
    assert answer["status"] == "accepted"
    named = {"evseId": 1} if fields else {}
    assert charger2.calls("Reset") == [{"type": "Immediate", **named}]
    ended = {"stoppedReason": "ImmediateReset"}
    await charger2.event(
        "Ended", number=1, energy=1500, trigger="ResetCommand", info=ended
    )
    if not fields:
        await until_booted(hass, charger2)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 500)
    assert session["stop_reason"] == "hard_reset"
    assert full_state(hass, "event", "CP01_1_session").attributes["energy"] == 500


@pytest.mark.conformance("TC_B_103_CSMS")
@pytest.mark.conformance("UC_B13")
async def test_a_session_goes_on_after_a_reset_that_lets_it(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    await charger.connector_status("Occupied")
    await charger.begin()
    await act(hass, "reset", type="resume")
    assert charger.calls("Reset") == [{"type": "ImmediateAndResume"}]
    await charger.close()
    await charger.connect()
    assert (await charger.boot(reason="RemoteReset"))["status"] == "Accepted"
    await charger.connector_status("Occupied")
    await charger.event(
        "Updated", number=1, state="Charging", energy=1500, trigger="TxResumed"
    )
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "charging"
    (session,) = await sessions(hass)
    assert (session["state"], session["transaction_id"]) == ("open", "tx-1")
    await charger.event("Ended", number=2, energy=4000)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 3000)


@pytest.mark.conformance("TC_B_104_CSMS")
async def test_a_reset_to_resume_without_a_session(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    await act(hass, "reset", type="resume")
    assert charger.calls("Reset") == [{"type": "ImmediateAndResume"}]
    await until_booted(hass, charger)
    assert state(hass, "sensor", STATUS) == "available"


async def test_only_2_1_can_resume(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.0.1")
    with pytest.raises(HomeAssistantError) as refused:
        await act(hass, "reset", type="resume")
    assert refused.value.translation_key == "not_supported_by_charger"
    assert charger.calls("Reset") == []


@pytest.mark.conformance("TC_B_116_CSMS")
async def test_a_limit_holds_again_after_a_reset_to_resume(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    await charger.connector_status("Occupied")
    await charger.begin()
    await act(hass, "set_charging_limit", connector=1, limit=10)
    (first,) = charger.calls("SetChargingProfile")
    assert first["chargingProfile"]["transactionId"] == "tx-1"
    await act(hass, "reset", type="resume")
    hub.stations[IDENTITY].station.findings.clear()
    await charger.close()
    charger.received.clear()
    await charger.connect()
    await charger.boot(reason="RemoteReset")
    await charger.connector_status("Occupied")
    await charger.event(
        "Updated", number=1, state="Charging", energy=1500, trigger="TxResumed"
    )
    again = await charger.expect("SetChargingProfile")
    profile = again["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == "tx-1"
    (schedule,) = profile["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"][0]["limit"] == 10


@pytest.mark.conformance("TC_B_58_CSMS")
async def test_only_a_version_that_is_spoken_is_chosen(
    hass: HomeAssistant, hub: OcppHub
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    url = f"ws://127.0.0.1:{hub.port}/ocpp/{IDENTITY}"
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(url, protocols=("ocpp0.1",))
        assert refused.value.status == 400
        async with session.ws_connect(
            url, protocols=("ocpp0.1", "ocpp2.0.1")
        ) as socket:
            assert socket.protocol == "ocpp2.0.1"


@pytest.mark.conformance("UC_B04")
async def test_a_charger_goes_on_without_a_boot_after_it_was_offline(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.connector_status("Occupied")
    await charger2.begin()
    await charger2.close()
    await flush(hass)
    await charger2.connect()
    await charger2.event("Updated", number=1, energy=1800, offline=True)
    await charger2.event("Ended", number=2, energy=2600, offline=True)
    await charger2.connector_status("Available")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 1600)
    assert hass.services.has_service(DOMAIN, "reset")
