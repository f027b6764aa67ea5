"""Easee over OCPP: sessions, statuses and connections of a charger that repeats itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from ..ha.charger import Charger, Payload, Silence, sampled
from ..ha.conftest import IDENTITY, ChargerFactory, device_of, set_up
from ..ha.entities import act, exists, flush, full_state, state
from ..ha.passing import leap
from .answers import sessions
from .conftest import EASEE
from custom_components.ev_charger_hub.const import CONF_PING
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.losses import GRACE

REGISTER = "Energy.Active.Import.Register"
STATUS = "CP01_1_status"
SESSION = "CP01_1_session"
TAG = "AF18EE010486FF3E"
ACCEPTED = {"status": "Accepted"}
DONE = {"accepted", "confirmed"}


def stamp(moment: datetime) -> str:
    """Return a moment in whole seconds, as these chargers tell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(**span: float) -> str:
    """Return a moment of the past."""
    return stamp(datetime.now(UTC) - timedelta(**span))


def started(**more: Any) -> Payload:
    """Return a StartTransaction."""
    return {
        "connectorId": 1,
        "idTag": TAG,
        "meterStart": 12_340_000,
        "timestamp": ago(seconds=20),
        **more,
    }


async def measure(
    charger: Charger, register: int, transaction_id: int | None = None, **more: Any
) -> None:
    """Send the register, read now."""
    payload: Payload = {
        "connectorId": 1,
        "meterValue": [
            {
                "timestamp": stamp(datetime.now(UTC)),
                "sampledValue": [sampled(register, REGISTER, "Wh")],
                **more,
            }
        ],
    }
    if transaction_id is not None:
        payload["transactionId"] = transaction_id
    assert await charger.call("MeterValues", payload) == {}


@pytest.fixture
async def timeless(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hub: OcppHub, easee: Charger
) -> Charger:
    """Return an Easee charger whose time is that of the test."""
    # In leaps of time every pong comes too late.
    hub.change_charger(IDENTITY, {CONF_PING: False})
    await hass.async_block_till_done()
    return easee


@pytest.mark.conformance("EASEE_S15")
async def test_pairing_again_neither_ends_a_session_nor_makes_another_device(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hub: OcppHub,
    timeless: Charger,
) -> None:
    """Two boots on a socket that lives, in the middle of a session: one set-up."""
    transaction_id = await timeless.start()
    await timeless.status(1, "Charging")
    device = device_of(hass, hub.entry)
    timeless.received.clear()
    for _ in range(2):
        await leap(hass, freezer, 20)
        assert (await timeless.boot())["status"] == "Accepted"
    await hass.async_block_till_done(wait_background_tasks=True)
    hub.stations[IDENTITY].station.findings.clear()
    await leap(hass, freezer, 180)
    await set_up(hub, timeless)
    await timeless.call("Heartbeat")
    await leap(hass, freezer, 180)
    assert timeless.calls("GetConfiguration").count({}) == 1
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(transaction_id)
    assert state(hass, "binary_sensor", "CP01_1_charging") == STATE_ON
    (session,) = await sessions(hass)
    assert session["state"] == "open"
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), hub.entry.entry_id)
    assert [one for one in devices if one.serial_number] == [device]


@pytest.mark.conformance("EASEE_S16")
async def test_a_fault_stays_until_the_charger_is_available_without_an_error(
    hass: HomeAssistant, easee: Charger
) -> None:
    """Old firmware became Available with the fault still there."""

    async def shown() -> tuple[str, str]:
        await flush(hass)
        return (
            state(hass, "sensor", STATUS),
            state(hass, "binary_sensor", "CP01_1_problem"),
        )

    await easee.status(1, "Faulted", "GroundFailure")
    assert await shown() == ("faulted", STATE_ON)
    await measure(easee, 1000)
    assert await shown() == ("faulted", STATE_ON)
    await easee.status(1, "Available", "OtherError", vendorErrorCode="219")
    assert await shown() == ("faulted", STATE_ON)
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == "219"
    await easee.status(1, "Available")
    assert await shown() == ("available", STATE_OFF)


