"""Easee over OCPP: sessions that are repeated, reordered, lost and stopped by others."""

import asyncio
from datetime import UTC, datetime, timedelta
import random

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.components.switch.const import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import ATTR_ENTITY_ID, SERVICE_TURN_OFF, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..ha.charger import PATIENCE, Charger, Payload, sampled
from ..ha.conftest import IDENTITY
from ..ha.entities import act, entity_id, flush, full_state, state
from .answers import sessions
from custom_components.ev_charger_hub.const import CONF_FREE_CHARGING
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp import boot
from custom_components.ev_charger_hub.station import free_charging
from tests.underway import rest

REGISTER = "Energy.Active.Import.Register"
SESSION = "CP01_1_session"
STATUS = "CP01_1_status"
TAG = "AF18EE010486FF3E"
ASKED = {"requestedMessage": "StatusNotification", "connectorId": 1}


def moment(**ago: float) -> str:
    """Return a moment of the past in whole seconds, as these chargers tell it."""
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def started(at: str, meter: int = 1000, tag: str = TAG) -> Payload:
    """Return the message of a start."""
    return {"connectorId": 1, "idTag": tag, "meterStart": meter, "timestamp": at}


def stopped(transaction_id: int, at: str, meter: int, tag: str = TAG) -> Payload:
    """Return the message of a stop."""
    return {
        "transactionId": transaction_id,
        "meterStop": meter,
        "timestamp": at,
        "idTag": tag,
        "reason": "EVDisconnected",
    }


@pytest.mark.conformance("EASEE_S35")
async def test_a_session_may_begin_and_end_in_the_same_second(
    hass: HomeAssistant, easee: Charger
) -> None:
    """Buffered while it was offline: the start comes twice, with one stamp for all."""
    at = moment(minutes=2)
    first, second = [
        await easee.call("StartTransaction", started(at)) for _ in range(2)
    ]
    assert first == second
    number = first["transactionId"]
    for _ in range(2):
        answer = await easee.call("StopTransaction", stopped(number, at, 1000))
        assert answer["idTagInfo"]["status"] == "Accepted"
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 0)
    assert session["start"] == session["stop"]
    await flush(hass)
    happened = full_state(hass, "event", SESSION)
    assert happened.attributes["event_type"] == "ended"
    assert happened.attributes["duration"] == 0

    # In the next second another one begins, which is another session.
    other = await easee.call("StartTransaction", started(moment(minutes=1)))
    assert other["transactionId"] > number


