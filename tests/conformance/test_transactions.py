"""Sessions of a charger that repeats, forgets, reorders and was away."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from ..ha.charger import Charger, sampled
from ..ha.conftest import IDENTITY, ChargerFactory
from ..ha.entities import act, flush, full_state, state
from ..ha.passing import leap
from .answers import sessions
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.losses import GRACE

REGISTER = "Energy.Active.Import.Register"
SESSION = "CP01_1_session"


def ago(**span: float) -> str:
    """Return a moment of the past as chargers spell it."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat().replace("+00:00", "Z")


async def restart(
    hass: HomeAssistant, entry: MockConfigEntry, charger: Charger
) -> None:
    """Restart the server; the charger dials in again and does not boot."""
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    charger.url = f"ws://127.0.0.1:{entry.runtime_data.port}/ocpp"
    await charger.close()
    await charger.connect()
    await charger.call("Heartbeat")


@pytest.mark.conformance("TC_032_1_CSMS")
async def test_after_a_power_failure_the_session_is_closed_with_its_reason(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    transaction_id = await quiet_charger.start(meter=100)
    await quiet_charger.status(1, "Charging")
    await quiet_charger.close()
    await quiet_charger.connect()
    assert (await quiet_charger.boot())["status"] == "Accepted"
    await quiet_charger.status(1, "Finishing")
    answer = await quiet_charger.stop(transaction_id, 300, reason="PowerLoss")
    assert answer == {}
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "finishing"
    (session,) = await sessions(hass)
    assert (session["state"], session["stop_reason"]) == ("closed", "power_loss")
    assert session["energy"] == 200


@pytest.mark.conformance("TC_039_CSMS")
@pytest.mark.conformance("TX_13")
async def test_sessions_of_an_outage_are_booked_in_order_and_are_no_events(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await quiet_charger.close()
    await quiet_charger.connect()
    await quiet_charger.boot()
    began = [ago(hours=hours) for hours in (6, 4, 2)]
    for number, moment in enumerate(began):
        transaction_id = await quiet_charger.start(
            meter=1000 * number, timestamp=moment
        )
        assert transaction_id > 0
        await quiet_charger.meter(
            1, [sampled(1000 * number + 10, REGISTER, "Wh")], transaction_id
        )
        await quiet_charger.stop(
            transaction_id,
            1000 * (number + 1),
            reason="Local",
            timestamp=ago(hours=5 - 2 * number),
            idTag="TAG12345",
        )
    assert "currentTime" in await quiet_charger.call("Heartbeat")
    await flush(hass)
    told = await sessions(hass)
    assert [one["start"] for one in reversed(told)] == [
        datetime.fromisoformat(moment).isoformat() for moment in began
    ]
    assert [one["energy"] for one in told] == [1000] * 3
    assert {one["stop_reason"] for one in told} == {"local"}
    assert state(hass, "event", SESSION) == STATE_UNKNOWN


@pytest.mark.conformance("TX_01")
@pytest.mark.conformance("RPC_04")
async def test_a_start_that_is_sent_again_gets_the_same_number(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    moment = ago(seconds=20)
    first = await quiet_charger.start(timestamp=moment)
    second = await quiet_charger.start(timestamp=moment)
    await quiet_charger.close()
    await quiet_charger.connect()
    third = await quiet_charger.start(timestamp=moment)
    assert first == second == third
    assert len(await sessions(hass)) == 1
    stopped = ago(seconds=1)
    for _ in range(2):
        await quiet_charger.stop(first, 1500, timestamp=stopped)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 500)


@pytest.mark.conformance("TX_02")
@pytest.mark.parametrize(
    "oddity",
    [
        {"connectorId": 0},
        {"connectorId": 4711},
        {"meterStart": -5},
        {"meterStart": 2**40},
        {"timestamp": "yesterday"},
        {"timestamp": "222222017-01-01T00:00:00Z"},
        {"idTag": ""},
        {"idTag": "x" * 300},
        {"reservationId": 2**50},
    ],
)
async def test_a_start_is_answered_whatever_it_says(
    quiet_charger: Charger, oddity: dict[str, Any]
) -> None:
    start = {
        "connectorId": 1,
        "idTag": "TAG12345",
        "meterStart": 0,
        "timestamp": ago(seconds=1),
    }
    answer = await quiet_charger.call("StartTransaction", start | oddity)
    assert 0 < answer["transactionId"] < 2**31
    assert "status" in answer["idTagInfo"]


@pytest.mark.conformance("TX_03")
async def test_a_stop_of_an_unknown_session_ends_no_other(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    transaction_id = await quiet_charger.start()
    assert await quiet_charger.stop(transaction_id + 1000, 9000) == {}
    orphan, running = sorted(
        await sessions(hass), key=lambda one: one["state"] == "open"
    )
    assert running["transaction_id"] == str(transaction_id)
    assert running["state"] == "open"
    assert orphan["state"] == "orphan"
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(transaction_id)


@pytest.mark.conformance("TX_04")
@pytest.mark.parametrize("strange", [-1, 0])
async def test_a_session_without_a_number_is_answered_and_is_no_other(
    hass: HomeAssistant, quiet_charger: Charger, strange: int
) -> None:
    values = [sampled(5000, REGISTER, "Wh")]
    await quiet_charger.meter(1, values, strange)
    assert await quiet_charger.stop(strange, 5000) == {}
    assert await quiet_charger.stop(strange, 5000) == {}
    assert {one["state"] for one in await sessions(hass)} == {"orphan"}


@pytest.mark.conformance("TX_05")
async def test_a_start_on_a_busy_connector_ends_the_old_session_as_lost(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    first = await quiet_charger.start(meter=0, timestamp=ago(seconds=40))
    await quiet_charger.meter(1, [sampled(400, REGISTER, "Wh")], first)
    second = await quiet_charger.start(meter=450, id_tag="OTHER")
    assert second != first
    new, old = await sessions(hass)
    assert (old["state"], old["energy"]) == ("lost", 400)
    assert (new["state"], new["transaction_id"]) == ("open", str(second))


@pytest.mark.conformance("TX_06")
async def test_a_session_that_began_without_us_is_adopted_while_it_charges(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await quiet_charger.meter(1, [sampled(100, REGISTER, "Wh")], 77)
    assert await sessions(hass) == []
    await quiet_charger.status(1, "Charging")
    for reading in (200, 300):
        await quiet_charger.meter(1, [sampled(reading, REGISTER, "Wh")], 78)
        await flush(hass)
    (session,) = await sessions(hass)
    assert (session["transaction_id"], session["state"]) == ("78", "open")
    assert await quiet_charger.stop(78, 500) == {}
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 300)


@pytest.mark.conformance("TX_07")
@pytest.mark.conformance("TC_037_1_CSMS")
async def test_a_start_of_the_past_is_no_event_and_gets_no_limit(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await act(hass, "set_charging_limit", limit=10)
    await hass.async_block_till_done()
    approved_charger.received.clear()
    moment = ago(hours=5)
    answer = await approved_charger.call(
        "StartTransaction",
        {
            "connectorId": 1,
            "idTag": "TAG12345",
            "meterStart": 0,
            "timestamp": moment,
        },
    )
    assert answer["idTagInfo"]["status"] == "Accepted"
    assert answer["transactionId"] > 0
    await flush(hass)
    assert state(hass, "event", SESSION) == STATE_UNKNOWN
    assert approved_charger.calls("SetChargingProfile") == []
    (session,) = await sessions(hass)
    assert session["start"] == datetime.fromisoformat(moment).isoformat()


@pytest.mark.conformance("TX_11")
async def test_a_meter_that_starts_anew_takes_no_energy_away(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    transaction_id = await quiet_charger.start(meter=9000)
    seen = []
    for reading in (9500, 0, 300):
        await quiet_charger.meter(1, [sampled(reading, REGISTER, "Wh")], transaction_id)
        await flush(hass)
        seen.append(float(state(hass, "sensor", "CP01_1_session_energy")))
    assert seen == sorted(seen)
    await quiet_charger.stop(transaction_id, 400)
    (session,) = await sessions(hass)
    assert session["energy"] >= 600
    assert (session["meter_start"], session["meter_stop"]) == (9000, 400)


@pytest.mark.conformance("TX_12")
async def test_a_session_goes_on_over_a_restart_of_the_server(
    hass: HomeAssistant, init_integration: MockConfigEntry, quiet_charger: Charger
) -> None:
    first = await quiet_charger.start(meter=1000)
    await act(hass, "set_charging_profile", periods=[{"start": 0, "limit": 10}])
    before = (await act(hass, "get_charging_profiles"))["profiles"]
    await restart(hass, init_integration, quiet_charger)
    assert (await act(hass, "get_charging_profiles"))["profiles"] == before
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(first)
    await quiet_charger.meter(1, [sampled(1200, REGISTER, "Wh")], first)
    await quiet_charger.stop(first, 1500)
    second = await quiet_charger.start(meter=1500)
    assert second > first
    new, old = await sessions(hass)
    assert (old["state"], old["energy"]) == ("closed", 500)
    assert (new["state"], new["transaction_id"]) == ("open", str(second))


@pytest.mark.conformance("TX_14")
async def test_the_newest_status_wins_and_available_ends_a_session_after_a_grace(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    quiet_charger: Charger,
) -> None:
    transaction_id = await quiet_charger.start()
    newest, older = ago(seconds=0), ago(seconds=300)
    await asyncio.gather(
        *(quiet_charger.status(1, "Charging", timestamp=newest) for _ in range(50))
    )
    await quiet_charger.status(1, "Available", timestamp=older)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "charging"

    freezer.tick(10)
    await quiet_charger.status(1, "Available", timestamp=ago(seconds=0))
    await leap(hass, freezer, GRACE / 2)
    (session,) = await sessions(hass)
    assert (session["state"], session["transaction_id"]) == (
        "open",
        str(transaction_id),
    )
    await leap(hass, freezer, GRACE + 1)
    (session,) = await sessions(hass)
    assert session["state"] == "lost"
    assert full_state(hass, "event", SESSION).attributes["event_type"] == "ended"


@pytest.mark.conformance("SEC_07")
async def test_a_charger_can_do_nothing_to_the_session_of_another(
    hass: HomeAssistant,
    hub: OcppHub,
    quiet_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    transaction_id = await quiet_charger.start(meter=1000)
    hub.approve("CP02", "Yard", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    await other.boot()
    await other.status(1, "Charging")
    await other.meter(1, [sampled(9_000_000, REGISTER, "Wh")], transaction_id)
    assert await other.stop(transaction_id, 9_999_999) == {}
    await flush(hass)
    (session,) = (await act(hass, "get_sessions", IDENTITY))["sessions"]
    assert (session["state"], session["energy"]) == ("open", 0)
    theirs = (await act(hass, "get_sessions", "CP02"))["sessions"]
    assert {one["state"] for one in theirs} == {"orphan"}
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(transaction_id)


@pytest.mark.conformance("SEC_08")
async def test_numbers_of_sessions_are_nobodys_twice_and_no_clock(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    quiet_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    hub.approve("CP02", "Yard", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    await other.boot()
    given: list[int] = []
    for number in range(3):
        given.append(await quiet_charger.start(meter=number))
        given.append(await other.start(meter=number))
    await restart(hass, init_integration, quiet_charger)
    given.append(await quiet_charger.start(meter=4711))
    assert len(set(given)) == len(given)
    assert all(0 < one < 2**31 for one in given)
    # Seconds since 1970 have had ten digits since 2001.
    assert all(10**8 <= one < 10**9 for one in given)
