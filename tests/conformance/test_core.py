"""Boot, sessions, faults and vendor data: the everyday messages of a charger."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.const import STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from ..ha.charger import Charger, sampled
from ..ha.conftest import IDENTITY, ChargerFactory
from ..ha.entities import flush, full_state, state
from .answers import sessions
from custom_components.ev_charger_hub.hub import OcppHub

STATUS = "CP01_1_status"
SESSION = "CP01_1_session"
REGISTER = "Energy.Active.Import.Register"


def moment(text: str) -> datetime:
    """Return the moment that the server names: a date and time in UTC."""
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


@pytest.mark.conformance("TC_001_CSMS")
async def test_a_cold_boot_is_accepted_and_every_status_and_heartbeat_answered(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws()
    boot = await charger.boot()
    assert boot["status"] == "Accepted"
    assert boot["interval"] > 0
    assert abs(moment(boot["currentTime"]) - datetime.now(UTC)) < timedelta(minutes=1)
    for connector in (0, 1, 2):
        answer = await charger.call(
            "StatusNotification",
            {"connectorId": connector, "errorCode": "NoError", "status": "Available"},
        )
        assert answer == {}
    heartbeat = await charger.call("Heartbeat")
    assert moment(heartbeat["currentTime"]) >= moment(boot["currentTime"])
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_status") == "available"
    assert state(hass, "sensor", "CP01_2_status") == "available"


@pytest.mark.conformance("TC_005_1_CSMS")
async def test_a_session_that_the_driver_unplugs_is_closed_once(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    transaction_id = await approved_charger.start(meter=1000)
    await approved_charger.status(1, "Charging")
    await approved_charger.meter(1, [sampled(1800, REGISTER, "Wh")], transaction_id)
    await approved_charger.status(1, "SuspendedEV")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "suspended_ev"
    answer = await approved_charger.stop(transaction_id, 2000, reason="EVDisconnected")
    assert answer == {}
    await hass.async_block_till_done()
    ended = full_state(hass, "event", SESSION)
    assert ended.attributes["event_type"] == "ended"
    assert ended.attributes["energy"] == 1000
    for status in ("Finishing", "Available"):
        await approved_charger.status(1, status)
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    assert full_state(hass, "event", SESSION).state == ended.state
    (session,) = await sessions(hass)
    assert session["state"] == "closed"
    assert session["stop_reason"] == "ev_disconnected"
    assert session["energy"] == 1000


@pytest.mark.conformance("TC_024_CSMS")
async def test_a_lock_that_fails_is_shown_and_starts_nothing(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(1, "Preparing")
    await approved_charger.call("Authorize", {"idTag": "TAG12345"})
    await approved_charger.status(1, "Faulted", "ConnectorLockFailure")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "faulted"
    assert state(hass, "sensor", "CP01_1_error_code") == "ConnectorLockFailure"
    assert state(hass, "binary_sensor", "CP01_1_problem") == STATE_ON
    assert state(hass, "event", SESSION) == STATE_UNKNOWN
    assert await sessions(hass) == []


@pytest.mark.conformance("TC_064_CSMS")
@pytest.mark.parametrize(
    "data",
    [
        {"vendorId": "com.example"},
        {"vendorId": "com.example", "messageId": "what", "data": "\u0000{]"},
        {"vendorId": "v" * 255, "data": "x" * 5000},
    ],
)
async def test_vendor_data_that_nobody_knows_is_answered_so(
    approved_charger: Charger, data: dict[str, str]
) -> None:
    answer = await approved_charger.call("DataTransfer", data)
    assert answer["status"] in {"Rejected", "UnknownVendorId", "UnknownMessageId"}