@pytest.mark.conformance("EASEE_S17")
async def test_a_new_socket_takes_the_place_of_the_old_one(
    hass: HomeAssistant, hub: OcppHub, easee: Charger, charger_ws: ChargerFactory
) -> None:
    """What the old one was asked fails at once; its late end means nothing."""
    easee.answers["UnlockConnector"] = Silence()
    asked = hass.async_create_task(act(hass, "unlock_connector"))
    await easee.expect("UnlockConnector")
    again = await charger_ws(IDENTITY)
    assert await easee.closed() in {1000, 4001}
    with pytest.raises(Exception, match=r"."):
        await asked
    assert "currentTime" in await again.call("Heartbeat")
    await easee.close()
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_connectivity") == STATE_ON
    await again.status(1, "Preparing")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "preparing"


@pytest.mark.conformance("EASEE_S18")
async def test_what_is_sent_again_and_again_is_one_session(
    hass: HomeAssistant, easee: Charger
) -> None:
    """Each try has another message id; what they say is the same."""
    start = started()
    answers = [await easee.call("StartTransaction", start) for _ in range(4)]
    assert {one["idTagInfo"]["status"] for one in answers} == {"Accepted"}
    (number,) = {one["transactionId"] for one in answers}
    stop = {
        "transactionId": number,
        "meterStop": 12_345_678,
        "timestamp": ago(seconds=1),
        "idTag": TAG,
        "reason": "EVDisconnected",
    }
    for _ in range(4):
        answer = await easee.call("StopTransaction", stop)
        assert answer["idTagInfo"]["status"] == "Accepted"
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 5678)


@pytest.mark.conformance("EASEE_S18")
@pytest.mark.parametrize(
    ("there", "then"),
    [(("3", "10"), ("5", "60")), (("9", "120"), ("9", "120"))],
)
async def test_a_charger_tries_often_enough(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    there: tuple[str, str],
    then: tuple[str, str],
) -> None:
    """Fewer than five tries become five, a minute apart; more are left as they are."""
    keys = ("TransactionMessageAttempts", "TransactionMessageRetryInterval")
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    charger.configuration |= dict(zip(keys, there, strict=True))
    await charger.boot(**EASEE)
    await set_up(hub, charger)
    assert tuple(charger.configuration[key] for key in keys) == then


@pytest.mark.conformance("EASEE_S19")
@pytest.mark.parametrize("order", ["start_first", "stop_first"])
async def test_a_session_of_hours_ago_is_history(
    hass: HomeAssistant, easee: Charger, order: str
) -> None:
    """It counts; but nothing begins or ends now."""
    number = (
        await easee.call("StartTransaction", started(timestamp=ago(days=2), idTag="X"))
    )["transactionId"]
    await easee.stop(number, 12_340_000, timestamp=ago(hours=40))
    await easee.close()
    await easee.connect()
    stop = {"meterStop": 12_345_678, "timestamp": ago(hours=2), "idTag": TAG}
    if order == "start_first":
        start = started(timestamp=ago(hours=3))
        answer = await easee.call("StartTransaction", start)
        assert answer["idTagInfo"]["status"] == "Accepted"
        await easee.call(
            "StopTransaction", {**stop, "transactionId": answer["transactionId"]}
        )
    else:
        # It never heard which number the session has.
        await easee.call("StopTransaction", {**stop, "transactionId": -1})
    await flush(hass)
    newest, oldest = await sessions(hass)
    assert newest["meter_stop"] == 12_345_678
    assert newest["state"] == ("closed" if order == "start_first" else "orphan")
    assert oldest["energy"] == 0
    assert state(hass, "event", SESSION) == STATE_UNKNOWN
    assert state(hass, "sensor", STATUS) == "available"
    assert state(hass, "binary_sensor", "CP01_1_charging") == STATE_OFF


