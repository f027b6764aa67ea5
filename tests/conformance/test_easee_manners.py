"""Easee over OCPP: statuses, times, firmware, and whatever else may come on the line."""

import asyncio
from datetime import UTC, datetime, timedelta
import random
import re
from typing import Any

from aiohttp import ClientSession, WSMsgType
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import Event, EventStateChangedData, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from ..ha.charger import PATIENCE, Charger, Payload, Refusal, sampled
from ..ha.conftest import IDENTITY, ChargerFactory, set_up
from ..ha.entities import act, entity_id, exists, flush, state
from .answers import sessions
from .conftest import EASEE
from .wire import Wire
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp import server
from custom_components.ev_charger_hub.ocpp.availability import PREMATURE
from custom_components.ev_charger_hub.ocpp.recorder import KEPT
from custom_components.ev_charger_hub.ocpp.replies import MAX_REPLIES
from custom_components.ev_charger_hub.ocpp.v16.transactions import TransactionBlock
from custom_components.ev_charger_hub.station.sessions import RECENT

REGISTER = "Energy.Active.Import.Register"
STATION = "CP01_0_status"
STATUS = "CP01_1_status"
BEGUN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
SENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


@pytest.mark.conformance("EASEE_S38")
@pytest.mark.parametrize(
    "answer", [{"status": "Rejected"}, Refusal(code="NotImplemented")]
)
async def test_connector_0_is_the_station(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    answer: Payload | Refusal,
) -> None:
    """Its status is that of the whole; it is no place to charge, and may be missing."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    charger.answers["TriggerMessage"] = answer
    await charger.boot(**EASEE)
    await charger.status(1, "Preparing")
    await set_up(hub, charger)
    await flush(hass)
    # It says nothing of its whole, and refuses to, unless it is told to.
    assert not exists(hass, "sensor", STATION)
    for status in ("Available", "Unavailable", "Faulted"):
        await charger.status(0, status)
        await flush(hass)
        assert state(hass, "sensor", STATION) == status.lower()
        assert state(hass, "sensor", STATUS) == "preparing"
    assert not exists(hass, "switch", "CP01_0_charge_control")
    assert list(hub.stations[IDENTITY].station.evses) == [1]
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), hub.entry.entry_id)
    names = [str(one) for device in devices for _, one in device.identifiers]
    assert [one for one in names if one.startswith(IDENTITY)] == [IDENTITY]
    with pytest.raises(HomeAssistantError):
        await act(hass, "trigger_message", message="StatusNotification")


@pytest.mark.conformance("EASEE_S44")
async def test_out_of_service_is_not_available_for_a_moment(
    hass: HomeAssistant, easee: Charger
) -> None:
    """As it starts it says Available, and a second later remembers what it is."""
    easee.answers["ChangeAvailability"] = {"status": "Scheduled"}
    answer = await act(hass, "change_availability", operative=False)
    assert (answer["status"], answer["answer"]) == ("scheduled", "Scheduled")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    await easee.status(1, "Unavailable")
    await flush(hass)
    shown: list[str] = []

    def note(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == entity_id(hass, "sensor", STATUS):
            new = event.data["new_state"]
            shown.append(new.state if new else "")

    hass.bus.async_listen("state_changed", note)
    await easee.close()
    await easee.connect()
    await easee.boot()
    await easee.status(1, "Available")
    half = dt_util.utcnow() + timedelta(seconds=PREMATURE / 2)
    async_fire_time_changed(hass, half)
    await flush(hass)
    await easee.status(1, "Unavailable")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2 * PREMATURE))
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "unavailable"
    assert "available" not in shown


@pytest.mark.conformance("EASEE_S45")
async def test_nothing_grows_with_what_a_charger_says(
    hass: HomeAssistant, hub: OcppHub, easee: Charger
) -> None:
    """Hundreds of everything: what is kept of them has its bounds."""
    station = hub.stations[IDENTITY]
    session = hub.central_system.sessions[IDENTITY]

    async def chat(number: int) -> None:
        await easee.call("Heartbeat")
        await easee.status(1, "Available", vendorErrorCode=f"X{number}", info="odd")
        await easee.meter(1, [sampled(number, f"Odd{number}", f"unit{number}")], number)
        with pytest.raises(Refusal):
            await easee.call(f"Odd{number}")
        transaction_id = await easee.start(
            meter=number, timestamp=(BEGUN + timedelta(minutes=number)).isoformat()
        )
        await easee.stop(transaction_id, number)

    for number in range(MAX_REPLIES + 20):
        await chat(number)
    assert len(session._replies) <= MAX_REPLIES
    assert len(session.recorder.shown()) <= KEPT
    known = station.transactions._sessions.known
    assert len(known) <= RECENT + 1
    tasks, entities = len(asyncio.all_tasks()), len(hass.states.async_all())
    for number in range(1000, 1040):
        await chat(number)
    await flush(hass)
    assert len(session._replies) <= MAX_REPLIES
    assert len(known) <= RECENT + 1
    assert len(asyncio.all_tasks()) <= tasks
    assert len(hass.states.async_all()) == entities


FIRMWARE = [
    "203",
    "276/1.4.4.0",
    "289/1.5.2.0",
    "300/1.7.0.0",
    "310/1.7.4.1",
    "328",
    "344",
    "344/1.8.0.0",
    "344/",
    "/1.8",
    "v344-beta",
    "9" * 40,
    "",
]


@pytest.mark.conformance("EASEE_S48")
@pytest.mark.conformance("EASEE_S54")
@pytest.mark.parametrize("firmware", FIRMWARE)
async def test_every_firmware_is_served(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory, firmware: str
) -> None:
    """Old and new, by itself or by the cloud: set up, one session, one limit."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    answer = await charger.boot(**{**EASEE, "firmwareVersion": firmware})
    assert answer["status"] == "Accepted"
    await charger.status(1, "Available")
    await set_up(hub, charger)
    transaction_id = await charger.start()
    await charger.status(1, "Charging")
    await act(hass, "set_charging_limit", limit=10)
    profile = charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    assert (profile["stackLevel"], profile["chargingProfileKind"]) == (0, "Absolute")
    await charger.stop(transaction_id, 2000)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 1000)