@pytest.mark.conformance("EASEE_S40")
async def test_any_status_may_follow_a_lost_network(
    hass: HomeAssistant, easee: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preparing, away, SuspendedEVSE: no session, and the status is asked for."""
    monkeypatch.setattr(boot, "PATIENCE", 0.0)
    monkeypatch.setattr(boot, "SPREAD", 0.0)
    await easee.status(1, "Preparing")
    await easee.close()
    easee.received.clear()
    easee.statuses[1] = "SuspendedEVSE"
    await easee.connect()
    assert await easee.expect("TriggerMessage") == ASKED
    async with asyncio.timeout(PATIENCE):
        while state(hass, "sensor", STATUS) != "suspended_evse":
            await rest()
            await flush(hass)
    assert await sessions(hass) == []
    assert state(hass, "event", SESSION) == STATE_UNKNOWN
    # One that cannot tell is asked for its boot all the same.
    easee.answers["TriggerMessage"] = {"status": "NotImplemented"}
    await easee.close()
    easee.received.clear()
    await easee.connect()
    await easee.expect("TriggerMessage", count=2)
    assert [one["requestedMessage"] for one in easee.calls("TriggerMessage")] == [
        "StatusNotification",
        "BootNotification",
    ]


@pytest.mark.conformance("EASEE_S41")
async def test_a_session_that_is_stopped_three_times_ends_once(
    hass: HomeAssistant, easee: Charger
) -> None:
    """One event, and the energy is counted once, whatever number is stopped after."""
    number = await easee.start(id_tag=TAG, meter=1000)
    await flush(hass)
    happened: list[str] = []
    hass.bus.async_listen(
        "state_changed",
        lambda event: (
            happened.append(event.data["new_state"].attributes.get("event_type"))
            if event.data["entity_id"] == entity_id(hass, "event", SESSION)
            else None
        ),
    )
    at = moment()
    for _ in range(3):
        answer = await easee.call("StopTransaction", stopped(number, at, 1700))
        assert answer["idTagInfo"]["status"] == "Accepted"
    # The last one with what it read and when it was asked again, not when it ended.
    await easee.call("StopTransaction", stopped(number, moment(seconds=-1), 1800))
    await flush(hass)
    assert happened == ["ended"]
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 700)
    assert state(hass, "sensor", "CP01_1_session_energy") == "0.7"


@pytest.mark.conformance("EASEE_S46")
async def test_a_session_that_was_given_up_is_recovered_by_what_it_measures(
    hass: HomeAssistant, easee: Charger
) -> None:
    """Nobody answered its start: Charging without a session, until it tells more."""
    await easee.status(1, "Charging")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "charging"
    assert await sessions(hass) == []
    easee.received.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            SWITCH_DOMAIN,
            SERVICE_TURN_OFF,
            {ATTR_ENTITY_ID: entity_id(hass, "switch", "CP01_1_charge_control")},
            blocking=True,
        )
    assert caught.value.translation_key == "no_session"
    assert easee.received == []

    for seconds, reading in ((30, 2000), (0, 2100)):
        value = {
            "timestamp": moment(seconds=seconds),
            "sampledValue": [sampled(reading, REGISTER, "Wh")],
        }
        await easee.call(
            "MeterValues",
            {"connectorId": 1, "transactionId": 815, "meterValue": [value]},
        )
        await flush(hass)
    (session,) = await sessions(hass)
    assert (session["transaction_id"], session["state"]) == ("815", "open")
    await act(hass, "stop_charging")
    assert easee.calls("RemoteStopTransaction") == [{"transactionId": 815}]


def _frames(chance: random.Random) -> tuple[list[tuple[str, int]], int]:
    """Return what is sent of sixty sessions: repeated at random, and out of order."""
    count = 60
    frames: list[tuple[str, int]] = []
    for number in range(count):
        frames += [("start", number)] * chance.randint(1, 8)
        frames += [("stop", number)] * chance.randint(1, 8)
        frames += [("meter", number)] * chance.randint(1, 8)
    # Of each session the start comes first once: there is no number before it.
    chance.shuffle(frames)
    return frames, count


@pytest.mark.conformance("EASEE_S47")
@pytest.mark.conformance("EASEE_S54")
@pytest.mark.parametrize("seed", [1, 2])
async def test_sessions_are_counted_right_whatever_is_repeated(
    hass: HomeAssistant, easee: Charger, seed: int
) -> None:
    """Hundreds of messages, doubled and shuffled: one session for each real one."""
    frames, count = _frames(random.Random(seed))
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    numbers: dict[int, int] = {}

    def at(number: int, minutes: int = 0) -> str:
        when = begun + timedelta(hours=number / 2, minutes=minutes)
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")

    async def start(number: int) -> int:
        answer = await easee.call("StartTransaction", started(at(number), 100 * number))
        told: int = answer["transactionId"]
        # The same message has the same number for ever.
        assert numbers.setdefault(number, told) == told
        return told

    for kind, number in frames:
        known = numbers.get(number) or await start(number)
        match kind:
            case "start":
                await start(number)
            case "stop":
                meter = 100 * number + number
                await easee.call(
                    "StopTransaction", stopped(known, at(number, 10), meter)
                )
            case "meter":
                await easee.meter(1, [sampled(100 * number, REGISTER, "Wh")], known)
    assert len(set(numbers.values())) == count
    told = (await act(hass, "get_sessions", limit=200))["sessions"]
    assert len(told) == count
    assert {one["state"] for one in told} <= {"closed", "lost"}
    ended = {int(one["transaction_id"]): one["energy"] for one in told}
    for number, known in numbers.items():
        assert ended[known] == number
    # None of them began or ended just now.
    assert state(hass, "event", SESSION) == STATE_UNKNOWN


@pytest.mark.conformance("EASEE_S52")
async def test_a_wrong_number_stops_nothing_and_none_comes_again(
    hass: HomeAssistant, init_integration: MockConfigEntry, easee: Charger
) -> None:
    """A stop of another session is taken; after a restart the numbers go on."""
    number = await easee.start(id_tag=TAG)
    assert 0 < number < 2**31
    answer = await easee.call("StopTransaction", stopped(number + 7, moment(), 5000))
    assert answer["idTagInfo"]["status"] == "Accepted"
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(number)
    with pytest.raises(ServiceValidationError):
        await act(hass, "stop_charging", transaction_id="not a number")
    await act(hass, "stop_charging")
    assert easee.calls("RemoteStopTransaction") == [{"transactionId": number}]
    await easee.stop(number, 2000)

    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    easee.url = f"ws://127.0.0.1:{init_integration.runtime_data.port}/ocpp"
    await easee.close()
    await easee.connect()
    assert await easee.start(id_tag=TAG, meter=2000) > number


@pytest.fixture
async def free(
    hass: HomeAssistant,
    hub: OcppHub,
    easee: Charger,
    monkeypatch: pytest.MonkeyPatch,
) -> Charger:
    """Return an Easee charger where everybody may charge at once."""
    monkeypatch.setattr(free_charging, "DELAY", 0.0)
    hub.change_charger(IDENTITY, {CONF_FREE_CHARGING: True})
    await hass.async_block_till_done()
    easee.received.clear()
    return easee


async def calm(hass: HomeAssistant, charger: Charger) -> None:
    """Let everything happen that could."""
    for _ in range(5):
        await charger.call("Heartbeat")
        await flush(hass)


@pytest.mark.conformance("EASEE_N9")
async def test_a_start_is_asked_for_once_for_each_vehicle(
    hass: HomeAssistant, free: Charger
) -> None:
    """Only when a vehicle has just come, and never again while it is there."""
    free.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    await free.status(1, "Preparing")
    await free.expect("RemoteStartTransaction")
    for status in ("Preparing", "SuspendedEVSE", "Preparing", "Preparing"):
        await free.status(1, status)
        await calm(hass, free)
    assert len(free.calls("RemoteStartTransaction")) == 1
    await free.status(1, "Available")
    await free.status(1, "Preparing")
    await free.expect("RemoteStartTransaction", count=2)


@pytest.mark.conformance("EASEE_N9")
async def test_permission_is_looked_at_again_when_a_start_is_asked_for(
    hass: HomeAssistant,
    hub: OcppHub,
    free: Charger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Taken back while the vehicle waited: nothing is sent."""
    monkeypatch.setattr(free_charging, "DELAY", 10.0)
    await free.status(1, "Preparing")
    hub.change_charger(IDENTITY, {CONF_FREE_CHARGING: False})
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    await calm(hass, free)
    assert free.calls("RemoteStartTransaction") == []


@pytest.mark.conformance("EASEE_N13")
async def test_who_stops_in_the_app_is_not_overruled(
    hass: HomeAssistant, free: Charger
) -> None:
    """Stopped, or held back, by the cloud: it is not begun again until it was away."""
    await free.status(1, "Preparing")
    start = await free.expect("RemoteStartTransaction")
    number = await free.start(id_tag=start["idTag"])
    await free.status(1, "Charging")
    await free.status(1, "SuspendedEVSE", vendorErrorCode="52")
    await calm(hass, free)
    await free.status(1, "Charging")
    free.received.clear()
    await free.stop(number, 1500, reason="Remote")
    for status in ("Finishing", "Preparing", "SuspendedEVSE", "Preparing"):
        await free.status(1, status)
        await calm(hass, free)
    assert free.received == []
    (session,) = await sessions(hass)
    assert (session["state"], session["stop_reason"]) == ("closed", "remote")
