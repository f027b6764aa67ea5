"""OCPP 2.x: the frames themselves, compression, and the rules of its events."""

import asyncio
from typing import Any

from aiohttp import ClientSession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.cards import CARD, STRANGER, keep, strangers
from ..ha.charger_v2 import Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, flush, state
from .answers import sessions
from .wire import Wire
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.tokens import UnknownTokens

CHARGE = "CP01_1_charge_control"
EVSE = {"id": 1, "connectorId": 1}
TAG = {"idToken": CARD, "type": "ISO14443"}
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "A", "model": "B"}}


@pytest.mark.conformance("WS_09")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize("bits", [0, 15])
async def test_frames_may_be_compressed_and_need_not_be(
    hass: HomeAssistant, quiet: None, hub: OcppHub, version: str, bits: int
) -> None:
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"ws://127.0.0.1:{hub.port}/ocpp/CP01",
            protocols=[f"ocpp{version}"],
            compress=bits,
        ) as ws,
    ):
        assert bool(ws.compress) is bool(bits)
        wire = Wire(ws)
        answer = await wire.call("BootNotification", BOOT)
        assert answer[2]["status"] == "Accepted"
        data = {"vendorId": "Acme", "data": "x" * 50_000}
        assert (await wire.call("DataTransfer", data))[0] == 3
        await wire.next_is_the_answer_to_a_heartbeat()


@pytest.fixture
async def wire2(
    hass: HomeAssistant, quiet: None, hub: OcppHub, request: pytest.FixtureRequest
) -> Any:
    """Yield the socket of an approved and booted charger of 2.x, frame by frame."""
    version = getattr(request, "param", "2.0.1")
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"ws://127.0.0.1:{hub.port}/ocpp/CP01", protocols=[f"ocpp{version}"]
        ) as ws,
    ):
        wire = Wire(ws)
        await wire.call("BootNotification", BOOT)
        await hass.async_block_till_done()
        yield wire


@pytest.mark.conformance("RPC_12")
@pytest.mark.parametrize("wire2", ["2.0.1", "2.1"], indirect=True)
@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("MeterValues", {"evseId": 1}, "OccurrenceConstraintViolation"),
        ("MeterValues", {"evseId": "one", "meterValue": []}, "TypeConstraintViolation"),
        ("Heartbeat", "now", "FormatViolation"),
        (
            "StatusNotification",
            {
                "timestamp": "2026-11-21T10:00:00Z",
                "connectorStatus": "Available",
                "evseId": 10**30,
                "connectorId": 1,
            },
            "PropertyConstraintViolation",
        ),
    ],
)
async def test_a_broken_schema_has_the_code_of_2_x(
    wire2: Wire, action: str, payload: Any, code: str
) -> None:
    frame = await wire2.call(action, payload)
    assert (frame[0], frame[2]) == (4, code)
    await wire2.next_is_the_answer_to_a_heartbeat()


@pytest.mark.conformance("RPC_17")
@pytest.mark.parametrize("wire2", ["2.1"], indirect=True)
async def test_what_is_sent_without_asking_is_never_answered(
    hass: HomeAssistant, wire2: Wire
) -> None:
    stream = {
        "id": 1,
        "pending": 0,
        "basetime": "2026-11-21T10:00:00Z",
        "data": [{"t": 0.0, "v": "1"}],
    }
    asking = hass.async_create_task(act(hass, "clear_cache"))
    call = await wire2.receive()
    assert (call[0], call[2]) == (2, "ClearCache")
    # Also while a question is open, and whatever it says.
    for payload in (stream, {}, None, "stream"):
        await wire2.send([6, "s-1", "NotifyPeriodicEventStream", payload])
    await wire2.send([6, "s-2", "Unheard", {}])
    await wire2.send([3, call[1], {"status": "Accepted"}])
    assert (await asking)["status"] == "accepted"
    await wire2.next_is_the_answer_to_a_heartbeat()


@pytest.mark.conformance("RPC_18")
@pytest.mark.parametrize("wire2", ["2.1"], indirect=True)
async def test_an_answer_that_is_refused_fails_its_question_and_is_not_answered(
    hass: HomeAssistant, wire2: Wire
) -> None:
    asking = hass.async_create_task(act(hass, "clear_cache"))
    call = await wire2.receive()
    await wire2.send([5, call[1], "FormatViolation", "not an answer", {}])
    with pytest.raises(HomeAssistantError):
        async with asyncio.timeout(60):
            await asking
    # About an answer of ours it is only read.
    await wire2.send([5, "nobody", "TypeConstraintViolation", "", {}])
    await wire2.next_is_the_answer_to_a_heartbeat()


@pytest.fixture
def known_card(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    """Let one card charge, and no other."""
    keep(hass, init_integration)
    strangers(hass, init_integration, UnknownTokens.REFUSE)


@pytest.mark.conformance("TX_08")
async def test_events_count_once_in_whatever_order(
    hass: HomeAssistant, known_card: None, charger2: Charger2
) -> None:
    # The begin is late, one is told twice, one comes after the end, one never.
    assert await charger2.event("Updated", number=1, energy=1200) == {}
    await charger2.begin(number=0, token=CARD, energy=1000)
    for _ in range(2):
        assert await charger2.event("Updated", number=2, energy=1400) == {}
    await flush(hass)
    assert state(hass, "switch", CHARGE) == "on"
    assert await charger2.event("Ended", number=5, energy=2000) == {}
    assert await charger2.event("Updated", number=3, energy=1600) == {}
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 1000)
    assert (session["id_token"], session["meter_start"]) == (CARD, 1000)
    assert session["events_missing"] == 1