def spelled(moment: datetime) -> dict[str, str]:
    """Return the ways in which one moment is told."""
    plain = moment.strftime("%Y-%m-%dT%H:%M:%S")
    ahead = (moment + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")
    behind = (moment - timedelta(minutes=210)).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "seconds": f"{plain}Z",
        "tenths": f"{plain}.0Z",
        "milliseconds": f"{plain}.000Z",
        "microseconds": f"{plain}.000000Z",
        "ticks": f"{plain}.0000001Z",
        "nanoseconds": f"{plain}.000000001Z",
        "naive": plain,
        "naive with a fraction": f"{plain}.0000000",
        "ahead": f"{ahead}+02:00",
        "behind": f"{behind}.0000000-03:30",
        "no zeros": f"{moment.year}-{moment.month}-{moment.day}T"
        + moment.strftime("%H:%M:%SZ"),
    }


@pytest.mark.conformance("EASEE_S57")
@pytest.mark.parametrize("way", list(spelled(BEGUN)))
async def test_times_are_read_in_whatever_precision(
    hass: HomeAssistant, easee: Charger, way: str
) -> None:
    """Nine digits, none, with an offset or without: it is the same moment."""
    begun = spelled(BEGUN)[way]
    ended = spelled(BEGUN + timedelta(minutes=5))[way]
    transaction_id = await easee.start(timestamp=begun)
    await easee.stop(transaction_id, 1500, timestamp=ended)
    (session,) = await sessions(hass)
    assert session["start"] == BEGUN.isoformat()
    assert session["stop"] == (BEGUN + timedelta(minutes=5)).isoformat()


def _times(value: Any) -> list[str]:
    """Return every text in a message that is a time."""
    match value:
        case dict():
            return [one for part in value.values() for one in _times(part)]
        case list():
            return [one for part in value for one in _times(part)]
        case str() if re.match(r"\d{4}-\d\d-\d\dT", value):
            return [value]
    return []


@pytest.mark.conformance("EASEE_S57")
async def test_times_are_sent_in_one_precision(
    hass: HomeAssistant, easee: Charger
) -> None:
    """Milliseconds or none, and a Z: firmware reads no more."""
    told: list[Any] = [await easee.boot(), await easee.call("Heartbeat")]
    await act(
        hass,
        "set_charging_profile",
        connector=1,
        kind="Absolute",
        valid_to=(BEGUN + timedelta(days=9, microseconds=123456)).isoformat(),
        periods=[{"start": 0, "limit": 10}],
    )
    await easee.start()
    await act(hass, "set_charging_limit", limit=8)
    found = _times([*told, [one.payload for one in easee.received]])
    assert len(found) >= 4
    assert [one for one in found if not SENT.fullmatch(one)] == []