@pytest.mark.conformance("EASEE_S20")
async def test_a_charger_is_back_within_a_minute(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, timeless: Charger
) -> None:
    """Without a boot, with the first that it says; and it is gone within two minutes."""

    def shown() -> tuple[str, str]:
        return (
            state(hass, "binary_sensor", "CP01_connectivity"),
            state(hass, "number", "CP01_1_current_limit"),
        )

    await timeless.close()
    await leap(hass, freezer, 120)
    assert shown() == (STATE_OFF, STATE_UNAVAILABLE)
    await timeless.connect()
    await timeless.call("Heartbeat")
    await leap(hass, freezer, 60)
    connectivity, limit = shown()
    assert connectivity == STATE_ON
    assert limit != STATE_UNAVAILABLE


@pytest.mark.conformance("EASEE_S21")
@pytest.mark.parametrize(
    ("code", "raw", "reason"),
    [
        ("52", "52", "charger_dynamic_too_low"),
        (" 55 ", "55", "pending_authorization"),
        ("X99", "X99", None),
        ("9" * 50, "9" * 50, None),
    ],
)
async def test_a_suspension_is_explained(
    hass: HomeAssistant, easee: Charger, code: str, raw: str, reason: str | None
) -> None:
    await easee.status(1, "SuspendedEVSE", vendorErrorCode=code)
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "suspended_evse"
    assert state(hass, "binary_sensor", "CP01_1_problem") == STATE_OFF
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == raw
    if reason is not None:
        assert state(hass, "sensor", "CP01_1_no_current_reason") == reason
    else:
        assert not exists(hass, "sensor", "CP01_1_no_current_reason")
    await easee.status(1, "Charging")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == STATE_UNKNOWN
    if reason is not None:
        assert state(hass, "sensor", "CP01_1_no_current_reason") == STATE_UNKNOWN


@pytest.mark.conformance("EASEE_S21")
async def test_a_fault_keeps_the_words_of_its_vendor(
    hass: HomeAssistant, easee: Charger
) -> None:
    await easee.status(
        1,
        "Faulted",
        "OtherError",
        vendorId="no.easee",
        vendorErrorCode="219",
        info="Relay of phase 2",
    )
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_error_code") == "OtherError"
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == "219"
    assert state(hass, "sensor", "CP01_1_error_info") == "Relay of phase 2"


@pytest.mark.conformance("EASEE_N3")
@pytest.mark.parametrize("late", ["Available", "Finishing"])
async def test_preparing_and_what_is_older_than_the_meter_end_no_session(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, timeless: Charger, late: str
) -> None:
    transaction_id = await timeless.start(meter=1000)
    await timeless.status(1, "Preparing")
    await leap(hass, freezer, GRACE + 10)
    await timeless.call("Heartbeat")
    await timeless.status(1, "Charging", timestamp=stamp(datetime.now(UTC)))
    await leap(hass, freezer, 10)
    before = stamp(datetime.now(UTC))
    await leap(hass, freezer, 10)
    await measure(timeless, 1100, transaction_id)
    await timeless.status(1, late, timestamp=before)
    await leap(hass, freezer, GRACE + 10)
    (session,) = await sessions(hass)
    assert (session["state"], session["transaction_id"]) == (
        "open",
        str(transaction_id),
    )
    await timeless.status(1, "Available", timestamp=stamp(datetime.now(UTC)))
    await leap(hass, freezer, GRACE + 10)
    (session,) = await sessions(hass)
    assert session["state"] == "lost"


@pytest.mark.conformance("EASEE_N4")
async def test_a_session_without_an_end_takes_a_late_one(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, timeless: Charger
) -> None:
    """The power went, or it was switched to its cloud; the last energy is kept."""
    transaction_id = await timeless.start(meter=1000)
    await timeless.status(1, "Charging")
    await leap(hass, freezer, 30)
    await measure(timeless, 1400, transaction_id)
    await timeless.status(1, "Available")
    await leap(hass, freezer, GRACE + 10)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("lost", 400)
    events = full_state(hass, "event", SESSION)
    assert events.attributes["event_type"] == "ended"
    answer = await timeless.stop(transaction_id, 1900, reason="PowerLoss")
    assert answer == {}
    await flush(hass)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 900)
    # It ended once.
    assert full_state(hass, "event", SESSION).last_changed == events.last_changed