@pytest.mark.conformance("TX_08")
async def test_an_end_without_a_begin_is_a_session(
    hass: HomeAssistant, known_card: None, charger2: Charger2
) -> None:
    info = {"timeSpentCharging": 600, "stoppedReason": "EVDisconnected"}
    end = await charger2.event("Ended", number=7, energy=2000, info=info, evse=EVSE)
    assert end == {}
    (session,) = await sessions(hass)
    assert (session["state"], session["stop_reason"]) == ("closed", "ev_disconnected")
    assert (session["charging_time"], session["events_missing"]) == (600, 1)


@pytest.mark.conformance("TX_09")
async def test_what_happened_offline_is_history(
    hass: HomeAssistant, known_card: None, charger2: Charger2
) -> None:
    seen: list[str] = []
    hass.bus.async_listen(
        "state_changed",
        lambda event: seen.append(event.data["entity_id"].partition(".")[0]),
    )
    begun = await charger2.begin(token=CARD, offline=True)
    assert begun["idTokenInfo"]["status"] == "Accepted"
    refused = await charger2.event(
        "Updated",
        number=1,
        offline=True,
        idToken={"idToken": STRANGER, "type": "ISO14443"},
    )
    assert refused["idTokenInfo"]["status"] == "Invalid"
    assert await charger2.event("Ended", number=2, energy=3000, offline=True) == {}
    await flush(hass)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 2000)
    # No begin and no end is told as an event of now, and nobody is acted upon.
    assert "event" not in seen
    assert charger2.calls("RequestStopTransaction") == []
    assert charger2.calls("SetChargingProfile") == []


@pytest.mark.conformance("TX_10")
@pytest.mark.parametrize("kind", ["Started", "Updated", "Ended"])
@pytest.mark.parametrize("shown", [True, False])
async def test_a_card_is_judged_if_and_only_if_it_was_shown(
    hass: HomeAssistant,
    known_card: None,
    charger2: Charger2,
    kind: str,
    shown: bool,
) -> None:
    more: dict[str, Any] = {"idToken": TAG} if shown else {}
    answer = await charger2.event(kind, evse=EVSE, **more)
    assert ("idTokenInfo" in answer) is shown
    assert set(answer) <= {"idTokenInfo"}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        {"eventType": "Started", "transactionInfo": {"transactionId": "tx-1"}},
        {"eventType": "Began", "transactionInfo": {"transactionId": 7}},
        {"transactionInfo": None, "seqNo": "first", "meterValue": [{}], "evse": []},
    ],
)
async def test_no_event_is_ever_refused(wire2: Wire, payload: Any) -> None:
    frame = await wire2.call("TransactionEvent", payload)
    assert frame[0] == 3
    assert frame[2] == {}


@pytest.mark.peer("B-19")
async def test_a_session_outlives_a_restart_and_can_be_stopped(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger2: Charger2,
) -> None:
    await charger2.begin("tx-from-the-charger", energy=1000)
    await charger2.event("Updated", "tx-from-the-charger", 1, energy=5000)
    await flush(hass)
    await charger2.close()
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    charger2.url = f"ws://127.0.0.1:{init_integration.runtime_data.port}/ocpp"
    # No boot: it never lost its power.
    await charger2.connect()
    await charger2.call("Heartbeat")
    await flush(hass)
    assert state(hass, "switch", CHARGE) == "on"
    assert state(hass, "sensor", "CP01_1_session_energy") == "4.0"
    charger2.received.clear()
    await hass.services.async_call(
        "switch",
        "turn_off",
        {"entity_id": "switch.garage_charge_control"},
        blocking=True,
    )
    assert charger2.calls("RequestStopTransaction") == [
        {"transactionId": "tx-from-the-charger"}
    ]
    await charger2.event("Ended", "tx-from-the-charger", 2, energy=5500)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 4500)


@pytest.mark.peer("B-20")
async def test_an_event_without_a_place_is_of_the_place_where_it_began(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 1, 2: 1})
    await charger.begin("one", 1, energy=10_000)
    await charger.begin("two", 2, energy=501_000)
    await charger.event("Updated", "two", 1, energy=501_500)
    await charger.event("Updated", "one", 1, energy=10_200)
    await charger.event("Ended", "two", 2, energy=502_000)
    await flush(hass)
    key = "energy_active_import_register"
    assert state(hass, "sensor", f"CP01_1_{key}") == "10.2"
    assert state(hass, "sensor", f"CP01_2_{key}") == "502.0"
    found = {one["transaction_id"]: one for one in await sessions(hass)}
    assert (found["one"]["state"], found["one"]["energy"]) == ("open", 200)
    assert (found["two"]["state"], found["two"]["energy"]) == ("closed", 1000)


@pytest.mark.peer("B-23")
async def test_nobody_is_updated_by_being_asked_what_it_can(charger2: Charger2) -> None:
    assert charger2.calls("UpdateFirmware") == []


@pytest.mark.peer("B-24")
async def test_why_a_session_ended_and_how_an_update_goes_is_shown(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin()
    await charger2.event(
        "Ended", number=1, info={"stoppedReason": "EnergyLimitReached"}
    )
    status = {"status": "Downloading", "requestId": 1}
    assert await charger2.call("FirmwareStatusNotification", status) == {}
    await flush(hass)
    (session,) = await sessions(hass)
    assert session["stop_reason"] == "energy_limit_reached"
    assert state(hass, "sensor", "CP01_1_stop_reason") == "energy_limit_reached"
    assert state(hass, "sensor", "CP01_firmware_status") == "downloading"