@pytest.mark.conformance("EASEE_S59")
async def test_the_trouble_of_one_charger_is_that_of_no_other(
    hass: HomeAssistant,
    hub: OcppHub,
    easee: Charger,
    charger_ws: ChargerFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A handler that fails costs its charger one answer, and nobody else anything."""
    hub.approve("CP02", "Yard", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    await other.boot(**EASEE)
    await other.status(1, "Available")
    handle = TransactionBlock.start_transaction

    async def fail(block: TransactionBlock, payload: Payload) -> Any:
        if block._context.station.identity == IDENTITY:
            raise RuntimeError("the dog ate it")
        return await handle(block, payload)

    with monkeypatch.context() as patched:
        patched.setattr(TransactionBlock, "start_transaction", fail)
        # The handlers of a connection are bound when it is built.
        await hass.config_entries.async_reload(hub.entry.entry_id)
        await hass.async_block_till_done()
        for charger in (easee, other):
            charger.url = f"ws://127.0.0.1:{hub.entry.runtime_data.port}/ocpp"
            await charger.close()
            await charger.connect()
            await charger.call("Heartbeat")
        with pytest.raises(Refusal) as caught:
            await easee.start()
        assert caught.value.code == "InternalError"
        assert await other.start() > 0
        assert "currentTime" in await easee.call("Heartbeat")
    assert "the dog ate it" in caplog.text
    caplog.clear()


@pytest.mark.conformance("EASEE_S60")
@pytest.mark.parametrize("seed", [1, 2])
async def test_what_nobody_knows_is_answered_and_closes_nothing(
    wire: Wire, seed: int
) -> None:
    """Invented actions, those of others, and odd payloads: the socket stays."""
    chance = random.Random(seed)
    known = ["Reset", "SetChargingProfile", "TransactionEvent", "NotifyReport"]
    invented = ["".join(chance.choices("aAzZ09-_ é", k=9)) for _ in range(40)]
    payloads: list[Any] = [{}, {"a": [None, {"b": 1.5}]}, [], None, "text", 7]
    for action in [*known, *invented]:
        frame = await wire.call(action, chance.choice(payloads))
        assert frame[0] == 4
        assert frame[2] in {"NotImplemented", "NotSupported"}
    await wire.next_is_the_answer_to_a_heartbeat()


@pytest.mark.conformance("EASEE_N11")
async def test_a_line_that_is_silent_is_given_up(
    hass: HomeAssistant, hub: OcppHub, easee: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pings without an answer, which is less than two minutes."""
    assert 3 * server.PING_INTERVAL < 120
    await easee.close()
    monkeypatch.setattr(hub.central_system, "_ping_interval", 0.01)
    monkeypatch.setattr(hub.central_system.sessions[IDENTITY], "_ping_interval", 0.01)
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"{easee.url}/{IDENTITY}", protocols=("ocpp1.6",), autoping=False
        ) as ws,
    ):
        message = await ws.receive(timeout=PATIENCE)
        assert message.type is WSMsgType.PING
        async with asyncio.timeout(PATIENCE):
            while not ws.closed:
                await ws.receive()
    assert not hub.stations[IDENTITY].station.online.value


@pytest.mark.conformance("EASEE_N11")
async def test_one_call_at_a_time(hass: HomeAssistant, wire: Wire) -> None:
    """The second one is sent when the first one is answered."""
    tasks = [
        hass.async_create_task(act(hass, "trigger_message", message="Heartbeat"))
        for _ in range(2)
    ]
    asked = await wire.receive()
    assert asked[2] == "TriggerMessage"
    await wire.next_is_the_answer_to_a_heartbeat()
    again = await wire.ask([3, asked[1], {"status": "Accepted"}])
    assert (again[2], again[1] != asked[1]) == ("TriggerMessage", True)
    await wire.send([3, again[1], {"status": "Accepted"}])
    await asyncio.gather(*tasks)