@pytest.mark.conformance("EASEE_N5")
async def test_a_session_that_nobody_knows_is_found_again(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, timeless: Charger
) -> None:
    """Two meter values that are a second apart, while it charges."""
    await measure(timeless, 900, 4711)
    await leap(hass, freezer, 5)
    await measure(timeless, 950, 4711)
    assert await sessions(hass) == []
    await timeless.status(1, "Charging")
    for _ in range(2):
        await measure(timeless, 1000, 4712)
    assert await sessions(hass) == []
    await leap(hass, freezer, 30)
    for register in (1200, 1300):
        await measure(timeless, register, 4712)
        (session,) = await sessions(hass)
        await leap(hass, freezer, 1)
    assert (session["transaction_id"], session["state"]) == ("4712", "open")
    # It counts from the first that was heard of it.
    assert session["energy"] == 300
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_transaction_id") == "4712"


@pytest.mark.conformance("EASEE_N6")
async def test_a_start_is_known_after_a_restart_of_the_server(
    hass: HomeAssistant, init_integration: MockConfigEntry, easee: Charger
) -> None:
    """What was answered is in the journal: the same again is the same session."""
    start = started()
    number = (await easee.call("StartTransaction", start))["transactionId"]
    stop = {
        "transactionId": number,
        "meterStop": 12_345_678,
        "timestamp": ago(seconds=1),
    }

    async def restart() -> None:
        assert await hass.config_entries.async_reload(init_integration.entry_id)
        await hass.async_block_till_done()
        easee.url = f"ws://127.0.0.1:{init_integration.runtime_data.port}/ocpp"
        await easee.close()
        await easee.connect()

    await restart()
    answer = await easee.call("StartTransaction", start)
    assert answer["transactionId"] == number
    await easee.call("StopTransaction", stop)
    await restart()
    await easee.call("StopTransaction", stop)
    for other in ({"meterStart": 12_345_678}, {"idTag": "OTHER"}):
        answer = await easee.call("StartTransaction", start | other)
        assert answer["transactionId"] != number
    first = (await sessions(hass))[-1]
    assert (first["transaction_id"], first["energy"]) == (str(number), 5678)
    assert first["state"] == "closed"


@pytest.mark.conformance("EASEE_N7")
async def test_what_a_command_does_may_be_told_before_its_answer(
    hass: HomeAssistant, easee: Charger
) -> None:
    """It charges, gives less or stops, and only then says that it will."""
    for action in (
        "RemoteStartTransaction",
        "SetChargingProfile",
        "RemoteStopTransaction",
    ):
        easee.answers[action] = Silence()
    await easee.status(1, "Preparing")
    asked = hass.async_create_task(act(hass, "start_charging", id_token=TAG))
    await easee.expect("RemoteStartTransaction")
    number = await easee.start(id_tag=TAG)
    await easee.status(1, "Charging")
    await easee.answer_now("RemoteStartTransaction", ACCEPTED)
    assert (await asked)["status"] in DONE
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(number)

    asked = hass.async_create_task(act(hass, "set_charging_limit", limit=0))
    await easee.expect("SetChargingProfile")
    await easee.status(1, "SuspendedEVSE")
    await easee.answer_now("SetChargingProfile", ACCEPTED)
    assert (await asked)["status"] in DONE
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "suspended_evse"
    assert float(state(hass, "number", "CP01_1_current_limit")) == 0

    asked = hass.async_create_task(act(hass, "stop_charging"))
    await easee.expect("RemoteStopTransaction")
    await easee.stop(number, 2000, reason="Remote")
    await easee.status(1, "Finishing")
    await easee.answer_now("RemoteStopTransaction", ACCEPTED)
    assert (await asked)["status"] in DONE
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "finishing"
    (session,) = await sessions(hass)
    assert (session["state"], session["stop_reason"]) == ("closed", "remote")
